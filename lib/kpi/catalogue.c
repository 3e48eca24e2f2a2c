// The catalogue is read whole and checked whole: what a wrong roll-up would do shows only months later in a
// park's total, so the rules that keep totals honest (a stock is never summed over time, a ratio is only
// rebuilt from its parts) are enforced here, at the line where somebody broke them. The parsed document is
// kept, and every text points into it.
#include "kpi/catalogue.h"
#include <stdlib.h>
#include <string.h>

#include "kpi/formula.h"
#include "kpi/kpi_usual.h"
#include "kpi/place.h"

#define TEXT_MAX      400
#define ENTRIES_MAX   1000
#define MONEY_UNIT    "money"
#define HISTOGRAM_MAX 32 // kpi/total.h has as many bins

static const char *const kinds[] = {"level", "flow", "computed"};
static const char *const topics[] = {"output", "jobs", "investment", "park"};
static const char *const rollups[] = {"none", "sum", "last", "weighted", "ratio", "histogram"};
static const char *const directions[] = {"none", "up", "down"};
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

const char *kpi_kind_name(enum kpi_kind k)
{
    return (unsigned)k < COUNT(kinds) ? kinds[k] : "";
}

const char *kpi_topic_name(enum kpi_topic t)
{
    return (unsigned)t < COUNT(topics) ? topics[t] : "";
}

const char *kpi_rollup_name(enum kpi_rollup r)
{
    return (unsigned)r < COUNT(rollups) ? rollups[r] : "";
}

const char *kpi_direction_name(enum kpi_direction d)
{
    return (unsigned)d < COUNT(directions) ? directions[d] : "";
}

// ---- the file's shape
// -----------------------------------------------------------------------------------------------

struct yaml_unit {
    char *code, *okei, *unece;
    struct yaml_names names;
};

struct yaml_kpi {
    char *code, *topic, *kind, *unit, *over_time, *over_residents, *weight, *formula, *direction, *min, *max;
    char *class, *every, *archives;
    bool per_product;
    struct yaml_names names;
};

struct yaml_catalogue {
    struct yaml_unit *units;
    uint32_t units_count;
    struct yaml_kpi *kpis;
    uint32_t kpis_count;
};

#define TEXT(type, key)     CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_DEFAULT, struct type, key, 0, TEXT_MAX)
#define OPTIONAL(type, key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_OPTIONAL, struct type, key, 0, TEXT_MAX)

static const cyaml_schema_field_t unit_fields[] = {
    TEXT(yaml_unit, code),
    OPTIONAL(yaml_unit, okei),
    OPTIONAL(yaml_unit, unece),
    CYAML_FIELD_MAPPING("names", CYAML_FLAG_DEFAULT, struct yaml_unit, names, place_names_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t unit_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_unit, unit_fields)};

static const cyaml_schema_field_t kpi_fields[] = {
    TEXT(yaml_kpi, code),
    CYAML_FIELD_MAPPING("names", CYAML_FLAG_DEFAULT, struct yaml_kpi, names, place_names_fields),
    TEXT(yaml_kpi, topic),
    TEXT(yaml_kpi, kind),
    TEXT(yaml_kpi, unit),
    CYAML_FIELD_BOOL("per_product", CYAML_FLAG_OPTIONAL, struct yaml_kpi, per_product),
    TEXT(yaml_kpi, over_time),
    TEXT(yaml_kpi, over_residents),
    OPTIONAL(yaml_kpi, weight),
    OPTIONAL(yaml_kpi, formula),
    TEXT(yaml_kpi, direction),
    OPTIONAL(yaml_kpi, min),
    OPTIONAL(yaml_kpi, max),
    OPTIONAL(yaml_kpi, class),
    OPTIONAL(yaml_kpi, every),
    OPTIONAL(yaml_kpi, archives),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t kpi_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_kpi, kpi_fields)};

static const cyaml_schema_field_t catalogue_fields[] = {
    CYAML_FIELD_SEQUENCE("units", CYAML_FLAG_POINTER, struct yaml_catalogue, units, &unit_entry, 1,
                         ENTRIES_MAX),
    CYAML_FIELD_SEQUENCE("kpis", CYAML_FLAG_POINTER, struct yaml_catalogue, kpis, &kpi_entry, 1, ENTRIES_MAX),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t catalogue_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_catalogue, catalogue_fields)};

