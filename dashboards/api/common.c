// What the handlers of the API share.

#include "dashboards/api/api.h"
#include "dashboards/behind.h"
#include "dashboards/computed.h"
#include "kpi/series.h"
#include <stdio.h>
#include <string.h>

struct ahead { // how far the ledger had come when somebody asked
    const struct readers *store;
    uint64_t position; // 0: not known yet
};

// What can't be read is told by who reads it next.
static bool caught_up(void *ctx)
{
    struct ahead *a = ctx;
    uint64_t at = 0;
    int64_t received_us;
    if (a->position == 0 && reader_head(a->store->reader, &a->position, &received_us, NULL) != ERR_OK)
        return true;
    return observations_reader_cursor(a->store->observations, &at, NULL) != ERR_OK || at >= a->position;
}

enum err api_store(struct site *s, struct exchange *x, struct readers *out)
{
    struct diag d = {""};
    enum err e = site_store(s, &x->viewer, out, &d);
    if (e == ERR_NOT_FOUND)
        return exchange_fail(x, 503, "no collector has written figures here yet");
    if (!e) {
        flush_observed(s->flush, caught_up, &(struct ahead){.store = out});
        x->behind = behind_is(out, site_now_us(s));
        return ERR_OK;
    }
    exchange_fail_err(x, e, d.text);
    return exchange_fail(x, 503, "the collector's files cannot be read just now");
}

enum err api_one_series(struct site *s, struct exchange *x, struct readers *store, struct board_row *row)
{
    const char *name = exchange_param(x, "series");
    struct series_name parsed;
    struct diag d = {""};
    if (!name)
        return exchange_fail_param(x, "series",
                                   "is needed: park/resident/kpi or park/resident/kpi/dimension");
    if (series_parse(name, &parsed))
        return exchange_fail_param(
            x, "series", "must be park/resident/kpi or park/resident/kpi/dimension, not '%.100s'", name);
    if (api_store(s, x, store))
        return ERR_INVALID;
    enum err e = board_load_one(s, store, name, row, &d);
    if (e == ERR_NOT_FOUND)
        e = computed_load_one(s, store, name, row, &d);
    if (e == ERR_NOT_FOUND) {
        exchange_fail_param(x, "series", "there is no series '%s'; /api/v1/series lists them", name);
        x->status = 404;
        return ERR_INVALID;
    }
    return e ? exchange_fail_err(x, e, d.text) : ERR_OK;
}

void api_begin(struct exchange *x, struct writer *j)
{
    x->status = 200;
    x->content_type = "application/json; charset=utf-8";
    x->cache_control = "no-store";
    writer_init(j, &x->body);
}

void api_end(struct exchange *x, struct writer *j)
{
    (void)j;
    buf_text(&x->body, "\n");
}

void api_begin_csv(struct exchange *x, const char *series)
{
    x->status = 200;
    x->content_type = "text/csv; charset=utf-8; header=present";
    x->cache_control = "no-store";
    snprintf(x->filename, sizeof x->filename, "%.150s.csv", series);
    for (char *c = x->filename; *c; c++)
        if (*c == '/')
            *c = '_';
}

void api_value(struct writer *j, struct figure f, const struct currency *c)
{
    writer_figure_scaled(j, "value", f, c ? c->decimals : 0);
    if (c && f.kind != FIGURE_REAL)
        writer_figure(j, "minor", f);
}

void api_sum(struct writer *j, struct figure f, const struct huge *h, const struct currency *c)
{
    char text[TALLY_TEXT];
    if (!h->is) {
        api_value(j, f, c);
        return;
    }
    huge_text(h, f, c ? c->decimals : 0, text);
    writer_decimal(j, "value", text);
    huge_text(h, f, 0, text);
    if (c)
        writer_decimal(j, "minor", text);
}

void api_names(struct writer *j, const char *name, const struct names *n)
{
    writer_object(j, name);
    for (int l = 0; l < LANG_COUNT; l++)
        writer_text(j, lang_code((enum lang)l), n->text[l]);
    writer_end_object(j);
}

const char *api_class(enum wire_class c)
{
    return c == WIRE_REPORT ? "report" : c == WIRE_MEASUREMENT ? "measurement" : "control";
}
