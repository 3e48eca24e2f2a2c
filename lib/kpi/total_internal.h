// Shared by total*.c only.
#ifndef ESEP_KPI_TOTAL_INTERNAL_H
#define ESEP_KPI_TOTAL_INTERNAL_H

#include "kpi/total.h"

struct total_run { // a resident's lines: first ≤ i < end
    size_t first, end;
};
struct total_run total_run_at(const struct total_source *s, size_t first);

struct total_piece { // what one resident says of one KPI
    struct tally tally;
    enum total_why why; // TOTAL_KNOWN, or why not; NOBODY: it never reports it
    bool owed, partial, simulated;
    struct fraction a_year; // the sum scaled to a year
    const char *product;    // of its whole, where that is reported by product: the last one; NULL: not said
    const char *unit;
};
// Of the whole (dimension ""): as it is reported, or what its parts come to; each counts once.
struct total_piece total_piece_of(const struct total_source *s, struct total_run r, const struct kpi *k,
                                  const char *dimension);
// The one product that the resident's figures of unlike things are of; NULL: none or several.
const char *total_only_product(const struct total_source *s, struct total_run r);
struct fraction total_fraction(const struct tally *t);

// A contributor whose figures are in.
void total_count_in(struct kpi_total *out, const struct total_piece *p);
// Why somebody is not in it; what is worse than missing is kept.
void total_note_why(struct kpi_total *out, enum total_why why, const struct kpi *part);
// Money to the minor unit, else the nearest figure.
void total_settle(struct kpi_total *out, const struct kpi *k, struct fraction f);
// What must not be left out in silence: then there is no total.
bool total_spoils(enum total_why w);

void total_compute(const struct total_source *s, const struct kpi *k, const char *resident,
                   const char *dimension, struct kpi_total *out);

#endif
