// The RRD writer over the bench's ledger, with an observer that runs when told. Files are read back through
// librrd.
#ifndef ESEP_TESTS_RRD_RIG_H
#define ESEP_TESTS_RRD_RIG_H

#include "collector/rrd_state.h"
#include "tests/support/collector_bench.h"

struct rig {
    struct bench *b;
    struct reader *reader;
    struct observations *observer;
    struct observations_reader *observed;
    struct rrd_writer *writer;
    uint64_t sequence;
};

#define T0    BENCH_NOW_S
#define TODAY 20454 // 2026-01-01

// Declares number 0 out_units/lifts and 3 out_units/pumps (10 s; series ids 1 and 4), 1 jobs_total and 2 inv
// (months; 2 and 3).
int rig_setup(void **state);
int rig_teardown(void **state);
enum err rig_open_writer(struct rig *r);
void rig_restart(struct rig *r, bool clean); // the writer alone

void rig_observe(struct rig *r);
size_t rig_step(struct rig *r);
// Until there is nothing left to do, waiting out the pauses between rebuilds.
void rig_settle(struct rig *r);
void rig_put(struct rig *r, enum wire_class class, const struct wire_sample *s, size_t count);
void rig_put_one(struct rig *r, uint32_t number, int64_t time, int64_t value);
void rig_put_missing(struct rig *r, uint32_t number, int64_t time);
void rig_file(struct rig *r, int64_t series_id, char path[RRD_PATH_MAX]);
double rig_shown(struct rig *r, int64_t series_id, uint32_t step_s, int64_t time);
uint64_t rig_counted(const struct rig *r, enum collector_counter id);
int64_t rig_gauge(const struct rig *r, enum collector_gauge id);

// Six values of series 1 from T0 on, landed; and that they are all shown.
void rig_fill(struct rig *r);
void rig_check_filled(struct rig *r);

#define assert_shows(r, time, v)      assert_true(rig_shown(r, 1, 10, time) == (double)(v))
#define assert_unknown(r, time)       assert_true(isnan(rig_shown(r, 1, 10, time)))
#define day_end(day)                  (((int64_t)(day) + 1) * 86400)
#define assert_shows_day(r, id, d, v) assert_true(rig_shown(r, id, 86400, day_end(d)) == (double)(v))

#endif
