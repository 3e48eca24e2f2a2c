// A day that is off or worked by itself must differ from what the week says anyway: a date in the wrong list,
// or of the wrong year, would be no error otherwise and move a due date in silence.
#include "kpi/calendar_yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAYS_MAX 5000
#define TEXT_MAX 400

static const cyaml_schema_value_t day_entry = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, PERIOD_TEXT)};

#define DAYS(key)                                                                                            \
    CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_calendar, key,          \
                         &day_entry, 0, DAYS_MAX)
const cyaml_schema_field_t calendar_yaml_fields[] = {
    CYAML_FIELD_INT("fiscal_year_from", CYAML_FLAG_OPTIONAL, struct yaml_calendar, fiscal_year_from),
    DAYS(weekend),
    DAYS(holidays),
    DAYS(working),
    CYAML_FIELD_STRING_PTR("assumed", CYAML_FLAG_OPTIONAL, struct yaml_calendar, assumed, 0, TEXT_MAX),
    CYAML_FIELD_END,
};

static const char *const weekdays[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static enum err take_weekend(const struct place *p, const struct yaml_calendar *raw, struct calendar *out)
{
    enum err e = ERR_OK;
    for (uint32_t i = 0; raw->weekend && i < raw->weekend_count && e == ERR_OK; i++) {
        char key[32];
        unsigned day = 0;
        snprintf(key, sizeof key, "weekend[%u]", i);
        e = place_choose(p, key, raw->weekend[i], weekdays, 7, &day);
        if (e == ERR_OK && out->weekend[day])
            e = place_error(p, key, "\"%s\" is there twice", raw->weekend[i]);
        out->weekend[day] = true;
    }
    if (e == ERR_OK && raw->weekend_count == 7)
        e = place_error(p, "weekend", "no day is left to work on");
    return e;
}

static enum err take_days(const struct place *p, const char *key, char *const *raw, uint32_t count,
                          int32_t **out, size_t *kept)
{
    if (!(*out = calloc(count + 1u, sizeof **out)))
        return diag_fail(p->d, ERR_NOMEM, "%s: out of memory", p->file);
    for (uint32_t i = 0; i < count; i++) {
        char at[40];
        struct period day;
        snprintf(at, sizeof at, "%s[%u]", key, i);
        if (period_parse(raw[i], &day) != ERR_OK || day.kind != PERIOD_DAY)
            return place_error(p, at, "\"%.20s\" is not a day: write it like 2026-03-09", raw[i]);
        if (i > 0 && day.start <= (*out)[i - 1])
            return place_error(p, at, "%s is not later than the day before it in the list", raw[i]);
        (*out)[(*kept)++] = day.start;
    }
    return ERR_OK;
}

// Against the week alone, before any day by itself counts.
static enum err check_days(const struct place *p, const struct yaml_calendar *raw, const struct calendar *c)
{
    struct calendar week = *c;
    char key[40];
    week.holiday_count = week.working_count = 0;
    for (size_t i = 0; i < c->working_count; i++) {
        snprintf(key, sizeof key, "working[%zu]", i);
        if (calendar_is_working(&week, c->working[i]))
            return place_error(p, key, "%s is no day of the weekend: it is worked anyway", raw->working[i]);
    }
    week.holiday_count = c->holiday_count;
    for (size_t i = 0; i < c->working_count; i++)
        for (size_t j = 0; j < c->holiday_count; j++)
            if (c->working[i] == c->holidays[j]) {
                snprintf(key, sizeof key, "working[%zu]", i);
                return place_error(p, key, "%s is among the holidays too", raw->working[i]);
            }
    return ERR_OK;
}

enum err calendar_yaml_take(const char *file, struct diag *d, const struct yaml_calendar *raw,
                            struct calendar *out)
{
    struct place p = {.d = d, .file = file, .at = "calendar"};
    *out = calendar_default;
    if (!raw)
        return ERR_OK;
    out->note = text_or_none(raw->assumed);
    if (raw->fiscal_year_from < 0 || raw->fiscal_year_from > 12)
        return place_error(&p, "fiscal_year_from", "%d is not a month: 1 (January) to 12",
                           (int)raw->fiscal_year_from);
    if (raw->fiscal_year_from > 0)
        out->fiscal_year_from = raw->fiscal_year_from;
    if (raw->weekend)
        memset(out->weekend, 0, sizeof out->weekend);
    enum err e = place_text(&p, "assumed", raw->assumed);
    if (e == ERR_OK)
        e = take_weekend(&p, raw, out);
    if (e == ERR_OK)
        e = take_days(&p, "holidays", raw->holidays, raw->holidays_count, &out->holidays,
                      &out->holiday_count);
    if (e == ERR_OK)
        e = take_days(&p, "working", raw->working, raw->working_count, &out->working, &out->working_count);
    return e == ERR_OK ? check_days(&p, raw, out) : e;
}

void calendar_yaml_free(struct calendar *c)
{
    free(c->holidays);
    free(c->working);
    c->holidays = c->working = NULL;
}
