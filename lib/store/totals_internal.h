// Shared by totals*.c only.
#ifndef ESEP_STORE_TOTALS_INTERNAL_H
#define ESEP_STORE_TOTALS_INTERNAL_H

#include "store/totals.h"

struct totals_line { // a series of a resident, in the order of names: a resident's stand together
    struct ledger_series series;
    struct series_name name;
    const struct kpi *kpi; // never NULL
    const struct resident *resident;
};
struct totals_lines {
    struct totals_line *at; // owned
    size_t count, cap;
};
// resident "": all of them. kpi NULL: every KPI, else those that it is made of, and with `itself` it too.
enum err totals_lines_load(const struct totals_place *p, const char *resident, const struct kpi *kpi,
                           bool itself, struct totals_lines *out, struct diag *d) MUST_USE;
void totals_lines_free(struct totals_lines *l);

// Adds those residents' that owe a part and have never reported it: lines without a series (series_id 0).
enum err totals_lines_owed(const struct totals_place *p, const char *resident, const struct kpi *kpi,
                           struct totals_lines *lines) MUST_USE;
// Whether the line's resident owes a report of it within the span, whose period is over by until_s, and
// belonged to the park so that it counts.
bool totals_owes(const struct totals_place *p, const struct totals_line *l, const struct span *span,
                 int64_t until_s);

// Whether a total of k is made of figures of `of`.
bool totals_is_part(const struct kpi *k, const struct kpi *of);
bool totals_is_money(const struct kpi *k); // it, or any part

// The currency all lines of money are in, else the park's; NULL: no line is money.
const struct currency *totals_currency(const struct totals_place *p, const struct totals_lines *l);

// What scales the line's sum over the span to a year: missing below 20 hours. asked: the span of the
// question; the line's is a part of it where its resident joined or left within.
struct fraction totals_a_year(const struct totals_place *p, const struct ledger_series *s,
                              const struct span *asked, const struct span *span, const struct span_sum *sum,
                              int64_t until_s);
// What was planned for the span, in `to` (NULL: not money). Missing: nothing, or not for such a span, or no
// rate (book may be NULL).
struct fraction totals_planned(const struct park *park, const struct kpi *k, const char *resident,
                               const char *dimension, const struct span *span, const struct currency *to,
                               const struct rate_book *book);

#endif
