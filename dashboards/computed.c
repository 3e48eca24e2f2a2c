// Whether a viewer may see a total is decided before anything is looked up, by the same codes as everywhere
// else, so that what is not there and what may not be seen take the same way.
#include "dashboards/computed.h"
#include "dashboards/computed_kept.h"
#include "dashboards/inside.h"
#include "dashboards/plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEWEST_TRIES 3
#define KEPT_S       10

struct totals_place computed_place(struct site *s, const struct readers *store, const struct park *now)
{
    return (struct totals_place){.catalogue = s->catalogue,
                                 .park = now,
                                 .zone = site_zone(s, now),
                                 .observations = store->observations,
                                 .reader = store->reader,
                                 .now_us = site_now_us(s)};
}

static void fill_row(const struct site *s, const struct park *park, const struct total_series *t,
                     struct board_row *out)
{
    memset(out, 0, sizeof *out);
    out->computed = true;
    out->name = t->name;
    series_text(&t->name, out->series.name);
    snprintf(out->series.unit, sizeof out->series.unit, "%s", t->unit);
    snprintf(out->series.currency, sizeof out->series.currency, "%s", t->currency ? t->currency->code : "");
    out->series.class = WIRE_REPORT;
    out->series.period = t->period;
    out->park = park;
    out->resident = park_resident(park, t->name.resident);
    out->kpi = t->kpi;
    out->simulated = t->simulated;
    out->measure = (struct measure){.unit = catalogue_unit(s->catalogue, t->unit),
                                    .unit_code = out->series.unit,
                                    .currency = t->currency,
                                    .currency_code = t->currency ? t->currency->code : ""};
}

// The row's texts point into itself.
static void settle_row(struct board_row *r)
{
    r->measure.unit_code = r->series.unit;
}

enum span_kind computed_native(const struct board_row *row)
{
    static const enum span_kind kinds[] = {[PERIOD_NONE] = SPAN_DAY,
                                           [PERIOD_DAY] = SPAN_DAY,
                                           [PERIOD_MONTH] = SPAN_MONTH,
                                           [PERIOD_QUARTER] = SPAN_QUARTER,
                                           [PERIOD_YEAR] = SPAN_YEAR};
    return kinds[row->series.period];
}

static struct total_series series_of(const struct board_row *row)
{
    return (struct total_series){.name = row->name,
                                 .kpi = row->kpi,
                                 .period = (enum period_kind)row->series.period,
                                 .currency = row->measure.currency};
}

static bool has_figure(const struct computed *c)
{
    return c->count > 0 && (c->figures[0].why == TOTAL_KNOWN || c->figures[0].why == TOTAL_BINS);
}

// The newest span that is over and has a figure: one that is still running would be compared with whole ones.
// Where none of the last ones has, the newest of them, with the reason.
static enum err newest(struct site *s, const struct readers *store, const struct board_row *r,
                       const struct as_of *as_of, struct computed *out, int64_t *received_us, struct diag *d)
{
    const struct totals_place place = computed_place(s, store, r->park);
    const struct total_series series = series_of(r);
    int32_t end = 0, today = zone_day(place.zone, (as_of->us ? as_of->us : place.now_us) / US_PER_S);
    enum err e = totals_newest(&place, &series, &end, received_us, d);
    if (e != ERR_OK)
        return e;
    struct span span = calendar_span(&r->park->calendar, computed_native(r), (end > today ? today : end) - 1);
    if (span.end > today)
        span = calendar_span(&r->park->calendar, span.kind, span.first - 1);
    struct computed first = {0};
    for (int tries = 0; tries < NEWEST_TRIES; tries++) {
        struct computed c = {0};
        e = computed_read(s, store, r, span.kind, span.first, span.end, as_of, NULL, &c, d);
        if (e != ERR_OK || has_figure(&c)) {
            computed_free(&first);
            *out = c;
            return e;
        }
        if (tries == 0)
            first = c;
        else
            computed_free(&c);
        span = calendar_span(&r->park->calendar, span.kind, span.first - 1);
    }
    *out = first;
    return ERR_OK;
}

// What a page with dozens of totals shows may be some seconds old.
enum err computed_newest(struct site *s, const struct readers *store, const struct board_row *row,
                         const struct as_of *as_of, struct computed *out, struct diag *d)
{
    uint8_t key[HASH_BYTES];
    int64_t received_us = 0, then[] = {as_of->us, as_of->by_published, site_now_us(s) / (KEPT_S * US_PER_S)};
    crypto_digest((const struct hash_part[]){{"computed newest", 15},
                                             {row->series.name, strlen(row->series.name)},
                                             {then, sizeof then}},
                  3, key);
    if (computed_kept(s->cache, key, out))
        return ERR_OK;
    enum err e = newest(s, store, row, as_of, out, &received_us, d);
    if (e == ERR_OK)
        computed_keep(s->cache, key, out);
    return e;
}

