// What one resident says of a KPI: as a whole, or the sum of its parts where those may be added; of unlike
// things never more than one.
#include "kpi/total_internal.h"
#include <string.h>

struct fraction total_fraction(const struct tally *t)
{
    if (t->count == 0)
        return fraction_missing();
    return t->reals.count == 0 ? fraction_whole(t->whole) : fraction_of(tally_sum(t));
}

struct total_run total_run_at(const struct total_source *s, size_t first)
{
    struct total_run r = {first, first + 1};
    while (r.end < s->count && strcmp(s->lines[r.end].resident, s->lines[first].resident) == 0)
        r.end++;
    return r;
}

static void add_cell(struct total_piece *p, const struct total_line *l, const struct total_cell *c)
{
    if (c->absent)
        return;
    p->owed |= c->owed;
    p->simulated |= l->simulated;
    if (c->why != TOTAL_KNOWN) {
        p->partial |= c->owed;
        if (p->why == TOTAL_NOBODY && c->owed)
            p->why = c->why;
        if (total_spoils(c->why)) // known, but not in this currency: a sum without it would pass for all
            p->why = c->why;
        return;
    }
    if (p->unit && strcmp(p->unit, l->unit) != 0)
        p->why = TOTAL_UNITS;
    bool first = p->why == TOTAL_NOBODY || p->why == TOTAL_MISSING;
    p->unit = l->unit;
    p->partial |= c->partial;
    struct fraction scaled = fraction_multiply(total_fraction(&c->tally), c->a_year);
    p->a_year = first ? scaled : fraction_add(p->a_year, scaled);
    tally_merge(&p->tally, &c->tally);
    if (first)
        p->why = TOTAL_KNOWN;
}

static bool is_line(const struct total_line *l, const struct kpi *k, const char *dimension)
{
    return l->kpi == k && strcmp(l->dimension, dimension) == 0;
}

// A series that was declared and has no figure yet, nor owes one, says nothing: it stands for no other.
static bool says(const struct total_cell *c)
{
    return !c->absent && (c->why != TOTAL_MISSING || c->owed);
}

static bool add_line(const struct total_source *s, struct total_run r, const struct kpi *k,
                     const char *dimension, struct total_piece *p)
{
    for (size_t i = r.first; i < r.end; i++)
        if (is_line(&s->lines[i], k, dimension) && says(&s->cells[i])) {
            add_cell(p, &s->lines[i], &s->cells[i]);
            return true;
        }
    return false;
}

// The one product that the resident's figures of unlike things are of; NULL: none or several.
const char *total_only_product(const struct total_source *s, struct total_run r)
{
    const char *one = NULL;
    for (size_t i = r.first; i < r.end; i++) {
        const struct total_line *l = &s->lines[i];
        if (!l->kpi->per_product || !says(&s->cells[i]))
            continue;
        if (one && strcmp(one, l->dimension) != 0)
            return NULL;
        one = l->dimension;
    }
    return one;
}

// Its whole: reported as a whole, or else what its parts come to; each counts once.
static void add_whole(const struct total_source *s, struct total_run r, const struct kpi *k,
                      struct total_piece *p)
{
    size_t parts = 0;
    if (add_line(s, r, k, "", p))
        return;
    for (size_t i = r.first; i < r.end; i++)
        if (s->lines[i].kpi == k && says(&s->cells[i])) {
            p->product = s->lines[i].dimension;
            parts++;
            add_cell(p, &s->lines[i], &s->cells[i]);
        }
    if (parts > 1 && (k->per_product || k->over_residents != ROLLUP_SUM))
        p->why = TOTAL_UNLIKE;
}

// A figure of the whole is of the product where that is all the resident makes.
static bool is_all_it_makes(const struct total_source *s, struct total_run r, const char *dimension)
{
    const char *only = total_only_product(s, r);
    return only && strcmp(only, dimension) == 0;
}

struct total_piece total_piece_of(const struct total_source *s, struct total_run r, const struct kpi *k,
                                  const char *dimension)
{
    struct total_piece p = {.why = TOTAL_NOBODY};
    bool whole = *dimension == '\0';
    if (!whole && !add_line(s, r, k, dimension, &p))
        whole = !k->per_product && is_all_it_makes(s, r, dimension);
    if (whole)
        add_whole(s, r, k, &p);
    return p;
}
