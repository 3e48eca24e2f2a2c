// Makes files of several series at once, each beside the one it will replace, from exact points: the ledger's
// rows are read once for all of them. Nothing is synced or renamed here.
#ifndef ESEP_COLLECTOR_RRD_MAKE_H
#define ESEP_COLLECTOR_RRD_MAKE_H

#include "collector/rrd_series.h"
#include "store/observations.h"

struct rrd_made {
    struct rrd_series *series; // whose info is known
    char path[RRD_PATH_MAX];   // of the file that is to be replaced
    bool begun;                // out: there is something to show, so there is a file beside
    bool written;              // out: and that file is complete
    int64_t last;              // out: its last time
    uint64_t cells;            // out: filled from roll-ups
};
struct rrd_make {
    struct observations_reader *observations;
    struct reader *reader;
    struct rrd_made *made; // measurements, or reports, of rising number
    size_t count;
    size_t points_max; // in memory, of all of them
    int64_t to_s;      // nothing is later
    int64_t rolled_s;  // up to here points are roll-ups' cells
};
// TOO_BIG: of so many series there are more; fewer, please. AGAIN:
// retention went on meanwhile. An error leaves files beside, complete ones among them.
enum err rrd_make(const struct rrd_make *m, struct diag *d) MUST_USE;
void rrd_make_beside(const struct rrd_made *made, char path[RRD_PATH_MAX + 8]);

#endif
