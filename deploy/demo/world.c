// Figures are drawn by hashing (seed, resident, series, time), never by a running generator: no state has to
// be carried from the history's end to the first live figure, and any one of them can be computed alone. What
// ties the series of a resident together is its activity: the day's plan, the shift, breakdowns. The machine
// series, the daily pieces and the sales all follow it.
#include "deploy/demo/world.h"
#include "kpi/series.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WORLD_START_DAY 18993 // 2022-01-01: where trends begin
#define DAY_S           86400
#define SLOT_S          21600 // at most one breakdown begins in each

struct world {
    const struct profile *profile;
    const struct profile_park *park;
    const struct profile_resident *resident;
    uint64_t key;
    int64_t offset_hour, offset_s; // the last hour asked for and its zone offset
    int64_t plan_day;              // the last day asked for and its activity
    double plan;
};

enum salt {
    SALT_DAY = 1,
    SALT_BREAK,
    SALT_BREAK_AT,
    SALT_BREAK_LEN,
    SALT_SILENT,
    SALT_MISSING,
    SALT_VALUE,
    SALT_HIRED,
    SALT_LEFT
};

// splitmix64's finalizer (Steele, Lea, Flood 2014, public domain).
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t mix_text(uint64_t key, const char *text)
{
    for (; text && *text; text++) {
        key = mix(key ^ (unsigned char)*text);
    }
    return mix(key);
}

// Even over [0, 1).
static double draw(uint64_t key, enum salt salt, int64_t at)
{
    return (double)(mix(mix(key ^ (uint64_t)salt) ^ (uint64_t)at) >> 11) * 0x1p-53;
}

// About normal, mean 0, deviation 1: three even draws.
static double bell(uint64_t key, enum salt salt, int64_t at)
{
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        sum += draw(mix(key + (uint64_t)i), salt, at);
    }
    return (sum - 1.5) * 2;
}

// A whole number with this mean: the fraction decides by chance, and larger means spread.
static int64_t about(uint64_t key, int64_t at, double mean, double spread)
{
    double wanted = mean * (1 + spread * bell(key, SALT_VALUE, at));
    double whole = floor(wanted);
    int64_t n = (int64_t)whole + (draw(key, SALT_DAY, at) < wanted - whole ? 1 : 0);
    return n > 0 ? n : 0;
}

enum err world_create(const struct profile *p, const char *resident, struct world **out, struct diag *d)
{
    struct world *w = calloc(1, sizeof *w);
    if (!w) {
        return diag_fail(d, ERR_NOMEM, "no memory");
    }
    enum err e = profile_find(p, resident, &w->park, &w->resident, d);
    if (e != ERR_OK) {
        free(w);
        return e;
    }
    w->profile = p;
    w->key = mix_text(mix(p->seed), resident);
    w->offset_hour = INT64_MIN;
    w->plan_day = INT64_MIN;
    setenv("TZ", w->park->time_zone, 1);
    tzset();
    *out = w;
    return ERR_OK;
}

void world_destroy(struct world *w)
{
    free(w);
}

const struct profile_resident *world_resident(const struct world *w)
{
    return w->resident;
}

static int64_t local_seconds(struct world *w, int64_t time_s)
{
    int64_t hour = time_s / 3600;
    if (hour != w->offset_hour) {
        time_t t = (time_t)time_s;
        struct tm tm;
        w->offset_s = localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
        w->offset_hour = hour;
    }
    return time_s + w->offset_s;
}

int32_t world_local_day(struct world *w, int64_t time_s)
{
    return (int32_t)(local_seconds(w, time_s) / DAY_S);
}

