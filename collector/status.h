// The collector's state as JSON, for the control socket, `status` and /metrics; of a running collector or,
// without the live parts, of a stopped one's files.
#ifndef ESEP_COLLECTOR_STATUS_H
#define ESEP_COLLECTOR_STATUS_H

#include "base/buf.h"
#include "collector/counters.h"
#include "collector/item.h"
#include "store/reader.h"
#include <jansson.h>

struct status_input {
    const char *state; // "running" "low-space" "no-space" "not running"
    struct reader *reader;
    const struct counters *counters;
    const struct snapshot *snapshot; // NULL: nothing runs, or ingest did not answer
    uint64_t rrd, observations;      // positions
    int64_t now_us;                  // for the age of what they have not read yet
};
// *out: a new reference. The keys are listed in README.md.
enum err collector_status_json(const struct status_input *in, json_t **out, struct diag *d) MUST_USE;
// The table that a person reads, from the same JSON.
void collector_status_print(const json_t *status, struct buf *out);

#endif
