// What people ask of the desk: to store a figure, to close a period or open it again, to believe the clock.
// Whether a figure replaces another is for the observations to say, so a report waits until they have read
// what came before it, and once more for the revision that it has become.
#include "base/clock.h"
#include "collector/control_internal.h"
#include "collector/when.h"
#include "kpi/money.h"
#include "store/observations.h"
#include <stdio.h>
#include <string.h>

// Who asks for something else waits meanwhile.
enum { OBSERVED_MS = 300, LOOKS_MAX = 4 };

// ---- parsing ------------------------------------------------------------------------------------
static enum err parse_flag(const json_t *o, const char *key, bool *out, struct diag *d)
{
    const json_t *v = json_object_get(o, key);
    if (v && !json_is_boolean(v))
        return diag_fail(d, ERR_INVALID, "\"%s\" must be true or false", key);
    *out = json_is_true(v);
    return ERR_OK;
}

static enum err parse_period(const json_t *o, struct period *out, struct diag *d)
{
    char text[24];
    enum err e = control_parse_text(o, "period", true, text, sizeof text, d);
    if (e != ERR_OK || period_parse(text, out) == ERR_OK)
        return e;
    return diag_fail(d, ERR_INVALID, "\"period\": '%s' is not like 2026-03-14, 2026-03, 2026-Q1 or 2026",
                     text);
}

static enum err parse_status(const json_t *o, struct desk_report *r, struct diag *d)
{
    static const char letters[] = "APEM";
    char text[8];
    bool missing = !r->value[0] || strcmp(r->value, "-") == 0;
    enum err e = control_parse_text(o, "status", false, text, sizeof text, d);
    const char *at = strlen(text) == 1 ? strchr(letters, *text) : NULL;
    if (e != ERR_OK || (*text && !at))
        return diag_fail(d, ERR_INVALID,
                         "\"status\" must be A (normal), P (provisional), E (estimated) or M (missing)");
    r->status = at ? (enum wire_status)(at - letters) : missing ? WIRE_MISSING : WIRE_NORMAL;
    return ERR_OK;
}

static enum err parse_published(const json_t *o, struct desk_report *r, struct diag *d)
{
    char text[40];
    int64_t at_s = 0;
    enum err e = control_parse_text(o, "published", false, text, sizeof text, d);
    if (e != ERR_OK || !text[0])
        return e;
    if (collector_when(text, clock_wall(clock_system()), false, &at_s) != ERR_OK || at_s <= 0)
        return diag_fail(d, ERR_INVALID, "\"published\": '%s' is not like 2026-04-10 or 2026-04-10T09:00:00Z",
                         text);
    r->published_us = at_s * US_PER_S;
    return ERR_OK;
}

// A missing figure is null, "-" or "".
static enum err parse_value(const json_t *o, struct desk_report *r, struct diag *d)
{
    const json_t *v = json_object_get(o, "value");
    if (json_is_null(v))
        return ERR_OK;
    return control_parse_text(o, "value", true, r->value, sizeof r->value, d);
}

static enum err parse_texts(const json_t *o, struct desk_report *r, struct diag *d)
{
    const struct {
        const char *key;
        bool required;
        char *out;
        size_t size;
    } texts[] = {
        {"series", true, r->series, sizeof r->series},  {"author", true, r->author, sizeof r->author},
        {"unit", false, r->unit, sizeof r->unit},       {"currency", false, r->currency, sizeof r->currency},
        {"reason", false, r->reason, sizeof r->reason}, {"request", false, r->request, sizeof r->request}};
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < sizeof texts / sizeof *texts; i++)
        e = control_parse_text(o, texts[i].key, texts[i].required, texts[i].out, texts[i].size, d);
    return e;
}

