// The markup of a report by hand: the form with what is wrong beside its field, what was understood, the
// latest periods. report.c decides what is shown.
#ifndef ESEP_DASHBOARDS_PAGES_REPORT_FORM_H
#define ESEP_DASHBOARDS_PAGES_REPORT_FORM_H

#include "dashboards/desk.h"
#include "dashboards/pages/page.h"

struct report_form {
    struct page p;
    struct desk_entry w;
    struct desk_reading r;
    char period[PERIOD_TEXT]; // as the form shows it first
    char request[2 * 16 + 1]; // names this report: sent twice, it is stored once
    bool tried;               // something was sent: what is wrong with it is said
    enum desk_field wrong;    // where; DESK_FINE: nowhere
    const char *refused;      // in the collector's words; NULL: in ours
    bool meanwhile;           // the period has another figure than the one that was seen
};

// "2026-03" for a series that is reported by month.
void report_example(const struct desk_reading *r, char out[PERIOD_TEXT]);
void report_put_head(struct report_form *f);
void report_put_form(struct report_form *f);
void report_put_preview(struct report_form *f);
// Says that the period has that revision now; 0: that it is stored and its revision not known yet. Not the
// ledger's position: it would tell what others do.
void report_put_stored(struct report_form *f, uint32_t revision);
void report_put_latest(struct report_form *f);

#endif
