// A person's report: what is refused and why, that it is in the spool when it was said to be, and the socket
// between the command and a running agent.
#include "agent/commands.h"
#include "agent/report.h"
#include "agent/report_socket.h"
#include "agent/sources/reported.h"
#include "tests/support/cmocka.h"
#include "tests/support/spool_bench.h"
#include "wire/codec.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct fixture {
    struct spool_bench *bench;
    struct sampler *sampler;
    struct agent_series series[2];
    struct agent_source source;
    struct agent_config config;
    unsigned changes;
    char said[REPORT_ANSWER_MAX];
    struct diag diag;
};

static void on_change(void *ctx)
{
    ((struct fixture *)ctx)->changes++;
}

static void open_sampler(struct fixture *f)
{
    const struct sampler_options o = {.config = &f->config,
                                      .clock = &f->bench->clock.clock,
                                      .spool = f->bench->spool,
                                      .changed = on_change,
                                      .ctx = f};
    if (sampler_create(&o, &f->sampler, &f->diag) != ERR_OK)
        fail_msg("%s", f->diag.text);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *bench = NULL;
    assert_non_null(f);
    assert_int_equal(spool_bench_setup(&bench), 0);
    f->bench = bench;
    f->series[0] = (struct agent_series){.name = "jobs_total",
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
                                         .period = PERIOD_QUARTER};
    f->source = (struct agent_source){.name = "by-hand",
                                      .kind = AGENT_SOURCE_HAND,
                                      .class = WIRE_REPORT,
                                      .every_s = 86400,
                                      .series = f->series,
                                      .series_count = 2};
    f->config = (struct agent_config){.file = "agent.yaml",
                                      .endpoint = "tcp://127.0.0.1:1",
                                      .state = f->bench->folder.path,
                                      .spool_max_bytes = f->bench->options.max_bytes,
                                      .sources = &f->source,
                                      .source_count = 1};
    open_sampler(f);
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

static struct report_request request(const char *series, const char *value, const char *period)
{
    return (struct report_request){.series = series,
                                   .value = value,
                                   .period = period,
                                   .status = "",
                                   .reason = "",
                                   .author = "",
                                   .published = ""};
}

static enum err report(struct fixture *f, const struct report_request *r)
{
    f->diag.text[0] = f->said[0] = '\0';
    return sampler_report(f->sampler, r, f->said, &f->diag);
}

static uint64_t last_written(struct fixture *f)
{
    return spool_peek(f->bench->spool)->last_written;
}

// The one sample of the newest batch, with its note (NULL: none).
static struct wire_sample newest(struct fixture *f, struct wire_note *note)
{
    struct wire_message m = spool_bench_message(f->bench, last_written(f));
    assert_int_equal(m.type, WIRE_BATCH);
    assert_int_equal(m.batch.class, WIRE_REPORT);
    assert_int_equal(m.batch.count, 1);
    assert_int_equal(m.batch.note_count, note ? 1 : 0);
    if (note)
        *note = m.batch.notes[0];
    return m.batch.samples[0];
}

static void a_report_is_in_the_spool_with_all_that_was_said_of_it(void **state)
{
    struct fixture *f = *state;
    struct wire_note note;
    struct report_request r = request("inv", "1250.50", "2025-Q4");
    r.status = "P";
    r.confidential = true;
    r.author = "Айгүл";
    r.reason = "first count";
    r.published = "2026-02-10";
    if (report(f, &r) != ERR_OK)
        fail_msg("%s", f->diag.text);
    assert_string_equal(f->said, "inv of 2025-Q4: 1250.50 KZT, in the spool");
    struct wire_sample s = newest(f, &note);
    assert_int_equal(s.series, 1);
    assert_int_equal(s.time, civil_to_days((struct civil){2025, 10, 1}));
    assert_int_equal(s.value.integer, 125050);
    assert_int_equal(note.status, WIRE_PROVISIONAL);
    assert_true(note.confidential);
    assert_string_equal(note.author, "Айгүл");
    assert_string_equal(note.reason, "first count");
    assert_int_equal(note.published_us,
                     civil_to_days((struct civil){2026, 2, 10}) * INT64_C(86400) * US_PER_S);
    assert_int_equal(f->changes, 1);
    spool_bench_expect_balance(f->bench);
}

static void a_second_value_for_a_period_is_refused_unless_it_is_a_correction(void **state)
{
    struct fixture *f = *state;
    struct wire_note note;
    struct report_request r = request("jobs_total", "120", "2026-01");
    assert_int_equal(report(f, &r), ERR_OK);
    uint64_t before = last_written(f);
    r.value = "121";
    assert_int_equal(report(f, &r), ERR_CONFLICT);
    assert_string_equal(f->diag.text, "jobs_total of 2026-01 was reported already: 120; to correct it add "
                                      "--revise --reason TEXT");
    r.revise = true;
    assert_int_equal(report(f, &r), ERR_INVALID);
    assert_non_null(strstr(f->diag.text, "--revise needs --reason"));
    assert_int_equal(last_written(f), before);
    r.reason = "two were counted twice";
    assert_int_equal(report(f, &r), ERR_OK);
    assert_int_equal(newest(f, &note).value.integer, 121);
    assert_string_equal(note.reason, "two were counted twice");
    r = request("jobs_total", "1", "2026-01");
    sampler_destroy(f->sampler); // remembered across a restart
    open_sampler(f);
    assert_int_equal(report(f, &r), ERR_CONFLICT);
    assert_non_null(strstr(f->diag.text, "already: 121;"));
    r.period = "2026-02";
    assert_int_equal(report(f, &r), ERR_OK);
}

static void what_the_source_itself_reported_counts_as_the_first_value(void **state)
{
    struct fixture *f = *state;
    char key[REPORTED_KEY_MAX];
    uint8_t bytes[REPORTED_BYTES_MAX];
    struct figure value;
    assert_int_equal(figure_from_integer(77, &value), ERR_OK);
    reported_key(&f->series[0], civil_to_days((struct civil){2026, 1, 1}), key);
    const struct spool_position known = {
        .source = "by-hand", .key = key, .bytes = bytes, .len = reported_encode(value, bytes)};
    const struct spool_change change = {.positions = &known, .position_count = 1};
    assert_int_equal(spool_append(f->bench->spool, &change, &f->diag), ERR_OK);
    struct report_request r = request("jobs_total", "78", "2026-01");
    assert_int_equal(report(f, &r), ERR_CONFLICT);
    assert_non_null(strstr(f->diag.text, "already: 77;"));
}

static void nothing_is_reported_as_missing(void **state)
{
    struct fixture *f = *state;
    struct wire_note note;
    struct report_request r = request("jobs_total", "-", "2026-01");
    assert_int_equal(report(f, &r), ERR_OK);
    assert_string_equal(f->said, "jobs_total of 2026-01: missing, in the spool");
    assert_int_equal(newest(f, &note).value.kind, FIGURE_MISSING);
    assert_int_equal(note.status, WIRE_MISSING);
}

static void what_is_wrong_with_a_report_is_said_and_nothing_is_stored(void **state)
{
    struct fixture *f = *state;
    static char longer[WIRE_REASON_MAX + 2];
    memset(longer, 'x', sizeof longer - 1);
    struct {
        struct report_request r;
        const char *says;
    } cases[] = {
        {request("jobs", "1", "2026-01"), "there are jobs_total, inv"},
        {request("jobs_total", "many", "2026-01"), "'many' is not a number"},
        {request("jobs_total", "1,5", "2026-01"), "'1,5' is not a number"},
        {request("inv", "1.005", "2025-Q4"), "at most 2 decimals"},
        {request("jobs_total", "1", ""), "--period is missing"},
        {request("jobs_total", "1", "2026-Q1"), "is a quarter, but the series is reported by the month"},
        {request("jobs_total", "1", "2026-04"), "2026-04 has not begun yet"},
        {request("jobs_total", "1", "1850-01"), "before 1900"},
        {request("jobs_total", "1", "2026-01"), "--status 'N' must be A"},
        {request("jobs_total", "1", "2026-01"), "status M belongs to a missing figure"},
        {request("jobs_total", "-", "2026-01"), "status M belongs to a missing figure"},
        {request("jobs_total", "1", "2026-01"), "--reason has 256 bytes"},
        {request("jobs_total", "1", "2026-01"), "--author must be one line"},
        {request("jobs_total", "1", "2026-01"), "--author must be UTF-8"},
        {request("jobs_total", "1", "2026-01"), "'soon' is not when it was published"},
        {request("jobs_total", "1", "2026-01"), "--published 2026-12 is in the future"},
    };
    cases[8].r.status = "N";
    cases[9].r.status = "M";
    cases[10].r.status = "A";
    cases[11].r.reason = longer;
    cases[12].r.author = "a\nb";
    cases[13].r.author = "\xff";
    cases[14].r.published = "soon";
    cases[15].r.published = "2026-12";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(report(f, &cases[i].r), ERR_INVALID);
        if (!strstr(f->diag.text, cases[i].says))
            fail_msg("%zu: no '%s' in '%s'", i, cases[i].says, f->diag.text);
    }
    assert_int_equal(last_written(f), 0);
    assert_int_equal(f->changes, 0);
}

