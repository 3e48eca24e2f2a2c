// A state folder with a ledger in it, and batches put in as a collector would: for tests of what is stored
// and read back.
#ifndef ESEP_TESTS_SUPPORT_STORE_FIXTURE_H
#define ESEP_TESTS_SUPPORT_STORE_FIXTURE_H

#include "base/buf.h"
#include "base/clock.h"
#include "store/ledger.h"
#include "wire/codec.h"

#define STORE_PATH  512
#define STORE_EPOCH INT64_C(1772366400) // 2026-03-01T12:00:00Z, in seconds

struct store {
    char folder[STORE_PATH]; // a new one under TMPDIR
    struct fake_clock clock;
    struct ledger *ledger;
    struct wire_builder *builder;
    struct buf body;
    struct diag diag;
};

struct store_stream {
    int64_t stream_id, key_id, agent_id;
    struct wire_incarnation incarnation;
    uint64_t sequence; // last one appended
};

// Everything here fails the test when it does not work.
void store_create(struct store *s);
void store_destroy(struct store *s); // with the folder
void store_reopen(struct store *s);
void store_path(const struct store *s, const char *name, char out[STORE_PATH]);
void store_copy(const struct store *s, const char *to_folder); // every file as it is now
// Each of those in the place of its namesake; who has that open goes on with the old one.
void store_restore(const struct store *s, const char *from_folder);

// An agent with a key made of `seed`, and its first stream, whose incarnation is made of it too.
struct store_stream store_agent(struct store *s, const char *resident, uint8_t seed);
// Declares the next number in a transaction of its own, or in the open one.
int64_t store_declare(struct store *s, const struct store_stream *stream, uint32_t number, const char *name,
                      enum wire_class class, uint32_t step_s, uint32_t period);
struct ledger_series store_series(const char *name, enum wire_class class, uint32_t step_s, uint32_t period);

void store_begin(struct store *s);
void store_commit(struct store *s);
// A batch of these samples as the stream's next row; indexes in refused (may be NULL) are refused by the
// verdict.
struct wire_receipt store_append(struct store *s, struct store_stream *stream, enum wire_class class,
                                 const struct wire_sample *samples, const struct wire_note *notes,
                                 size_t count, const struct wire_refusal *refused, size_t refused_count);
// One sample, alone in its batch and transaction.
struct wire_receipt store_one(struct store *s, struct store_stream *stream, enum wire_class class,
                              uint32_t number, int64_t time, struct figure value);
struct wire_receipt store_gap(struct store *s, struct store_stream *stream, uint64_t last, uint32_t samples);

struct figure store_integer(int64_t v);
struct figure store_real(double v);

void store_temp_folder(char path[STORE_PATH]);
void store_remove_folder(const char *path);

#endif
