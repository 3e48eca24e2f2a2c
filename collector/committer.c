// Everything that arrived while the last commit was syncing goes into the next one, so the cost of a sync is
// shared by as many batches as there is load. Outcomes are set inside the transaction and become true with
// its commit; a rollback forgets them and the same items are judged again.
#include "base/log.h"
#include "collector/committer_state.h"
#include "collector/identity.h"
#include "collector/release.h"
#include "collector/retain.h"
#include "store/reader.h"
#include <stdlib.h>
#include <string.h>

static enum err load_counter(void *ctx, const char *name, int64_t agent_id, uint64_t value)
{
    struct counters *c = ctx;
    enum collector_counter id;
    (void)agent_id;
    if (collector_counter_find(name, &id) == ERR_OK)
        collector_count(c, id, value);
    return ERR_OK;
}

static enum err open_desk(struct committer *c, struct diag *d)
{
    const struct desk_options o = {.ledger = c->o.ledger,
                                   .reader = c->o.reader,
                                   .catalogue = c->o.catalogue,
                                   .clock = c->o.clock,
                                   .counters = c->o.counters,
                                   .quotas = c->o.quotas,
                                   .parks = c->o.parks};
    return desk_create(&o, &c->desk, d);
}

enum err committer_create(const struct committer_options *o, struct committer **out, struct diag *d)
{
    struct committer *c = calloc(1, sizeof *c);
    if (!c)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    c->o = *o;
    buf_init(&c->verdict, WIRE_MESSAGE_MAX_BYTES);
    c->refusals = calloc(WIRE_SAMPLES_MAX, sizeof *c->refusals);
    enum err e = c->refusals ? ERR_OK : ERR_NOMEM;
    if (e == ERR_OK)
        e = streams_create(COMMITTER_GROUP_MAX, &c->streams);
    if (e == ERR_OK)
        e = wire_arena_create(&c->arena);
    if (e == ERR_OK && o->reader)
        e = reader_counters(o->reader, load_counter, o->counters, d);
    if (e == ERR_OK && o->reader)
        e = rates_desk_create(o->ledger, o->reader, o->counters, &c->rates, d);
    if (e == ERR_OK && o->reader)
        e = open_desk(c, d);
    c->guard = (struct clock_guard){.ledger = o->ledger, .clock = o->clock, .counters = o->counters};
    if (e == ERR_OK)
        e = clock_guard_init(&c->guard, o->reader, d);
    if (e != ERR_OK) {
        committer_destroy(c);
        return e;
    }
    *out = c;
    return ERR_OK;
}

void committer_destroy(struct committer *c)
{
    if (!c)
        return;
    rates_desk_destroy(c->rates);
    desk_destroy(c->desk);
    streams_destroy(c->streams);
    wire_arena_destroy(c->arena);
    claims_clear(&c->claims);
    buf_deinit(&c->verdict);
    free(c->refusals);
    free(c->kpi_of);
    free(c);
}

// ---- the transaction ----------------------------------------------------------------------------
static const struct wire_incarnation *incarnation_of(const struct wire_message *w)
{
    switch (w->type) {
    case WIRE_HELLO:
        return &w->hello.incarnation;
    case WIRE_DECLARE:
        return &w->declare.incarnation;
    case WIRE_GAP:
        return &w->gap.incarnation;
    case WIRE_BATCH:
        return &w->batch.incarnation;
    default:
        return NULL;
    }
}

static enum err take(struct committer *c, struct item **items, size_t at, struct diag *d)
{
    struct item_message *m = &items[at]->message;
    struct wire_message w;
    struct stream *s;
    if (c->o.admission && !admission_holds(c->o.admission, &m->who)) {
        collector_count(c->o.counters, COUNTER_MESSAGES_REVOKED, 1);
        outcome_refuse(m, WIRE_REFUSE_REVOKED, "this key is not admitted (any more)");
        return ERR_OK;
    }
    if (m->type == WIRE_ROTATE)
        return ERR_OK; // a transaction of its own, behind this one
    enum err e = wire_decode(c->arena, m->bytes, m->len, &w, d);
    if (e == ERR_NOMEM)
        return e;
    const struct wire_incarnation *i = e == ERR_OK ? incarnation_of(&w) : NULL;
    if (!i)
        return diag_fail(d, ERR_INTERNAL, "a message that ingest let through does not decode");
    if ((e = streams_open(c->streams, c->o.ledger, m->who.agent_id, i, &s, d)) != ERR_OK)
        return e;
    switch (w.type) {
    case WIRE_HELLO:
        return sequence_hello(c, s, m, &w.hello, d);
    case WIRE_DECLARE:
        return sequence_declare(c, s, m, &w.declare);
    case WIRE_GAP:
        return sequence_gap(c, s, items, at, &w.gap, d);
    default:
        return sequence_batch(c, s, items, at, &w.batch, d);
    }
}

static enum err take_all(struct committer *c, struct item **items, size_t count, struct diag *d)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i]->message.outcome.durable)
            continue;
        enum err e = take(c, items, i, d);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

// What is accepted is never much newer than its row: retention drops rows by their age. So a clock that was
// set forward meanwhile begins the group anew.
static enum err check_clock(const struct committer *c, int64_t received_us, struct diag *d)
{
    int64_t ahead_us = clock_wall(c->o.clock).us - received_us;
    return ahead_us <= WIRE_FUTURE_MAX_S * US_PER_S
               ? ERR_OK
               : diag_fail(d, ERR_AGAIN, "the clock was set forward by %lld s in a transaction",
                           (long long)(ahead_us / US_PER_S));
}

