// The path to a target: what was planned for the days before it is due, along a straight line or by
// milestones. Pure; moments are civil days `at`, meaning the moment at which that day begins, so that the end
// of a period is period_end of it.
#ifndef ESEP_KPI_PATH_H
#define ESEP_KPI_PATH_H

#include "base/figure.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PATH_MILESTONES_MAX 60
#define PATH_NO_END         INT32_MAX // the due date is unknown

enum path_kind { PATH_NONE, PATH_LINEAR, PATH_MILESTONES };
const char *path_kind_name(enum path_kind k); // "none" "linear" "milestones"

struct milestone {
    const char *by;      // a period's text: planned for its end
    int32_t end;         // first day after it
    struct figure value; // in the target's unit; money: minor units
};
struct path {
    enum path_kind kind;
    const char *from;         // of a line: a period's text, "" otherwise
    int32_t from_day;         // its first day, where the line begins
    struct figure from_value; // the planned value there
    bool from_assumed;        // it was left out: counting begins at 0
    size_t count;
    struct milestone *milestones; // owned, rising; path_deinit
};
void path_deinit(struct path *p);

// What is planned at the moment when the day `at` begins, of a target `value` due by the end of the day
// before due_end. Missing: there is no path, it has not begun, or no milestone was due yet. From due_end on
// it is value. On a line whole numbers are exact where the plan is whole; `whole` (money): rounded half to
// even, else the nearest double.
struct figure path_planned(const struct path *p, struct figure value, int32_t due_end, int32_t at,
                           bool whole);

// The path as a polyline for drawing, rising in `at`; a step has two points of one day. Beyond the last point
// its value holds. Returns how many of at most PATH_POINTS_MAX: 0 without a path.
#define PATH_POINTS_MAX (2 * PATH_MILESTONES_MAX + 2)
struct path_point {
    int32_t at;
    double value;
};
size_t path_points(const struct path *p, struct figure value, int32_t due_end,
                   struct path_point out[PATH_POINTS_MAX]);
// The same for a flow that is counted from the beginning on: what the path adds a day, as steps. It ends
// where the path does, at due_end or the last milestone (a last point whose value is NaN).
size_t path_paces(const struct path *p, struct figure value, int32_t due_end,
                  struct path_point out[PATH_POINTS_MAX]);

#endif
