// A profile is checked against the catalogue and against itself when it is loaded, so that a page never meets
// a resident, product or KPI that does not exist. The parsed document is kept, and every text points into it.
#include "kpi/park.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kpi/calendar_yaml.h"
#include "kpi/membership_yaml.h"
#include "kpi/money.h"
#include "kpi/obligation_yaml.h"
#include "kpi/place.h"
#include "kpi/programme_yaml.h"
#include "kpi/series.h"
#include "kpi/statement_yaml.h"

#define TEXT_MAX    400
#define ENTRIES_MAX 10000
#define ZONE_FOLDER "/usr/share/zoneinfo"

// ---- the file's shape
// -----------------------------------------------------------------------------------------------

struct yaml_resident {
    char *code, *source;
    struct yaml_names names, about;
    struct yaml_membership member;
    bool simulated, is_public;
};

struct yaml_dimension {
    char *code;
    struct yaml_names names;
};

struct yaml_park {
    char *code, *time_zone, *currency;
    struct yaml_names names, city, about;
    struct yaml_calendar *calendar;
    struct yaml_dimension *dimensions;
    struct yaml_resident *residents;
    struct yaml_statement *statements;
    struct yaml_programme *programmes;
    struct yaml_obligation *obligations;
    bool is_public;
    uint32_t dimensions_count, residents_count, statements_count, programmes_count, obligations_count;
};

#define TEXT(type, key)     CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_DEFAULT, struct type, key, 0, TEXT_MAX)
#define OPTIONAL(type, key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_OPTIONAL, struct type, key, 0, TEXT_MAX)
#define NAMES(type, key)    CYAML_FIELD_MAPPING(#key, CYAML_FLAG_DEFAULT, struct type, key, place_names_fields)
#define LIST(type, key, entry)                                                                               \
    CYAML_FIELD_SEQUENCE(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct type, key, &(entry), 0,      \
                         ENTRIES_MAX)

static const cyaml_schema_field_t resident_fields[] = {
    TEXT(yaml_resident, code),
    NAMES(yaml_resident, names),
    NAMES(yaml_resident, about),
    CYAML_FIELD_BOOL("simulated", CYAML_FLAG_DEFAULT, struct yaml_resident, simulated),
    CYAML_FIELD_BOOL("public", CYAML_FLAG_OPTIONAL, struct yaml_resident, is_public),
    OPTIONAL(yaml_resident, source),
    MEMBERSHIP_YAML_FIELDS(struct yaml_resident),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t resident_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_resident, resident_fields)};

static const cyaml_schema_field_t dimension_fields[] = {
    TEXT(yaml_dimension, code),
    NAMES(yaml_dimension, names),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t dimension_entry = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_dimension, dimension_fields)};

static const cyaml_schema_field_t park_fields[] = {
    TEXT(yaml_park, code),
    NAMES(yaml_park, names),
    NAMES(yaml_park, city),
    NAMES(yaml_park, about),
    TEXT(yaml_park, time_zone),
    TEXT(yaml_park, currency),
    CYAML_FIELD_BOOL("public", CYAML_FLAG_OPTIONAL, struct yaml_park, is_public),
    CYAML_FIELD_MAPPING_PTR("calendar", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_park, calendar,
                            calendar_yaml_fields),
    LIST(yaml_park, dimensions, dimension_entry),
    LIST(yaml_park, residents, resident_entry),
    LIST(yaml_park, statements, statement_yaml_schema),
    LIST(yaml_park, programmes, programme_yaml_schema),
    LIST(yaml_park, obligations, obligation_yaml_schema),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t park_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_park, park_fields)};

struct park_document {
    struct park park; // first: what park_load hands out is this
    struct yaml_park *raw;
    char *file;
};

// ---- the parts
// ------------------------------------------------------------------------------------------------------

static enum err take_dimension(struct park *park, const struct place *p, const struct yaml_dimension *raw)
{
    struct dimension out = {.code = raw->code};
    enum err e = place_code(p, "code", raw->code);

    if (e == ERR_OK && park_dimension(park, raw->code) != NULL)
        e = place_error(p, "code", "dimension \"%s\" is there twice", raw->code);
    if (e == ERR_OK)
        e = place_names(p, "names", &raw->names, &out.names);
    if (e == ERR_OK)
        park->dimensions[park->dimension_count++] = out;
    return e;
}

