// What a declare and a sample must be: one row a rule.
#include "collector/verdict.h"
#include "kpi/period.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S INT64_C(1767225600) // 2026-01-01T00:00:00Z, a Thursday
#define TODAY 20454

static struct catalogue *catalogue;

static int load(void **state)
{
    struct diag d = {0};
    (void)state;
    if (catalogue_load("deploy/catalogue.yaml", &catalogue, &d) != ERR_OK)
        fail_msg("%s (tests run from the repository's root)", d.text);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    catalogue_free(catalogue);
    return 0;
}

// ---- declares -----------------------------------------------------------------------------------
static const struct declare_case {
    const char *series, *unit, *currency;
    enum wire_class class;
    uint32_t step_s, period;
    const char *says; // NULL: accepted
} declares[] = {
    {"out_units/lifts", "piece", "", WIRE_MEASUREMENT, 10, 0, NULL},
    {"out_units/lifts", "piece", "", WIRE_MEASUREMENT, 3600, 0, NULL},
    {"jobs_total", "person", "", WIRE_REPORT, 0, PERIOD_MONTH, NULL},
    {"inv", "money", "KZT", WIRE_REPORT, 0, PERIOD_YEAR, NULL},
    {"kep/indpro_yoy", "percent", "", WIRE_REPORT, 0, PERIOD_MONTH, NULL}, // the unit is the series' own
    {"kep/wage", "money", "RUB", WIRE_REPORT, 0, PERIOD_MONTH, NULL},
    {"kep/wage", "money", "", WIRE_REPORT, 0, PERIOD_MONTH, "currency"},
    {"no_such", "piece", "", WIRE_MEASUREMENT, 10, 0, "no KPI 'no_such'"},
    {"oee", "percent", "", WIRE_MEASUREMENT, 10, 0, "computed"},
    {"out_units/lifts", "person", "", WIRE_MEASUREMENT, 10, 0, "'piece'"},
    {"out_units/lifts", "", "", WIRE_MEASUREMENT, 10, 0, "unit is missing"},
    {"inv", "money", "", WIRE_REPORT, 0, PERIOD_YEAR, "currency"},
    {"inv", "money", "XYZ", WIRE_REPORT, 0, PERIOD_YEAR, "'XYZ'"},
    {"jobs_total", "person", "KZT", WIRE_REPORT, 0, PERIOD_MONTH, "not money"},
    {"Out_Units", "piece", "", WIRE_MEASUREMENT, 10, 0, "a-z0-9"},
    {"out_units//x", "piece", "", WIRE_MEASUREMENT, 10, 0, "a-z0-9"},
    {"out_units/a/b", "piece", "", WIRE_MEASUREMENT, 10, 0, "a-z0-9"},
    {"", "piece", "", WIRE_MEASUREMENT, 10, 0, "a-z0-9"},
    {"out_units/lifts", "piece", "", WIRE_MEASUREMENT, 7, 0, "divisor"},
    {"out_units/lifts", "piece", "", WIRE_MEASUREMENT, 0, 0, "divisor"},
    {"out_units/lifts", "piece", "", WIRE_MEASUREMENT, 7200, 0, "divisor"},
    {"out_units/lifts", "piece", "", WIRE_MEASUREMENT, 10, PERIOD_DAY, "no period"},
    {"jobs_total", "person", "", WIRE_REPORT, 60, PERIOD_MONTH, "not a step"},
    {"jobs_total", "person", "", WIRE_REPORT, 0, 0, "period is"},
    {"jobs_total", "person", "", WIRE_REPORT, 0, 9, "period is"},
    {"jobs_total", "person", "", WIRE_CONTROL, 0, 1, "class"},
};

static void declares_must_fit_the_catalogue(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof declares / sizeof *declares; i++) {
        const struct declare_case *c = &declares[i];
        struct wire_declare w = {.series = c->series,
                                 .unit = c->unit,
                                 .currency = c->currency,
                                 .class = c->class,
                                 .step_s = c->step_s,
                                 .period = c->period};
        struct ledger_series out;
        struct diag d = {0};
        enum err e = verdict_declare(catalogue, "penza/rosstat", &w, &out, &d);
        if (!c->says && e != ERR_OK)
            fail_msg("row %zu: %s", i, d.text);
        if (c->says && (e != ERR_INVALID || !strstr(d.text, c->says)))
            fail_msg("row %zu: not refused with '%s' but: %s", i, c->says, d.text);
    }
}

