#include "agent/commands.h"
#include "agent/status.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "tests/support/folder.h"
#include "tests/support/spool_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fixture {
    struct test_folder folder;
    char config[TEST_PATH], state[TEST_PATH];
    char *out, *err; // of the last command
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char csv[TEST_PATH], text[2048];
    assert_non_null(f);
    assert_int_equal(test_folder_make(&f->folder), 0);
    test_folder_path(&f->folder, "agent.yaml", f->config);
    test_folder_path(&f->folder, "state", f->state);
    test_folder_path(&f->folder, "in.csv", csv);
    put(csv, "month,staff,invested\n2026-01,12,1250.50\n2026-02,x,0.07\n");
    snprintf(
        text, sizeof text,
        "collector: {endpoint: \"tcp://127.0.0.1:1\", key: \"rq:rM>}U?@Lns47E1%%kR.o@n%%FcmmsL/@{H8]yf7\"}\n"
        "state: %s\n"
        "sources:\n"
        "  - {name: table, kind: csv, path: %s, every: 5s, class: report, time_column: month, series: [\n"
        "     {column: staff, kpi: jobs_total, unit: person, period: month},\n"
        "     {column: invested, kpi: inv, unit: money, currency: KZT, period: month}]}\n"
        "  - {name: prog, kind: exec, command: [/bin/echo, out, U], every: 10s, class: measurement, series: "
        "[\n"
        "     {name: out, kpi: out_units, unit: piece, step: 10s}]}\n",
        f->state, csv);
    put(f->config, text);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    free(f->out);
    free(f->err);
    int rc = test_folder_remove(&f->folder);
    free(f);
    return rc;
}

