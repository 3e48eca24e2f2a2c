// Works without scripts and by keyboard alone: every field has its label, its hint and what is wrong with it
// tied to it, the first faulty one gets the focus, and what is about to be stored is shown in full before it
// is.

#include "dashboards/pages/report_form.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "dashboards/closings.h"
#include "dashboards/identity.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LATEST_SHOWN 12

void report_example(const struct desk_reading *r, char out[PERIOD_TEXT])
{
    static const char *const examples[] = {[PERIOD_NONE] = "2026-03",
                                           [PERIOD_DAY] = "2026-03-14",
                                           [PERIOD_MONTH] = "2026-03",
                                           [PERIOD_QUARTER] = "2026-Q1",
                                           [PERIOD_YEAR] = "2026"};
    uint32_t kind = r->is_new ? PERIOD_NONE : r->row.series.period;
    snprintf(out, PERIOD_TEXT, "%s", kind <= PERIOD_YEAR ? examples[kind] : examples[0]);
}

void report_put_head(struct report_form *f)
{
    struct page *p = &f->p;
    const struct board_row *row = &f->r.row;
    char title[SHOW_TEXT], park[EXCHANGE_PART_MAX + 8], resident[2 * EXCHANGE_PART_MAX + 10];
    desk_title(title, &f->r, &p->x->viewer, p->lang);
    snprintf(park, sizeof park, "/parks/%s", row->name.park);
    snprintf(resident, sizeof resident, "/report/%s/%s", row->name.park, row->name.resident);
    page_head(p, page_text(p, T_REPORT),
              (const struct crumb[]){{park, row->park ? row->park->names.text[p->lang] : row->name.park},
                                     {resident, page_resident_name(p, row)},
                                     {NULL, title}},
              3);
    html_put(p->out, "<div class=\"lead\"><div><h1>%s: %s</h1><p>%s</p></div></div>", page_text(p, T_REPORT),
             title, page_resident_name(p, row));
}

// ---- what is wrong
// ------------------------------------------------------------------------------------------------------------
static const enum text faults[ENTRY_FAULTS] = {
    [ENTRY_FINE] = T_WRONG_NOT_EMPTY,    [ENTRY_EMPTY] = T_WRONG_EMPTY,
    [ENTRY_NO_NUMBER] = T_WRONG_NUMBER,  [ENTRY_TWO_SIGNS] = T_WRONG_SIGNS,
    [ENTRY_GROUPS] = T_WRONG_GROUPS,     [ENTRY_AMBIGUOUS] = T_WRONG_AMBIGUOUS,
    [ENTRY_DECIMALS] = T_WRONG_DECIMALS, [ENTRY_TOO_BIG] = T_WRONG_SIZE,
};

static void put_closed(struct report_form *f, enum text text)
{
    const struct closure *c = &f->r.before.closure;
    char since[SHOW_TEXT];
    show_moment(since, c->received_us / US_PER_S, f->r.row.park ? site_zone(f->p.site, f->r.row.park) : NULL);
    page_fill(&f->p, text, since, c->reason, NULL);
}

static void put_bounds(struct report_form *f)
{
    const struct kpi *k = f->r.row.kpi;
    bool above = figure_to_real(f->r.value) > figure_to_real(k->max);
    char bound[SHOW_TEXT];
    show_number(bound, above ? k->max : k->min, measure_decimals(&f->r.measure), f->p.lang);
    page_fill(&f->p, above ? T_WRONG_MOST : T_WRONG_LEAST, bound, NULL, NULL);
}

static void put_own_words(struct report_form *f, enum desk_field field)
{
    struct page *p = &f->p;
    char example[PERIOD_TEXT];
    report_example(&f->r, example);
    if (field == DESK_PERIOD && f->r.before.closed && !f->r.may_closed)
        put_closed(f, T_CLOSED_NOT_YOURS);
    else if (field == DESK_PERIOD)
        page_fill(p, T_WRONG_PERIOD, example, NULL, NULL);
    else if (field == DESK_VALUE && f->r.beyond[0])
        put_bounds(f);
    else if (field == DESK_VALUE)
        html_put(p->out, "%s", page_text(p, faults[f->r.fault]));
    else if (field == DESK_REASON)
        html_put(p->out, "%s", page_text(p, T_WRONG_REASON));
    else if (field == DESK_PUBLISHED)
        page_fill(p, T_WRONG_PUBLISHED, "2026-04-10", NULL, NULL);
    else if (field == DESK_SERIES && f->r.is_new)
        html_put(p->out, "%s", page_text(p, T_WRONG_UNIT));
    else if (field == DESK_SERIES)
        html_put(p->out, "%s", page_text(p, T_REPORT_MEASURED));
    else
        html_put(p->out, "%s", f->r.why ? f->r.why : "");
}

