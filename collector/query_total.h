// query of a total or a computed KPI: made from the files as the dashboard makes it, nothing needs to run.
#ifndef ESEP_COLLECTOR_QUERY_TOTAL_H
#define ESEP_COLLECTOR_QUERY_TOTAL_H

#include "collector/config.h"
#include "store/observations.h"

enum query_format { QUERY_TEXT, QUERY_JSON, QUERY_CSV };

// Prints the figures of the periods that the civil days from ≤ day < to touch (from INT32_MIN: since there
// are any) with what each is made of. NOT_FOUND: there is no such total; nothing was printed.
enum err query_total(const struct collector_config *c, const char *name, struct reader *r,
                     struct observations_reader *o, int32_t from, int32_t to, enum query_format format,
                     struct diag *d) MUST_USE;

#endif
