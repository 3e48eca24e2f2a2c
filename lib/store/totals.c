// Nothing is kept between questions: what a total was known to be in March follows from the rows of then, and
// a revision, a rate or a resident that joins is in the next answer without anything being rebuilt. Questions
// are answered in blocks of spans, so that a year of days over hundreds of residents needs no more memory
// than a month.
#include "store/observations_rates.h"
#include "store/totals_internal.h"
#include <stdlib.h>
#include <string.h>

#define BLOCK_CELLS 16384

struct asking {
    const struct totals_place *p;
    const struct totals_question *q;
    struct totals_lines lines;
    const struct currency *to; // NULL: no money
    struct rate_book *book;    // NULL: every line is in `to`
    int64_t until_s;
    uint64_t points;         // read so far, over all lines
    bool foreign;            // a figure of another currency turned up in a line, and no rates were read
    const struct span *span; // the one being computed
    struct total_line *heads;
    int32_t *first;           // each line's first day as known then; INT32_MAX: none
    struct total_cell *cells; // of a block: by span, then line
    struct span *spans;       // of a line: those in which its resident belongs
    size_t *at;               // which of the block's they are
    struct span_sum *sums;
};

static void asking_free(struct asking *a)
{
    totals_lines_free(&a->lines);
    rate_book_destroy(a->book);
    free(a->heads);
    free(a->first);
    free(a->cells);
    free(a->spans);
    free(a->at);
    free(a->sums);
}

// ---- one line

static enum err stop(void *ctx, const struct observation *o)
{
    int32_t *first = ctx;
    if (o->status == WIRE_MISSING)
        return ERR_OK;
    *first = o->period_start;
    return ERR_AGAIN;
}