static void put_wrong(struct report_form *f, enum desk_field field)
{
    if (!f->tried || f->wrong != field)
        return;
    html_put(f->p.out, "<p class=\"wrong\" id=\"%s-wrong\">", desk_field_name(field));
    if (f->refused)
        page_fill(&f->p, T_WRONG_OTHER, f->refused, NULL, NULL);
    else
        put_own_words(f, field);
    buf_text(f->p.out, "</p>");
}

// What belongs to a field for those who do not see where it stands.
static void put_tie(struct report_form *f, enum desk_field field, bool hint)
{
    const char *name = desk_field_name(field);
    bool wrong = f->tried && f->wrong == field;
    if (hint || wrong)
        html_put(f->p.out, " aria-describedby=\"%s%s%s%s%s\"", wrong ? name : "", wrong ? "-wrong" : "",
                 wrong && hint ? " " : "", hint ? name : "", hint ? "-hint" : "");
    if (wrong)
        buf_text(f->p.out, " aria-invalid=\"true\" autofocus");
}

// ---- fields
// -------------------------------------------------------------------------------------------------------------------
static void begin_field(struct report_form *f, enum desk_field field, enum text label)
{
    html_put(f->p.out, "<div class=\"field\"><label for=\"%s\">%s</label>", desk_field_name(field),
             page_text(&f->p, label));
}

static void end_field(struct report_form *f, enum desk_field field, enum text hint, const char *of)
{
    if (hint != T_COUNT) {
        html_put(f->p.out, "<p class=\"hint\" id=\"%s-hint\">", desk_field_name(field));
        page_fill(&f->p, hint, of, NULL, NULL);
        buf_text(f->p.out, "</p>");
    }
    put_wrong(f, field);
    buf_text(f->p.out, "</div>");
}

static void put_input(struct report_form *f, enum desk_field field, const char *value, const char *more,
                      unsigned max, bool hint)
{
    html_put(f->p.out, "<input id=\"%s\" name=\"%s\" value=\"%s\" maxlength=\"%u\" autocomplete=\"off\"",
             desk_field_name(field), desk_field_name(field), value, max);
    buf_text(f->p.out, more);
    put_tie(f, field, hint);
    buf_text(f->p.out, ">");
}

static void put_option(struct report_form *f, const char *value, const char *chosen, const char *text)
{
    html_put(f->p.out, "<option value=\"%s\"%s>%s</option>", value,
             strcmp(value, chosen) == 0 ? " selected" : "", text);
}

static bool is_money(const struct desk_reading *r)
{
    return r->row.series.currency[0] || (r->row.kpi && r->row.kpi->money) ||
           strcmp(r->row.series.unit, "money") == 0;
}

static void put_currency(struct report_form *f)
{
    static const char *const codes[] = {"KZT", "UZS", "KGS", "RUB", "USD", "EUR"};
    const char *chosen = *f->w.currency ? f->w.currency : f->r.row.series.currency;
    if (!is_money(&f->r) && f->wrong != DESK_CURRENCY)
        return;
    begin_field(f, DESK_CURRENCY, T_REPORT_CURRENCY);
    buf_text(f->p.out, "<select id=\"currency\" name=\"currency\"");
    put_tie(f, DESK_CURRENCY, false);
    buf_text(f->p.out, ">");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        put_option(f, codes[i], chosen, codes[i]);
    buf_text(f->p.out, "</select>");
    end_field(f, DESK_CURRENCY, T_COUNT, NULL);
}

// Of a series that is new, where the catalogue leaves it open.
static void put_unit(struct report_form *f)
{
    const struct catalogue *c = f->p.site->catalogue;
    if (!f->r.is_new || !f->r.row.kpi || strcmp(f->r.row.kpi->unit->code, "any") != 0)
        return;
    html_put(f->p.out,
             "<div class=\"field\"><label for=\"unit\">%s</label><select id=\"unit\" name=\"unit\">",
             page_text(&f->p, T_UNIT));
    for (size_t i = 0; i < catalogue_unit_count(c); i++) {
        const struct kpi_unit *u = catalogue_unit_at(c, i);
        if (strcmp(u->code, "any") != 0)
            put_option(f, u->code, f->w.unit, u->names.text[f->p.lang]);
    }
    buf_text(f->p.out, "</select></div>");
}

