// Which series a total is made of, and which totals there are: both follow from the series that residents
// declared and from the catalogue, nothing else.
#include "store/totals_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 400000

// ---- what a total is made of

bool totals_is_part(const struct kpi *k, const struct kpi *of)
{
    if (k->kind != KPI_COMPUTED)
        return k == of || strcmp(k->weight, of->code) == 0;
    for (size_t i = 0; i < formula_part_count(k->computing); i++) {
        const struct formula_part *part = formula_part_at(k->computing, i);
        if (part->call != FORMULA_TARGET && strcmp(part->kpi, of->code) == 0)
            return true;
    }
    return false;
}

struct loading {
    const struct totals_place *p;
    const struct kpi *kpi;
    bool itself;
    struct totals_lines *out;
};

static enum err take(void *ctx, const struct ledger_series *s)
{
    struct loading *l = ctx;
    struct totals_lines *out = l->out;
    struct series_name name = {0};
    if (series_parse(s->name, &name) != ERR_OK || strcmp(name.resident, SERIES_RESIDENT_ALL) == 0)
        return ERR_OK;
    const struct kpi *kpi = catalogue_find(l->p->catalogue, name.kpi);
    if (!kpi || (l->kpi && !totals_is_part(l->kpi, kpi) && !(l->itself && l->kpi == kpi)))
        return ERR_OK;
    if (out->count == out->cap) {
        size_t cap = out->cap ? 2 * out->cap : 32;
        struct totals_line *more = cap <= LINES_MAX ? realloc(out->at, cap * sizeof *more) : NULL;
        if (!more)
            return cap <= LINES_MAX ? ERR_NOMEM : ERR_TOO_BIG;
        out->at = more;
        out->cap = cap;
    }
    out->at[out->count++] = (struct totals_line){
        .series = *s, .name = name, .kpi = kpi, .resident = park_resident(l->p->park, name.resident)};
    return ERR_OK;
}

enum err totals_lines_load(const struct totals_place *p, const char *resident, const struct kpi *kpi,
                           bool itself, struct totals_lines *out, struct diag *d)
{
    struct totals_lines lines = {0};
    struct loading l = {.p = p, .kpi = kpi, .itself = itself, .out = &lines};
    char prefix[2 * SERIES_PART_MAX + 3];
    snprintf(prefix, sizeof prefix, "%s/%s%s", p->park->code, resident, *resident ? "/" : "");
    enum err e = reader_series_list(p->reader, prefix, take, &l, d);
    if (e != ERR_OK) {
        totals_lines_free(&lines);
        return e == ERR_TOO_BIG || e == ERR_NOMEM ? diag_fail(d, e, "too many series in %s", p->park->code)
                                                  : e;
    }
    *out = lines;
    return ERR_OK;
}

void totals_lines_free(struct totals_lines *l)
{
    free(l->at);
    *l = (struct totals_lines){0};
}

const struct currency *totals_currency(const struct totals_place *p, const struct totals_lines *l)
{
    const struct currency *one = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const struct currency *c = l->at[i].kpi->money ? currency_find(l->at[i].series.currency) : NULL;
        if (c && one && c != one)
            return currency_find(p->park->currency);
        one = c ? c : one;
    }
    return one;
}

// ---- which there are

static bool of_resident(const struct totals_line *l, const char *resident)
{
    return !*resident || strcmp(l->name.resident, resident) == 0;
}

// Somebody has a figure for it, or it is published.
static bool has_part(const struct totals_place *p, const struct totals_lines *l, const struct kpi *k,
                     const char *resident, const char *dimension)
{
    for (size_t i = 0; i < l->count; i++)
        if (l->at[i].kpi == k && of_resident(&l->at[i], resident) &&
            (!k->per_product || !*dimension || strcmp(l->at[i].name.dimension, dimension) == 0))
            return true;
    for (size_t i = 0; i < p->park->statement_count; i++) {
        const struct statement *st = &p->park->statements[i];
        if (st->kind == STATEMENT_CAPACITY && strcmp(st->kpi, k->code) == 0 &&
            (!*resident || strcmp(st->resident, resident) == 0) &&
            (!*dimension || strcmp(st->dimension, dimension) == 0))
            return true;
    }
    return false;
}

static bool has_plan(const struct totals_place *p, const struct kpi *k, const char *resident)
{
    for (size_t i = 0; i < p->park->statement_count; i++) {
        const struct statement *st = &p->park->statements[i];
        if (st->kind == STATEMENT_TARGET && strcmp(st->kpi, k->code) == 0 &&
            strcmp(st->resident, resident) == 0)
            return true;
    }
    return false;
}

static bool can_compute(const struct totals_place *p, const struct totals_lines *l, const struct kpi *k,
                        const char *resident, const char *dimension)
{
    for (size_t i = 0; i < formula_part_count(k->computing); i++) {
        const struct formula_part *part = formula_part_at(k->computing, i);
        const struct kpi *of = catalogue_find(p->catalogue, part->kpi);
        bool there = part->call == FORMULA_TARGET ? has_plan(p, of, resident)
                                                  : has_part(p, l, of, resident, dimension);
        if (!there)
            return false;
    }
    return true;
}