static void a_request_survives_the_way_and_others_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "{}", "[]", "{\"series\":1}", "\xff"};
    struct report_request r = request("inv", "-5", "2026"), back;
    struct diag d = {""};
    char *text = NULL;
    void *holder = NULL;
    r.revise = true;
    r.reason = "\"quoted\" ә";
    assert_int_equal(report_encode(&r, &text, &d), ERR_OK);
    assert_int_equal(report_decode(text, strlen(text), &back, &holder, &d), ERR_OK);
    assert_string_equal(back.series, "inv");
    assert_string_equal(back.value, "-5");
    assert_string_equal(back.reason, r.reason);
    assert_true(back.revise && !back.confidential);
    report_forget(holder);
    free(text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(report_decode(bad[i], strlen(bad[i]), &back, &holder, &d), ERR_INVALID);
    r.reason = "\xff";
    assert_int_equal(report_encode(&r, &text, &d), ERR_INVALID);
}

// ---- the socket

struct asking {
    const char *state, *request;
    char said[REPORT_ANSWER_MAX];
    struct diag diag;
    enum err e;
};

static void *ask(void *ctx)
{
    struct asking *a = ctx;
    a->e = report_socket_ask(a->state, a->request, 10000, a->said, &a->diag);
    return NULL;
}

// Asks from another thread while this one serves.
static void ask_and_serve(struct fixture *f, struct report_socket *socket, struct asking *a)
{
    pthread_t thread;
    uint64_t before = last_written(f);
    assert_int_equal(pthread_create(&thread, NULL, ask, a), 0);
    for (int i = 0; i < 2000; i++) {
        struct pollfd fds[REPORT_SOCKET_FDS];
        int n = report_socket_fds(socket, fds, REPORT_SOCKET_FDS);
        (void)poll(fds, (nfds_t)n, 5);
        assert_int_equal(report_socket_serve(socket, f->sampler, &f->diag), ERR_OK);
        if (last_written(f) != before || pthread_tryjoin_np(thread, NULL) == 0)
            break;
    }
    (void)pthread_join(thread, NULL);
}

