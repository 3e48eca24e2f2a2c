// Parks, residents and targets: the profiles with every doubt, and what residents' figures say about them.

#include "base/clock.h"
#include "dashboards/api/api.h"
#include "dashboards/api/programmes.h"
#include "dashboards/api/statement.h"
#include "dashboards/board_then.h"
#include "dashboards/facts_source.h"
#include "dashboards/plan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the viewer may see of a park.
struct view {
    struct site *site;
    const struct viewer *viewer;
    const struct park *park;
    struct board board;
    struct fact_totals totals;
    struct readers store;
    int32_t today; // the park's civil day, or that of the moment whose knowledge is asked for
};

static void put_resident(struct writer *j, const struct viewer *v, const struct park *park,
                         const struct resident *r)
{
    writer_object(j, NULL);
    writer_text(j, "park", park->code);
    writer_text(j, "code", r->code);
    api_names(j, "names", &r->names);
    api_names(j, "about", &r->about);
    writer_bool(j, "simulated", r->simulated);
    writer_bool(j, "public", r->is_public);
    writer_text_or_null(j, "source", r->source);
    api_put_member(j, v, park, r);
    writer_end_object(j);
}

static void view_open(struct view *v, struct site *s, const struct viewer *viewer, const struct park *park)
{
    char prefix[SERIES_PART_MAX + 2];
    *v = (struct view){.site = s, .viewer = viewer, .park = park};
    v->totals = (struct fact_totals){.site = s, .store = &v->store};
    v->today = zone_day(site_zone(s, park), site_now_us(s) / US_PER_S);
    snprintf(prefix, sizeof prefix, "%s/", park->code);
    if (site_store(s, viewer, &v->store, NULL) == ERR_OK && board_load(s, &v->store, prefix, &v->board, NULL))
        v->board = (struct board){0}; // the profile is shown all the same; facts are then unknown
}

static void put_statements(struct writer *j, struct view *v, bool targets_only)
{
    const struct fact_source source = fact_totals_source(&v->totals, v->park, &v->board);
    for (size_t i = 0; i < v->park->statement_count; i++) {
        const struct statement *st = &v->park->statements[i];
        if (!access_may_statement(v->viewer, v->park, st) ||
            (targets_only && st->kind != STATEMENT_TARGET && st->kind != STATEMENT_CAPACITY))
            continue;
        api_statement(j, &source, st, v->today);
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
            put_resident(j, v, park, &park->residents[i]);
}

static void put_park_of(struct site *s, struct writer *j, const struct viewer *viewer,
                        const struct park *park, const char *period)
{
    struct view v;
    view_open(&v, s, viewer, park);
    struct programme_source programmes = {
        .site = s, .store = &v.store, .viewer = viewer, .park = park, .board = &v.board};
    struct span within = programmes_period(&programmes, period);
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
    api_put_programmes(j, &programmes, &within);
    api_put_projects(j, &programmes);
    writer_end_object(j);
    board_free(&v.board);
    fact_totals_close(&v.totals);
}

static void put_park(struct site *s, struct writer *j, const struct viewer *viewer, const struct park *park)
{
    put_park_of(s, j, viewer, park, NULL);
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
    if (programmes_check_period(park, x))
        return;
    flush_now(s->flush);
    api_begin(x, &j);
    put_park_of(s, &j, &x->viewer, park, exchange_param(x, "period"));
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

// Of one park, as they were known: the plan of then beside the figures, the rates and the members of then.
// Without a profile of then there are none, and that is said.
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
    v.park = then ? then : park;
    v.totals.as_of = *as_of;
    v.today = zone_day(site_zone(s, park), as_of_moment_us(as_of, site_now_us(s)) / US_PER_S);
    if (!e)
        e = board_then(&v.store, as_of, v.park, &v.board, &d);
    if (e) {
        exchange_fail(x, e == ERR_NOT_FOUND ? 404 : 500, "%s", d.text);
    } else {
        api_begin(x, &j);
        writer_object(&j, NULL);
        writer_array(&j, "targets");
        put_statements(&j, &v, true);
        writer_end_array(&j);
        writer_end_object(&j);
        api_end(x, &j);
    }
    board_free(&v.board);
    fact_totals_close(&v.totals);
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
