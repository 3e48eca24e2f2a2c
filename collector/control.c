// A request is a few bytes from a local person or program with the rights to the state folder; it is still
// checked like anything else from outside. What changes something is passed to the thread that owns it and
// answered by it.
#include "base/clock.h"
#include "collector/control_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SNAPSHOT_MS = 1000, FLUSH_LAG_MAX = 200000 };

// ---- parsing ------------------------------------------------------------------------------------
static const struct {
    const char *name;
    enum control_command command;
} commands[] = {
    {"status", CONTROL_STATUS},     {"flush", CONTROL_FLUSH},     {"admit", CONTROL_ADMIT},
    {"revoke", CONTROL_REVOKE},     {"rebuild", CONTROL_REBUILD}, {"release", CONTROL_RELEASE},
    {"audit", CONTROL_AUDIT},       {"hold", CONTROL_HOLD},       {"invite", CONTROL_INVITE},
    {"withdraw", CONTROL_WITHDRAW}, {"move", CONTROL_MOVE},       {"rates", CONTROL_RATES},
    {"report", CONTROL_REPORT},     {"close", CONTROL_CLOSE},     {"clock", CONTROL_CLOCK},
};

static enum err parse_command(const json_t *o, enum control_command *out, struct diag *d)
{
    const char *name = json_string_value(json_object_get(o, "command"));
    if (!name)
        return diag_fail(d, ERR_INVALID, "the request has no \"command\"");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            *out = commands[i].command;
            return ERR_OK;
        }
    }
    return diag_fail(d, ERR_INVALID,
                     "unknown command '%.40s'; there are status, flush, admit, revoke, invite, withdraw, "
                     "move, rebuild, release, audit, hold, rates, report, close, clock",
                     name);
}

enum err control_parse_text(const json_t *o, const char *key, bool required, char *out, size_t size,
                            struct diag *d)
{
    const json_t *v = json_object_get(o, key);
    const char *text = json_string_value(v);
    out[0] = '\0';
    if (!v && !required)
        return ERR_OK;
    if (!text || strlen(text) >= size)
        return diag_fail(d, ERR_INVALID, "\"%s\" must be a text of at most %zu bytes", key, size - 1);
    memcpy(out, text, strlen(text) + 1);
    return ERR_OK;
}

static enum err parse_release(const json_t *o, struct release_request *r, struct diag *d)
{
    const json_t *position = json_object_get(o, "position"), *index = json_object_get(o, "index");
    if (!json_is_integer(position) || json_integer_value(position) < 1)
        return diag_fail(d, ERR_INVALID, "\"position\" must be a whole number from 1 up");
    if (index && (!json_is_integer(index) || json_integer_value(index) < 0))
        return diag_fail(d, ERR_INVALID, "\"index\" must be a whole number from 0 up");
    r->position = (uint64_t)json_integer_value(position);
    r->index = index ? json_integer_value(index) : RELEASE_ALL;
    enum err e = control_parse_text(o, "reason", false, r->reason, sizeof r->reason, d);
    return e == ERR_OK ? control_parse_text(o, "author", true, r->author, sizeof r->author, d) : e;
}

// Who, as the asking program knows it (a user of the dashboard); the uid of that program is added.
enum err control_parse_who(const json_t *o, char *out, size_t size, struct diag *d)
{
    static const char *const kinds[] = {"user:", "address:", "token:"};
    enum err e = control_parse_text(o, "who", false, out, size, d);
    if (e != ERR_OK || !out[0])
        return e;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strncmp(out, kinds[i], strlen(kinds[i])) == 0)
            return ERR_OK;
    return diag_fail(d, ERR_INVALID, "\"who\" must begin with user:, address: or token:");
}

static enum err parse_audit(const json_t *o, struct audit_entry *a, struct diag *d)
{
    char event[32], outcome[16];
    const json_t *count = json_object_get(o, "count");
    enum err e = control_parse_text(o, "event", true, event, sizeof event, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "outcome", true, outcome, sizeof outcome, d);
    if (e == ERR_OK)
        e = control_parse_who(o, a->who, 96, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "object", false, a->object, sizeof a->object, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "detail", false, a->detail, sizeof a->detail, d);
    if (e != ERR_OK)
        return e;
    if (audit_event_find(event, &a->event) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "\"event\": there is no '%s'; collector/README.md lists them",
                         event);
    if (strcmp(outcome, "done") != 0 && strcmp(outcome, "refused") != 0)
        return diag_fail(d, ERR_INVALID, "\"outcome\" must be done or refused");
    a->outcome = strcmp(outcome, "done") == 0 ? AUDIT_DONE : AUDIT_REFUSED;
    if (count && (!json_is_integer(count) || json_integer_value(count) < 1 ||
                  json_integer_value(count) > COLLECTOR_AUDIT_COUNT_MAX))
        return diag_fail(d, ERR_INVALID, "\"count\" must be a whole number from 1 to %d",
                         COLLECTOR_AUDIT_COUNT_MAX);
    a->count = count ? (uint64_t)json_integer_value(count) : 1;
    return ERR_OK;
}

