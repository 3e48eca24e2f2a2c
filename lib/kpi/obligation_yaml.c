// Nothing here has a default that could make somebody late: whom a rule binds, since when and by when is
// written, or the file is refused; "no date is set" is written too.
#include "kpi/obligation_yaml.h"
#include <stdio.h>
#include <string.h>

#include "kpi/series.h"

#define TEXT_MAX         400
#define NAMED_MAX        10000
#define DAYS_MAX         3660
#define WORKING_DAYS_MAX 1000
#define GRACE_MAX        366

#define TEXT(key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_DEFAULT, struct yaml_obligation, key, 0, TEXT_MAX)
#define OPTIONAL(key)                                                                                        \
    CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_OPTIONAL, struct yaml_obligation, key, 0, TEXT_MAX)

static const cyaml_schema_field_t due_fields[] = {
    CYAML_FIELD_INT_PTR("days", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_obligation_due, days),
    CYAML_FIELD_INT_PTR("working_days", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_obligation_due,
                        working_days),
    CYAML_FIELD_BOOL("unknown", CYAML_FLAG_OPTIONAL, struct yaml_obligation_due, unknown),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t named_entry = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, SERIES_PART_MAX)};

static const cyaml_schema_field_t obligation_fields[] = {
    TEXT(kpi),
    OPTIONAL(dimension),
    CYAML_FIELD_SEQUENCE("residents", CYAML_FLAG_POINTER, struct yaml_obligation, residents, &named_entry, 1,
                         NAMED_MAX),
    CYAML_FIELD_SEQUENCE("except", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_obligation, except,
                         &named_entry, 1, NAMED_MAX),
    TEXT(period),
    CYAML_FIELD_MAPPING("due", CYAML_FLAG_DEFAULT, struct yaml_obligation, due, due_fields),
    CYAML_FIELD_INT("grace_days", CYAML_FLAG_OPTIONAL, struct yaml_obligation, grace_days),
    TEXT(from),
    OPTIONAL(until),
    OPTIONAL(assumed),
    OPTIONAL(note),
    OPTIONAL(source),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t obligation_yaml_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_obligation, obligation_fields)};

// ---- what

static enum err take_kpi(const struct park *park, const struct catalogue *c, const struct place *p,
                         const struct yaml_obligation *raw, struct obligation *out)
{
    const struct kpi *k = catalogue_find(c, raw->kpi);
    enum err e = place_text(p, "dimension", raw->dimension);

    out->kpi = k;
    out->dimension = text_or_none(raw->dimension);
    if (e != ERR_OK)
        return e;
    if (k == NULL)
        return place_error(p, "kpi", "the catalogue has no KPI \"%.60s\"", raw->kpi);
    if (k->kind == KPI_COMPUTED)
        return place_error(p, "kpi", "\"%s\" is computed here: nobody reports it", raw->kpi);
    if (k->per_product && raw->dimension == NULL)
        return place_error(p, "", "\"%s\" is of unlike products: name the dimension that is owed", raw->kpi);
    if (raw->dimension != NULL && park_dimension(park, raw->dimension) == NULL)
        return place_error(p, "dimension", "\"%.60s\" is not one of the park's dimensions", raw->dimension);
    if (period_kind_parse(raw->period, &out->period) != ERR_OK)
        return place_error(p, "period", "\"%.60s\" is not one of day | month | quarter | year", raw->period);
    return ERR_OK;
}

// ---- who

static enum err check_named(const struct park *park, const struct place *p, const char *key,
                            char *const *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char at[32];
        snprintf(at, sizeof(at), "%s[%u]", key, i);
        if (park_resident(park, list[i]) == NULL)
            return place_error(p, at, "the park has no resident \"%.60s\"", list[i]);
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(list[i], list[k]) == 0)
                return place_error(p, at, "\"%.60s\" is there twice", list[i]);
    }
    return ERR_OK;
}

static enum err take_residents(const struct park *park, const struct place *p,
                               const struct yaml_obligation *raw, struct obligation *out)
{
    char *const *list = raw->residents;
    uint32_t count = raw->residents_count;

    out->everybody = count == 1 && strcmp(list[0], SERIES_RESIDENT_ALL) == 0;
    if (raw->except_count > 0 && !out->everybody)
        return place_error(p, "except",
                           "only [all] can have exceptions: leave out of residents who does not owe");
    if (out->everybody) {
        list = raw->except;
        count = raw->except_count;
    }
    out->residents = (const char *const *)list;
    out->resident_count = count;
    return check_named(park, p, out->everybody ? "except" : "residents", list, count);
}

