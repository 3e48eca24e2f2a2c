// What `esep-agent status` shows of a source and of the connection, as the running agent leaves it in the
// spool's positions (JSON texts), and as the command reads it.
#ifndef ESEP_AGENT_STATUS_H
#define ESEP_AGENT_STATUS_H

#include "agent/spool_reader.h"
#include "agent/uplink_core.h"
#include <stdio.h>

#define STATUS_KEY      "status" // of a source
#define STATUS_LINK_KEY "link"   // of the source ""
#define STATUS_TEXT_MAX 2048

struct source_status {
    int64_t last_run_us; // 0: never
    int64_t last_error_us;
    uint64_t errors;  // rows, lines and runs that gave no sample
    uint64_t missed;  // ticks
    uint64_t skipped; // rows left out knowingly
    char last_error[480];
};

// Length without the NUL; 0 when it can't be encoded.
size_t status_encode_source(const struct source_status *s, char out[STATUS_TEXT_MAX]);
enum err status_decode_source(const void *text, size_t len, struct source_status *out) MUST_USE; // INVALID
size_t status_encode_link(const struct uplink_link *l, char out[STATUS_TEXT_MAX]);
enum err status_decode_link(const void *text, size_t len, struct uplink_link *out) MUST_USE; // INVALID

// Prints the whole status, as text or as one JSON object. Errors as spool_reader_open.
enum err status_print(const struct agent_config *config, bool json, FILE *out, struct diag *d) MUST_USE;

#endif