static enum err parse_hold(const json_t *o, int64_t *out, struct diag *d)
{
    const json_t *seconds = json_object_get(o, "seconds");
    if (!json_is_integer(seconds) || json_integer_value(seconds) < 0 ||
        json_integer_value(seconds) > COLLECTOR_HOLD_S)
        return diag_fail(d, ERR_INVALID, "\"seconds\" must be a whole number from 0 to %d", COLLECTOR_HOLD_S);
    *out = json_integer_value(seconds);
    return ERR_OK;
}

static enum err parse_members(const json_t *o, struct control_request *r, struct diag *d)
{
    switch (r->command) {
    case CONTROL_ADMIT:
    case CONTROL_REVOKE:
    case CONTROL_INVITE:
    case CONTROL_WITHDRAW:
    case CONTROL_MOVE:
        return control_parse_identity(o, r, d);
    case CONTROL_REBUILD:
        return control_parse_text(o, "series", false, r->series, sizeof r->series, d);
    case CONTROL_RELEASE:
        return parse_release(o, &r->release, d);
    case CONTROL_AUDIT:
        return parse_audit(o, &r->audit, d);
    case CONTROL_RATES:
        return control_parse_rates(o, &r->rates, d);
    case CONTROL_HOLD:
        return parse_hold(o, &r->hold_s, d);
    case CONTROL_REPORT:
        return control_parse_report(o, &r->report, d);
    case CONTROL_CLOSE:
        return control_parse_closing(o, &r->closing, d);
    case CONTROL_CLOCK:
        return control_parse_text(o, "author", true, r->confirmation.author, sizeof r->confirmation.author,
                                  d);
    case CONTROL_STATUS:
    case CONTROL_FLUSH:
        return ERR_OK;
    }
    return ERR_OK;
}

enum err collector_control_parse(const char *text, size_t len, struct control_request *out, struct diag *d)
{
    json_error_t error;
    struct control_request r = {0};
    if (len > COLLECTOR_CONTROL_MAX_BYTES)
        return diag_fail(d, ERR_INVALID, "the request has more than %d bytes", COLLECTOR_CONTROL_MAX_BYTES);
    json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!o)
        return diag_fail(d, ERR_INVALID, "the request is not JSON: %s at byte %d", error.text,
                         error.position);
    enum err e = json_is_object(o) ? parse_command(o, &r.command, d)
                                   : diag_fail(d, ERR_INVALID, "the request is not a JSON object");
    if (e == ERR_OK)
        e = parse_members(o, &r, d);
    json_decref(o);
    if (e == ERR_OK)
        *out = r;
    return e;
}

// ---- asking the other threads -------------------------------------------------------------------
static void drop_late_answers(struct control *c)
{
    void *p;
    while (queue_take(c->inbox, 0, &p) == ERR_OK)
        item_destroy(p);
}

// The item comes back filled in, or NULL: nobody took it or answered in time.
struct item *control_ask(struct control *c, struct queue *to, struct item *item, int timeout_ms)
{
    void *p;
    if (!item || !to)
        goto fail;
    drop_late_answers(c);
    if (queue_give(to, item) != ERR_OK)
        goto fail;
    for (;;) {
        if (queue_take(c->inbox, timeout_ms, &p) != ERR_OK)
            return NULL;
        if (p == item)
            return item;
        item_destroy(p); // the answer to an earlier question that took too long
    }
fail:
    item_destroy(item);
    return NULL;
}

// A text that quotes the request may hold what is not UTF-8, which JSON can't carry.
static json_t *text_json(const char *text)
{
    char ascii[sizeof(struct diag)];
    size_t n = 0;
    json_t *whole = json_string(text);
    if (whole)
        return whole;
    for (; text[n] && n < sizeof ascii - 1; n++)
        ascii[n] = (unsigned char)text[n] < 0x80 ? text[n] : '?';
    ascii[n] = '\0';
    return json_string(ascii);
}

