// query: exact figures of one series straight from the files, read only; nothing needs to run.
#include "base/figure.h"
#include "collector/commands.h"
#include "collector/query_total.h"
#include "collector/when.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include "store/observations.h"
#include "store/rrd.h"
#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400 };

struct query {
    const struct ledger_series *series;
    enum query_format format;
    uint64_t count;
    uint32_t span_s; // of the figure that is printed: 0 when it is for the series' step or period
};

// ---- one figure ---------------------------------------------------------------------------------
static void value_text(const char *code, struct figure value, char out[FIGURE_TEXT])
{
    const struct currency *currency = code[0] ? currency_find(code) : NULL;
    if (currency)
        money_text(value, currency, out);
    else
        figure_text(value, out);
}

// A JSON string where exactness needs one: money is decimal text, everything else a number.
static void print_json(struct query *q, const char *key, const char *when, const char *code,
                       struct figure value)
{
    char text[FIGURE_TEXT];
    value_text(code, value, text);
    printf("%s\n  {\"%s\": \"%s\", \"value\": ", q->count ? "," : "", key, when);
    if (value.kind == FIGURE_MISSING)
        fputs("null", stdout);
    else
        printf(code[0] ? "\"%s\"" : "%s", text);
    if (code[0])
        printf(", \"currency\": \"%s\"", code);
    if (q->span_s)
        printf(", \"span_s\": %u", (unsigned)q->span_s);
    fputs("}", stdout);
}

static void print_figure(struct query *q, const char *key, const char *when, const char *code,
                         struct figure value)
{
    char text[FIGURE_TEXT];
    value_text(code, value, text);
    if (q->format == QUERY_JSON)
        print_json(q, key, when, code, value);
    else if (q->format == QUERY_CSV && q->series->class == WIRE_MEASUREMENT)
        printf("%s,%s,%s,%u\n", when, text, code[0] ? code : q->series->unit,
               (unsigned)(q->span_s ? q->span_s : q->series->step_s));
    else if (q->format == QUERY_CSV)
        printf("%s,%s,%s\n", when, text, code[0] ? code : q->series->unit);
    else
        printf("%-20s  %20s %s%s\n", when, value.kind == FIGURE_MISSING ? "unknown" : text,
               code[0] ? code : q->series->unit,
               q->span_s == 0      ? ""
               : q->span_s == 3600 ? "  (its hour)"
                                   : "  (its part of an hour)");
    q->count++;
}

static enum err print_point(void *ctx, const struct point *p)
{
    struct query *q = ctx;
    char when[WALL_TEXT];
    wall_text((struct wall){p->time * US_PER_S}, when);
    q->span_s = p->cell ? p->span_s : 0;
    print_figure(q, "time", when, q->series->currency, p->value);
    return ERR_OK;
}

static enum err print_observation(void *ctx, const struct observation *o)
{
    struct query *q = ctx;
    char when[PERIOD_TEXT];
    period_text((struct period){.kind = (enum period_kind)q->series->period, .start = o->period_start}, when);
    print_figure(q, "period", when, o->currency[0] ? o->currency : q->series->currency, o->value);
    return ERR_OK;
}

// ---- the whole answer ---------------------------------------------------------------------------
static void print_head(const struct query *q)
{
    const struct ledger_series *s = q->series;
    if (q->format == QUERY_JSON)
        printf(
            "{\"series\": \"%s\", \"unit\": \"%s\", \"currency\": \"%s\", \"class\": \"%s\", \"step_s\": %u, "
            "\"period\": \"%s\", \"points\": [",
            s->name, s->unit, s->currency, s->class == WIRE_REPORT ? "report" : "measurement",
            (unsigned)s->step_s,
            s->class == WIRE_REPORT ? period_kind_name((enum period_kind)s->period) : "");
    else if (q->format == QUERY_CSV)
        printf("%s,value,%s%s\n", s->class == WIRE_REPORT ? "period" : "time",
               s->currency[0] ? "currency" : "unit", s->class == WIRE_REPORT ? "" : ",span_s");
}

