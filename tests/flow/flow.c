// The loop does what the threads and sockets do, one thing after the other: whoever has the next thing to do
// decides how far the clock is moved.
#include "tests/flow/flow.h"
#include "base/log.h"
#include "tests/support/cmocka.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HANDSHAKE_US    (20 * US_PER_MS)
#define LONGEST_STEP_US (30 * US_PER_S)

void flow_append_text(struct flow *f, const char *file, const char *text, size_t len)
{
    char path[TEST_PATH];
    test_folder_path(&f->folder, file, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    close(fd);
}

void flow_append(struct flow *f, const char *file, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    assert_true(len > 0 && len < (int)sizeof text);
    flow_append_text(f, file, text, (size_t)len);
}

static void write_config(struct flow *f)
{
    char key[KEY_TEXT];
    crypto_key_text(f->collector.agent_key, key); // any key: nothing is encrypted here
    const char *dir = f->folder.path;
    flow_append(f, "agent.yaml",
                "collector:\n  endpoint: tcp://127.0.0.1:1\n  key: \"%s\"\nstate: %s/agent\nsources:\n", key,
                dir);
    flow_append(f, "agent.yaml",
                "  - name: machines\n    kind: csv\n    path: %s/machines.csv\n    every: 60s\n    class: "
                "measurement\n"
                "    time_column: time\n    series:\n"
                "      - {column: pieces, kpi: out_units, dimension: pumps, unit: piece, step: 10s}\n"
                "      - {column: kwh, kpi: energy_kwh, unit: kwh, step: 10s}\n",
                dir);
    flow_append(
        f, "agent.yaml",
        "  - name: reports\n    kind: csv\n    path: %s/reports.csv\n    every: 60s\n    class: report\n"
        "    time_column: month\n    series:\n"
        "      - {column: staff, kpi: jobs_total, unit: person, period: month}\n"
        "      - {column: invested, kpi: inv, unit: money, currency: KZT, period: month}\n",
        dir);
    flow_append(f, "machines.csv", "time,pieces,kwh\n");
    flow_append(f, "reports.csv", "month,staff,invested\n");
}

void flow_open(struct flow *f, uint64_t seed, struct weather w)
{
    char agent_state[TEST_PATH];
    *f = (struct flow){.connect_at_us = 1};
    assert_int_equal(crypto_init(), ERR_OK);
    log_set_level(LOG_ERROR);          // bad weather is on purpose
    if (access("/dev/shm", W_OK) == 0) // thousands of syncs: their order matters here, not their disk
        assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
    assert_int_equal(test_folder_make(&f->folder), 0);
    test_folder_path(&f->folder, "agent.yaml", f->config_path);
    test_folder_path(&f->folder, "collector", f->state_path);
    assert_int_equal(mkdir(f->state_path, 0700), 0);
    test_folder_path(&f->folder, "agent", agent_state);
    assert_int_equal(mkdir(agent_state, 0700), 0);
    fake_clock_init(&f->clock, FLOW_START_US);
    network_init(&f->network, &f->clock, seed, w);
    for (size_t i = 0; i < KEY_BYTES; i++)
        f->collector.agent_key[i] = (uint8_t)(i + seed);
    write_config(f);
    f->collector.state = f->state_path;
    f->collector.clock = f->agent.clock = &f->clock.clock;
    f->collector.network = f->agent.network = &f->network;
    f->agent.config_path = f->config_path;
    f->agent.random.state = seed + 1;
    collector_side_open(&f->collector);
    agent_side_open(&f->agent);
}

void flow_close(struct flow *f)
{
    agent_side_close(&f->agent);
    collector_side_close(&f->collector);
    network_deinit(&f->network);
    (void)test_folder_remove(&f->folder);
}

static void connect_when_due(struct flow *f)
{
    if (f->agent.disconnected) {
        f->agent.disconnected = false;
        f->connect_at_us = f->clock.mono_us + HANDSHAKE_US;
    }
    if (f->connect_at_us != 0 && f->clock.mono_us >= f->connect_at_us) {
        f->connect_at_us = 0;
        agent_side_connect(&f->agent);
    }
}

static void deliver(struct flow *f)
{
    struct packet p;
    while (network_take(&f->network, &p)) {
        if (p.connection == f->network.connection && f->connect_at_us == 0) {
            if (p.direction == TO_COLLECTOR)
                collector_side_receive(&f->collector, &p);
            else
                agent_side_receive(&f->agent, &p);
        }
        free(p.bytes);
    }
}

static int64_t step(struct flow *f)
{
    connect_when_due(f);
    agent_side_step(&f->agent);
    deliver(f);
    collector_side_step(&f->collector);
    deliver(f);
    int64_t wait_us = LONGEST_STEP_US, network_us = network_wait_us(&f->network);
    int agent_ms = agent_side_wait_ms(&f->agent);
    if (agent_ms >= 0 && agent_ms * US_PER_MS < wait_us)
        wait_us = agent_ms * US_PER_MS;
    if (network_us < wait_us)
        wait_us = network_us;
    if (f->connect_at_us != 0 && f->connect_at_us - f->clock.mono_us < wait_us)
        wait_us = f->connect_at_us - f->clock.mono_us;
    return wait_us > US_PER_MS ? wait_us : US_PER_MS;
}

void flow_run(struct flow *f, int64_t seconds)
{
    int64_t until = f->clock.mono_us + seconds * US_PER_S;
    while (f->clock.mono_us < until) {
        int64_t wait_us = step(f);
        int64_t left = until - f->clock.mono_us;
        fake_clock_advance_us(&f->clock, wait_us < left ? wait_us : left);
    }
}

void flow_settle(struct flow *f)
{
    flow_run(f, 61); // each source is asked at least once
    for (int i = 0; !agent_side_done(&f->agent); i++) {
        assert_true(i < FLOW_DAY_S);
        flow_run(f, 1);
    }
    collector_side_project(&f->collector);
}

void flow_cut_connection(struct flow *f)
{
    network_cut(&f->network);
    uplink_core_disconnected(f->agent.uplink);
    f->connect_at_us = f->clock.mono_us + HANDSHAKE_US;
}

void flow_restart_agent(struct flow *f)
{
    agent_side_close(&f->agent);
    network_cut(&f->network);
    agent_side_open(&f->agent);
    f->connect_at_us = f->clock.mono_us + HANDSHAKE_US;
}

void flow_restart_collector(struct flow *f)
{
    collector_side_close(&f->collector);
    collector_side_open(&f->collector);
    flow_cut_connection(f);
}
