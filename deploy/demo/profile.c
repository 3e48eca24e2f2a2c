// The profile is data, so that a resident can be added or resized without touching the program; it is read
// through the same strict loader as every other configuration file.
#include "deploy/demo/profile.h"
#include "base/config.h"
#include "kpi/money.h"
#include "kpi/series.h"
#include <stdio.h>
#include <string.h>

static const cyaml_strval_t model_names[] = {
    {"published", MODEL_PUBLISHED}, {"pieces", MODEL_PIECES}, {"energy", MODEL_ENERGY},
    {"downtime", MODEL_DOWNTIME},   {"made", MODEL_MADE},     {"sales", MODEL_SALES},
    {"spending", MODEL_SPENDING},   {"staff", MODEL_STAFF},   {"hired", MODEL_HIRED},
    {"wage", MODEL_WAGE},           {"count", MODEL_COUNT},   {"level", MODEL_LEVEL},
    {"percent", MODEL_PERCENT},     {"stage", MODEL_STAGE},   {"done", MODEL_DONE},
};
static const cyaml_strval_t period_names[] = {
    {"day", PERIOD_DAY}, {"month", PERIOD_MONTH}, {"quarter", PERIOD_QUARTER}, {"year", PERIOD_YEAR}};

#define TEXT          CYAML_FLAG_POINTER
#define OPTIONAL_TEXT (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t series_fields[] = {
    CYAML_FIELD_STRING_PTR("kpi", TEXT, struct profile_series, kpi, 1, SERIES_PART_MAX),
    CYAML_FIELD_STRING_PTR("dimension", OPTIONAL_TEXT, struct profile_series, dimension, 1, SERIES_PART_MAX),
    CYAML_FIELD_STRING_PTR("unit", TEXT, struct profile_series, unit, 1, 31),
    CYAML_FIELD_STRING_PTR("currency", OPTIONAL_TEXT, struct profile_series, currency, 3, 3),
    CYAML_FIELD_STRING_PTR("column", OPTIONAL_TEXT, struct profile_series, column, 1, 63),
    CYAML_FIELD_ENUM("model", CYAML_FLAG_STRICT, struct profile_series, model, model_names,
                     CYAML_ARRAY_LEN(model_names)),
    CYAML_FIELD_UINT("step", CYAML_FLAG_OPTIONAL, struct profile_series, step_s),
    CYAML_FIELD_ENUM("period", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL, struct profile_series, period,
                     period_names, CYAML_ARRAY_LEN(period_names)),
    CYAML_FIELD_FLOAT("size", CYAML_FLAG_OPTIONAL, struct profile_series, size),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t series_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_series, series_fields)};

static const cyaml_schema_field_t resident_fields[] = {
    CYAML_FIELD_STRING_PTR("code", TEXT, struct profile_resident, code, 1, SERIES_PART_MAX),
    CYAML_FIELD_STRING_PTR("published", OPTIONAL_TEXT, struct profile_resident, published, 1, 63),
    CYAML_FIELD_UINT("staff", CYAML_FLAG_OPTIONAL, struct profile_resident, staff),
    CYAML_FIELD_FLOAT("hires", CYAML_FLAG_OPTIONAL, struct profile_resident, hires),
    CYAML_FIELD_UINT("shifts", CYAML_FLAG_OPTIONAL, struct profile_resident, shifts),
    CYAML_FIELD_SEQUENCE("series", CYAML_FLAG_POINTER, struct profile_resident, series, &series_value, 1, 64),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t resident_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_resident, resident_fields)};
static const cyaml_schema_value_t holiday_value = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 5, 5)};

static const cyaml_schema_field_t park_fields[] = {
    CYAML_FIELD_STRING_PTR("code", TEXT, struct profile_park, code, 1, SERIES_PART_MAX),
    CYAML_FIELD_STRING_PTR("time_zone", TEXT, struct profile_park, time_zone, 1, 63),
    CYAML_FIELD_SEQUENCE("holidays", CYAML_FLAG_POINTER, struct profile_park, holidays, &holiday_value, 0,
                         64),
    CYAML_FIELD_SEQUENCE("residents", CYAML_FLAG_POINTER, struct profile_park, residents, &resident_value, 1,
                         64),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t park_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct profile_park, park_fields)};

