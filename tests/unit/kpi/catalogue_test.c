#include "kpi/catalogue.h"
#include "kpi/formula.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char good[] = "units:\n"                                             // 1
                           "  - code: piece\n"                                    // 2
                           "    okei: \"796\"\n"                                  // 3
                           "    names: {en: pieces}\n"                            // 4
                           "  - code: money\n"                                    // 5
                           "    names: {en: money}\n"                             // 6
                           "  - code: percent\n"                                  // 7
                           "    names: {en: per cent}\n"                          // 8
                           "kpis:\n"                                              // 9
                           "  - code: out\n"                                      // 10
                           "    names: {en: Output, ru: Выпуск}\n"                // 11
                           "    topic: output\n"                                  // 12
                           "    kind: flow\n"                                     // 13
                           "    unit: piece\n"                                    // 14
                           "    per_product: true\n"                              // 15
                           "    over_time: sum\n"                                 // 16
                           "    over_residents: none\n"                           // 17
                           "    direction: up\n"                                  // 18
                           "    min: 0\n"                                         // 19
                           "  - code: staff\n"                                    // 20
                           "    names: {en: Staff}\n"                             // 21
                           "    topic: jobs\n"                                    // 22
                           "    kind: level\n"                                    // 23
                           "    unit: percent\n"                                  // 24
                           "    over_time: last\n"                                // 25
                           "    over_residents: sum\n"                            // 26
                           "    direction: none\n"                                // 27
                           "    min: -1.5\n"                                      // 28
                           "    max: 10\n"                                        // 29
                           "  - code: wage\n"                                     // 30
                           "    names: {en: Wage}\n"                              // 31
                           "    topic: investment\n"                              // 32
                           "    kind: level # of money\n"                         // 33
                           "    unit: money\n"                                    // 34
                           "    over_time: none\n"                                // 35
                           "    over_residents: weighted\n"                       // 36
                           "    weight: staff\n"                                  // 37
                           "    direction: down\n"                                // 38
                           "    max: 0\n"                                         // 39
                           "  - code: share\n"                                    // 40
                           "    names: {en: Share}\n"                             // 41
                           "    topic: park\n"                                    // 42
                           "    kind: computed\n"                                 // 43
                           "    unit: percent # of all\n"                         // 44
                           "    over_time: ratio\n"                               // 45
                           "    over_residents: ratio\n"                          // 46
                           "    formula: 100 * annualised(out) / (staff + 1.5)\n" // 47
                           "    direction: up # is good\n";                       // 48

struct fixture {
    char folder[TEMP_YAML_PATH];
};

static int setup(void **state)
{
    static struct fixture f;

    temp_folder_create(f.folder);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    const struct fixture *f = *state;

    temp_folder_remove(f->folder);
    return 0;
}

static enum err load(const struct fixture *f, const char *from, const char *to, char path[TEMP_YAML_PATH],
                     struct catalogue **out, struct diag *d)
{
    temp_yaml_write(f->folder, "catalogue.yaml", good, from, to, path);
    return catalogue_load(path, out, d);
}

