// A projection of the ledger in observations.sqlite: every revision of every report, the latest figure of
// every series, and where each stream's measurements of a day are in the ledger. It can be deleted: the
// observer builds it again.
#ifndef ESEP_STORE_OBSERVATIONS_H
#define ESEP_STORE_OBSERVATIONS_H

#include "store/reader.h"

#define OBSERVATIONS_FILE "observations.sqlite"

// ---- writer: the observer's thread
// -----------------------------------------------------------------------------------
struct observations;
enum err observations_open(const char *state, struct observations **out, struct diag *d) MUST_USE;
void observations_close(struct observations *o);
uint64_t observations_cursor(const struct observations *o);
uint64_t
observations_repeats(const struct observations *o); // reports equal to the revision before, by either date
// The file was damaged, or of another version, and was made anew at open: worth a line in the log.
bool observations_renewed(const struct observations *o);
// Reads at most max_rows ledger rows after the cursor and commits what follows from them with the new cursor,
// in one transaction. *rows: how many were read (0: up to date). When the ledger is not the one the cursor
// was made on (restored, replaced) it starts over by itself. CORRUPT: a row does not decode; AGAIN.
enum err observations_advance(struct observations *o, struct reader *r, size_t max_rows, size_t *rows,
                              struct diag *d) MUST_USE;
// From now on told of each series in which an advance finds a new revision of a report, before that is
// committed (and once more when it has to be done again). NULL: nobody.
struct observations_change { // texts are borrowed during the call
    const struct ledger_series *series;
    int32_t period_start;
    uint32_t revision;          // 1: the first
    const char *author, *after; // who says so, and of the revision before: "" an agent's key alone, or none
    int64_t key_id, received_us;
};
typedef void (*observations_revised)(void *ctx, const struct observations_change *c);
void observations_watch(struct observations *o, observations_revised revised, void *ctx);
// Forgets everything; the next advance starts at the beginning.
enum err observations_reset(struct observations *o, struct diag *d) MUST_USE;

// ---- readers: any process
// -------------------------------------------------------------------------------------------
struct observations_reader;
struct zone;
enum err observations_reader_open(const char *state, struct observations_reader **out,
                                  struct diag *d) MUST_USE;
void observations_reader_close(struct observations_reader *o);
// 0 while the file speaks of another ledger or of another history of it (it was restored from an older copy):
// the writer will read everything anew. Whoever decides by what the file lacks asks this one.
enum err observations_reader_covered(struct observations_reader *o, struct reader *r, uint64_t *position,
                                     struct diag *d) MUST_USE;
enum err observations_reader_cursor(struct observations_reader *o, uint64_t *position,
                                    struct diag *d) MUST_USE;

struct observation {
    int64_t series_id;
    int32_t period_start; // civil day number
    uint32_t revision;    // 1 is the first
    struct figure value;
    char currency[WIRE_CURRENCY_LEN + 1];
    enum wire_status status;
    bool confidential;
    const char *reason, *author; // borrowed during the visit
    int64_t received_us, published_us;
    int64_t key_id; // whose row it came in
    uint64_t position;
};
// What may be added to others of its series or drawn with them: missing when it is of another currency than
// the series (currency), or has no value.
struct figure observation_own_value(const struct observation *o, const char *currency);
typedef enum err (*observation_visit)(void *ctx, const struct observation *o);
struct observation_query {
    int64_t series_id;
    int32_t from, to;   // civil days of period starts, from ≤ start < to
    bool all_revisions; // else the one known then
    bool by_published;  // as_of is a published moment, not a received one
    int64_t as_of_us;   // 0: now
    uint64_t *read;     // out: rows of the ledger up to here are in what is visited; NULL: nobody asks
};
// By period, then revision.
enum err observations_query(struct observations_reader *o, const struct observation_query *q,
                            observation_visit visit, void *ctx, struct diag *d) MUST_USE;

struct latest {
    int64_t series_id;
    int64_t time; // as in wire_sample
    struct figure value;
    int64_t received_us;
    uint64_t position;
};
enum err observations_latest(struct observations_reader *o, int64_t series_id, struct latest *out,
                             struct diag *d) MUST_USE; // NOT_FOUND
// Whether any revision of any of its reports is confidential.
enum err observations_confidential(struct observations_reader *o, int64_t series_id, bool *out,
                                   struct diag *d) MUST_USE;
// The civil day (UTC) a series begins: of a report its first period's start, of a measurement the first day
// its streams measured anything. NOT_FOUND: no figure yet.
enum err observations_first_day(struct observations_reader *o, struct reader *r,
                                const struct ledger_series *s, int32_t *day, struct diag *d) MUST_USE;
// The same of a measurement's own first known figure, by the zone's days (NULL: UTC). Cost: two look-ups;
// while its first day has no total yet, some hours of points.
enum err observations_first_local_day(struct observations_reader *o, struct reader *r,
                                      const struct ledger_series *s, const struct zone *zone, int32_t *day,
                                      struct diag *d) MUST_USE;

// ---- exact measurements, from the ledger: raw, and where raw is gone from its roll-ups
// ------------------------------------------------------------------------------
struct point {
    int64_t time;
    struct figure value; // missing: an explicit unknown
    // NULL: a raw figure. Else an hour's (or quarter's) cell that ends at `time`: value is its sum or its
    // last, as the roll-up says. Borrowed during the visit.
    const struct wire_rollup_cell *cell;
    uint32_t span_s;     // what it is for: the series' step, or the cell
    uint64_t position;   // of the row it came with, 0 of a cell
    int64_t received_us; // of that row; of a cell: when its month was rolled up
};
typedef enum err (*point_visit)(void *ctx, const struct point *p);
// The points of a measured series with from < time ≤ to in rising time, for each time the last in ledger
// order; times without a sample are not visited. TOO_BIG past max_points.
enum err points_read(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                     int64_t from, int64_t to, size_t max_points, point_visit visit, void *ctx,
                     struct diag *d) MUST_USE;
// Of what was received by as_of_us (0: now). Cells are visited whenever they were made.
enum err points_read_as_of(struct observations_reader *o, struct reader *r, const struct ledger_series *s,
                           int64_t from, int64_t to, int64_t as_of_us, size_t max_points, point_visit visit,
                           void *ctx, struct diag *d) MUST_USE;

typedef enum err (*point_of_visit)(void *ctx, const struct ledger_series *s, const struct point *p);
// The same of several series of rising number, one after the other. Each row is read once, so series of one
// agent belong together. TOO_BIG past max_points of all of them.
enum err points_read_many(struct observations_reader *o, struct reader *r,
                          const struct ledger_series *const *series, size_t count, int64_t from, int64_t to,
                          size_t max_points, point_of_visit visit, void *ctx, struct diag *d) MUST_USE;
// Raw points of several measured series at once, whatever has been rolled up: what roll-ups are made of. As
// above.
enum err points_read_raw(struct observations_reader *o, struct reader *r,
                         const struct ledger_series *const *series, size_t count, int64_t from, int64_t to,
                         point_of_visit visit, void *ctx, struct diag *d) MUST_USE;

#endif
