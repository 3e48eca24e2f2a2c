// Series are copied out of the reader: pages keep them while they ask further questions of it.

#include "dashboards/board.h"
#include "dashboards/inside.h"
#include "kpi/project.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loading {
    struct site *site;
    const struct viewer *viewer;
    struct board *board;
    size_t cap;
};

// False: not to be seen, or a name the ledger would not have taken.
static bool may_see(const struct viewer *v, const char *series, struct series_name *name)
{
    return series_parse(series, name) == ERR_OK && access_may_series(v, name->park, name->resident);
}

void board_join(struct site *s, struct board_row *r)
{
    r->park = parks_find(&s->parks, r->name.park);
    r->resident = r->park ? park_resident(r->park, r->name.resident) : NULL;
    r->kpi = catalogue_find(s->catalogue, r->name.kpi);
    r->simulated = r->resident && r->resident->simulated;
    r->measure.unit = catalogue_unit(s->catalogue, r->series.unit);
    r->measure.unit_code = r->series.unit;
    r->measure.currency = *r->series.currency ? currency_find(r->series.currency) : NULL;
    r->measure.currency_code = r->series.currency;
}

static enum err add(void *ctx, const struct ledger_series *series)
{
    struct loading *l = ctx;
    struct board *b = l->board;
    struct series_name name = {0};
    if (!may_see(l->viewer, series->name, &name))
        return ERR_OK;
    if (b->count == BOARD_MAX)
        return ERR_TOO_BIG;
    if (b->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 64;
        struct board_row *rows = realloc(b->rows, cap * sizeof *rows);
        if (!rows)
            return ERR_NOMEM;
        b->rows = rows;
        l->cap = cap;
    }
    struct board_row *r = &b->rows[b->count++];
    memset(r, 0, sizeof *r);
    r->series = *series;
    r->name = name;
    return ERR_OK;
}

