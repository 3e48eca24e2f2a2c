// Protobuf by hand, for messages that no honest encoder makes. Fields are appended to a buf; nothing is
// checked.
#ifndef ESEP_TESTS_RAW_H
#define ESEP_TESTS_RAW_H

#include "base/buf.h"
#include <stdint.h>

void raw_varint(struct buf *b, uint64_t v);
void raw_zigzag(struct buf *b, int64_t v);
void raw_key(struct buf *b, uint32_t field, unsigned wire_type);
void raw_uint(struct buf *b, uint32_t field, uint64_t v); // uint32, uint64, bool, enum
void raw_sint(struct buf *b, uint32_t field, int64_t v);  // sint64
void raw_bytes(struct buf *b, uint32_t field, const void *bytes, size_t len);
void raw_text(struct buf *b, uint32_t field, const char *text);
void raw_message(struct buf *b, uint32_t field, const struct buf *inner);

// The fields of a Batch, each in its packed column, ready to be put into an Envelope as field 1.
struct raw_batch {
    struct buf tag, time, integer, real, note;
    uint64_t sequence;
    uint32_t class, declares;
    size_t incarnation_len; // 16
};
void raw_batch_init(struct raw_batch *r);
void raw_batch_deinit(struct raw_batch *r);
void raw_batch_envelope(const struct raw_batch *r, struct buf *out);

#endif
