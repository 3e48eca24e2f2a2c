// Shared by the codec's own files and by nothing else.
#ifndef ESEP_WIRE_CODEC_INTERNAL_H
#define ESEP_WIRE_CODEC_INTERNAL_H

#include "wire/codec.h"

// ---- codec_arena.c: bounded bump memory, emptied by each decode
void wire_arena_reset(struct wire_arena *a);
void *wire_arena_alloc(struct wire_arena *a, size_t bytes); // NULL when exhausted
bool wire_arena_exhausted(const struct wire_arena *a);
// How many bytes were asked for at p; 0 when p is not of this arena.
size_t wire_arena_size_of(const struct wire_arena *a, const void *p);

// ---- codec_decode.c: pieces
struct wire_decoder {
    struct wire_arena *arena;
    struct diag *diag;
};
struct ProtobufCBinaryData;
enum err wire_take_text(const struct wire_decoder *d, const char *field, const char *from,
                        const char **out) MUST_USE;
enum err wire_take_bytes(const struct wire_decoder *d, const char *field, struct ProtobufCBinaryData from,
                         void *out, size_t len) MUST_USE;

// ---- codec_kept.c: the messages that are in the ledger only, both ways, and their rules
struct Esep__V1__Rollup;
struct Esep__V1__Seal;
struct Esep__V1__Release;
enum err wire_take_rollup(const struct wire_decoder *d, const struct Esep__V1__Rollup *from,
                          struct wire_rollup *out) MUST_USE;
enum err wire_take_seal(const struct wire_decoder *d, const struct Esep__V1__Seal *from,
                        struct wire_seal *out) MUST_USE;
enum err wire_take_release(const struct wire_decoder *d, const struct Esep__V1__Release *from,
                           struct wire_release *out) MUST_USE;
enum err wire_check_kept(const struct wire_message *m, struct diag *d) MUST_USE;
enum err wire_encode_kept_body(const struct wire_message *m, struct buf *out) MUST_USE;

// ---- codec_identity.c: enrolment and rotation
struct Esep__V1__Enrol;
struct Esep__V1__Enrolled;
struct Esep__V1__Rotate;
struct Esep__V1__Rotated;
enum err wire_take_enrol(const struct wire_decoder *d, const struct Esep__V1__Enrol *from,
                         struct wire_enrol *out) MUST_USE;
enum err wire_take_enrolled(const struct wire_decoder *d, const struct Esep__V1__Enrolled *from,
                            struct wire_enrolled *out) MUST_USE;
enum err wire_take_rotate(const struct wire_decoder *d, const struct Esep__V1__Rotate *from,
                          struct wire_rotate *out) MUST_USE;
enum err wire_take_rotated(const struct wire_decoder *d, const struct Esep__V1__Rotated *from,
                           struct wire_rotate *out) MUST_USE;
enum err wire_encode_identity(const struct wire_message *m, struct buf *out) MUST_USE;

// ---- codec_owed.c: what a resident owes, both ways
struct Esep__V1__Obligations;
enum err wire_take_obligations(const struct wire_decoder *d, const struct Esep__V1__Obligations *from,
                               struct wire_obligations *out) MUST_USE;
enum err wire_encode_obligations(const struct wire_obligations *o, struct buf *out) MUST_USE;

// ---- codec_check.c: what holds for every message, whichever way it goes. A batch's samples are checked by
// the codec's loops, everything else here.
enum err wire_check(const struct wire_message *m, struct diag *d) MUST_USE;
enum err wire_check_note(const struct wire_note *n, struct diag *d) MUST_USE;
enum err wire_check_author(const char *field, const char *author, struct diag *d) MUST_USE;
enum err wire_check_reason(const char *field, const char *reason, struct diag *d) MUST_USE;
// Bounds (inclusive) of a sample's time: years 1 to 9999 in the class's unit.
void wire_time_bounds(enum wire_class c, int64_t *lowest, int64_t *highest);

// ---- codec_columns.c: a batch's columns as they go onto the wire
struct wire_cell { // one sample, ready to be appended
    uint32_t tag;
    int64_t time; // difference
    struct figure value;
};
struct wire_columns {
    void *memory;
    uint32_t *tag;
    int64_t *time, *integer;
    double *real;
    size_t count, integers, reals, max;
    int64_t last_time;
};
enum err wire_columns_init(struct wire_columns *c, size_t max_samples) MUST_USE;
void wire_columns_deinit(struct wire_columns *c);
void wire_columns_reset(struct wire_columns *c);
// INVALID: a series number, time or value that the wire can't carry. Changes nothing in c.
enum err wire_columns_cell(const struct wire_columns *c, enum wire_class class, const struct wire_sample *s,
                           struct wire_cell *out) MUST_USE;
void wire_columns_put(struct wire_columns *c, const struct wire_cell *cell);
size_t wire_cell_bytes(const struct wire_cell *cell);
size_t wire_varint_bytes(uint64_t v);

// ---- codec_encode.c
struct Esep__V1__Envelope;
struct Esep__V1__Batch;
struct Esep__V1__Note;
void wire_note_fill(const struct wire_note *n, struct Esep__V1__Note *out); // borrows the texts
void wire_batch_fill(struct wire_columns *c, struct Esep__V1__Batch *out);  // borrows the columns
enum err wire_pack(const struct Esep__V1__Envelope *e, size_t max_bytes, struct buf *out) MUST_USE;
enum err wire_pack_body(enum wire_type type, void *body, size_t max_bytes, struct buf *out) MUST_USE;

#endif
