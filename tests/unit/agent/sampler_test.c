#include "agent/sampler.h"
#include "agent/status.h"
#include "tests/support/spool_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

// A sampler over a real spool, with files to read and programs to run, and a clock that moves only when told.
struct fixture {
    struct spool_bench *bench;
    struct sampler *sampler;
    char log_path[TEST_PATH], table_path[TEST_PATH], script[2][TEST_PATH];
    const char *argv[2][2];
    struct agent_series series[8];
    struct agent_source sources[4];
    struct agent_config config;
    unsigned changes;
};

static void on_change(void *ctx)
{
    ((struct fixture *)ctx)->changes++;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *bench = NULL;
    assert_non_null(f);
    assert_int_equal(spool_bench_setup(&bench), 0);
    f->bench = bench;
    test_folder_path(&f->bench->folder, "log.csv", f->log_path);
    test_folder_path(&f->bench->folder, "table.csv", f->table_path);
    test_folder_path(&f->bench->folder, "one.sh", f->script[0]);
    test_folder_path(&f->bench->folder, "two.sh", f->script[1]);
    f->config = (struct agent_config){.file = "agent.yaml",
                                      .endpoint = "tcp://127.0.0.1:1",
                                      .state = f->bench->folder.path,
                                      .spool_max_bytes = f->bench->options.max_bytes,
                                      .sources = f->sources};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *bench = f->bench;
    sampler_destroy(f->sampler);
    int rc = spool_bench_teardown(&bench);
    free(f);
    return rc;
}

static struct agent_series *series(struct fixture *f, size_t i, const char *name, enum wire_class class)
{
    f->series[i] = (struct agent_series){.name = name,
                                         .unit = "piece",
                                         .currency = "",
                                         .class = class,
                                         .step_s = class == WIRE_MEASUREMENT ? 10 : 0,
                                         .period = class == WIRE_MEASUREMENT ? PERIOD_NONE : PERIOD_DAY};
    snprintf(f->series[i].declared, sizeof f->series[i].declared, "%s", name);
    return &f->series[i];
}

static struct agent_source *add_source(struct fixture *f, const char *name, enum agent_source_kind kind,
                                       enum wire_class class, struct agent_series *of)
{
    struct agent_source *s = &f->sources[f->config.source_count++];
    *s = (struct agent_source){.name = name,
                               .kind = kind,
                               .class = class,
                               .every_s = 10,
                               .timeout_ms = 10000,
                               .separator = ',',
                               .decimal = '.',
                               .time_column = "time",
                               .series = of,
                               .series_count = 1};
    return s;
}

static void add_exec(struct fixture *f, size_t i, const char *name, const char *body)
{
    FILE *out = fopen(f->script[i], "w");
    fprintf(out, "#!/bin/sh\n%s", body);
    fclose(out);
    assert_int_equal(chmod(f->script[i], 0755), 0);
    f->argv[i][0] = f->script[i];
    add_source(f, name, AGENT_SOURCE_EXEC, WIRE_MEASUREMENT, series(f, i, name, WIRE_MEASUREMENT))->argv =
        f->argv[i];
}

static void add_log(struct fixture *f)
{
    add_source(f, "log", AGENT_SOURCE_CSV, WIRE_MEASUREMENT, series(f, 4, "kwh", WIRE_MEASUREMENT))->path =
        f->log_path;
}

static void add_table(struct fixture *f)
{
    add_source(f, "table", AGENT_SOURCE_CSV, WIRE_REPORT, series(f, 5, "staff", WIRE_REPORT))->path =
        f->table_path;
}

static void write_log(struct fixture *f, int64_t rows)
{
    FILE *out = fopen(f->log_path, "w");
    fprintf(out, "time,kwh\n");
    for (int64_t i = 0; i < rows; i++)
        fprintf(out, "%lld,%lld\n", (long long)(i * 10), (long long)i);
    fclose(out);
}

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
}

static void open_sampler(struct fixture *f)
{
    const struct sampler_options o = {.config = &f->config,
                                      .clock = &f->bench->clock.clock,
                                      .spool = f->bench->spool,
                                      .changed = on_change,
                                      .ctx = f};
    sampler_destroy(f->sampler);
    f->sampler = NULL;
    if (sampler_create(&o, &f->sampler, &f->bench->diag) != ERR_OK)
        fail_msg("%s", f->bench->diag.text);
}

