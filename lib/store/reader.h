// Reading the ledger, from any process: rows as they are, or as the accepted samples in them. A reader
// belongs to one thread; each call is one short read transaction, so the writer's WAL can be checkpointed.
#ifndef ESEP_STORE_READER_H
#define ESEP_STORE_READER_H

#include "store/ledger_identity.h"

struct reader;
// NOT_FOUND until a collector has made the ledger.
enum err reader_open(const char *state, struct reader **out, struct diag *d) MUST_USE;
void reader_close(struct reader *r);

// The last committed position and its received time; 0, 0 when empty.
enum err reader_head(struct reader *r, uint64_t *position, int64_t *received_us, struct diag *d) MUST_USE;

struct reader_row { // borrowed during the visit
    uint64_t position;
    enum wire_class class;
    enum ledger_kind kind;
    bool gap; // kind is LEDGER_GAP
    int64_t stream_id, agent_id, key_id;
    uint64_t sequence, last_sequence;
    int64_t received_us;
    uint32_t samples, refused;
    const void *body, *verdict, *chain;
    size_t body_len, verdict_len;
};
typedef enum err (*reader_row_visit)(void *ctx,
                                     const struct reader_row *row); // anything but OK stops, and is returned
// Rows with position > after, in order, at most max_rows; *last is the last one visited (after, when none).
enum err reader_rows(struct reader *r, uint64_t after, size_t max_rows, reader_row_visit visit, void *ctx,
                     uint64_t *last, struct diag *d) MUST_USE;
// One stream's rows with first ≤ sequence ≤ last.
enum err reader_stream_rows(struct reader *r, int64_t stream_id, uint64_t first, uint64_t last,
                            reader_row_visit visit, void *ctx, struct diag *d) MUST_USE;

struct reader_sample { // an accepted sample; borrowed during the visit
    const struct ledger_series *series;
    int64_t time; // as in wire_sample
    struct figure value;
    const struct wire_note *note; // NULL: none
    int64_t received_us;
    uint64_t position;
    uint32_t index;
};
// The value on its series' own line: missing when the note says that the amount is of another currency.
struct figure reader_own_value(const struct reader_sample *s);
typedef enum err (*reader_sample_visit)(void *ctx, const struct reader_sample *s);
// The accepted samples of a row by its stored verdict, in order; of a release those that it lets in, with its
// position and time. None of any other row. CORRUPT when the body does not decode.
enum err reader_samples(struct reader *r, const struct reader_row *row, reader_sample_visit visit, void *ctx,
                        struct diag *d) MUST_USE;

// Series. *out is borrowed until the reader closes; cached.
enum err reader_series(struct reader *r, int64_t series_id, const struct ledger_series **out,
                       struct diag *d) MUST_USE;
enum err reader_series_by_name(struct reader *r, const char *name, const struct ledger_series **out,
                               struct diag *d) MUST_USE;
typedef enum err (*reader_series_visit)(void *ctx, const struct ledger_series *s);
// Those whose name starts with prefix ("" for all), by name.
enum err reader_series_list(struct reader *r, const char *prefix, reader_series_visit visit, void *ctx,
                            struct diag *d) MUST_USE;

struct reader_stream {
    struct ledger_stream stream;
    char resident[128];
    int64_t first_received_us, last_received_us;
};
typedef enum err (*reader_stream_visit)(void *ctx, const struct reader_stream *s);
enum err reader_streams(struct reader *r, reader_stream_visit visit, void *ctx, struct diag *d) MUST_USE;
typedef enum err (*reader_counter_visit)(void *ctx, const char *name, int64_t agent_id, uint64_t value);
enum err reader_counters(struct reader *r, reader_counter_visit visit, void *ctx, struct diag *d) MUST_USE;
enum err reader_invites(struct reader *r, ledger_invite_visit visit, void *ctx, struct diag *d) MUST_USE;
enum err reader_agents(struct reader *r, ledger_agent_visit visit, void *ctx, struct diag *d) MUST_USE;

// Walks every chain from its start (over seals where rows were dropped), checks each hash, the sequence of
// each stream, the indexes, and what is kept beside the rows (watermarks, chains' ends, ledger.head). damaged
// counts the ranges handed to visit (agent, first and last sequence, received times in text form).
typedef void (*reader_damage_visit)(void *ctx, const char *text);
struct reader_verified {
    uint64_t rows, damaged;
    uint64_t rollups, seals, sealed_rows, releases; // sealed_rows: dropped, and accounted for by a seal
    struct {
        uint64_t rows, position;
        uint8_t head[HASH_BYTES];
    } class[5]; // by enum wire_class; 0: the declares, which say what the numbers in the rows mean; 4: the
                // audit log
};
// AGAIN: retention dropped rows under the walk, several times; nothing is wrong, try later.
enum err reader_verify(struct reader *r, reader_damage_visit visit, void *ctx, struct reader_verified *out,
                       struct diag *d) MUST_USE;
// The same, telling how far it has come of how many positions, several times a second.
typedef void (*reader_progress)(void *ctx, uint64_t position, uint64_t last);
enum err reader_verify_watched(struct reader *r, reader_damage_visit visit, reader_progress progress,
                               void *ctx, struct reader_verified *out, struct diag *d) MUST_USE;

#endif
