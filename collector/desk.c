// A report by hand takes the way of an agent's batch: declared by the same rules, judged by the same verdict,
// encoded by the same codec, chained like the rest. What differs is that a person waits for the answer: what
// is refused is said to them (and to the audit log) and not kept in quarantine.
#include "base/log.h"
#include "collector/desk_state.h"
#include "collector/verdict.h"
#include "kpi/money.h"
#include "store/ledger_desk.h"
#include "store/reader_closures.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS 10000 // series of a resident's desk

enum err desk_create(const struct desk_options *o, struct desk **out, struct diag *d)
{
    struct desk *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    s->o = *o;
    enum err e = closure_book_create(&s->closures);
    if (e == ERR_OK)
        e = reader_closures(o->reader, &s->sequence, s->closures, d);
    if (e != ERR_OK)
        desk_destroy(s);
    else
        *out = s;
    return e;
}

void desk_destroy(struct desk *s)
{
    if (!s)
        return;
    closure_book_destroy(s->closures);
    free(s);
}

const struct closure_book *desk_closures(const struct desk *s)
{
    return s ? s->closures : NULL;
}

static bool is_stored(enum err e) // as a line of the audit log: done, or refused
{
    return e != ERR_AGAIN && e != ERR_NOMEM && e != ERR_FULL && e != ERR_IO && e != ERR_CORRUPT;
}

enum err desk_audited(struct desk *s, struct audit_entry *entry, audit_change change, void *ctx,
                      struct diag *d)
{
    enum err e = audit_changed(s->o.ledger, entry, change, ctx, d);
    collector_count(s->o.counters, COUNTER_AUDIT_ENTRIES, is_stored(e) ? 1 : 0);
    return e;
}

// ---- what a report says -------------------------------------------------------------------------
struct reporting {
    struct desk *desk;
    struct desk_report *r;
    char resident[2 * SERIES_PART_MAX + 2];
    const char *own; // the name's part after the resident
    const struct kpi *kpi;
    struct wire_note note;
    struct ledger_stream stream;
    struct ledger_desk_request request;
    uint32_t number;
    struct diag *d;
};

static enum err blame(struct reporting *x, const char *field)
{
    x->r->field = field;
    return ERR_INVALID;
}
#define BLAME(x, field, ...) ((void)diag_fail((x)->d, ERR_INVALID, __VA_ARGS__), blame((x), (field)))

static enum err read_name(struct reporting *x)
{
    struct series_name name;
    if (series_parse(x->r->series, &name) != ERR_OK)
        return BLAME(x, "series", "'%.200s' is not park/resident/kpi[/dimension]", x->r->series);
    if (strcmp(name.resident, SERIES_RESIDENT_ALL) == 0)
        return BLAME(x, "series", "totals are computed here: report what the residents have");
    const struct park *park = x->desk->o.parks ? parks_find(x->desk->o.parks, name.park) : NULL;
    if (x->desk->o.parks && (!park || !park_resident(park, name.resident)))
        return BLAME(x, "series", "no park's profile names the resident '%s/%s': a slip of the pen?",
                     name.park, name.resident);
    snprintf(x->resident, sizeof x->resident, "%s/%s", name.park, name.resident);
    x->own = x->r->series + strlen(x->resident) + 1;
    x->kpi = catalogue_find(x->desk->o.catalogue, name.kpi);
    return ERR_OK;
}

static enum err fit_known(struct reporting *x)
{
    const struct ledger_series *known = &x->r->known;
    if (known->class != WIRE_REPORT)
        return BLAME(x, "series", "%s is measured by machines: it has no reports", known->name);
    if (known->period != (uint32_t)x->r->period.kind)
        return BLAME(x, "period", "%s is reported by %s", known->name,
                     period_kind_name((enum period_kind)known->period));
    return ERR_OK;
}

