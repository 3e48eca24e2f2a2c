// A computed KPI is made anew at each level from the sums of its parts. A ratio's numerator and denominator
// must be of the same residents, so it is made of those that have all its parts; the others are counted as
// missing, not left to bend the ratio.
#include "kpi/total_internal.h"
#include <string.h>

struct parts { // of a formula, for one resident or for all
    enum total_why why;
    const struct kpi *lacking;
    bool owed;
    struct total_piece met; // partial, simulated
    struct fraction at[FORMULA_OPS_MAX];
    const char *product[FORMULA_OPS_MAX];
};

static bool is_for_park(const struct formula_part *part, const struct kpi *k)
{
    return part->call == FORMULA_TARGET || total_is_outside(k);
}

// A capacity that nobody reports is the published one, which may be published as unknown.
static bool published_capacity(const struct total_source *s, const struct kpi *k, const char *resident,
                               const char *dimension, struct fraction *out)
{
    for (size_t i = 0; s->park && i < s->park->statement_count; i++) {
        const struct statement *st = &s->park->statements[i];
        if (st->kind == STATEMENT_CAPACITY && strcmp(st->kpi, k->code) == 0 && statement_counts(st) &&
            strcmp(st->resident, resident) == 0 && strcmp(st->dimension, dimension) == 0 &&
            (!*st->per || strcmp(st->per, "year") == 0)) {
            *out = fraction_of(st->value);
            return true;
        }
    }
    return false;
}

static bool is_capacity(const struct kpi *k)
{
    return k->kind == KPI_LEVEL && k->per_product;
}

static void lack(struct parts *p, enum total_why why, const struct kpi *k)
{
    if (p->why == TOTAL_KNOWN || (total_spoils(why) && !total_spoils(p->why))) {
        p->why = why;
        p->lacking = k;
    }
}

// What the resident says of one part.
static void find_own(const struct total_source *s, struct total_run r, const struct formula_part *part,
                     const struct kpi *k, const char *dimension, struct parts *p, size_t i)
{
    const char *resident = s->lines[r.first].resident;
    struct total_piece piece = total_piece_of(s, r, k, dimension);
    const char *product = *dimension ? dimension : piece.product;
    if (part->call == FORMULA_TARGET) {
        p->at[i] = s->planned ? s->planned(s->ctx, k, resident, dimension) : fraction_missing();
        if (!p->at[i].known)
            lack(p, TOTAL_TARGET, k);
        return;
    }
    p->owed |= piece.owed;
    p->product[i] = k->per_product && !*dimension ? (product ? product : "") : NULL;
    p->met.partial |= piece.partial;
    p->met.simulated |= piece.simulated;
    if (piece.why == TOTAL_NOBODY && is_capacity(k)) {
        const char *of = product && *product ? product : total_only_product(s, r);
        if (!published_capacity(s, k, resident, of ? of : "", &p->at[i]) || !p->at[i].known)
            lack(p, TOTAL_CAPACITY, k);
        p->product[i] = *dimension ? NULL : of;
        return;
    }
    if (piece.why != TOTAL_KNOWN) {
        lack(p, is_capacity(k) ? TOTAL_CAPACITY : piece.why == TOTAL_NOBODY ? TOTAL_MISSING : piece.why, k);
        return;
    }
    p->at[i] = part->call == FORMULA_ANNUALISED ? piece.a_year : total_fraction(&piece.tally);
    if (!p->at[i].known)
        lack(p, TOTAL_SHORT, k);
}

// Of the parts that are the park's, `own` says whether those that are a resident's are looked for.
static void find_parts(const struct total_source *s, struct total_run r, const struct kpi *k,
                       const char *dimension, bool alone, struct parts *p)
{
    *p = (struct parts){.why = TOTAL_KNOWN};
    for (size_t i = 0; i < formula_part_count(k->computing); i++) {
        const struct formula_part *part = formula_part_at(k->computing, i);
        const struct kpi *of = catalogue_find(s->catalogue, part->kpi);
        p->at[i] = fraction_whole(0);
        if (alone || !is_for_park(part, of))
            find_own(s, r, part, of, dimension, p, i);
    }
}

static void compute(const struct kpi *k, const struct total_source *s, const struct fraction *parts,
                    struct kpi_total *out)
{
    struct formula_result r = formula_evaluate(k->computing, parts);
    out->part = r.part ? catalogue_find(s->catalogue, r.part->kpi) : NULL;
    if (r.why == FORMULA_KNOWN)
        total_settle(out, k, r.value);
    else
        out->why = r.why == FORMULA_ZERO      ? TOTAL_ZERO
                   : r.why == FORMULA_MISSING ? TOTAL_MISSING
                                              : TOTAL_RANGE;
}

