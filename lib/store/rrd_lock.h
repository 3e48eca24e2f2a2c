// Shared by rrd.c and rrd_graph.c only: librrd's locks do not block, so a locked file is tried again.
#ifndef ESEP_STORE_RRD_LOCK_H
#define ESEP_STORE_RRD_LOCK_H

#include <stdbool.h>

#define RRD_LOCK_TRIES 2000   // of 1 ms
bool rrd_error_is_lock(void); // of librrd's last error
void rrd_lock_wait(void);

#endif