struct catalogue {
    struct yaml_catalogue *raw; // owns every text
    struct kpi_unit *units;
    struct kpi *kpis;
    size_t unit_count, kpi_count; // how many are filled in
};

// ---- units
// ----------------------------------------------------------------------------------------------------------

static enum err load_unit(struct catalogue *c, const struct place *p, const struct yaml_unit *raw)
{
    struct kpi_unit u = {
        .code = raw->code, .okei = text_or_none(raw->okei), .unece = text_or_none(raw->unece)};
    enum err e = place_code(p, "code", raw->code);

    if (e == ERR_OK && catalogue_unit(c, raw->code) != NULL)
        e = place_error(p, "code", "unit \"%s\" is there twice", raw->code);
    if (e == ERR_OK)
        e = place_names(p, "names", &raw->names, &u.names);
    if (e == ERR_OK)
        e = place_text(p, "okei", raw->okei);
    if (e == ERR_OK)
        e = place_text(p, "unece", raw->unece);
    if (e == ERR_OK)
        c->units[c->unit_count++] = u;
    return e;
}

// ---- one KPI
// --------------------------------------------------------------------------------------------------------

static enum err load_words(const struct place *p, const struct yaml_kpi *raw, struct kpi *k)
{
    const struct {
        const char *key, *text;
        const char *const *words;
        size_t count;
    } all[] = {
        {"topic", raw->topic, topics, COUNT(topics)},
        {"kind", raw->kind, kinds, COUNT(kinds)},
        {"over_time", raw->over_time, rollups, COUNT(rollups)},
        {"over_residents", raw->over_residents, rollups, COUNT(rollups)},
        {"direction", raw->direction, directions, COUNT(directions)},
    };
    unsigned chosen[COUNT(all)];

    for (size_t i = 0; i < COUNT(all); i++) {
        enum err e = place_choose(p, all[i].key, all[i].text, all[i].words, all[i].count, &chosen[i]);
        if (e != ERR_OK)
            return e;
    }
    k->topic = (enum kpi_topic)chosen[0];
    k->kind = (enum kpi_kind)chosen[1];
    k->over_time = (enum kpi_rollup)chosen[2];
    k->over_residents = (enum kpi_rollup)chosen[3];
    k->direction = (enum kpi_direction)chosen[4];
    return ERR_OK;
}

static enum err load_bound(const struct place *p, const char *key, const char *text, bool money,
                           struct figure *out)
{
    *out = figure_missing();
    if (text == NULL)
        return ERR_OK;
    if (figure_parse(text, out) != ERR_OK)
        return place_error(p, key, "\"%.60s\" is not a decimal number", text);
    if (money && out->kind != FIGURE_INTEGER)
        return place_error(p, key, "of money is a whole number: minor units, whatever the currency");
    return ERR_OK;
}

static enum err load_bounds(const struct place *p, const struct yaml_kpi *raw, struct kpi *k)
{
    enum err e = load_bound(p, "min", raw->min, k->money, &k->min);

    if (e == ERR_OK)
        e = load_bound(p, "max", raw->max, k->money, &k->max);
    if (e == ERR_OK && figure_to_real(k->min) > figure_to_real(k->max)) // false when one is missing
        e = place_error(p, "max", "%s is less than min %s", raw->max, raw->min);
    return e;
}

// Its values are counted one by one, so there must be few of them.
static enum err check_histogram(const struct place *p, const struct kpi *k)
{
    bool whole = k->min.kind == FIGURE_INTEGER && k->max.kind == FIGURE_INTEGER;
    if (!whole || k->max.integer - k->min.integer >= HISTOGRAM_MAX)
        return place_error(p, "over_residents", "histogram needs whole min and max, less than %d apart",
                           HISTOGRAM_MAX);
    return ERR_OK;
}

static enum err check_level(const struct place *p, const struct kpi *k)
{
    if (k->over_time == ROLLUP_SUM)
        return place_error(p, "over_time",
                           "a level is a stock: it is never summed over time; use last or none");
    if (k->over_time != ROLLUP_LAST && k->over_time != ROLLUP_NONE)
        return place_error(p, "over_time", "of a level is last or none");
    if (k->over_residents == ROLLUP_LAST || k->over_residents == ROLLUP_RATIO)
        return place_error(p, "over_residents", "of a level is sum, weighted, histogram or none");
    return k->over_residents == ROLLUP_HISTOGRAM ? check_histogram(p, k) : ERR_OK;
}