static enum err find_latest(struct site *s, const struct readers *store, struct board_row *r, struct diag *d)
{
    const struct as_of now = {0};
    struct computed c = {0};
    int64_t received_us = 0;
    enum err e = newest(s, store, r, &now, &c, &received_us, d);
    if (e == ERR_OK && c.count > 0) {
        r->has_latest = true;
        r->latest = (struct latest){
            .time = c.spans[0].first, .value = c.figures[0].value, .received_us = received_us};
        r->huge = c.figures[0].huge;
    }
    computed_free(&c);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err computed_load_one(struct site *s, const struct readers *store, const char *name,
                           struct board_row *out, struct diag *d)
{
    struct series_name parsed = {0};
    struct total_series series;
    const struct park *park = NULL;
    if (series_parse(name, &parsed) == ERR_OK &&
        access_may_series(store->viewer, parsed.park, parsed.resident))
        park = parks_find(&s->parks, parsed.park);
    bool withheld = false; // it can be made of any of a resident's figures
    enum err e = park ? inside_withheld(store, parsed.park, parsed.resident, NULL, &withheld, d) : ERR_OK;
    if (!park || withheld)
        return diag_fail(d, ERR_NOT_FOUND, "there is no series %s", name);
    const struct totals_place place = computed_place(s, store, park);
    if (e == ERR_OK)
        e = totals_find(&place, &parsed, &series, d);
    if (e != ERR_OK)
        return e;
    fill_row(s, park, &series, out);
    return find_latest(s, store, out, d);
}

struct listing {
    struct site *site;
    const struct park *park;
    const struct viewer *viewer;
    struct board *board;
    size_t cap;
};

static enum err add(void *ctx, const struct total_series *t)
{
    struct listing *l = ctx;
    struct board *b = l->board;
    if (!access_may_series(l->viewer, t->name.park, t->name.resident))
        return ERR_OK;
    if (b->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 32;
        struct board_row *rows = cap <= BOARD_MAX ? realloc(b->rows, cap * sizeof *rows) : NULL;
        if (!rows)
            return cap <= BOARD_MAX ? ERR_NOMEM : ERR_TOO_BIG;
        b->rows = rows;
        l->cap = cap;
    }
    fill_row(l->site, l->park, t, &b->rows[b->count++]);
    return ERR_OK;
}

enum err computed_load(struct site *s, const struct readers *store, const struct park *park,
                       const char *resident, struct board *out, struct diag *d)
{
    struct board b = {0};
    struct listing l = {.site = s, .park = park, .viewer = store->viewer, .board = &b};
    const struct totals_place place = computed_place(s, store, park);
    bool one = *resident && strcmp(resident, SERIES_RESIDENT_ALL) != 0;
    bool may = one ? access_may(store->viewer, SIGHT_RESIDENT, park->code, resident)
                   : access_may(store->viewer, SIGHT_SUMS, park->code, "");
    bool withheld = false;
    enum err e = may && one ? inside_withheld(store, park->code, resident, NULL, &withheld, d) : ERR_OK;
    if (e == ERR_OK && may && !withheld)
        e = totals_list(&place, resident, add, &l, d);
    for (size_t i = 0; i < b.count; i++)
        settle_row(&b.rows[i]);
    if (e != ERR_OK)
        board_free(&b);
    else
        *out = b;
    return e;
}

// ---- beside those that are stored

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct board_row *)a)->series.name, ((const struct board_row *)b)->series.name);
}

