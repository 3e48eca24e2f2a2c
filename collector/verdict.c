// A refused sample is stored with its reason and never judged again, so the rules stand here alone and in one
// order: what the decoder found, what the series is, when the sample is for, what it says, what its note
// says.
#include "collector/verdict.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include "kpi/series.h"
#include <stdio.h>
#include <string.h>

#define EPOCH_1900_S   INT64_C(-2208988800) // 1900-01-01
#define EPOCH_1900_DAY (-25567)
// A day begins first where clocks are ahead of UTC by 14 hours; a resident's zone is not asked.
#define EARLIEST_ZONE_S (14 * 3600)
#define DAY_S           86400

// ---- declares -----------------------------------------------------------------------------------
static enum err check_schedule(const struct wire_declare *d, struct diag *diag)
{
    if (d->class == WIRE_MEASUREMENT) {
        if (d->period != PERIOD_NONE)
            return diag_fail(diag, ERR_INVALID, "%s: a measurement has no period", d->series);
        if (d->step_s < WIRE_STEP_MIN_S || d->step_s > WIRE_STEP_MAX_S || 3600 % d->step_s != 0)
            return diag_fail(diag, ERR_INVALID, "%s: a step of %u s is not a divisor of 3600 from 10 up",
                             d->series, (unsigned)d->step_s);
        return ERR_OK;
    }
    if (d->class != WIRE_REPORT)
        return diag_fail(diag, ERR_INVALID, "%s: the class is neither measurement nor report", d->series);
    if (d->step_s != 0)
        return diag_fail(diag, ERR_INVALID, "%s: a report has a period, not a step", d->series);
    if (d->period < PERIOD_DAY || d->period > PERIOD_YEAR)
        return diag_fail(diag, ERR_INVALID, "%s: a report's period is day, month, quarter or year",
                         d->series);
    return ERR_OK;
}

static enum err check_unit(const struct kpi *kpi, const struct wire_declare *d, struct diag *diag)
{
    bool any = strcmp(kpi->unit->code, "any") == 0;
    bool money = kpi->money || (any && strcmp(d->unit, "money") == 0);
    if (!d->unit[0])
        return diag_fail(diag, ERR_INVALID, "%s: the unit is missing", d->series);
    if (!any && strcmp(kpi->unit->code, d->unit) != 0)
        return diag_fail(diag, ERR_INVALID, "%s: the unit is '%s', the catalogue's is '%s'", d->series,
                         d->unit, kpi->unit->code);
    if (money && !currency_find(d->currency))
        return diag_fail(diag, ERR_INVALID,
                         "%s: money needs a currency of ISO 4217 that is known here, not '%s'", d->series,
                         d->currency);
    if (!money && d->currency[0])
        return diag_fail(diag, ERR_INVALID, "%s: a currency (%s) but the unit is not money", d->series,
                         d->currency);
    return ERR_OK;
}

enum err verdict_declare(const struct catalogue *catalogue, const char *resident,
                         const struct wire_declare *d, struct ledger_series *out, struct diag *diag)
{
    struct series_name name;
    enum err e = series_parse_resident(resident, &name);
    if (e != ERR_OK)
        return diag_fail(diag, ERR_INVALID, "'%s' is not park/resident", resident);
    struct series_name part;
    if (series_parse_kpi(d->series, &part) != ERR_OK)
        return diag_fail(diag, ERR_INVALID, "'%s' is not kpi or kpi/dimension of [a-z0-9_.-]", d->series);
    const struct kpi *kpi = catalogue_find(catalogue, part.kpi);
    if (!kpi)
        return diag_fail(diag, ERR_INVALID, "%s: the catalogue has no KPI '%s'", d->series, part.kpi);
    if (kpi->kind == KPI_COMPUTED)
        return diag_fail(diag, ERR_INVALID, "%s is computed here as %s: report its parts", part.kpi,
                         kpi->formula);
    if ((e = check_schedule(d, diag)) != ERR_OK || (e = check_unit(kpi, d, diag)) != ERR_OK)
        return e;
    struct ledger_series s = {.class = d->class, .step_s = d->step_s, .period = d->period};
    int n = snprintf(s.name, sizeof s.name, "%s/%s", resident, d->series);
    if (n < 0 || (size_t)n >= sizeof s.name || strlen(d->unit) >= sizeof s.unit ||
        strlen(d->currency) >= sizeof s.currency)
        return diag_fail(diag, ERR_INVALID, "%s: the name, unit or currency is too long", d->series);
    memcpy(s.unit, d->unit, strlen(d->unit));
    memcpy(s.currency, d->currency, strlen(d->currency));
    *out = s;
    return ERR_OK;
}