// A series that is new is what the catalogue says of its KPI, and the person of the rest.
static enum err make_wanted(struct reporting *x)
{
    struct desk_report *r = x->r;
    const struct wire_declare declare = {
        .series = x->own,
        .unit = r->unit[0] ? r->unit
                : x->kpi   ? x->kpi->unit->code
                           : "",
        .currency = r->currency,
        .class = WIRE_REPORT,
        .period = (uint32_t)r->period.kind,
    };
    struct diag why = {0};
    if (verdict_declare(x->desk->o.catalogue, x->resident, &declare, &r->known, &why) == ERR_OK)
        return ERR_OK;
    bool money = x->kpi && (x->kpi->money || strcmp(declare.unit, "money") == 0);
    return BLAME(x, money && !currency_find(r->currency) ? "currency" : "series", "%s", why.text);
}

static enum err find_or_want(struct reporting *x)
{
    struct ledger *l = x->desk->o.ledger;
    enum err e = ledger_desk_series(l, x->r->series, &x->r->known, x->d);
    if (e == ERR_OK)
        return fit_known(x);
    if (e != ERR_NOT_FOUND || (e = make_wanted(x)) != ERR_OK)
        return e;
    uint32_t most = quota_find(x->desk->o.quotas, x->resident).series;
    e = most ? ledger_series_room(l, x->resident, x->r->series, most, x->d) : ERR_OK;
    if (e != ERR_FULL)
        return e;
    x->r->field = "series";
    return ERR_DENIED;
}

static enum err read_currency(struct reporting *x, const struct currency **out)
{
    const struct desk_report *r = x->r;
    const char *code = r->currency[0] ? r->currency : r->known.currency;
    *out = code[0] ? currency_find(code) : NULL;
    if (r->currency[0] && !r->known.currency[0])
        return BLAME(x, "currency", "%s is not money: it has no currency", r->series);
    if (code[0] && !*out)
        return BLAME(x, "currency", "the currency '%s' is not known here", code);
    x->note.currency = strcmp(code, r->known.currency) == 0 ? "" : code;
    return ERR_OK;
}

static enum err read_value(struct reporting *x)
{
    struct desk_report *r = x->r;
    const struct currency *money = NULL;
    enum err e = read_currency(x, &money);
    if (e != ERR_OK)
        return e;
    if (!r->value[0] || strcmp(r->value, "-") == 0)
        r->figure = figure_missing();
    else if ((e = money ? money_parse(r->value, money, &r->figure) : figure_parse(r->value, &r->figure)) !=
             ERR_OK)
        return BLAME(x, "value", "'%s' is %s", r->value,
                     e == ERR_TOO_BIG ? "too large to be kept exactly"
                     : money          ? "not an amount in whole minor units, like 1250000.50"
                                      : "not a number like 1250 or 12.5");
    double size = fabs(figure_to_real(r->figure)); // NaN when it is missing
    if (size > (double)FIGURE_INTEGER_MAX)
        return BLAME(x, "value", "'%s' is too large to be kept exactly", r->value);
    if ((r->figure.kind == FIGURE_MISSING) != (r->status == WIRE_MISSING))
        return BLAME(x, "status", "the status M belongs to a figure that is missing, and to no other");
    return ERR_OK;
}

// ---- whether it may be --------------------------------------------------------------------------
static enum err check_closed(struct reporting *x)
{
    struct desk_report *r = x->r;
    char since[WALL_TEXT];
    const struct closure *c = closure_of(x->desk->closures, r->series, r->period.kind, r->period.start, 0, 0);
    r->after_closure = c != NULL;
    if (!c)
        return ERR_OK;
    wall_text((struct wall){c->received_us}, since);
    if (!r->may_correct_closed) {
        r->field = "period";
        return diag_fail(x->d, ERR_DENIED,
                         "this period is closed since %s: only the park's operator can correct it, with a "
                         "reason (esep-collector report … --revise --reason TEXT)",
                         since);
    }
    if (!r->reason[0])
        return BLAME(x, "reason",
                     "this period is closed since %s: say why the figure is another one now (--revise "
                     "--reason TEXT)",
                     since);
    return ERR_OK;
}