static enum err append(struct board *b, const struct board *more)
{
    if (more->count == 0)
        return ERR_OK;
    struct board_row *rows = realloc(b->rows, (b->count + more->count) * sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    memcpy(rows + b->count, more->rows, more->count * sizeof *rows);
    b->rows = rows;
    b->count += more->count;
    return ERR_OK;
}

static enum err join_one(struct site *s, const struct readers *store, const char *park, const char *resident,
                         struct board *b, struct diag *d)
{
    const struct park *p = parks_find(&s->parks, park);
    struct board more = {0};
    enum err e = p ? computed_load(s, store, p, resident, &more, d) : ERR_OK;
    if (e == ERR_OK)
        e = append(b, &more);
    board_free(&more);
    return e;
}

// Of a park whose sums may be seen all at once, else resident by resident.
static enum err join_all(struct site *s, const struct readers *store, size_t stored, struct board *b,
                         struct diag *d)
{
    enum err e = ERR_OK;
    char park[SERIES_PART_MAX + 1] = "", resident[SERIES_PART_MAX + 1] = "";
    for (size_t i = 0; i < stored && e == ERR_OK; i++) {
        const struct series_name *n = &b->rows[i].name;
        bool other_park = strcmp(park, n->park) != 0;
        bool sums = access_may(store->viewer, SIGHT_SUMS, n->park, "");
        if (!other_park && (sums || strcmp(resident, n->resident) == 0))
            continue;
        memcpy(park, n->park, sizeof park);
        memcpy(resident, n->resident, sizeof resident);
        e = join_one(s, store, park, sums ? "" : resident, b, d);
    }
    return e;
}

enum err computed_join(struct site *s, const struct readers *store, const char *park, const char *resident,
                       struct board *b, struct diag *d)
{
    enum err e =
        park && resident ? join_one(s, store, park, resident, b, d) : join_all(s, store, b->count, b, d);
    if (b->count > 0)
        qsort(b->rows, b->count, sizeof *b->rows, by_name);
    for (size_t i = 0; i < b->count; i++)
        settle_row(&b->rows[i]);
    return e;
}

// ---- their figures

static enum err make_spans(const struct park *park, enum span_kind kind, int32_t from, int32_t to,
                           struct computed *out, struct diag *d)
{
    size_t count = calendar_spans(&park->calendar, kind, from, to, NULL, 0);
    if (count > COMPUTED_SPANS_MAX)
        return diag_fail(
            d, ERR_TOO_BIG,
            "the answer would have %zu spans, at most %d: ask for a shorter span (from, to) or a "
            "coarser step",
            count, COMPUTED_SPANS_MAX);
    out->spans = calloc(count + 1, sizeof *out->spans);
    out->figures = calloc(count + 1, sizeof *out->figures);
    if (!out->spans || !out->figures)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    out->count = calendar_spans(&park->calendar, kind, from, to, out->spans, count);
    return ERR_OK;
}

static enum err read_all(struct site *s, const struct readers *store, const struct board_row *row,
                         enum span_kind kind, int32_t from, int32_t to, const struct as_of *as_of,
                         const struct currency *currency, struct computed *out, struct diag *d)
{
    struct computed c = {0};
    struct totals_said said = {0};
    struct park *then = NULL;
    struct totals_place place = computed_place(s, store, row->park);
    bool all = strcmp(row->name.resident, SERIES_RESIDENT_ALL) == 0;
    enum err e = plan_by(s, store, row->park, as_of, &then, d);
    if (e != ERR_OK && e != ERR_NOT_FOUND) // where none was recorded by then, that of now counts
        return e;
    place.park = then ? then : row->park;
    e = make_spans(place.park, kind, from, to, &c, d);
    const struct totals_question q = {.kpi = row->kpi,
                                      .resident = all ? "" : row->name.resident,
                                      .dimension = row->name.dimension,
                                      .spans = c.spans,
                                      .count = c.count,
                                      .as_of_us = as_of->us,
                                      .by_published = as_of->by_published,
                                      .to = currency};
    if (e == ERR_OK)
        e = totals_read(&place, &q, c.figures, &said, d);
    c.currency = row->kpi->money ? said.currency : NULL;
    c.converted = said.converted;
    c.then = then != NULL;
    park_free(then);
    if (e != ERR_OK)
        computed_free(&c);
    else
        *out = c;
    return e;
}

// The same question at the same row of the ledger has the same answer, rates and profiles included, once the
// observations have come to that row; what is not over yet by the clock is asked anew each minute.
static bool name_question(struct site *s, const struct readers *store, const struct board_row *row,
                          const int64_t asked[5], const struct currency *currency, uint8_t key[HASH_BYTES])
{
    uint64_t position = 0, seen = 0;
    int64_t received_us = 0, minute = site_now_us(s) / (60 * US_PER_S);
    if (reader_head(store->reader, &position, &received_us, NULL) != ERR_OK ||
        observations_reader_cursor(store->observations, &seen, NULL) != ERR_OK)
        return false;
    crypto_digest((const struct hash_part[]){{"computed", 8},
                                             {row->series.name, strlen(row->series.name)},
                                             {asked, 5 * sizeof *asked},
                                             {currency ? currency->code : "", currency ? 3 : 0},
                                             {&store->edition, sizeof store->edition},
                                             {&position, sizeof position},
                                             {&seen, sizeof seen},
                                             {&minute, sizeof minute}},
                  8, key);
    return true;
}

enum err computed_read(struct site *s, const struct readers *store, const struct board_row *row,
                       enum span_kind kind, int32_t from, int32_t to, const struct as_of *as_of,
                       const struct currency *currency, struct computed *out, struct diag *d)
{
    uint8_t key[HASH_BYTES];
    const int64_t asked[] = {kind, from, to, as_of->us, as_of->by_published};
    bool named = name_question(s, store, row, asked, currency, key);
    if (named && computed_kept(s->cache, key, out))
        return ERR_OK;
    enum err e = read_all(s, store, row, kind, from, to, as_of, currency, out, d);
    if (e == ERR_OK && named)
        computed_keep(s->cache, key, out);
    return e;
}

void computed_free(struct computed *c)
{
    free(c->spans);
    free(c->figures);
    *c = (struct computed){0};
}

int32_t computed_first_day(struct site *s, const struct readers *store, const struct board_row *row)
{
    const struct totals_place place = computed_place(s, store, row->park);
    const struct total_series series = series_of(row);
    int32_t day = zone_day(place.zone, place.now_us / US_PER_S);
    if (totals_first_day(&place, &series, &day, NULL) != ERR_OK)
        return day;
    return day;
}