// When the line began, as known then.
static enum err first_day(const struct asking *a, const struct ledger_series *s, int32_t *out, struct diag *d)
{
    const struct totals_question *q = a->q;
    *out = INT32_MAX;
    if (s->series_id == 0)
        return ERR_OK; // owed, and never reported
    if (s->class == WIRE_REPORT && q->as_of_us) {
        struct observation_query query = {.series_id = s->series_id,
                                          .from = CIVIL_DAY_MIN,
                                          .to = CIVIL_DAY_MAX,
                                          .as_of_us = q->as_of_us,
                                          .by_published = q->by_published};
        enum err e = observations_query(a->p->observations, &query, stop, out, d);
        return e == ERR_AGAIN ? ERR_OK : e;
    }
    enum err e = observations_first_local_day(a->p->observations, a->p->reader, s, a->p->zone, out, d);
    if (e == ERR_OK && q->as_of_us && zone_midnight(a->p->zone, *out) > q->as_of_us / US_PER_S)
        *out = INT32_MAX;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool is_alike(const struct asking *a, const struct totals_line *l)
{
    if (!a->q->alike)
        return true;
    return l->resident && a->q->alike[l->resident - a->p->park->residents];
}

// Where a level's figure is looked for from: the beginning of the period that the resident joined in, since a
// report of it is of its last day.
static int32_t level_from(const struct totals_line *l, int32_t joined, int32_t span_first)
{
    if (l->series.class != WIRE_REPORT || joined <= span_first)
        return joined;
    int32_t start = period_containing((enum period_kind)l->series.period, joined).start;
    return start > span_first ? start : span_first;
}

// The part of the span whose figures count; false: none. A resident's own figures are its own, member or not.
static bool clip(const struct asking *a, const struct totals_line *l, struct span *s)
{
    static const struct membership always = MEMBERSHIP_DEFAULT;
    struct days days = {s->first, s->end};
    bool level = l->kpi->kind == KPI_LEVEL;
    int32_t today = zone_day(a->p->zone, a->until_s) + 1;
    if (!is_alike(a, l))
        return false;
    if (*a->q->resident)
        return true;
    if (level && days.to > today && days.from < today)
        days.to = today;
    if (!membership_clip(l->resident ? &l->resident->member : &always, l->kpi->kind, &days))
        return false;
    s->first = level ? level_from(l, days.from, s->first) : days.from;
    if (!level) // a period that is not over yet may have its level already
        s->end = days.to;
    return true;
}

static void set_cell(struct asking *a, const struct totals_line *l, const struct span *asked,
                     const struct span *span, const struct span_sum *sum, struct total_cell *c)
{
    bool level = l->kpi->kind == KPI_LEVEL;
    bool known = sum->tally.count > 0;
    c->why = sum->lacking || sum->foreign ? TOTAL_RATE
             : sum->too_large             ? TOTAL_RANGE
             : known                      ? TOTAL_KNOWN
                                          : TOTAL_MISSING;
    c->partial = sum->known < sum->expected || !span_sum_whole(sum);
    a->foreign |= sum->foreign > 0;
    if (c->why != TOTAL_KNOWN)
        return;
    if (level)
        tally_add(&c->tally, sum->tally.last);
    else
        c->tally = sum->tally;
    c->owed = true;
    if (!level)
        c->a_year = totals_a_year(a->p, &l->series, asked, span, sum, a->until_s);
}

// One line over a block's spans.
static enum err fill_line(struct asking *a, size_t line, const struct span *spans, size_t count,
                          struct diag *d)
{
    const struct totals_line *l = &a->lines.at[line];
    bool money = l->kpi->money, convert = money && a->book;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        struct total_cell *c = &a->cells[i * a->lines.count + line];
        struct span s = spans[i];
        *c = (struct total_cell){.why = TOTAL_MISSING,
                                 .owed = a->first[line] < s.end || totals_owes(a->p, l, &s, a->until_s)};
        c->absent = !clip(a, l, &s);
        if (c->absent || a->first[line] >= s.end)
            continue;
        a->spans[n] = s;
        a->at[n++] = i;
    }
    struct sums_query q = {.series = &l->series,
                           .zone = a->p->zone,
                           .spans = a->spans,
                           .count = n,
                           .as_of_us = a->q->as_of_us,
                           .by_published = a->q->by_published,
                           .until_s = a->until_s,
                           .points_max = a->q->points_max ? a->q->points_max : TOTALS_POINTS_MAX,
                           .points_read = &a->points,
                           .to = convert ? a->to : NULL,
                           .book = a->book,
                           .park_currency = a->p->park->currency,
                           .flow = l->kpi->kind == KPI_FLOW};
    enum err e = n > 0 ? sums_read(a->p->observations, a->p->reader, &q, a->sums, d) : ERR_OK;
    for (size_t i = 0; i < n && e == ERR_OK; i++)
        set_cell(a, l, &spans[a->at[i]], &a->spans[i], &a->sums[i],
                 &a->cells[a->at[i] * a->lines.count + line]);
    return e;
}

// ---- all of them

static struct fraction planned(void *ctx, const struct kpi *k, const char *resident, const char *dimension)
{
    const struct asking *a = ctx;
    return totals_planned(a->p->park, k, resident, dimension, a->span, a->to, a->book);
}

static enum err fill_block(struct asking *a, size_t first, size_t count, struct kpi_total *out,
                           struct diag *d)
{
    const struct totals_question *q = a->q;
    struct total_source source = {.catalogue = a->p->catalogue,
                                  .park = a->p->park,
                                  .lines = a->heads,
                                  .count = a->lines.count,
                                  .planned = planned,
                                  .ctx = a};
    for (size_t i = 0; i < a->lines.count; i++) {
        enum err e = fill_line(a, i, &q->spans[first], count, d);
        if (e != ERR_OK)
            return e;
    }
    for (size_t i = 0; i < count; i++) {
        a->span = &q->spans[first + i];
        source.cells = &a->cells[i * a->lines.count];
        total_of(&source, q->kpi, q->resident, q->dimension, &out[first + i]);
    }
    return ERR_OK;
}

static enum err make_room(struct asking *a, size_t block, struct diag *d)
{
    size_t lines = a->lines.count;
    a->heads = calloc(lines + 1, sizeof *a->heads);
    a->first = calloc(lines + 1, sizeof *a->first);
    a->cells = calloc(block * lines + 1, sizeof *a->cells);
    a->spans = calloc(block, sizeof *a->spans);
    a->at = calloc(block, sizeof *a->at);
    a->sums = calloc(block, sizeof *a->sums);
    if (!a->heads || !a->first || !a->cells || !a->spans || !a->at || !a->sums)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    return ERR_OK;
}

