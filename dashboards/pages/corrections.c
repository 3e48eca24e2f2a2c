// The table of values shows each period with its own past; this list is the other way round: what happened
// lately, whatever the period. Only the newest are kept while all revisions go by, so a long history costs
// no memory.
#include "dashboards/pages/corrections.h"
#include "base/clock.h"
#include "dashboards/api/collector.h"
#include "dashboards/closings.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
    struct figure value;
    char currency[WIRE_CURRENCY_LEN + 1], author[WIRE_AUTHOR_MAX + 1];
};

struct correction {
    int32_t period_start;
    uint32_t revision;
    struct side was, is;
    int64_t received_us, published_us;
    int64_t key_id;
    uint64_t position;
    char reason[WIRE_REASON_MAX + 1];
};

struct search {
    struct corrections *found;
    const struct as_of *as_of;
    struct side before;
    int32_t period_start;    // of before
    bool has_before, inside; // inside: authors and reasons are for this viewer
};

static struct side side_of(const struct observation *o, bool inside)
{
    struct side s = {.value = o->status == WIRE_MISSING ? figure_missing() : o->value};
    snprintf(s.currency, sizeof s.currency, "%s", o->currency);
    snprintf(s.author, sizeof s.author, "%s", inside && o->author ? o->author : "");
    return s;
}

// Where the next one goes: behind those kept, or over the oldest of them; NULL: it is older than all.
static struct correction *place_for(struct corrections *c, uint64_t position)
{
    struct correction *oldest = c->at;
    if (c->count < CORRECTIONS_SHOWN)
        return &c->at[c->count++];
    for (size_t i = 1; i < c->count; i++)
        if (c->at[i].position < oldest->position)
            oldest = &c->at[i];
    return oldest->position < position ? oldest : NULL;
}

static void keep(struct search *s, const struct observation *o, struct side is)
{
    s->found->total++;
    struct correction *k = place_for(s->found, o->position);
    if (!k)
        return;
    *k = (struct correction){.period_start = o->period_start,
                             .revision = o->revision,
                             .was = s->before,
                             .is = is,
                             .received_us = o->received_us,
                             .published_us = o->published_us,
                             .key_id = s->inside ? o->key_id : 0, // who, if not by name
                             .position = o->position};
    snprintf(k->reason, sizeof k->reason, "%s", s->inside && o->reason ? o->reason : "");
}

static enum err visit(void *ctx, const struct observation *o)
{
    struct search *s = ctx;
    int64_t at_us = s->as_of->by_published ? o->published_us : o->received_us;
    if (s->as_of->us != 0 && at_us > s->as_of->us)
        return ERR_OK;
    struct side is = side_of(o, s->inside);
    if (s->has_before && s->period_start == o->period_start)
        keep(s, o, is);
    s->before = is;
    s->period_start = o->period_start;
    s->has_before = true;
    if (o->received_us > s->found->newest_us)
        s->found->newest_us = o->received_us;
    return ERR_OK;
}

static int newest_first(const void *a, const void *b)
{
    const struct correction *x = a, *y = b;
    if (x->position != y->position)
        return x->position > y->position ? -1 : 1;
    return x->period_start > y->period_start ? -1 : x->period_start < y->period_start;
}

void corrections_load(struct page *p, const struct board_row *r, int64_t from, int64_t to,
                      const struct as_of *as_of, struct corrections *out)
{
    *out = (struct corrections){.at = calloc(CORRECTIONS_SHOWN, sizeof *out->at)};
    struct search s = {.found = out,
                       .as_of = as_of,
                       .inside = access_may(&p->x->viewer, SIGHT_INSIDE, r->name.park, r->name.resident)};
    const struct observation_query q = {.series_id = r->series.series_id,
                                        .from = (int32_t)(from / 86400),
                                        .to = (int32_t)((to + 86399) / 86400),
                                        .all_revisions = true};
    if (r->series.class != WIRE_REPORT || !out->at ||
        observations_query(p->store.observations, &q, visit, &s, NULL) != ERR_OK)
        return;
    qsort(out->at, out->count, sizeof *out->at, newest_first);
}

void corrections_free(struct corrections *c)
{
    free(c->at);
    *c = (struct corrections){0};
}

