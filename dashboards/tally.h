// Adding figures up: exactly while all are whole numbers, compensated (Neumaier) where reals are among them.
#ifndef ESEP_DASHBOARDS_TALLY_H
#define ESEP_DASHBOARDS_TALLY_H

#include "base/figure.h"
#include "wire/message_kept.h"
#include <stdbool.h>
#include <stdint.h>

__extension__ typedef __int128 int128;

struct tally { // {0} is empty
    int128 whole;
    double real, compensation;
    bool any_real;
    uint64_t count;               // of known figures
    uint64_t missing;             // of unknown ones
    struct figure min, max, last; // meaningful when count > 0
};
void tally_add(struct tally *t, struct figure f);
// All the figures that a roll-up's cell stands for.
void tally_add_cell(struct tally *t, const struct wire_rollup_cell *c);
// Missing when nothing known was added: missing is never zero.
struct figure tally_sum(const struct tally *t);
struct figure tally_average(const struct tally *t);

#endif