static enum err look_at_lines(struct asking *a, struct diag *d)
{
    enum err e = ERR_OK;
    for (size_t i = 0; i < a->lines.count && e == ERR_OK; i++) {
        const struct totals_line *l = &a->lines.at[i];
        a->heads[i] = (struct total_line){.resident = l->name.resident,
                                          .dimension = l->name.dimension,
                                          .kpi = l->kpi,
                                          .unit = l->kpi->money ? "" : l->series.unit,
                                          .simulated = l->resident && l->resident->simulated};
        e = first_day(a, &l->series, &a->first[i], d);
    }
    return e;
}

static bool needs_rates(const struct asking *a)
{
    if (!a->to)
        return false;
    for (size_t i = 0; i < a->lines.count; i++)
        if (a->lines.at[i].kpi->money && a->lines.at[i].series.series_id != 0 &&
            strcmp(a->lines.at[i].series.currency, a->to->code) != 0)
            return true;
    for (size_t i = 0; i < a->p->park->statement_count; i++) { // a plan in another currency
        const struct statement *st = &a->p->park->statements[i];
        if (st->kind == STATEMENT_TARGET && *st->currency && strcmp(st->currency, a->to->code) != 0 &&
            a->q->kpi->kind == KPI_COMPUTED)
            return true;
    }
    return false;
}

static enum err read_rates(struct asking *a, struct diag *d)
{
    int64_t as_of = a->q->by_published ? 0 : a->q->as_of_us;
    return observations_rate_book(a->p->observations, as_of, &a->book, d);
}

static enum err fill_blocks(struct asking *a, size_t block, struct kpi_total *out, struct diag *d)
{
    enum err e = ERR_OK;
    for (size_t at = 0; at < a->q->count && e == ERR_OK && !a->foreign; at += block)
        e = fill_block(a, at, a->q->count - at < block ? a->q->count - at : block, out, d);
    return e;
}

static enum err answer(struct asking *a, struct kpi_total *out, struct diag *d)
{
    size_t lines = a->lines.count ? a->lines.count : 1, block = BLOCK_CELLS / lines;
    if (lines * a->q->count > TOTALS_CELLS_MAX)
        return diag_fail(d, ERR_TOO_BIG,
                         "%zu series over %zu spans are too many for one question: ask for fewer spans",
                         a->lines.count, a->q->count);
    block = block < 1 ? 1 : block > a->q->count ? a->q->count : block;
    enum err e = make_room(a, block, d);
    if (e == ERR_OK)
        e = look_at_lines(a, d);
    if (e == ERR_OK && needs_rates(a))
        e = read_rates(a, d);
    if (e == ERR_OK)
        e = fill_blocks(a, block, out, d);
    if (e != ERR_OK || !a->foreign || a->book || !a->to)
        return e;
    a->foreign = false; // an amount of another currency among those of its series
    a->points = 0;
    e = read_rates(a, d);
    return e == ERR_OK ? fill_blocks(a, block, out, d) : e;
}

enum err totals_read(const struct totals_place *p, const struct totals_question *q, struct kpi_total *out,
                     struct totals_said *said, struct diag *d)
{
    struct asking a = {.p = p, .q = q};
    if (q->count == 0)
        return ERR_OK;
    a.until_s = (q->as_of_us ? q->as_of_us : p->now_us) / US_PER_S;
    enum err e = totals_lines_load(p, q->resident, q->kpi, false, &a.lines, d);
    if (e == ERR_OK)
        e = totals_lines_owed(p, q->resident, q->kpi, &a.lines);
    if (e == ERR_OK) {
        const struct currency *common = totals_currency(p, &a.lines);
        a.to = common && q->to ? q->to : common;
        e = answer(&a, out, d);
    }
    if (e == ERR_OK)
        *said = (struct totals_said){.currency = a.to, .converted = a.book != NULL, .series = a.lines.count};
    asking_free(&a);
    return e;
}
