// librrd takes its values as texts, one at a time through every archive, in a file that it maps anew for each
// visit: parsing, comparing names of functions and page faults are nearly all that a visit costs. What it
// does with a GAUGE whose times lie on the step is small, and is done here, archive by archive with rows
// written in one piece. The rules, and the names of what they leave in the header, are librrd 1.7's
// (rrd_update.c: update_cdp, reset_cdp, update_aberrant_cdps, write_to_rras); a test holds both files
// together byte by byte.
#include "store/rrd_write.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROWS_A_WRITE 512

enum function { AVERAGE, MINIMUM, MAXIMUM, LAST };

struct archive {
    const struct rrd_target *target;
    struct diag *d;
    enum function function;
    uint64_t steps, rows; // steps a row; rows of the ring
    uint64_t left;        // steps until the row under way is whole
    double most_unknown;  // steps of a row; more, and it is unknown
    unival *sums;
    unsigned long *row;
    off_t at;
    size_t count;
    double waiting[ROWS_A_WRITE]; // rows that follow *row
};

// ---- rows
// -----------------------------------------------------------------------------------------------------------

enum err rrd_write_at(const struct rrd_target *t, const void *bytes, size_t count, off_t at, struct diag *d)
{
    if (t->image) {
        memcpy(t->image + at, bytes, count);
        return ERR_OK;
    }
    errno = 0;
    if (pwrite(t->fd, bytes, count, at) == (ssize_t)count)
        return ERR_OK;
    return diag_errno(d, errno ? errno : ENOSPC, "%s: cannot write", t->path);
}

static enum err write_rows(struct archive *a)
{
    for (size_t done = 0; done < a->count;) {
        uint64_t row = (*a->row + 1) % a->rows;
        size_t n = a->count - done;
        if (n > a->rows - row)
            n = a->rows - row;
        enum err e = rrd_write_at(a->target, a->waiting + done, n * sizeof *a->waiting,
                                  a->at + (off_t)(row * sizeof *a->waiting), a->d);
        if (e != ERR_OK)
            return e;
        *a->row = row + n - 1;
        done += n;
    }
    a->count = 0;
    return ERR_OK;
}

static enum err add_rows(struct archive *a, uint64_t count, double first, double others)
{
    for (uint64_t i = 0; i < count; i++) {
        a->waiting[a->count++] = i == 0 ? first : others;
        enum err e = a->count == ROWS_A_WRITE ? write_rows(a) : ERR_OK;
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

// ---- consolidating
// --------------------------------------------------------------------------------------------------

static double add_steps(const struct archive *a, double sum, double value, uint64_t steps)
{
    switch (a->function) {
    case AVERAGE:
        return isnan(sum) ? value * (double)steps : sum + value * (double)steps;
    case MINIMUM:
        return isnan(sum) || value < sum ? value : sum;
    case MAXIMUM:
        return isnan(sum) || value > sum ? value : sum;
    default:
        return value;
    }
}

// Of the row that becomes whole with so many more steps of the value.
static double row_value(const struct archive *a, double value, uint64_t steps)
{
    double sum = a->sums[CDP_val].u_val;
    uint64_t unknown = a->sums[CDP_unkn_pdp_cnt].u_cnt;
    if ((double)unknown > a->most_unknown)
        return rrd_set_to_DNAN();
    double least = a->function == MINIMUM ? INFINITY : -INFINITY;
    switch (a->function) {
    case AVERAGE:
        return ((isnan(sum) ? 0 : sum) + (isnan(value) ? 0 : value) * (double)steps) /
               (double)(a->steps - unknown);
    case MINIMUM:
    case MAXIMUM:
        sum = isnan(sum) ? least : sum;
        value = isnan(value) ? least : value;
        return a->function == MINIMUM ? (value < sum ? value : sum) : (value > sum ? value : sum);
    default:
        return value;
    }
}

// What is left over for the row that comes next.
static double carry(const struct archive *a, double value, uint64_t steps)
{
    bool none = steps == 0 || isnan(value);
    switch (a->function) {
    case AVERAGE:
        return none ? 0 : value * (double)steps;
    case MINIMUM:
        return none ? INFINITY : value;
    case MAXIMUM:
        return none ? -INFINITY : value;
    default:
        return none ? rrd_set_to_DNAN() : value;
    }
}

static enum err consolidate(struct archive *a, uint64_t steps, double value)
{
    unival *s = a->sums;
    if (steps < a->left) {
        a->left -= steps;
        if (isnan(value))
            s[CDP_unkn_pdp_cnt].u_cnt += steps;
        else
            s[CDP_val].u_val = add_steps(a, s[CDP_val].u_val, value, steps);
        return ERR_OK;
    }
    const uint64_t over = steps - a->left, rows = over / a->steps + 1;
    if (isnan(value))
        s[CDP_unkn_pdp_cnt].u_cnt += a->left;
    s[CDP_secondary_val].u_val = value;
    s[CDP_primary_val].u_val = row_value(a, value, a->left);
    s[CDP_val].u_val = carry(a, value, over % a->steps);
    s[CDP_unkn_pdp_cnt].u_cnt = isnan(value) ? over % a->steps : 0;
    a->left = a->steps - over % a->steps;
    return add_rows(a, rows < a->rows ? rows : a->rows, s[CDP_primary_val].u_val, value);
}

// A row a step: nothing is summed up, but librrd notes what it wrote.
static enum err copy(struct archive *a, uint64_t steps, double value)
{
    a->sums[CDP_primary_val].u_val = value;
    if (steps > 1)
        a->sums[CDP_secondary_val].u_val = value;
    return add_rows(a, steps < a->rows ? steps : a->rows, value, value);
}

static enum err add(struct archive *a, uint64_t steps, double value)
{
    return a->steps == 1 ? copy(a, steps, value) : consolidate(a, steps, value);
}

// ---- all archives
// ---------------------------------------------------------------------------------------------------

static enum function function_of(const char *name)
{
    static const char *const names[] = {[AVERAGE] = "AVERAGE", [MINIMUM] = "MIN", [MAXIMUM] = "MAX"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum function)i;
    return LAST;
}

static void open_archive(struct archive *a, struct rrd_header *h, size_t number, off_t at)
{
    const rra_def_t *def = &h->archives[number];
    a->function = function_of(def->cf_nam);
    a->steps = def->pdp_cnt;
    a->rows = def->row_cnt;
    a->left = a->steps - (uint64_t)h->live.last_up / h->stat.pdp_step % a->steps;
    a->most_unknown = (double)a->steps * def->par[RRA_cdp_xff_val].u_val;
    a->sums = h->sums[number].scratch;
    a->row = &h->rows[number].cur_row;
    a->at = at;
    a->count = 0;
}

static enum err write_archive(struct archive *a, int64_t last, int64_t step_s, const struct rrd_value *values,
                              size_t count)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < count; i++) {
        int64_t apart = values[i].time - last;
        if (apart > step_s)
            e = add(a, (uint64_t)(apart / step_s - 1), rrd_set_to_DNAN());
        // No -0.
        if (e == ERR_OK)
            e = add(a, 1, isnan(values[i].value) ? rrd_set_to_DNAN() : values[i].value + 0.0);
        last = values[i].time;
    }
    return e == ERR_OK ? write_rows(a) : e;
}

