// A path that contradicts its target is a mistake of whoever wrote it down, and is named at its line: dates
// rise and end before the target is due (by the earlier reading, where there are two), values go towards the
// target and not past it.
#include "kpi/path_yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kpi/money.h"
#include "kpi/period.h"

#define TEXT_MAX 400
#define KEY_MAX  40

static const cyaml_schema_field_t milestone_fields[] = {
    CYAML_FIELD_STRING_PTR("by", CYAML_FLAG_DEFAULT, struct yaml_milestone, by, 0, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("value", CYAML_FLAG_DEFAULT, struct yaml_milestone, value, 0, TEXT_MAX),
    CYAML_FIELD_END,
};
const cyaml_schema_value_t path_yaml_milestone = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct yaml_milestone, milestone_fields)};

static enum err take_period(const struct place *p, const char *key, const char *text, struct period *out)
{
    return period_parse(text, out) == ERR_OK
               ? ERR_OK
               : place_error(p, key, "\"%.60s\" is not like 2026, 2026-Q1, 2026-03 or 2026-03-14", text);
}

static enum err take_number(const struct place *p, const char *key, const char *text,
                            const struct statement *s, struct figure *out)
{
    const struct currency *c = currency_find(s->currency);
    enum err e =
        c != NULL && c->decimals > 0 ? figure_parse_scaled(text, c->decimals, out) : figure_parse(text, out);
    return e == ERR_OK ? e : place_error(p, key, "\"%.60s\" is not a number", text);
}

// The end of the due period, of two readings the earlier one; PATH_NO_END when it is unknown.
static int32_t earliest_due(const struct statement *s)
{
    int32_t end = PATH_NO_END;
    const char *const readings[] = {s->due, s->due_or};
    struct period due;

    for (size_t i = 0; i < 2; i++)
        if (readings[i][0] != '\0' && period_parse(readings[i], &due) == ERR_OK && period_end(due) < end)
            end = period_end(due);
    return end;
}

static bool falls(const struct statement *s)
{
    return s->comparator == COMPARE_LE || s->comparator == COMPARE_LT;
}

// Whether b comes after a on the way to the target; `same`: the same value will do.
static bool onwards(const struct statement *s, struct figure a, struct figure b, bool same)
{
    double from = figure_to_real(a), to = figure_to_real(b);
    return (same && from == to) || (falls(s) ? to < from : to > from);
}

static enum err take_line(const struct place *p, const struct yaml_path *raw, struct statement *s)
{
    struct path *path = &s->path;
    struct period from;

    if (raw->count > 0)
        return place_error(p, "milestones", "a linear path has none: write path: milestones");
    if (raw->from == NULL)
        return place_error(p, "path", "a linear path needs from: the period in which it begins");
    if (s->due[0] == '\0')
        return place_error(p, "path", "a linear path needs a due date that is known");
    enum err e = take_period(p, "from", raw->from, &from);
    if (e != ERR_OK)
        return e;
    if (from.start >= earliest_due(s))
        return place_error(p, "from", "%s is not before the target is due", raw->from);
    path->kind = PATH_LINEAR;
    path->from = raw->from;
    path->from_day = from.start;
    path->from_assumed = raw->from_value == NULL;
    if (raw->from_value == NULL && !s->cumulative)
        return place_error(
            p, "path", "needs from_value, the figure at the beginning: only what is cumulative begins at 0");
    e = raw->from_value != NULL ? take_number(p, "from_value", raw->from_value, s, &path->from_value)
                                : figure_from_integer(0, &path->from_value);
    if (e == ERR_OK && !onwards(s, path->from_value, s->value, false))
        e = place_error(p, raw->from_value != NULL ? "from_value" : "path",
                        "the line does not lead to the target: \"%s\" from %s",
                        comparator_text(s->comparator), raw->from_value != NULL ? raw->from_value : "0");
    return e;
}

static enum err take_milestone(const struct place *p, const struct yaml_milestone *raw, size_t i,
                               struct statement *s)
{
    struct milestone *m = &s->path.milestones[i];
    const struct milestone *before = i > 0 ? m - 1 : NULL;
    char by[KEY_MAX], value[KEY_MAX];
    struct period period;

    snprintf(by, sizeof(by), "milestones[%zu].by", i);
    snprintf(value, sizeof(value), "milestones[%zu].value", i);
    enum err e = take_period(p, by, raw->by, &period);
    if (e == ERR_OK)
        e = take_number(p, value, raw->value, s, &m->value);
    if (e != ERR_OK)
        return e;
    m->by = raw->by;
    m->end = period_end(period);
    if (before != NULL && m->end <= before->end)
        return place_error(p, by, "%s does not end after %s: milestones rise", raw->by, before->by);
    if (m->end >= earliest_due(s))
        return place_error(p, by, "%s does not end before the target is due: what is due then is value",
                           raw->by);
    if (before != NULL && !onwards(s, before->value, m->value, true))
        return place_error(p, value, "%s goes back behind the milestone before it", raw->value);
    if (!onwards(s, m->value, s->value, true))
        return place_error(p, value, "%s is past the target itself", raw->value);
    return ERR_OK;
}

static enum err take_milestones(const struct place *p, const struct yaml_path *raw, struct statement *s)
{
    enum err e = ERR_OK;

    if (raw->from != NULL || raw->from_value != NULL)
        return place_error(p, raw->from != NULL ? "from" : "from_value", "belongs to path: linear");
    if (raw->count == 0)
        return place_error(p, "path", "milestones: [{by: 2026-06, value: 10}, …] are missing");
    s->path.milestones = calloc(raw->count, sizeof(*s->path.milestones));
    if (s->path.milestones == NULL)
        return diag_fail(p->d, ERR_NOMEM, "%s: out of memory", p->file);
    s->path.kind = PATH_MILESTONES;
    s->path.count = raw->count;
    for (size_t i = 0; i < raw->count && e == ERR_OK; i++)
        e = take_milestone(p, &raw->milestones[i], i, s);
    if (e != ERR_OK)
        path_deinit(&s->path);
    return e;
}

static const char *first_key(const struct yaml_path *raw)
{
    return raw->path != NULL         ? "path"
           : raw->count > 0          ? "milestones"
           : raw->from != NULL       ? "from"
           : raw->from_value != NULL ? "from_value"
                                     : NULL;
}

enum err path_yaml_take(const struct place *p, const struct yaml_path *raw, struct statement *s)
{
    static const char *const kinds[] = {"linear", "milestones"};
    const char *key = first_key(raw);
    unsigned kind = raw->path == NULL && raw->count > 0; // milestones say by themselves what they are

    s->path = (struct path){.from = "", .from_value = figure_missing()};
    if (key == NULL)
        return ERR_OK;
    if (s->kind != STATEMENT_TARGET)
        return place_error(p, key, "only a target has a path; a %s has none", statement_kind_name(s->kind));
    if (raw->path == NULL && kind == 0)
        return place_error(p, key, "belongs to path: linear");
    enum err e = raw->path != NULL ? place_choose(p, "path", raw->path, kinds, 2, &kind) : ERR_OK;
    if (e != ERR_OK)
        return e;
    if (s->value.kind == FIGURE_MISSING || s->comparator == COMPARE_RANGE || s->base.kind != FIGURE_MISSING)
        return place_error(p, key,
                           "a path leads to one number: not to an unknown value, a range or an index");
    return kind == 0 ? take_line(p, raw, s) : take_milestones(p, raw, s);
}
