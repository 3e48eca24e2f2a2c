// The whole path in one process: an agent that reads CSV files, a made-up network, a collector with its
// projections, and a clock that moves only when told. A month takes milliseconds; a seed decides every
// mishap.
#ifndef ESEP_TESTS_FLOW_H
#define ESEP_TESTS_FLOW_H

#include "tests/flow/agent_side.h"
#include "tests/flow/collector_side.h"
#include "tests/support/folder.h"

#define FLOW_START_US (INT64_C(1767225600) * US_PER_S) // 2026-01-01T00:00:00Z
#define FLOW_DAY_S    86400

struct flow {
    struct test_folder folder;
    char config_path[TEST_PATH], state_path[TEST_PATH];
    struct fake_clock clock;
    struct network network;
    struct agent_side agent;
    struct collector_side collector;
    int64_t connect_at_us; // monotonic; 0: connected
};

// machines.csv (time,pieces,kwh at 10 s) and reports.csv (month,staff,invested) are read each minute.
void flow_open(struct flow *f, uint64_t seed, struct weather w);
void flow_close(struct flow *f);
void flow_run(struct flow *f, int64_t seconds);
// Runs until all that the files hold is acknowledged and projected; fails after a day of the fake clock.
void flow_settle(struct flow *f);
void flow_cut_connection(struct flow *f);
void flow_restart_agent(struct flow *f);
void flow_restart_collector(struct flow *f);
// Appends to a file of the enterprise, in one write.
void flow_append_text(struct flow *f, const char *file, const char *text, size_t len);
void flow_append(struct flow *f, const char *file, const char *fmt, ...) PRINTF(3, 4);

#endif