static void a_declared_series_has_its_full_name(void **state)
{
    struct wire_declare w = {.series = "kep/wage",
                             .unit = "money",
                             .currency = "RUB",
                             .class = WIRE_REPORT,
                             .period = PERIOD_MONTH};
    struct ledger_series out;
    (void)state;
    assert_int_equal(verdict_declare(catalogue, "penza/rosstat", &w, &out, NULL), ERR_OK);
    assert_string_equal(out.name, "penza/rosstat/kep/wage");
    assert_string_equal(out.unit, "money");
    assert_string_equal(out.currency, "RUB");
    assert_int_equal(out.period, PERIOD_MONTH);
}

// ---- samples ------------------------------------------------------------------------------------
static const struct ledger_series known[] = {
    {.series_id = 1, .name = "p/r/out_units", .unit = "piece", .class = WIRE_MEASUREMENT, .step_s = 10},
    {.series_id = 2,
     .name = "p/r/jobs_total",
     .unit = "person",
     .class = WIRE_REPORT,
     .period = PERIOD_MONTH},
    {.series_id = 3,
     .name = "p/r/inv",
     .unit = "money",
     .currency = "KZT",
     .class = WIRE_REPORT,
     .period = PERIOD_DAY},
    {.series_id = 4, .name = "p/r/occupancy", .unit = "percent", .class = WIRE_MEASUREMENT, .step_s = 60},
};

static struct verdict_series find(void *ctx, uint32_t number)
{
    static struct kpi bounded;
    (void)ctx;
    bounded.min = (struct figure){.kind = FIGURE_INTEGER, .integer = 0};
    bounded.max = (struct figure){.kind = FIGURE_INTEGER, .integer = 100};
    if (number >= 4)
        return (struct verdict_series){0};
    return (struct verdict_series){.series = &known[number], .kpi = number == 3 ? &bounded : NULL};
}

#define INT(v)                                                                                               \
    {                                                                                                        \
        .kind = FIGURE_INTEGER, .integer = (v)                                                               \
    }
#define REAL(v)                                                                                              \
    {                                                                                                        \
        .kind = FIGURE_REAL, .real = (v)                                                                     \
    }
#define NONE                                                                                                 \
    {                                                                                                        \
        .kind = FIGURE_MISSING                                                                               \
    }