static void a_running_agent_answers_after_the_figure_is_stored_or_refused(void **state)
{
    struct fixture *f = *state;
    struct report_socket *socket = NULL;
    struct asking a = {.state = f->config.state};
    struct report_request r = request("jobs_total", "120", "2026-01");
    char *text = NULL;
    assert_int_equal(report_socket_open(f->config.state, &socket, &f->diag), ERR_OK);
    assert_int_equal(report_encode(&r, &text, &f->diag), ERR_OK);
    a.request = text;
    ask_and_serve(f, socket, &a);
    assert_int_equal(a.e, ERR_OK);
    assert_string_equal(a.said, "jobs_total of 2026-01: 120, in the spool");
    assert_int_equal(last_written(f), 1);
    free(text);
    report_socket_close(socket);
    ask(&a);
    assert_int_equal(a.e, ERR_CLOSED); // nobody listens any more
}

static void silent_and_talkative_clients_do_not_stop_others(void **state)
{
    struct fixture *f = *state;
    struct report_socket *socket_of = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static char big[REPORT_REQUEST_MAX + 100];
    int silent[3];
    memset(big, 'x', sizeof big);
    assert_int_equal(report_socket_open(f->config.state, &socket_of, &f->diag), ERR_OK);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/" REPORT_SOCKET_FILE, f->config.state);
    for (int i = 0; i < 3; i++) {
        silent[i] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
        assert_int_equal(connect(silent[i], (const struct sockaddr *)&address, sizeof address), 0);
    }
    assert_int_equal(send(silent[2], big, sizeof big, MSG_NOSIGNAL), (ssize_t)sizeof big);
    assert_int_equal(report_socket_serve(socket_of, f->sampler, &f->diag), ERR_OK);
    char reply[64] = "";
    assert_true(recv(silent[2], reply, sizeof reply - 1, 0) > 0);
    assert_non_null(strstr(reply, "too long"));
    struct report_request r = request("jobs_total", "120", "2026-01");
    char *text = NULL;
    assert_int_equal(report_encode(&r, &text, &f->diag), ERR_OK);
    int fourth = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_equal(connect(fourth, (const struct sockaddr *)&address, sizeof address), 0);
    assert_true(send(fourth, text, strlen(text), MSG_NOSIGNAL) > 0);
    assert_int_equal(report_socket_serve(socket_of, f->sampler, &f->diag), ERR_OK);
    assert_int_equal(last_written(f), 1);
    for (int i = 0; i < 3; i++)
        close(silent[i]);
    close(fourth);
    free(text);
    report_socket_close(socket_of);
}