static void reopen(struct fixture *f)
{
    sampler_destroy(f->sampler);
    f->sampler = NULL;
    spool_bench_close(f->bench);
    spool_bench_open(f->bench);
    open_sampler(f);
}

// Steps until no program runs any more.
static void step(struct fixture *f)
{
    struct pollfd fds[16];
    do {
        if (sampler_step(f->sampler, &f->bench->diag) != ERR_OK)
            fail_msg("%s", f->bench->diag.text);
        int n = sampler_fds(f->sampler, fds, 16);
        if (n == 0)
            return;
        (void)poll(fds, (nfds_t)n, 1);
    } while (true);
}

static void step_until_idle(struct fixture *f)
{
    uint64_t before;
    do {
        before = spool_peek(f->bench->spool)->last_written;
        step(f);
    } while (spool_peek(f->bench->spool)->last_written != before);
}

static void pass(struct fixture *f, int64_t seconds)
{
    fake_clock_advance_us(&f->bench->clock, seconds * US_PER_S);
    step(f);
}

static const struct wire_counters *counters(const struct fixture *f)
{
    spool_bench_expect_balance(f->bench);
    return &spool_peek(f->bench->spool)->counters;
}

static struct source_status status_of(struct fixture *f, const char *source)
{
    char text[STATUS_TEXT_MAX];
    size_t len = 0;
    struct source_status s = {0};
    if (spool_reader_position(f->bench->reader, source, STATUS_KEY, text, sizeof text, &len) == ERR_OK)
        assert_int_equal(status_decode_source(text, len, &s), ERR_OK);
    return s;
}

// ----

static void the_sources_of_a_tick_become_one_batch_a_class(void **state)
{
    struct fixture *f = *state;
    add_exec(f, 0, "one", "echo one 1\n");
    add_exec(f, 1, "two", "sleep 0.1\necho two 2\n");
    add_log(f);
    add_table(f);
    write_log(f, 3);
    put(f->table_path, "time,staff\n2026-01-01,7\n");
    open_sampler(f);
    step(f); // the files at once, the programs at the next tick
    assert_int_equal(spool_peek(f->bench->spool)->last_written, 2);
    assert_int_equal(spool_bench_message(f->bench, 1).batch.class, WIRE_MEASUREMENT);
    assert_int_equal(spool_bench_message(f->bench, 1).batch.count, 3);
    assert_int_equal(spool_bench_message(f->bench, 2).batch.class, WIRE_REPORT);
    pass(f, 10);
    assert_int_equal(spool_peek(f->bench->spool)->last_written, 3);
    struct wire_batch b = spool_bench_message(f->bench, 3).batch;
    assert_int_equal(b.count, 2);
    assert_int_equal(b.samples[0].time, SPOOL_BENCH_NOW_S + 10);
    assert_int_equal(b.samples[1].time, SPOOL_BENCH_NOW_S + 10);
    assert_int_equal(b.declares, 2);
    assert_int_equal(counters(f)->sampled, 6);
    assert_true(f->changes >= 2);
}

static void a_program_runs_once_a_tick_whatever_the_clock_does(void **state)
{
    struct fixture *f = *state;
    add_exec(f, 0, "one", "echo one 1\n");
    open_sampler(f);
    pass(f, 10);
    assert_int_equal(counters(f)->sampled, 1);
    pass(f, 5);
    assert_int_equal(counters(f)->sampled, 1);
    fake_clock_step_us(&f->bench->clock, -10 * US_PER_S);
    step(f);
    pass(f, 5);
    assert_int_equal(counters(f)->sampled, 1);
    reopen(f); // a restart forgets nothing
    step(f);
    assert_int_equal(counters(f)->sampled, 1);
    pass(f, 10);
    assert_int_equal(counters(f)->sampled, 2);
    fake_clock_step_us(&f->bench->clock, 100 * US_PER_S);
    step(f);
    assert_int_equal(counters(f)->sampled, 3);
    assert_true(status_of(f, "one").missed >= 9);
}

