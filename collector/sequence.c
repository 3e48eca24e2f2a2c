// The rules of sequences as esep.proto states them: the next one is stored, an earlier one is a repeat or a
// contradiction, a later one is dropped and the watermark acknowledged again. Each stored batch carries its
// verdict; nothing behind the ledger judges a sample again.
#include "base/log.h"
#include "collector/committer_state.h"
#include "collector/verdict.h"
#include "kpi/series.h"
#include "store/ledger_keep.h"
#include "store/reader_keep.h"
#include <stdlib.h>
#include <string.h>

enum { KPI_CACHE_MAX = 1 << 22 }; // series ids remembered; beyond them the catalogue is asked each time

// ---- outcomes -----------------------------------------------------------------------------------
void outcome_refuse(struct item_message *m, enum wire_refuse_reason reason, const char *text)
{
    m->outcome.kind = OUTCOME_REFUSE;
    m->outcome.refuse = reason;
    m->outcome.text = strdup(text);
}

// repeat: the message's own sequence when it was stored already. Each repeat is answered by itself: the agent
// waits for the word on this very message.
static void acknowledge(struct item **items, size_t at, struct stream *s, uint64_t repeat)
{
    struct item_message *m = &items[at]->message;
    m->outcome.kind = OUTCOME_ACK;
    m->outcome.sequence = s->state.last_sequence;
    m->outcome.repeat = repeat;
    m->outcome.receipt = s->state.receipt;
    if (s->last_ack) { // one acknowledgement speaks for all of the group's batches on a connection
        struct item_message *earlier = &items[s->last_ack - 1]->message;
        if (earlier->connection == m->connection && earlier->outcome.repeat == 0)
            earlier->outcome.kind = OUTCOME_QUIET;
    }
    s->last_ack = at + 1;
}

static void raise_alarm(struct committer *c, const char *event, const struct item_message *m, uint64_t said,
                        uint64_t stored)
{
    if (quiet_may_say(&c->alarms, c->o.clock))
        log_error(event, F_TEXT("resident", m->who.resident), F_INT("key_id", m->who.key_id),
                  F_INT("agent_says", said), F_INT("stored", stored));
}

// ---- Hello --------------------------------------------------------------------------------------
// The stream's own receipt is known even where the row has been dropped.
static bool receipt_holds(struct committer *c, const struct stream *s, const struct wire_receipt *receipt)
{
    struct reader_receipt_found found;
    const struct wire_receipt *own = &s->state.receipt;
    if (!c->o.reader || receipt->position == 0)
        return true;
    if (receipt->position == own->position)
        return memcmp(receipt->chain, own->chain, WIRE_CHAIN_BYTES) == 0;
    enum err e = reader_find_receipt(c->o.reader, receipt, &found, NULL);
    // A ledger that can't be read now proves nothing.
    return e != ERR_OK || found.state == RECEIPT_PRESENT || found.state == RECEIPT_SEALED;
}

static void reconcile(struct committer *c, struct stream *s, const struct item_message *m,
                      const struct wire_hello *h)
{
    if (h->last_acknowledged > s->state.last_sequence) {
        s->counted[COUNTER_LEDGER_BEHIND]++;
        raise_alarm(c, "ledger_behind", m, h->last_acknowledged, s->state.last_sequence);
    } else if (h->last_acknowledged > 0 && !receipt_holds(c, s, &h->last_receipt)) {
        s->counted[COUNTER_RECEIPTS_CONTRADICTED]++;
        raise_alarm(c, "receipt_contradicted", m, h->last_receipt.position, ledger_position(c->o.ledger));
    }
    if (h->last_written < s->state.last_sequence) {
        s->counted[COUNTER_AGENTS_BEHIND]++;
        raise_alarm(c, "agent_behind", m, h->last_written, s->state.last_sequence);
    }
}

