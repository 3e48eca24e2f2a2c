// Parks, residents and targets: the profiles with every doubt, and what residents' figures say about them.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/facts.h"
#include "dashboards/plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fact_whys[] = {[FACT_KNOWN] = NULL,
                                        [FACT_NO_KPI] = "no figure is collected for it",
                                        [FACT_NONE] = "no resident has reported it",
                                        [FACT_CURRENCY] = "reported in another currency: not comparable yet",
                                        [FACT_UNIT] = "reported in another unit",
                                        [FACT_UNLIKE] = "unlike products are never added",
                                        [FACT_RATIO] = "ratios are never added",
                                        [FACT_SCOPE] = "credited to others than the park",
                                        [FACT_PART] = "contained in another figure",
                                        [FACT_INDEX] = "a ratio whose base was not published",
                                        [FACT_SHORT] = "less than a day of figures",
                                        [FACT_FAILED] = "could not be read",
                                        [FACT_HIDDEN] = "shown to the park's own analysts only"};
static const char *const fact_rules[] = {[RULE_LEVEL] = "newest of each resident, summed",
                                         [RULE_SINCE_FIRST] = "sum since the first report",
                                         [RULE_YEAR] = "sum of the 12 months up to the newest figure",
                                         [RULE_MONTH] = "sum of the month up to the newest figure",
                                         [RULE_RATE] = "yearly rate of the days there are"};

static void put_fact(struct writer *j, const struct fact *f)
{
    char day[SHOW_TEXT];
    writer_object(j, "fact");
    const struct currency *c = f->measure.currency;
    api_value(j, f->value, f->why == FACT_KNOWN ? c : NULL);
    writer_text_or_null(j, "currency",
                        f->why == FACT_KNOWN || f->why == FACT_CURRENCY ? f->measure.currency_code : NULL);
    writer_text(j, "why_unknown", fact_whys[f->why]);
    writer_figure(j, "per_cent", f->per_cent);
    writer_bool(j, "reached", f->reached);
    if (f->why == FACT_KNOWN) {
        writer_text(j, "rule", fact_rules[f->rule]);
        if (f->rule != RULE_LEVEL) {
            show_day(day, f->from_day);
            writer_text(j, "from", day);
        }
        writer_integer(j, "contributors", f->contributors);
        writer_integer(j, "of_residents", f->of);
        writer_bool(j, "simulated", f->simulated);
        writer_time(j, "received", f->received_us);
    }
    if (f->converted) {
        const struct money_figure by = {.converted = true, .by = f->by};
        money_put_rate(j, &by);
    }
    writer_end_object(j);
}

// What the viewer may see of a park.
struct view {
    struct site *site;
    const struct viewer *viewer;
    const struct park *park;
    struct board board;
    struct fact_totals totals;
    struct readers store;
    bool past; // the park as it was known: facts are of now and would not belong to it
};

static void put_statement(struct writer *j, const struct view *v, const struct statement *st,
                          const struct fact *fact)
{
    const struct currency *c = *st->currency ? currency_find(st->currency) : NULL;
    writer_object(j, NULL);
    writer_text(j, "park", v->park->code);
    writer_text(j, "id", st->id);
    writer_text(j, "kind", statement_kind_name(st->kind));
    api_names(j, "names", &st->names);
    writer_text_or_null(j, "kpi", st->kpi);
    writer_text_or_null(j, "dimension", st->dimension);
    bool named = access_may(v->viewer, SIGHT_RESIDENT, v->park->code, st->resident);
    writer_text_or_null(j, "resident", named ? st->resident : "");
    writer_text(j, "comparator", comparator_text(st->comparator));
    writer_bool(j, "about", st->about);
    api_value(j, st->value, c);
    if (st->value_high.kind != FIGURE_MISSING)
        writer_figure_scaled(j, "value_high", st->value_high, c ? c->decimals : 0);
    writer_figure(j, "base", st->base);
    writer_text_or_null(j, "unit", st->unit);
    writer_text_or_null(j, "currency", st->currency);
    writer_text_or_null(j, "per", st->per);
    writer_bool(j, "cumulative", st->cumulative);
    writer_text_or_null(j, "at", st->at);
    writer_text_or_null(j, "at_end", st->at_end);
    writer_text_or_null(j, "at_text", st->at_text);
    writer_text_or_null(j, "due", st->due);
    writer_text_or_null(j, "due_or", st->due_or);
    writer_text_or_null(j, "due_text", st->due_text);
    writer_text_or_null(j, "assumed", st->assumed);
    writer_text_or_null(j, "scope", st->scope);
    const struct statement *whole = *st->part_of ? park_statement(v->park, st->part_of) : NULL;
    writer_text_or_null(j, "part_of",
                        whole && access_may_statement(v->viewer, v->park, whole) ? whole->id : "");
    writer_text_or_null(j, "note", st->note);
    writer_text_or_null(j, "source", st->source);
    if (fact)
        put_fact(j, fact);
    writer_end_object(j);
}

