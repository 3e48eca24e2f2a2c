// What the retention asks of the committer, each one short ledger transaction.
#ifndef ESEP_COLLECTOR_RETAIN_H
#define ESEP_COLLECTOR_RETAIN_H

#include "store/ledger_keep.h"
#include "store/rollup.h"

#define RETAIN_ROLLUPS_MAX 64

enum retain_kind { RETAIN_UNTIL, RETAIN_ROLLUPS, RETAIN_DROP };

struct retain_job {
    enum retain_kind kind;
    struct ledger_kept until;                         // RETAIN_UNTIL
    struct rollup_maker *rollups[RETAIN_ROLLUPS_MAX]; // RETAIN_ROLLUPS; owned. Without cells: no row
    size_t rollup_count;
    struct ledger_run runs[WIRE_SEAL_RUNS]; // RETAIN_DROP
    size_t run_count;
    struct ledger_dropped dropped; // out
};

struct retain_job *retain_job_create(enum retain_kind kind); // NULL: no memory
void retain_job_destroy(struct retain_job *j);

struct committer;
// Commits it; a roll-up that is there already is passed over. After a failure nothing of it is in the ledger.
// AGAIN: not yet (ledger.head must move on first).
enum err committer_retain(struct committer *c, struct retain_job *j, struct diag *d) MUST_USE;

#endif