static void a_late_source_does_not_keep_its_tick_open_longer_than_its_timeout(void **state)
{
    struct fixture *f = *state;
    add_exec(f, 0, "one", "echo one 1\n");
    add_exec(f, 1, "two", "sleep 1000\n");
    f->sources[1].timeout_ms = 5000;
    open_sampler(f);
    fake_clock_advance_us(&f->bench->clock, 10 * US_PER_S);
    for (int i = 0; i < 100; i++)
        assert_int_equal(sampler_step(f->sampler, &f->bench->diag), ERR_OK);
    assert_int_equal(counters(f)->sampled, 0);
    assert_true(sampler_wait_ms(f->sampler) <= 5001);
    fake_clock_advance_us(&f->bench->clock, 5 * US_PER_S);
    step(f);
    assert_int_equal(counters(f)->sampled, 1);
    assert_int_equal(counters(f)->source_errors, 1);
    struct source_status s = status_of(f, "two");
    assert_int_equal(s.errors, 1);
    assert_non_null(strstr(s.last_error, "no end within 5000 ms"));
    assert_int_equal(s.last_run_us, clock_wall(&f->bench->clock.clock).us);
}

static void a_history_comes_in_bounded_transactions_between_ticks(void **state)
{
    struct fixture *f = *state;
    add_exec(f, 0, "one", "echo one 1\n");
    add_log(f);
    write_log(f, 50000);
    open_sampler(f);
    step(f);
    uint64_t first = counters(f)->sampled;
    assert_in_range(first, 8000, 20000);
    pass(f, 10); // a tick is due: it comes before more of the history
    assert_in_range(counters(f)->sampled, first + 1, first + 20000);
    step_until_idle(f);
    assert_int_equal(counters(f)->sampled, 50001);
    assert_int_equal(counters(f)->spooled, 50001);
    step_until_idle(f);
    assert_int_equal(counters(f)->sampled, 50001);
    // oldest first
    assert_int_equal(spool_bench_message(f->bench, 1).batch.samples[0].time, 0);
}

static void a_history_waits_while_half_the_quota_is_unsent(void **state)
{
    struct fixture *f = *state;
    add_log(f);
    write_log(f, 300000);
    f->config.spool_max_bytes = 200000;
    open_sampler(f);
    for (int i = 0; i < 100; i++)
        step(f);
    assert_true(counters(f)->sampled < 300000);
    assert_int_equal(counters(f)->gaps, 0);
    uint64_t before = counters(f)->sampled;
    pass(f, 10);
    assert_int_equal(counters(f)->sampled, before);
    const struct sampler_request ack = {.type = SAMPLER_ACKNOWLEDGE,
                                        .sequence = spool_peek(f->bench->spool)->last_written,
                                        .receipt = {.position = 1}};
    for (int i = 0; i < 100 && counters(f)->sampled < 300000; i++) {
        struct sampler_request r = ack;
        r.sequence = spool_peek(f->bench->spool)->last_written;
        assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
        pass(f, 1);
    }
    step_until_idle(f);
    assert_int_equal(counters(f)->sampled, 300000);
    assert_int_equal(counters(f)->gaps, 0);
}

static void a_restart_reads_nothing_twice(void **state)
{
    struct fixture *f = *state;
    add_log(f);
    add_table(f);
    write_log(f, 20000);
    put(f->table_path, "time,staff\n2026-01-01,7\n2026-01-02,8\n");
    open_sampler(f);
    step(f); // a part of it
    uint64_t part = counters(f)->sampled;
    assert_in_range(part, 1, 20001);
    reopen(f);
    step_until_idle(f);
    assert_int_equal(counters(f)->sampled, 20002);
    reopen(f);
    pass(f, 10);
    assert_int_equal(counters(f)->sampled, 20002);
}

static uint64_t acknowledged_as_read(struct fixture *f)
{
    struct spool_state seen;
    assert_int_equal(spool_reader_state(f->bench->reader, &seen, &f->bench->diag), ERR_OK);
    return seen.last_acknowledged;
}

