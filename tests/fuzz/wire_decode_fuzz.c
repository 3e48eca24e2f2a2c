// libFuzzer target: any bytes into wire_decode. What is accepted must be fit to use (every text and array is
// read) and, unless it carries refused values, must encode to a form that decodes to the same message and to
// the same bytes again. The decoder has a way of its own for plain batches: protobuf-c's must say the same of
// every one it takes.
#include "tests/support/wire_equal.h"
#include "wire/codec.h"
#include "wire/codec_batch.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static size_t read_batch(const struct wire_batch *b)
{
    size_t refused = 0;
    for (size_t i = 0; i < b->count; i++)
        refused += b->samples[i].refused != WIRE_REASON_NONE;
    size_t letters = 0;
    for (size_t i = 0; i < b->note_count; i++)
        letters += strlen(b->notes[i].reason) + strlen(b->notes[i].author) + strlen(b->notes[i].currency);
    if (letters > WIRE_MESSAGE_MAX_BYTES)
        abort();
    return refused;
}

// What was decoded lives in first_arena; what is decoded again in second_arena, so that the two can be
// compared.
static void encode_again(struct wire_arena *second_arena, const struct wire_message *m)
{
    struct buf first, second;
    struct wire_message back;
    buf_init(&first, WIRE_MESSAGE_MAX_BYTES);
    buf_init(&second, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_encode(m, &first);
    if (e != ERR_OK && e != ERR_TOO_BIG) // what came in sparser than we write may be too big for us
        abort();
    if (e == ERR_OK && (wire_decode(second_arena, first.data, first.len, &back, NULL) != ERR_OK ||
                        !wire_message_equal(m, &back) || wire_encode(&back, &second) != ERR_OK ||
                        first.len != second.len || memcmp(first.data, second.data, first.len) != 0))
        abort();
    buf_deinit(&first);
    buf_deinit(&second);
}

static bool refused_alike(const struct wire_batch *a, const struct wire_batch *b)
{
    for (size_t i = 0; i < a->count; i++)
        if (a->samples[i].refused != b->samples[i].refused)
            return false;
    return true;
}

static void decode_otherwise(struct wire_arena *second_arena, const uint8_t *bytes, size_t len, enum err e,
                             const struct wire_message *m)
{
    struct wire_message other;
    if (wire_decode_any(second_arena, bytes, len, WIRE_MESSAGE_MAX_BYTES, &other, NULL) != e)
        abort();
    if (e == ERR_OK && (!wire_message_equal(m, &other) ||
                        (m->type == WIRE_BATCH && !refused_alike(&m->batch, &other.batch))))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct wire_arena *first_arena, *second_arena;
    struct wire_message m;
    struct diag d;
    if (!first_arena &&
        (wire_arena_create(&first_arena) != ERR_OK || wire_arena_create(&second_arena) != ERR_OK))
        abort();
    enum err e = wire_decode(first_arena, bytes, len, &m, &d);
    decode_otherwise(second_arena, bytes, len, e, &m);
    if (e != ERR_OK)
        return 0;
    bool whole = m.type != WIRE_BATCH || read_batch(&m.batch) == 0;
    bool ours = m.type != WIRE_HELLO || m.hello.protocol == WIRE_PROTOCOL;
    if (whole && ours)
        encode_again(second_arena, &m);
    return 0;
}
