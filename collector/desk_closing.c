// A closing is a control document; the book in memory follows only after the commit, from the ledger itself.
#include "base/log.h"
#include "collector/desk_state.h"
#include "kpi/zone.h"
#include "store/ledger_keep.h"
#include "store/reader_closures.h"
#include <stdio.h>
#include <string.h>

struct closing {
    struct desk *desk;
    struct closing_request *r;
};

// When the day begins in the park; where nobody says which zone that is, in UTC.
static int64_t begins_s(const struct desk *s, const char *park, int32_t day)
{
    const struct park *p = s->o.parks ? parks_find(s->o.parks, park) : NULL;
    struct zone *z = NULL;
    if (p && zone_load(NULL, p->time_zone, &z, NULL) != ERR_OK)
        z = NULL;
    int64_t at_s = zone_midnight(z, day);
    zone_free(z);
    return at_s;
}

static enum err check_closing(const struct closing *x, struct diag *d)
{
    const struct closure *c = &x->r->closure;
    char period[PERIOD_TEXT], since[WALL_TEXT];
    int64_t now_s = clock_wall(x->desk->o.clock).us / US_PER_S;
    if (!series_part_valid(c->park) || !period_valid(c->period))
        return diag_fail(d, ERR_INVALID, "not a park and a period");
    if (c->kpi[0] && !catalogue_find(x->desk->o.catalogue, c->kpi))
        return diag_fail(d, ERR_INVALID, "the catalogue has no KPI '%s'", c->kpi);
    if (!c->reason[0])
        return diag_fail(d, ERR_INVALID, "a reason is missing");
    period_text(c->period, period);
    if (!c->reopens && begins_s(x->desk, c->park, period_end(c->period)) > now_s)
        return diag_fail(d, ERR_INVALID, "%s has not ended yet", period);
    if (closure_book_count(x->desk->closures) >= CLOSURES_MAX)
        return diag_fail(
            d, ERR_DENIED,
            "%d closings and reopenings are as many as can be kept: close whole periods, not KPI by KPI",
            CLOSURES_MAX);
    const struct closure_question q = {c->park, c->kpi, c->period, 0, 0};
    const struct closure *now = closure_book_find(x->desk->closures, &q);
    if (now && !c->reopens) {
        wall_text((struct wall){now->received_us}, since);
        return diag_fail(d, ERR_CONFLICT, "%s of %s is closed since %s already", period, c->park, since);
    }
    return ERR_OK;
}

// Reopening what no closing touches would be a word without a meaning.
static enum err check_reopening(const struct closing *x, struct diag *d)
{
    const struct closure *c = &x->r->closure;
    const struct closure_book *b = x->desk->closures;
    char period[PERIOD_TEXT];
    for (size_t i = 0; i < closure_book_count(b); i++) {
        const struct closure *k = closure_book_at(b, i);
        bool same_kpi = !c->kpi[0] || !k->kpi[0] || strcmp(c->kpi, k->kpi) == 0;
        if (!k->reopens && strcmp(k->park, c->park) == 0 && same_kpi &&
            k->period.start < period_end(c->period) && c->period.start < period_end(k->period))
            return ERR_OK;
    }
    period_text(c->period, period);
    return diag_fail(d, ERR_CONFLICT, "%s of %s was never closed; esep-collector closures lists what is",
                     period, c->park);
}

static enum err change_closing(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct closing *x = ctx;
    struct closure *c = &x->r->closure;
    char kind[sizeof CLOSURE_KIND + SERIES_PART_MAX], period[PERIOD_TEXT], detail[512];
    struct wire_receipt receipt;
    struct buf text;
    enum err e = check_closing(x, d);
    if (e == ERR_OK && c->reopens)
        e = check_reopening(x, d);
    if (e != ERR_OK)
        return e;
    buf_init(&text, CLOSURE_DOCUMENT_MAX);
    snprintf(kind, sizeof kind, CLOSURE_KIND "%s", c->park);
    e = closure_write(c, &text);
    e = e == ERR_OK ? ledger_add_control(l, kind, text.data, text.len, c->author, &receipt, d)
                    : diag_fail(d, ERR_INVALID, "the reason must be one line of text");
    buf_deinit(&text);
    if (e != ERR_OK)
        return e;
    c->position = receipt.position;
    period_text(c->period, period);
    snprintf(detail, sizeof detail, "%s %s%s%s, author %s, reason: %s", period,
             c->reopens ? "reopened" : "closed", c->kpi[0] ? " for " : "", c->kpi, c->author, c->reason);
    audit_entry_detail(entry, detail);
    return ERR_OK;
}

enum err desk_catch_up(struct desk *s, struct diag *d)
{
    enum err e = s && s->behind ? reader_closures(s->o.reader, &s->sequence, s->closures, d) : ERR_OK;
    if (s && e == ERR_OK)
        s->behind = false;
    return e;
}

enum err desk_take_closing(struct desk *s, struct closing_request *r, struct diag *d)
{
    struct closing x = {s, r};
    struct audit_entry entry;
    char object[sizeof CLOSURE_KIND + SERIES_PART_MAX], period[PERIOD_TEXT];
    enum err e = desk_catch_up(s, d);
    if (e != ERR_OK)
        return e;
    snprintf(object, sizeof object, CLOSURE_KIND "%s", r->closure.park);
    audit_entry_set(&entry, AUDIT_CONTROL, AUDIT_DONE, r->who, object, "%s", "");
    e = desk_audited(s, &entry, change_closing, &x, d);
    if (e != ERR_OK)
        return e;
    size_t known = closure_book_count(s->closures);
    s->behind = true;
    e = desk_catch_up(s, d);
    if (e == ERR_OK && closure_book_count(s->closures) > known)
        r->closure = *closure_book_at(s->closures, closure_book_count(s->closures) - 1);
    period_text(r->closure.period, period);
    log_info(r->closure.reopens ? "period_reopened" : "period_closed", F_TEXT("park", r->closure.park),
             F_TEXT("period", period), F_TEXT("kpi", r->closure.kpi), F_TEXT("author", r->closure.author));
    return e;
}
