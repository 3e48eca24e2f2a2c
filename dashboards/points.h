// The points of one series over a range, exact at the native step, or rolled up to a coarser one from the
// exact points (never from a round-robin file).
#ifndef ESEP_DASHBOARDS_POINTS_H
#define ESEP_DASHBOARDS_POINTS_H

#include "dashboards/board.h"
#include "dashboards/money.h"
#include "kpi/tally.h"

#define POINTS_MAX      50000   // in an answer
#define POINTS_READ_MAX 6000000 // exact points read for one roll-up

enum points_cf { CF_AVERAGE, CF_MIN, CF_MAX, CF_LAST, CF_SUM };

struct points_request {
    int64_t from, to; // measurement: from < time ≤ to, seconds; report: days from ≤ start < to, as seconds
    int64_t
        step_s; // 0: native, and always of a report; else a multiple of its step (spans.h: the calendar's)
    enum points_cf cf;         // of a coarser step
    const struct money *money; // NULL: as reported; else each figure is converted before it is rolled up
    const struct zone *zone;   // with money: whose days are asked for measurements' rates; NULL: UTC
};

struct points_point {
    int64_t time;           // measurement: end of the step; report: civil day of the period's start
    struct figure value;    // missing: unknown
    uint32_t known;         // exact points behind it; 0 or 1 at the native step
    uint32_t span_s;        // 0: it is for the step; else for so long: raw figures of its month are gone
    struct money_figure by; // with money asked for, at the native step
};

struct points {
    size_t count, cap;
    struct points_point
        *at; // owned; rising; the holes between the first and the last are filled with unknowns
};

// TOO_BIG: more than POINTS_MAX points, or too many to roll up (diag says how to ask). The range of a coarser
// step is widened to whole steps.
enum err points_load(const struct readers *store, const struct board_row *row, struct points_request *request,
                     struct points *out, struct diag *d) MUST_USE;
void points_free(struct points *p);
// What a roll-up of this series is by default: flows SUM; levels AVERAGE of measurements, LAST of reports.
enum points_cf points_default_cf(const struct board_row *row);
// Missing when nothing is known.
struct figure points_consolidate(const struct tally *t, enum points_cf cf);

#endif
