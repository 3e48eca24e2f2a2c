// What agents are told that they owe: once they ask, again when it has changed, and not otherwise.
#include "collector/duties.h"
#include "tests/support/collector_bench.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// The bench's moment is 2026-01-01T00:00:00Z, five in the morning there.
static const char profile[] =
    "code: almaty-iz\nnames: {en: P}\ncity: {en: C}\nabout: {en: A}\ntime_zone: Asia/Almaty\ncurrency: KZT\n"
    "residents:\n"
    "  - {code: acme, names: {en: A}, about: {en: A}, simulated: true}\n"
    "  - {code: rival, names: {en: R}, about: {en: R}, simulated: true}\n"
    "obligations:\n"
    "  - {kpi: jobs_total, residents: [all], period: month, due: {days: 15}, from: 2025-11}\n"
    "  - {kpi: inv, residents: [rival], period: month, due: {days: 15}, from: 2025-11}\n"
    "  - {kpi: export_value, residents: [acme], period: year, due: {unknown: true}, from: 2024}\n";

struct fixture {
    struct bench *bench;
    char folder[TEMP_YAML_PATH];
    struct parks parks;
    struct duties *duties;
    struct observations *writer;
    struct observations_reader *view;
};

static void revised(void *duties, const struct observations_change *c)
{
    duties_revised(duties, c->series);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *bench = NULL;
    char path[TEMP_YAML_PATH];
    struct diag d = {""};
    assert_int_equal(bench_setup(&bench), 0);
    f->bench = bench;
    temp_folder_create(f->folder);
    temp_yaml_write(f->folder, "almaty-iz.yaml", profile, NULL, NULL, path);
    if (parks_load(f->folder, f->bench->catalogue, &f->parks, &d) ||
        duties_create(&f->parks, &f->bench->clock.clock, &f->duties, &d) ||
        observations_open(f->bench->folder.path, &f->writer, &d) ||
        observations_reader_open(f->bench->folder.path, &f->view, &d))
        fail_msg("%s", d.text);
    observations_watch(f->writer, revised, f->duties);
    f->bench->duties = f->duties;
    bench_restart(f->bench);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *bench = f->bench;
    observations_reader_close(f->view);
    observations_close(f->writer);
    assert_int_equal(bench_teardown(&bench), 0);
    duties_destroy(f->duties);
    parks_free(&f->parks);
    temp_folder_remove(f->folder);
    free(f);
    return 0;
}

// As the observer's thread does it, then a tick of ingest.
static void observe(struct fixture *f)
{
    struct diag d = {""};
    size_t rows = 1;
    bool more = true;
    while (rows > 0)
        if (observations_advance(f->writer, f->bench->reader, 100, &rows, &d))
            fail_msg("%s", d.text);
    while (more)
        if (duties_step(f->duties, f->view, f->bench->reader, &more, &d))
            fail_msg("%s", d.text);
    ingest_tick(f->bench->ingest, false);
}

static void hello(struct fixture *f, bool asks)
{
    struct wire_message m = bench_hello_message(f->bench);
    m.hello.obligations = asks;
    bench_clear(f->bench);
    bench_send(f->bench, &m);
    (void)bench_reply(f->bench, 0, WIRE_WELCOME);
}

static const char *text_of(const struct wire_obligations *o, char *text, size_t size)
{
    static const char *const states[] = {"", "open", "late", "done"};
    snprintf(text, size, "%llu open %llu late", (unsigned long long)o->open, (unsigned long long)o->late);
    for (size_t i = 0; i < o->count; i++) {
        char period[PERIOD_TEXT], due[PERIOD_TEXT] = "-";
        const struct wire_owed *w = &o->owed[i];
        size_t len = strlen(text);
        period_text((struct period){(enum period_kind)w->period, w->start}, period);
        if (w->has_due)
            period_text((struct period){PERIOD_DAY, w->due_day}, due);
        snprintf(text + len, size - len, ", %s %s %s %s", w->series, period, states[w->state], due);
    }
    return text;
}

// The only thing said since the last look.
static void expect_told(struct fixture *f, const char *expected)
{
    char text[2000];
    assert_int_equal(f->bench->reply_count, 1);
    struct wire_message m = bench_reply(f->bench, 0, WIRE_OBLIGATIONS);
    assert_string_equal(text_of(&m.obligations, text, sizeof text), expected);
    bench_clear(f->bench);
}

#define AT_FIRST                                                                                             \
    "3 open 1 late, jobs_total 2025-11 late 2025-12-15, jobs_total 2025-12 open 2026-01-15, "                \
    "export_value 2024 open -, export_value 2025 open -"

static void an_agent_that_asks_is_told_and_one_that_does_not_is_not(void **state)
{
    struct fixture *f = *state;
    hello(f, false);
    observe(f);
    assert_int_equal(f->bench->reply_count, 1); // Welcome alone
    hello(f, true);
    assert_int_equal(f->bench->reply_count, 1);
    bench_clear(f->bench);
    observe(f);
    expect_told(f, AT_FIRST);
    observe(f);
    assert_int_equal(f->bench->reply_count, 0); // nothing has changed
}

