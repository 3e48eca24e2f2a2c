// Sums of doubles without a loss: kept as parts that do not overlap, rounded once when asked (Shewchuk,
// "Adaptive Precision Floating-Point Arithmetic", 1997; the rounding as in Python's math.fsum).
#ifndef ESEP_BASE_SUM_H
#define ESEP_BASE_SUM_H

#include <stddef.h>

// Finite doubles up to 2^53 in size span fewer than 1,150 bits, 53 a part.
#define SUM_PARTS 48

struct sum { // all zero is an empty one
    size_t count;
    double part[SUM_PARTS]; // rising size
};

// value: finite. Exact while the sum's size stays below 2^1000.
void sum_add(struct sum *s, double value);
// The nearest double, ties to even.
double sum_value(const struct sum *s);
// The same, and what rounding took from it: *low = nearest double of (sum − high).
double sum_value_and_rest(const struct sum *s, double *low);

#endif