// ---- samples ------------------------------------------------------------------------------------
struct moment { // at which samples are judged
    int64_t now_s, closed_until_s;
};

// What was last said of a time: a batch has many samples of one step.
struct said {
    int64_t time;
    enum wire_class class;
    uint32_t schedule; // step or period
    enum wire_reason reason;
    bool any;
};

static enum wire_reason judge_measurement_time(const struct ledger_series *s, int64_t time,
                                               const struct moment *m)
{
    const int64_t now_s = m->now_s;
    if (time < EPOCH_1900_S)
        return WIRE_REASON_BEFORE_EPOCH;
    if (m->closed_until_s && time <= m->closed_until_s)
        return WIRE_REASON_TOO_OLD;
    if (time > now_s + WIRE_FUTURE_MAX_S)
        return WIRE_REASON_FUTURE;
    return time % (int64_t)s->step_s == 0 ? WIRE_REASON_NONE : WIRE_REASON_OFF_STEP;
}

static enum wire_reason judge_report_time(const struct ledger_series *s, int64_t day, int64_t now_s)
{
    if (day < EPOCH_1900_DAY)
        return WIRE_REASON_BEFORE_EPOCH;
    if (day * DAY_S > now_s + WIRE_FUTURE_MAX_S + EARLIEST_ZONE_S)
        return WIRE_REASON_FUTURE;
    return period_is_start((enum period_kind)s->period, (int32_t)day) ? WIRE_REASON_NONE
                                                                      : WIRE_REASON_OFF_STEP;
}

static enum wire_reason judge_time(const struct ledger_series *s, int64_t time, const struct moment *m)
{
    if (time > INT32_MAX * INT64_C(86400) || time < INT32_MIN * INT64_C(86400))
        return time < 0 ? WIRE_REASON_BEFORE_EPOCH : WIRE_REASON_FUTURE;
    return s->class == WIRE_REPORT ? judge_report_time(s, time, m->now_s)
                                   : judge_measurement_time(s, time, m);
}

static enum wire_reason judge_time_again(const struct ledger_series *s, int64_t time, const struct moment *m,
                                         struct said *said)
{
    const uint32_t schedule = s->class == WIRE_REPORT ? s->period : s->step_s;
    if (!said->any || said->time != time || said->schedule != schedule || said->class != s->class)
        *said = (struct said){time, s->class, schedule, judge_time(s, time, m), true};
    return said->reason;
}

// A real that is not a whole number within 2^53: half a tiyin, or more than can be exact.
static enum wire_reason judge_money(const struct ledger_series *s, struct figure value)
{
    double v = figure_to_real(value);
    if (!s->currency[0] || value.kind != FIGURE_REAL)
        return WIRE_REASON_NONE;
    return v > (double)FIGURE_INTEGER_MAX || v < -(double)FIGURE_INTEGER_MAX ? WIRE_REASON_OUT_OF_RANGE
                                                                             : WIRE_REASON_MALFORMED;
}

