// The messages that are in the ledger only: control documents, what retention leaves behind, and releases
// from quarantine. esep.proto says what each member means.
#ifndef ESEP_WIRE_MESSAGE_KEPT_H
#define ESEP_WIRE_MESSAGE_KEPT_H

#include "base/figure.h"
#include "wire/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_value { WIRE_VALUE_LAST = 1, WIRE_VALUE_SUM = 2 };

struct wire_cell_sum { // exact: `whole` while all figures are integers, else high + low
    bool real;
    int64_t whole;
    double high, low;
};

struct wire_rollup_cell {
    uint32_t number; // from 1: it ends at month_s + number * cell_s
    uint32_t known, missing;
    struct wire_cell_sum sum;     // with known > 0, as what follows
    struct figure last, min, max; // missing when nothing is known
};

struct wire_rollup {
    uint64_t series;
    int64_t month_s;
    uint32_t step_s, cell_s;
    enum wire_value value;
    int64_t last_s;
    bool last_unknown;
    uint64_t last_position;
    int64_t last_received_us;
    size_t count;
    const struct wire_rollup_cell *cells; // rising number
};

struct wire_sealed_run {
    uint64_t first, last, rows;
    uint8_t before[WIRE_CHAIN_BYTES], after[WIRE_CHAIN_BYTES];
};

struct wire_sealed_stream {
    uint64_t stream, first_sequence, last_sequence, rows, accepted, quarantined;
};

struct wire_seal {
    int64_t closed_until_s, rolled_until_s, dropped_until_s;
    uint64_t rows, samples;
    uint8_t digest[WIRE_CHAIN_BYTES]; // zeros without runs
    size_t run_count, stream_count;
    const struct wire_sealed_run *runs;       // rising positions
    const struct wire_sealed_stream *streams; // rising stream
};

struct wire_control {
    const char *kind;
    const void *document;
    size_t document_len;
    uint8_t hash[32];
    const char *author;
    uint32_t part, parts;
};

struct wire_release {
    uint64_t position, stream;
    const char *author, *reason; // "" when absent
    size_t count;
    const uint32_t *indexes;
};

#endif
