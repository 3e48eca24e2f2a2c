// What is planned of a series, in the units its graph is drawn in: a level line of a target or capacity, or
// the path to a target. What counts from the beginning on is no line beside the figures of single periods;
// its path is, as what it adds a period.
#include "dashboards/graph.h"
#include "kpi/period.h"
#include <string.h>

// What is planned of the park stands beside its totals.
static bool speaks_of(const struct statement *st, const struct board_row *r)
{
    return strcmp(*st->resident ? st->resident : SERIES_RESIDENT_ALL, r->name.resident) == 0;
}

static bool applies(const struct statement *st, const struct board_row *r)
{
    if ((st->kind != STATEMENT_TARGET && st->kind != STATEMENT_CAPACITY) ||
        st->value.kind == FIGURE_MISSING || !statement_counts(st) || st->base.kind != FIGURE_MISSING ||
        st->comparator == COMPARE_RANGE)
        return false;
    bool output = st->kind == STATEMENT_CAPACITY && strcmp(r->name.kpi, "out_units") == 0;
    return (output || strcmp(st->kpi, r->name.kpi) == 0) && speaks_of(st, r) &&
           strcmp(st->dimension, r->name.dimension) == 0 &&
           strcmp(st->currency, r->measure.currency_code) == 0;
}

static double seconds_of(const struct board_row *r)
{
    static const double days[] = {
        [PERIOD_DAY] = 1, [PERIOD_MONTH] = 365.0 / 12, [PERIOD_QUARTER] = 365.0 / 4, [PERIOD_YEAR] = 365};
    return r->series.class == WIRE_REPORT ? days[r->series.period] * 86400 : r->series.step_s;
}

static double seconds_per(const char *per)
{
    return strcmp(per, "year") == 0      ? 365.0 * 86400
           : strcmp(per, "quarter") == 0 ? 365.0 * 86400 / 4
           : strcmp(per, "month") == 0   ? 365.0 * 86400 / 12
           : strcmp(per, "day") == 0     ? 86400
                                         : 0;
}

bool graph_target(const struct board_row *r, const struct statement **st, double *value, bool *pro_rata)
{
    for (size_t i = 0; r->park && i < r->park->statement_count; i++) {
        const struct statement *s = &r->park->statements[i];
        if (!applies(s, r) || s->cumulative)
            continue;
        double year = seconds_per(s->per);
        *pro_rata = board_is_flow(r) && year > 0;
        if (board_is_flow(r) && year == 0)
            continue;
        *st = s;
        *value = figure_to_real(s->value) * (*pro_rata ? seconds_of(r) / year : 1) * graph_scale(r);
        return true;
    }
    return false;
}

static size_t points_of(const struct board_row *r, const struct statement *s,
                        struct path_point at[PATH_POINTS_MAX], double *scale, bool *pro_rata)
{
    struct period due;
    int32_t end = PATH_NO_END;
    double per = seconds_per(s->per);
    bool flow = board_is_flow(r);
    if (*s->due && period_parse(s->due, &due) == ERR_OK)
        end = period_end(due);
    *pro_rata = flow;
    *scale = graph_scale(r);
    if (!flow)
        return path_points(&s->path, s->value, end, at);
    *scale *= seconds_of(r);
    if (s->cumulative) {
        *scale /= 86400;
        return path_paces(&s->path, s->value, end, at);
    }
    *scale /= per;
    return per > 0 ? path_points(&s->path, s->value, end, at) : 0;
}

size_t graph_path(const struct board_row *r, const struct statement **st,
                  struct rrd_plan_point out[PATH_POINTS_MAX], bool *pro_rata)
{
    struct path_point at[PATH_POINTS_MAX];
    for (size_t i = 0; r->park && i < r->park->statement_count; i++) {
        const struct statement *s = &r->park->statements[i];
        double scale;
        size_t n = s->path.kind != PATH_NONE && applies(s, r) ? points_of(r, s, at, &scale, pro_rata) : 0;
        for (size_t k = 0; k < n; k++)
            out[k] = (struct rrd_plan_point){(int64_t)at[k].at * 86400, at[k].value * scale};
        *st = s;
        if (n > 0)
            return n;
    }
    return 0;
}