enum err sequence_hello(struct committer *c, struct stream *s, struct item_message *m,
                        const struct wire_hello *h, struct diag *d)
{
    bool taken = false;
    if (s->state.declares == 0 && s->state.batches == 0) {
        enum err e = ledger_incarnation_taken(c->o.ledger, m->who.agent_id, &h->incarnation, &taken, d);
        if (e != ERR_OK)
            return e;
    }
    if (taken) {
        outcome_refuse(
            m, WIRE_REFUSE_WRONG_INCARNATION,
            "this spool was begun by an agent of another resident: stop the agent, empty its state "
            "folder but for agent.key, and start it again");
        return ERR_OK;
    }
    reconcile(c, s, m, h);
    m->outcome.kind = OUTCOME_WELCOME;
    m->outcome.sequence = s->state.last_sequence;
    m->outcome.receipt = s->state.receipt;
    m->outcome.declares_known = s->state.declares;
    return ERR_OK;
}

// ---- Declare ------------------------------------------------------------------------------------
static void refuse_declare(struct committer *c, struct stream *s, struct item_message *m,
                           enum wire_refuse_reason reason, const char *text)
{
    s->counted[COUNTER_DECLARES_REFUSED]++;
    if (quiet_may_say(&c->declares, c->o.clock))
        log_warn("declare_refused", F_TEXT("resident", m->who.resident), F_INT("key_id", m->who.key_id),
                 F_TEXT("reason", text));
    outcome_refuse(m, reason, text);
}

// Whether a series is another agent's. One whose owner has no valid key any more (a machine was replaced, or
// the desk made it) goes to the agent that sends it: it counts as that one's at once. A key that waits for
// its first Hello is a valid one.
static enum err is_taken(struct committer *c, const struct ledger_series *s, int64_t agent_id, bool *out)
{
    bool granted = false;
    enum err e = ERR_OK;
    if (s->agent_id != agent_id && c->o.admission && !admission_other_key(c->o.admission, s->agent_id, 0))
        e = claims_take(&c->claims, s, agent_id, &granted);
    *out = s->agent_id != agent_id && !granted;
    return e;
}

enum err sequence_declare(struct committer *c, struct stream *s, struct item_message *m,
                          const struct wire_declare *declare)
{
    const struct ledger_series *declared = NULL;
    bool taken = false;
    struct ledger_series wanted, got;
    struct diag d = {0};
    if (declare->number >= COLLECTOR_MAX_SERIES) {
        refuse_declare(c, s, m, WIRE_REFUSE_OVER_QUOTA, "more series than the resident's limit");
        return ERR_OK;
    }
    if (verdict_declare(c->o.catalogue, m->who.resident, declare, &wanted, &d) != ERR_OK) {
        refuse_declare(c, s, m, WIRE_REFUSE_DECLARE_INVALID, d.text);
        return ERR_OK;
    }
    wanted.agent_id = m->who.agent_id;
    uint32_t most = quota_find(c->o.quotas, m->who.resident).series;
    enum err e = declare->number < s->state.declares || most == 0
                     ? ERR_OK
                     : ledger_series_room(c->o.ledger, m->who.resident, wanted.name, most, &d);
    if (e == ERR_FULL) {
        refuse_declare(c, s, m, WIRE_REFUSE_OVER_QUOTA, d.text);
        return ERR_OK;
    }
    if (e != ERR_OK)
        return e;
    e = ledger_declare(c->o.ledger, s->state.stream_id, declare->number, &wanted, &got, &d);
    if (e == ERR_CONFLICT || e == ERR_INVALID || e == ERR_DENIED) {
        refuse_declare(c, s, m, WIRE_REFUSE_DECLARE_CONFLICT, d.text);
        return ERR_OK;
    }
    if (e != ERR_OK)
        return e;
    if (got.agent_id != m->who.agent_id &&
        ((e = ledger_declared(c->o.ledger, s->state.stream_id, declare->number, &declared)) != ERR_OK ||
         (e = is_taken(c, declared, m->who.agent_id, &taken)) != ERR_OK))
        return e;
    if (declare->number >= s->state.declares)
        s->state.declares = declare->number + 1;
    s->counted[COUNTER_SERIES_DECLARED]++;
    m->outcome.kind = OUTCOME_DECLARED;
    if (taken) {
        (void)diag_fail(
            &d, ERR_DENIED,
            "%s is sent by agent #%lld: its figures from this one are refused until the series is moved "
            "(esep-collector move %s #%lld)",
            got.name, (long long)got.agent_id, got.name, (long long)m->who.agent_id);
        refuse_declare(c, s, m, WIRE_REFUSE_SERIES_OWNED, d.text);
    }
    return ERR_OK;
}