static void catalogue_loads_every_field(void **state)
{
    char path[TEMP_YAML_PATH];
    struct catalogue *c = NULL;
    struct diag d = {0};

    if (load(*state, NULL, NULL, path, &c, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(catalogue_count(c), 4);
    assert_int_equal(catalogue_unit_count(c), 3);
    const struct kpi *out = catalogue_find(c, "out");
    assert_ptr_equal(out, catalogue_at(c, 0));
    assert_string_equal(out->names.text[LANG_RU], "Выпуск");
    assert_string_equal(out->names.text[LANG_KK], "Output");
    assert_string_equal(out->unit->okei, "796");
    assert_string_equal(out->unit->unece, "");
    assert_true(out->per_product && !out->money && out->kind == KPI_FLOW && out->topic == TOPIC_OUTPUT);
    assert_true(out->over_time == ROLLUP_SUM && out->over_residents == ROLLUP_NONE &&
                out->direction == DIRECTION_UP);
    assert_true(out->min.kind == FIGURE_INTEGER && out->min.integer == 0 && out->max.kind == FIGURE_MISSING);
    const struct kpi *staff = catalogue_find(c, "staff");
    assert_true(figure_to_real(staff->min) < -1.4 && staff->max.integer == 10);
    const struct kpi *wage = catalogue_find(c, "wage");
    assert_true(wage->money && wage->over_residents == ROLLUP_WEIGHTED && wage->direction == DIRECTION_DOWN);
    assert_string_equal(wage->weight, "staff");
    const struct kpi *share = catalogue_find(c, "share");
    assert_true(share->kind == KPI_COMPUTED && share->over_time == ROLLUP_RATIO);
    assert_string_equal(share->formula, "100 * annualised(out) / (staff + 1.5)");
    assert_int_equal(formula_part_count(share->computing), 2);
    assert_true(out->computing == NULL && wage->computing == NULL);
    assert_null(catalogue_find(c, "absent"));
    assert_null(catalogue_unit(c, "absent"));
    assert_null(catalogue_at(c, 4));
    assert_null(catalogue_unit_at(c, 3));
    catalogue_free(c);
}

static void catalogue_names_the_place_of_what_is_wrong(void **state)
{
    static const struct yaml_case cases[] = {
        {"    over_time: sum\n", "    over_times: sum\n", "16:5: kpis[0]", "over_times"},
        {"    min: 0\n", "    min: 0\n    colour: red\n", "20:5: kpis[0]", "colour"},
        {"code: piece", "code: Piece", "2:11: units[0].code: ", "\"Piece\" is not a code"},
        {"code: percent", "code: piece", "7:11: units[2].code: ", "twice"},
        {"{en: pieces}", "{ru: штуки}", "4:12: units[0].names", "en"},
        {"{en: pieces}", "{en: \"\"}", "4:17: units[0].names.en: ", "is empty"},
        {"{en: pieces}", "{en: pieces, de: Stück}", "4:25: units[0].names.de: ", "unknown key"},
        {"okei: \"796\"", "okei: \"\"", "3:11: units[0].okei: ", "is empty"},
        {"ru: Выпуск", "ru: \" \"", "11:29: kpis[0].names.ru: ", "is empty"},
        {"code: out\n", "code: o/ut\n", "10:11: kpis[0].code: ", "is not a code"},
        {"code: staff\n", "code: out\n", "20:11: kpis[1].code: ", "twice"},
        {"topic: output", "topic: outputs", "12:12: kpis[0].topic: ", "output | jobs | investment | park"},
        {"kind: flow", "kind: stream", "13:11: kpis[0].kind: ", "level | flow | computed"},
        {"unit: piece\n", "unit: pieces\n", "14:11: kpis[0].unit: ", "not one of the units"},
        {"per_product: true", "per_product: perhaps", "15:18: kpis[0].per_product: ", ""},
        {"over_residents: none", "over_residents: sum", "17:21: kpis[0].over_residents: ", "unlike products"},
        {"over_residents: none", "over_residents: all",
         "17:21: kpis[0].over_residents: ", "none | sum | last | weighted"},
        {"over_time: sum\n", "over_time: last\n", "16:16: kpis[0].over_time: ", "of a flow is sum or none"},
        {"direction: up\n", "direction: left\n", "18:16: kpis[0].direction: ", "none | up | down"},
        {"min: 0\n", "min: zero\n", "19:10: kpis[0].min: ", "not a decimal number"},
        {"over_time: last\n", "over_time: sum\n", "25:16: kpis[1].over_time: ", "never summed over time"},
        {"over_time: last\n", "over_time: ratio\n",
         "25:16: kpis[1].over_time: ", "of a level is last or none"},
        {"over_residents: sum", "over_residents: last", "26:21: kpis[1].over_residents: ", "of a level"},
        {"min: -1.5", "min: 11", "29:10: kpis[1].max: ", "less than min 11"},
        {"max: 10", "max: 10\n    weight: wage", "30:13: kpis[1].weight: ", "only weighted"},
        {"max: 10", "max: 10\n    formula: out", "30:14: kpis[1].formula: ", "only a computed"},
        {"weight: staff", "weight: nobody", "37:13: kpis[2].weight: ", "no other KPI \"nobody\""},
        {"weight: staff", "weight: wage", "37:13: kpis[2].weight: ", "no other KPI \"wage\""},
        {"weight: staff", "weight: out", "37:13: kpis[2].weight: ", "unlike products"},
        {"    weight: staff\n", "", "36:21: kpis[2].over_residents: ", "needs weight"},
        {"max: 0\n", "max: 1.5\n", "39:10: kpis[2].max: ", "of money is a whole number"},
        {"over_time: ratio", "over_time: sum", "45:16: kpis[3].over_time: ", "never averaged"},
        {"over_residents: ratio", "over_residents: sum", "46:21: kpis[3].over_residents: ", "never averaged"},
        {"    formula: 100 * annualised(out) / (staff + 1.5)\n", "", "40:5: kpis[3]: ", "needs its formula"},
        {"annualised(out)", "annualised(outt)", "47:31: kpis[3].formula: ", "no other KPI \"outt\""},
        {"annualised(out)", "share", "47:20: kpis[3].formula: ", "no other KPI \"share\""},
        {"annualised(out)", "annualised(staff)", "47:31: kpis[3].formula: ", "only flows are scaled"},
        {"annualised(out)", "system(out)", "47:20: kpis[3].formula: ", "no function"},
        {"annualised(out)", "out; out", "47:23: kpis[3].formula: ", "+ - * / or"},
        {"(staff + 1.5)", "(staff + 1.5", "47:38: kpis[3].formula: ", "never closed"},
        {"(staff + 1.5)", "staff) + (1.5", "47:43: kpis[3].formula: ", "closes no bracket"},
        {"100 * annualised(out) / (staff + 1.5)", "\"100 * -out\"",
         "47:21: kpis[3].formula: ", "belongs here"},
        {"max: 10\n", "max: 10\n    class: report\n", "20:5: kpis[1]: ", "said together"},
        {"max: 10\n", "max: 10\n    class: report\n    archives: calendar\n",
         "20:5: kpis[1].every: ", "how often"},
        {"max: 10\n", "max: 10\n    class: report\n    every: 10s\n    archives: calendar\n",
         "31:12: kpis[1].every: ", "day, month, quarter or year"},
        {"max: 10\n", "max: 10\n    class: measurement\n    every: 2h\n    archives: machine\n",
         "31:12: kpis[1].every: ", "10s to 1h"},
        {"max: 10\n", "max: 10\n    class: measurement\n    every: 10s\n    archives: calendar\n",
         "32:15: kpis[1].archives: ", "machine"},
        {"max: 10\n", "max: 10\n    class: computed\n    archives: none\n",
         "30:12: kpis[1].class: ", "where kind is"},
        {"max: 10\n", "max: 10\n    class: weekly\n    archives: none\n",
         "30:12: kpis[1].class: ", "measurement | report"},
        {"over_residents: sum", "over_residents: histogram",
         "26:21: kpis[1].over_residents: ", "whole min and max"},
        {"unit: percent # of all", "unit: [percent]", "44:11: kpis[3].unit", ""},
        {"direction: up # is good", "direction: up\n    direction: up", "49:5: direction: ", "twice"},
        {"kpis:\n", "kpis: none\nothers:\n", "9:7: kpis", ""},
        {"units:\n", "units: [\n", "", "not YAML"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[TEMP_YAML_PATH];
        struct catalogue *c = NULL;
        struct diag d = {0};
        enum err e = load(*state, cases[i].from, cases[i].to, path, &c, &d);
        expect_yaml_error(&cases[i], path, e, &d);
        assert_null(c);
    }
}

static void catalogue_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    struct catalogue *c = NULL;
    struct diag d = {0};

    assert_int_equal(catalogue_load("/nonexistent/catalogue.yaml", &c, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, "/nonexistent/catalogue.yaml"));
    assert_null(c);
    catalogue_free(NULL);
}

static void languages_have_codes_that_parse(void **state)
{
    (void)state;
    static const char *const codes[] = {"en", "ru", "kk", "uz", "ky"};
    enum lang l = LANG_EN;

    for (size_t i = 0; i < COUNT(codes); i++) {
        assert_int_equal(lang_parse(codes[i], &l), ERR_OK);
        assert_int_equal(l, i);
        assert_string_equal(lang_code(l), codes[i]);
    }
    assert_int_equal(lang_parse("de", &l), ERR_INVALID);
    assert_int_equal(lang_parse("", &l), ERR_INVALID);
    assert_string_equal(lang_code((enum lang)99), "en");
}

// ---- the catalogue that is delivered
// ---------------------------------------------------------------------------------

struct row {
    const char *code;
    enum kpi_topic topic;
    enum kpi_kind kind;
    const char *unit;
    enum kpi_rollup over_time, over_residents;
    enum kpi_direction direction;
};

#define O    TOPIC_OUTPUT
#define J    TOPIC_JOBS
#define I    TOPIC_INVESTMENT
#define P    TOPIC_PARK
#define UP   DIRECTION_UP
#define DOWN DIRECTION_DOWN
#define ZERO DIRECTION_NONE
#define LEVEL(code, topic, unit, residents, way)                                                             \
    {                                                                                                        \
        code, topic, KPI_LEVEL, unit, ROLLUP_LAST, residents, way                                            \
    }
#define FLOW(code, topic, unit, residents, way)                                                              \
    {                                                                                                        \
        code, topic, KPI_FLOW, unit, ROLLUP_SUM, residents, way                                              \
    }
#define COMPUTED(code, topic, unit, way)                                                                     \
    {                                                                                                        \
        code, topic, KPI_COMPUTED, unit, ROLLUP_RATIO, ROLLUP_RATIO, way                                     \
    }

static const struct row published[] = {
    FLOW("out_units", O, "piece", ROLLUP_NONE, UP),
    FLOW("out_value", O, "money", ROLLUP_SUM, UP),
    LEVEL("cap_nominal", O, "piece", ROLLUP_NONE, ZERO),
    COMPUTED("cap_util", O, "percent", UP),
    FLOW("apt_s", O, "second", ROLLUP_SUM, UP),
    FLOW("pbt_s", O, "second", ROLLUP_SUM, ZERO),
    COMPUTED("oee", O, "percent", UP),
    COMPUTED("oee_avail", O, "percent", UP),
    COMPUTED("oee_eff", O, "percent", UP),
    COMPUTED("oee_qual", O, "percent", UP),
    FLOW("good_units", O, "piece", ROLLUP_NONE, UP),
    FLOW("scrap_units", O, "piece", ROLLUP_NONE, DOWN),
    FLOW("downtime_s", O, "second", ROLLUP_SUM, DOWN),
    FLOW("new_products", O, "unit", ROLLUP_SUM, UP),
    FLOW("export_value", O, "money", ROLLUP_SUM, UP),
    LEVEL("local_content", O, "percent", ROLLUP_WEIGHTED, UP),
    COMPUTED("mkt_share", O, "percent", UP),
    LEVEL("jobs_total", J, "person", ROLLUP_SUM, UP),
    FLOW("jobs_created", J, "person", ROLLUP_SUM, UP),
    FLOW("jobs_hq", J, "person", ROLLUP_SUM, UP),
    LEVEL("vacancies", J, "unit", ROLLUP_SUM, ZERO),
    LEVEL("wage_avg", J, "money", ROLLUP_WEIGHTED, UP),
    COMPUTED("productivity", J, "money", UP),
    LEVEL("trainees", J, "person", ROLLUP_SUM, UP),
    FLOW("grads_hired", J, "person", ROLLUP_SUM, UP),
    COMPUTED("ltifr", J, "per_million_hours", DOWN),
    FLOW("inv", I, "money", ROLLUP_SUM, UP),
    FLOW("inv_private", I, "money", ROLLUP_SUM, UP),
    FLOW("inv_raised", I, "money", ROLLUP_SUM, UP),
    COMPUTED("inv_plan_pct", I, "percent", UP),
    FLOW("taxes_paid", I, "money", ROLLUP_SUM, UP),
    FLOW("order_intake", I, "money", ROLLUP_SUM, UP),
    FLOW("res_launched", P, "unit", ROLLUP_SUM, UP),
    LEVEL("prj_stage", P, "stage", ROLLUP_HISTOGRAM, UP),
    FLOW("apps_received", P, "unit", ROLLUP_SUM, UP),
    LEVEL("occupancy", P, "percent", ROLLUP_WEIGHTED, UP),
    FLOW("accel_companies", P, "unit", ROLLUP_SUM, UP),
    FLOW("energy_kwh", P, "kwh", ROLLUP_SUM, DOWN),
    {"kep", P, KPI_LEVEL, "any", ROLLUP_NONE, ROLLUP_NONE, ZERO},
};

static struct catalogue *delivered(void)
{
    struct catalogue *c = NULL;
    struct diag d = {0};

    if (catalogue_load("deploy/catalogue.yaml", &c, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return c;
}

static void the_delivered_catalogue_has_every_kpi_with_its_rollups(void **state)
{
    (void)state;
    struct catalogue *c = delivered();

    for (size_t i = 0; i < COUNT(published); i++) {
        const struct row *r = &published[i];
        const struct kpi *k = catalogue_find(c, r->code);
        if (k == NULL) {
            fail_msg("%s is not there", r->code);
            break;
        }
        if (k->topic != r->topic || k->kind != r->kind || k->over_time != r->over_time ||
            k->over_residents != r->over_residents || k->direction != r->direction ||
            strcmp(k->unit->code, r->unit) != 0)
            fail_msg("%s is not as published", r->code);
    }
    catalogue_free(c);
}

static void the_delivered_catalogue_says_of_every_kpi_how_it_comes_and_what_is_kept(void **state)
{
    (void)state;
    struct catalogue *c = delivered();

    for (size_t i = 0; i < catalogue_count(c); i++) {
        const struct kpi *k = catalogue_at(c, i);
        bool computed = k->kind == KPI_COMPUTED;
        bool usual = k->class == KPI_MEASUREMENT ? k->step_s > 0 && k->archives == ARCHIVES_MACHINE
                     : k->class == KPI_REPORT ? k->period != PERIOD_NONE && k->archives == ARCHIVES_CALENDAR
                                              : k->class == KPI_MADE && k->archives == ARCHIVES_NONE;
        if (!usual || computed != (k->class == KPI_MADE) || computed != (k->computing != NULL))
            fail_msg("%s: class, every and archives are not said, or not alike", k->code);
    }
    catalogue_free(c);
}

// Beyond its bounds a figure can only be a slip. Money of unlike currencies has no common bound but 2^53.
static void the_delivered_catalogue_bounds_every_kpi_that_is_reported(void **state)
{
    struct catalogue *c = delivered();
    (void)state;
    for (size_t i = 0; i < catalogue_count(c); i++) {
        const struct kpi *k = catalogue_at(c, i);
        bool bounded = k->min.kind != FIGURE_MISSING && k->max.kind != FIGURE_MISSING;
        if (k->kind == KPI_COMPUTED || k->money || strcmp(k->unit->code, "any") == 0)
            continue;
        if (!bounded)
            fail_msg("%s has no min or no max", k->code);
        if (strcmp(k->unit->code, "person") == 0 && figure_to_real(k->max) > 1e6)
            fail_msg("%s: more than a million people with one resident", k->code);
        if (strcmp(k->unit->code, "percent") == 0 && figure_to_real(k->max) != 100)
            fail_msg("%s: a share of more than all", k->code);
    }
    catalogue_free(c);
}

static void the_delivered_catalogue_never_adds_unlike_pieces(void **state)
{
    (void)state;
    struct catalogue *c = delivered();

    for (size_t i = 0; i < catalogue_count(c); i++) {
        const struct kpi *k = catalogue_at(c, i);
        if (strcmp(k->unit->code, "piece") == 0 && (!k->per_product || k->over_residents != ROLLUP_NONE))
            fail_msg("%s is in pieces and is added up", k->code);
        if (strcmp(k->unit->code, "percent") == 0 &&
            (k->over_time == ROLLUP_SUM || k->over_residents == ROLLUP_SUM))
            fail_msg("%s is a per cent and is added up", k->code);
    }
    assert_string_equal(catalogue_find(c, "wage_avg")->weight, "jobs_total");
    assert_string_equal(catalogue_find(c, "local_content")->weight, "out_value");
    assert_string_equal(catalogue_find(c, "occupancy")->weight, "area");
    catalogue_free(c);
}

// A name that is missing shows the English one by pointer; a real translation may well read the same.
static void expect_translated(const char *code, const struct names *n)
{
    for (unsigned l = LANG_RU; l < LANG_COUNT; l++) {
        if (n->text[l] == n->text[LANG_EN])
            fail_msg("%s has no name in %s", code, lang_code((enum lang)l));
    }
}

static void the_delivered_catalogue_speaks_five_languages(void **state)
{
    (void)state;
    struct catalogue *c = delivered();

    for (size_t i = 0; i < catalogue_count(c); i++)
        expect_translated(catalogue_at(c, i)->code, &catalogue_at(c, i)->names);
    for (size_t i = 0; i < catalogue_unit_count(c); i++)
        expect_translated(catalogue_unit_at(c, i)->code, &catalogue_unit_at(c, i)->names);
    catalogue_free(c);
}

static void the_delivered_units_have_their_codes(void **state)
{
    (void)state;
    static const struct {
        const char *code, *okei, *unece;
    } table[] = {
        {"piece", "796", "H87"}, {"person", "792", "IE"}, {"unit", "642", "C62"}, {"percent", "744", "P1"},
        {"hour", "356", "HUR"},  {"m2", "055", "MTK"},    {"kwh", "245", "KWH"},  {"second", "", "SEC"},
        {"money", "", ""},       {"any", "", ""},         {"rub", "383", ""},     {"bln_rub", "386", ""},
    };
    struct catalogue *c = delivered();

    for (size_t i = 0; i < COUNT(table); i++) {
        const struct kpi_unit *u = catalogue_unit(c, table[i].code);
        assert_non_null(u);
        assert_string_equal(u->okei, table[i].okei);
        assert_string_equal(u->unece, table[i].unece);
    }
    catalogue_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(catalogue_loads_every_field, setup, teardown),
        cmocka_unit_test_setup_teardown(catalogue_names_the_place_of_what_is_wrong, setup, teardown),
        cmocka_unit_test(catalogue_that_is_not_there_is_not_found),
        cmocka_unit_test(languages_have_codes_that_parse),
        cmocka_unit_test(the_delivered_catalogue_has_every_kpi_with_its_rollups),
        cmocka_unit_test(the_delivered_catalogue_bounds_every_kpi_that_is_reported),
        cmocka_unit_test(the_delivered_catalogue_says_of_every_kpi_how_it_comes_and_what_is_kept),
        cmocka_unit_test(the_delivered_catalogue_never_adds_unlike_pieces),
        cmocka_unit_test(the_delivered_catalogue_speaks_five_languages),
        cmocka_unit_test(the_delivered_units_have_their_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
