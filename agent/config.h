// agent.yaml: what to ask which source for, and where to send it. Loaded and checked once; immutable
// afterwards.
#ifndef ESEP_AGENT_CONFIG_H
#define ESEP_AGENT_CONFIG_H

#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include "wire/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENT_CONFIG_DEFAULT  "/etc/esep/agent.yaml"
#define AGENT_SOURCES_MAX     256
#define AGENT_SERIES_MAX      4096 // of all sources together
#define AGENT_SOURCE_NAME_MAX 63

enum agent_source_kind { AGENT_SOURCE_CSV, AGENT_SOURCE_EXEC, AGENT_SOURCE_HAND };
const char *agent_source_kind_name(enum agent_source_kind k); // "csv" "exec" "hand"

struct agent_series {
    const char *name; // exec: what the program prints; csv: the column's header; hand: declared
    char declared[WIRE_SERIES_MAX + 1]; // "kpi" or "kpi/dimension"
    const char *unit;
    const char *currency;         // "" when the unit is not money
    const struct currency *money; // NULL when the unit is not money
    enum wire_class class;
    uint32_t step_s; // measurements
    bool counter;    // measurements: the source shows a total that only rises; what is sent is its rise
    int64_t wrap;    // of a counter: it goes on from 0 after this many; 0: it never does
    enum period_kind period; // reports
};

struct agent_source {
    const char *name;
    enum agent_source_kind kind;
    enum wire_class class;
    int64_t every_s;
    int64_t timeout_ms;           // exec
    const char **argv;            // exec; ends with NULL
    const char *path;             // csv
    char separator;               // csv
    char decimal;                 // csv: '.' or ','
    const char *encoding;         // csv: an iconv name; NULL: UTF-8
    const char *time_column;      // csv; "" is the column without a header
    const char *published_column; // csv of reports: when each row was published; NULL: it does not say
    bool releases;                // csv of reports: the path stands for a folder of releases
    bool whole;                   // csv of reports: what the file does not have is gone
    size_t series_count;
    const struct agent_series *series;
};

struct agent_config {
    const char *file; // where it was loaded from
    const char *endpoint;
    uint8_t collector_key[KEY_BYTES];
    const char *state; // folder
    enum log_level log_level;
    uint64_t spool_max_bytes;
    int64_t spool_max_age_us;
    size_t source_count;
    const struct agent_source *sources;
    size_t series_count; // of all sources
};

// NOT_FOUND; INVALID with file:line:column: path: what must be there instead.
enum err agent_config_load(const char *path, struct agent_config **out, struct diag *d) MUST_USE;
void agent_config_free(struct agent_config *c);

#endif