static bool is_holiday(const struct profile_park *park, int32_t day)
{
    struct civil c = civil_from_days(day);
    char text[16];
    snprintf(text, sizeof text, "%02d-%02d", (int)c.month, (int)c.day);
    for (uint32_t i = 0; i < park->holidays_count; i++) {
        if (strcmp(park->holidays[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_working_day(const struct world *w, int32_t day)
{
    int weekday = (day + 3) % 7; // 1970-01-01 was a Thursday; 0 is Monday
    return weekday < 5 && !is_holiday(w->park, day);
}

// Growth towards capacity, a yearly wave, the same for all series of the resident. 0.5 .. 0.95.
static double level_of_the_year(const struct world *w, int32_t day)
{
    double years = (day - WORLD_START_DAY) / 365.25;
    double ramp = 0.58 + 0.24 * (1 - exp(-years / (2 + 4 * draw(w->key, SALT_VALUE, 1))));
    double wave = 0.07 * sin(6.283185307179586 * (years - draw(w->key, SALT_VALUE, 2)));
    return ramp + wave;
}

// The share of a full day's work done on this civil day.
static double day_plan(struct world *w, int32_t day)
{
    if (w->plan_day == day) {
        return w->plan;
    }
    double plan = level_of_the_year(w, day) * (1 + 0.06 * bell(w->key, SALT_DAY, day));
    if (!is_working_day(w, day)) {
        plan *= w->resident->shifts >= 3 ? 0.8 : 0;
    }
    w->plan_day = day;
    w->plan = plan;
    return plan;
}

// Share of a full rate at this second of the local day: ramps at a shift's ends, a lunch break.
static double shift_rate(const struct profile_resident *r, int64_t second)
{
    double hour = (double)second / 3600;
    if (r->shifts >= 3) {
        return hour < 7 ? 0.93 : 1.0;
    }
    double from = r->shifts == 2 ? 7 : 9, to = r->shifts == 2 ? 23 : 18;
    if (hour <= from || hour > to) {
        return 0;
    }
    if (hour > 12.5 && hour <= 13.25) {
        return 0.3;
    }
    return fmin(1, fmin(hour - from, to - hour) * 3);
}

static double shift_hours(const struct profile_resident *r)
{
    return r->shifts >= 3 ? 24 : r->shifts == 2 ? 16 : 9;
}

// A spell that begins at a random place of slot `slot`, with chance p, of 600 .. 600 + longest seconds.
static bool in_spell(uint64_t key, int64_t slot, int64_t slot_s, double p, double longest, int64_t time)
{
    if (draw(key, SALT_BREAK, slot) >= p) {
        return false;
    }
    int64_t begin = slot * slot_s + (int64_t)(draw(key, SALT_BREAK_AT, slot) * (double)slot_s);
    int64_t length = 600 + (int64_t)(draw(key, SALT_BREAK_LEN, slot) * longest);
    return time > begin && time <= begin + length;
}

static bool broken_down(const struct world *w, int64_t time)
{
    int64_t slot = time / SLOT_S;
    return in_spell(w->key, slot, SLOT_S, 0.12, 5400, time) ||
           in_spell(w->key, slot - 1, SLOT_S, 0.12, 5400, time);
}

bool world_silent(struct world *w, int64_t time)
{
    uint64_t key = mix(w->key ^ SALT_SILENT);
    int64_t slot = time / DAY_S;
    return in_spell(key, slot, DAY_S, 0.35, 7200, time) || in_spell(key, slot - 1, DAY_S, 0.35, 7200, time);
}

// Activity of the step that ends at `time`: 0 .. about 1 of the full rate.
static double activity(struct world *w, int64_t time)
{
    if (broken_down(w, time)) {
        return 0;
    }
    int64_t local = local_seconds(w, time - 1);
    return day_plan(w, (int32_t)(local / DAY_S)) * shift_rate(w->resident, local % DAY_S);
}

// Pieces a second at the full rate: a year's capacity over its planned time.
static double pieces_a_second(const struct world *w, double capacity)
{
    double days = w->resident->shifts >= 3 ? 340 : 248;
    return capacity / (days * shift_hours(w->resident) * 3600);
}

static struct figure whole(int64_t n)
{
    struct figure f;
    return figure_from_integer(n, &f) == ERR_OK ? f : figure_missing();
}

static struct figure rounded(double value, double per)
{
    struct figure f;
    return figure_from_real(round(value * per) / per, &f) == ERR_OK ? f : figure_missing();
}

// A line that makes `rate` pieces a step gives them evenly: 0 0 1 0 0 1 …, not by chance. A steady rate is
// needed for that over neighbouring steps only.
static int64_t evenly(double rate, int64_t step_number)
{
    return (int64_t)(floor(rate * (double)step_number) - floor(rate * (double)(step_number - 1)));
}

static struct figure machine_figure(struct world *w, const struct profile_series *s, uint64_t key,
                                    int64_t time)
{
    if (world_silent(w, time)) {
        return figure_missing();
    }
    double rate = activity(w, time);
    if (s->model == MODEL_PIECES) {
        double steady = rate * pieces_a_second(w, s->size) * s->step_s;
        steady *= 1 + 0.08 * bell(key, SALT_VALUE, time / 3600);
        return whole(evenly(steady > 0 ? steady : 0, time / s->step_s));
    }
    if (s->model == MODEL_ENERGY) {
        double share = 0.12 + 0.7 * rate + 0.015 * bell(key, SALT_VALUE, time);
        return rounded(s->size * share * s->step_s / 3600, 1000);
    }
    int64_t local = local_seconds(w, time - 1);
    bool planned = shift_rate(w->resident, local % DAY_S) > 0 && day_plan(w, (int32_t)(local / DAY_S)) > 0;
    return whole(planned && broken_down(w, time) ? s->step_s : 0);
}

static int32_t months_since_start(int32_t day)
{
    struct civil c = civil_from_days(day);
    return (c.year - 2022) * 12 + c.month - 1;
}

static int64_t hired_in(const struct world *w, int32_t month)
{
    return about(mix(w->key ^ SALT_HIRED), month, w->resident->hires, 0.5);
}

static int64_t left_in(const struct world *w, int32_t month)
{
    return about(mix(w->key ^ SALT_LEFT), month, w->resident->hires * 0.6, 0.5);
}

// People on the list at the end of the period: who was there at the start, all hired since, less all who
// left.
static int64_t staff_at_end(const struct world *w, struct period p)
{
    int32_t last = period_end(p) - 1, month = months_since_start(last);
    int64_t people = w->resident->staff;
    for (int32_t m = 0; m < month; m++) {
        people += hired_in(w, m) - left_in(w, m);
    }
    struct period of = period_containing(PERIOD_MONTH, last);
    int64_t days = period_end(of) - of.start, gone = last + 1 - of.start;
    people += (hired_in(w, month) - left_in(w, month)) * gone / days;
    return people > 1 ? people : 1;
}

// Full working days in the period that were worked.
static double worked_days(struct world *w, struct period p)
{
    double sum = 0;
    for (int32_t day = p.start; day < period_end(p); day++) {
        sum += day_plan(w, day);
    }
    return sum;
}

static struct figure money(const struct profile_series *s, double major)
{
    return whole(llround(major * pow(10, profile_decimals(s))));
}

static struct figure spending(const struct profile_series *s, uint64_t key, struct period p)
{
    int32_t month = months_since_start(p.start);
    double lump = draw(key, SALT_BREAK, month) < 0.2 ? 3.0 : 0.45;
    return money(s, s->size * lump * (1 + 0.3 * bell(key, SALT_VALUE, month)));
}

static double wander(uint64_t key, struct period p)
{
    double years = (p.start - WORLD_START_DAY) / 365.25;
    return 0.2 * sin(6.283185307179586 * (years + draw(key, SALT_VALUE, -1))) +
           0.06 * bell(key, SALT_VALUE, p.start);
}

// Where a project is, as a real number: 5.4 is within stage 5.
static double project_at(const struct profile_series *s, double growth)
{
    return fmax(0, fmin(8, s->size + growth * 1.3));
}

// A stage begins when half of the one before is over, so two are in work at a time.
static struct figure stage_done(const struct profile_series *s, double growth)
{
    double stage = s->dimension ? s->dimension[0] - '0' : 0;
    double done = (project_at(s, growth) - (stage - 0.5)) / 1.5;
    return rounded(100 * fmax(0, fmin(1, done)), 1);
}

static struct figure report_figure(struct world *w, const struct profile_series *s, uint64_t key,
                                   struct period p)
{
    double growth = (p.start - WORLD_START_DAY) / 365.25;
    switch (s->model) {
    case MODEL_MADE:
        return whole(
            about(key, p.start, worked_days(w, p) * s->size / (w->resident->shifts >= 3 ? 340 : 248), 0.1));
    case MODEL_SALES:
        return money(s, s->size * worked_days(w, p) * pow(1.09, growth) *
                            (1 + 0.04 * bell(key, SALT_VALUE, p.start)));
    case MODEL_SPENDING:
        return spending(s, key, p);
    case MODEL_STAFF:
        return whole(staff_at_end(w, p));
    case MODEL_HIRED:
        return whole(hired_in(w, months_since_start(p.start)));
    case MODEL_WAGE:
        return money(s, s->size * pow(1.11, growth) * (1 + 0.015 * bell(key, SALT_VALUE, p.start)));
    case MODEL_COUNT:
        return whole(about(key, p.start, s->size * (0.8 + 0.1 * growth), 0.45));
    case MODEL_LEVEL:
        return whole(about(key, p.start, s->size * (1 + wander(key, p)), 0.02));
    case MODEL_PERCENT:
        return rounded(fmax(0, fmin(100, s->size * (1 + 0.4 * wander(key, p)))), 10);
    case MODEL_STAGE:
        return whole((int64_t)project_at(s, growth));
    case MODEL_DONE:
        return stage_done(s, growth);
    default:
        return figure_missing();
    }
}

struct figure world_figure(struct world *w, const struct profile_series *s, int64_t time)
{
    char name[SERIES_NAME_MAX + 1];
    profile_series_text(s, name);
    uint64_t key = mix_text(w->key, name);
    if (s->step_s > 0) {
        return machine_figure(w, s, key, time);
    }
    // Now and then a report is not handed in: missing, not zero.
    if (draw(key, SALT_MISSING, time) < (s->period == PERIOD_DAY ? 0.015 : 0.03)) {
        return figure_missing();
    }
    return report_figure(w, s, key, period_containing(s->period, (int32_t)time));
}
