#include "base/fs.h"
#include "tests/support/source_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK INT64_C(1772366400)

struct fixture {
    struct source_bench *bench;
    char script[TEST_PATH];
    const char *argv[4];
    struct agent_series series[3];
    struct agent_source config;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *bench = NULL;
    assert_non_null(f);
    assert_int_equal(source_bench_setup(&bench), 0);
    f->bench = bench;
    f->bench->real_time = true;
    test_folder_path(&f->bench->folder, "prog.sh", f->script);
    f->argv[0] = f->script;
    f->series[0] = (struct agent_series){.name = "out",
                                         .declared = "out_units",
                                         .unit = "piece",
                                         .currency = "",
                                         .class = WIRE_MEASUREMENT,
                                         .step_s = 10};
    f->series[1] = (struct agent_series){.name = "busy",
                                         .declared = "apt_s",
                                         .unit = "second",
                                         .currency = "",
                                         .class = WIRE_MEASUREMENT,
                                         .step_s = 10};
    f->series[2] = (struct agent_series){.name = "slow",
                                         .declared = "slow",
                                         .unit = "piece",
                                         .currency = "",
                                         .class = WIRE_MEASUREMENT,
                                         .step_s = 60};
    f->config = (struct agent_source){.name = "m",
                                      .kind = AGENT_SOURCE_EXEC,
                                      .class = WIRE_MEASUREMENT,
                                      .every_s = 10,
                                      .timeout_ms = 20000,
                                      .argv = f->argv,
                                      .series_count = 3,
                                      .series = f->series};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *bench = f->bench;
    int rc = source_bench_teardown(&bench);
    free(f);
    return rc;
}

static struct fixture *reports(void **state)
{
    struct fixture *f = *state;
    f->series[0] = (struct agent_series){.name = "staff",
                                         .declared = "jobs_total",
                                         .unit = "person",
                                         .currency = "",
                                         .class = WIRE_REPORT,
                                         .period = PERIOD_MONTH};
    f->series[1] = (struct agent_series){.name = "inv",
                                         .declared = "inv",
                                         .unit = "money",
                                         .currency = "KZT",
                                         .money = currency_find("KZT"),
                                         .class = WIRE_REPORT,
                                         .period = PERIOD_MONTH};
    f->config.class = WIRE_REPORT;
    f->config.series_count = 2;
    return f;
}

static void program(struct fixture *f, const char *body)
{
    FILE *out = fopen(f->script, "w");
    assert_non_null(out);
    fprintf(out, "#!/bin/sh\n%s", body);
    fclose(out);
    assert_int_equal(chmod(f->script, 0755), 0);
}

static void run(struct fixture *f, const char *body, const char *samples)
{
    program(f, body);
    source_bench_open(f->bench, &f->config);
    source_bench_run(f->bench, TICK);
    if (strcmp(buf_str(&f->bench->samples), samples) != 0)
        fail_msg("got\n%swith errors\n%s", buf_str(&f->bench->samples), buf_str(&f->bench->messages));
}

static void expect_error(struct fixture *f, uint64_t errors, const char *text)
{
    if (f->bench->errors != errors || !strstr(buf_str(&f->bench->messages), text))
        fail_msg("%llu errors instead of %llu with '%s': %s", (unsigned long long)f->bench->errors,
                 (unsigned long long)errors, text, buf_str(&f->bench->messages));
}

static void lines_and_objects_become_figures_of_the_tick_or_their_own_time(void **state)
{
    struct fixture *f = *state;
    run(f,
        "echo 'out 12'\n"
        "echo ''\n"
        "echo '  busy\t8.5 1772366410'\n"
        "echo '{\"name\":\"out\",\"value\":3,\"time\":\"2026-03-01T12:00:20Z\"}'\n"
        "echo '{\"value\":null,\"name\":\"busy\"}'\n"
        "echo '{\"name\":\"out\",\"value\":\"7.25\",\"time\":1772366430}'\n"
        "echo 'busy U 1772366440'\n"
        "printf 'slow 1 1772366460\\r\\n'\n"
        "printf 'out 5 1772366450'\n",
        "out_units 1772366400 12\n"
        "apt_s 1772366410 8.5\n"
        "out_units 1772366420 3\n"
        "apt_s 1772366400 ? unknown at the source\n"
        "out_units 1772366430 7.25\n"
        "apt_s 1772366440 ? unknown at the source\n"
        "slow 1772366460 1\n"
        "out_units 1772366450 5\n");
    assert_int_equal(f->bench->errors, 0);
}

