// The operator may overrule what was a judgement (bounds, notes, quotas, closed periods), never what would
// make the figure mean nothing: another class, a time off its step, in the future or in a month that has been
// rolled up.
#include "collector/release.h"
#include "base/log.h"
#include "collector/committer_state.h"
#include "collector/verdict.h"
#include "store/reader_keep.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct releasing {
    struct committer *c;
    struct release_request *r;
    struct diag *d;
    uint32_t *indexes; // WIRE_SAMPLES_MAX
    size_t count;
    int64_t agent_id;
    bool found;
};

static const char *why_held(const struct releasing *x, const struct reader_quarantined *q)
{
    if (!q->series)
        return "its series number was never declared";
    if (q->no_figure)
        return wire_reason_text(q->reason);
    enum wire_reason r = verdict_release(q->series, q->class, q->time, q->value, clock_wall(x->c->o.clock),
                                         ledger_kept(x->c->o.ledger).closed_until_s);
    return r == WIRE_REASON_NONE ? NULL : wire_reason_text(r);
}

static enum err take(void *ctx, const struct reader_quarantined *q)
{
    struct releasing *x = ctx;
    struct release_request *r = x->r;
    if (q->position != r->position || (r->index != RELEASE_ALL && r->index != (int64_t)q->index))
        return ERR_OK;
    x->found = true;
    x->agent_id = q->agent_id;
    if (q->released) {
        r->already++;
        return ERR_OK;
    }
    const char *held = why_held(x, q);
    if (!held && q->reason == WIRE_REASON_PERIOD_CLOSED && !r->reason[0])
        held = "its period is closed: --reason TEXT says why it is let in";
    if (!held) {
        x->indexes[x->count++] = q->index;
        return ERR_OK;
    }
    r->held++;
    return r->index == RELEASE_ALL
               ? ERR_OK
               : diag_fail(x->d, ERR_DENIED, "%" PRIu64 ":%" PRIu32 " can't be released: %s", q->position,
                           q->index, held);
}

static enum err choose(struct releasing *x)
{
    struct release_request *r = x->r;
    uint64_t last;
    if (r->position == 0 || r->position > INT64_MAX)
        return diag_fail(x->d, ERR_NOT_FOUND, "%" PRIu64 " is no position", r->position);
    enum err e = reader_quarantine(x->c->o.reader, r->position - 1, 1, take, x, &last, x->d);
    if (e == ERR_OK && !x->found)
        e = diag_fail(x->d, ERR_NOT_FOUND,
                      "nothing that was refused is held at position %" PRIu64
                      "; esep-collector quarantine lists what is",
                      r->position);
    return e;
}

static enum err count_moved(struct releasing *x)
{
    const struct {
        enum collector_counter id;
        uint64_t add; // modulo 2^64, as the counters are
    } moved[] = {{COUNTER_SAMPLES_RELEASED, x->count},
                 {COUNTER_SAMPLES_ACCEPTED, x->count},
                 {COUNTER_SAMPLES_QUARANTINED, 0 - (uint64_t)x->count}};
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
        enum err e = ledger_count(x->c->o.ledger, collector_counter_info(moved[i].id)->name, x->agent_id,
                                  moved[i].add);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static void publish(const struct releasing *x)
{
    struct counters *c = x->c->o.counters;
    x->r->released = x->count;
    collector_count(c, COUNTER_SAMPLES_RELEASED, x->count);
    collector_count(c, COUNTER_SAMPLES_ACCEPTED, x->count);
    collector_count(c, COUNTER_SAMPLES_QUARANTINED, 0 - (uint64_t)x->count);
    log_info("samples_released", F_INT("position", x->r->position), F_INT("samples", x->count),
             F_TEXT("author", x->r->author));
}

static void describe(const struct releasing *x, enum audit_outcome outcome, struct audit_entry *out)
{
    const struct release_request *r = x->r;
    char who[160], index[24] = "";
    snprintf(who, sizeof who, "%s%s", r->who[0] ? "" : "user:", r->who[0] ? r->who : r->author);
    if (r->index != RELEASE_ALL)
        snprintf(index, sizeof index, ":%" PRId64, r->index);
    audit_entry_set(out, AUDIT_RELEASE, outcome, who, "",
                    "position %" PRIu64 "%s, samples %zu, author %s%s%s", r->position, index, x->count,
                    r->author, r->reason[0] ? ", reason: " : "", r->reason);
}

static enum err append_entry(struct releasing *x)
{
    struct audit_entry entry;
    describe(x, AUDIT_DONE, &entry);
    return audit_append(x->c->o.ledger, &entry, x->d);
}

static enum err store_refusal(struct releasing *x, enum err why)
{
    struct audit_entry entry;
    struct diag d = {0};
    if (why != ERR_DENIED && why != ERR_NOT_FOUND && why != ERR_INVALID && why != ERR_EXISTS)
        return why;
    describe(x, AUDIT_REFUSED, &entry);
    size_t len = strlen(entry.detail);
    snprintf(entry.detail + len, sizeof entry.detail - len, ": %.300s", x->d->text);
    enum err e = audit_store(x->c->o.ledger, &entry, 1, &d);
    return e == ERR_OK ? why : diag_fail(x->d, e, "%s", d.text);
}

static enum err commit(struct releasing *x)
{
    struct ledger *l = x->c->o.ledger;
    struct wire_receipt receipt;
    int64_t received_us;
    enum err e = ledger_begin(l, &received_us, x->d);
    if (e != ERR_OK)
        return e;
    e = ledger_add_release(l, x->r->position, x->indexes, x->count, x->r->author, x->r->reason, &receipt,
                           x->d);
    if (e == ERR_OK)
        e = count_moved(x);
    if (e == ERR_OK)
        e = append_entry(x);
    if (e == ERR_OK)
        e = ledger_commit(l, x->d);
    if (e != ERR_OK)
        ledger_rollback(l);
    else
        publish(x);
    return e;
}

enum err committer_release(struct committer *c, struct release_request *r, struct diag *d)
{
    struct releasing x = {.c = c, .r = r, .d = d};
    if (!c->o.reader)
        return diag_fail(d, ERR_INTERNAL, "releases need a reader");
    r->released = r->already = r->held = 0;
    if (!(x.indexes = malloc(WIRE_SAMPLES_MAX * sizeof *x.indexes)))
        return diag_fail(d, ERR_NOMEM, "out of memory");
    enum err e = choose(&x);
    if (e == ERR_OK && x.count > 0)
        e = commit(&x);
    free(x.indexes);
    return store_refusal(&x, e);
}
