// See raw.h.
#include "tests/support/raw.h"
#include <string.h>

#define RAW_MAX (1u << 20)

void raw_varint(struct buf *b, uint64_t v)
{
    unsigned char bytes[10];
    size_t len = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[len++] = (unsigned char)(v | 0x80);
    bytes[len++] = (unsigned char)v;
    buf_append(b, bytes, len);
}

void raw_zigzag(struct buf *b, int64_t v)
{
    raw_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

void raw_key(struct buf *b, uint32_t field, unsigned wire_type)
{
    raw_varint(b, (uint64_t)field << 3 | wire_type);
}

void raw_uint(struct buf *b, uint32_t field, uint64_t v)
{
    raw_key(b, field, 0);
    raw_varint(b, v);
}

void raw_sint(struct buf *b, uint32_t field, int64_t v)
{
    raw_key(b, field, 0);
    raw_zigzag(b, v);
}

void raw_bytes(struct buf *b, uint32_t field, const void *bytes, size_t len)
{
    raw_key(b, field, 2);
    raw_varint(b, len);
    buf_append(b, bytes, len);
}

void raw_text(struct buf *b, uint32_t field, const char *text)
{
    raw_bytes(b, field, text, strlen(text));
}

void raw_message(struct buf *b, uint32_t field, const struct buf *inner)
{
    raw_bytes(b, field, buf_str(inner), inner->len);
}

void raw_batch_init(struct raw_batch *r)
{
    buf_init(&r->tag, RAW_MAX);
    buf_init(&r->time, RAW_MAX);
    buf_init(&r->integer, RAW_MAX);
    buf_init(&r->real, RAW_MAX);
    buf_init(&r->note, RAW_MAX);
    r->sequence = 1;
    r->class = 1;
    r->declares = 1;
    r->incarnation_len = 16;
}

void raw_batch_deinit(struct raw_batch *r)
{
    buf_deinit(&r->tag);
    buf_deinit(&r->time);
    buf_deinit(&r->integer);
    buf_deinit(&r->real);
    buf_deinit(&r->note);
}

void raw_batch_envelope(const struct raw_batch *r, struct buf *out)
{
    static const char incarnation[64] = "sixteen bytes ok";
    struct buf b;
    buf_init(&b, RAW_MAX);
    raw_bytes(&b, 1, incarnation, r->incarnation_len);
    raw_uint(&b, 2, r->sequence);
    raw_uint(&b, 3, r->class);
    raw_uint(&b, 4, r->declares);
    raw_message(&b, 5, &r->tag);
    raw_message(&b, 6, &r->time);
    raw_message(&b, 7, &r->integer);
    raw_message(&b, 8, &r->real);
    buf_append(&b, buf_str(&r->note), r->note.len);
    raw_message(out, 1, &b);
    buf_deinit(&b);
}