// A part that unlike things are counted in and that somebody reports for this dimension.
static bool has_dimension(const struct totals_lines *l, const struct kpi *k, const char *resident,
                          const char *dimension)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct totals_line *at = &l->at[i];
        bool part =
            k->kind == KPI_COMPUTED ? at->kpi->per_product && totals_is_part(k, at->kpi) : at->kpi == k;
        if (part && of_resident(at, resident) && strcmp(at->name.dimension, dimension) == 0)
            return true;
    }
    return false;
}

static bool reported_itself(const struct totals_lines *l, const struct series_name *name)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->at[i].name.resident, name->resident) == 0 &&
            strcmp(l->at[i].name.kpi, name->kpi) == 0 &&
            strcmp(l->at[i].name.dimension, name->dimension) == 0)
            return true;
    return false;
}

// resident "": the park's.
static bool exists(const struct totals_place *p, const struct totals_lines *l, const struct kpi *k,
                   const char *resident, const char *dimension)
{
    if (k->kind != KPI_COMPUTED && *resident)
        return false;
    if (!total_exists(k, *dimension != '\0'))
        return false;
    if (*dimension && !has_dimension(l, k, resident, dimension))
        return false;
    return k->kind == KPI_COMPUTED ? can_compute(p, l, k, resident, dimension)
                                   : has_part(p, l, k, resident, dimension);
}

static enum period_kind period_of(const struct ledger_series *s)
{
    return s->class == WIRE_REPORT ? (enum period_kind)s->period : PERIOD_DAY;
}

static void describe(const struct totals_place *p, const struct totals_lines *l, const struct kpi *k,
                     const char *resident, const char *dimension, struct total_series *out)
{
    *out = (struct total_series){.kpi = k, .period = PERIOD_DAY};
    snprintf(out->name.park, sizeof out->name.park, "%s", p->park->code);
    snprintf(out->name.resident, sizeof out->name.resident, "%s", *resident ? resident : SERIES_RESIDENT_ALL);
    snprintf(out->name.kpi, sizeof out->name.kpi, "%s", k->code);
    snprintf(out->name.dimension, sizeof out->name.dimension, "%s", dimension);
    snprintf(out->unit, sizeof out->unit, "%s", k->unit->code);
    struct totals_lines parts = {0};
    parts.at = l->count ? calloc(l->count, sizeof *parts.at) : NULL;
    for (size_t i = 0; parts.at && i < l->count; i++) {
        const struct totals_line *at = &l->at[i];
        if (!totals_is_part(k, at->kpi) || !of_resident(at, resident) ||
            (*dimension && *at->name.dimension && strcmp(at->name.dimension, dimension) != 0))
            continue;
        parts.at[parts.count++] = *at;
        if (period_of(&at->series) > out->period)
            out->period = period_of(&at->series);
        out->simulated |= at->resident && at->resident->simulated;
        if (at->kpi == k && !k->money)
            snprintf(out->unit, sizeof out->unit, "%s", at->series.unit);
    }
    out->currency = k->money ? totals_currency(p, &parts) : NULL;
    free(parts.at);
}

struct listing {
    const struct totals_place *p;
    total_series_visit visit;
    void *ctx;
};

static enum err offer(const struct listing *g, const struct totals_lines *l, const struct kpi *k,
                      const char *resident, const char *dimension)
{
    struct total_series s;
    if (!exists(g->p, l, k, resident, dimension))
        return ERR_OK;
    describe(g->p, l, k, resident, dimension, &s);
    return reported_itself(l, &s.name) ? ERR_OK : g->visit(g->ctx, &s);
}

// Each dimension once, by name.
static const char *next_dimension(const struct totals_lines *l, const char *after)
{
    const char *next = NULL;
    for (size_t i = 0; i < l->count; i++) {
        const char *d = l->at[i].name.dimension;
        if (*d && strcmp(d, after) > 0 && (!next || strcmp(d, next) < 0))
            next = d;
    }
    return next;
}

static enum err offer_kpi(const struct listing *g, const struct totals_lines *l, const struct kpi *k,
                          const char *resident)
{
    enum err e = offer(g, l, k, resident, "");
    if (k->kind == KPI_COMPUTED && !k->per_product)
        return e; // of a product it is to be had by its name
    for (const char *d = ""; e == ERR_OK && (d = next_dimension(l, d)) != NULL;)
        e = offer(g, l, k, resident, d);
    return e;
}

// all: of the park, or of one resident.
static enum err offer_all(const struct listing *g, const struct totals_lines *all, const char *resident)
{
    enum err e = ERR_OK;
    struct totals_lines of = {.at = all->count ? malloc(all->count * sizeof *of.at) : NULL};
    if (all->count && !of.at)
        return ERR_NOMEM;
    for (size_t i = 0; i < catalogue_count(g->p->catalogue) && e == ERR_OK; i++) {
        const struct kpi *k = catalogue_at(g->p->catalogue, i);
        if (*resident && k->kind != KPI_COMPUTED)
            continue;
        of.count = 0;
        for (size_t n = 0; n < all->count; n++)
            if (all->at[n].kpi == k || totals_is_part(k, all->at[n].kpi))
                of.at[of.count++] = all->at[n];
        e = of.count ? offer_kpi(g, &of, k, resident) : ERR_OK;
    }
    free(of.at);
    return e;
}