static void lines_that_are_wrong_are_named_and_cost_only_themselves(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"odd 3", "line 2: 'odd' is not the name of one of its series"},
        {"out", "line 2: must be `name value [time]`, but has one word"},
        {"out 1 2 3", "line 2: must be `name value [time]`, but has more than three words"},
        {"out nan", "line 2: out: 'nan' is not a number"},
        {"out inf", "line 2: out: 'inf' is not a number"},
        {"out 1,5", "line 2: out: '1,5' is not a number"},
        {"out -", "line 2: out: the value is empty: print U where it is unknown"},
        {"out 9007199254740993", "beyond what can be stored exactly"},
        {"out 1 1772366405", "line 2: out_units: the time is not on a boundary of the series' step"},
        {"out 1 noon", "line 2: out: 'noon' is not a time"},
        {"out 1 -2208988810", "the time is before 1900"},
        {"busy 2", "line 2: a second figure of busy for one time: the first stands"},
        {"slow 2", "line 2: slow: without a time the source's every (10 s) must be the series' step (60 s)"},
        {"{\"name\":\"out\"}", "line 2: must be {\"name\": text"},
        {"{\"name\":\"out\",\"value\":true}", "line 2: must be {\"name\": text"},
        {"{\"name\":\"out\",\"value\":1,\"value\":2}", "duplicate object key"},
        {"{\"name\":\"out\",\"value\":1,\"unit\":\"t\"}", "the key \"unit\" is not one of name, value, time"},
        {"{\"name\":\"out\",\"value\":1,\"time\":{}}", "\"time\" must be a number or a text"},
        {"{\"name\":\"out\",\"value\":NaN}", "line 2: column"},
        {"{\"name\":\"out\",\"value\":1e999}", "line 2: column"},
        {"{", "line 2: column"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char body[300];
        snprintf(body, sizeof body, "cat <<'END'\nbusy 1\n%s\nbusy 3 1772366490\nEND\n", cases[i].line);
        run(f, body, "apt_s 1772366400 1\napt_s 1772366490 3\n");
        expect_error(f, 1, cases[i].says);
    }
}

static void a_line_that_is_too_long_or_holds_a_nul_is_an_error(void **state)
{
    struct fixture *f = *state;
    run(f, "printf 'out %05000d\\nbusy 1\\n' 7", "apt_s 1772366400 1\n");
    expect_error(f, 1, "line 1: longer than 4096 bytes");
    run(f, "printf 'out\\0 7\\nbusy 1\\n'", "apt_s 1772366400 1\n");
    expect_error(f, 1, "line 1: 'out?' is not the name");
}

static void reports_carry_their_period_and_are_sent_when_they_change(void **state)
{
    struct fixture *f = reports(state);
    const char *body = "echo 'staff 12 2026-03'\necho 'inv 1250.50 2026-03'\necho 'staff 13'\n";
    run(f, body, "jobs_total 20513 12\ninv 20513 125050\n");
    expect_error(f, 1, "line 3: staff: a report needs its period after the value");
    source_bench_run(f->bench, TICK);
    assert_int_equal(f->bench->count, 0);
    assert_int_equal(f->bench->skipped, 2);
    run(f, "echo 'staff 14 2026-03-31'\necho '{\"name\":\"inv\",\"value\":1250.5,\"time\":\"2026-03\"}'\n",
        "jobs_total 20513 14\n");
    run(f, "echo 'staff U 2026-03'\necho '{\"name\":\"inv\",\"value\":0.07,\"time\":\"2026-03\"}'\n",
        "jobs_total 20513 ? unknown at the source\ninv 20513 7\n");
}

static void complete_lines_of_a_failing_program_count_and_the_failure_is_an_error(void **state)
{
    struct fixture *f = *state;
    run(f, "echo out 1\nprintf 'busy 2'\necho first >&2\necho 'no PLC at 10.0.0.1' >&2\nexit 3\n",
        "out_units 1772366400 1\n");
    expect_error(f, 1, "source m: ended with exit status 3: no PLC at 10.0.0.1");
    run(f, "echo out 1\nkill -TERM $$\n", "out_units 1772366400 1\n");
    expect_error(f, 1, "source m: ended by signal 15 (Terminated)");
}

static void a_program_that_does_not_end_is_killed_with_its_children(void **state)
{
    struct fixture *f = *state;
    char pid_file[TEST_PATH], body[400];
    char *text = NULL;
    size_t len = 0;
    test_folder_path(&f->bench->folder, "pid", pid_file);
    snprintf(body, sizeof body, "sleep 1000 &\necho $! >%s\necho out 1\nprintf 'busy 2'\nwait\n", pid_file);
    f->config.timeout_ms = 500;
    run(f, body, "out_units 1772366400 1\n");
    expect_error(f, 1, "source m: no end within 500 ms: killed");
    assert_int_equal(fs_read_file(pid_file, 64, &text, &len, NULL), ERR_OK);
    pid_t child = (pid_t)strtol(text, NULL, 10);
    free(text);
    for (int i = 0; i < 2000 && kill(child, 0) == 0; i++) { // init may take a moment to collect it
        char stat_path[64], *stat = NULL;
        snprintf(stat_path, sizeof stat_path, "/proc/%d/stat", (int)child);
        bool zombie = fs_read_file(stat_path, 4096, &stat, &len, NULL) == ERR_OK && strstr(stat, ") Z ");
        free(stat);
        if (zombie)
            return;
        usleep(1000);
    }
    assert_int_not_equal(kill(child, 0), 0);
}