static enum err check_flow(const struct place *p, const struct kpi *k)
{
    if (k->over_time != ROLLUP_SUM && k->over_time != ROLLUP_NONE)
        return place_error(p, "over_time", "of a flow is sum or none");
    if (k->over_residents != ROLLUP_SUM && k->over_residents != ROLLUP_NONE)
        return place_error(p, "over_residents", "of a flow is sum or none");
    return ERR_OK;
}

static enum err check_computed(const struct place *p, const struct kpi *k)
{
    if (k->over_time != ROLLUP_RATIO)
        return place_error(p, "over_time",
                           "of a computed KPI is ratio: it is rebuilt from its parts, never averaged");
    if (k->over_residents != ROLLUP_RATIO)
        return place_error(p, "over_residents",
                           "of a computed KPI is ratio: it is rebuilt from its parts, never averaged");
    if (k->formula[0] == '\0')
        return place_error(p, "", "a computed KPI needs its formula");
    return ERR_OK;
}

static enum err check_rollups(const struct place *p, const struct kpi *k)
{
    if (k->per_product && k->kind != KPI_COMPUTED && k->over_residents != ROLLUP_NONE)
        return place_error(p, "over_residents",
                           "unlike products are never added: with per_product it is none");
    if (k->kind != KPI_COMPUTED && k->formula[0] != '\0')
        return place_error(p, "formula", "only a computed KPI has one");
    if (k->over_residents != ROLLUP_WEIGHTED && k->weight[0] != '\0')
        return place_error(p, "weight", "only weighted residents have one");
    if (k->over_residents == ROLLUP_WEIGHTED && k->weight[0] == '\0')
        return place_error(p, "over_residents", "weighted needs weight: the KPI to weight by");
    if (k->kind == KPI_LEVEL)
        return check_level(p, k);
    return k->kind == KPI_FLOW ? check_flow(p, k) : check_computed(p, k);
}

// What all or nothing is said of: how its figures usually come, and what is kept of them.
static enum err load_usual(const struct place *p, const struct yaml_kpi *raw, struct kpi *k)
{
    const struct kpi_usual_text text = {raw->class, raw->every, raw->archives};
    return kpi_usual_load(p, &text, k);
}

static enum err load_kpi(struct catalogue *c, const struct place *p, const struct yaml_kpi *raw)
{
    struct kpi k = {.code = raw->code,
                    .per_product = raw->per_product,
                    .weight = text_or_none(raw->weight),
                    .formula = text_or_none(raw->formula),
                    .unit = catalogue_unit(c, raw->unit)};
    enum err e = place_code(p, "code", raw->code);

    if (e == ERR_OK && catalogue_find(c, raw->code) != NULL)
        e = place_error(p, "code", "KPI \"%s\" is there twice", raw->code);
    if (e != ERR_OK)
        return e;
    if (k.unit == NULL)
        return place_error(p, "unit", "\"%.60s\" is not one of the units above", raw->unit);
    k.money = strcmp(k.unit->code, MONEY_UNIT) == 0;
    e = place_names(p, "names", &raw->names, &k.names);
    if (e == ERR_OK)
        e = load_words(p, raw, &k);
    if (e == ERR_OK)
        e = load_bounds(p, raw, &k);
    if (e == ERR_OK)
        e = check_rollups(p, &k);
    if (e == ERR_OK)
        e = load_usual(p, raw, &k);
    if (e == ERR_OK)
        c->kpis[c->kpi_count++] = k;
    return e;
}

// ---- what one KPI says of others
// ------------------------------------------------------------------------------------

// A part must be there to be asked for: no other formula (they would have to be computed in order, and could
// go in circles).
static enum err check_part(const struct catalogue *c, const struct place *p, const struct kpi *k,
                           const struct formula_part *part)
{
    const struct kpi *named = catalogue_find(c, part->kpi);
    if (named == NULL || named == k)
        return place_error_within(p, "formula", part->at, "no other KPI \"%s\" in the catalogue", part->kpi);
    if (named->kind == KPI_COMPUTED)
        return place_error_within(p, "formula", part->at, "\"%s\" is computed itself: write its parts",
                                  part->kpi);
    if (part->call == FORMULA_ANNUALISED && named->kind != KPI_FLOW)
        return place_error_within(p, "formula", part->at,
                                  "\"%s\" is a level: only flows are scaled to a year", part->kpi);
    return ERR_OK;
}

