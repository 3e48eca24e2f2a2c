// Completeness and punctuality against a year on paper: what came in when, and what that makes of it at any
// moment since.
#include "store/owed.h"
#include "tests/support/store_fixture.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char profile[] =
    "code: p\nnames: {en: P}\ncity: {en: C}\nabout: {en: A}\ntime_zone: Asia/Almaty\ncurrency: KZT\n"
    "residents:\n"
    "  - {code: alfa, names: {en: A}, about: {en: A}, simulated: true}\n"
    "  - {code: beta, names: {en: B}, about: {en: B}, simulated: true}\n"
    "obligations:\n"
    "  - {kpi: jobs_total, residents: [all], period: month, due: {days: 15}, from: 2026-02, until: 2026-12}\n"
    "  - {kpi: inv, residents: [alfa], period: quarter, due: {days: 30}, from: 2026-Q1, until: 2026}\n"
    "  - {kpi: export_value, residents: [alfa], period: month, due: {unknown: true}, from: 2026-03, until: "
    "2026-03}\n"
    "  - {kpi: energy_kwh, residents: [alfa], period: month, due: {days: 9}, grace_days: 3, from: 2026-03, "
    "until: "
    "2026-03}\n";

struct fixture {
    struct store store;
    struct store_stream alfa;
    struct reader *reader;
    struct observations *writer;
    struct observations_reader *view;
    char folder[TEMP_YAML_PATH];
    struct catalogue *catalogue;
    struct park *park;
    struct zone *zone;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char path[TEMP_YAML_PATH];
    struct diag *d = &f->store.diag;
    store_create(&f->store);
    f->alfa = store_agent(&f->store, "p/alfa", 1);
    store_declare(&f->store, &f->alfa, 0, "p/alfa/jobs_total", WIRE_REPORT, 0, PERIOD_MONTH);
    store_declare(&f->store, &f->alfa, 1, "p/alfa/inv", WIRE_REPORT, 0, PERIOD_MONTH);
    store_declare(&f->store, &f->alfa, 2, "p/alfa/energy_kwh", WIRE_REPORT, 0, PERIOD_MONTH);
    temp_folder_create(f->folder);
    temp_yaml_write(f->folder, "p.yaml", profile, NULL, NULL, path);
    if (catalogue_load("deploy/catalogue.yaml", &f->catalogue, d) ||
        park_load(path, f->catalogue, &f->park, d) || zone_load(NULL, "Asia/Almaty", &f->zone, d) ||
        reader_open(f->store.folder, &f->reader, d) || observations_open(f->store.folder, &f->writer, d) ||
        observations_reader_open(f->store.folder, &f->view, d))
        fail_msg("%s", d->text);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    observations_reader_close(f->view);
    observations_close(f->writer);
    reader_close(f->reader);
    zone_free(f->zone);
    park_free(f->park);
    catalogue_free(f->catalogue);
    temp_folder_remove(f->folder);
    store_destroy(&f->store);
    free(f);
    return 0;
}

static int32_t day(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p.start;
}

// A moment of a day by the park's clock, which is five hours ahead.
static int64_t moment_us(const char *on, int hour)
{
    return (day(on) * INT64_C(86400) + (hour - 5) * 3600) * US_PER_S;
}

static void report(struct fixture *f, uint32_t number, const char *period, struct figure value,
                   const char *on, int hour)
{
    size_t rows = 1;
    fake_clock_step_us(&f->store.clock, moment_us(on, hour) - clock_wall(&f->store.clock.clock).us);
    store_one(&f->store, &f->alfa, WIRE_REPORT, number, day(period), value);
    while (rows > 0)
        assert_int_equal(observations_advance(f->writer, f->reader, 10, &rows, &f->store.diag), ERR_OK);
}

// A year: February in time, March five days late, April said to be missing, May never.
static void report_a_year(struct fixture *f)
{
    report(f, 0, "2026-02", store_integer(100), "2026-03-10", 12);
    report(f, 0, "2026-03", store_integer(101), "2026-04-20", 24);
    report(f, 0, "2026-04", figure_missing(), "2026-05-10", 12);
    report(f, 0, "2026-02", store_integer(102), "2026-06-05", 12); // a correction makes nobody late
    report(f, 0, "2026-02", figure_missing(), "2026-07-01", 12);   // withdrawn
}

struct told {
    char text[4000];
    struct owed_sum sum;
};

static enum err tell(void *ctx, const struct owed_item *i)
{
    struct told *t = ctx;
    size_t len = strlen(t->text);
    char period[PERIOD_TEXT];
    period_text(i->owed.period, period);
    snprintf(t->text + len, sizeof t->text - len, "%s%s %s %s%s %lldh", len ? ", " : "",
             i->owed.rule->kpi->code, period, owed_state_name(i->state), i->answered ? " missing" : "",
             (long long)(i->late_us / (3600 * US_PER_S)));
    owed_add(&t->sum, i);
    return ERR_OK;
}

static struct told ask(struct fixture *f, const char *resident, const char *within, int64_t as_of_us)
{
    struct told t = {.text = ""};
    struct owed_query q = {
        .park = f->park, .zone = f->zone, .resident = resident, .as_of_us = as_of_us, .max_items = 1000};
    if (within)
        assert_int_equal(period_parse(within, &q.within), ERR_OK);
    if (owed_read(f->view, f->reader, &q, tell, &t, &f->store.diag))
        fail_msg("%s", f->store.diag.text);
    return t;
}