static void something_else_in_the_sockets_place_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct report_socket *socket = NULL;
    char path[TEST_PATH];
    test_folder_path(&f->bench->folder, REPORT_SOCKET_FILE, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(report_socket_open(f->config.state, &socket, &f->diag), ERR_EXISTS);
    assert_int_equal(access(path, F_OK), 0);
}

// ---- the command line

static int command(char *const *words, char **out, char **err)
{
    char *argv[16] = {"esep-agent"};
    size_t out_len, err_len;
    int argc = 1;
    for (; words[argc - 1]; argc++)
        argv[argc] = words[argc - 1];
    FILE *o = open_memstream(out, &out_len), *e = open_memstream(err, &err_len);
    int code = agent_commands_run(argc, argv, o, e);
    fclose(o);
    fclose(e);
    return code;
}

static void wrong_usage_is_named(void **state)
{
    (void)state;
    static const struct {
        char *words[8];
        int code;
        const char *says;
    } cases[] = {
        {{"report", "--help"}, 0, "usage: esep-agent report SERIES VALUE"},
        {{"report"}, 2, "SERIES and VALUE are missing"},
        {{"report", "jobs_total"}, 2, "VALUE is missing"},
        {{"report", "jobs_total", "-5"}, 2, "--period is missing"},
        {{"report", "jobs_total", "--", "-5"}, 2, "--period is missing"},
        {{"report", "a", "1", "b"}, 2, "one word too many: b"},
        {{"report", "a", "1", "--perod", "2026"}, 2, "no such option: --perod"},
        {{"report", "a", "1", "--period"}, 2, "this option needs a value: --period"},
        {{"--config", "/nonexistent.yaml", "report", "a", "1", "--period=2026"}, 2, "there is no such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *out = NULL, *err = NULL;
        int code = command(cases[i].words, &out, &err);
        if (code != cases[i].code || !strstr(code == 0 ? out : err, cases[i].says))
            fail_msg("%zu: %d %s %s", i, code, out, err);
        free(out);
        free(err);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_report_is_in_the_spool_with_all_that_was_said_of_it),
        T(a_second_value_for_a_period_is_refused_unless_it_is_a_correction),
        T(what_the_source_itself_reported_counts_as_the_first_value),
        T(nothing_is_reported_as_missing),
        T(what_is_wrong_with_a_report_is_said_and_nothing_is_stored),
        cmocka_unit_test(a_request_survives_the_way_and_others_are_refused),
        T(a_running_agent_answers_after_the_figure_is_stored_or_refused),
        T(silent_and_talkative_clients_do_not_stop_others),
        T(something_else_in_the_sockets_place_is_left_alone),
        cmocka_unit_test(wrong_usage_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
