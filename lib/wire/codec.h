// Bytes ↔ messages. The only user of protobuf-c. Every byte from outside goes through wire_decode, which
// checks lengths, column sizes, text (UTF-8, printable, bounded), numbers and enums; what it returns can be
// used without further checks of form. Meaning (known series, clock, catalogue) is the receiver's business.
#ifndef ESEP_WIRE_CODEC_H
#define ESEP_WIRE_CODEC_H

#include "base/buf.h"
#include "base/err.h"
#include "wire/message.h"

// Memory that a decoded message lives in; reuse it for the next message. Bounded (about 1 MiB for any 16 KiB
// input). Threads: one at a time.
struct wire_arena;
enum err wire_arena_create(struct wire_arena **out) MUST_USE;
void wire_arena_destroy(struct wire_arena *a);

// *out borrows from a, never from bytes; valid until the next decode into a.
// TOO_BIG past WIRE_MESSAGE_MAX_BYTES; INVALID with a diag that says which field. A value that is NaN,
// infinite or beyond ±2^53 does not spoil its batch: the sample comes back missing and with `refused` set to
// the reason. A Hello of another protocol version comes back with its number and nothing else.
enum err wire_decode(struct wire_arena *a, const void *bytes, size_t len, struct wire_message *out,
                     struct diag *d) MUST_USE;

// The same for what the ledger holds, where a Rollup or a Control may have up to WIRE_KEPT_MAX_BYTES.
enum err wire_decode_kept(struct wire_arena *a, const void *bytes, size_t len, struct wire_message *out,
                          struct diag *d) MUST_USE;

// Appends to out. TOO_BIG when the message would pass its limit (a Reject of more than about
// 5,400 samples: send several); INVALID when a field breaks a limit, or a sample is one that the decoder
// refused.
enum err wire_encode(const struct wire_message *m, struct buf *out) MUST_USE;

// Builds a batch up to the message limit, counting bytes as it goes.
struct wire_builder;
enum err wire_builder_create(struct wire_builder **out) MUST_USE;
void wire_builder_destroy(struct wire_builder *b);
// Begins an empty batch; max_bytes ≤ WIRE_MESSAGE_MAX_BYTES.
void wire_builder_reset(struct wire_builder *b, enum wire_class class, size_t max_bytes);
// note may be NULL; its index is set by the builder and its texts are copied. FULL: the batch must be
// finished first.
enum err wire_builder_add(struct wire_builder *b, const struct wire_sample *s,
                          const struct wire_note *note) MUST_USE;
size_t wire_builder_count(const struct wire_builder *b);
// The Envelope's bytes appended to out; the builder is left as it is (reset it for the next).
enum err wire_builder_finish(struct wire_builder *b, const struct wire_incarnation *incarnation,
                             uint64_t sequence, struct buf *out) MUST_USE;

#endif