static enum err check_formula(const struct catalogue *c, const struct place *p, struct kpi *k)
{
    struct formula *f = NULL;
    struct diag why = {""};
    size_t at = 0;
    enum err e = formula_parse(k->formula, &f, &at, &why);
    if (e == ERR_INVALID)
        return place_error_within(p, "formula", at, "%s", why.text);
    if (e != ERR_OK)
        return diag_fail(p->d, e, "%s", why.text);
    k->computing = f;
    for (size_t i = 0; i < formula_part_count(f) && e == ERR_OK; i++)
        e = check_part(c, p, k, formula_part_at(f, i));
    return e;
}

static enum err check_references(const struct catalogue *c, const struct place *p, struct kpi *k)
{
    if (k->weight[0] != '\0') {
        const struct kpi *weight = catalogue_find(c, k->weight);
        if (weight == NULL || weight == k)
            return place_error(p, "weight", "no other KPI \"%.60s\" in the catalogue", k->weight);
        if (weight->per_product)
            return place_error(p, "weight", "\"%s\" counts unlike products and can't be a weight", k->weight);
    }
    return k->formula[0] != '\0' ? check_formula(c, p, k) : ERR_OK;
}

// ---- loading and finding
// --------------------------------------------------------------------------------------------

static enum err fill(struct catalogue *c, const char *path, struct diag *d)
{
    enum err e = ERR_OK;

    for (uint32_t i = 0; i < c->raw->units_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, path, "units", i);
        e = load_unit(c, &p, &c->raw->units[i]);
    }
    for (uint32_t i = 0; i < c->raw->kpis_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, path, "kpis", i);
        e = load_kpi(c, &p, &c->raw->kpis[i]);
    }
    for (size_t i = 0; i < c->kpi_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, path, "kpis", i);
        e = check_references(c, &p, &c->kpis[i]);
    }
    return e;
}

enum err catalogue_load(const char *path, struct catalogue **out, struct diag *d)
{
    void *raw = NULL;
    enum err e = config_load(path, &catalogue_schema, &raw, d);

    if (e != ERR_OK)
        return e;
    struct catalogue *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        config_free(&catalogue_schema, raw);
        return diag_fail(d, ERR_NOMEM, "%s: out of memory", path);
    }
    c->raw = raw;
    c->units = calloc(c->raw->units_count, sizeof(*c->units));
    c->kpis = calloc(c->raw->kpis_count, sizeof(*c->kpis));
    if (c->units == NULL || c->kpis == NULL)
        e = diag_fail(d, ERR_NOMEM, "%s: out of memory", path);
    else
        e = fill(c, path, d);
    if (e != ERR_OK) {
        catalogue_free(c);
        return e;
    }
    *out = c;
    return ERR_OK;
}

void catalogue_free(struct catalogue *c)
{
    if (c == NULL)
        return;
    config_free(&catalogue_schema, c->raw);
    for (size_t i = 0; i < c->kpi_count; i++)
        formula_free((struct formula *)c->kpis[i].computing);
    free(c->units);
    free(c->kpis);
    free(c);
}

const struct kpi *catalogue_find(const struct catalogue *c, const char *code)
{
    for (size_t i = 0; i < c->kpi_count; i++) {
        if (strcmp(c->kpis[i].code, code) == 0)
            return &c->kpis[i];
    }
    return NULL;
}

const struct kpi_unit *catalogue_unit(const struct catalogue *c, const char *code)
{
    for (size_t i = 0; i < c->unit_count; i++) {
        if (strcmp(c->units[i].code, code) == 0)
            return &c->units[i];
    }
    return NULL;
}

size_t catalogue_unit_count(const struct catalogue *c)
{
    return c->unit_count;
}

const struct kpi_unit *catalogue_unit_at(const struct catalogue *c, size_t i)
{
    return i < c->unit_count ? &c->units[i] : NULL;
}

size_t catalogue_count(const struct catalogue *c)
{
    return c->kpi_count;
}

const struct kpi *catalogue_at(const struct catalogue *c, size_t i)
{
    return i < c->kpi_count ? &c->kpis[i] : NULL;
}
