// Reporting a figure by hand: choose it, write it, look at what was understood, store it. Nothing is kept
// between the steps but in the form itself; the request's name, made with the first form, is what makes the
// same report sent twice one report.

#include "base/clock.h"
#include "base/crypto.h"
#include "dashboards/closings.h"
#include "dashboards/pages/pages.h"
#include "dashboards/pages/report_form.h"
#include "dashboards/params.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ---- which figure
// -------------------------------------------------------------------------------------------------------------
static void put_known(struct page *p, const struct board *b)
{
    bool any = false;
    for (size_t i = 0; i < b->count; i++) {
        const struct board_row *r = &b->rows[i];
        char title[SHOW_TEXT], rhythm[SHOW_TEXT];
        if (r->series.class != WIRE_REPORT)
            continue;
        if (!any)
            buf_text(p->out, "<ul class=\"choices\">");
        any = true;
        board_title(title, r, p->lang);
        show_rhythm(rhythm, 0, (enum period_kind)r->series.period, p->lang);
        buf_text(p->out, "<li><a");
        page_href(p, "/report/%s", r->series.name);
        html_put(p->out, ">%s</a> <span class=\"quiet\">%s</span></li>", title, rhythm);
    }
    if (any)
        buf_text(p->out, "</ul>");
}

static void put_new(struct page *p, const char *park, const char *resident)
{
    const struct catalogue *c = p->site->catalogue;
    html_put(p->out, "<section class=\"panel\"><h2>%s</h2><form class=\"entry\" action=\"/report/%s/%s\">",
             page_text(p, T_REPORT_NEW), park, resident);
    html_put(p->out, "<div class=\"field\"><label for=\"kpi\">%s</label><select id=\"kpi\" name=\"kpi\">",
             page_text(p, T_COL_FIGURE));
    for (size_t i = 0; i < catalogue_count(c); i++) {
        const struct kpi *k = catalogue_at(c, i);
        if (k->kind != KPI_COMPUTED)
            html_put(p->out, "<option value=\"%s\">%s</option>", k->code, k->names.text[p->lang]);
    }
    html_put(
        p->out,
        "</select></div><div class=\"field\"><label for=\"dimension\">%s</label><input id=\"dimension\" "
        "name=\"dimension\" maxlength=\"%d\" pattern=\"[a-z0-9][a-z0-9_.\\-]*\" autocomplete=\"off\"></div>",
        page_text(p, T_REPORT_DIMENSION), SERIES_PART_MAX);
    if (p->lang_asked)
        html_put(p->out, "<input type=\"hidden\" name=\"lang\" value=\"%s\">", lang_code(p->lang));
    html_put(p->out, "<p><button class=\"button\">%s</button></p></form></section>",
             page_text(p, T_REPORT_GO));
}

static void put_choice(struct page *p, const struct park *park, const struct resident *r,
                       const struct board *b)
{
    char parks[EXCHANGE_PART_MAX + 8], residents[2 * EXCHANGE_PART_MAX + 10];
    snprintf(parks, sizeof parks, "/parks/%s", park->code);
    snprintf(residents, sizeof residents, "/parks/%s/%s", park->code, r->code);
    page_head(p, page_text(p, T_REPORT),
              (const struct crumb[]){{parks, park->names.text[p->lang]},
                                     {residents, r->names.text[p->lang]},
                                     {NULL, page_text(p, T_REPORT)}},
              3);
    html_put(
        p->out,
        "<div class=\"lead\"><div><h1>%s</h1><p>%s</p></div></div><section class=\"panel\"><h2>%s</h2><p "
        "class=\"quiet\">%s</p>",
        page_text(p, T_REPORT), r->names.text[p->lang], page_text(p, T_REPORT_WHICH),
        page_text(p, T_REPORT_LEAD));
    put_known(p, b);
    buf_text(p->out, "</section>");
    put_new(p, park->code, r->code);
    page_foot(p);
}