static void put_status(struct report_form *f)
{
    static const struct {
        const char *letter;
        enum text text;
    } statuses[] = {{"A", T_STATUS_NORMAL}, {"P", T_STATUS_PROVISIONAL}, {"E", T_STATUS_ESTIMATED}};
    begin_field(f, DESK_STATUS, T_COL_STATUS);
    buf_text(f->p.out, "<select id=\"status\" name=\"status\"");
    put_tie(f, DESK_STATUS, false);
    buf_text(f->p.out, ">");
    for (size_t i = 0; i < 3; i++)
        put_option(f, statuses[i].letter, f->w.status, page_text(&f->p, statuses[i].text));
    buf_text(f->p.out, "</select>");
    end_field(f, DESK_STATUS, T_COUNT, NULL);
}

static void put_tick(struct report_form *f, const char *name, bool on, enum text text)
{
    html_put(f->p.out,
             "<div class=\"field tick\"><input type=\"checkbox\" id=\"%s\" name=\"%s\" value=\"1\"%s><label "
             "for=\"%s\">%s</label></div>",
             name, name, on ? " checked" : "", name, page_text(&f->p, text));
}

static void put_hidden(struct report_form *f, const char *name, const char *value)
{
    html_put(f->p.out, "<input type=\"hidden\" name=\"%s\" value=\"%s\">", name, value);
}

static void begin_form(struct report_form *f)
{
    char token[HEX_TEXT(HASH_BYTES)];
    identity_form_token(f->p.site, f->p.x, token);
    html_put(f->p.out, "<form class=\"entry\" method=\"post\" action=\"/report/%s%s%s\">",
             f->r.row.series.name, f->p.lang_asked ? "?lang=" : "",
             f->p.lang_asked ? lang_code(f->p.lang) : "");
    put_hidden(f, "form", token);
    put_hidden(f, "request", f->request);
    crypto_wipe(token, sizeof token);
}

// A field of its own is where what is wrong is said; what has none is said here.
static void put_notice(struct report_form *f)
{
    struct page *p = &f->p;
    if (!f->tried)
        return;
    html_put(p->out, "<div class=\"notice\" role=\"alert\"><strong>%s</strong> ",
             page_text(p, f->meanwhile ? T_REPORT_NOTHING_WRONG : T_REPORT_WRONG));
    if (f->meanwhile)
        html_put(p->out, "%s", page_text(p, T_REPORT_MEANWHILE));
    else if (f->wrong == DESK_OTHER || f->wrong == DESK_SERIES || f->wrong == DESK_REVISE) {
        if (f->refused)
            page_fill(p, T_WRONG_OTHER, f->refused, NULL, NULL);
        else
            put_own_words(f, f->wrong);
    }
    buf_text(p->out, "</div>");
}

void report_put_form(struct report_form *f)
{
    struct page *p = &f->p;
    char unit[SHOW_TEXT], example[PERIOD_TEXT];
    report_example(&f->r, example);
    show_unit(unit, &f->r.row.measure, p->lang);
    put_notice(f);
    html_put(p->out, "<section class=\"panel\"><p class=\"quiet\">%s</p>", page_text(p, T_REPORT_LEAD));
    begin_form(f);
    begin_field(f, DESK_PERIOD, T_COL_PERIOD);
    put_input(f, DESK_PERIOD, *f->w.period ? f->w.period : f->period, " required", 16, true);
    end_field(f, DESK_PERIOD, T_REPORT_PERIOD_HINT, example);
    html_put(p->out, "<div class=\"field\"><label for=\"value\">%s%s%s</label>", page_text(p, T_COL_VALUE),
             *unit && !is_money(&f->r) ? ", " : "", is_money(&f->r) ? "" : unit);
    put_input(f, DESK_VALUE, f->w.value, " inputmode=\"decimal\"", ENTRY_TEXT_MAX, true);
    end_field(f, DESK_VALUE, T_REPORT_VALUE_HINT, NULL);
    put_unit(f);
    put_currency(f);
    put_tick(f, "missing", f->w.missing, T_REPORT_MISSING);
    put_status(f);
    begin_field(f, DESK_REASON, T_COL_WHY);
    put_input(f, DESK_REASON, f->w.reason, "", WIRE_REASON_MAX, true);
    end_field(f, DESK_REASON, T_REPORT_REASON_HINT, NULL);
    begin_field(f, DESK_PUBLISHED, T_COL_PUBLISHED);
    put_input(f, DESK_PUBLISHED, f->w.published, "", 32, true);
    end_field(f, DESK_PUBLISHED, T_REPORT_PUBLISHED_HINT, "2026-04-10");
    put_tick(f, "confidential", f->w.confidential, T_CONFIDENTIAL);
    html_put(
        p->out,
        "<p><button class=\"button main\" name=\"step\" value=\"check\">%s</button></p></form></section>",
        page_text(p, T_REPORT_CHECK));
}