static enum err check_resident(const struct park *park, const struct place *p,
                               const struct yaml_resident *raw)
{
    enum err e = place_code(p, "code", raw->code);

    if (e != ERR_OK)
        return e;
    if (strcmp(raw->code, SERIES_RESIDENT_ALL) == 0)
        return place_error(p, "code", "\"%s\" is kept for the park's totals", SERIES_RESIDENT_ALL);
    if (park_resident(park, raw->code) != NULL)
        return place_error(p, "code", "resident \"%s\" is there twice", raw->code);
    if (raw->simulated && raw->source != NULL)
        return place_error(p, "source", "simulated figures have no source");
    if (!raw->simulated && raw->source == NULL)
        return place_error(p, "", "real figures need their source");
    return place_text(p, "source", raw->source);
}

static enum err take_resident(struct park *park, const struct place *p, const struct yaml_resident *raw)
{
    struct resident out = {.code = raw->code,
                           .simulated = raw->simulated,
                           .is_public = raw->is_public,
                           .source = text_or_none(raw->source)};
    enum err e = check_resident(park, p, raw);

    if (e == ERR_OK)
        e = place_names(p, "names", &raw->names, &out.names);
    if (e == ERR_OK)
        e = place_names(p, "about", &raw->about, &out.about);
    if (e == ERR_OK)
        e = membership_yaml_take(p, &raw->member, &out.member);
    if (e == ERR_OK)
        park->residents[park->resident_count++] = out;
    return e;
}

static enum err check_statement(const struct park *park, const struct place *p, const struct statement *s)
{
    if (park_statement(park, s->id) != NULL)
        return place_error(p, "id", "statement \"%s\" is there twice", s->id);
    if (s->resident[0] != '\0' && park_resident(park, s->resident) == NULL)
        return place_error(p, "resident", "the park has no resident \"%.60s\"", s->resident);
    if (s->dimension[0] != '\0' && park_dimension(park, s->dimension) == NULL)
        return place_error(p, "dimension", "\"%.60s\" is not one of the park's dimensions", s->dimension);
    return ERR_OK;
}

static enum err take_statement(struct park *park, const struct catalogue *c, const struct place *p,
                               const struct yaml_statement *raw)
{
    struct statement out;
    enum err e = statement_yaml_take(p, raw, c, &out);

    if (e != ERR_OK)
        return e;
    e = check_statement(park, p, &out);
    if (e == ERR_OK)
        park->statements[park->statement_count++] = out;
    else
        path_deinit(&out.path);
    return e;
}

static enum err take_programme(struct park *park, const struct catalogue *c, const struct place *p,
                               const struct yaml_programme *raw)
{
    struct programme *out = &park->programmes[park->programme_count];

    for (size_t i = 0; i < park->programme_count; i++) {
        if (strcmp(park->programmes[i].id, raw->id) == 0)
            return place_error(p, "id", "programme \"%s\" is there twice", raw->id);
    }
    park->programme_count++; // counted first: its lists are freed with it
    return programme_yaml_take(p, raw, park, c, out);
}

// ---- the whole
// ------------------------------------------------------------------------------------------------------

static enum err check_time_zone(const struct place *p, const char *zone)
{
    char path[TEXT_MAX + sizeof(ZONE_FOLDER) + 2];

    snprintf(path, sizeof(path), "%s/%s", ZONE_FOLDER, zone);
    if (zone[0] == '\0' || zone[0] == '/' || strstr(zone, "..") != NULL || access(path, R_OK) != 0)
        return place_error(p, "time_zone",
                           "\"%.60s\" is not in %s: write it like Asia/Almaty (package tzdata)", zone,
                           ZONE_FOLDER);
    return ERR_OK;
}

static enum err take_head(struct park *park, const struct place *p, const struct yaml_park *raw)
{
    enum err e = place_code(p, "code", raw->code);

    park->code = raw->code;
    park->time_zone = raw->time_zone;
    park->currency = raw->currency;
    park->is_public = raw->is_public;
    if (e == ERR_OK)
        e = place_names(p, "names", &raw->names, &park->names);
    if (e == ERR_OK)
        e = place_names(p, "city", &raw->city, &park->city);
    if (e == ERR_OK)
        e = place_names(p, "about", &raw->about, &park->about);
    if (e == ERR_OK)
        e = check_time_zone(p, raw->time_zone);
    if (e == ERR_OK && currency_find(raw->currency) == NULL)
        e = place_error(p, "currency", "\"%.20s\" is not one of KZT, UZS, KGS, RUB, USD, EUR", raw->currency);
    return e;
}

static enum err check_parts_of(const struct park *park, const char *file, struct diag *d)
{
    for (size_t i = 0; i < park->statement_count; i++) {
        const struct statement *s = &park->statements[i];
        const struct statement *whole = s->part_of[0] != '\0' ? park_statement(park, s->part_of) : NULL;
        struct place p = place_entry(d, file, "statements", i);
        if (s->part_of[0] == '\0')
            continue;
        if (whole == NULL || whole == s)
            return place_error(&p, "part_of", "the park has no other statement \"%.60s\"", s->part_of);
        if (strcmp(whole->unit, s->unit) != 0 || strcmp(whole->currency, s->currency) != 0)
            return place_error(&p, "part_of", "\"%s\" has another unit or currency", s->part_of);
    }
    return ERR_OK;
}