static void acknowledgements_are_seen_at_once_and_stored_with_the_next_batch_or_after_a_while(void **state)
{
    struct fixture *f = *state;
    add_table(f);
    put(f->table_path, "time,staff\n2026-01-01,7\n");
    open_sampler(f);
    step(f);
    const struct sampler_request ack = {
        .type = SAMPLER_ACKNOWLEDGE, .sequence = 1, .receipt = {.position = 9}};
    const struct sampler_request allow = {.type = SAMPLER_ALLOW, .sending = true};
    assert_int_equal(sampler_request(f->sampler, &allow, &f->bench->diag), ERR_OK);
    assert_int_equal(sampler_request(f->sampler, &ack, &f->bench->diag), ERR_OK);
    step(f);
    assert_int_equal(acknowledged_as_read(f), 1);
    pass(f, 9);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 0);
    pass(f, 81);
    assert_int_equal(spool_bench_state(f->bench)->last_acknowledged, 1);
    assert_int_equal(spool_bench_state(f->bench)->receipt.position, 9);
    put(f->table_path, "time,staff\n2026-01-01,7\n2026-02-01,8\n");
    pass(f, 10);
    assert_int_equal(spool_peek(f->bench->spool)->last_written, 2);
    const struct sampler_request second = {.type = SAMPLER_ACKNOWLEDGE, .sequence = 2};
    assert_int_equal(sampler_request(f->sampler, &second, &f->bench->diag), ERR_OK);
    put(f->table_path, "time,staff\n2026-01-01,7\n2026-02-01,8\n2026-03-01,8\n");
    pass(f, 10);
    assert_int_equal(spool_peek(f->bench->spool)->last_written, 3);
    assert_int_equal(spool_bench_state(f->bench)->last_acknowledged, 2);
    const struct sampler_request bad = {.type = SAMPLER_ACKNOWLEDGE, .sequence = 99};
    assert_int_equal(sampler_request(f->sampler, &bad, &f->bench->diag), ERR_OK);
    pass(f, 2);
    assert_int_equal(spool_bench_state(f->bench)->last_acknowledged, 2);
}

static void rewind_and_renew_are_done_and_told(void **state)
{
    struct fixture *f = *state;
    add_table(f);
    put(f->table_path, "time,staff\n2026-01-01,7\n");
    open_sampler(f);
    step(f);
    struct sampler_request r = {.type = SAMPLER_ACKNOWLEDGE, .sequence = 1, .receipt = {.position = 9}};
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    r = (struct sampler_request){.type = SAMPLER_REWIND, .sequence = 0};
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    f->changes = 0;
    step(f);
    assert_true(f->changes > 0);
    assert_int_equal(spool_bench_state(f->bench)->last_acknowledged, 0);
    assert_int_equal(spool_bench_state(f->bench)->generation, 2);
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK); // asked twice
    step(f);
    assert_int_equal(spool_bench_state(f->bench)->generation, 2);
    struct wire_incarnation before = spool_peek(f->bench->spool)->incarnation;
    r = (struct sampler_request){.type = SAMPLER_RENEW};
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    step(f);
    assert_memory_not_equal(&spool_peek(f->bench->spool)->incarnation, &before, sizeof before);
    assert_int_equal(counters(f)->spooled, 1);
    uint64_t generation = spool_peek(f->bench->spool)->generation;
    r.generation = generation - 1; // asked before it was known that it had been done
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    step(f);
    assert_int_equal(spool_peek(f->bench->spool)->generation, generation);
    r.generation = generation;
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    step(f);
    assert_int_equal(spool_peek(f->bench->spool)->generation, generation + 1);
}

static void an_acknowledgement_of_the_spool_as_it_was_is_not_taken_for_one_of_what_it_is_now(void **state)
{
    struct fixture *f = *state;
    add_table(f);
    put(f->table_path, "time,staff\n2026-01-01,7\n");
    open_sampler(f);
    step(f);
    struct sampler_request r = {.type = SAMPLER_RENEW, .generation = 1};
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    step(f);
    r = (struct sampler_request){.type = SAMPLER_ACKNOWLEDGE, .sequence = 1, .generation = 1};
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    assert_int_equal(acknowledged_as_read(f), 0);
    pass(f, 91);
    assert_int_equal(spool_bench_state(f->bench)->last_acknowledged, 0);
    assert_int_equal(counters(f)->spooled, 1);
    r.generation = 2;
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    assert_int_equal(acknowledged_as_read(f), 1);
    pass(f, 91);
    assert_int_equal(spool_bench_state(f->bench)->last_acknowledged, 1);
}