static void put_resident(struct writer *j, const struct park *park, const struct resident *r)
{
    writer_object(j, NULL);
    writer_text(j, "park", park->code);
    writer_text(j, "code", r->code);
    api_names(j, "names", &r->names);
    api_names(j, "about", &r->about);
    writer_bool(j, "simulated", r->simulated);
    writer_bool(j, "public", r->is_public);
    writer_text_or_null(j, "source", r->source);
    writer_end_object(j);
}

static void put_programmes(struct writer *j, const struct park *park)
{
    writer_array(j, "programmes");
    for (size_t i = 0; i < park->programme_count; i++) {
        const struct programme *g = &park->programmes[i];
        writer_object(j, NULL);
        writer_text(j, "id", g->id);
        writer_text(j, "kind", programme_kind_name(g->kind));
        api_names(j, "names", &g->names);
        writer_array(j, "stages");
        for (size_t k = 0; k < g->stage_count; k++)
            api_names(j, NULL, &g->stages[k]);
        writer_end_array(j);
        writer_bool(j, "overlap", g->overlap);
        writer_text_or_null(j, "assumed", g->assumed);
        writer_text_or_null(j, "note", g->note);
        writer_text_or_null(j, "source", g->source);
        writer_end_object(j);
    }
    writer_end_array(j);
}

static void view_open(struct view *v, struct site *s, const struct viewer *viewer, const struct park *park)
{
    char prefix[SERIES_PART_MAX + 2];
    *v = (struct view){.site = s, .viewer = viewer, .park = park};
    v->totals = (struct fact_totals){.site = s, .store = &v->store};
    snprintf(prefix, sizeof prefix, "%s/", park->code);
    if (site_store(s, viewer, &v->store, NULL) == ERR_OK && board_load(s, &v->store, prefix, &v->board, NULL))
        v->board = (struct board){0}; // the profile is shown all the same; facts are then unknown
}

static void put_statements(struct writer *j, struct view *v, bool targets_only)
{
    const struct fact_source source = {.park = v->park,
                                       .viewer = v->viewer,
                                       .rows = v->board.rows,
                                       .count = v->board.count,
                                       .sum = fact_totals_sum,
                                       .convert = fact_totals_convert,
                                       .ctx = &v->totals};
    for (size_t i = 0; i < v->park->statement_count; i++) {
        const struct statement *st = &v->park->statements[i];
        if (!access_may_statement(v->viewer, v->park, st) ||
            (targets_only && st->kind != STATEMENT_TARGET && st->kind != STATEMENT_CAPACITY))
            continue;
        if (v->past) {
            put_statement(j, v, st, NULL);
            continue;
        }
        struct fact fact = fact_of_statement(&source, st);
        put_statement(j, v, st, &fact);
    }
}

static void put_targets(struct site *s, struct writer *j, const struct viewer *viewer,
                        const struct park *park)
{
    struct view v;
    view_open(&v, s, viewer, park);
    put_statements(j, &v, true);
    board_free(&v.board);
    fact_totals_close(&v.totals);
}

static bool makes(const struct board *b, const char *dimension)
{
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->rows[i].name.dimension, dimension) == 0)
            return true;
    return false;
}

static void put_dimensions(struct writer *j, const struct view *v)
{
    writer_array(j, "dimensions");
    for (size_t i = 0; i < v->park->dimension_count; i++) {
        const struct dimension *of = &v->park->dimensions[i];
        if (!access_may_dimension(v->viewer, v->park, of->code) && !makes(&v->board, of->code))
            continue;
        writer_object(j, NULL);
        writer_text(j, "code", of->code);
        api_names(j, "names", &of->names);
        writer_end_object(j);
    }
    writer_end_array(j);
}

static void put_residents(struct writer *j, const struct viewer *v, const struct park *park)
{
    for (size_t i = 0; i < park->resident_count; i++)
        if (access_may(v, SIGHT_RESIDENT, park->code, park->residents[i].code))
            put_resident(j, park, &park->residents[i]);
}

