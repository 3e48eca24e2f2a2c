// Whole numbers are summed in 128 bits apart from the reals, so that money and pieces stay exact to the last
// digit.

#include "dashboards/tally.h"
#include <math.h>

static void add_real(struct tally *t, double v)
{
    double sum = t->real + v;
    t->compensation += fabs(t->real) >= fabs(v) ? (t->real - sum) + v : (v - sum) + t->real;
    t->real = sum;
    t->any_real = true;
}

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
        add_real(t, v);
}

void tally_add_cell(struct tally *t, const struct wire_rollup_cell *c)
{
    t->missing += c->missing;
    if (c->known == 0)
        return;
    if (t->count == 0 || figure_to_real(c->min) < figure_to_real(t->min))
        t->min = c->min;
    if (t->count == 0 || figure_to_real(c->max) > figure_to_real(t->max))
        t->max = c->max;
    t->last = c->last;
    t->count += c->known;
    if (c->sum.real) {
        add_real(t, c->sum.high);
        add_real(t, c->sum.low);
    } else {
        t->whole += c->sum.whole;
    }
}

static struct figure from_real(double v)
{
    struct figure f;
    return figure_from_real(v, &f) ? figure_missing() : f;
}

struct figure tally_sum(const struct tally *t)
{
    struct figure f;
    if (t->count == 0)
        return figure_missing();
    if (!t->any_real && t->whole <= FIGURE_INTEGER_MAX && t->whole >= -FIGURE_INTEGER_MAX)
        return figure_from_integer((int64_t)t->whole, &f) ? figure_missing() : f;
    return from_real((double)t->whole + t->real + t->compensation);
}

struct figure tally_average(const struct tally *t)
{
    if (t->count == 0)
        return figure_missing();
    int128 n = (int128)t->count;
    struct figure f;
    if (!t->any_real && t->whole % n == 0 && t->whole / n <= FIGURE_INTEGER_MAX &&
        t->whole / n >= -FIGURE_INTEGER_MAX)
        return figure_from_integer((int64_t)(t->whole / n), &f) ? figure_missing() : f;
    return from_real(((double)t->whole + t->real + t->compensation) / (double)t->count);
}