static bool go_to_new(struct exchange *x)
{
    const char *kpi = exchange_param(x, "kpi"), *dimension = exchange_param(x, "dimension"),
               *lang = exchange_param(x, "lang");
    bool dimensioned = dimension && *dimension;
    if (!kpi)
        return false;
    if (!series_part_valid(kpi) || (dimensioned && !series_part_valid(dimension))) {
        exchange_fail_param(x, dimensioned ? "dimension" : "kpi", "must be of [a-z0-9][a-z0-9_.-]*");
        return true;
    }
    snprintf(x->location, sizeof x->location, "/report/%s/%s/%s%s%s%s%s", x->parts[0], x->parts[1], kpi,
             dimensioned ? "/" : "", dimensioned ? dimension : "", lang ? "?lang=" : "", lang ? lang : "");
    x->status = 303;
    return true;
}

void page_report_choose(struct site *s, struct exchange *x)
{
    struct page p;
    struct diag d = {""};
    struct board board = {0};
    char prefix[2 * EXCHANGE_PART_MAX + 2];
    if (page_begin(s, x, &p) || go_to_new(x))
        return;
    const struct park *park = access_park(&x->viewer, x->parts[0]);
    const struct resident *r = park ? park_resident(park, x->parts[1]) : NULL;
    snprintf(prefix, sizeof prefix, "%s/%s/", x->parts[0], x->parts[1]);
    enum err e = r && p.has_store ? board_load(s, &p.store, prefix, &board, &d) : ERR_OK;
    if (e)
        exchange_fail_err(x, e, d.text);
    else if (!r)
        exchange_fail(x, 404, "there is no resident '%s/%s' in the park's profile", x->parts[0], x->parts[1]);
    else
        put_choice(&p, park, r, &board);
    board_free(&board);
}

// ---- one figure
// ---------------------------------------------------------------------------------------------------------------
// The period that is asked for most likely: the one after the newest, if it has ended, else the last that
// has.
static void likely_period(struct report_form *f)
{
    const struct board_row *row = &f->r.row;
    enum period_kind kind = f->r.is_new ? PERIOD_MONTH : (enum period_kind)row->series.period;
    int32_t today = (int32_t)(f->p.now_us / US_PER_S / 86400);
    if (kind < PERIOD_DAY || kind > PERIOD_YEAR)
        return;
    struct period last = period_previous(period_containing(kind, today));
    if (row->has_latest && row->latest.time < last.start)
        last = period_next((struct period){kind, (int32_t)row->latest.time});
    period_text(last, f->period);
}

static void name_request(struct report_form *f)
{
    uint8_t random[16];
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, f->request);
}

static void series_asked(const struct exchange *x, char out[4 * EXCHANGE_PART_MAX])
{
    snprintf(out, 4 * EXCHANGE_PART_MAX, "%s/%s/%s%s%s", x->parts[0], x->parts[1], x->parts[2],
             x->part_count == 4 ? "/" : "", x->part_count == 4 ? x->parts[3] : "");
}

static enum err fail_find(struct exchange *x, enum err e, const char *series, const struct diag *d)
{
    if (e == ERR_NOT_FOUND)
        return exchange_fail(x, 404, "there is no series '%s', and none can be begun under this name",
                             series);
    return exchange_fail_err(x, e, d->text);
}

void page_report(struct site *s, struct exchange *x)
{
    static const struct desk_entry nothing = {"", "", "", "", "", "", "", "", "", false, false, false};
    struct report_form f = {.w = nothing};
    struct diag d = {""};
    int64_t stored = -1;
    char series[4 * EXCHANGE_PART_MAX];
    const char *period = exchange_param(x, "period");
    if (page_begin(s, x, &f.p))
        return;
    if (params_integer(x, "stored", 0, INT32_MAX, &stored))
        return;
    series_asked(x, series);
    enum err e = desk_find(s, x, &f.p.store, series, &f.r, &d);
    if (e == ERR_OK && f.p.has_store)
        e = closings_refresh(s, &f.p.store, &d);
    if (e != ERR_OK) {
        (void)fail_find(x, e, series, &d);
        return;
    }
    likely_period(&f);
    name_request(&f);
    if (period && period_parse(period, &f.r.period) != ERR_OK) {
        exchange_fail_param(x, "period", "must be a period like 2026-03");
        return;
    }
    if (period)
        f.w.period = period;
    report_put_head(&f);
    if (period && stored >= 0)
        report_put_stored(&f, (uint32_t)stored);
    report_put_form(&f);
    report_put_latest(&f);
    page_foot(&f.p);
}

