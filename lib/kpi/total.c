// Sums are tallies to the end and ratios fractions to the end: one rounding, whichever way a total is
// reached.
#include "kpi/total_internal.h"
#include <math.h>
#include <string.h>

static const char *const words[] = {
#define X(id, word, text) word,
    TOTAL_WHY_LIST(X)
#undef X
};
static const char *const texts[] = {
#define X(id, word, text) text,
    TOTAL_WHY_LIST(X)
#undef X
};

const char *total_why_word(enum total_why w)
{
    return (unsigned)w < TOTAL_WHY_COUNT ? words[w] : "";
}

const char *total_why_text(enum total_why w)
{
    return (unsigned)w < TOTAL_WHY_COUNT ? texts[w] : "";
}

bool total_is_outside(const struct kpi *k)
{
    return k->over_residents == ROLLUP_NONE && !k->per_product;
}

bool total_exists(const struct kpi *k, bool dimension)
{
    if (k->kind == KPI_COMPUTED)
        return dimension || !k->per_product;
    if (k->per_product) // of like pieces there is a sum; of shares in a hundred never
        return dimension && k->over_time != ROLLUP_NONE && strcmp(k->unit->code, "percent") != 0;
    return k->over_residents == ROLLUP_SUM || (!dimension && k->over_residents != ROLLUP_NONE);
}

// ---- over residents

void total_count_in(struct kpi_total *out, const struct total_piece *p)
{
    out->contributors++;
    out->partial += p->partial;
    out->simulated |= p->simulated;
}

// Why nobody is in it; what is worse than missing is said first.
void total_note_why(struct kpi_total *out, enum total_why why, const struct kpi *part)
{
    if (out->why != TOTAL_NOBODY &&
        (why == TOTAL_MISSING || why == TOTAL_NOBODY || out->why != TOTAL_MISSING))
        return;
    out->why = why;
    out->part = part;
}

static void set_value(struct kpi_total *out, struct figure f)
{
    out->value = f;
    out->why = f.kind == FIGURE_MISSING ? TOTAL_RANGE : TOTAL_KNOWN;
    out->part = NULL;
}

void total_settle(struct kpi_total *out, const struct kpi *k, struct fraction f)
{
    set_value(out, k->money ? fraction_rounded(f) : fraction_figure(f));
}

// What must not be left out in silence: then there is no total.
bool total_spoils(enum total_why w)
{
    return w == TOTAL_UNLIKE || w == TOTAL_UNITS || w == TOTAL_RATE || w == TOTAL_RANGE;
}

struct adding {
    struct tally tally;
    const char *product, *unit;
    enum total_why spoilt; // TOTAL_KNOWN: not
};

static void add_piece(struct adding *a, const struct kpi *k, const char *dimension,
                      const struct total_piece *p, struct kpi_total *out)
{
    if (total_spoils(p->why))
        a->spoilt = p->why;
    if (p->why != TOTAL_KNOWN) {
        out->missing += p->owed;
        total_note_why(out, p->why, NULL);
        return;
    }
    if (a->unit && strcmp(a->unit, p->unit) != 0)
        a->spoilt = TOTAL_UNITS;
    bool unlike = k->per_product && !*dimension && out->contributors > 0 &&
                  (!a->product || !p->product || strcmp(a->product, p->product) != 0);
    if (unlike)
        a->spoilt = TOTAL_UNLIKE;
    a->unit = p->unit;
    a->product = p->product;
    tally_merge(&a->tally, &p->tally);
    total_count_in(out, p);
}

static void sum_residents(const struct total_source *s, const struct kpi *k, const char *dimension,
                          struct kpi_total *out)
{
    struct adding a = {.spoilt = TOTAL_KNOWN};
    for (size_t i = 0; i < s->count;) {
        struct total_run r = total_run_at(s, i);
        struct total_piece p = total_piece_of(s, r, k, dimension);
        add_piece(&a, k, dimension, &p, out);
        i = r.end;
    }
    if (a.spoilt != TOTAL_KNOWN)
        out->why = a.spoilt;
    else if (out->contributors > 0) {
        set_value(out, tally_sum(&a.tally));
        out->huge = tally_huge(&a.tally);
    }
}

static void weigh_residents(const struct total_source *s, const struct kpi *k, struct kpi_total *out)
{
    const struct kpi *weight = catalogue_find(s->catalogue, k->weight);
    struct fraction top = fraction_whole(0), bottom = fraction_whole(0);
    enum total_why spoilt = TOTAL_KNOWN;
    for (size_t i = 0; weight && i < s->count;) {
        struct total_run r = total_run_at(s, i);
        struct total_piece value = total_piece_of(s, r, k, ""), by = total_piece_of(s, r, weight, "");
        i = r.end;
        if (value.why == TOTAL_NOBODY)
            continue;
        if (total_spoils(value.why) || total_spoils(by.why))
            spoilt = total_spoils(value.why) ? value.why : by.why;
        if (value.why != TOTAL_KNOWN || by.why != TOTAL_KNOWN) {
            out->missing += value.owed;
            total_note_why(out, value.why != TOTAL_KNOWN ? value.why : TOTAL_MISSING,
                           value.why != TOTAL_KNOWN ? NULL : weight);
            continue;
        }
        struct fraction w = total_fraction(&by.tally);
        top = fraction_add(top, fraction_multiply(total_fraction(&value.tally), w));
        bottom = fraction_add(bottom, w);
        value.partial |= by.partial;
        total_count_in(out, &value);
    }
    if (spoilt != TOTAL_KNOWN)
        out->why = spoilt;
    else if (out->contributors > 0 && fraction_is_zero(bottom))
        out->why = TOTAL_ZERO, out->part = weight;
    else if (out->contributors > 0)
        total_settle(out, k, fraction_divide(top, bottom));
}

static void count_residents(const struct total_source *s, const struct kpi *k, struct kpi_total *out)
{
    double least = figure_to_real(k->min);
    for (size_t i = 0; i < s->count;) {
        struct total_run r = total_run_at(s, i);
        struct total_piece p = total_piece_of(s, r, k, "");
        i = r.end;
        double at = floor(figure_to_real(p.tally.last) - least);
        if (p.why != TOTAL_KNOWN || !(at >= 0 && at < TOTAL_BINS_MAX)) {
            out->missing += p.owed;
            total_note_why(out, p.why == TOTAL_KNOWN ? TOTAL_RANGE : p.why, NULL);
            continue;
        }
        out->bins[(size_t)at]++;
        total_count_in(out, &p);
    }
    if (out->contributors > 0)
        out->why = TOTAL_BINS;
}

void total_of(const struct total_source *s, const struct kpi *k, const char *resident, const char *dimension,
              struct kpi_total *out)
{
    *out = (struct kpi_total){.why = TOTAL_NOBODY, .value = figure_missing()};
    if (k->kind == KPI_COMPUTED) {
        total_compute(s, k, resident, dimension, out);
    } else if (!*resident && k->per_product && !*dimension && k->over_time != ROLLUP_NONE) {
        out->why = TOTAL_UNLIKE;
    } else if (*resident || !total_exists(k, *dimension != '\0')) {
        out->why = TOTAL_NO_TOTAL;
    } else if (k->over_residents == ROLLUP_WEIGHTED) {
        weigh_residents(s, k, out);
    } else if (k->over_residents == ROLLUP_HISTOGRAM) {
        count_residents(s, k, out);
    } else {
        sum_residents(s, k, dimension, out);
    }
}