static enum err fill(struct park_document *doc, const struct catalogue *c, const char *file, struct diag *d)
{
    const struct yaml_park *raw = doc->raw;
    struct park *park = &doc->park;
    struct place head = {.d = d, .file = file};
    enum err e = take_head(park, &head, raw);

    if (e == ERR_OK)
        e = calendar_yaml_take(file, d, raw->calendar, &park->calendar);
    for (uint32_t i = 0; i < raw->dimensions_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, file, "dimensions", i);
        e = take_dimension(park, &p, &raw->dimensions[i]);
    }
    for (uint32_t i = 0; i < raw->residents_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, file, "residents", i);
        e = take_resident(park, &p, &raw->residents[i]);
    }
    if (e == ERR_OK)
        e = membership_yaml_check(park, file, d);
    for (uint32_t i = 0; i < raw->statements_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, file, "statements", i);
        e = take_statement(park, c, &p, &raw->statements[i]);
    }
    for (uint32_t i = 0; i < raw->programmes_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, file, "programmes", i);
        e = take_programme(park, c, &p, &raw->programmes[i]);
    }
    for (uint32_t i = 0; i < raw->obligations_count && e == ERR_OK; i++) {
        struct place p = place_entry(d, file, "obligations", i);
        e = obligation_yaml_take(park, c, &p, &raw->obligations[i]);
    }
    return e == ERR_OK ? check_parts_of(park, file, d) : e;
}

static bool make_room(struct park_document *doc)
{
    struct park *p = &doc->park;

    // One more than needed: no list is a NULL.
    p->dimensions = calloc(doc->raw->dimensions_count + 1u, sizeof(*p->dimensions));
    p->residents = calloc(doc->raw->residents_count + 1u, sizeof(*p->residents));
    p->statements = calloc(doc->raw->statements_count + 1u, sizeof(*p->statements));
    p->programmes = calloc(doc->raw->programmes_count + 1u, sizeof(*p->programmes));
    p->obligations = calloc(doc->raw->obligations_count + 1u, sizeof(*p->obligations));
    return p->dimensions != NULL && p->residents != NULL && p->statements != NULL && p->programmes != NULL &&
           p->obligations != NULL;
}

enum err park_load(const char *path, const struct catalogue *c, struct park **out, struct diag *d)
{
    void *raw = NULL;
    enum err e = config_load(path, &park_schema, &raw, d);

    if (e != ERR_OK)
        return e;
    struct park_document *doc = calloc(1, sizeof(*doc));
    if (doc == NULL) {
        config_free(&park_schema, raw);
        return diag_fail(d, ERR_NOMEM, "%s: out of memory", path);
    }
    doc->raw = raw;
    doc->file = strdup(path);
    doc->park.file = doc->file;
    e = doc->file && make_room(doc) ? fill(doc, c, path, d)
                                    : diag_fail(d, ERR_NOMEM, "%s: out of memory", path);
    if (e != ERR_OK) {
        park_free(&doc->park);
        return e;
    }
    *out = &doc->park;
    return ERR_OK;
}

void park_free(struct park *p)
{
    struct park_document *doc = (struct park_document *)p;

    if (p == NULL)
        return;
    config_free(&park_schema, doc->raw);
    calendar_yaml_free(&p->calendar);
    for (size_t i = 0; i < p->programme_count; i++)
        programme_free(&p->programmes[i]);
    for (size_t i = 0; i < p->statement_count; i++)
        path_deinit(&p->statements[i].path);
    free(p->dimensions);
    free(p->residents);
    free(p->statements);
    free(p->programmes);
    free(p->obligations);
    free(doc->file);
    free(doc);
}

const struct resident *park_resident(const struct park *p, const char *code)
{
    for (size_t i = 0; i < p->resident_count; i++) {
        if (strcmp(p->residents[i].code, code) == 0)
            return &p->residents[i];
    }
    return NULL;
}

const struct statement *park_statement(const struct park *p, const char *id)
{
    for (size_t i = 0; i < p->statement_count; i++) {
        if (strcmp(p->statements[i].id, id) == 0)
            return &p->statements[i];
    }
    return NULL;
}

const struct dimension *park_dimension(const struct park *p, const char *code)
{
    for (size_t i = 0; i < p->dimension_count; i++) {
        if (strcmp(p->dimensions[i].code, code) == 0)
            return &p->dimensions[i];
    }
    return NULL;
}
