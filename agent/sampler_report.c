// A report by hand goes the way of every figure: a batch in the spool, with a note of what a machine would
// not say. What was reported is remembered under the source's name beside what the source reported itself: a
// correction by hand then stands until the source's own figure changes, and a second value for a period is
// noticed whoever gave the first.
#include "agent/report.h"
#include "agent/sampler_internal.h"
#include "agent/sources/figures.h"
#include "agent/sources/reported.h"
#include <stdio.h>
#include <string.h>

#define AHEAD_S (14 * 3600 + WIRE_FUTURE_MAX_S) // a day begins first at UTC+14

struct report {
    const struct feed *feed;
    const struct agent_series *series;
    uint32_t number;
    int64_t day;
    struct figure value;
    struct wire_note note;
    char period[PERIOD_TEXT];
    char own_key[REPORTED_KEY_MAX], hand_key[REPORTED_KEY_MAX];
};

// ---- what it says

static enum err find_series(const struct sampler *s, const char *name, struct report *out, struct diag *d)
{
    char there[400] = "";
    size_t used = 0;
    for (size_t i = 0; i < s->feed_count; i++) {
        const struct feed *f = &s->feeds[i];
        for (size_t k = 0; f->config->class == WIRE_REPORT && k < f->config->series_count; k++) {
            const struct agent_series *series = &f->config->series[k];
            if (strcmp(series->declared, name) == 0) {
                out->feed = f;
                out->series = series;
                out->number = f->numbers[k];
                return ERR_OK;
            }
            int n = used < sizeof there ? snprintf(there + used, sizeof there - used, "%s%s",
                                                   used ? ", " : "", series->declared)
                                        : 0;
            used += n > 0 ? (size_t)n : 0;
        }
    }
    return diag_fail(d, ERR_INVALID,
                     "'%s' is not a report of %s%s%s; add it there, e.g. to a source of kind: hand", name,
                     s->options.config->file, there[0] ? "; there are " : "", there);
}

static enum err read_period(const struct sampler *s, const char *text, struct report *out, struct diag *d)
{
    if (!*text)
        return diag_fail(d, ERR_INVALID, "--period is missing: 2026-03-14, 2026-03, 2026-Q1 or 2026");
    enum err e = figures_report_time(text, out->series->period, &out->day, d);
    if (e != ERR_OK)
        return e;
    const struct period p = {out->series->period, (int32_t)out->day};
    period_text(p, out->period);
    if (!period_valid(p) || out->day < civil_to_days((struct civil){1900, 1, 1}))
        return diag_fail(d, ERR_INVALID, "%s is before 1900", text);
    if (out->day * 86400 > clock_wall(s->options.clock).us / US_PER_S + AHEAD_S)
        return diag_fail(d, ERR_INVALID, "%s has not begun yet", out->period);
    return ERR_OK;
}

static enum err read_status(const char *text, struct report *out, struct diag *d)
{
    static const char letters[] = "APEM";
    const char *at = strlen(text) == 1 ? strchr(letters, *text) : NULL;
    bool missing = out->value.kind == FIGURE_MISSING;
    if (*text && !at)
        return diag_fail(d, ERR_INVALID,
                         "--status '%s' must be A (normal), P (provisional), E (estimated) or M (missing)",
                         text);
    out->note.status = !*text ? (missing ? WIRE_MISSING : WIRE_NORMAL) : (enum wire_status)(at - letters);
    if (missing != (out->note.status == WIRE_MISSING))
        return diag_fail(d, ERR_INVALID,
                         "status M belongs to a missing figure, written '-', and to no other");
    return ERR_OK;
}

static enum err check_text(const char *name, const char *text, size_t max, struct diag *d)
{
    if (strlen(text) > max)
        return diag_fail(d, ERR_INVALID, "%s has %zu bytes, more than %zu", name, strlen(text), max);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return diag_fail(d, ERR_INVALID, "%s must be one line of text", name);
    return harvest_is_utf8(text) ? ERR_OK : diag_fail(d, ERR_INVALID, "%s must be UTF-8", name);
}

static enum err read_note(const struct sampler *s, const struct report_request *r, struct report *out,
                          struct diag *d)
{
    out->note.reason = r->reason;
    out->note.author = r->author;
    out->note.currency = "";
    out->note.confidential = r->confidential;
    enum err e = read_status(r->status, out, d);
    if (e == ERR_OK)
        e = check_text("--reason", r->reason, WIRE_REASON_MAX, d);
    if (e == ERR_OK)
        e = check_text("--author", r->author, WIRE_AUTHOR_MAX, d);
    if (e == ERR_OK && *r->published)
        e = figures_published(r->published, &out->note.published_us, d);
    if (e != ERR_OK)
        return e;
    if (out->note.published_us > clock_wall(s->options.clock).us + WIRE_FUTURE_MAX_S * US_PER_S)
        return diag_fail(d, ERR_INVALID, "--published %s is in the future", r->published);
    if (r->revise && !*r->reason)
        return diag_fail(d, ERR_INVALID, "--revise needs --reason: why is the figure another one now?");
    return ERR_OK;
}

