// The running collector: its parts, its threads and how they start and stop. Threads meet at queues and
// cursors only; everything else here is set before they start.
#ifndef ESEP_COLLECTOR_SERVICE_H
#define ESEP_COLLECTOR_SERVICE_H

#include "collector/committer.h"
#include "collector/config.h"
#include "collector/cursor.h"
#include "collector/ingest.h"
#include "collector/rrd_writer.h"
#include "kpi/park.h"
#include "net/zap.h"
#include <pthread.h>
#include <stdatomic.h>

#define SERVICE_THREADS 8

struct duties;

struct service {
    const struct collector_config *config; // borrowed
    const struct clock *clock;
    struct counters counters;
    struct catalogue *catalogue;
    struct parks parks;
    int lock_fd;

    struct ledger *ledger; // the committer's thread, once it runs
    struct admission *admission;
    struct audit_tally *tally;
    struct duties *duties;                  // the observer makes them, ingest hands them out
    uint64_t handshakes_noted[MQ_FAILURES]; // failed ones, by the ingest thread
    struct queue *to_committer, *to_ingest, *to_observer, *to_rrd, *to_control, *to_retention, *to_door,
        *to_rates;
    struct cursor *committed, *rrd_landed, *observed;
    _Atomic uint64_t rrd_asked; // somebody waits until the files have come so far

    struct mq *mq;
    struct zap *zap;
    struct mq_socket *router; // the ingest thread's
    struct mq_socket *next;   // the same with the collector's next key; NULL: there is none
    struct ingest_next next_key;
    struct mq_socket *reply; // the control thread's

    // Set by who stops or fails; read by everybody.
    _Atomic bool stop_ingest, stop_projections, stop_control, stop_door, failed;
    pthread_t threads[SERVICE_THREADS];
    int thread_count;
};

// State folder, lock, ledger, keys, then ZAP, then the socket; then the threads. The config must outlive the
// service.
enum err service_start(const struct collector_config *config, const struct clock *clock, struct service **out,
                       struct diag *d) MUST_USE;
// False when a part has failed (it has said so in the log): stop and exit 1.
bool service_healthy(struct service *s);
// In the order that loses nothing: ingest, committer, projections. Frees everything.
void service_stop(struct service *s);

// For the threads. Logs, and makes service_healthy false.
void service_fail(struct service *s, const char *thread, enum err e, const char *text);
void *ingest_thread(void *service);
void *committer_thread(void *service);
void *observer_thread(void *service);
void *rrd_thread(void *service);
void *control_thread(void *service);
void *retention_thread(void *service);
void *door_thread(void *service);
void *rates_thread(void *service);

#define COLLECTOR_ITEMS_MAX       65536 // messages with the committer at a time
#define COLLECTOR_CONNECTIONS_MAX 16384
#define COLLECTOR_LAND_MAX_S      20 // projections may take so long at a stop

#endif