// A part of the park: its plan, or the one figure that one resident brings from outside.
static void find_for_park(const struct total_source *s, const struct formula_part *part, const struct kpi *k,
                          const char *dimension, struct parts *p, size_t i)
{
    size_t found = 0;
    p->at[i] = fraction_missing();
    if (part->call == FORMULA_TARGET) {
        p->at[i] = s->planned ? s->planned(s->ctx, k, "", dimension) : fraction_missing();
        if (!p->at[i].known)
            lack(p, TOTAL_TARGET, k);
        return;
    }
    for (size_t at = 0; at < s->count;) {
        struct total_run r = total_run_at(s, at);
        struct total_piece piece = total_piece_of(s, r, k, dimension);
        at = r.end;
        found += piece.why != TOTAL_NOBODY;
        p->met.partial |= piece.partial;
        if (piece.why == TOTAL_KNOWN)
            p->at[i] = part->call == FORMULA_ANNUALISED ? piece.a_year : total_fraction(&piece.tally);
        else if (piece.why != TOTAL_NOBODY)
            lack(p, piece.why, k);
    }
    if (found > 1)
        lack(p, TOTAL_UNLIKE, k); // two outside figures: which is meant?
    else if (!p->at[i].known)
        lack(p, TOTAL_MISSING, k);
}

static bool same_products(const struct parts *sums, const struct parts *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (p->product[i] && sums->product[i] &&
            (!*p->product[i] || strcmp(sums->product[i], p->product[i]) != 0))
            return false;
    return true;
}

static void add_parts(const struct kpi *k, struct parts *sums, const struct parts *p, struct kpi_total *out)
{
    size_t count = formula_part_count(k->computing);
    if (p->why != TOTAL_KNOWN) {
        if (total_spoils(p->why))
            lack(sums, p->why, p->lacking);
        out->missing += p->owed;
        if (p->owed)
            total_note_why(out, p->why, p->lacking);
        return;
    }
    if (out->contributors > 0 && !same_products(sums, p, count))
        lack(sums, TOTAL_UNLIKE, NULL);
    for (size_t i = 0; i < count; i++) {
        sums->at[i] = fraction_add(sums->at[i], p->at[i]);
        sums->product[i] = p->product[i];
    }
    total_count_in(out, &p->met);
}

// Rebuilt from the sums of its parts over those residents that have them all.
static void compute_over(const struct total_source *s, const struct kpi *k, const char *dimension,
                         struct kpi_total *out)
{
    struct parts sums = {.why = TOTAL_KNOWN}, one;
    size_t count = formula_part_count(k->computing);
    for (size_t i = 0; i < count; i++)
        sums.at[i] = fraction_whole(0);
    for (size_t i = 0; i < s->count;) {
        struct total_run r = total_run_at(s, i);
        find_parts(s, r, k, dimension, false, &one);
        if (one.owed)
            add_parts(k, &sums, &one, out);
        i = r.end;
    }
    for (size_t i = 0; i < count; i++) {
        const struct formula_part *part = formula_part_at(k->computing, i);
        const struct kpi *of = catalogue_find(s->catalogue, part->kpi);
        if (is_for_park(part, of))
            find_for_park(s, part, of, dimension, &sums, i);
    }
    if (sums.why != TOTAL_KNOWN && (out->contributors > 0 || total_spoils(sums.why))) {
        out->why = sums.why;
        out->part = sums.lacking;
    } else if (out->contributors > 0) {
        compute(k, s, sums.at, out);
    }
}

static void compute_one(const struct total_source *s, const struct kpi *k, const char *resident,
                        const char *dimension, struct kpi_total *out)
{
    struct parts parts;
    for (size_t i = 0; i < s->count;) {
        struct total_run r = total_run_at(s, i);
        i = r.end;
        if (strcmp(s->lines[r.first].resident, resident) != 0)
            continue;
        find_parts(s, r, k, dimension, true, &parts);
        if (parts.why != TOTAL_KNOWN) {
            out->missing = parts.owed;
            out->why = parts.why;
            out->part = parts.lacking;
            return;
        }
        total_count_in(out, &parts.met);
        compute(k, s, parts.at, out);
        return;
    }
}

void total_compute(const struct total_source *s, const struct kpi *k, const char *resident,
                   const char *dimension, struct kpi_total *out)
{
    if (*resident)
        compute_one(s, k, resident, dimension, out);
    else
        compute_over(s, k, dimension, out);
}
