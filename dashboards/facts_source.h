// Where facts come from: the collector's stores, through totals.h; everything that facts.h asks for by
// callbacks.
#ifndef ESEP_DASHBOARDS_FACTS_SOURCE_H
#define ESEP_DASHBOARDS_FACTS_SOURCE_H

#include "dashboards/as_of.h"
#include "dashboards/facts.h"

struct fact_totals { // ctx of the callbacks; fact_totals_close
    struct site *site;
    const struct readers *store;
    struct as_of as_of;     // what was known by then, rates too; the rows must be of then (board_then)
    struct rate_book *book; // read when first asked for
    uint64_t points;        // measurements' points read so far: POINTS_READ_MAX for all facts together
};
// A park's facts from its rows; ctx must live as long as the source.
struct fact_source fact_totals_source(struct fact_totals *ctx, const struct park *park,
                                      const struct board *b);
void fact_totals_close(struct fact_totals *t);

enum err fact_totals_sum(void *ctx, const struct board_row *row, int32_t from, int32_t to, struct figure *sum,
                         struct fact_known *known);
enum err fact_totals_convert(void *ctx, const struct board_row *row, int32_t from, int32_t to,
                             const struct currency *currency, struct figure *sum, struct fact_known *known,
                             struct conversion *by);
enum err fact_totals_first(void *ctx, const struct board_row *row, int32_t day, struct latest *out);

#endif