// Words after the program's name, ending with NULL; the configuration is added when `configured`.
static int run(struct fixture *f, bool configured, const char *const *words)
{
    char *argv[12] = {(char *)(uintptr_t) "esep-agent"};
    size_t out_len, err_len;
    int argc = 1;
    for (; *words; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    if (configured) {
        argv[argc++] = (char *)(uintptr_t) "--config";
        argv[argc++] = f->config;
    }
    free(f->out);
    free(f->err);
    FILE *out = open_memstream(&f->out, &out_len), *err = open_memstream(&f->err, &err_len);
    int code = agent_commands_run(argc, argv, out, err);
    (void)fclose(out);
    (void)fclose(err);
    return code;
}

#define RUN(f, ...)      run((f), true, (const char *const[]){__VA_ARGS__, NULL})
#define RUN_BARE(f, ...) run((f), false, (const char *const[]){__VA_ARGS__, NULL})

static void expect_in(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in: %s", part, text);
}

static void help_and_version_are_for_asking(void **state)
{
    static const char *const commands[] = {"run",    "check",    "keygen", "sources",
                                           "status", "--config", "--json"};
    struct fixture *f = *state;
    assert_int_equal(RUN_BARE(f, "--help"), 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        expect_in(f->out, commands[i]);
    assert_int_equal(RUN_BARE(f, "status", "--help"), 0);
    assert_int_equal(RUN_BARE(f, "--version"), 0);
    expect_in(f->out, "esep-agent " ESEP_VERSION);
}

static void wrong_usage_is_2_and_says_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(run(f, false, (const char *const[]){NULL}), 2);
    expect_in(f->err, "a command is missing");
    assert_int_equal(RUN(f, "fly"), 2);
    expect_in(f->err, "no such command: fly");
    assert_int_equal(RUN(f, "check", "now"), 2);
    expect_in(f->err, "one word too many: now");
    assert_int_equal(RUN(f, "check", "--loud"), 2);
    expect_in(f->err, "no such option: --loud");
    assert_int_equal(RUN_BARE(f, "check", "--config"), 2);
    expect_in(f->err, "this option needs a value: --config");
    assert_int_equal(RUN(f, "check", "--json"), 2);
    expect_in(f->err, "--json does not belong to this command: check");
    assert_int_equal(RUN_BARE(f, "check", "--config", "/nonexistent.yaml"), 2);
    expect_in(f->err, "/nonexistent.yaml");
    put(f->config, "collector: {}\n");
    assert_int_equal(RUN(f, "check"), 2);
    expect_in(f->err, "agent.yaml:1:");
}

static void check_says_what_the_configuration_holds(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(RUN(f, "check"), 0);
    expect_in(f->out, "agent.yaml: ok, 2 sources, 3 series\n");
}

static void keygen_makes_a_private_key_once_and_prints_the_public_one(void **state)
{
    struct fixture *f = *state;
    char path[TEST_PATH], first[64];
    struct stat st;
    assert_int_equal(RUN(f, "keygen"), 0);
    assert_int_equal(strlen(f->out), KEY_TEXT); // and the line end
    snprintf(first, sizeof first, "%s", f->out);
    test_folder_path(&f->folder, "state/agent.key", path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(RUN(f, "keygen"), 0);
    assert_string_equal(f->out, first);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(RUN(f, "keygen"), 1);
    expect_in(f->err, "chmod");
}

static void sources_prints_what_would_be_sent_and_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(RUN(f, "sources"), 1); // one cell can't be read
    expect_in(f->out, "jobs_total                       2026-01                                12 person");
    expect_in(f->out, "inv                              2026-01                           1250.50 KZT");
    expect_in(f->out, "inv                              2026-02                              0.07 KZT");
    expect_in(f->out, "in.csv:3:9: column \"staff\": 'x' is not a number");
    expect_in(f->out, "source table: 3 samples, 1 errors");
    expect_in(f->out, "unknown piece    unknown at the source");
    expect_in(f->err, "1 rows, lines or runs gave no sample");
    struct stat st;
    assert_int_equal(stat(f->state, &st), -1); // stored nothing
}

static void status_before_the_first_run_says_so(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(RUN(f, "status"), 1);
    expect_in(f->err, "the agent has not run");
}

static void make_spool(struct fixture *f)
{
    struct fake_clock clock;
    struct spool *spool = NULL;
    struct spool_opened opened;
    struct diag d = {""};
    char status[STATUS_TEXT_MAX], link[STATUS_TEXT_MAX];
    const struct spool_options o = {.max_bytes = 1u << 20,
                                    .max_age_us = INT64_MAX / 2,
                                    .tail_bytes = 1u << 20,
                                    .tail_age_us = INT64_MAX / 2};
    const struct source_status source = {.last_run_us = INT64_C(1772366400000000),
                                         .last_error_us = INT64_C(1772366400000000),
                                         .errors = 3,
                                         .last_error = "in.csv:3:9: a \"quoted\" text"};
    const struct uplink_link l = {.connected = true,
                                  .resident = "yashnabad/acme",
                                  .skew_ms = -40,
                                  .rejected = 2,
                                  .rejected_sample = "jobs_total of 2026-03",
                                  .rejected_reason = WIRE_REASON_OUT_OF_RANGE};
    fake_clock_init(&clock, INT64_C(1772366400000000));
    assert_int_equal(fs_make_dirs(f->state, 0750, &d), ERR_OK);
    assert_int_equal(spool_open(f->state, &o, &clock.clock, &spool, &opened, &d), ERR_OK);
    const struct spool_position p[] = {
        {.source = "table", .key = STATUS_KEY, .bytes = status, .len = status_encode_source(&source, status)},
        {.source = "", .key = STATUS_LINK_KEY, .bytes = link, .len = status_encode_link(&l, link)}};
    const struct spool_row row = {
        .sequence = 1, .class = WIRE_REPORT, .body = "body", .len = 4, .samples = 5};
    const struct spool_change change = {
        .rows = &row, .row_count = 1, .positions = p, .position_count = 2, .sampled = 5, .source_errors = 3};
    assert_int_equal(spool_append(spool, &change, &d), ERR_OK);
    spool_close(spool);
}

static void status_shows_counters_sources_and_the_connection(void **state)
{
    struct fixture *f = *state;
    make_spool(f);
    assert_int_equal(RUN(f, "status"), 0);
    expect_in(f->out, "agent       not running");
    expect_in(f->out, "not connected");
    expect_in(f->out, "yashnabad/acme");
    expect_in(f->out, "5 taken, 0 acknowledged, 5 in the spool (4 bytes)");
    expect_in(f->out, "newest rejected: jobs_total of 2026-03 (out-of-range: the value is beyond 2^53 or");
    expect_in(f->out, "table (csv): last run 2026-03-01T12:00:00Z, 3 errors");
    expect_in(f->out, "in.csv:3:9: a \"quoted\" text");
    expect_in(f->out, "prog (exec): last run never");
}

static int64_t number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v))
        fail_msg("no number %s", key);
    return json_integer_value(v);
}

