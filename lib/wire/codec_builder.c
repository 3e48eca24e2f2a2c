// Fills a batch to the limit. What each sample and note costs is added up as it comes; the parts whose size
// is known only at the end (sequence, declares, column lengths) are counted at their largest, so that a
// finished batch is never larger than asked for, and at most some twenty bytes smaller than it could be.
#include "wire/codec_internal.h"
#include "wire/esep.pb-c.h"
#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 3 // varint of any length up to 16 KiB
// envelope: key, length · incarnation: key, length, 16 · sequence: key, 10 · class: key, 1 · declares: key, 3
// · four columns: key, length
#define FIXED_BYTES (1 + LENGTH_BYTES + 2 + WIRE_INCARNATION_BYTES + 11 + 2 + 4 + 4 * (1 + LENGTH_BYTES))
// A note's texts cost more bytes on the wire than here: key and length there, one NUL here.
#define TEXT_BYTES WIRE_MESSAGE_MAX_BYTES

struct wire_builder {
    enum wire_class class;
    size_t max_bytes;
    size_t bytes; // FIXED_BYTES and everything added
    uint32_t declares;
    struct wire_columns columns;
    size_t note_count;
    size_t text_used;
    Esep__V1__Note *note_pointers[WIRE_NOTES_MAX];
    Esep__V1__Note notes[WIRE_NOTES_MAX];
    char text[TEXT_BYTES];
};

enum err wire_builder_create(struct wire_builder **out)
{
    struct wire_builder *b = malloc(sizeof(*b));
    if (!b)
        return ERR_NOMEM;
    if (wire_columns_init(&b->columns, WIRE_SAMPLES_MAX) != ERR_OK) {
        free(b);
        return ERR_NOMEM;
    }
    wire_builder_reset(b, WIRE_MEASUREMENT, WIRE_MESSAGE_MAX_BYTES);
    *out = b;
    return ERR_OK;
}

void wire_builder_destroy(struct wire_builder *b)
{
    if (!b)
        return;
    wire_columns_deinit(&b->columns);
    free(b);
}

void wire_builder_reset(struct wire_builder *b, enum wire_class class, size_t max_bytes)
{
    b->class = class;
    b->max_bytes = max_bytes < WIRE_MESSAGE_MAX_BYTES ? max_bytes : WIRE_MESSAGE_MAX_BYTES;
    b->bytes = FIXED_BYTES;
    b->declares = 0;
    b->note_count = 0;
    b->text_used = 0;
    wire_columns_reset(&b->columns);
}

size_t wire_builder_count(const struct wire_builder *b)
{
    return b->columns.count;
}

static char *keep_text(struct wire_builder *b, const char *text)
{
    size_t len = strlen(text);
    if (len == 0)
        return (char *)(uintptr_t)protobuf_c_empty_string;
    char *kept = b->text + b->text_used;
    memcpy(kept, text, len + 1);
    b->text_used += len + 1;
    return kept;
}

static void keep_note(struct wire_builder *b, const Esep__V1__Note *note)
{
    Esep__V1__Note *kept = &b->notes[b->note_count];
    *kept = *note;
    kept->reason = keep_text(b, note->reason);
    kept->author = keep_text(b, note->author);
    kept->currency = keep_text(b, note->currency);
    b->note_pointers[b->note_count++] = kept;
}

enum err wire_builder_add(struct wire_builder *b, const struct wire_sample *s, const struct wire_note *note)
{
    struct wire_cell cell;
    if (s->series >= WIRE_SERIES_NUMBERS || wire_columns_cell(&b->columns, b->class, s, &cell) != ERR_OK ||
        (note && wire_check_note(note, NULL) != ERR_OK))
        return ERR_INVALID;
    size_t bytes = wire_cell_bytes(&cell);
    Esep__V1__Note packed;
    if (note) {
        wire_note_fill(note, &packed);
        packed.index = (uint32_t)b->columns.count;
        size_t len = esep__v1__note__get_packed_size(&packed);
        bytes += 1 + wire_varint_bytes(len) + len;
    }
    if (bytes > b->max_bytes || b->bytes > b->max_bytes - bytes || b->columns.count == b->columns.max ||
        (note && b->note_count == WIRE_NOTES_MAX))
        return ERR_FULL;
    wire_columns_put(&b->columns, &cell);
    if (note)
        keep_note(b, &packed);
    if (s->series >= b->declares)
        b->declares = s->series + 1;
    b->bytes += bytes;
    return ERR_OK;
}

enum err wire_builder_finish(struct wire_builder *b, const struct wire_incarnation *incarnation,
                             uint64_t sequence, struct buf *out)
{
    if (b->columns.count == 0 || sequence == 0 || (b->class != WIRE_MEASUREMENT && b->class != WIRE_REPORT))
        return ERR_INVALID;
    Esep__V1__Envelope e = ESEP__V1__ENVELOPE__INIT;
    Esep__V1__Batch batch = ESEP__V1__BATCH__INIT;
    batch.incarnation.len = sizeof(incarnation->bytes);
    batch.incarnation.data = (uint8_t *)(uintptr_t)incarnation->bytes;
    batch.sequence = sequence;
    batch.class_ = (Esep__V1__Class)b->class;
    batch.declares = b->declares;
    batch.n_note = b->note_count;
    batch.note = b->note_pointers;
    wire_batch_fill(&b->columns, &batch);
    e.body_case = ESEP__V1__ENVELOPE__BODY_BATCH;
    e.batch = &batch;
    return wire_pack(&e, b->max_bytes, out);
}