// ---- what was sent
// ------------------------------------------------------------------------------------------------------------
static void read_fields(struct report_form *f, const char *series)
{
    const struct exchange *x = f->p.x;
    const char *request = exchange_field(x, "request");
    f->w = (struct desk_entry){.series = series,
                               .period = exchange_field(x, "period"),
                               .value = exchange_field(x, "value"),
                               .currency = exchange_field(x, "currency"),
                               .unit = exchange_field(x, "unit"),
                               .status = exchange_field(x, "status"),
                               .reason = exchange_field(x, "reason"),
                               .published = exchange_field(x, "published"),
                               .request = f->request,
                               .missing = *exchange_field(x, "missing"),
                               .confidential = *exchange_field(x, "confidential")};
    name_request(f);
    if (strlen(request) == sizeof f->request - 1 && strspn(request, "0123456789abcdef") == strlen(request))
        memcpy(f->request, request, sizeof f->request);
}

// What the form wants beyond what was written: a reason where a figure takes another's place.
static void check_reason(struct report_form *f)
{
    const struct desk_known *k = &f->r.before;
    if (f->wrong == DESK_FINE && k->closed && !f->r.may_closed)
        f->wrong = DESK_PERIOD;
    if (f->wrong == DESK_FINE && (k->known || k->closed) && !*f->w.reason)
        f->wrong = DESK_REASON;
}

static void show_form(struct report_form *f, int status)
{
    f->p.x->status = status;
    report_put_head(f);
    report_put_form(f);
    report_put_latest(f);
    page_foot(&f->p);
}

static void show_preview(struct report_form *f)
{
    report_put_head(f);
    report_put_preview(f);
    page_foot(&f->p);
}

static void go_to_stored(struct report_form *f, const struct desk_answer *a)
{
    struct exchange *x = f->p.x;
    char period[PERIOD_TEXT];
    period_text(f->r.period, period);
    snprintf(x->location, sizeof x->location, "/report/%s?period=%s&stored=%" PRId64 "%s%s",
             f->r.row.series.name, period, a->revision > 0 ? a->revision : 0, f->p.lang_asked ? "&lang=" : "",
             f->p.lang_asked ? lang_code(f->p.lang) : "");
    x->status = 303;
}

// The figure that the person saw is the one that is replaced, or they look again.
static void store(struct report_form *f)
{
    struct desk_answer a;
    char seen[24];
    snprintf(seen, sizeof seen, "%" PRIu32, f->r.before.revision);
    f->w.revise = f->r.before.known;
    bool as_seen = strcmp(exchange_field(f->p.x, "seen"), seen) == 0;
    // The same report, sent again, has changed what was seen itself: the collector knows it by its name.
    if (!as_seen)
        f->w.revise = false;
    desk_send(f->p.site, f->p.x, &f->w, &f->r, &a);
    if (a.stored) {
        go_to_stored(f, &a);
        return;
    }
    f->tried = true;
    if (!as_seen && a.field == DESK_REVISE) {
        f->meanwhile = true;
        f->wrong = *f->w.reason ? DESK_FINE : DESK_REASON;
        if (f->wrong == DESK_FINE)
            show_preview(f);
        else
            show_form(f, 400);
        return;
    }
    f->wrong = a.field;
    f->refused = a.text;
    if (a.status == 429 || a.status == 503)
        f->p.x->retry_after_s = 2;
    show_form(f, a.status);
}

void page_report_send(struct site *s, struct exchange *x)
{
    struct report_form f = {.wrong = DESK_FINE};
    struct diag d = {""};
    char series[4 * EXCHANGE_PART_MAX];
    const char *step = exchange_field(x, "step");
    if (page_begin(s, x, &f.p))
        return;
    series_asked(x, series);
    read_fields(&f, series);
    enum err e = desk_read(s, x, &f.p.store, &f.w, &f.r, &d);
    if (e != ERR_OK) {
        (void)fail_find(x, e, series, &d);
        return;
    }
    if (strcmp(step, "change") == 0) {
        show_form(&f, 200);
        return;
    }
    bool stores =
        strcmp(step, "store") == 0; // the same sent again is known by its name: nothing is asked of it
    f.wrong = f.r.field;
    if (!stores)
        check_reason(&f);
    f.tried = f.wrong != DESK_FINE;
    if (f.tried)
        show_form(&f, 400);
    else if (stores)
        store(&f);
    else
        show_preview(&f);
}
