// What every page is made from: profiles and catalogue (immutable), the stores (one pair of readers per
// thread), the graph workers, the cache, the collector's answers, the counters. Threads: any, unless a call
// says otherwise.
#ifndef ESEP_DASHBOARDS_SITE_H
#define ESEP_DASHBOARDS_SITE_H

#include "base/clock.h"
#include "base/crypto.h"
#include "dashboards/access.h"
#include "dashboards/cache.h"
#include "dashboards/config.h"
#include "dashboards/exports.h"
#include "dashboards/flush.h"
#include "dashboards/metrics.h"
#include "dashboards/refusals.h"
#include "kpi/park.h"
#include "kpi/zone.h"
#include "store/observations.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

struct limiter;
struct closings;
struct plans;
struct render;
struct totals;
struct users;

struct readers { // belongs to one thread; reads for one viewer: what that one may not see is not there
    const struct viewer *viewer; // borrowed
    struct reader *reader;
    struct observations_reader *observations;
    uint64_t edition; // of the files, another one when they were replaced: part of the key of what is kept
};

struct file_id {
    dev_t device;
    ino_t inode;
};

struct site {
    const struct dashboard_config *config; // borrowed
    const struct clock *clock;             // borrowed
    struct render *render;                 // borrowed; NULL: no graphs
    struct catalogue *catalogue;
    struct parks parks;
    struct zone **zones; // of parks.parks[i]
    struct cache *cache;
    struct flush *flush;
    struct metrics *metrics;
    struct totals *totals;
    struct plans *plans;
    struct closings *closings;
    struct users *users;                       // NULL: there are none, only this machine asks
    struct limiter *limiter;                   // of logging in
    char unknown_password[PASSWORD_HASH_TEXT]; // compared with where there is no such user
    pthread_mutex_t refusals_lock;
    struct refusals refusals; // that the audit log was not told yet
    struct exports exports;   // the same; both behind refusals_lock
    sem_t hashing;            // passwords looked at at once: each takes 64 MiB
    atomic_uint hashing_waiting;
    pthread_key_t stores;
    pthread_mutex_t edition_lock;
    struct file_id ledger, observations; // that a thread has opened last
    uint64_t edition;                    // how often that were other ones
};

// Loads catalogue and profiles (control: control_call, or a test's); their errors carry file:line:column.
enum err site_open(const struct dashboard_config *c, const struct clock *clock, struct render *render,
                   flush_call control, struct site **out, struct diag *d) MUST_USE;
// After all threads that used it have ended, but for the caller's.
void site_close(struct site *s);

// This thread's readers, opened at first use, reopened when the collector's files were replaced. NOT_FOUND:
// no collector has written here yet.
enum err site_store(struct site *s, const struct viewer *v, struct readers *out, struct diag *d) MUST_USE;
const struct zone *site_zone(const struct site *s, const struct park *p);
int64_t site_now_us(const struct site *s);

#endif