static void current_text(const struct desk_report *r, char out[FIGURE_TEXT + 16])
{
    char value[FIGURE_TEXT];
    const struct currency *money = currency_find(r->current.currency);
    figure_text_scaled(r->current.value, money ? money->decimals : 0, value);
    snprintf(out, FIGURE_TEXT + 16, "%s%s%s", value[0] ? value : "missing", money && value[0] ? " " : "",
             money && value[0] ? money->code : "");
}

// As the observations decide whether a later word is a revision, but for another date of publication.
static bool is_unchanged(const struct desk_report *r)
{
    const char *currency = r->currency[0] ? r->currency : r->known.currency;
    return r->current.known && figure_equal(r->current.value, r->figure) &&
           strcmp(r->current.currency, currency) == 0 && r->current.status == r->status &&
           r->current.confidential == r->confidential;
}

static enum err check_first(struct reporting *x)
{
    const struct desk_report *r = x->r;
    char period[PERIOD_TEXT], known[FIGURE_TEXT + 16];
    if (!r->current.known || r->revise)
        return ERR_OK;
    period_text(r->period, period);
    current_text(r, known);
    x->r->field = "revise";
    return diag_fail(
        x->d, ERR_CONFLICT,
        "%s of %s was reported already: %s; to correct it, revise it with a reason (--revise --reason TEXT)",
        r->series, period, known);
}

static enum err check_said(struct reporting *x)
{
    const struct desk_report *r = x->r;
    int64_t now_us = clock_wall(x->desk->o.clock).us;
    if (r->current.known && !r->reason[0])
        return BLAME(x, "reason", "a reason is missing (--reason TEXT): why is the figure another one now?");
    if (r->published_us > now_us + WIRE_FUTURE_MAX_S * US_PER_S)
        return BLAME(x, "published", "it can't have been published in the future");
    return ERR_OK;
}

static struct verdict_series find_series(void *ctx, uint32_t number)
{
    const struct reporting *x = ctx;
    (void)number;
    return (struct verdict_series){.series = &x->r->known, .kpi = x->kpi};
}

static void bounds_text(const struct reporting *x, char out[2 * FIGURE_TEXT + 16])
{
    char min[FIGURE_TEXT], max[FIGURE_TEXT];
    const struct currency *money = currency_find(x->r->known.currency);
    int decimals = money ? money->decimals : 0;
    figure_text_scaled(x->kpi ? x->kpi->min : figure_missing(), decimals, min);
    figure_text_scaled(x->kpi ? x->kpi->max : figure_missing(), decimals, max);
    snprintf(out, 2 * FIGURE_TEXT + 16, " (%s to %s)", min[0] ? min : "any", max[0] ? max : "any");
}

static enum err say_refused(struct reporting *x, enum wire_reason why)
{
    char bounds[2 * FIGURE_TEXT + 16] = "";
    const char *field = "value";
    if (why == WIRE_REASON_FUTURE || why == WIRE_REASON_OFF_STEP || why == WIRE_REASON_BEFORE_EPOCH)
        field = "period";
    if (why == WIRE_REASON_BAD_NOTE)
        field = "currency";
    if (why == WIRE_REASON_OUT_OF_RANGE)
        bounds_text(x, bounds);
    return BLAME(x, field, "refused: %s%s", wire_reason_text(why), bounds);
}

static enum err judge(struct reporting *x, const struct wire_batch *b)
{
    struct wire_refusal refusal;
    size_t refused = 0;
    verdict_batch(b, clock_wall(x->desk->o.clock), 0, find_series, x, &refusal, &refused);
    return refused ? say_refused(x, refusal.reason) : ERR_OK;
}