enum err control_parse_report(const json_t *o, struct desk_report *r, struct diag *d)
{
    enum err e = parse_texts(o, r, d);
    if (e == ERR_OK)
        e = parse_value(o, r, d);
    if (e == ERR_OK)
        e = parse_period(o, &r->period, d);
    if (e == ERR_OK)
        e = parse_status(o, r, d);
    if (e == ERR_OK)
        e = parse_published(o, r, d);
    if (e == ERR_OK)
        e = parse_flag(o, "confidential", &r->confidential, d);
    if (e == ERR_OK)
        e = parse_flag(o, "revise", &r->revise, d);
    if (e == ERR_OK)
        e = parse_flag(o, "correct_closed", &r->may_correct_closed, d);
    return e == ERR_OK ? control_parse_who(o, r->who, 96, d) : e;
}

enum err control_parse_closing(const json_t *o, struct closing_request *r, struct diag *d)
{
    struct closure *c = &r->closure;
    enum err e = control_parse_text(o, "park", true, c->park, sizeof c->park, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "kpi", false, c->kpi, sizeof c->kpi, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "reason", true, c->reason, sizeof c->reason, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "author", true, c->author, sizeof c->author, d);
    if (e == ERR_OK)
        e = parse_period(o, &c->period, d);
    return e == ERR_OK ? parse_flag(o, "reopen", &c->reopens, d) : e;
}

// ---- what is known ------------------------------------------------------------------------------
static enum err take_current(void *ctx, const struct observation *o)
{
    struct desk_current *c = ctx;
    *c = (struct desk_current){.known = true,
                               .value = o->status == WIRE_MISSING ? figure_missing() : o->value,
                               .status = o->status,
                               .confidential = o->confidential,
                               .revision = o->revision,
                               .position = o->position};
    memcpy(c->currency, o->currency, sizeof c->currency);
    return ERR_OK;
}

// Of the period, or with position != 0 the revision that its row has made.
struct finding {
    struct desk_current found;
    uint64_t position;
};

static enum err take_at(void *ctx, const struct observation *o)
{
    struct finding *f = ctx;
    return f->position && o->position != f->position ? ERR_OK : take_current(&f->found, o);
}

// *seen, when asked for: rows up to here are in the answer. Untouched where nobody has declared the series.
static enum err look_up(struct control *c, const struct desk_report *r, uint64_t position,
                        struct desk_current *out, uint64_t *seen, struct diag *d)
{
    const struct ledger_series *series = NULL;
    struct observations_reader *o = NULL;
    struct finding f = {.position = position};
    *out = (struct desk_current){.known = false};
    if (!c->state) // in a test
        return ERR_OK;
    enum err e = reader_series_by_name(c->reader, r->series, &series, d);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    struct observation_query q = {.series_id = series->series_id,
                                  .from = r->period.start,
                                  .to = r->period.start + 1,
                                  .all_revisions = position != 0};
    q.read = seen;
    e = observations_reader_open(c->state, &o, d);
    if (e == ERR_OK)
        e = observations_query(o, &q, take_at, &f, d);
    observations_reader_close(o);
    if (e == ERR_OK)
        *out = f.found;
    return e;
}

static bool is_observed(struct control *c, uint64_t position)
{
    return cursor_position(c->observed) >= position || cursor_wait(c->observed, position, OBSERVED_MS);
}

// An empty answer says nothing where the observations have just been reset, so what they have read is asked
// of the file that answers.
static enum err look_at_current(struct control *c, struct desk_report *r, struct diag *d)
{
    const uint64_t committed = cursor_position(c->committed);
    enum err e = is_observed(c, committed) ? ERR_OK : ERR_AGAIN;
    r->looked = true;
    r->seen = committed;
    if (e == ERR_OK)
        e = look_up(c, r, 0, &r->current, &r->seen, d);
    return e != ERR_AGAIN && (e != ERR_OK || r->seen >= committed)
               ? e
               : diag_fail(d, ERR_AGAIN,
                           "the collector is still reading what came before: try again in a moment");
}

// ---- a report -----------------------------------------------------------------------------------
static json_t *fail_with(const char *text, const char *code, const char *field)
{
    json_t *o = control_failure(text);
    json_object_set_new(o, "code", json_string(code));
    if (field)
        json_object_set_new(o, "field", json_string(field));
    return o;
}

