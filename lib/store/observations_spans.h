// Where the projection says that old measurements lie, for retention. Readers, any process.
#ifndef ESEP_STORE_OBSERVATIONS_SPANS_H
#define ESEP_STORE_OBSERVATIONS_SPANS_H

#include "store/observations.h"

// The first day (UTC) ≥ from_day of which any stream has measurements. NOT_FOUND.
enum err observations_span_first_day(struct observations_reader *o, int64_t from_day, int64_t *day,
                                     struct diag *d) MUST_USE;
// The last such day. NOT_FOUND.
enum err observations_span_last_day(struct observations_reader *o, int64_t *day, struct diag *d) MUST_USE;
// Runs of sequences in which samples of days before `day` lie; ordered by stream, neighbours joined.
typedef enum err (*observations_span_visit)(void *ctx, int64_t stream_id, uint64_t first, uint64_t last);
enum err observations_spans_before(struct observations_reader *o, int64_t day, observations_span_visit visit,
                                   void *ctx, struct diag *d) MUST_USE;

#endif