// ---- Batch and Gap ------------------------------------------------------------------------------
struct find_ctx {
    struct committer *c;
    int64_t stream_id, agent_id;
    struct ledger_declares known;
    const struct closure_book *closures;
    enum err failed;
};

static const struct kpi *kpi_of_name(const struct committer *c, const char *name)
{
    struct series_name parts;
    return series_parse(name, &parts) == ERR_OK ? catalogue_find(c->o.catalogue, parts.kpi) : NULL;
}

static bool grow_kpi_cache(struct committer *c, size_t id)
{
    if (id < c->kpi_count)
        return true;
    size_t count = c->kpi_count ? c->kpi_count : 1024;
    while (count <= id)
        count *= 2;
    const struct kpi **grown = realloc(c->kpi_of, count * sizeof *grown);
    if (!grown)
        return false;
    memset(grown + c->kpi_count, 0, (count - c->kpi_count) * sizeof *grown);
    c->kpi_of = grown;
    c->kpi_count = count;
    return true;
}

static const struct kpi *kpi_of_series(struct committer *c, const struct ledger_series *s)
{
    size_t id = (size_t)s->series_id;
    if (id < c->kpi_count && c->kpi_of[id])
        return c->kpi_of[id];
    if (s->series_id < 0 || id >= KPI_CACHE_MAX || !grow_kpi_cache(c, id))
        return kpi_of_name(c, s->name);
    if (!c->kpi_of[id])
        c->kpi_of[id] = kpi_of_name(c, s->name);
    return c->kpi_of[id];
}

static struct verdict_series find_series(void *ctx, uint32_t number)
{
    struct find_ctx *f = ctx;
    struct verdict_series found = {.series = number < f->known.count ? f->known.at[number] : NULL};
    if (!found.series) {
        if (ledger_declared(f->c->o.ledger, f->stream_id, number, &found.series) != ERR_OK)
            return (struct verdict_series){0};
        f->known = ledger_declares(f->c->o.ledger, f->stream_id);
    }
    found.kpi = kpi_of_series(f->c, found.series);
    found.closures = f->closures;
    enum err e = is_taken(f->c, found.series, f->agent_id, &found.taken);
    f->failed = e != ERR_OK ? e : f->failed;
    return found;
}

static bool is_one_reason(const struct wire_refusal *r, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (r[i].reason != r[0].reason)
            return false;
    }
    return true;
}

// A verdict is one message: where so many samples are refused for different reasons that their list does not
// fit, the whole batch is refused (it stays in the ledger and can be released).
static enum err encode_verdict(struct committer *c, const struct wire_batch *b, size_t *refused)
{
    struct wire_message m = {.type = WIRE_REJECT, .reject = {.sequence = b->sequence}};
    bool whole = *refused == b->count && is_one_reason(c->refusals, *refused);
    m.reject.count = *refused;
    m.reject.refusals = c->refusals;
    buf_reset(&c->verdict);
    enum err e = whole ? ERR_TOO_BIG : wire_encode(&m, &c->verdict);
    if (e != ERR_TOO_BIG)
        return e;
    m.reject =
        (struct wire_reject){.sequence = b->sequence, .whole = true, .whole_reason = c->refusals[0].reason};
    *refused = b->count;
    buf_reset(&c->verdict);
    return wire_encode(&m, &c->verdict);
}