static void status_as_json_has_the_promised_keys(void **state)
{
    struct fixture *f = *state;
    make_spool(f);
    assert_int_equal(RUN(f, "status", "--json"), 0);
    json_t *o = json_loads(f->out, 0, NULL);
    assert_non_null(o);
    assert_string_equal(json_string_value(json_object_get(o, "resident")), "yashnabad/acme");
    assert_int_equal(strlen(json_string_value(json_object_get(o, "incarnation"))), 32);
    assert_true(json_is_false(json_object_get(o, "connected")));
    assert_true(json_is_false(json_object_get(o, "running")));
    assert_int_equal(number(o, "sampled"), 5);
    assert_int_equal(number(o, "refused"), 0);
    assert_int_equal(number(o, "spooled"), 5);
    assert_int_equal(number(o, "spool_bytes"), 4);
    assert_int_equal(number(o, "source_errors"), 3);
    assert_int_equal(number(o, "acknowledged"), 0);
    assert_int_equal(number(o, "gaps"), 0);
    assert_int_equal(number(o, "last_written"), 1);
    assert_int_equal(number(o, "last_acknowledged"), 0);
    assert_int_equal(number(o, "rejected"), 2);
    assert_string_equal(json_string_value(json_object_get(o, "rejected_newest")), "jobs_total of 2026-03");
    assert_string_equal(json_string_value(json_object_get(o, "rejected_reason")), "out-of-range");
    assert_int_equal(number(o, "collector_clock_skew_ms"), -40);
    const json_t *sources = json_object_get(o, "sources"), *table = json_array_get(sources, 0);
    assert_int_equal(json_array_size(sources), 2);
    assert_string_equal(json_string_value(json_object_get(table, "name")), "table");
    assert_string_equal(json_string_value(json_object_get(table, "last_error")),
                        "in.csv:3:9: a \"quoted\" text");
    assert_int_equal(number(table, "last_run_us"), INT64_C(1772366400000000));
    assert_int_equal(number(table, "errors"), 3);
    json_decref(o);
}

static void run_needs_a_key_and_a_free_state_folder(void **state)
{
    struct fixture *f = *state;
    char lock[TEST_PATH];
    int fd = -1;
    struct diag d;
    assert_int_equal(RUN(f, "run"), 1);
    expect_in(f->err, "agent.key: no key yet: run `esep-agent keygen`");
    test_folder_path(&f->folder, "state/lock", lock);
    assert_int_equal(fs_lock(lock, &fd, &d), ERR_OK);
    assert_int_equal(RUN(f, "run"), 1);
    expect_in(f->err, "another esep-agent runs on this state folder");
    fs_unlock(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(help_and_version_are_for_asking),
        T(wrong_usage_is_2_and_says_what_is_wrong),
        T(check_says_what_the_configuration_holds),
        T(keygen_makes_a_private_key_once_and_prints_the_public_one),
        T(sources_prints_what_would_be_sent_and_what_is_wrong),
        T(status_before_the_first_run_says_so),
        T(status_shows_counters_sources_and_the_connection),
        T(status_as_json_has_the_promised_keys),
        T(run_needs_a_key_and_a_free_state_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