static void it_is_told_again_with_each_welcome(void **state)
{
    struct fixture *f = *state;
    hello(f, true);
    bench_clear(f->bench);
    observe(f);
    expect_told(f, AT_FIRST);
    struct wire_message m = bench_hello_message(f->bench);
    m.hello.obligations = true;
    bench_send(f->bench, &m);
    assert_int_equal(f->bench->reply_count, 2);
    (void)bench_reply(f->bench, 0, WIRE_WELCOME);
    (void)bench_reply(f->bench, 1, WIRE_OBLIGATIONS);
}

static void a_report_that_comes_in_is_news_and_the_same_again_is_not(void **state)
{
    struct fixture *f = *state;
    hello(f, true);
    bench_declare(f->bench, 0, "jobs_total", "person", WIRE_REPORT);
    observe(f);
    bench_clear(f->bench);
    const struct wire_sample november = bench_sample(0, 20393, 57); // 2025-11-01
    bench_batch(f->bench, 1, WIRE_REPORT, &november, 1);
    bench_clear(f->bench);
    observe(f);
    expect_told(f, "3 open 0 late, jobs_total 2025-12 open 2026-01-15, export_value 2024 open -, "
                   "export_value 2025 open -");
    const struct wire_sample december = bench_sample(0, 20423, 58);
    bench_batch(f->bench, 2, WIRE_REPORT, &december, 1);
    bench_clear(f->bench);
    observe(f);
    expect_told(f, "2 open 0 late, export_value 2024 open -, export_value 2025 open -, "
                   "jobs_total 2025-12 done 2026-01-15");
    bench_batch(f->bench, 3, WIRE_REPORT, &december, 1);
    bench_clear(f->bench);
    observe(f);
    assert_int_equal(f->bench->reply_count, 0);
}

static void a_date_that_passes_and_a_month_that_ends_are_news(void **state)
{
    struct fixture *f = *state;
    hello(f, true);
    observe(f);
    bench_clear(f->bench);
    // 15 January ends at 19:00 UTC
    fake_clock_advance_us(&f->bench->clock, ((14 * INT64_C(86400)) + 19 * 3600 - 1) * US_PER_S);
    hello(f, true); // the silence was long
    bench_clear(f->bench);
    observe(f);
    assert_int_equal(f->bench->reply_count, 0);
    fake_clock_advance_us(&f->bench->clock, US_PER_S);
    observe(f);
    expect_told(f, "2 open 2 late, jobs_total 2025-11 late 2025-12-15, jobs_total 2025-12 late 2026-01-15, "
                   "export_value 2024 open -, export_value 2025 open -");
    fake_clock_advance_us(&f->bench->clock, 16 * INT64_C(86400) * US_PER_S);
    hello(f, true);
    bench_clear(f->bench);
    observe(f);
    expect_told(f, "3 open 2 late, jobs_total 2025-11 late 2025-12-15, jobs_total 2025-12 late 2026-01-15, "
                   "jobs_total 2026-01 open 2026-02-15, export_value 2024 open -, export_value 2025 open -");
}

static void a_full_peer_is_told_at_the_next_tick(void **state)
{
    struct fixture *f = *state;
    hello(f, true);
    bench_clear(f->bench);
    f->bench->send_result = ERR_AGAIN;
    observe(f);
    bench_clear(f->bench);
    f->bench->send_result = ERR_OK;
    ingest_tick(f->bench->ingest, false);
    assert_int_equal(f->bench->reply_count, 1);
    (void)bench_reply(f->bench, 0, WIRE_OBLIGATIONS);
}

static void who_is_in_no_profile_owes_nothing(void **state)
{
    struct fixture *f = *state;
    struct ledger_agent stranger;
    char token[ADMISSION_TOKEN], text[200];
    struct buf out;
    uint64_t version;
    bench_admit(f->bench, "elsewhere/unknown", &stranger, token);
    const struct duty *of = duties_of(f->duties, "elsewhere/unknown");
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(duty_message(f->duties, of, &out, &version), ERR_NOT_FOUND);
    observe(f);
    assert_int_equal(duty_message(f->duties, of, &out, &version), ERR_OK);
    struct wire_message m;
    assert_int_equal(wire_decode(f->bench->arena, out.data, out.len, &m, NULL), ERR_OK);
    assert_string_equal(text_of(&m.obligations, text, sizeof text), "0 open 0 late");
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_agent_that_asks_is_told_and_one_that_does_not_is_not, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(it_is_told_again_with_each_welcome, setup, teardown),
        cmocka_unit_test_setup_teardown(a_report_that_comes_in_is_news_and_the_same_again_is_not, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_date_that_passes_and_a_month_that_ends_are_news, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_peer_is_told_at_the_next_tick, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_in_no_profile_owes_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