static const struct sample_case {
    enum wire_class class;
    uint32_t series;
    int64_t time;
    struct figure value;
    enum wire_reason reason;
} samples[] = {
    {WIRE_MEASUREMENT, 0, NOW_S, INT(5), WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 0, NOW_S, NONE, WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 0, NOW_S, REAL(0.5), WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 0, NOW_S + 300, INT(5), WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 0, NOW_S + 310, INT(5), WIRE_REASON_FUTURE},
    {WIRE_MEASUREMENT, 0, INT64_MAX, INT(5), WIRE_REASON_FUTURE},
    {WIRE_MEASUREMENT, 0, NOW_S + 1, INT(5), WIRE_REASON_OFF_STEP},
    {WIRE_MEASUREMENT, 0, -10, INT(5), WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 0, -9, INT(5), WIRE_REASON_OFF_STEP},
    {WIRE_MEASUREMENT, 0, INT64_C(-2208988800), INT(5), WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 0, INT64_C(-2208988810), INT(5), WIRE_REASON_BEFORE_EPOCH},
    {WIRE_MEASUREMENT, 0, INT64_MIN, INT(5), WIRE_REASON_BEFORE_EPOCH},
    {WIRE_MEASUREMENT, 9, NOW_S, INT(5), WIRE_REASON_UNKNOWN_SERIES},
    {WIRE_MEASUREMENT, 5, NOW_S, INT(5), WIRE_REASON_UNKNOWN_SERIES},
    {WIRE_MEASUREMENT, 1, NOW_S, INT(5), WIRE_REASON_WRONG_CLASS},
    {WIRE_REPORT, 0, TODAY, INT(5), WIRE_REASON_WRONG_CLASS},
    {WIRE_REPORT, 1, TODAY, INT(5), WIRE_REASON_NONE},
    {WIRE_REPORT, 1, TODAY + 1, INT(5), WIRE_REASON_FUTURE},
    {WIRE_REPORT, 1, TODAY - 1, INT(5), WIRE_REASON_OFF_STEP},
    {WIRE_REPORT, 1, TODAY - 31, INT(5), WIRE_REASON_NONE},
    {WIRE_REPORT, 1, TODAY + 31, INT(5), WIRE_REASON_FUTURE},
    {WIRE_REPORT, 1, -25567, INT(5), WIRE_REASON_NONE},
    {WIRE_REPORT, 1, -25568, INT(5), WIRE_REASON_BEFORE_EPOCH},
    {WIRE_REPORT, 1, INT64_MAX, INT(5), WIRE_REASON_FUTURE},
    {WIRE_REPORT, 1, INT64_C(1) << 33, INT(5), WIRE_REASON_FUTURE},
    {WIRE_REPORT, 1, INT64_MIN, INT(5), WIRE_REASON_BEFORE_EPOCH},
    {WIRE_REPORT, 2, TODAY, INT(INT64_C(9000000000000000)), WIRE_REASON_NONE},
    {WIRE_REPORT, 2, TODAY, REAL(0.5), WIRE_REASON_MALFORMED}, // half a tiyin
    {WIRE_REPORT, 2, TODAY, REAL(1e17), WIRE_REASON_OUT_OF_RANGE},
    {WIRE_MEASUREMENT, 3, NOW_S, INT(0), WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 3, NOW_S, INT(100), WIRE_REASON_NONE},
    {WIRE_MEASUREMENT, 3, NOW_S, INT(101), WIRE_REASON_OUT_OF_RANGE},
    {WIRE_MEASUREMENT, 3, NOW_S, INT(-1), WIRE_REASON_OUT_OF_RANGE},
    {WIRE_MEASUREMENT, 3, NOW_S, REAL(100.5), WIRE_REASON_OUT_OF_RANGE},
    {WIRE_MEASUREMENT, 3, NOW_S, NONE, WIRE_REASON_NONE},
};

static enum wire_reason judge(enum wire_class class, const struct wire_sample *s,
                              const struct wire_note *note, int64_t now_s)
{
    struct wire_batch b = {
        .class = class, .declares = 6, .count = 1, .samples = s, .note_count = note ? 1 : 0, .notes = note};
    struct wire_refusal r[1];
    size_t refused;
    verdict_batch(&b, (struct wall){now_s * US_PER_S}, 0, find, NULL, r, &refused);
    return refused ? r[0].reason : WIRE_REASON_NONE;
}

static void samples_must_fit_their_series(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        const struct sample_case *c = &samples[i];
        struct wire_sample s = {.series = c->series, .time = c->time, .value = c->value};
        enum wire_reason r = judge(c->class, &s, NULL, NOW_S);
        if (r != c->reason)
            fail_msg("row %zu: %s instead of %s", i, wire_reason_name(r), wire_reason_name(c->reason));
    }
}

static struct verdict_series find_delivered(void *ctx, uint32_t number)
{
    static const char *const kpis[] = {"out_units", "jobs_total", "inv", "occupancy"};
    (void)ctx;
    return (struct verdict_series){.series = &known[number], .kpi = catalogue_find(catalogue, kpis[number])};
}

static void a_million_people_are_taken_of_one_resident_and_no_more(void **state)
{
    const struct wire_sample s[] = {{.series = 1, .time = TODAY, .value = INT(1000000)},
                                    {.series = 1, .time = TODAY, .value = INT(1000001)},
                                    {.series = 1, .time = TODAY, .value = REAL(1e9 + 0.5)},
                                    {.series = 2, .time = TODAY, .value = INT(INT64_C(9000000000000000))}};
    const struct wire_batch b = {.class = WIRE_REPORT, .declares = 4, .count = 4, .samples = s};
    struct wire_refusal r[4];
    size_t refused;
    (void)state;
    verdict_batch(&b, (struct wall){NOW_S * US_PER_S}, 0, find_delivered, NULL, r, &refused);
    assert_int_equal(refused, 2);
    assert_true(r[0].index == 1 && r[0].reason == WIRE_REASON_OUT_OF_RANGE);
    assert_true(r[1].index == 2 && r[1].reason == WIRE_REASON_OUT_OF_RANGE);
}