static enum err read_report(const struct sampler *s, const struct report_request *r, struct report *out,
                            struct diag *d)
{
    bool nothing = false;
    enum err e = find_series(s, r->series, out, d);
    if (e == ERR_OK)
        e = read_period(s, r->period, out, d);
    if (e == ERR_OK)
        e = figures_value(r->value, '.', out->series, &out->value, &nothing, d);
    if (e == ERR_OK && nothing)
        out->value = figure_missing();
    return e == ERR_OK ? read_note(s, r, out, d) : e;
}

// ---- what is known

static void value_text(const struct agent_series *s, struct figure value, char out[FIGURE_TEXT])
{
    if (value.kind == FIGURE_MISSING)
        snprintf(out, FIGURE_TEXT, "missing");
    else if (s->money)
        money_text(value, s->money, out);
    else
        figure_text(value, out);
}

// NOT_FOUND: nothing is.
static enum err known_under(struct sampler *s, const struct report *r, const char *key, struct figure *out)
{
    uint8_t bytes[REPORTED_BYTES_MAX];
    size_t len = 0;
    enum err e = spool_position_get(s->options.spool, r->feed->config->name, key, bytes, sizeof bytes, &len);
    return e == ERR_OK ? reported_decode(bytes, len, out) : e;
}

static enum err refuse_second(struct sampler *s, const struct report *r, struct diag *d)
{
    char known[FIGURE_TEXT];
    struct figure value;
    enum err e = known_under(s, r, r->hand_key, &value);
    if (e == ERR_NOT_FOUND)
        e = known_under(s, r, r->own_key, &value);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e != ERR_OK)
        return diag_fail(d, e, "what was reported of %s before cannot be read: %s", r->series->declared,
                         err_text(e));
    value_text(r->series, value, known);
    return diag_fail(d, ERR_CONFLICT,
                     "%s of %s was reported already: %s; to correct it add --revise --reason TEXT",
                     r->series->declared, r->period, known);
}

// ---- the spool

static enum err store(struct sampler *s, const struct report *r, struct diag *d)
{
    const struct spool_state *st = spool_peek(s->options.spool);
    const struct wire_sample sample = {.series = r->number, .time = r->day, .value = r->value};
    uint8_t bytes[REPORTED_BYTES_MAX];
    const struct spool_position known = {.source = r->feed->config->name,
                                         .key = r->hand_key,
                                         .bytes = bytes,
                                         .len = reported_encode(r->value, bytes)};
    struct spool_change change = {.positions = &known, .position_count = 1, .sampled = 1};
    packer_begin(s->packer, &st->incarnation, st->last_written + 1);
    enum err e = packer_add(s->packer, WIRE_REPORT, &sample, &r->note);
    if (e == ERR_OK)
        e = packer_finish(s->packer, &change.rows, &change.row_count);
    if (e == ERR_OK)
        e = spool_append(s->options.spool, &change, d);
    else
        (void)diag_fail(d, e, "the report cannot be packed: %s", err_text(e));
    packer_begin(s->packer, &(struct wire_incarnation){{0}}, 1);
    return e;
}

enum err sampler_report(struct sampler *s, const struct report_request *request, char said[REPORT_ANSWER_MAX],
                        struct diag *d)
{
    struct report r = {0};
    char value[FIGURE_TEXT];
    enum err e = read_report(s, request, &r, d);
    if (e != ERR_OK)
        return e;
    reported_key(r.series, (int32_t)r.day, r.own_key);
    memcpy(r.hand_key, r.own_key, sizeof r.hand_key);
    memcpy(r.hand_key, REPORTED_BY_HAND, strlen(REPORTED_BY_HAND));
    if (!request->revise && (e = refuse_second(s, &r, d)) != ERR_OK)
        return e;
    if ((e = store(s, &r, d)) != ERR_OK)
        return e;
    s->options.changed(s->options.ctx);
    value_text(r.series, r.value, value);
    snprintf(said, REPORT_ANSWER_MAX, "%s of %s: %s%s%s, in the spool", r.series->declared, r.period, value,
             r.series->money ? " " : "", r.series->currency);
    return ERR_OK;
}
