// Whole numbers are summed apart from the reals, so that money and pieces stay exact to the last digit and
// cost an addition each. Reals are kept in parts that do not overlap, so that a year is the sum of its days
// whatever they were summed up to in between.
#include "kpi/tally.h"
#include <stdio.h>

void tally_add(struct tally *t, struct figure f)
{
    if (f.kind == FIGURE_MISSING) {
        t->missing++;
        return;
    }
    double v = figure_to_real(f);
    if (t->count == 0)
        t->min = t->max = f;
    if (v < figure_to_real(t->min))
        t->min = f;
    if (v > figure_to_real(t->max))
        t->max = f;
    t->last = f;
    t->count++;
    if (f.kind == FIGURE_INTEGER)
        t->whole += f.integer;
    else
        sum_add(&t->reals, v);
}

void tally_merge(struct tally *t, const struct tally *later)
{
    t->missing += later->missing;
    if (later->count == 0)
        return;
    if (t->count == 0 || figure_to_real(later->min) < figure_to_real(t->min))
        t->min = later->min;
    if (t->count == 0 || figure_to_real(later->max) > figure_to_real(t->max))
        t->max = later->max;
    t->last = later->last;
    t->count += later->count;
    t->whole += later->whole;
    for (size_t i = 0; i < later->reals.count; i++)
        sum_add(&t->reals, later->reals.part[i]);
}

static struct figure from_real(double v)
{
    struct figure f;
    return figure_from_real(v, &f) ? figure_missing() : f;
}

static bool fits(int128 v)
{
    return v <= FIGURE_INTEGER_MAX && v >= -FIGURE_INTEGER_MAX;
}

static struct figure from_whole(int128 v)
{
    struct figure f;
    return figure_from_integer((int64_t)v, &f) ? figure_missing() : f;
}

// Both sums in one, rounded once: what a double leaves of a whole number goes into the next one.
static double nearest(const struct tally *t)
{
    struct sum all = t->reals;
    for (int128 rest = t->whole; rest != 0;) {
        double part = (double)rest;
        sum_add(&all, part);
        rest -= (int128)part;
    }
    return sum_value(&all);
}

struct figure tally_sum(const struct tally *t)
{
    if (t->count == 0)
        return figure_missing();
    return t->reals.count == 0 && fits(t->whole) ? from_whole(t->whole) : from_real(nearest(t));
}

struct figure tally_average(const struct tally *t)
{
    if (t->count == 0)
        return figure_missing();
    int128 n = (int128)t->count;
    if (t->reals.count == 0 && t->whole % n == 0 && fits(t->whole / n))
        return from_whole(t->whole / n);
    return from_real(nearest(t) / (double)t->count);
}

static void whole_text(int128 whole, int decimals, char out[TALLY_TEXT])
{
    char digits[TALLY_TEXT] = "";
    size_t n = sizeof digits - 1;
    int128 rest = whole < 0 ? -whole : whole;
    for (int written = 0; rest > 0 || written <= decimals; written++) {
        if (written == decimals && decimals > 0)
            digits[--n] = '.';
        digits[--n] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    }
    snprintf(out, TALLY_TEXT, "%s%s", whole < 0 ? "-" : "", digits + n);
}

void tally_text(const struct tally *t, int decimals, char out[TALLY_TEXT])
{
    if (t->count == 0 || t->reals.count > 0)
        figure_text_scaled(tally_sum(t), decimals, out);
    else
        whole_text(t->whole, decimals, out);
}

struct huge tally_huge(const struct tally *t)
{
    bool is = t->count > 0 && t->reals.count == 0 && !fits(t->whole);
    return (struct huge){.is = is, .whole = is ? t->whole : 0};
}

void huge_text(const struct huge *h, struct figure f, int decimals, char out[TALLY_TEXT])
{
    if (h->is)
        whole_text(h->whole, decimals, out);
    else
        figure_text_scaled(f, decimals, out);
}