static void what_a_program_leaves_running_does_not_hold_up_its_figures(void **state)
{
    struct fixture *f = *state;
    run(f, "sleep 1000 &\necho out 1\nexit 0\n", "out_units 1772366400 1\n");
    assert_int_equal(f->bench->errors, 0);
}

static void a_program_that_prints_without_end_is_stopped(void **state)
{
    struct fixture *f = *state;
    program(f, "echo out 1\nexec yes 'busy 1'\n");
    source_bench_open(f->bench, &f->config);
    source_bench_run(f->bench, TICK);
    assert_memory_equal(buf_str(&f->bench->samples), "out_units 1772366400 1\napt_s 1772366400 1\n", 41);
    assert_int_equal(f->bench->count, 2);
    assert_non_null(strstr(buf_str(&f->bench->messages), "a second figure of busy"));
    program(f, "exec yes >&2\n");
    f->config.timeout_ms = 300;
    source_bench_open(f->bench, &f->config);
    source_bench_run(f->bench, TICK);
    expect_error(f, 1, "no end within 300 ms: killed: y");
}

static void a_program_that_is_not_there_is_an_error_at_each_tick(void **state)
{
    struct fixture *f = *state;
    f->argv[0] = "/nonexistent/prog";
    source_bench_open(f->bench, &f->config);
    for (int i = 0; i < 3; i++) {
        source_bench_run(f->bench, TICK);
        expect_error(f, 1, "source m: cannot start /nonexistent/prog: No such file or directory");
    }
}

static void the_program_gets_its_arguments_unread_and_little_else(void **state)
{
    struct fixture *f = *state;
    f->argv[1] = "a b;$(reboot)";
    setenv("SECRET_OF_THE_AGENT", "1", 1);
    run(f,
        "[ \"$1\" = 'a b;$(reboot)' ] && echo \"out 1\"\n"
        "[ -z \"$SECRET_OF_THE_AGENT\" ] && echo \"out 2 1772366410\"\n"
        "[ \"$ESEP_TICK\" = 1772366400 ] && echo \"out 3 1772366420\"\n"
        "read line || echo \"out 4 1772366430\"\n"
        "set -- /proc/$$/fd/*\n[ $# -le 5 ] && echo \"out 5 1772366440\"\n",
        "out_units 1772366400 1\nout_units 1772366410 2\nout_units 1772366420 3\nout_units 1772366430 4\n"
        "out_units 1772366440 5\n");
    unsetenv("SECRET_OF_THE_AGENT");
}

static void many_programs_run_at_the_same_time(void **state)
{
    struct fixture *f = *state;
    struct source *sources[8];
    struct diag d;
    program(f, "sleep 0.3\necho out 1\n");
    f->bench->env.clock = clock_system();
    int64_t began = clock_mono(clock_system()).us;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(exec_source_ops.create(&f->config, &f->bench->env, &sources[i], &d), ERR_OK);
        exec_source_ops.begin(sources[i], TICK);
    }
    for (size_t i = 0; i < 8; i++) {
        struct harvest h;
        while (!exec_source_ops.advance(sources[i])) {
            struct pollfd fds[4];
            (void)poll(fds, (nfds_t)exec_source_ops.fds(sources[i], fds, 4),
                       exec_source_ops.wait_ms(sources[i]));
        }
        harvest_init(&h);
        assert_int_equal(exec_source_ops.take(sources[i], 100, &h), ERR_OK);
        assert_int_equal(h.count, 1);
        harvest_deinit(&h);
        exec_source_ops.destroy(sources[i]);
    }
    assert_true(clock_mono(clock_system()).us - began < 8 * 300 * US_PER_MS);
}

static void an_abandoned_run_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    program(f, "echo out 1\nsleep 1000\n");
    source_bench_open(f->bench, &f->config);
    f->bench->source->ops->begin(f->bench->source, TICK);
    assert_false(f->bench->source->ops->advance(f->bench->source));
    f->bench->source->ops->abandon(f->bench->source);
    run(f, "echo out 2\n", "out_units 1772366400 2\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(lines_and_objects_become_figures_of_the_tick_or_their_own_time),
        T(lines_that_are_wrong_are_named_and_cost_only_themselves),
        T(a_line_that_is_too_long_or_holds_a_nul_is_an_error),
        T(reports_carry_their_period_and_are_sent_when_they_change),
        T(complete_lines_of_a_failing_program_count_and_the_failure_is_an_error),
        T(a_program_that_does_not_end_is_killed_with_its_children),
        T(what_a_program_leaves_running_does_not_hold_up_its_figures),
        T(a_program_that_prints_without_end_is_stopped),
        T(a_program_that_is_not_there_is_an_error_at_each_tick),
        T(the_program_gets_its_arguments_unread_and_little_else),
        T(many_programs_run_at_the_same_time),
        T(an_abandoned_run_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
