// A measured series' month in cells, made from its points. Months are of UTC: a figure belongs to the month
// and the cell in which its step ends, so that 00:00:00 is the last moment of the month before.
#ifndef ESEP_STORE_ROLLUP_H
#define ESEP_STORE_ROLLUP_H

#include "kpi/tally.h"
#include "store/observations.h"

// 00:00 UTC of the first day of the month that time_s belongs to; of the month after.
int64_t rollup_month_of(int64_t time_s);
int64_t rollup_month_next(int64_t month_s);

// Hours; quarters of an hour where `quarters`, as far as the step divides them. A multiple of the step.
uint32_t rollup_cell_s(uint32_t step_s, bool quarters);

struct rollup_maker;
enum err rollup_maker_create(const struct ledger_series *s, int64_t month_s, uint32_t cell_s,
                             enum wire_value value, struct rollup_maker **out) MUST_USE;
void rollup_maker_destroy(struct rollup_maker *m);
// Raw points in rising time, each time once, within the month. INVALID otherwise.
enum err rollup_maker_add(struct rollup_maker *m, const struct point *p) MUST_USE;
bool rollup_maker_empty(const struct rollup_maker *m);
// *out borrows from m and is valid until its next use; no cells: nothing was ever said in that month.
void rollup_maker_finish(struct rollup_maker *m, struct wire_rollup *out);

// The cell's value as a figure: a flow's sum (rounded once where a double can't hold it), a level's last.
struct figure rollup_cell_value(const struct wire_rollup *r, const struct wire_rollup_cell *c);
double rollup_cell_sum(const struct wire_rollup_cell *c); // NaN when nothing is known
// Adds all the figures that the cell stands for.
void rollup_cell_tally(const struct wire_rollup_cell *c, struct tally *t);
static inline int64_t rollup_cell_end(const struct wire_rollup *r, const struct wire_rollup_cell *c)
{
    return r->month_s + (int64_t)c->number * r->cell_s;
}

#endif
