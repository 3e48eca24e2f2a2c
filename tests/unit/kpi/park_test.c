#include "kpi/park.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char good[] = "code: test-park\n"                          // 1
                           "names: {en: Test park, ru: Парк}\n"         // 2
                           "city: {en: Almaty}\n"                       // 3
                           "about: {en: A park}\n"                      // 4
                           "time_zone: Asia/Almaty\n"                   // 5
                           "currency: KZT # its own\n"                  // 6
                           "dimensions:\n"                              // 7
                           "  - code: fridges\n"                        // 8
                           "    names: {en: Fridges}\n"                 // 9
                           "residents:\n"                               // 10
                           "  - code: plant\n"                          // 11
                           "    names: {en: Plant}\n"                   // 12
                           "    about: {en: Makes fridges}\n"           // 13
                           "    simulated: true\n"                      // 14
                           "  - code: office\n"                         // 15
                           "    names: {en: Office}\n"                  // 16
                           "    about: {en: Publishes}\n"               // 17
                           "    simulated: false\n"                     // 18
                           "    public: true\n"                         // 19
                           "    source: an office\n"                    // 20
                           "statements:\n"                              // 21
                           "  - id: jobs\n"                             // 22
                           "    kind: target\n"                         // 23
                           "    names: {en: New jobs}\n"                // 24
                           "    kpi: jobs_created\n"                    // 25
                           "    value: \">= 2000\"\n"                   // 26
                           "    cumulative: true\n"                     // 27
                           "    due: 2022\n"                            // 28
                           "    due_or: 2021\n"                         // 29
                           "    due_text: until 2022\n"                 // 30
                           "    assumed: the later reading\n"           // 31
                           "    note: a note\n"                         // 32
                           "    source: a text\n"                       // 33
                           "  - id: capacity\n"                         // 34
                           "    kind: capacity\n"                       // 35
                           "    names: {en: Capacity}\n"                // 36
                           "    kpi: cap_nominal\n"                     // 37
                           "    dimension: fridges\n"                   // 38
                           "    resident: plant\n"                      // 39
                           "    value: unknown\n"                       // 40
                           "    per: year\n"                            // 41
                           "    at: unknown\n"                          // 42
                           "    source: a text of 2021\n"               // 43
                           "  - id: orders\n"                           // 44
                           "    kind: event\n"                          // 45
                           "    names: {en: Orders}\n"                  // 46
                           "    kpi: order_intake\n"                    // 47
                           "    value: about 1.5 .. 2\n"                // 48
                           "    currency: RUB\n"                        // 49
                           "    at: 2023-06-08\n"                       // 50
                           "    at_end: 2023-06-09\n"                   // 51
                           "    scope: the whole exchange\n"            // 52
                           "    source: a text of 2023\n"               // 53
                           "  - id: part\n"                             // 54
                           "    kind: fact\n"                           // 55
                           "    names: {en: Part of the orders}\n"      // 56
                           "    kpi: order_intake # again\n"            // 57
                           "    value: 1\n"                             // 58
                           "    currency: RUB # again\n"                // 59
                           "    at: 2023-Q2\n"                          // 60
                           "    part_of: orders\n"                      // 61
                           "    source: a text of 2024\n"               // 62
                           "  - id: doubled\n"                          // 63
                           "    kind: fact # an index\n"                // 64
                           "    names: {en: Twice as many}\n"           // 65
                           "    kpi: apps_received\n"                   // 66
                           "    value: 200\n"                           // 67
                           "    base: 100\n"                            // 68
                           "    unit: index\n"                          // 69
                           "    at: unknown # when\n"                   // 70
                           "    at_text: the pandemic\n"                // 71
                           "    source: a text of 2020\n"               // 72
                           "programmes:\n"                              // 73
                           "  - id: training\n"                         // 74
                           "    kind: funnel\n"                         // 75
                           "    names: {en: Training}\n"                // 76
                           "    stages: [{en: Trained}, {en: Hired}]\n" // 77
                           "    overlap: true\n"                        // 78
                           "    source: a programme\n";                 // 79

struct fixture {
    char folder[TEMP_YAML_PATH];
    struct catalogue *catalogue;
};

static int setup(void **state)
{
    static struct fixture f;
    struct diag d = {0};

    temp_folder_create(f.folder);
    if (catalogue_load("deploy/catalogue.yaml", &f.catalogue, &d) != ERR_OK)
        fail_msg("%s", d.text);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    const struct fixture *f = *state;

    catalogue_free(f->catalogue);
    temp_folder_remove(f->folder);
    return 0;
}

