// An exact number for KPIs that are computed: a ratio of whole numbers in 128 bits, divided once, at the very
// end. A real is the decimal that it was written as. Where 128 bits are not enough it goes on as a double and
// says so (exact is false). Missing is a value of its own and spreads through every operation.
#ifndef ESEP_KPI_FRACTION_H
#define ESEP_KPI_FRACTION_H

#include "base/figure.h"
#include <stdbool.h>

__extension__ typedef __int128 int128;

struct fraction {
    bool known, exact;
    int128 top, bottom; // when exact: in lowest terms, bottom > 0
    double real;        // when not exact: finite
};

struct fraction fraction_missing(void);
struct fraction fraction_whole(int128 whole);
struct fraction fraction_of(struct figure f);
// Missing when bottom is 0.
struct fraction fraction_ratio(int128 top, int128 bottom);
struct fraction fraction_real(double v); // missing for NaN and infinities

struct fraction fraction_add(struct fraction a, struct fraction b);
struct fraction fraction_subtract(struct fraction a, struct fraction b);
struct fraction fraction_multiply(struct fraction a, struct fraction b);
// Missing when b is zero: ask fraction_is_zero first.
struct fraction fraction_divide(struct fraction a, struct fraction b);
bool fraction_is_zero(struct fraction a); // false when missing

// The nearest figure: whole numbers as integers, else the double next to the exact ratio (half to even).
struct figure fraction_figure(struct fraction a);
// Rounded half to even to a whole number, for money in minor units. Missing past FIGURE_INTEGER_MAX.
struct figure fraction_rounded(struct fraction a);

#endif
