// A resident speaks when what it sends most often has come lately: a plant whose machines are silent is not
// saved by last month's report.

#include "dashboards/pages/people.h"
#include "dashboards/pages/tile.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int people_rank(const struct board_row *r)
{
    static const char *const telling[] = {"energy_kwh", "jobs_total", "inv_raised", "out_value", "out_units"};
    int rank = 0;
    for (int i = 0; r->kpi && i < (int)(sizeof telling / sizeof *telling); i++)
        if (strcmp(r->kpi->code, telling[i]) == 0)
            rank = i + 1;
    return rank;
}

const struct board_row *people_next(const struct board *b, const char *resident,
                                    const struct board_row *after)
{
    const struct board_row *best = NULL;
    for (size_t i = 0; i < b->count; i++) {
        const struct board_row *r = &b->rows[i];
        if (!r->has_latest || strcmp(r->name.resident, resident) != 0 ||
            (after &&
             (people_rank(r) > people_rank(after) || (people_rank(r) == people_rank(after) && r <= after))))
            continue;
        if (!best || people_rank(r) > people_rank(best))
            best = r;
    }
    return best;
}

struct person people_of(const struct board *b, const char *resident, int64_t now_us)
{
    struct person p = {0};
    bool measured = false, measured_fresh = false, reported_fresh = false;
    for (size_t i = 0; i < b->count; i++) {
        const struct board_row *r = &b->rows[i];
        if (strcmp(r->name.resident, resident) != 0)
            continue;
        p.series++;
        if (!r->has_latest)
            continue;
        bool fresh = board_is_fresh(r, now_us);
        if (r->series.class == WIRE_MEASUREMENT) {
            measured = true;
            measured_fresh |= fresh;
        } else {
            reported_fresh |= fresh;
        }
        if (r->latest.received_us > p.newest_us)
            p.newest_us = r->latest.received_us;
    }
    p.reporting = measured ? measured_fresh : reported_fresh;
    return p;
}

static bool is_unlisted(const struct board *b, size_t i)
{
    const struct board_row *r = &b->rows[i];
    return !r->resident && strcmp(r->name.resident, SERIES_RESIDENT_ALL) != 0 &&
           (i == 0 || strcmp(r->name.resident, b->rows[i - 1].name.resident) != 0);
}

enum err roster_make(const struct viewer *v, const struct park *park, const struct board *b,
                     struct roster *out)
{
    struct roster r = {.at = calloc(park->resident_count + b->count + 1, sizeof *r.at)};
    if (!r.at)
        return ERR_NOMEM;
    for (size_t i = 0; i < park->resident_count; i++)
        if (access_may(v, SIGHT_RESIDENT, park->code, park->residents[i].code))
            r.at[r.count++] = (struct roster_entry){park->residents[i].code, &park->residents[i]};
    for (size_t i = 0; i < b->count; i++)
        if (is_unlisted(b, i))
            r.at[r.count++] = (struct roster_entry){b->rows[i].name.resident, NULL};
    *out = r;
    return ERR_OK;
}

void roster_free(struct roster *r)
{
    free(r->at);
    *r = (struct roster){0};
}

void people_count(const struct roster *r, const struct board *b, int64_t now_us, int32_t today,
                  struct people *out)
{
    *out = (struct people){0};
    for (size_t i = 0; i < r->count; i++) {
        if (r->at[i].resident && !membership_on(&r->at[i].resident->member, today))
            continue;
        struct person p = people_of(b, r->at[i].code, now_us);
        out->of++;
        out->reporting += p.reporting;
        if (p.newest_us > out->newest_us)
            out->newest_us = p.newest_us;
    }
}

void people_put_state(struct page *p, const struct people *people)
{
    char n[24], of[24];
    if (people->of == 0)
        return;
    snprintf(n, sizeof n, "%zu", people->reporting);
    snprintf(of, sizeof of, "%zu", people->of);
    html_put(p->out, "<span class=\"dot %s\"></span>",
             people->reporting == 0           ? "off"
             : people->reporting < people->of ? "some"
                                              : "on");
    page_fill(p, T_REPORTING, n, of, NULL);
    buf_text(p->out, " · ");
    page_ago(p, people->newest_us);
}

void people_put_keys(struct page *p, const struct fact_source *f, size_t most, bool only_known)
{
    static const struct {
        const char *kpi;
        enum fact_rule rule;
    } keys[] = {{"jobs_total", RULE_LEVEL},      {"inv", RULE_YEAR},          {"out_value", RULE_YEAR},
                {"jobs_created", RULE_YEAR},     {"export_value", RULE_YEAR}, {"order_intake", RULE_YEAR},
                {"energy_kwh", RULE_SINCE_FIRST}};
    size_t shown = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && shown < most; i++) {
        const struct kpi *k = catalogue_find(p->site->catalogue, keys[i].kpi);
        char title[I18N_MAX];
        if (!k)
            continue;
        struct fact fact = fact_of_kpi(f, keys[i].kpi, keys[i].rule, k->money ? f->park->currency : "");
        if (fact.why == FACT_NONE || fact.why == FACT_HIDDEN || (only_known && fact.why != FACT_KNOWN))
            continue;
        i18n_fill(title, p->lang, T_KEY_YEAR, k->names.text[p->lang], NULL, NULL);
        tile_put_key(p, keys[i].rule == RULE_YEAR ? title : k->names.text[p->lang], &fact);
        shown++;
    }
}
