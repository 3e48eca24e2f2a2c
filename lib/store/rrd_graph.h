// Graphs through rrd_graph_v: only in a single-threaded process (librrd 1.7 draws through one Pango font
// map). Every text is escaped here; nothing outside can write a DEF, a path or a format.
#ifndef ESEP_STORE_RRD_GRAPH_H
#define ESEP_STORE_RRD_GRAPH_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

enum rrd_graph_format { RRD_GRAPH_PNG, RRD_GRAPH_SVG, RRD_GRAPH_PDF };

struct rrd_graph {
    enum rrd_graph_format format;
    const char *path; // the series' file
    int64_t from, to;
    int width, height; // of the canvas, 100..4000 × 40..2000
    const char *title;
    const char *unit; // vertical label
    const char *legend;
    double scale; // drawn = stored × scale (0.01 for money in minor units)
    bool filled;  // area with a line: flows; a plain line: levels
    bool has_target;
    double target;    // in drawn units
    const char *plan; // instead of it: a file of rrd_plan_write, in drawn units; NULL or "": none
    const char *target_legend;
    bool from_zero;      // the axis begins at 0 at the latest: for what is never negative
    const char *summary; // exact figures as text, printed under the legend; "" or NULL for none
    const char *note;    // e.g. "simulated", "" for none; printed under the summary
    // Words for 10^3, 10^6, 10^9 that the vertical label gets when the axis leaves that many zeros out:
    // "million". NULL or "": English.
    const char *magnitudes[3];
    bool dark;             // light lines on a dark ground
    bool bare;             // neither title nor legend: the page around it says both
    const char *time_zone; // tzdata name the axis is labelled in; "UTC" for reports
};
// The image appended to out; sets TZ of the process. AGAIN: locked by the writer for 2 s. NOT_FOUND, CORRUPT,
// INVALID.
enum err rrd_graph_draw(const struct rrd_graph *g, struct buf *out, struct diag *d) MUST_USE;

#endif