static json_t *value_json(const struct desk_report *r, const char *currency)
{
    char text[FIGURE_TEXT];
    const struct currency *money = currency[0] ? currency_find(currency) : NULL;
    figure_text_scaled(r->figure, money ? money->decimals : 0, text);
    return r->figure.kind == FIGURE_MISSING ? json_null() : json_string(text);
}

// The revision is null where the observations are late: what counts is stored all the same.
static json_t *say_report(struct control *c, struct desk_report *r)
{
    struct desk_current now = {.known = false};
    struct diag d = {0};
    char period[PERIOD_TEXT];
    const char *currency = r->currency[0] ? r->currency : r->known.currency;
    if (is_observed(c, r->position) && look_up(c, r, r->position, &now, NULL, &d) == ERR_OK && now.known)
        r->figure = now.value;
    period_text(r->period, period);
    json_t *o = json_pack("{s:b, s:I, s:b, s:b, s:b, s:s, s:s, s:s, s:s}", "ok", 1, "position",
                          (json_int_t)r->position, "repeated", r->repeated, "unchanged", r->unchanged,
                          "after_closure", r->after_closure, "series", r->series, "period", period,
                          "currency", currency, "unit", r->known.unit);
    json_object_set_new(o, "value", value_json(r, currency));
    json_object_set_new(o, "revision", now.known ? json_integer(now.revision) : json_null());
    return o;
}

static void set_who(const struct control *c, char who[128])
{
    char whole[300];
    snprintf(whole, sizeof whole, "%s%s%s", who, who[0] ? " via " : "", c->who);
    snprintf(who, 128, "%.127s", whole);
}

json_t *control_report(struct control *c, const struct control_request *request)
{
    struct desk_report r = request->report;
    struct diag d = {0};
    set_who(c, r.who);
    if (!desk_limit_take(&c->desk_limit, r.author, clock_mono(clock_system()))) {
        audit_tally_note(c->tally, AUDIT_REPORT, AUDIT_REFUSED, r.who, r.series, 1, "too many at a time");
        return fail_with("too many reports at a time: wait a few seconds", "timeout", NULL);
    }
    struct item *item = NULL;
    for (int looks = 0; looks < LOOKS_MAX && (!item || item->admin->result == ERR_AGAIN); looks++) {
        item_destroy(item);
        item = NULL;
        enum err e = look_at_current(c, &r, &d);
        if (e != ERR_OK)
            return fail_with(d.text, err_name(e), NULL);
        if ((item = item_create(ITEM_REPORT, c->inbox)))
            item->admin->report = r;
        if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
            return fail_with(control_no_answer, "again", NULL);
    }
    struct item_admin *a = item->admin;
    json_t *reply = a->result == ERR_OK ? say_report(c, &a->report)
                                        : fail_with(a->diag.text[0] ? a->diag.text : err_text(a->result),
                                                    err_name(a->result), a->report.field);
    item_destroy(item);
    return reply;
}

// ---- closings and the clock ---------------------------------------------------------------------
json_t *control_closing(struct control *c, const struct control_request *request)
{
    char since[WALL_TEXT];
    struct item *item = item_create(ITEM_CLOSE, c->inbox);
    if (item) {
        item->admin->closing = request->closing;
        memcpy(item->admin->closing.who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure(control_no_answer);
    const struct closure *done = &item->admin->closing.closure;
    wall_text((struct wall){done->received_us}, since);
    return control_reply(
        item, json_pack("{s:b, s:I, s:s}", "ok", 1, "position", (json_int_t)done->position, "since", since));
}

json_t *control_clock(struct control *c, const struct control_request *request)
{
    struct item *item = item_create(ITEM_CLOCK, c->inbox);
    if (item) {
        item->admin->confirmation = request->confirmation;
        memcpy(item->admin->confirmation.who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure(control_no_answer);
    return control_reply(
        item, json_pack("{s:b, s:I}", "ok", 1, "behind_s", (json_int_t)item->admin->confirmation.behind_s));
}
