// The list of series with their newest figures.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/computed.h"
#include "dashboards/params.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put_latest(struct writer *j, const struct board_row *r, int64_t now_us)
{
    char period[PERIOD_TEXT];
    if (!r->has_latest) {
        writer_null(j, "latest");
        return;
    }
    writer_object(j, "latest");
    if (r->series.class == WIRE_REPORT) {
        period_text((struct period){(enum period_kind)r->series.period, (int32_t)r->latest.time}, period);
        writer_text(j, "period", period);
        writer_integer(j, "time", r->latest.time * 86400);
        writer_integer(j, "period_end", board_latest_end_s(r));
    } else {
        writer_integer(j, "time", r->latest.time);
    }
    api_sum(j, r->latest.value, &r->huge, r->measure.currency);
    writer_time(j, "received", r->latest.received_us);
    writer_bool(j, "fresh", board_is_fresh(r, now_us));
    writer_end_object(j);
}

static void put_series(struct writer *j, const struct board_row *r, int64_t now_us)
{
    writer_object(j, NULL);
    writer_text(j, "name", r->series.name);
    writer_text(j, "park", r->name.park);
    writer_text(j, "resident", r->name.resident);
    writer_text(j, "kpi", r->name.kpi);
    writer_text_or_null(j, "dimension", r->name.dimension);
    writer_text_or_null(j, "unit", r->series.unit);
    writer_text_or_null(j, "currency", r->series.currency);
    writer_text(j, "class", r->computed ? "computed" : api_class(r->series.class));
    writer_text(j, "kind", r->kpi ? kpi_kind_name(r->kpi->kind) : NULL);
    if (r->series.class == WIRE_REPORT) {
        writer_null(j, "step");
        writer_text(j, "period", period_kind_name((enum period_kind)r->series.period));
    } else {
        writer_integer(j, "step", r->series.step_s);
        writer_null(j, "period");
    }
    writer_bool(j, "simulated", r->simulated);
    put_latest(j, r, now_us);
    writer_end_object(j);
}

static bool is(const char *wanted, const char *part)
{
    return !wanted || strcmp(wanted, part) == 0;
}

static bool chosen(const struct exchange *x, const struct board_row *r)
{
    const char *after = exchange_param(x, "after");
    return is(exchange_param(x, "park"), r->name.park) &&
           is(exchange_param(x, "resident"), r->name.resident) && is(exchange_param(x, "kpi"), r->name.kpi) &&
           is(exchange_param(x, "series"), r->series.name) && (!after || strcmp(r->series.name, after) > 0);
}

static void put_list(struct exchange *x, const struct board *b, int64_t limit, int64_t now_us)
{
    struct writer j;
    const char *last = NULL;
    bool more = false;
    api_begin(x, &j);
    writer_object(&j, NULL);
    writer_array(&j, "series");
    for (size_t i = 0; i < b->count && !more; i++) {
        if (!chosen(x, &b->rows[i]))
            continue;
        more = limit == 0;
        if (more)
            break;
        put_series(&j, &b->rows[i], now_us);
        last = b->rows[i].series.name;
        limit--;
    }
    writer_end_array(&j);
    writer_text(&j, "next_after", more ? last : NULL);
    writer_end_object(&j);
    api_end(x, &j);
}

static enum err check_filters(struct exchange *x)
{
    static const char *const parts[] = {"park", "resident", "kpi"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = exchange_param(x, parts[i]);
        if (value && !series_part_valid(value))
            return exchange_fail_param(x, parts[i], "must be a code of small letters, digits, '_', '.', '-'");
    }
    struct series_name name;
    const char *series = exchange_param(x, "series");
    if (series && series_parse(series, &name))
        return exchange_fail_param(x, "series", "must be park/resident/kpi or park/resident/kpi/dimension");
    return ERR_OK;
}

// Totals and computed KPIs are listed like the rest. Their newest figure is made only for the one that is
// asked for by name.
static enum err join_computed(struct site *s, const struct exchange *x, const struct readers *store,
                              struct board *b, struct diag *d)
{
    const char *series = exchange_param(x, "series");
    struct board_row *one;
    if (!series)
        return computed_join(s, store, exchange_param(x, "park"), exchange_param(x, "resident"), b, d);
    if (b->count > 0 || (one = malloc(sizeof *one)) == NULL)
        return ERR_OK;
    enum err e = computed_load_one(s, store, series, one, d);
    if (e == ERR_OK)
        *b = (struct board){.count = 1, .rows = one};
    else
        free(one);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void api_series(struct site *s, struct exchange *x)
{
    struct readers store;
    struct board board = {0};
    struct diag d = {""};
    char prefix[2 * SERIES_PART_MAX + 3] = "";
    int64_t limit = 5000;
    if (params_integer(x, "limit", 1, 20000, &limit) || check_filters(x) || api_store(s, x, &store))
        return;
    const char *park = exchange_param(x, "park"), *resident = exchange_param(x, "resident");
    if (park)
        snprintf(prefix, sizeof prefix, resident ? "%s/%s/" : "%s/", park, resident);
    const char *series = exchange_param(x, "series");
    enum err e = board_load(s, &store, series ? series : prefix, &board, &d);
    if (e == ERR_OK)
        e = join_computed(s, x, &store, &board, &d);
    if (e)
        exchange_fail_err(x, e, d.text);
    else
        put_list(x, &board, limit, site_now_us(s));
    board_free(&board);
}