static void count_refusals(struct committer *c, struct stream *s, struct item_message *m,
                           const struct wire_batch *b, size_t found, size_t refused)
{
    for (size_t i = 0; i < found; i++) {
        enum wire_reason reason = c->refusals[i].reason;
        s->counted[collector_counter_of(reason)]++;
        m->outcome.foreign += reason == WIRE_REASON_UNKNOWN_SERIES || reason == WIRE_REASON_SERIES_TAKEN;
    }
    if (refused > found) // the whole batch, for want of room in the verdict
        s->counted[collector_counter_of(c->refusals[0].reason)] += refused - found;
    s->counted[COUNTER_SAMPLES_QUARANTINED] += refused;
    s->counted[COUNTER_SAMPLES_ACCEPTED] += b->count - refused;
}

static enum err keep_reject(struct committer *c, struct outcome *o)
{
    o->reject = malloc(c->verdict.len);
    if (!o->reject)
        return ERR_NOMEM;
    memcpy(o->reject, c->verdict.data, c->verdict.len);
    o->reject_len = c->verdict.len;
    return ERR_OK;
}

static size_t refuse_all(struct committer *c, const struct wire_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        c->refusals[i] = (struct wire_refusal){.index = (uint32_t)i, .reason = WIRE_REASON_QUOTA};
    return b->count;
}

static enum err store_batch(struct committer *c, struct stream *s, struct item_message *m,
                            const struct wire_batch *b, struct diag *d)
{
    struct find_ctx ctx = {.c = c,
                           .stream_id = s->state.stream_id,
                           .agent_id = m->who.agent_id,
                           .known = ledger_declares(c->o.ledger, s->state.stream_id),
                           .closures = desk_closures(c->desk)};
    size_t found, refused;
    enum err e = ERR_OK;
    verdict_batch(b, clock_wall(c->o.clock), ledger_kept(c->o.ledger).closed_until_s, find_series, &ctx,
                  c->refusals, &found);
    if (ctx.failed != ERR_OK)
        return diag_fail(d, ctx.failed, "batch %llu can't be judged: %s", (unsigned long long)b->sequence,
                         err_text(ctx.failed));
    if (m->over_quota)
        found = refuse_all(c, b);
    refused = found;
    if (found > 0 &&
        ((e = encode_verdict(c, b, &refused)) != ERR_OK || (e = keep_reject(c, &m->outcome)) != ERR_OK))
        return diag_fail(d, e, "the verdict of batch %llu can't be encoded", (unsigned long long)b->sequence);
    struct ledger_row row = {.stream_id = s->state.stream_id,
                             .key_id = m->who.key_id,
                             .class = b->class,
                             .sequence = b->sequence,
                             .last_sequence = b->sequence,
                             .samples = (uint32_t)b->count,
                             .refused = (uint32_t)refused,
                             .body = m->bytes,
                             .body_len = m->len,
                             .verdict = found ? c->verdict.data : NULL,
                             .verdict_len = found ? c->verdict.len : 0};
    if ((e = ledger_append(c->o.ledger, &row, &s->state.receipt, d)) != ERR_OK)
        return e;
    s->state.last_sequence = b->sequence;
    s->counted[COUNTER_BATCHES_STORED]++;
    count_refusals(c, s, m, b, found, refused);
    return ERR_OK;
}

static enum err store_gap(struct committer *c, struct stream *s, struct item_message *m,
                          const struct wire_gap *g, struct diag *d)
{
    struct ledger_row row = {.stream_id = s->state.stream_id,
                             .key_id = m->who.key_id,
                             .class = WIRE_MEASUREMENT,
                             .sequence = g->first,
                             .last_sequence = g->last,
                             .gap = true,
                             .samples = (uint32_t)g->samples,
                             .body = m->bytes,
                             .body_len = m->len};
    enum err e = ledger_append(c->o.ledger, &row, &s->state.receipt, d);
    if (e != ERR_OK)
        return e;
    s->state.last_sequence = g->last;
    s->counted[COUNTER_GAPS_STORED]++;
    s->counted[COUNTER_SAMPLES_GAP] += g->samples;
    if (quiet_may_say(&c->gaps, c->o.clock))
        log_warn("gap_stored", F_TEXT("resident", m->who.resident), F_INT("first", g->first),
                 F_INT("last", g->last), F_INT("samples", g->samples),
                 F_TEXT("reason", wire_gap_reason_name(g->reason)));
    return ERR_OK;
}