// Rows may have moved while the list grew, so pointers into them are set when it is complete.
static enum err complete(struct site *s, const struct readers *store, struct board_row *r, struct diag *d)
{
    board_join(s, r);
    enum err e = observations_latest(store->observations, r->series.series_id, &r->latest, d);
    r->has_latest = e == ERR_OK;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

// Those that are kept from this viewer go before anything is read of them.
static enum err keep_open(const struct readers *store, struct board *b, struct diag *d)
{
    size_t kept = 0;
    enum err e = ERR_OK;
    for (size_t i = 0; i < b->count && e == ERR_OK; i++) {
        const struct series_name *n = &b->rows[i].name;
        bool withheld = true;
        e = inside_withheld(store, n->park, n->resident, n->kpi, &withheld, d);
        if (!withheld && kept++ != i)
            b->rows[kept - 1] = b->rows[i];
    }
    b->count = kept;
    return e;
}

// Both ways: what is asked for may be part of what may be seen, or the other way round.
static enum err list_within(struct loading *l, const struct readers *store, const char *asked,
                            const char *visible, struct diag *d)
{
    size_t asked_len = strlen(asked), visible_len = strlen(visible);
    if (strncmp(asked, visible, asked_len < visible_len ? asked_len : visible_len) != 0)
        return ERR_OK;
    return reader_series_list(store->reader, asked_len < visible_len ? visible : asked, add, l, d);
}

enum err board_load(struct site *s, const struct readers *store, const char *prefix, struct board *out,
                    struct diag *d)
{
    struct board b = {0};
    struct loading l = {.site = s, .viewer = store->viewer, .board = &b};
    struct access_prefixes visible;
    enum err e = access_prefixes(store->viewer, &visible);
    if (e)
        return e;
    for (size_t i = 0; i < visible.count && !e; i++)
        e = list_within(&l, store, prefix, visible.at[i], d);
    access_prefixes_free(&visible);
    if (!e)
        e = keep_open(store, &b, d);
    for (size_t i = 0; i < b.count && !e; i++)
        e = complete(s, store, &b.rows[i], d);
    if (e)
        board_free(&b);
    else
        *out = b;
    return e;
}

enum err board_load_one(struct site *s, const struct readers *store, const char *name, struct board_row *out,
                        struct diag *d)
{
    const struct ledger_series *series;
    struct series_name parsed = {0};
    bool withheld = false, seen = may_see(store->viewer, name, &parsed);
    enum err e =
        seen ? inside_withheld(store, parsed.park, parsed.resident, parsed.kpi, &withheld, d) : ERR_OK;
    if (!seen || withheld)
        return diag_fail(d, ERR_NOT_FOUND, "there is no series %s", name);
    if (!e)
        e = reader_series_by_name(store->reader, name, &series, d);
    if (e)
        return e;
    memset(out, 0, sizeof *out);
    out->series = *series;
    out->name = parsed;
    return complete(s, store, out, d);
}

void board_free(struct board *b)
{
    free(b->rows);
    *b = (struct board){0};
}

static struct period latest_period(const struct board_row *r)
{
    return (struct period){.kind = (enum period_kind)r->series.period, .start = (int32_t)r->latest.time};
}

int64_t board_latest_end_s(const struct board_row *r)
{
    return r->series.class == WIRE_REPORT ? (int64_t)period_end(latest_period(r)) * 86400 : r->latest.time;
}

int32_t board_latest_end_day(const struct board_row *r, const struct zone *z)
{
    return r->series.class == WIRE_REPORT ? period_end(latest_period(r))
                                          : zone_day(z, r->latest.time - 1) + 1;
}

bool board_is_fresh(const struct board_row *r, int64_t now_us)
{
    if (!r->has_latest)
        return false;
    if (r->series.class == WIRE_REPORT) {
        struct period p = latest_period(r);
        int64_t days = period_end(p) - p.start + 31;
        return now_us - r->latest.received_us < days * 86400 * US_PER_S;
    }
    int64_t allowed_s = 5 * (int64_t)r->series.step_s;
    return now_us / US_PER_S - r->latest.time <= (allowed_s > 60 ? allowed_s : 60);
}

enum kpi_topic board_topic(const struct board_row *r)
{
    return r->kpi ? r->kpi->topic : TOPIC_PARK;
}

bool board_is_flow(const struct board_row *r)
{
    return r->kpi && r->kpi->kind == KPI_FLOW;
}

const char *board_owner(const struct board_row *r, enum lang lang)
{
    bool total = strcmp(r->name.resident, SERIES_RESIDENT_ALL) == 0;
    if (r->resident)
        return r->resident->names.text[lang];
    return total && r->park ? r->park->names.text[lang] : r->name.resident;
}

void board_title(char out[SHOW_TEXT], const struct board_row *r, enum lang lang)
{
    const char *name = r->kpi ? r->kpi->names.text[lang] : r->name.kpi;
    const struct dimension *dimension = r->park ? park_dimension(r->park, r->name.dimension) : NULL;
    const char *of = dimension ? dimension->names.text[lang] : r->name.dimension;
    int stage = strcmp(r->name.kpi, PROJECT_KPI_DONE) == 0 ? project_stage_parse(r->name.dimension) : -1;
    if (stage >= 0)
        of = show_project_stage(stage, lang);
    if (r->kpi && strcmp(r->kpi->unit->code, "any") == 0 && dimension)
        snprintf(out, SHOW_TEXT, "%s", of); // a published statistic: its name is the dimension's
    else if (*of)
        snprintf(out, SHOW_TEXT, "%s: %s", name, of);
    else
        snprintf(out, SHOW_TEXT, "%s", name);
}

void board_latest_when(char out[SHOW_TEXT], const struct board_row *r, const struct zone *z)
{
    char text[PERIOD_TEXT];
    if (r->series.class != WIRE_REPORT) {
        show_moment(out, r->latest.time, z);
        return;
    }
    period_text(latest_period(r), text);
    snprintf(out, SHOW_TEXT, "%s", text);
}