static enum wire_reason judge_value(const struct verdict_series *s, struct figure value)
{
    if (value.kind == FIGURE_MISSING)
        return WIRE_REASON_NONE;
    const double v = figure_to_real(value);
    enum wire_reason r = judge_money(s->series, value);
    if (r != WIRE_REASON_NONE || !s->kpi)
        return r;
    if (s->kpi->min.kind != FIGURE_MISSING && v < figure_to_real(s->kpi->min))
        return WIRE_REASON_OUT_OF_RANGE;
    if (s->kpi->max.kind != FIGURE_MISSING && v > figure_to_real(s->kpi->max))
        return WIRE_REASON_OUT_OF_RANGE;
    return WIRE_REASON_NONE;
}

static enum wire_reason judge_note(const struct ledger_series *s, struct figure value,
                                   const struct wire_note *note)
{
    if (!note)
        return WIRE_REASON_NONE;
    if (note->currency[0] && (!s->currency[0] || !currency_find(note->currency)))
        return WIRE_REASON_BAD_NOTE;
    if (note->status == WIRE_MISSING && value.kind != FIGURE_MISSING)
        return WIRE_REASON_BAD_NOTE;
    return WIRE_REASON_NONE;
}

// Last, so that what may be released is a figure.
static enum wire_reason judge_closed(const struct verdict_series *s, int64_t day)
{
    bool closed = s->series->class == WIRE_REPORT &&
                  closure_of(s->closures, s->series->name, (enum period_kind)s->series->period, day, 0, 0);
    return closed ? WIRE_REASON_PERIOD_CLOSED : WIRE_REASON_NONE;
}

static enum wire_reason judge(const struct wire_batch *b, const struct wire_sample *sample,
                              const struct wire_note *note, const struct moment *m, struct said *said,
                              verdict_find find, void *ctx)
{
    enum wire_reason r;
    if (sample->refused != WIRE_REASON_NONE)
        return sample->refused;
    if (sample->series >= b->declares)
        return WIRE_REASON_UNKNOWN_SERIES;
    struct verdict_series s = find(ctx, sample->series);
    if (!s.series)
        return WIRE_REASON_UNKNOWN_SERIES;
    if (s.series->class != b->class)
        return WIRE_REASON_WRONG_CLASS;
    if (s.taken)
        return WIRE_REASON_SERIES_TAKEN;
    if ((r = judge_time_again(s.series, sample->time, m, said)) != WIRE_REASON_NONE)
        return r;
    if ((r = judge_value(&s, sample->value)) != WIRE_REASON_NONE ||
        (r = judge_note(s.series, sample->value, note)) != WIRE_REASON_NONE)
        return r;
    return judge_closed(&s, sample->time);
}

enum wire_reason verdict_release(const struct ledger_series *series, enum wire_class class, int64_t time,
                                 struct figure value, struct wall now, int64_t closed_until_s)
{
    const struct moment m = {now.us / US_PER_S, closed_until_s};
    if (series->class != class)
        return WIRE_REASON_WRONG_CLASS;
    enum wire_reason r = judge_time(series, time, &m);
    return r != WIRE_REASON_NONE ? r : judge_money(series, value);
}

void verdict_batch(const struct wire_batch *batch, struct wall now, int64_t closed_until_s, verdict_find find,
                   void *ctx, struct wire_refusal *refusals, size_t *refused)
{
    const struct moment m = {now.us / US_PER_S, closed_until_s};
    struct said said = {0};
    size_t next_note = 0, count = 0;
    for (size_t i = 0; i < batch->count; i++) {
        while (next_note < batch->note_count && batch->notes[next_note].index < i)
            next_note++;
        const struct wire_note *note = next_note < batch->note_count && batch->notes[next_note].index == i
                                           ? &batch->notes[next_note]
                                           : NULL;
        enum wire_reason r = judge(batch, &batch->samples[i], note, &m, &said, find, ctx);
        if (r != WIRE_REASON_NONE)
            refusals[count++] = (struct wire_refusal){.index = (uint32_t)i, .reason = r};
    }
    *refused = count;
}