// ---- what was understood
// ------------------------------------------------------------------------------------------------------
static void put_line(struct page *p, enum text name)
{
    html_put(p->out, "<div><dt>%s</dt><dd>", page_text(p, name));
}

static struct measure measure_of(const struct desk_reading *r, const char *currency)
{
    struct measure m = r->measure;
    if (*currency) {
        m.currency = currency_find(currency);
        m.currency_code = currency;
    }
    return m;
}

static void put_before(struct report_form *f)
{
    struct page *p = &f->p;
    const struct desk_known *k = &f->r.before;
    struct measure m = measure_of(&f->r, k->currency);
    char number[24];
    put_line(p, T_REPORT_BEFORE);
    if (!k->known) {
        html_put(p->out, "%s</dd></div>", page_text(p, T_REPORT_NONE_BEFORE));
        return;
    }
    snprintf(number, sizeof number, "%" PRIu32, k->revision);
    page_figure(p, k->value, &m, false);
    buf_text(p->out, " <span class=\"quiet\">");
    page_fill(p, T_REPORT_REVISION, number, NULL, NULL);
    buf_text(p->out, " · ");
    page_ago(p, k->received_us);
    html_put(p->out, "%s%s</span></dd></div>", *k->author ? " · " : "", k->author);
}

static void put_said(struct report_form *f, enum text name, const char *text)
{
    if (!*text)
        return;
    put_line(&f->p, name);
    html_put(f->p.out, "%s</dd></div>", text);
}

static void put_understood(struct report_form *f)
{
    struct page *p = &f->p;
    char period[PERIOD_TEXT], exact[SHOW_TEXT];
    period_text(f->r.period, period);
    show_exact(exact, f->r.value, &f->r.measure, p->lang);
    buf_text(p->out, "<dl class=\"understood\">");
    put_line(p, T_COL_PERIOD);
    html_put(p->out, "%s</dd></div>", period);
    put_line(p, T_REPORT_UNDERSTOOD);
    html_put(p->out, "<strong>%s</strong></dd></div>", exact);
    put_before(f);
    if (f->r.value.kind != FIGURE_MISSING)
        put_said(f, T_COL_STATUS,
                 page_text(p, *f->w.status == 'P'   ? T_STATUS_PROVISIONAL
                              : *f->w.status == 'E' ? T_STATUS_ESTIMATED
                                                    : T_STATUS_NORMAL));
    put_said(f, T_COL_WHY, f->w.reason);
    put_said(f, T_COL_PUBLISHED, f->w.published);
    put_said(f, T_COL_WHO, p->x->viewer.name);
    if (f->w.confidential)
        html_put(p->out, "<div><dt></dt><dd>%s</dd></div>", page_text(p, T_CONFIDENTIAL));
    buf_text(p->out, "</dl>");
}

static void put_all_hidden(struct report_form *f)
{
    char seen[24];
    snprintf(seen, sizeof seen, "%" PRIu32, f->r.before.revision);
    put_hidden(f, "period", f->w.period);
    put_hidden(f, "value", f->w.value);
    put_hidden(f, "currency", f->w.currency);
    put_hidden(f, "unit", f->w.unit);
    put_hidden(f, "status", f->w.status);
    put_hidden(f, "reason", f->w.reason);
    put_hidden(f, "published", f->w.published);
    put_hidden(f, "seen", seen);
    if (f->w.missing)
        put_hidden(f, "missing", "1");
    if (f->w.confidential)
        put_hidden(f, "confidential", "1");
}

void report_put_preview(struct report_form *f)
{
    struct page *p = &f->p;
    if (f->meanwhile)
        put_notice(f);
    html_put(p->out, "<section class=\"panel\"><h2>%s</h2>", page_text(p, T_REPORT_PLEASE_CHECK));
    if (f->r.before.closed) {
        buf_text(p->out, "<p class=\"notice\">");
        put_closed(f, T_CLOSED_CORRECT);
        buf_text(p->out, "</p>");
    }
    put_understood(f);
    begin_form(f);
    put_all_hidden(f);
    html_put(p->out,
             "<p><button class=\"button main\" name=\"step\" value=\"store\" autofocus>%s</button> <button "
             "class=\"button\" name=\"step\" value=\"change\">%s</button></p></form></section>",
             page_text(p, T_REPORT_STORE), page_text(p, T_REPORT_CHANGE));
}