// ---- the transaction ----------------------------------------------------------------------------
static enum err append(struct reporting *x, const struct wire_batch *batch)
{
    const struct wire_message m = {.type = WIRE_BATCH, .batch = *batch};
    struct wire_receipt receipt;
    struct buf body;
    buf_init(&body, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_encode(&m, &body);
    if (e == ERR_INVALID)
        e = BLAME(x, "reason", "reason and author must be one line of UTF-8 text");
    else if (e != ERR_OK)
        e = diag_fail(x->d, e, "the report can't be encoded");
    if (e == ERR_OK) {
        const struct ledger_row row = {.stream_id = x->stream.stream_id,
                                       .class = WIRE_REPORT,
                                       .sequence = batch->sequence,
                                       .last_sequence = batch->sequence,
                                       .samples = 1,
                                       .body = body.data,
                                       .body_len = body.len};
        e = ledger_append(x->desk->o.ledger, &row, &receipt, x->d);
    }
    buf_deinit(&body);
    if (e == ERR_OK)
        x->r->position = receipt.position;
    return e;
}

static const enum collector_counter counted[] = {COUNTER_BATCHES_STORED, COUNTER_SAMPLES_ACCEPTED,
                                                 COUNTER_DESK_REPORTS};

static enum err count(const struct reporting *x)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < sizeof counted / sizeof *counted; i++)
        e = ledger_count(x->desk->o.ledger, collector_counter_info(counted[i])->name, x->stream.agent_id, 1);
    return e;
}

static enum err open_stream(struct reporting *x)
{
    struct ledger *l = x->desk->o.ledger;
    enum err e = ledger_desk_open(l, x->resident, &x->stream, x->d);
    if (e == ERR_OK)
        e = ledger_desk_number(l, &x->stream, &x->r->known, &x->number, &x->r->known, x->d);
    if (e == ERR_OK && x->number >= NUMBERS)
        e = BLAME(x, "series", "%s has too many series", x->resident);
    return e;
}

// A request that found the figure as it is has had its answer too: sent again, it must not undo what came
// since.
static enum err note_request(struct reporting *x)
{
    if (!x->r->request[0])
        return ERR_OK;
    x->request.position = x->r->position;
    return ledger_desk_note(x->desk->o.ledger, &x->request, x->d);
}

static enum err store(struct reporting *x)
{
    const struct desk_report *r = x->r;
    const struct wire_sample sample = {.series = x->number, .time = r->period.start, .value = r->figure};
    const struct wire_batch batch = {.incarnation = x->stream.incarnation,
                                     .sequence = x->stream.last_sequence + 1,
                                     .class = WIRE_REPORT,
                                     .declares = x->number + 1,
                                     .count = 1,
                                     .samples = &sample,
                                     .note_count = 1,
                                     .notes = &x->note};
    enum err e = judge(x, &batch);
    if (e == ERR_OK)
        e = append(x, &batch);
    if (e == ERR_OK)
        e = count(x);
    return e == ERR_OK ? note_request(x) : e;
}

static void describe(const struct reporting *x, struct audit_entry *out)
{
    const struct desk_report *r = x->r;
    char period[PERIOD_TEXT], detail[512], before[FIGURE_TEXT + 16];
    period_text(r->period, period);
    current_text(r, before);
    snprintf(detail, sizeof detail, "%s: %s%s%s%s%s, author %s%s%s%s", period,
             r->figure.kind == FIGURE_MISSING ? "missing" : r->value, r->known.currency[0] ? " " : "",
             r->currency[0] ? r->currency : r->known.currency, r->current.known ? ", before " : "",
             r->current.known ? before : "", r->author, r->after_closure ? ", after the closure" : "",
             r->reason[0] ? ", reason: " : "", r->reason);
    audit_entry_detail(out, detail);
}