json_t *control_failure(const char *text)
{
    return json_pack("{s:b, s:o}", "ok", 0, "error", text_json(text));
}

// ---- status -------------------------------------------------------------------------------------
static const char *state_name(const struct counters *c)
{
    if (collector_gauge(c, GAUGE_CLOCK_BEHIND_S) > 0)
        return "clock-behind";
    switch (collector_gauge(c, GAUGE_SPACE)) {
    case SPACE_LOW:
        return "low-space";
    case SPACE_NONE:
        return "no-space";
    default:
        return "running";
    }
}

static json_t *status(struct control *c)
{
    struct diag d = {0};
    json_t *o = NULL;
    struct item *item = control_ask(c, c->to_ingest, item_create(ITEM_SNAPSHOT, c->inbox), SNAPSHOT_MS);
    struct status_input in = {.state = state_name(c->counters),
                              .reader = c->reader,
                              .counters = c->counters,
                              .snapshot = item ? item->snapshot : NULL,
                              .rrd = cursor_position(c->rrd_landed),
                              .observations = cursor_position(c->observed),
                              .now_us = clock_wall(clock_system()).us};
    enum err e = collector_status_json(&in, &o, &d);
    item_destroy(item);
    return e == ERR_OK ? o : control_failure(d.text[0] ? d.text : err_text(e));
}

// ---- flush --------------------------------------------------------------------------------------
// A projection that is far behind can't catch up within the time, and one that has not moved since somebody
// waited for it in vain (a full disk) won't now: waiting would only hold up other requests.
static bool flush_cursor(struct cursor *projection, uint64_t position, int64_t deadline_ms, uint64_t *stuck)
{
    uint64_t at = cursor_position(projection);
    int64_t left_ms = deadline_ms - clock_mono(clock_system()).us / US_PER_MS;
    if (at >= position || position - at > FLUSH_LAG_MAX || left_ms <= 0 || *stuck == at + 1)
        return at >= position;
    bool there = cursor_wait(projection, position, (int)left_ms);
    *stuck = !there && cursor_position(projection) == at ? at + 1 : 0;
    return there;
}

static json_t *flush(struct control *c)
{
    uint64_t position = cursor_position(c->committed);
    int64_t deadline_ms = clock_mono(clock_system()).us / US_PER_MS + COLLECTOR_FLUSH_MS;
    if (c->rrd_asked && cursor_position(c->rrd_landed) < position) {
        atomic_store(c->rrd_asked, position);
        cursor_wake(c->committed); // the writer may be gathering
    }
    bool rrd = flush_cursor(c->rrd_landed, position, deadline_ms, &c->rrd_stuck);
    bool observed = flush_cursor(c->observed, position, deadline_ms, &c->observed_stuck);
    return json_pack("{s:b, s:b, s:I, s:I, s:I}", "ok", 1, "flushed", rrd && observed, "position",
                     (json_int_t)position, "rrd", (json_int_t)cursor_position(c->rrd_landed), "observations",
                     (json_int_t)cursor_position(c->observed));
}

// ---- changes ------------------------------------------------------------------------------------
json_t *control_reply(struct item *item, json_t *done)
{
    json_t *reply = done;
    if (item && item->admin->result != ERR_OK) {
        const struct item_admin *a = item->admin;
        json_decref(done);
        reply = control_failure(a->diag.text[0] ? a->diag.text : err_text(a->result));
        json_object_set_new(reply, "code", json_string(err_name(a->result)));
    }
    item_destroy(item);
    return reply;
}

const char control_no_answer[] =
    "the collector is busy or has no space: it did not answer in time; try again";

