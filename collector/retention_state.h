// What the parts of the retention share: retention.c decides what is next and closes months,
// retention_rollup.c makes roll-ups, retention_drop.c drops rows, retention_late.c finds those that came
// late.
#ifndef ESEP_COLLECTOR_RETENTION_STATE_H
#define ESEP_COLLECTOR_RETENTION_STATE_H

#include "collector/retention.h"
#include "store/observations_spans.h"
#include "store/reader_keep.h"

#define DAY_S 86400

struct retention_run { // of a stream's sequences
    int64_t stream_id;
    uint64_t first, last;
};
struct retention_runs {
    struct retention_run *at;
    size_t count, capacity, next;
};

struct retention {
    struct retention_options o;
    struct ledger_kept kept; // as of this step
    struct mono looked_at;   // for a month to close
    bool looked;

    // Rolling up: every measured series, by agent; which ones of which month are done.
    const struct ledger_series **series;
    size_t series_count, series_capacity, series_at;
    bool listed;
    int64_t month_s; // 0: not begun

    // Dropping.
    uint64_t scanned; // rows up to here have been looked at by their age
    bool scanned_all;
    uint64_t *late; // positions of rows that came late, rising: some of them
    size_t late_count, late_capacity, late_at;
    struct retention_runs late_runs; // those after `next` have not been looked into
    bool late_begun;
};

// Each: *did as in retention_step.
enum err retention_roll(struct retention *r, bool *did, struct diag *d) MUST_USE;
enum err retention_drop(struct retention *r, bool *did, struct diag *d) MUST_USE;
// Lists the next rows that came late; *all: there are none left.
enum err retention_list_late(struct retention *r, bool *all, struct diag *d) MUST_USE;
void retention_late_forget(struct retention *r);
// Where figures of before that moment (an end of a day) lie. *out keeps its memory; its owner frees `at`.
enum err retention_runs_before(struct retention *r, int64_t end_s, struct retention_runs *out,
                               struct diag *d) MUST_USE;
// Submits a seal that says how far. NOMEM, or what submit returns.
enum err retention_until(struct retention *r, const struct ledger_kept *until, struct diag *d) MUST_USE;

#endif