static enum err offer_residents(const struct listing *g, const struct totals_lines *l)
{
    enum err e = ERR_OK;
    for (size_t i = 0, end; i < l->count && e == ERR_OK; i = end) {
        const char *resident = l->at[i].name.resident;
        for (end = i + 1; end < l->count && strcmp(l->at[end].name.resident, resident) == 0;)
            end++;
        const struct totals_lines own = {.at = &l->at[i], .count = end - i};
        e = offer_all(g, &own, resident);
    }
    return e;
}

enum err totals_list(const struct totals_place *p, const char *resident, total_series_visit visit, void *ctx,
                     struct diag *d)
{
    struct totals_lines lines = {0};
    const struct listing g = {.p = p, .visit = visit, .ctx = ctx};
    bool all = strcmp(resident, SERIES_RESIDENT_ALL) == 0;
    enum err e = totals_lines_load(p, all ? "" : resident, NULL, false, &lines, d);
    if (e == ERR_OK && (all || !*resident))
        e = offer_all(&g, &lines, "");
    if (e == ERR_OK && !all)
        e = offer_residents(&g, &lines);
    totals_lines_free(&lines);
    return e;
}

enum err totals_find(const struct totals_place *p, const struct series_name *name, struct total_series *out,
                     struct diag *d)
{
    const struct kpi *k = catalogue_find(p->catalogue, name->kpi);
    bool all = strcmp(name->resident, SERIES_RESIDENT_ALL) == 0;
    const char *resident = all ? "" : name->resident;
    struct totals_lines lines = {0};
    if (!k)
        return diag_fail(d, ERR_NOT_FOUND, "there is no KPI %s", name->kpi);
    enum err e = totals_lines_load(p, resident, k, true, &lines, d);
    if (e == ERR_OK && (!exists(p, &lines, k, resident, name->dimension) || reported_itself(&lines, name)))
        e = diag_fail(d, ERR_NOT_FOUND, "there is no total of %s", name->kpi);
    if (e == ERR_OK)
        describe(p, &lines, k, resident, name->dimension, out);
    totals_lines_free(&lines);
    return e;
}

// ---- since when, and until when

enum err totals_first_day(const struct totals_place *p, const struct total_series *s, int32_t *day,
                          struct diag *d)
{
    struct totals_lines lines = {0};
    int32_t first = INT32_MAX;
    bool all = strcmp(s->name.resident, SERIES_RESIDENT_ALL) == 0;
    enum err e = totals_lines_load(p, all ? "" : s->name.resident, s->kpi, false, &lines, d);
    for (size_t i = 0; i < lines.count && e == ERR_OK; i++) {
        int32_t begins;
        e = observations_first_local_day(p->observations, p->reader, &lines.at[i].series, p->zone, &begins,
                                         d);
        if (e == ERR_OK && begins < first)
            first = begins;
        e = e == ERR_NOT_FOUND ? ERR_OK : e;
    }
    totals_lines_free(&lines);
    if (e == ERR_OK && first == INT32_MAX)
        return diag_fail(d, ERR_NOT_FOUND, "nobody has reported %s yet", s->kpi->code);
    if (e == ERR_OK)
        *day = first;
    return e;
}

static int32_t end_of(const struct totals_place *p, const struct ledger_series *s, int64_t time)
{
    return s->class == WIRE_REPORT ? period_end((struct period){(enum period_kind)s->period, (int32_t)time})
                                   : zone_day(p->zone, time - 1) + 1;
}

enum err totals_newest(const struct totals_place *p, const struct total_series *s, int32_t *end,
                       int64_t *received_us, struct diag *d)
{
    struct totals_lines lines = {0};
    int32_t newest = INT32_MIN;
    int64_t received = 0;
    bool all = strcmp(s->name.resident, SERIES_RESIDENT_ALL) == 0;
    enum err e = totals_lines_load(p, all ? "" : s->name.resident, s->kpi, false, &lines, d);
    for (size_t i = 0; i < lines.count && e == ERR_OK; i++) {
        struct latest latest;
        e = observations_latest(p->observations, lines.at[i].series.series_id, &latest, d);
        if (e == ERR_OK && end_of(p, &lines.at[i].series, latest.time) > newest)
            newest = end_of(p, &lines.at[i].series, latest.time);
        if (e == ERR_OK && latest.received_us > received)
            received = latest.received_us;
        e = e == ERR_NOT_FOUND ? ERR_OK : e;
    }
    totals_lines_free(&lines);
    if (e == ERR_OK && newest == INT32_MIN)
        return diag_fail(d, ERR_NOT_FOUND, "nobody has reported %s yet", s->kpi->code);
    if (e == ERR_OK) {
        *end = newest;
        *received_us = received;
    }
    return e;
}