static void the_connections_state_is_written_at_most_once_a_second(void **state)
{
    struct fixture *f = *state;
    char text[STATUS_TEXT_MAX];
    size_t len = 0;
    struct uplink_link link;
    struct sampler_request r = {.type = SAMPLER_LINK,
                                .link = {.connected = true, .resident = "yashnabad/acme"}};
    add_table(f);
    put(f->table_path, "time,staff\n");
    open_sampler(f);
    step(f);
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    pass(f, 1);
    assert_int_equal(spool_reader_position(f->bench->reader, "", STATUS_LINK_KEY, text, sizeof text, &len),
                     ERR_OK);
    assert_int_equal(status_decode_link(text, len, &link), ERR_OK);
    assert_true(link.connected);
    assert_string_equal(link.resident, "yashnabad/acme");
    r.link.connected = false;
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    step(f);
    assert_int_equal(spool_reader_position(f->bench->reader, "", STATUS_LINK_KEY, text, sizeof text, &len),
                     ERR_OK);
    assert_int_equal(status_decode_link(text, len, &link), ERR_OK);
    assert_true(link.connected);
    pass(f, 1);
    assert_int_equal(spool_reader_position(f->bench->reader, "", STATUS_LINK_KEY, text, sizeof text, &len),
                     ERR_OK);
    assert_int_equal(status_decode_link(text, len, &link), ERR_OK);
    assert_false(link.connected);
    r.link.credit_bytes = 4096; // nobody looks for it: with the next batch
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    f->changes = 0;
    pass(f, 3);
    assert_int_equal(f->changes, 0);
    r.link.rejected = 1; // but for this
    assert_int_equal(sampler_request(f->sampler, &r, &f->bench->diag), ERR_OK);
    pass(f, 1);
    assert_int_equal(f->changes, 1);
}

static void stopping_waits_for_programs_only_so_long(void **state)
{
    struct fixture *f = *state;
    add_exec(f, 0, "one", "echo one 1\n");
    add_exec(f, 1, "two", "sleep 1000\n");
    f->sources[1].every_s = 5; // a tick of its own
    open_sampler(f);
    fake_clock_advance_us(&f->bench->clock, 5 * US_PER_S);
    assert_int_equal(sampler_step(f->sampler, &f->bench->diag), ERR_OK);
    sampler_stop(f->sampler, 2000);
    assert_int_equal(sampler_step(f->sampler, &f->bench->diag), ERR_OK);
    assert_false(sampler_stopped(f->sampler));
    fake_clock_advance_us(&f->bench->clock, 2 * US_PER_S);
    assert_int_equal(sampler_step(f->sampler, &f->bench->diag), ERR_OK);
    assert_true(sampler_stopped(f->sampler));
    assert_int_equal(sampler_fds(f->sampler, &(struct pollfd){0}, 1), 0);
    pass(f, 60);
    assert_int_equal(counters(f)->sampled, 0);
}

static void errors_without_any_figure_are_counted_and_stored(void **state)
{
    struct fixture *f = *state;
    add_log(f); // there is no such file
    open_sampler(f);
    step(f);
    pass(f, 10);
    assert_int_equal(counters(f)->source_errors, 2);
    reopen(f);
    struct source_status s = status_of(f, "log");
    assert_int_equal(s.errors, 2);
    assert_non_null(strstr(s.last_error, "log.csv: No such file or directory"));
    pass(f, 10);
    assert_true(status_of(f, "log").errors >= 3); // goes on counting
}

static void more_figures_than_a_batch_holds_make_several(void **state)
{
    struct fixture *f = *state;
    add_log(f);
    write_log(f, 8000);
    open_sampler(f);
    step_until_idle(f);
    uint64_t sum = 0;
    for (uint64_t i = 1; i <= spool_peek(f->bench->spool)->last_written; i++) {
        struct spool_message m;
        assert_int_equal(spool_reader_message(f->bench->reader, i, &m, &f->bench->diag), ERR_OK);
        assert_true(m.len <= WIRE_MESSAGE_MAX_BYTES);
        sum += spool_bench_message(f->bench, i).batch.count;
    }
    assert_true(spool_peek(f->bench->spool)->last_written > 1);
    assert_int_equal(sum, 8000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_sources_of_a_tick_become_one_batch_a_class),
        T(a_program_runs_once_a_tick_whatever_the_clock_does),
        T(a_late_source_does_not_keep_its_tick_open_longer_than_its_timeout),
        T(a_history_comes_in_bounded_transactions_between_ticks),
        T(a_history_waits_while_half_the_quota_is_unsent),
        T(a_restart_reads_nothing_twice),
        T(acknowledgements_are_seen_at_once_and_stored_with_the_next_batch_or_after_a_while),
        T(rewind_and_renew_are_done_and_told),
        T(an_acknowledgement_of_the_spool_as_it_was_is_not_taken_for_one_of_what_it_is_now),
        T(the_connections_state_is_written_at_most_once_a_second),
        T(stopping_waits_for_programs_only_so_long),
        T(errors_without_any_figure_are_counted_and_stored),
        T(more_figures_than_a_batch_holds_make_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
