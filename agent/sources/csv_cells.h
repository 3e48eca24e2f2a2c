// The cells of a table of reports by series and day: what was reported of each, and what the file says now.
#ifndef ESEP_AGENT_SOURCES_CSV_CELLS_H
#define ESEP_AGENT_SOURCES_CSV_CELLS_H

#include "base/err.h"
#include "base/figure.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_CELLS_MAX 500000

enum csv_seen { CSV_NOT_SEEN, CSV_SEEN_EMPTY, CSV_SEEN_WRONG, CSV_SEEN_VALUE };

struct csv_cell {
    uint32_t series;
    int32_t day;
    bool used, has_known;
    enum csv_seen seen;
    struct figure known;  // reported before
    struct figure value;  // in the file
    int64_t published_us; // of its row; 0: the row does not say
};

struct csv_cells { // open addressing; all zero: empty
    struct csv_cell *at;
    size_t cap, count;
};

// Finds or makes. *out is valid until the next call. FULL beyond CSV_CELLS_MAX; NOMEM.
enum err csv_cells_find(struct csv_cells *c, uint32_t series, int32_t day, struct csv_cell **out) MUST_USE;
void csv_cells_free(struct csv_cells *c);

#endif
