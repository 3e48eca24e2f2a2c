// Graphs drawn by single-threaded worker processes, because librrd 1.7 draws through one Pango font map. A
// small server process is forked before any thread exists and forks the workers, so that they can be replaced
// later: a worker that hangs or dies at once, and each after a number of graphs (librrd leaks). This is the
// calling side.
#ifndef ESEP_DASHBOARDS_RENDER_H
#define ESEP_DASHBOARDS_RENDER_H

#include "kpi/path.h"
#include "store/rrd_graph.h"
#include "store/rrd_plan.h"
#include <stdbool.h>
#include <sys/types.h>

#define RENDER_TEXT_MAX  256
#define RENDER_WORD_MAX  32
#define RENDER_IMAGE_MAX (12u << 20)

#define RENDER_POINTS_MAX  20000
#define RENDER_POINT_BYTES 12

struct render_job { // validated figures and plain texts; the worker makes the path from the id
    int64_t series_id;
    enum rrd_graph_format format;
    int64_t from, to;
    int32_t width, height;
    double scale, target;
    bool filled, has_target, from_zero, dark, bare;
    uint16_t plan_count; // with has_target: points of the planned path, in drawn units, instead of target
    struct rrd_plan_point plan[PATH_POINTS_MAX];
    bool vintage, by_published; // a report as it was known (published) by as_of_us; 0: by now
    int64_t as_of_us;
    int64_t rates_position; // with a currency: of the newest rates, so that other rates are another picture
    char currency[4], park_currency[4]; // "": as reported; else a report's vintage in that currency
    bool flow;                          // as kpi/convert.h wants it
    bool computed;                      // a total: drawn from the points, there is no series_id
    uint8_t period;                     // of a total: enum period_kind
    size_t point_count;                 // at most RENDER_POINTS_MAX, rising
    const uint8_t *points;              // borrowed, as render_message.h writes them
    char title[RENDER_TEXT_MAX], unit[RENDER_TEXT_MAX], legend[RENDER_TEXT_MAX],
        target_legend[RENDER_TEXT_MAX], note[RENDER_TEXT_MAX], time_zone[RENDER_TEXT_MAX];
    char magnitudes[3][RENDER_WORD_MAX]; // thousand, million, billion in the image's language
};

typedef enum err (*render_drawing)(const struct rrd_graph *g, struct buf *out, struct diag *d);
struct render_options {
    const char *state;   // the collector's, borrowed
    const char *scratch; // where a folder for the workers' temporary files is made, borrowed
    unsigned workers;
    unsigned recycle_after; // graphs; 0: 500
    int timeout_ms;         // of one graph; 0: 5000
    int busy_ms;            // longest wait for a free worker; 0: 3000
    render_drawing draw;    // NULL: rrd_graph_draw
};

struct render;
// Forks: call it while the process has one thread. The workers warm up in the background.
enum err render_start(const struct render_options *o, struct render **out, struct diag *d) MUST_USE;
// Ends and reaps every process. NULL is allowed.
void render_stop(struct render *r);

// *bytes is malloc'ed. AGAIN: no worker was free in time; TIMEOUT: drawing hung, twice; CLOSED: workers died,
// twice, or the server process has gone; else the worker's own answer. Threads: any.
enum err render_draw(struct render *r, const struct render_job *job, char **bytes, size_t *len,
                     struct diag *d) MUST_USE;

// Whether the server process still lives; false means no worker can be replaced any more: end and be started
// anew.
bool render_alive(struct render *r);

struct render_stats {
    uint64_t drawn, failed, hung, died, recycled, busy;
    unsigned workers;
};
struct render_stats render_stats(struct render *r);
// Process ids of the workers in use now, for tests and logs; returns how many.
unsigned render_pids(struct render *r, pid_t *pids, unsigned max);

#endif