// ---- the list

static void put_value(struct page *p, const struct board_row *r, const struct side *s)
{
    struct measure m = r->measure;
    if (*s->currency && strcmp(s->currency, r->series.currency) != 0) {
        m.currency = currency_find(s->currency);
        m.currency_code = s->currency;
    }
    buf_text(p->out, "<td class=\"num\">");
    page_figure(p, s->value, &m, false);
    buf_text(p->out, "</td>");
}

static void put_who(struct page *p, const struct correction *c)
{
    char key[24];
    if (*c->is.author) {
        html_put(p->out, "%s", c->is.author);
    } else if (c->key_id && api_may_agent_ids(&p->x->viewer)) {
        snprintf(key, sizeof key, "%" PRId64, c->key_id);
        page_fill(p, T_BY_KEY, key, NULL, NULL);
    } else if (c->key_id) {
        html_put(p->out, "%s", page_text(p, T_BY_AGENT));
    }
    if (*c->was.author && !*c->is.author) {
        buf_text(p->out, " <span class=\"badge late\">");
        page_fill(p, T_INSTEAD_OF, c->was.author, NULL, NULL);
        buf_text(p->out, "</span>");
    }
}

static void put_row(struct page *p, const struct board_row *r, const struct correction *c)
{
    char period[PERIOD_TEXT], published[SHOW_TEXT];
    struct closure closing;
    const struct zone *z = r->park ? site_zone(p->site, r->park) : NULL;
    period_text((struct period){(enum period_kind)r->series.period, c->period_start}, period);
    // A date is the first instant of its day in UTC; in the park's own zone it could be another day.
    bool date = c->published_us % (INT64_C(86400) * US_PER_S) == 0;
    if (date)
        show_day(published, (int32_t)(c->published_us / US_PER_S / 86400));
    else
        show_moment(published, c->published_us / US_PER_S, z);
    html_put(p->out, "<tr><th scope=\"row\">%s</th>", period);
    put_value(p, r, &c->was);
    put_value(p, r, &c->is);
    buf_text(p->out, "<td>");
    page_ago(p, c->received_us);
    html_put(p->out, "</td><td>%s</td><td>%s", published, c->reason);
    if (closings_find(p->site, r, c->period_start, 0, c->position, &closing))
        html_put(p->out, " <span class=\"badge late\">%s</span>", page_text(p, T_AFTER_CLOSURE));
    buf_text(p->out, "</td><td>");
    put_who(p, c);
    buf_text(p->out, "</td></tr>");
}

static void put_table(struct page *p, const struct board_row *r, const struct corrections *c)
{
    static const enum text heads[] = {T_COL_WAS,       T_COL_BECAME, T_COL_RECEIVED,
                                      T_COL_PUBLISHED, T_COL_WHY,    T_COL_WHO};
    html_put(p->out,
             "<div class=\"scroll\"><table class=\"exact\"><caption>%s</caption><thead><tr><th "
             "scope=\"col\">%s</th>",
             page_text(p, T_CORRECTIONS_CAPTION), page_text(p, T_COL_PERIOD));
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        html_put(p->out, i < 2 ? "<th scope=\"col\" class=\"num\">%s</th>" : "<th scope=\"col\">%s</th>",
                 page_text(p, heads[i]));
    buf_text(p->out, "</tr></thead><tbody>");
    for (size_t i = 0; i < c->count; i++)
        put_row(p, r, &c->at[i]);
    buf_text(p->out, "</tbody></table></div>");
}

void corrections_put(struct page *p, const struct board_row *r, const struct corrections *c)
{
    char shown[24], total[24];
    html_put(p->out, "<h2>%s</h2>", page_text(p, T_CORRECTIONS));
    if (c->count == 0) {
        html_put(p->out, "<p>%s</p>", page_text(p, T_NO_CORRECTIONS));
        return;
    }
    put_table(p, r, c);
    snprintf(shown, sizeof shown, "%zu", c->count);
    snprintf(total, sizeof total, "%" PRIu64, c->total);
    html_put(p->out, "<p class=\"small\">");
    page_fill(p, T_CORRECTIONS_SHOWN, shown, total, NULL);
    buf_text(p->out, "</p>");
}
