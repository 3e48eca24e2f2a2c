// What isn't known must be written down as unknown: a target without a due date says `due: unknown`, a
// capacity without a number says `value: unknown`. A key that was merely forgotten is an error, so nothing
// becomes 0 or "whenever" by silence.
#include "kpi/statement_yaml.h"
#include <string.h>

#include "kpi/money.h"
#include "kpi/period.h"

#define TEXT_MAX   400
#define UNKNOWN    "unknown"
#define INDEX_UNIT "index"
#define ANY_UNIT   "any"
#define MONEY_UNIT "money"

#define TEXT(key) CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_DEFAULT, struct yaml_statement, key, 0, TEXT_MAX)
#define OPTIONAL(key)                                                                                        \
    CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_OPTIONAL, struct yaml_statement, key, 0, TEXT_MAX)

static const cyaml_schema_field_t statement_fields[] = {
    TEXT(id),
    TEXT(kind),
    CYAML_FIELD_MAPPING("names", CYAML_FLAG_DEFAULT, struct yaml_statement, names, place_names_fields),
    OPTIONAL(kpi),
    OPTIONAL(dimension),
    OPTIONAL(resident),
    TEXT(value),
    OPTIONAL(base),
    OPTIONAL(unit),
    OPTIONAL(currency),
    OPTIONAL(per),
    CYAML_FIELD_BOOL("cumulative", CYAML_FLAG_OPTIONAL, struct yaml_statement, cumulative),
    OPTIONAL(at),
    OPTIONAL(at_end),
    OPTIONAL(at_text),
    OPTIONAL(due),
    OPTIONAL(due_or),
    OPTIONAL(due_text),
    OPTIONAL(path),
    OPTIONAL(from),
    OPTIONAL(from_value),
    CYAML_FIELD_SEQUENCE("milestones", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct yaml_statement,
                         milestones, &path_yaml_milestone, 0, PATH_MILESTONES_MAX),
    OPTIONAL(assumed),
    OPTIONAL(scope),
    OPTIONAL(part_of),
    OPTIONAL(note),
    TEXT(source),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t statement_yaml_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_statement, statement_fields)};

