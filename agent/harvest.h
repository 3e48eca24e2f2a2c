// What one run of a source has brought: figures, the positions that go with them, and what could not be used.
// Grows as needed up to its bounds; reset keeps nothing, so that an idle agent holds no memory for it.
// Threads: one at a time.
#ifndef ESEP_AGENT_HARVEST_H
#define ESEP_AGENT_HARVEST_H

#include "agent/config.h"
#include "base/buf.h"
#include "base/figure.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HARVEST_MESSAGES_MAX 4096 // bytes of error texts kept: the first ones, the rest is counted

struct harvest_sample {
    uint32_t series; // index into the source's series
    int64_t time;    // as struct wire_sample
    struct figure value;
    const char *reason;   // static text of a figure that is missing; NULL otherwise
    int64_t published_us; // of a report, when its source says; else 0
};

struct harvest_position {
    char *key; // owned, in one allocation with bytes
    uint8_t *bytes;
    size_t len; // 0: forget the key
};

struct harvest {
    struct harvest_sample *samples;
    size_t count, cap;
    struct harvest_position *positions;
    size_t position_count, position_cap;
    uint64_t errors;     // rows, lines or runs that gave no sample
    uint64_t skipped;    // rows left out knowingly: already reported
    struct buf messages; // one line each
    bool more;
};

void harvest_init(struct harvest *h);
void harvest_deinit(struct harvest *h);
void harvest_reset(struct harvest *h);
// Checks what the collector would check (step, first day of the period, before 1900) and appends; what does
// not pass is an error named by `where`. NOMEM.
enum err harvest_add(struct harvest *h, const struct agent_series *s, const struct harvest_sample *sample,
                     const char *where) MUST_USE;
enum err harvest_position(struct harvest *h, const char *key, const void *bytes, size_t len) MUST_USE;
bool harvest_is_utf8(const char *text);
// Counts an error and keeps its text while there is room.
void harvest_error(struct harvest *h, const char *fmt, ...) PRINTF(2, 3);
// The first error's text, "" when there was none; out is made printable.
void harvest_first_error(const struct harvest *h, char *out, size_t out_size);

#endif