// ---- by when

static enum err take_number(const struct place *p, const char *key, int32_t value, int32_t least,
                            int32_t most)
{
    return value >= least && value <= most
               ? ERR_OK
               : place_error(p, key, "%d: %d to %d are possible", value, least, most);
}

static enum err take_due(const struct place *p, const struct yaml_obligation *raw, struct obligation *out)
{
    const struct yaml_obligation_due *due = &raw->due;
    int given = (due->days != NULL) + (due->working_days != NULL) + due->unknown;

    if (given != 1)
        return place_error(p, "due", "one of {days: 15}, {working_days: 10} or {unknown: true} is wanted");
    out->due = due->unknown ? DUE_UNKNOWN : due->days != NULL ? DUE_DAYS : DUE_WORKING_DAYS;
    out->grace_days = raw->grace_days;
    if (due->unknown && raw->grace_days != 0)
        return place_error(p, "grace_days", "where no date is set there are no days after it");
    enum err e = take_number(p, "grace_days", raw->grace_days, 0, GRACE_MAX);
    if (e != ERR_OK || due->unknown)
        return e;
    out->due_days = due->days != NULL ? *due->days : *due->working_days;
    return due->days != NULL ? take_number(p, "due.days", out->due_days, 0, DAYS_MAX)
                             : take_number(p, "due.working_days", out->due_days, 1, WORKING_DAYS_MAX);
}

// ---- since when

static enum err take_period(const struct place *p, const char *key, const char *text, struct period *out)
{
    return period_parse(text, out) == ERR_OK
               ? ERR_OK
               : place_error(p, key, "\"%.60s\" is not like 2026, 2026-Q1, 2026-03 or 2026-03-14", text);
}

static enum err take_span(const struct place *p, const struct yaml_obligation *raw, struct obligation *out)
{
    enum err e = take_period(p, "from", raw->from, &out->from);

    if (e == ERR_OK && !period_is_start(out->period, out->from.start))
        e = place_error(p, "from", "no %s begins with \"%s\"", raw->period, raw->from);
    if (e != ERR_OK || raw->until == NULL)
        return e;
    e = take_period(p, "until", raw->until, &out->until);
    if (e == ERR_OK && !period_is_start(out->period, period_end(out->until)))
        e = place_error(p, "until", "no %s ends with \"%s\"", raw->period, raw->until);
    if (e == ERR_OK && period_end(out->until) <= out->from.start)
        e = place_error(p, "until", "\"%s\" ends before \"%s\" begins", raw->until, raw->from);
    return e;
}

// ---- the whole

static enum err check_others(const struct park *park, const struct place *p, const struct obligation *rule)
{
    for (size_t i = 0; i < park->obligation_count; i++)
        if (obligation_overlaps(park, rule, &park->obligations[i]))
            return place_error(
                p, "", "\"%s%s%s\" is owed by the same resident at the same time by obligations[%zu] already",
                rule->kpi->code, rule->dimension[0] != '\0' ? "/" : "", rule->dimension, i);
    return ERR_OK;
}

enum err obligation_yaml_take(struct park *park, const struct catalogue *c, const struct place *p,
                              const struct yaml_obligation *raw)
{
    struct obligation rule = {.assumed = text_or_none(raw->assumed),
                              .note = text_or_none(raw->note),
                              .source = text_or_none(raw->source)};
    enum err e = take_kpi(park, c, p, raw, &rule);

    if (e == ERR_OK)
        e = take_residents(park, p, raw, &rule);
    if (e == ERR_OK)
        e = take_due(p, raw, &rule);
    if (e == ERR_OK)
        e = take_span(p, raw, &rule);
    if (e == ERR_OK)
        e = place_text(p, "assumed", raw->assumed);
    if (e == ERR_OK)
        e = place_text(p, "note", raw->note);
    if (e == ERR_OK)
        e = place_text(p, "source", raw->source);
    if (e == ERR_OK)
        e = check_others(park, p, &rule);
    if (e == ERR_OK)
        park->obligations[park->obligation_count++] = rule;
    return e;
}