static void what_was_known_then_decides_and_not_what_came_later(void **state)
{
    struct fixture *f = *state;
    report_a_year(f);
    assert_string_equal(ask(f, "alfa", "2026-02", moment_us("2026-02-28", 23)).text, "");
    assert_string_equal(ask(f, "alfa", "2026-02", moment_us("2026-03-09", 12)).text,
                        "jobs_total 2026-02 open 0h");
    assert_string_equal(ask(f, "alfa", "2026-02", moment_us("2026-03-10", 12)).text,
                        "jobs_total 2026-02 done 0h");
    assert_string_equal(ask(f, "beta", "2026-02", moment_us("2026-03-15", 24) - 1).text,
                        "jobs_total 2026-02 open 0h");
    assert_string_equal(ask(f, "beta", "2026-02", moment_us("2026-03-15", 24)).text,
                        "jobs_total 2026-02 late 0h");
    assert_string_equal(ask(f, "beta", "2026-02", moment_us("2026-03-17", 6)).text,
                        "jobs_total 2026-02 late 30h");
    // after the withdrawal it is missing again, and late
    assert_string_equal(ask(f, "alfa", "2026-02", moment_us("2026-07-01", 24)).text,
                        "jobs_total 2026-02 late missing 2592h");
}

static void late_is_measured_from_the_date_to_when_the_first_figure_came(void **state)
{
    struct fixture *f = *state;
    report_a_year(f);
    assert_string_equal(
        ask(f, "alfa", "2026-03", moment_us("2026-04-15", 24)).text,
        "jobs_total 2026-03 late 0h, export_value 2026-03 open 0h, energy_kwh 2026-03 late 144h");
    struct told t = ask(f, "alfa", "2026-03", moment_us("2026-12-01", 0));
    assert_non_null(strstr(t.text, "jobs_total 2026-03 done 120h"));
}

static void completeness_and_punctuality_are_as_counted_by_hand(void **state)
{
    struct fixture *f = *state;
    report_a_year(f);
    struct told t = ask(f, "alfa", NULL, moment_us("2026-06-20", 12));
    assert_string_equal(t.text,
                        "jobs_total 2026-02 done 0h, jobs_total 2026-03 done 120h, jobs_total 2026-04 late "
                        "missing 852h, jobs_total 2026-05 late 108h, inv 2026-Q1 late 1212h, export_value "
                        "2026-03 open 0h, energy_kwh 2026-03 late 1716h");
    assert_int_equal(t.sum.owed, 7);
    assert_int_equal(t.sum.done, 2);
    assert_int_equal(t.sum.answered, 1);
    assert_int_equal(t.sum.late, 4);
    assert_int_equal(t.sum.due, 6); // what has no date is not due
    assert_int_equal(t.sum.in_time, 1);
    // of the one that was withdrawn later the report was in time all the same
    t = ask(f, "alfa", "2026-02", moment_us("2026-12-01", 0));
    assert_int_equal(t.sum.done, 0);
    assert_int_equal(t.sum.in_time, 1);
    t = ask(f, NULL, "2026-03", moment_us("2026-04-30", 0));
    assert_int_equal(t.sum.owed, 4);
    assert_int_equal(t.sum.done, 1);
}

static void missing_is_never_zero_and_never_the_last_value(void **state)
{
    struct fixture *f = *state;
    report_a_year(f);
    struct told t = ask(f, "alfa", "2026-05", moment_us("2026-06-10", 0));
    assert_string_equal(t.text, "jobs_total 2026-05 open 0h");
    assert_int_equal(t.sum.done, 0);
    report(f, 0, "2026-05", store_integer(0), "2026-07-02", 12); // zero is a figure
    assert_int_equal(ask(f, "alfa", "2026-05", moment_us("2026-07-03", 0)).sum.done, 1);
}

static void no_date_is_never_late(void **state)
{
    struct fixture *f = *state;
    struct told t = ask(f, "alfa", "2026-03", moment_us("2099-01-01", 0));
    assert_non_null(strstr(t.text, "export_value 2026-03 open 0h"));
}

static void within_the_days_of_grace_nothing_is_late(void **state)
{
    struct fixture *f = *state;
    report(f, 2, "2026-03", store_integer(5), "2026-04-12", 23); // due on the 9th, three days of grace
    struct told t = ask(f, "alfa", "2026-03", moment_us("2026-05-01", 0));
    assert_non_null(strstr(t.text, "energy_kwh 2026-03 done 0h"));
    assert_int_equal(t.sum.in_time, 1);
}

static void reports_of_another_period_answer_nothing(void **state)
{
    struct fixture *f = *state;
    report(f, 1, "2026-01", store_integer(5), "2026-03-03", 12); // inv by month, owed by quarter
    report(f, 1, "2026-03", store_integer(5), "2026-04-03", 12);
    struct told t = ask(f, "alfa", "2026-Q1", moment_us("2026-04-04", 0));
    assert_non_null(strstr(t.text, "inv 2026-Q1 open 0h"));
}

static void more_than_asked_for_is_said(void **state)
{
    struct fixture *f = *state;
    struct told t = {.text = ""};
    const struct owed_query q = {
        .park = f->park, .zone = f->zone, .as_of_us = moment_us("2026-12-01", 0), .max_items = 3};
    assert_int_equal(owed_read(f->view, f->reader, &q, tell, &t, &f->store.diag), ERR_TOO_BIG);
    assert_int_equal(t.sum.owed, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_known_then_decides_and_not_what_came_later, setup, teardown),
        cmocka_unit_test_setup_teardown(late_is_measured_from_the_date_to_when_the_first_figure_came, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(completeness_and_punctuality_are_as_counted_by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_is_never_zero_and_never_the_last_value, setup, teardown),
        cmocka_unit_test_setup_teardown(no_date_is_never_late, setup, teardown),
        cmocka_unit_test_setup_teardown(within_the_days_of_grace_nothing_is_late, setup, teardown),
        cmocka_unit_test_setup_teardown(reports_of_another_period_answer_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(more_than_asked_for_is_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