// ---- what is stored
// -----------------------------------------------------------------------------------------------------------
struct found {
    uint32_t revision;
    bool there;
    struct figure value;
    char currency[WIRE_CURRENCY_LEN + 1];
};

static enum err find_revision(void *ctx, const struct observation *o)
{
    struct found *f = ctx;
    if (o->revision != f->revision)
        return ERR_OK;
    f->there = true;
    f->value = o->status == WIRE_MISSING ? figure_missing() : o->value;
    snprintf(f->currency, sizeof f->currency, "%s", o->currency);
    return ERR_OK;
}

static void put_found(struct report_form *f, const struct found *found)
{
    struct measure m = measure_of(&f->r, found->currency);
    char exact[SHOW_TEXT], number[24];
    show_exact(exact, found->value, &m, f->p.lang);
    snprintf(number, sizeof number, "%" PRIu32, found->revision);
    page_fill(&f->p, T_REPORT_STORED, exact, f->w.period, number);
}

void report_put_stored(struct report_form *f, uint32_t revision)
{
    struct page *p = &f->p;
    struct found found = {.revision = revision};
    const struct observation_query q = {.series_id = f->r.row.series.series_id,
                                        .from = f->r.period.start,
                                        .to = f->r.period.start + 1,
                                        .all_revisions = true};
    if (revision && !f->r.is_new && p->has_store)
        (void)!observations_query(p->store.observations, &q, find_revision, &found, NULL);
    buf_text(p->out, "<div class=\"notice good\" role=\"status\">");
    if (found.there)
        put_found(f, &found);
    else
        html_put(p->out, "%s", page_text(p, T_REPORT_STORED_LATE));
    buf_text(p->out, " <a");
    page_href(p, "/series/%s", f->r.row.series.name);
    html_put(p->out, ">%s</a></div>", page_text(p, T_ABOUT_SERIES));
}

struct latest_list {
    struct observation at[LATEST_SHOWN];
    size_t count, first; // a ring
};

static enum err keep_latest(void *ctx, const struct observation *o)
{
    struct latest_list *l = ctx;
    l->at[(l->first + l->count) % LATEST_SHOWN] = *o;
    if (l->count < LATEST_SHOWN)
        l->count++;
    else
        l->first = (l->first + 1) % LATEST_SHOWN;
    return ERR_OK;
}

static void put_latest_row(struct report_form *f, const struct observation *o)
{
    struct page *p = &f->p;
    struct measure m = measure_of(&f->r, o->currency);
    struct closure closing;
    char period[PERIOD_TEXT], since[SHOW_TEXT];
    period_text((struct period){(enum period_kind)f->r.row.series.period, o->period_start}, period);
    html_put(p->out, "<tr><th scope=\"row\"><a");
    page_href(p, "/report/%s?period=%s", f->r.row.series.name, period);
    html_put(p->out, ">%s</a></th><td class=\"num\">", period);
    page_figure(p, o->status == WIRE_MISSING ? figure_missing() : o->value, &m, false);
    html_put(p->out, "</td><td class=\"num\">%u</td><td>", o->revision);
    if (closings_find(p->site, &f->r.row, o->period_start, 0, 0, &closing)) {
        show_moment(since, closing.received_us / US_PER_S,
                    f->r.row.park ? site_zone(p->site, f->r.row.park) : NULL);
        page_fill(p, T_CLOSED_SINCE, since, NULL, NULL);
    }
    buf_text(p->out, "</td></tr>");
}

void report_put_latest(struct report_form *f)
{
    struct page *p = &f->p;
    struct latest_list list = {.count = 0};
    const struct observation_query q = {
        .series_id = f->r.row.series.series_id, .from = INT32_MIN, .to = INT32_MAX};
    if (f->r.is_new || !p->has_store || f->r.row.series.class != WIRE_REPORT ||
        observations_query(p->store.observations, &q, keep_latest, &list, NULL) != ERR_OK || list.count == 0)
        return;
    html_put(p->out,
             "<section class=\"panel\"><div class=\"scroll\"><table "
             "class=\"exact\"><caption>%s</caption><thead><tr>"
             "<th scope=\"col\">%s</th><th scope=\"col\" class=\"num\">%s</th><th scope=\"col\" "
             "class=\"num\">%s</th><th></th></tr></thead><tbody>",
             page_text(p, T_REPORT_LATEST), page_text(p, T_COL_PERIOD), page_text(p, T_COL_VALUE),
             page_text(p, T_COL_REVISION));
    for (size_t i = list.count; i-- > 0;)
        put_latest_row(f, &list.at[(list.first + i) % LATEST_SHOWN]);
    buf_text(p->out, "</tbody></table></div></section>");
}
