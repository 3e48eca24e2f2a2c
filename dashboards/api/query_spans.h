// /api/v1/query with a step of the calendar. Used by query.c alone.
#ifndef ESEP_DASHBOARDS_API_QUERY_SPANS_H
#define ESEP_DASHBOARDS_API_QUERY_SPANS_H

#include "dashboards/api/api.h"
#include "dashboards/spans.h"

// Whether the request asks for spans of a calendar: a step of that name, which for a report is longer than
// its own period or asked with as_of or by.
bool query_spans_asked(struct exchange *x, const struct board_row *row, enum span_kind *kind);
void query_spans(struct site *s, struct exchange *x, const struct readers *store, struct board_row *row,
                 enum span_kind kind, bool csv);
extern const char *const query_cf_names[]; // by enum points_cf

#endif