static json_t *release(struct control *c, const struct control_request *r)
{
    struct item *item = item_create(ITEM_RELEASE, c->inbox);
    if (item) {
        item->admin->release = r->release;
        memcpy(item->admin->release.who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure(control_no_answer);
    const struct release_request *done = &item->admin->release;
    return control_reply(item,
                         json_pack("{s:b, s:I, s:I, s:I}", "ok", 1, "released", (json_int_t)done->released,
                                   "already", (json_int_t)done->already, "held", (json_int_t)done->held));
}

static struct item *ask_rebuild(struct control *c, struct queue *to, const char *series)
{
    struct item *item = item_create(ITEM_REBUILD, c->inbox);
    if (item)
        memcpy(item->admin->series, series, strlen(series) + 1);
    return control_ask(c, to, item, CONTROL_ANSWER_MS);
}

// NULL: not stored in time.
static struct item *ask_audit(struct control *c, const struct audit_entry *entry)
{
    struct item *item = item_create(ITEM_AUDIT, c->inbox);
    if (item)
        item->admin->audit = *entry;
    return control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS);
}

static bool audit_rebuild(struct control *c, const char *series, uint64_t count)
{
    struct audit_entry entry;
    audit_entry_set(&entry, AUDIT_REBUILD, AUDIT_DONE, c->who, series, "%llu series",
                    (unsigned long long)count);
    struct item *item = ask_audit(c, &entry);
    bool stored = item && item->admin->result == ERR_OK;
    item_destroy(item);
    return stored;
}

// What was refused may come a thousand times a second: it is counted and written with what follows.
static json_t *audit(struct control *c, const struct control_request *r)
{
    struct audit_entry entry = r->audit;
    size_t len = strlen(entry.who);
    snprintf(entry.who + len, sizeof entry.who - len, "%s%s", len ? " via " : "", c->who);
    if (entry.outcome == AUDIT_REFUSED) {
        audit_tally_note(c->tally, entry.event, entry.outcome, entry.who, entry.object, entry.count,
                         entry.detail);
        return json_pack("{s:b, s:b}", "ok", 1, "counted", 1);
    }
    struct item *item = ask_audit(c, &entry);
    if (!item)
        return control_failure(control_no_answer);
    return control_reply(
        item, json_pack("{s:b, s:I}", "ok", 1, "position", (json_int_t)item->admin->audit.position));
}

static json_t *rebuild(struct control *c, const struct control_request *r)
{
    struct item *item = NULL;
    if (!r->series[0]) { // everything: what the files are rebuilt from as well
        if (!(item = ask_rebuild(c, c->to_observer, "")))
            return control_failure(control_no_answer);
        if (item->admin->result != ERR_OK)
            return control_reply(item, NULL);
        item_destroy(item);
    }
    if (!(item = ask_rebuild(c, c->to_rrd, r->series)))
        return control_failure(control_no_answer);
    if (item->admin->result == ERR_OK && !audit_rebuild(c, r->series, item->admin->count)) {
        item_destroy(item);
        return control_failure(control_no_answer);
    }
    return control_reply(item, json_pack("{s:b, s:I}", "ok", 1, "series", (json_int_t)item->admin->count));
}

static json_t *hold(struct control *c, const struct control_request *r)
{
    int64_t until_s = clock_wall(clock_system()).us / US_PER_S + r->hold_s;
    collector_gauge_set(c->counters, GAUGE_RETENTION_HELD_UNTIL_S, until_s);
    return json_pack("{s:b, s:I}", "ok", 1, "until_s", (json_int_t)until_s);
}

static json_t *dispatch(struct control *c, const struct control_request *r)
{
    switch (r->command) {
    case CONTROL_STATUS:
        return status(c);
    case CONTROL_FLUSH:
        return flush(c);
    case CONTROL_ADMIT:
    case CONTROL_REVOKE:
    case CONTROL_INVITE:
    case CONTROL_WITHDRAW:
    case CONTROL_MOVE:
        return control_identity(c, r);
    case CONTROL_REBUILD:
        return rebuild(c, r);
    case CONTROL_RELEASE:
        return release(c, r);
    case CONTROL_AUDIT:
        return audit(c, r);
    case CONTROL_RATES:
        return control_rates(c, r);
    case CONTROL_HOLD:
        return hold(c, r);
    case CONTROL_REPORT:
        return control_report(c, r);
    case CONTROL_CLOSE:
        return control_closing(c, r);
    case CONTROL_CLOCK:
        return control_clock(c, r);
    }
    return control_failure("unknown command");
}

char *collector_control_handle(struct control *c, const char *text, size_t len)
{
    struct control_request r;
    struct diag d = {0};
    collector_count(c->counters, COUNTER_CONTROL_REQUESTS, 1);
    enum err e = collector_control_parse(text, len, &r, &d);
    json_t *reply = e == ERR_OK ? dispatch(c, &r) : control_failure(d.text);
    if (e != ERR_OK)
        audit_tally_note(c->tally, AUDIT_REQUEST, AUDIT_REFUSED, c->who, "", 1, d.text);
    if (!json_is_true(json_object_get(reply, "ok")))
        collector_count(c->counters, COUNTER_CONTROL_REFUSED, 1);
    char *out = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
    json_decref(reply);
    return out;
}
