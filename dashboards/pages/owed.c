// The park's table says how complete and how punctual each resident is; the resident's lists its reports, the
// most urgent first. What was never reported stands there as late or open, with no figure beside it.

#include "dashboards/pages/owed.h"
#include "base/clock.h"
#include "dashboards/owed.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ITEMS_MAX 20000
#define SHOWN_MAX 40
#define DAY_US    (86400 * US_PER_S)
#define HOUR_US   (3600 * US_PER_S)

struct owed_items {
    struct owed_item *at;
    size_t count, capacity;
};

static enum err keep(void *ctx, const struct owed_item *i)
{
    struct owed_items *k = ctx;
    if (k->count == k->capacity) {
        size_t capacity = k->capacity ? 2 * k->capacity : 64;
        struct owed_item *grown = realloc(k->at, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        k->at = grown;
        k->capacity = capacity;
    }
    k->at[k->count++] = *i;
    return ERR_OK;
}

static bool load(struct page *p, const struct park *park, const char *resident, struct owed_items *out)
{
    const struct owed_ask ask = {.park = parks_find(&p->site->parks, park->code),
                                 .then = park,
                                 .resident = resident,
                                 .as_of_us = p->now_us,
                                 .max_items = ITEMS_MAX};
    struct diag d = {""};
    *out = (struct owed_items){0};
    return p->has_store && ask.park && owed_list(p->site, &p->store, &ask, keep, out, &d) == ERR_OK &&
           out->count > 0;
}

// words: so many columns from the left are no numbers.
static void begin_table(struct page *p, enum text caption, const enum text *heads, size_t count, size_t words)
{
    html_put(p->out,
             "<section class=\"panel\" id=\"obligations\" data-live=\"obligations\"><h2>%s</h2><div "
             "class=\"scroll\"><table class=\"owed\"><caption>%s</caption><thead><tr>",
             page_text(p, T_OWED), page_text(p, caption));
    for (size_t i = 0; i < count; i++)
        html_put(p->out, i < words ? "<th scope=\"col\">%s</th>" : "<th scope=\"col\" class=\"num\">%s</th>",
                 page_text(p, heads[i]));
    buf_text(p->out, "</tr></thead><tbody>");
}

// What was assumed when the rules were written: each once.
static void end_table(struct page *p, const struct owed_items *k, const char *more)
{
    const char *last = "";
    buf_text(p->out, "</tbody></table></div>");
    if (*more)
        html_put(p->out, "<p class=\"small\">%s</p>", more);
    buf_text(p->out, "<ul class=\"doubts\">");
    for (size_t i = 0; i < k->count; i++) {
        const char *assumed = k->at[i].owed.rule->assumed;
        bool said = !*assumed || strcmp(assumed, last) == 0;
        for (size_t n = 0; !said && n < i; n++)
            said = strcmp(assumed, k->at[n].owed.rule->assumed) == 0;
        if (said)
            continue;
        last = assumed;
        buf_text(p->out, "<li class=\"doubt\">");
        page_fill(p, T_ASSUMED, assumed, NULL, NULL);
        buf_text(p->out, "</li>");
    }
    buf_text(p->out, "</ul></section>");
}

static void put_number(struct page *p, enum text label, uint64_t n)
{
    html_put(p->out, "<td data-label=\"%s\" class=\"num\">%lu</td>", page_text(p, label), (unsigned long)n);
}

static void put_per_cent(struct page *p, enum text label, struct figure f)
{
    char text[SHOW_TEXT];
    show_per_cent(text, f, p->lang);
    html_put(p->out, "<td data-label=\"%s\" class=\"num\">%s</td>", page_text(p, label),
             f.kind == FIGURE_MISSING ? "–" : text);
}

// ---- a park

static void put_sum(struct page *p, const struct owed_sum *s)
{
    put_number(p, T_COL_OWED, s->owed);
    put_number(p, T_COL_DONE, s->done);
    put_per_cent(p, T_COL_COMPLETE, owed_completeness(s));
    put_number(p, T_COL_DATE_OVER, s->due);
    put_number(p, T_COL_IN_TIME, s->in_time);
    put_per_cent(p, T_COL_PUNCTUAL, owed_punctuality(s));
    html_put(p->out, "<td data-label=\"%s\" class=\"num\"><span class=\"%s\">%lu</span></td></tr>",
             page_text(p, T_COL_LATE_NOW), s->late ? "owed-late" : "", (unsigned long)s->late);
}

// The items are by resident: one run each.
static void put_residents(struct page *p, const struct park *park, const struct owed_items *k)
{
    for (size_t i = 0; i < k->count;) {
        const char *code = k->at[i].owed.resident;
        const struct resident *r = park_resident(park, code);
        struct owed_sum sum = {0};
        for (; i < k->count && k->at[i].owed.resident == code; i++)
            owed_add(&sum, &k->at[i]);
        buf_text(p->out, "<tr><th scope=\"row\"><a");
        page_href(p, "/parks/%s/%s#obligations", park->code, code);
        html_put(p->out, ">%s</a></th>", r ? r->names.text[p->lang] : code);
        put_sum(p, &sum);
    }
}

static void put_whole(struct page *p, const struct park *park, const struct owed_items *k)
{
    struct owed_sum sum = {0};
    if (!access_may(&p->x->viewer, SIGHT_OBLIGATIONS, park->code, ""))
        return;
    for (size_t i = 0; i < k->count; i++)
        owed_add(&sum, &k->at[i]);
    html_put(p->out, "<tr class=\"whole\"><th scope=\"row\">%s</th>", page_text(p, T_OWED_WHOLE));
    put_sum(p, &sum);
}

void owed_put_park(struct page *p, const struct park *park)
{
    static const enum text heads[] = {T_COL_RESIDENT,  T_COL_OWED,    T_COL_DONE,     T_COL_COMPLETE,
                                      T_COL_DATE_OVER, T_COL_IN_TIME, T_COL_PUNCTUAL, T_COL_LATE_NOW};
    struct owed_items k;
    if (load(p, park, NULL, &k)) {
        begin_table(p, T_OWED_CAPTION, heads, sizeof heads / sizeof *heads, 1);
        put_whole(p, park, &k);
        put_residents(p, park, &k);
        end_table(p, &k, "");
    }
    free(k.at);
}

// ---- a resident

// Late ones first, the longest overdue before; then open ones by date, those without one last; then done
// ones, the newest before.
static int by_urgency(const void *a, const void *b)
{
    static const int ranks[] = {[OWED_LATE] = 0, [OWED_OPEN] = 1, [OWED_DONE] = 2};
    const struct owed_item *x = a, *y = b;
    int order = ranks[x->state] - ranks[y->state];
    if (order == 0 && x->state == OWED_DONE)
        order = (x->owed.period.start < y->owed.period.start) - (x->owed.period.start > y->owed.period.start);
    if (order == 0)
        order = (int)y->owed.has_due - (int)x->owed.has_due;
    if (order == 0)
        order = (x->owed.late_s > y->owed.late_s) - (x->owed.late_s < y->owed.late_s);
    if (order == 0)
        order = (x->owed.period.start > y->owed.period.start) - (x->owed.period.start < y->owed.period.start);
    return order != 0 ? order : strcmp(x->owed.rule->kpi->code, y->owed.rule->kpi->code);
}

static void put_due(struct page *p, const struct owed_item *i)
{
    char day[SHOW_TEXT];
    show_day(day, i->owed.due_day);
    html_put(p->out, "<td data-label=\"%s\">", page_text(p, T_COL_DUE_DATE));
    if (i->owed.has_due)
        html_put(p->out, "<time datetime=\"%s\">%s</time>", day, day);
    else
        html_put(p->out, "<span class=\"unknown\">%s</span>", page_text(p, T_OWED_NO_DATE));
    html_put(p->out, "</td><td data-label=\"%s\">", page_text(p, T_COL_RECEIVED));
}

static void put_late_by(struct page *p, const struct owed_item *i)
{
    char n[24];
    html_put(p->out, "</td><td data-label=\"%s\">", page_text(p, T_COL_LATE_BY));
    if (i->late_us == 0) {
        buf_text(p->out, "–</td>");
        return;
    }
    bool days = i->late_us >= DAY_US;
    snprintf(n, sizeof n, "%" PRId64, days ? i->late_us / DAY_US : (i->late_us + HOUR_US - 1) / HOUR_US);
    page_fill(p, days ? T_OWED_DAYS : T_OWED_HOURS, n, NULL, NULL);
    buf_text(p->out, "</td>");
}

static void put_item(struct page *p, const struct park *park, const struct owed_item *i)
{
    static const enum text states[] = {
        [OWED_OPEN] = T_OWED_OPEN, [OWED_LATE] = T_OWED_LATE, [OWED_DONE] = T_OWED_DONE};
    const struct obligation *o = i->owed.rule;
    const struct dimension *of = *o->dimension ? park_dimension(park, o->dimension) : NULL;
    char period[PERIOD_TEXT];
    period_text(i->owed.period, period);
    html_put(p->out, "<tr><th scope=\"row\">%s%s%s</th><td data-label=\"%s\">%s</td>",
             o->kpi->names.text[p->lang], of ? ": " : "", of ? of->names.text[p->lang] : "",
             page_text(p, T_COL_PERIOD), period);
    put_due(p, i);
    if (i->received_us)
        page_ago(p, i->received_us);
    else
        html_put(p->out, "<span class=\"unknown\">%s</span>",
                 page_text(p, i->answered ? T_OWED_ANSWERED : T_OWED_NOTHING));
    put_late_by(p, i);
    html_put(p->out, "<td data-label=\"%s\"><span class=\"badge owed-%s\">%s</span></td></tr>",
             page_text(p, T_COL_STATUS), owed_state_name(i->state), page_text(p, states[i->state]));
}

void owed_put_resident(struct page *p, const struct park *park, const char *code)
{
    static const enum text heads[] = {T_COL_REPORT,   T_COL_PERIOD,  T_COL_DUE_DATE,
                                      T_COL_RECEIVED, T_COL_LATE_BY, T_COL_STATUS};
    struct owed_items k;
    char more[I18N_MAX] = "", shown[24], all[24];
    if (load(p, park, code, &k)) {
        qsort(k.at, k.count, sizeof *k.at, by_urgency);
        begin_table(p, T_OWED_CAPTION_RESIDENT, heads, sizeof heads / sizeof *heads,
                    sizeof heads / sizeof *heads);
        for (size_t i = 0; i < k.count && i < SHOWN_MAX; i++)
            put_item(p, park, &k.at[i]);
        snprintf(shown, sizeof shown, "%d", SHOWN_MAX);
        snprintf(all, sizeof all, "%zu", k.count);
        if (k.count > SHOWN_MAX)
            i18n_fill(more, p->lang, T_OWED_SHOWN, shown, all, NULL);
        end_table(p, &k, more);
    }
    free(k.at);
}