static const cyaml_schema_field_t profile_fields[] = {
    CYAML_FIELD_UINT("seed", CYAML_FLAG_DEFAULT, struct profile, seed),
    CYAML_FIELD_SEQUENCE("parks", CYAML_FLAG_POINTER, struct profile, parks, &park_value, 1, 64),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t profile_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct profile, profile_fields)};

// What the schema cannot say: machine models have a step, report models a period, money a currency.
static const char *series_wrong(const struct profile_series *s)
{
    bool machine = s->model == MODEL_PIECES || s->model == MODEL_ENERGY || s->model == MODEL_DOWNTIME;
    if (machine && (s->step_s == 0 || 3600 % s->step_s != 0 || s->period != PERIOD_NONE)) {
        return "a machine's model needs `step`, a divisor of 3600, and no `period`";
    }
    if (!machine && (s->period == PERIOD_NONE || s->step_s != 0)) {
        return "a report's model needs `period` and no `step`";
    }
    if ((strcmp(s->unit, "money") == 0) != (s->currency != NULL)) {
        return "money needs a `currency`, and nothing else has one";
    }
    if (s->currency && !currency_find(s->currency)) {
        return "unknown currency";
    }
    return NULL;
}

static enum err check(const struct profile *p, const char *path, struct diag *d)
{
    for (uint32_t i = 0; i < p->parks_count; i++) {
        const struct profile_park *park = &p->parks[i];
        for (uint32_t j = 0; j < park->residents_count; j++) {
            for (uint32_t k = 0; k < park->residents[j].series_count; k++) {
                const char *wrong = series_wrong(&park->residents[j].series[k]);
                char place[96];
                snprintf(place, sizeof place, "parks[%u].residents[%u].series[%u]", i, j, k);
                if (wrong) {
                    return config_error(d, path, place, "%s", wrong);
                }
            }
        }
    }
    return ERR_OK;
}

enum err profile_load(const char *path, struct profile **out, struct diag *d)
{
    void *data = NULL;
    enum err e = config_load(path, &profile_value, &data, d);
    if (e != ERR_OK) {
        return e;
    }
    e = check(data, path, d);
    if (e != ERR_OK) {
        config_free(&profile_value, data);
        return e;
    }
    *out = data;
    return ERR_OK;
}

void profile_free(struct profile *p)
{
    if (p) {
        config_free(&profile_value, p);
    }
}

enum err profile_find(const struct profile *p, const char *name, const struct profile_park **park,
                      const struct profile_resident **resident, struct diag *d)
{
    struct series_name n;
    if (series_parse_resident(name, &n) != ERR_OK) {
        return diag_fail(d, ERR_INVALID, "'%s' is not a PARK/RESIDENT", name);
    }
    for (uint32_t i = 0; i < p->parks_count; i++) {
        const struct profile_park *at = &p->parks[i];
        for (uint32_t j = 0; j < at->residents_count && strcmp(at->code, n.park) == 0; j++) {
            if (strcmp(at->residents[j].code, n.resident) == 0) {
                *park = at;
                *resident = &at->residents[j];
                return ERR_OK;
            }
        }
    }
    return diag_fail(d, ERR_NOT_FOUND, "no resident '%s' in the profile", name);
}

void profile_series_text(const struct profile_series *s, char *out)
{
    snprintf(out, SERIES_NAME_MAX + 1, "%s%s%s", s->kpi, s->dimension ? "/" : "",
             s->dimension ? s->dimension : "");
}

int profile_decimals(const struct profile_series *s)
{
    const struct currency *c = s->currency ? currency_find(s->currency) : NULL;
    return c ? c->decimals : 0;
}