static enum err repeat(struct committer *c, struct stream *s, struct item **items, size_t at,
                       uint64_t sequence)
{
    struct item_message *m = &items[at]->message;
    enum err e = ledger_repeat(c->o.ledger, s->state.stream_id, sequence, m->bytes, m->len);
    if (e == ERR_CONFLICT) {
        s->counted[COUNTER_BODIES_CONTRADICTED]++;
        raise_alarm(c, "body_contradicted", m, sequence, s->state.last_sequence);
        outcome_refuse(m, WIRE_REFUSE_OTHER_BODY,
                       "a sequence that is stored was sent again with other bytes");
        return ERR_OK;
    }
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    s->counted[COUNTER_BATCHES_REPEATED]++;
    acknowledge(items, at, s, sequence);
    return ERR_OK;
}

// True when the message is the stream's next; else it has been dealt with (*e).
static bool is_next(struct committer *c, struct stream *s, struct item **items, size_t at, uint64_t sequence,
                    enum err *e)
{
    *e = ERR_OK;
    if (sequence == s->state.last_sequence + 1)
        return true;
    if (sequence <= s->state.last_sequence) {
        *e = repeat(c, s, items, at, sequence);
        return false;
    }
    s->counted[COUNTER_BATCHES_OUT_OF_ORDER]++;
    acknowledge(items, at, s, 0);
    return false;
}

// By a wrong clock every verdict would be wrong: what was acknowledged last is said again, and credit 0.
static bool is_held(struct committer *c, struct stream *s, struct item **items, size_t at)
{
    if (c->guard.behind_s == 0)
        return false;
    collector_count(c->o.counters, COUNTER_CLOCK_HELD, 1);
    acknowledge(items, at, s, 0);
    return true;
}

enum err sequence_batch(struct committer *c, struct stream *s, struct item **items, size_t at,
                        const struct wire_batch *b, struct diag *d)
{
    struct item_message *m = &items[at]->message;
    enum err e;
    if (is_held(c, s, items, at))
        return ERR_OK;
    if (b->sequence > INT64_MAX) { // it would be the next one after a gap up to there
        outcome_refuse(m, WIRE_REFUSE_BAD_MESSAGE, "the batch's sequence is beyond what can be stored");
        return ERR_OK;
    }
    if (!is_next(c, s, items, at, b->sequence, &e))
        return e;
    if (b->declares > s->state.declares) {
        s->counted[COUNTER_BATCHES_UNDECLARED]++;
        m->outcome.kind = OUTCOME_NEED_DECLARE;
        m->outcome.declares_known = s->state.declares;
        return ERR_OK;
    }
    if ((e = store_batch(c, s, m, b, d)) == ERR_OK)
        acknowledge(items, at, s, 0);
    return e;
}

enum err sequence_gap(struct committer *c, struct stream *s, struct item **items, size_t at,
                      const struct wire_gap *g, struct diag *d)
{
    struct item_message *m = &items[at]->message;
    enum err e;
    if (is_held(c, s, items, at))
        return ERR_OK;
    if (!is_next(c, s, items, at, g->first, &e))
        return e;
    if (g->samples > UINT32_MAX || g->last < g->first || g->last > INT64_MAX) {
        outcome_refuse(m, WIRE_REFUSE_BAD_MESSAGE,
                       "the gap's samples or sequences are beyond what can be stored");
        return ERR_OK;
    }
    if ((e = store_gap(c, s, m, g, d)) == ERR_OK)
        acknowledge(items, at, s, 0);
    return e;
}