static enum err check_texts(const struct place *p, const struct yaml_statement *raw)
{
    const struct {
        const char *key, *text;
    } all[] = {
        {"kpi", raw->kpi},         {"dimension", raw->dimension}, {"resident", raw->resident},
        {"unit", raw->unit},       {"at_text", raw->at_text},     {"due_text", raw->due_text},
        {"assumed", raw->assumed}, {"scope", raw->scope},         {"part_of", raw->part_of},
        {"note", raw->note},       {"source", raw->source},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        enum err e = place_text(p, all[i].key, all[i].text);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err take_kind(const struct place *p, const char *text, enum statement_kind *out)
{
    const char *words[STATEMENT_EVENT + 1];
    unsigned chosen = 0;

    for (unsigned k = 0; k <= STATEMENT_EVENT; k++)
        words[k] = statement_kind_name((enum statement_kind)k);
    enum err e = place_choose(p, "kind", text, words, STATEMENT_EVENT + 1, &chosen);
    if (e == ERR_OK)
        *out = (enum statement_kind)chosen;
    return e;
}

// The KPI's unit unless the file says one; a file that says another one than the KPI's is wrong, except for
// an index.
static enum err take_unit(const struct place *p, const struct yaml_statement *raw, const struct catalogue *c,
                          struct statement *s)
{
    const struct kpi *k = raw->kpi != NULL ? catalogue_find(c, raw->kpi) : NULL;

    if (raw->kpi != NULL && k == NULL)
        return place_error(p, "kpi", "no KPI \"%.60s\" in the catalogue", raw->kpi);
    if (k != NULL && k->per_product && raw->dimension == NULL)
        return place_error(p, "kpi", "%s counts unlike products: say which one as dimension", raw->kpi);
    s->unit = raw->unit != NULL ? raw->unit : k != NULL ? k->unit->code : ANY_UNIT;
    if (strcmp(s->unit, ANY_UNIT) == 0)
        return place_error(p, raw->unit != NULL ? "unit" : "", "needs a unit of its own");
    if (catalogue_unit(c, s->unit) == NULL)
        return place_error(p, "unit", "no unit \"%.60s\" in the catalogue", s->unit);
    bool index = strcmp(s->unit, INDEX_UNIT) == 0;
    if (k != NULL && !index && strcmp(k->unit->code, ANY_UNIT) != 0 && strcmp(k->unit->code, s->unit) != 0)
        return place_error(p, "unit", "is %s, but %s is in %s", s->unit, raw->kpi, k->unit->code);
    s->kpi = text_or_none(raw->kpi);
    return ERR_OK;
}

static enum err take_base(const struct place *p, const char *text, struct statement *s)
{
    s->base = figure_missing();
    if (text == NULL)
        return ERR_OK;
    if (strcmp(s->unit, INDEX_UNIT) != 0)
        return place_error(p, "base", "belongs to an index: unit must be %s", INDEX_UNIT);
    if (figure_parse(text, &s->base) != ERR_OK || figure_to_real(s->base) <= 0)
        return place_error(p, "base", "\"%.60s\" is not a number above 0", text);
    return ERR_OK;
}

static enum err take_value(const struct place *p, const struct yaml_statement *raw, struct statement *s)
{
    const struct currency *currency = NULL;

    s->currency = text_or_none(raw->currency);
    if (strcmp(s->unit, MONEY_UNIT) == 0) {
        currency = currency_find(s->currency);
        if (currency == NULL)
            return place_error(p, raw->currency != NULL ? "currency" : "",
                               "money needs its currency: KZT, UZS, KGS, RUB, USD or EUR");
    } else if (raw->currency != NULL) {
        return place_error(p, "currency", "is of money, but the unit is %s", s->unit);
    }
    if (statement_parse_value(raw->value, currency != NULL ? currency->decimals : 0, s) != ERR_OK)
        return place_error(p, "value",
                           "\"%.60s\" is not [about] [>= > <= <] number, [about] low .. high, or unknown",
                           raw->value);
    return take_base(p, raw->base, s);
}

static enum err take_per(const struct place *p, const char *text, struct statement *s)
{
    enum period_kind kind;

    s->per = text_or_none(text);
    if (text != NULL && period_kind_parse(text, &kind) != ERR_OK)
        return place_error(p, "per", "\"%.60s\" is not one of day | month | quarter | year", text);
    return ERR_OK;
}

// A period text or the word unknown, which becomes "".
static enum err take_when(const struct place *p, const char *key, const char *text, const char **out)
{
    struct period period;

    if (strcmp(text, UNKNOWN) == 0) {
        *out = "";
        return ERR_OK;
    }
    if (period_parse(text, &period) != ERR_OK)
        return place_error(p, key, "\"%.60s\" is not like 2026, 2026-Q1, 2026-03, 2026-03-14 or unknown",
                           text);
    *out = text;
    return ERR_OK;
}

static enum err take_due(const struct place *p, const struct yaml_statement *raw, struct statement *s)
{
    if (raw->at != NULL || raw->at_end != NULL || raw->at_text != NULL)
        return place_error(p,
                           raw->at != NULL       ? "at"
                           : raw->at_end != NULL ? "at_end"
                                                 : "at_text",
                           "a target has due, not at");
    if (raw->due == NULL)
        return place_error(p, "", "a target needs due: a period, or unknown");
    enum err e = take_when(p, "due", raw->due, &s->due);
    if (e == ERR_OK && raw->due_or != NULL) {
        if (s->due[0] == '\0' || raw->due_text == NULL)
            return place_error(p, "due_or", "another reading needs due and due_text, which it reads");
        e = take_when(p, "due_or", raw->due_or, &s->due_or);
    }
    return e;
}

static enum err take_at_end(const struct place *p, const char *text, struct statement *s)
{
    struct period first;
    struct period last;

    if (text == NULL)
        return ERR_OK;
    if (period_parse(s->at, &first) != ERR_OK || period_parse(text, &last) != ERR_OK ||
        first.kind != PERIOD_DAY || last.kind != PERIOD_DAY || last.start <= first.start)
        return place_error(p, "at_end", "must be a day after at, which must be a day too");
    s->at_end = text;
    return ERR_OK;
}

static enum err take_at(const struct place *p, const struct yaml_statement *raw, struct statement *s)
{
    if (raw->due != NULL || raw->due_or != NULL || raw->due_text != NULL)
        return place_error(p,
                           raw->due != NULL      ? "due"
                           : raw->due_or != NULL ? "due_or"
                                                 : "due_text",
                           "only a target has it; a %s has at", statement_kind_name(s->kind));
    if (raw->at == NULL)
        return place_error(p, "", "a %s needs at: a period, or unknown", statement_kind_name(s->kind));
    enum err e = take_when(p, "at", raw->at, &s->at);
    return e == ERR_OK ? take_at_end(p, raw->at_end, s) : e;
}

static enum err take_path(const struct place *p, const struct yaml_statement *raw, struct statement *s)
{
    const struct yaml_path path = {.path = raw->path,
                                   .from = raw->from,
                                   .from_value = raw->from_value,
                                   .milestones = raw->milestones,
                                   .count = raw->milestones_count};
    return path_yaml_take(p, &path, s);
}

enum err statement_yaml_take(const struct place *p, const struct yaml_statement *raw,
                             const struct catalogue *c, struct statement *out)
{
    struct statement s = {.id = raw->id,
                          .dimension = text_or_none(raw->dimension),
                          .resident = text_or_none(raw->resident),
                          .cumulative = raw->cumulative,
                          .at = "",
                          .at_end = "",
                          .at_text = text_or_none(raw->at_text),
                          .due = "",
                          .due_or = "",
                          .due_text = text_or_none(raw->due_text),
                          .assumed = text_or_none(raw->assumed),
                          .scope = text_or_none(raw->scope),
                          .part_of = text_or_none(raw->part_of),
                          .note = text_or_none(raw->note),
                          .source = raw->source};
    enum err e = place_code(p, "id", raw->id);

    if (e == ERR_OK)
        e = check_texts(p, raw);
    if (e == ERR_OK)
        e = place_names(p, "names", &raw->names, &s.names);
    if (e == ERR_OK)
        e = take_kind(p, raw->kind, &s.kind);
    if (e == ERR_OK)
        e = take_unit(p, raw, c, &s);
    if (e == ERR_OK)
        e = take_value(p, raw, &s);
    if (e == ERR_OK)
        e = take_per(p, raw->per, &s);
    if (e == ERR_OK)
        e = s.kind == STATEMENT_TARGET ? take_due(p, raw, &s) : take_at(p, raw, &s);
    if (e == ERR_OK)
        e = take_path(p, raw, &s);
    if (e == ERR_OK)
        *out = s;
    return e;
}
