// Adding figures up: whole numbers in 128 bits, reals without a loss; one rounding, when a figure is asked
// for.
#ifndef ESEP_KPI_TALLY_H
#define ESEP_KPI_TALLY_H

#include "base/figure.h"
#include "base/sum.h"
#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 int128;

struct tally { // {0} is empty
    int128 whole;
    struct sum reals;             // its count is 0 while all figures are whole numbers
    uint64_t count;               // of known figures
    uint64_t missing;             // of unknown ones
    struct figure min, max, last; // meaningful when count > 0
};
void tally_add(struct tally *t, struct figure f);
// All that `later` has seen, after all that t has seen.
void tally_merge(struct tally *t, const struct tally *later);
// Missing when nothing known was added: missing is never zero. What no figure can hold is rounded once.
struct figure tally_sum(const struct tally *t);
struct figure tally_average(const struct tally *t);
// The sum in decimals, to the last digit also where no figure can hold it: 1250, decimals 2 → "12.50"; with
// reals the shortest text of the nearest double, as figure_text_scaled. "" when nothing is known.
#define TALLY_TEXT 48
void tally_text(const struct tally *t, int decimals, char out[TALLY_TEXT]);

// Beside a sum kept as a figure: {0}, or the sum itself where it is a whole number that no figure holds, and
// the figure only the nearest.
struct huge {
    bool is;
    int128 whole;
};
struct huge tally_huge(const struct tally *t);
// As tally_text, of the two; f missing: "".
void huge_text(const struct huge *h, struct figure f, int decimals, char out[TALLY_TEXT]);

#endif
