// A batch's samples from its bytes. Shared by the codec's own files and its tests.
#ifndef ESEP_WIRE_CODEC_BATCH_H
#define ESEP_WIRE_CODEC_BATCH_H

#include "wire/codec_internal.h"

// An Envelope with a Batch as our own encoder writes it. False: it is something else, or something is wrong
// with it; wire_decode_any knows. What it takes is what that would make of it.
bool wire_take_plain_batch(struct wire_arena *a, const void *bytes, size_t len, struct wire_batch *out);

struct Esep__V1__Batch;
enum err wire_take_batch(const struct wire_decoder *d, const struct Esep__V1__Batch *from,
                         struct wire_batch *out) MUST_USE;

// wire_decode by protobuf-c alone, whatever the message.
enum err wire_decode_any(struct wire_arena *a, const void *bytes, size_t len, size_t max_bytes,
                         struct wire_message *out, struct diag *d) MUST_USE;

#endif
