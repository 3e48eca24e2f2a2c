// Each addition keeps what it would have rounded away as a part of its own. Needs doubles that are doubles
// (SSE2 or any 64-bit machine), not the 80 bits of an old FPU.
#include "base/sum.h"
#include <math.h>

void sum_add(struct sum *s, double value)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->count; i++) {
        double part = s->part[i];
        double large = fabs(value) < fabs(part) ? part : value;
        double small = fabs(value) < fabs(part) ? value : part;
        double high = large + small;
        double low = small - (high - large);
        if (low != 0)
            s->part[kept++] = low;
        value = high;
    }
    // Full only with parts that no figure can have: the smallest is given up then.
    if (kept == SUM_PARTS) {
        for (size_t i = 1; i < kept; i++)
            s->part[i - 1] = s->part[i];
        kept--;
    }
    s->part[kept] = value;
    s->count = kept + 1;
}

double sum_value(const struct sum *s)
{
    size_t n = s->count;
    double low = 0;
    if (n == 0)
        return 0;
    double high = s->part[--n];
    while (n > 0 && low == 0) {
        double before = high;
        double part = s->part[--n];
        high = before + part;
        low = part - (high - before);
    }
    // Half way between two doubles: the parts below decide.
    if (n > 0 && ((low < 0 && s->part[n - 1] < 0) || (low > 0 && s->part[n - 1] > 0))) {
        double twice = 2 * low;
        double moved = high + twice;
        if (twice == moved - high)
            high = moved;
    }
    return high;
}

double sum_value_and_rest(const struct sum *s, double *low)
{
    struct sum rest = *s;
    double high = sum_value(s);
    sum_add(&rest, -high);
    *low = sum_value(&rest);
    return high;
}