static enum err load(const struct fixture *f, const char *from, const char *to, char path[TEMP_YAML_PATH],
                     struct park **out, struct diag *d)
{
    temp_yaml_write(f->folder, "park.yaml", good, from, to, path);
    return park_load(path, f->catalogue, out, d);
}

static struct park *load_good(const struct fixture *f)
{
    char path[TEMP_YAML_PATH];
    struct park *p = NULL;
    struct diag d = {0};

    if (load(f, NULL, NULL, path, &p, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return p;
}

static void park_loads_its_head_residents_and_programmes(void **state)
{
    struct park *p = load_good(*state);

    assert_string_equal(p->code, "test-park");
    assert_string_equal(p->names.text[LANG_RU], "Парк");
    assert_string_equal(p->names.text[LANG_KY], "Test park");
    assert_string_equal(p->city.text[LANG_UZ], "Almaty");
    assert_string_equal(p->time_zone, "Asia/Almaty");
    assert_string_equal(p->currency, "KZT");
    assert_int_equal(p->resident_count, 2);
    assert_true(park_resident(p, "plant")->simulated && !park_resident(p, "plant")->is_public);
    assert_string_equal(park_resident(p, "plant")->source, "");
    assert_true(!park_resident(p, "office")->simulated && park_resident(p, "office")->is_public);
    assert_string_equal(park_resident(p, "office")->source, "an office");
    assert_string_equal(park_dimension(p, "fridges")->names.text[LANG_EN], "Fridges");
    assert_int_equal(p->programme_count, 1);
    assert_int_equal(p->programmes[0].kind, PROGRAMME_FUNNEL);
    assert_int_equal(p->programmes[0].stage_count, 2);
    assert_string_equal(p->programmes[0].stages[1].text[LANG_KK], "Hired");
    assert_true(p->programmes[0].overlap);
    assert_string_equal(p->programmes[0].assumed, "");
    assert_null(park_resident(p, "absent"));
    assert_null(park_statement(p, "absent"));
    assert_null(park_dimension(p, "absent"));
    park_free(p);
}

static void park_keeps_the_doubts_of_a_target(void **state)
{
    struct park *p = load_good(*state);
    const struct statement *s = park_statement(p, "jobs");

    assert_true(s->kind == STATEMENT_TARGET && s->comparator == COMPARE_GE && !s->about && s->cumulative);
    assert_true(s->value.kind == FIGURE_INTEGER && s->value.integer == 2000);
    assert_string_equal(s->unit, "person"); // the KPI's
    assert_string_equal(s->due, "2022");
    assert_string_equal(s->due_or, "2021");
    assert_string_equal(s->due_text, "until 2022");
    assert_string_equal(s->assumed, "the later reading");
    assert_string_equal(s->note, "a note");
    assert_string_equal(s->at, "");
    assert_string_equal(s->scope, "");
    assert_string_equal(s->currency, "");
    assert_true(statement_counts(s));
    park_free(p);
}

static void park_keeps_what_is_unknown_and_what_belongs_to_others(void **state)
{
    struct park *p = load_good(*state);
    const struct statement *capacity = park_statement(p, "capacity");
    const struct statement *orders = park_statement(p, "orders");
    const struct statement *doubled = park_statement(p, "doubled");

    assert_int_equal(capacity->value.kind, FIGURE_MISSING);
    assert_string_equal(capacity->per, "year");
    assert_string_equal(capacity->at, "");
    assert_string_equal(capacity->resident, "plant");
    assert_true(orders->comparator == COMPARE_RANGE && orders->about);
    assert_true(orders->value.integer == 150 && orders->value_high.integer == 200); // kopecks
    assert_string_equal(orders->at_end, "2023-06-09");
    assert_string_equal(orders->scope, "the whole exchange");
    assert_false(statement_counts(orders));
    assert_string_equal(park_statement(p, "part")->part_of, "orders");
    assert_false(statement_counts(park_statement(p, "part")));
    assert_true(doubled->base.integer == 100 && doubled->value.integer == 200);
    assert_string_equal(doubled->unit, "index");
    assert_string_equal(doubled->at_text, "the pandemic");
    park_free(p);
}

static void park_without_lists_is_a_park(void **state)
{
    const struct fixture *f = *state;
    char path[TEMP_YAML_PATH];
    struct park *p = NULL;
    struct diag d = {0};

    temp_yaml_write(f->folder, "bare.yaml",
                    "code: bare\nnames: {en: Bare}\ncity: {en: Bishkek}\nabout: {en: New}\n"
                    "time_zone: Asia/Bishkek\ncurrency: KGS\n",
                    NULL, NULL, path);
    assert_int_equal(park_load(path, f->catalogue, &p, &d), ERR_OK);
    assert_true(p->resident_count == 0 && p->statement_count == 0 && p->programme_count == 0 &&
                p->dimension_count == 0);
    park_free(p);
}

static void expect_all(const struct fixture *f, const struct yaml_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[TEMP_YAML_PATH];
        struct park *p = NULL;
        struct diag d = {0};
        enum err e = load(f, cases[i].from, cases[i].to, path, &p, &d);
        expect_yaml_error(&cases[i], path, e, &d);
        assert_null(p);
    }
}

static void park_names_the_place_of_a_wrong_head_resident_or_programme(void **state)
{
    static const struct yaml_case cases[] = {
        {"code: test-park", "code: Test", "1:7: code: ", "is not a code"},
        {"{en: Test park, ru: Парк}", "{ru: Парк}", "2:8: names", "en"},
        {"ru: Парк", "ru: \"\"", "2:28: names.ru: ", "is empty"},
        {"Asia/Almaty", "Asia/Atlantis", "5:12: time_zone: ", "not in /usr/share/zoneinfo"},
        {"Asia/Almaty", "../../../etc/passwd", "5:12: time_zone: ", "not in"},
        {"Asia/Almaty", "/etc/passwd", "5:12: time_zone: ", "not in"},
        {"Asia/Almaty", "\"\"", "5:12: time_zone: ", "not in"},
        {"currency: KZT # its own", "currency: ZZZ", "6:11: currency: ", "not one of"},
        {"currency: KZT # its own", "colour: red", "6:1: colour: ", "unknown key"},
        {"  - code: fridges\n", "  - code: fridges\n    names: {en: F}\n  - code: fridges\n",
         "10:11: dimensions[1].code: ", "twice"},
        {"code: fridges", "code: \"-\"", "8:11: dimensions[0].code: ", "is not a code"},
        {"code: office", "code: plant", "15:11: residents[1].code: ", "twice"},
        {"code: plant", "code: all", "11:11: residents[0].code: ", "kept for the park's totals"},
        {"code: plant", "code: pl ant", "11:11: residents[0].code: ", "is not a code"},
        {"simulated: true", "simulated: maybe", "14:16: residents[0].simulated: ", ""},
        {"    simulated: true\n", "", "11:5: residents[0]", "simulated"},
        {"simulated: true", "simulated: true\n    source: a book",
         "15:13: residents[0].source: ", "have no source"},
        {"    source: an office\n", "", "15:5: residents[1]: ", "need their source"},
        {"source: an office", "source: \"\"", "20:13: residents[1].source: ", "is empty"},
        {"kind: funnel", "kind: tunnel", "75:11: programmes[0].kind: ", "funnel | stages | register"},
        {"id: training", "id: Training", "74:9: programmes[0].id: ", "is not a code"},
        {"{en: Hired}", "{en: Hired, ru: \"\"}", "77:45: programmes[0].stages[1].ru: ", "is empty"},
        {"{en: Hired}", "{ru: Нанят}", "77:29: programmes[0].stages[1]", "en"},
        {"source: a programme\n", "source: \" \"\n", "79:13: programmes[0].source: ", "is empty"},
        {"source: a programme\n", "source: s\n  - {id: training, kind: stages, names: {en: T}, source: s}\n",
         "80:10: programmes[1].id: ", "twice"},
    };

    expect_all(*state, cases, COUNT(cases));
}

static void park_names_the_place_of_a_wrong_statement(void **state)
{
    static const struct yaml_case cases[] = {
        {"id: jobs", "id: new jobs", "22:9: statements[0].id: ", "is not a code"},
        {"id: capacity", "id: jobs", "34:9: statements[1].id: ", "twice"},
        {"kind: target", "kind: wish", "23:11: statements[0].kind: ", "fact | target | capacity | event"},
        {"kpi: jobs_created", "kpi: jobs", "25:10: statements[0].kpi: ", "no KPI \"jobs\" in the catalogue"},
        {"kpi: jobs_created", "kpi: \"\"", "25:10: statements[0].kpi: ", "is empty"},
        {"    kpi: jobs_created\n", "", "22:5: statements[0]: ", "needs a unit"},
        {"    kpi: jobs_created\n", "    unit: any\n",
         "25:11: statements[0].unit: ", "needs a unit of its own"},
        {"    kpi: jobs_created\n", "    unit: parsec\n",
         "25:11: statements[0].unit: ", "no unit \"parsec\""},
        {"kpi: jobs_created", "kpi: jobs_created\n    unit: piece",
         "26:11: statements[0].unit: ", "is in person"},
        {"kpi: jobs_created", "kpi: jobs_created\n    currency: KZT",
         "26:15: statements[0].currency: ", "is of money"},
        {"kpi: jobs_created", "kpi: inv", "22:5: statements[0]: ", "needs its currency"},
        {"kpi: jobs_created", "kpi: jobs_created\n    base: 100",
         "26:11: statements[0].base: ", "belongs to an index"},
        {"\">= 2000\"", "\">=2000\"", "26:12: statements[0].value: ", "is not [about]"},
        {"\">= 2000\"", "2,000", "26:12: statements[0].value: ", "is not [about]"},
        {"    value: \">= 2000\"\n", "", "22:5: statements[0]", "value"},
        {"    due: 2022\n", "", "22:5: statements[0]: ", "a target needs due"},
        {"due: 2022\n", "due: soon\n", "28:10: statements[0].due: ", "is not like 2026"},
        {"due: 2022\n", "due: 2022-02-30\n", "28:10: statements[0].due: ", "is not like 2026"},
        {"due: 2022\n", "due: unknown\n", "29:13: statements[0].due_or: ", "another reading"},
        {"due_or: 2021", "due_or: or so", "29:13: statements[0].due_or: ", "is not like 2026"},
        {"    due_text: until 2022\n", "", "29:13: statements[0].due_or: ", "another reading"},
        {"due_text: until 2022", "at: 2022", "30:9: statements[0].at: ", "a target has due, not at"},
        {"due_text: until 2022", "at_text: then",
         "30:14: statements[0].at_text: ", "a target has due, not at"},
        {"assumed: the later reading", "assumed: \"\"", "31:14: statements[0].assumed: ", "is empty"},
        {"source: a text\n", "source: \"\"\n", "33:13: statements[0].source: ", "is empty"},
        {"    source: a text\n", "", "22:5: statements[0]", "source"},
        {"    dimension: fridges\n", "", "37:10: statements[1].kpi: ", "unlike products"},
        {"dimension: fridges", "dimension: ovens",
         "38:16: statements[1].dimension: ", "not one of the park's"},
        {"resident: plant", "resident: nobody", "39:15: statements[1].resident: ", "no resident \"nobody\""},
        {"value: unknown", "value: \"\"", "40:12: statements[1].value: ", "or unknown"},
        {"per: year", "per: annum", "41:10: statements[1].per: ", "day | month | quarter | year"},
        {"    at: unknown\n", "", "34:5: statements[1]: ", "a capacity needs at"},
        {"    at: unknown\n", "    at: 2021\n    due: 2022\n",
         "43:10: statements[1].due: ", "only a target has it"},
        {"    at: unknown\n", "    at: 2021\n    due_text: soon\n",
         "43:15: statements[1].due_text: ", "only a target"},
        {"at_end: 2023-06-09", "at_end: 2023-06-08", "51:13: statements[2].at_end: ", "a day after at"},
        {"at_end: 2023-06-09", "at_end: 2023-07", "51:13: statements[2].at_end: ", "a day after at"},
        {"at: 2023-06-08", "at: unknown", "51:13: statements[2].at_end: ", "a day after at"},
        {"currency: RUB\n", "currency: roubles\n", "49:15: statements[2].currency: ", "needs its currency"},
        {"about 1.5 .. 2", "about 2 .. 1.5", "48:12: statements[2].value: ", "low .. high"},
        {"about 1.5 .. 2", "1.555", "48:12: statements[2].value: ", "is not"},
        {"part_of: orders", "part_of: part", "61:14: statements[3].part_of: ", "no other statement \"part\""},
        {"part_of: orders", "part_of: all", "61:14: statements[3].part_of: ", "no other statement \"all\""},
        {"part_of: orders", "part_of: jobs", "61:14: statements[3].part_of: ", "another unit or currency"},
        {"currency: RUB # again", "currency: USD",
         "61:14: statements[3].part_of: ", "another unit or currency"},
        {"base: 100", "base: 0", "68:11: statements[4].base: ", "not a number above 0"},
        {"base: 100", "base: many", "68:11: statements[4].base: ", "not a number above 0"},
        {"cumulative: true", "cumulative: 7", "27:17: statements[0].cumulative: ", ""},
        {"cumulative: true", "comulative: true", "27:5: statements[0].comulative: ", "unknown key"},
    };

    expect_all(*state, cases, COUNT(cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(park_loads_its_head_residents_and_programmes),
        cmocka_unit_test(park_keeps_the_doubts_of_a_target),
        cmocka_unit_test(park_keeps_what_is_unknown_and_what_belongs_to_others),
        cmocka_unit_test(park_without_lists_is_a_park),
        cmocka_unit_test(park_names_the_place_of_a_wrong_head_resident_or_programme),
        cmocka_unit_test(park_names_the_place_of_a_wrong_statement),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