static void a_day_may_be_reported_as_soon_as_it_has_begun_anywhere(void **state)
{
    struct wire_sample s = {.series = 2, .time = TODAY + 1, .value = INT(1)};
    (void)state;
    assert_int_equal(judge(WIRE_REPORT, &s, NULL, NOW_S + 9 * 3600), WIRE_REASON_FUTURE);
    assert_int_equal(judge(WIRE_REPORT, &s, NULL, NOW_S + 10 * 3600), WIRE_REASON_NONE);
}

static void what_the_decoder_refused_stays_refused(void **state)
{
    struct wire_sample s = {.series = 0, .time = NOW_S, .value = NONE, .refused = WIRE_REASON_NOT_FINITE};
    (void)state;
    assert_int_equal(judge(WIRE_MEASUREMENT, &s, NULL, NOW_S), WIRE_REASON_NOT_FINITE);
}

static void notes_must_fit_their_sample(void **state)
{
    struct wire_sample money = {.series = 2, .time = TODAY, .value = INT(1)};
    struct wire_sample jobs = {.series = 1, .time = TODAY, .value = INT(1)};
    struct wire_sample missing = {.series = 1, .time = TODAY, .value = NONE};
    struct wire_note note = {.reason = "", .author = "", .currency = "USD"};
    (void)state;
    assert_int_equal(judge(WIRE_REPORT, &money, &note, NOW_S), WIRE_REASON_NONE);
    assert_int_equal(judge(WIRE_REPORT, &jobs, &note, NOW_S), WIRE_REASON_BAD_NOTE);
    note.currency = "XXX";
    assert_int_equal(judge(WIRE_REPORT, &money, &note, NOW_S), WIRE_REASON_BAD_NOTE);
    note.currency = "";
    note.status = WIRE_MISSING;
    assert_int_equal(judge(WIRE_REPORT, &missing, &note, NOW_S), WIRE_REASON_NONE);
    assert_int_equal(judge(WIRE_REPORT, &jobs, &note, NOW_S), WIRE_REASON_BAD_NOTE);
}

static void refusals_are_in_rising_order_with_their_notes_matched(void **state)
{
    struct wire_sample s[4] = {{.series = 1, .time = TODAY, .value = INT(1)},
                               {.series = 1, .time = TODAY + 1, .value = INT(1)},
                               {.series = 2, .time = TODAY, .value = INT(1)},
                               {.series = 1, .time = TODAY, .value = INT(1)}};
    struct wire_note notes[2] = {{.index = 2, .reason = "", .author = "", .currency = "USD"},
                                 {.index = 3, .reason = "", .author = "", .currency = "USD"}};
    struct wire_batch b = {
        .class = WIRE_REPORT, .declares = 6, .count = 4, .samples = s, .note_count = 2, .notes = notes};
    struct wire_refusal r[4];
    size_t refused;
    (void)state;
    verdict_batch(&b, (struct wall){NOW_S * US_PER_S}, 0, find, NULL, r, &refused);
    assert_int_equal(refused, 2);
    assert_int_equal(r[0].index, 1);
    assert_int_equal(r[0].reason, WIRE_REASON_FUTURE);
    assert_int_equal(r[1].index, 3);
    assert_int_equal(r[1].reason, WIRE_REASON_BAD_NOTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declares_must_fit_the_catalogue),
        cmocka_unit_test(a_declared_series_has_its_full_name),
        cmocka_unit_test(samples_must_fit_their_series),
        cmocka_unit_test(a_million_people_are_taken_of_one_resident_and_no_more),
        cmocka_unit_test(a_day_may_be_reported_as_soon_as_it_has_begun_anywhere),
        cmocka_unit_test(what_the_decoder_refused_stays_refused),
        cmocka_unit_test(notes_must_fit_their_sample),
        cmocka_unit_test(refusals_are_in_rising_order_with_their_notes_matched),
    };
    return cmocka_run_group_tests_name("verdict", tests, load, unload);
}
