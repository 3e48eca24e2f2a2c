// Counted in the transaction of what is counted, as everything that is durable.
#include "collector/retain.h"
#include "collector/committer_state.h"
#include <stdlib.h>

struct retain_job *retain_job_create(enum retain_kind kind)
{
    struct retain_job *j = calloc(1, sizeof *j);
    if (j)
        j->kind = kind;
    return j;
}

void retain_job_destroy(struct retain_job *j)
{
    if (!j)
        return;
    for (size_t i = 0; i < j->rollup_count; i++)
        rollup_maker_destroy(j->rollups[i]);
    free(j);
}

struct retained { // by one transaction
    uint64_t rollups, months, rows, samples;
};

static enum err add_rollups(struct ledger *l, struct retain_job *j, struct retained *n, struct diag *d)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < j->rollup_count; i++) {
        struct wire_rollup r;
        rollup_maker_finish(j->rollups[i], &r);
        if (r.count == 0)
            continue;
        e = ledger_add_rollup(l, &r, d);
        n->rollups += e == ERR_OK ? 1 : 0;
        if (e == ERR_EXISTS)
            e = ERR_OK;
    }
    return e;
}

static enum err run_job(struct ledger *l, struct retain_job *j, struct retained *n, struct diag *d)
{
    const int64_t rolled_s = ledger_kept(l).rolled_until_s;
    enum err e = ERR_OK;
    switch (j->kind) {
    case RETAIN_UNTIL:
        n->months = j->until.rolled_until_s > rolled_s ? 1 : 0;
        return ledger_keep_until(l, &j->until, d);
    case RETAIN_ROLLUPS:
        return add_rollups(l, j, n, d);
    case RETAIN_DROP:
        e = ledger_drop(l, j->runs, j->run_count, &j->dropped, d);
        n->rows = e == ERR_OK ? j->dropped.rows : 0;
        n->samples = e == ERR_OK ? j->dropped.accepted + j->dropped.quarantined : 0;
        return e;
    }
    return ERR_INTERNAL;
}

static enum err append_entry(struct ledger *l, const struct ledger_kept *until, struct diag *d)
{
    struct audit_entry entry;
    char closed[WALL_TEXT], rolled[WALL_TEXT], dropped[WALL_TEXT];
    wall_text((struct wall){until->closed_until_s * US_PER_S}, closed);
    wall_text((struct wall){until->rolled_until_s * US_PER_S}, rolled);
    wall_text((struct wall){until->dropped_until_s * US_PER_S}, dropped);
    audit_entry_set(&entry, AUDIT_RETENTION, AUDIT_DONE, "system", "",
                    "closed until %s, rolled up until %s, dropped until %s", closed,
                    until->rolled_until_s ? rolled : "never", until->dropped_until_s ? dropped : "never");
    return audit_append(l, &entry, d);
}

static const enum collector_counter counted[] = {COUNTER_ROLLUPS_STORED, COUNTER_MONTHS_ROLLED,
                                                 COUNTER_BATCHES_DROPPED, COUNTER_SAMPLES_DROPPED};

enum err committer_retain(struct committer *c, struct retain_job *j, struct diag *d)
{
    struct retained n = {0};
    int64_t received_us;
    enum err e = ledger_begin(c->o.ledger, &received_us, d);
    if (e != ERR_OK)
        return e;
    e = run_job(c->o.ledger, j, &n, d);
    const uint64_t values[] = {n.rollups, n.months, n.rows, n.samples};
    for (size_t i = 0; e == ERR_OK && i < sizeof values / sizeof *values; i++)
        if (values[i])
            e = ledger_count(c->o.ledger, collector_counter_info(counted[i])->name, 0, values[i]);
    if (e == ERR_OK && j->kind == RETAIN_UNTIL)
        e = append_entry(c->o.ledger, &j->until, d);
    if (e == ERR_OK)
        e = ledger_commit(c->o.ledger, d);
    if (e != ERR_OK) {
        ledger_rollback(c->o.ledger);
        return e;
    }
    if (j->kind == RETAIN_DROP) // each leaves a seal that names its rows; here their number is enough
        audit_tally_note(c->o.tally, AUDIT_RETENTION, AUDIT_DONE, "system", "", 1,
                         "raw batches were dropped under a seal each time");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        collector_count(c->o.counters, counted[i], values[i]);
    return ERR_OK;
}
