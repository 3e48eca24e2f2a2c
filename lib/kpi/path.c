// A plan between two days is arithmetic on whole numbers wherever it can be: a line's value is a quotient
// with its remainder, so that the plan for the last day is the target itself and half-way is exactly half.
#include "kpi/path.h"
#include <math.h>
#include <stdlib.h>

__extension__ typedef __int128 int128;

const char *path_kind_name(enum path_kind k)
{
    static const char *const names[] = {"none", "linear", "milestones"};
    return (unsigned)k <= PATH_MILESTONES ? names[k] : "";
}

void path_deinit(struct path *p)
{
    free(p->milestones);
    p->milestones = NULL;
    p->count = 0;
}

static struct figure of_real(double v)
{
    struct figure out;
    return figure_from_real(v, &out) == ERR_OK ? out : figure_missing();
}

// from + n·k/d, d > 0, 0 ≤ k ≤ d: between two figures, so it is one.
static struct figure part_way(int64_t from, int64_t n, int64_t k, int64_t d, bool whole)
{
    int128 all = (int128)n * k;
    int64_t q = (int64_t)(all / d), r = (int64_t)(all % d);
    struct figure out = figure_missing();
    if (r < 0) { // downwards: the remainder is counted from below
        q--;
        r += d;
    }
    if (!whole && r != 0)
        return of_real((double)(from + q) + (double)r / (double)d);
    if (2 * r > d || (2 * r == d && ((from + q) & 1)))
        q++;
    return figure_from_integer(from + q, &out) == ERR_OK ? out : figure_missing();
}

static struct figure on_line(const struct path *p, struct figure value, int32_t due_end, int32_t at,
                             bool whole)
{
    int64_t k = (int64_t)at - p->from_day, d = (int64_t)due_end - p->from_day;
    if (k < 0 || p->from_value.kind == FIGURE_MISSING)
        return figure_missing();
    if (p->from_value.kind == FIGURE_INTEGER && value.kind == FIGURE_INTEGER)
        return part_way(p->from_value.integer, value.integer - p->from_value.integer, k, d, whole);
    double from = figure_to_real(p->from_value);
    return of_real(from + (figure_to_real(value) - from) * (double)k / (double)d);
}

struct figure path_planned(const struct path *p, struct figure value, int32_t due_end, int32_t at, bool whole)
{
    struct figure out = figure_missing();
    if (p->kind == PATH_NONE || value.kind == FIGURE_MISSING)
        return out;
    if (at >= due_end)
        return value;
    if (p->kind == PATH_LINEAR)
        return due_end == PATH_NO_END || due_end <= p->from_day ? out : on_line(p, value, due_end, at, whole);
    for (size_t i = 0; i < p->count && p->milestones[i].end <= at; i++)
        out = p->milestones[i].value;
    return out;
}

// A step up or down to a value, from that of the point before.
static size_t put_step(struct path_point *out, size_t n, int32_t at, double value)
{
    if (n > 0) {
        out[n] = (struct path_point){at, out[n - 1].value};
        n++;
    }
    out[n] = (struct path_point){at, value};
    return n + 1;
}

size_t path_points(const struct path *p, struct figure value, int32_t due_end,
                   struct path_point out[PATH_POINTS_MAX])
{
    double end = figure_to_real(value);
    size_t n = 0;
    if (p->kind == PATH_LINEAR && due_end != PATH_NO_END && due_end > p->from_day) {
        out[n++] = (struct path_point){p->from_day, figure_to_real(p->from_value)};
        out[n++] = (struct path_point){due_end, end};
    }
    for (size_t i = 0; p->kind == PATH_MILESTONES && i < p->count; i++)
        n = put_step(out, n, p->milestones[i].end, figure_to_real(p->milestones[i].value));
    if (p->kind == PATH_MILESTONES && due_end != PATH_NO_END)
        n = put_step(out, n, due_end, end);
    return n;
}

// One step of so much a day.
static size_t put_pace(struct path_point *out, size_t n, int32_t from, int32_t end, double gained)
{
    if (end <= from)
        return n;
    double pace = gained / (double)(end - from);
    out[n] = (struct path_point){from, pace};
    out[n + 1] = (struct path_point){end, pace};
    return n + 2;
}

size_t path_paces(const struct path *p, struct figure value, int32_t due_end,
                  struct path_point out[PATH_POINTS_MAX])
{
    double end = figure_to_real(value);
    size_t n = 0;
    if (p->kind == PATH_LINEAR && due_end != PATH_NO_END)
        n = put_pace(out, n, p->from_day, due_end, end - figure_to_real(p->from_value));
    for (size_t i = 0; p->kind == PATH_MILESTONES && i + 1 < p->count; i++)
        n = put_pace(out, n, p->milestones[i].end, p->milestones[i + 1].end,
                     figure_to_real(p->milestones[i + 1].value) - figure_to_real(p->milestones[i].value));
    if (p->kind == PATH_MILESTONES && p->count > 0 && due_end != PATH_NO_END)
        n = put_pace(out, n, p->milestones[p->count - 1].end, due_end,
                     end - figure_to_real(p->milestones[p->count - 1].value));
    if (n > 0) {
        out[n] = (struct path_point){out[n - 1].at, NAN};
        n++;
    }
    return n;
}