static enum err run_group(struct committer *c, struct item **items, size_t count, struct diag *d)
{
    int64_t received_us;
    enum err e = ledger_begin(c->o.ledger, &received_us, d);
    if (e != ERR_OK)
        return e;
    streams_begin(c->streams);
    if ((e = take_all(c, items, count, d)) != ERR_OK || (e = check_clock(c, received_us, d)) != ERR_OK ||
        (e = streams_store_counts(c->streams, c->o.ledger)) != ERR_OK ||
        (e = ledger_commit(c->o.ledger, d)) != ERR_OK) {
        ledger_rollback(c->o.ledger);
        for (size_t i = 0; i < count; i++) {
            if (!items[i]->message.outcome.durable)
                outcome_reset(&items[i]->message.outcome);
        }
        return e;
    }
    for (size_t i = 0; i < count; i++)
        items[i]->message.outcome.durable = true;
    streams_publish_counts(c->streams, c->o.counters);
    collector_count(c->o.counters, COUNTER_COMMITS, 1);
    return ERR_OK;
}

static bool is_for_the_caller(enum err e)
{
    return e == ERR_OK || e == ERR_FULL || e == ERR_IO || e == ERR_CORRUPT || e == ERR_NOMEM;
}

static enum err run_singly(struct committer *c, struct item **items, size_t count, struct diag *d)
{
    for (size_t i = 0; i < count; i++) {
        struct item_message *m = &items[i]->message;
        enum err e = m->outcome.durable ? ERR_OK : run_group(c, &items[i], 1, d);
        if (!is_for_the_caller(e)) {
            collector_count(c->o.counters, COUNTER_COMMIT_ERRORS, 1);
            log_error("commit_error", F_TEXT("resident", m->who.resident),
                      F_TEXT("type", wire_type_name(m->type)), F_TEXT("error", err_name(e)),
                      F_TEXT("reason", d->text));
            outcome_refuse(m, WIRE_REFUSE_UNAVAILABLE, "the collector can't store this message");
            m->outcome.durable = true;
        } else if (e != ERR_OK) {
            return e;
        }
    }
    return ERR_OK;
}

enum err committer_run(struct committer *c, struct item **items, size_t count, struct diag *d)
{
    (void)clock_guard_look(&c->guard);
    enum err e = desk_catch_up(c->desk, d); // no item's fault
    if (e != ERR_OK)
        return e;
    claims_clear(&c->claims);
    e = run_group(c, items, count, d);
    if (!is_for_the_caller(e)) {
        claims_clear(&c->claims); // rolled back
        e = run_singly(c, items, count, d);
    }
    return e == ERR_OK ? identity_follow(c, items, count, d) : e;
}

bool committer_clock_behind(struct committer *c)
{
    return clock_guard_look(&c->guard);
}

static enum err not_now(const struct committer *c, struct diag *d)
{
    return diag_fail(
        d, ERR_AGAIN,
        "the collector's clock is %lld s behind its last row: nothing is taken in until it is right, or "
        "confirmed (esep-collector clock --confirm)",
        (long long)c->guard.behind_s);
}

static enum err take_report(struct committer *c, struct item_admin *a)
{
    if (clock_guard_look(&c->guard))
        return not_now(c, &a->diag);
    return c->desk ? desk_take_report(c->desk, &a->report, &a->diag)
                   : diag_fail(&a->diag, ERR_INTERNAL, "reports need a reader");
}

static enum err take_closing(struct committer *c, struct item_admin *a)
{
    if (clock_guard_look(&c->guard))
        return not_now(c, &a->diag);
    return c->desk ? desk_take_closing(c->desk, &a->closing, &a->diag)
                   : diag_fail(&a->diag, ERR_INTERNAL, "closings need a reader");
}

enum err committer_admin(struct committer *c, struct item *item)
{
    struct item_admin *a = item->admin;
    switch (item->kind) {
    case ITEM_RELEASE:
        a->result = committer_release(c, &a->release, &a->diag);
        break;
    case ITEM_AUDIT:
        a->result = audit_store(c->o.ledger, &a->audit, 1, &a->diag);
        collector_count(c->o.counters, COUNTER_AUDIT_ENTRIES, a->result == ERR_OK ? 1 : 0);
        break;
    case ITEM_RATES:
        a->result = c->rates ? rates_desk_take(c->rates, &a->rates, &a->diag)
                             : diag_fail(&a->diag, ERR_INTERNAL, "rates need a reader");
        break;
    case ITEM_REPORT:
        a->result = take_report(c, a);
        break;
    case ITEM_CLOSE:
        a->result = take_closing(c, a);
        break;
    case ITEM_CLOCK:
        a->result = clock_guard_confirm(&c->guard, &a->confirmation, &a->diag);
        break;
    case ITEM_RETAIN:
        a->result = committer_retain(c, a->job, &a->diag);
        break;
    default:
        identity_change(c, item);
        return a->result == ERR_IO || a->result == ERR_CORRUPT ? a->result : ERR_OK;
    }
    // A damaged old row is no reason to stop receiving: verify names it.
    return a->result == ERR_IO ? a->result : ERR_OK;
}

enum err committer_audit(struct committer *c, bool all, struct diag *d)
{
    struct audit_entry *due = c->o.tally ? calloc(AUDIT_TALLY_TAKE_MAX, sizeof *due) : NULL;
    enum err e = ERR_OK;
    size_t n;
    if (!due)
        return c->o.tally ? diag_fail(d, ERR_NOMEM, "out of memory") : ERR_OK;
    while (e == ERR_OK && (n = audit_tally_take(c->o.tally, all, due)) > 0) {
        e = audit_store(c->o.ledger, due, n, d);
        audit_tally_taken(c->o.tally, e == ERR_OK);
        collector_count(c->o.counters, COUNTER_AUDIT_ENTRIES, e == ERR_OK ? n : 0);
    }
    free(due);
    return e;
}