static enum err change_report(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct reporting *x = ctx;
    (void)l;
    x->d = d;
    enum err e = read_name(x);
    if (e == ERR_OK)
        e = find_or_want(x);
    if (e == ERR_OK)
        e = read_value(x);
    if (e == ERR_OK)
        e = desk_check_seen(x->desk, x->r, d);
    if (e == ERR_OK && is_unchanged(x->r)) {
        x->r->unchanged = true;
        x->r->position = x->r->current.position;
        audit_entry_detail(entry, "nothing stored: the figure is known so already");
        return note_request(x);
    }
    if (e == ERR_OK)
        e = check_closed(x);
    if (e == ERR_OK)
        e = check_first(x);
    if (e == ERR_OK)
        e = check_said(x);
    if (e == ERR_OK)
        e = open_stream(x);
    if (e == ERR_OK)
        e = store(x);
    if (e == ERR_OK)
        describe(x, entry);
    return e;
}

// ---- a request that comes again -----------------------------------------------------------------
static void hash_request(struct reporting *x)
{
    const struct desk_report *r = x->r;
    char rest[96];
    int n = snprintf(rest, sizeof rest, "%d %" PRId32 " %d %d %" PRId64, (int)r->period.kind, r->period.start,
                     (int)r->status, r->confidential, r->published_us);
    const struct hash_part id[] = {{r->author, strlen(r->author) + 1}, {r->request, strlen(r->request)}};
    const struct hash_part content[] = {{r->series, strlen(r->series) + 1},
                                        {r->value, strlen(r->value) + 1},
                                        {r->currency, strlen(r->currency) + 1},
                                        {r->reason, strlen(r->reason) + 1},
                                        {rest, (size_t)n}};
    crypto_digest(id, sizeof id / sizeof *id, x->request.id);
    crypto_digest(content, sizeof content / sizeof *content, x->request.content);
}

// NOT_FOUND: it is new.
static enum err find_request(struct reporting *x)
{
    struct ledger_desk_request stored;
    if (!x->r->request[0])
        return ERR_NOT_FOUND;
    hash_request(x);
    stored = x->request;
    enum err e = ledger_desk_find(x->desk->o.ledger, &stored, x->d);
    if (e != ERR_OK)
        return e;
    if (memcmp(stored.content, x->request.content, HASH_BYTES) != 0) {
        x->r->field = "request";
        return diag_fail(x->d, ERR_CONFLICT,
                         "this request was stored before with another content: begin a new one");
    }
    x->r->position = stored.position;
    x->r->repeated = true;
    return ledger_desk_series(x->desk->o.ledger, x->r->series, &x->r->known, x->d);
}

static void publish(const struct reporting *x)
{
    const struct desk_report *r = x->r;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
        collector_count(x->desk->o.counters, counted[i], 1);
    log_info("desk_report", F_TEXT("series", r->series), F_INT("position", r->position),
             F_TEXT("author", r->author), F_TEXT("kind", r->current.known ? "revision" : "report"));
}

enum err desk_take_report(struct desk *s, struct desk_report *r, struct diag *d)
{
    struct reporting x = {.desk = s, .r = r, .d = d};
    struct audit_entry entry;
    r->field = NULL;
    r->repeated = r->unchanged = r->after_closure = false;
    enum err e = desk_catch_up(s, d);
    if (e == ERR_OK)
        e = find_request(&x);
    if (e != ERR_NOT_FOUND)
        return e;
    if (d)
        d->text[0] = '\0';
    x.note = (struct wire_note){.status = r->status,
                                .confidential = r->confidential,
                                .reason = r->reason,
                                .author = r->author,
                                .currency = "",
                                .published_us = r->published_us};
    audit_entry_set(&entry, r->current.known ? AUDIT_REVISE : AUDIT_REPORT, AUDIT_DONE, r->who, r->series,
                    "%s", "");
    e = desk_audited(s, &entry, change_report, &x, d);
    if (e == ERR_OK && !r->unchanged)
        publish(&x);
    return e;
}