static void put_park(struct site *s, struct writer *j, const struct viewer *viewer, const struct park *park)
{
    struct view v;
    view_open(&v, s, viewer, park);
    writer_object(j, NULL);
    writer_text(j, "code", park->code);
    api_names(j, "names", &park->names);
    api_names(j, "city", &park->city);
    api_names(j, "about", &park->about);
    writer_text(j, "time_zone", park->time_zone);
    writer_text(j, "currency", park->currency);
    put_dimensions(j, &v);
    writer_array(j, "residents");
    put_residents(j, viewer, park);
    writer_end_array(j);
    writer_array(j, "statements");
    put_statements(j, &v, false);
    writer_end_array(j);
    put_programmes(j, park);
    writer_end_object(j);
    board_free(&v.board);
    fact_totals_close(&v.totals);
}

// The parks that may be seen: one of them, or all.
typedef void (*park_visit)(struct site *s, struct writer *j, const struct viewer *v, const struct park *p);
static void each_park(struct site *s, struct writer *j, const struct viewer *v, const struct park *one,
                      park_visit visit)
{
    for (size_t i = 0; i < s->parks.count; i++) {
        const struct park *p = access_park(v, s->parks.parks[i]->code);
        if (p && (!one || p == one))
            visit(s, j, v, p);
    }
}

static void list_parks(struct site *s, struct exchange *x, const char *name, const struct park *one,
                       park_visit visit)
{
    struct writer j;
    flush_now(s->flush);
    api_begin(x, &j);
    writer_object(&j, NULL);
    writer_array(&j, name);
    each_park(s, &j, &x->viewer, one, visit);
    writer_end_array(&j);
    writer_end_object(&j);
    api_end(x, &j);
}

void api_parks(struct site *s, struct exchange *x)
{
    list_parks(s, x, "parks", NULL, put_park);
}

void api_park(struct site *s, struct exchange *x)
{
    struct writer j;
    const struct park *park = access_park(&x->viewer, x->parts[0]);
    if (!park) {
        exchange_fail(x, 404, "there is no park '%s'; /api/v1/parks lists them", x->parts[0]);
        return;
    }
    flush_now(s->flush);
    api_begin(x, &j);
    put_park(s, &j, &x->viewer, park);
    api_end(x, &j);
}

// The park named by the parameter, NULL for all; INVALID when there is no such park.
static enum err park_param(struct exchange *x, const struct park **out)
{
    const char *code = exchange_param(x, "park");
    *out = code ? access_park(&x->viewer, code) : NULL;
    return code && !*out
               ? exchange_fail_param(x, "park", "there is no park '%.100s'; /api/v1/parks lists them", code)
               : ERR_OK;
}

static void put_residents_of(struct site *s, struct writer *j, const struct viewer *v, const struct park *p)
{
    (void)s;
    put_residents(j, v, p);
}

void api_residents(struct site *s, struct exchange *x)
{
    const struct park *one;
    if (!park_param(x, &one))
        list_parks(s, x, "residents", one, put_residents_of);
}

// Of one park, as they were known. Without a profile of then there are none, and that is said.
static void list_targets_then(struct site *s, struct exchange *x, const struct park *park,
                              const struct as_of *as_of)
{
    struct writer j;
    struct view v;
    struct park *then = NULL;
    struct diag d = {""};
    view_open(&v, s, &x->viewer, park);
    enum err e = v.store.reader ? plan_by(s, &v.store, park, as_of, &then, &d)
                                : diag_fail(&d, ERR_NOT_FOUND, "no collector has written anything yet");
    if (e) {
        exchange_fail(x, e == ERR_NOT_FOUND ? 404 : 500, "%s", d.text);
    } else {
        v.past = then != NULL;
        v.park = then ? then : park;
        api_begin(x, &j);
        writer_object(&j, NULL);
        writer_array(&j, "targets");
        put_statements(&j, &v, true);
        writer_end_array(&j);
        writer_end_object(&j);
        api_end(x, &j);
    }
    board_free(&v.board);
    park_free(then);
}

void api_targets(struct site *s, struct exchange *x)
{
    const struct park *one;
    struct as_of as_of;
    if (park_param(x, &one) ||
        as_of_parse(x, site_now_us(s) / US_PER_S, one ? site_zone(s, one) : NULL, &as_of))
        return;
    if (as_of.asked && !one)
        exchange_fail_param(x, "park", "is missing: plans of the past are asked for by park");
    else if (as_of.asked)
        list_targets_then(s, x, one, &as_of);
    else
        list_parks(s, x, "targets", one, put_targets);
}
