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
    double target; // in drawn units
    const char *target_legend;
    const char *note;      // e.g. "simulated", "" for none; printed under the legend
    const char *time_zone; // tzdata name the axis is labelled in; "UTC" for reports
};
// The image appended to out. NOT_FOUND, CORRUPT, INVALID.
enum err rrd_graph_draw(const struct rrd_graph *g, struct buf *out, struct diag *d) MUST_USE;

#endif