// The text of the last reading is there for people who look at the file with rrdtool.
static void note_last(struct rrd_header *h, const struct rrd_value *last)
{
    char text[LAST_DS_LEN] = "U"; // and zeros: librrd fills it up
    bool whole = fabs(last->value) < 9007199254740992.0 && last->value == nearbyint(last->value);
    if (whole)
        snprintf(text, sizeof text, "%" PRId64, (int64_t)last->value);
    else if (!isnan(last->value))
        snprintf(text, sizeof text, "%.17g", last->value);
    memcpy(h->step.last_ds, text, sizeof text);
    h->step.scratch[PDP_unkn_sec_cnt].u_cnt = 0;
    h->step.scratch[PDP_val].u_val = isnan(last->value) ? rrd_set_to_DNAN() : last->value * 0.0;
    h->live.last_up = (time_t)last->time;
    h->live.last_up_usec = 0;
}

enum err rrd_write_values(struct rrd_header *h, const struct rrd_target *t, const struct rrd_value *values,
                          size_t count, struct diag *d)
{
    struct archive a;
    off_t at = h->values_at;
    a.target = t;
    a.d = d;
    for (size_t i = 0; count > 0 && i < h->stat.rra_cnt; i++) {
        open_archive(&a, h, i, at);
        enum err e = write_archive(&a, h->live.last_up, (int64_t)h->stat.pdp_step, values, count);
        if (e != ERR_OK)
            return e;
        at += (off_t)(a.rows * sizeof(rrd_value_t));
    }
    if (count > 0)
        note_last(h, &values[count - 1]);
    return ERR_OK;
}

enum err rrd_write_check(const char *path, uint32_t step_s, int64_t last, const struct rrd_value *values,
                         size_t count, struct diag *d)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i].time % step_s != 0 || isinf(values[i].value))
            return diag_fail(d, ERR_INVALID,
                             "%s: the value at %" PRId64 " is off the step of %u s or infinite", path,
                             values[i].time, step_s);
        if (values[i].time <= last)
            return diag_fail(d, i == 0 ? ERR_CONFLICT : ERR_INVALID,
                             "%s: the value at %" PRId64 " is not later than %" PRId64, path, values[i].time,
                             last);
        last = values[i].time;
    }
    return ERR_OK;
}
