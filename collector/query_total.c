// Totals are not stored, so the command needs what the dashboard needs: catalogue, profile and zone.
#include "collector/query_total.h"
#include "store/totals.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPANS_MAX 20000

struct total {
    struct catalogue *catalogue;
    struct parks parks;
    struct zone *zone;
    struct totals_place place;
    struct total_series series;
    struct span *spans;
    struct kpi_total *figures;
    size_t count;
    struct totals_said said;
};

static void total_free(struct total *t)
{
    free(t->spans);
    free(t->figures);
    zone_free(t->zone);
    parks_free(&t->parks);
    catalogue_free(t->catalogue);
}

static enum err find(const struct collector_config *c, const char *text, struct total *t, struct diag *d)
{
    struct series_name name = {0};
    enum err e = series_parse(text, &name) == ERR_OK ? ERR_OK : ERR_NOT_FOUND;
    if (e == ERR_OK)
        e = catalogue_load(c->catalogue, &t->catalogue, d);
    if (e == ERR_OK)
        e = parks_load(c->parks, t->catalogue, &t->parks, d);
    if (e != ERR_OK)
        return e;
    t->place.catalogue = t->catalogue;
    t->place.park = parks_find(&t->parks, name.park);
    if (!t->place.park)
        return ERR_NOT_FOUND;
    e = zone_load(NULL, t->place.park->time_zone, &t->zone, d);
    t->place.zone = t->zone;
    return e == ERR_OK ? totals_find(&t->place, &name, &t->series, d) : e;
}

static enum span_kind span_of(enum period_kind p)
{
    return p == PERIOD_YEAR      ? SPAN_YEAR
           : p == PERIOD_QUARTER ? SPAN_QUARTER
           : p == PERIOD_MONTH   ? SPAN_MONTH
                                 : SPAN_DAY;
}

static enum err make(struct total *t, int32_t from, int32_t to, struct diag *d)
{
    bool all = strcmp(t->series.name.resident, SERIES_RESIDENT_ALL) == 0;
    enum span_kind kind = span_of(t->series.period);
    int64_t received_us;
    int32_t end = to;
    enum err e = ERR_OK;
    if (from == INT32_MIN)
        e = totals_first_day(&t->place, &t->series, &from, d);
    if (e == ERR_OK)
        e = totals_newest(&t->place, &t->series, &end, &received_us, d);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    if (end > to)
        end = to;
    size_t count = from < end ? calendar_spans(&t->place.park->calendar, kind, from, end, NULL, 0) : 0;
    if (count > SPANS_MAX)
        return diag_fail(d, ERR_TOO_BIG, "%zu periods are too many: ask for fewer with --from and --to",
                         count);
    t->spans = calloc(count + 1, sizeof *t->spans);
    t->figures = calloc(count + 1, sizeof *t->figures);
    if (!t->spans || !t->figures)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    t->count = count ? calendar_spans(&t->place.park->calendar, kind, from, end, t->spans, count) : 0;
    const struct totals_question q = {.kpi = t->series.kpi,
                                      .resident = all ? "" : t->series.name.resident,
                                      .dimension = t->series.name.dimension,
                                      .spans = t->spans,
                                      .count = t->count};
    return totals_read(&t->place, &q, t->figures, &t->said, d);
}

static void print_one(const struct total *t, size_t i, enum query_format format)
{
    char when[SPAN_TEXT], value[TALLY_TEXT];
    const struct kpi_total *f = &t->figures[i];
    const struct currency *c = t->series.kpi->money ? t->said.currency : NULL;
    const char *unit = c ? c->code : t->series.unit,
               *why = f->why == TOTAL_KNOWN ? "" : total_why_word(f->why);
    bool known = f->value.kind != FIGURE_MISSING;
    span_text(t->spans[i], when);
    huge_text(&f->huge, f->value, c ? c->decimals : 0, value);
    if (format == QUERY_CSV) {
        printf("%s,%s,%s,%u,%u,%u,%s\n", when, value, unit, f->contributors, f->missing, f->partial, why);
    } else if (format == QUERY_TEXT) {
        printf("%-12s  %24s %s  of %u, %u missing%s%s\n", when, known ? value : "unknown", unit,
               f->contributors + f->missing, f->missing, *why ? "; " : "",
               *why ? total_why_text(f->why) : "");
    } else {
        const char *quote = known && c ? "\"" : "";
        printf("%s\n  {\"period\": \"%s\", \"value\": %s%s%s, \"contributors\": %u, \"missing\": %u, "
               "\"partial\": %u, \"why\": %s%s%s}",
               i ? "," : "", when, quote, known ? value : "null", quote, f->contributors, f->missing,
               f->partial, *why ? "\"" : "", *why ? why : "null", *why ? "\"" : "");
    }
}

static void print_all(const struct total *t, const char *name, enum query_format format)
{
    const struct currency *c = t->series.kpi->money ? t->said.currency : NULL;
    if (format == QUERY_CSV)
        puts("period,value,unit,contributors,missing,partial,why");
    if (format == QUERY_JSON)
        printf("{\"series\": \"%s\", \"unit\": \"%s\", \"currency\": \"%s\", \"class\": \"computed\", "
               "\"period\": "
               "\"%s\", \"points\": [",
               name, t->series.unit, c ? c->code : "", period_kind_name(t->series.period));
    for (size_t i = 0; i < t->count; i++)
        print_one(t, i, format);
    if (format == QUERY_JSON)
        puts("\n]}");
}

enum err query_total(const struct collector_config *c, const char *name, struct reader *r,
                     struct observations_reader *o, int32_t from, int32_t to, enum query_format format,
                     struct diag *d)
{
    struct total t = {.place = {.observations = o, .reader = r, .now_us = clock_wall(clock_system()).us}};
    enum err e = find(c, name, &t, d);
    if (e == ERR_OK)
        e = make(&t, from, to, d);
    if (e == ERR_OK)
        print_all(&t, name, format);
    total_free(&t);
    return e;
}