static enum err print_series(struct query *q, struct reader *r, struct observations_reader *o, int64_t from,
                             int64_t to, struct diag *d)
{
    enum err e;
    print_head(q);
    if (q->series->class == WIRE_REPORT) {
        struct observation_query query = {.series_id = q->series->series_id,
                                          .from = (int32_t)(from / DAY_S),
                                          .to = (int32_t)((to + DAY_S - 1) / DAY_S)};
        e = observations_query(o, &query, print_observation, q, d);
    } else {
        e = points_read(o, r, q->series, from, to, SIZE_MAX, print_point, q, d);
    }
    if (q->format == QUERY_JSON)
        puts("\n]}");
    return e;
}

static int print_path(const struct collector_config *c, const struct ledger_series *s)
{
    char path[RRD_PATH_MAX];
    if (rrd_path(c->state, s->series_id, path) != ERR_OK)
        return collector_complain(ERR_TOO_BIG, NULL);
    puts(path);
    return EXIT_DONE;
}

// ---- the command --------------------------------------------------------------------------------
static bool parse_format(const struct command_line *line, enum query_format *out)
{
    static const char *const names[] = {"text", "json", "csv"};
    const char *wanted = line->format ? line->format : line->json ? "json" : "text";
    for (int i = 0; i < 3; i++) {
        if (strcmp(names[i], wanted) == 0) {
            *out = (enum query_format)i;
            return true;
        }
    }
    fprintf(stderr, "esep-collector: --format is text, json or csv, not '%s'\n", wanted);
    return false;
}

static bool parse_when(const char *option, const char *text, bool end, int64_t absent, int64_t *out)
{
    *out = absent;
    if (!text || collector_when(text, clock_wall(clock_system()), end, out) == ERR_OK)
        return true;
    fprintf(stderr, "esep-collector: %s: '%s' is not a moment; see esep-collector --help\n", option, text);
    return false;
}

// *s is NULL where nothing was declared under that name: it may be a total.
static enum err open_files(const struct collector_config *c, const char *name, struct reader **r,
                           struct observations_reader **o, const struct ledger_series **s, struct diag *d)
{
    enum err e = reader_open(c->state, r, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "there is no ledger in %s yet: no collector has run there", c->state);
    if (e == ERR_OK)
        e = reader_series_by_name(*r, name, s, d);
    if (e == ERR_NOT_FOUND) {
        *s = NULL;
        e = ERR_OK;
    }
    return e == ERR_OK ? observations_reader_open(c->state, o, d) : e;
}

static enum err print_total(const struct command_line *line, const struct collector_config *c,
                            struct reader *r, struct observations_reader *o, const struct query *q,
                            int64_t from, int64_t to, struct diag *d)
{
    const char *name = line->words[0];
    if (line->file)
        return diag_fail(d, ERR_NOT_FOUND, "'%s' has no round-robin file: no such series is stored", name);
    int32_t first = line->from ? (int32_t)(from / DAY_S) : INT32_MIN;
    enum err e = query_total(c, name, r, o, first, (int32_t)((to + DAY_S - 1) / DAY_S), q->format, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "no series is named '%s'; nothing has been declared under it", name);
    return e;
}

int collector_command_query(const struct command_line *line, const struct collector_config *c)
{
    struct reader *r = NULL;
    struct observations_reader *o = NULL;
    struct query q = {0};
    struct diag d = {0};
    int64_t from, to, now_s = clock_wall(clock_system()).us / US_PER_S;
    if (!parse_format(line, &q.format) || !parse_when("--from", line->from, false, INT64_MIN, &from) ||
        !parse_when("--to", line->to, true, now_s + DAY_S, &to))
        return EXIT_USAGE;
    int code = EXIT_DONE;
    enum err e = open_files(c, line->words[0], &r, &o, &q.series, &d);
    if (e == ERR_OK && !q.series) {
        e = print_total(line, c, r, o, &q, from, to, &d);
    } else if (e == ERR_OK && line->file) {
        code = print_path(c, q.series);
    } else if (e == ERR_OK) {
        if (!line->from) // all of a report, the last day of a machine
            from = q.series->class == WIRE_REPORT ? INT64_C(-2208988800) : now_s - DAY_S;
        e = print_series(&q, r, o, from, to, &d);
    }
    if (e != ERR_OK)
        code = collector_complain(e, &d);
    observations_reader_close(o);
    reader_close(r);
    return code;
}
