// A programme's steps in a profile, a funnel's shares, a project's stages.
#include "kpi/programme.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kpi/park.h"
#include "kpi/project.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char good[] = "code: p\n"                                                               // 1
                           "names: {en: P}\n"                                                        // 2
                           "city: {en: C}\n"                                                         // 3
                           "about: {en: A}\n"                                                        // 4
                           "time_zone: Asia/Almaty\n"                                                // 5
                           "currency: KZT\n"                                                         // 6
                           "dimensions:\n"                                                           // 7
                           "  - {code: hubs, names: {en: Hubs}}\n"                                   // 8
                           "residents:\n"                                                            // 9
                           "  - {code: school, names: {en: S}, about: {en: A}, simulated: true}\n"   // 10
                           "programmes:\n"                                                           // 11
                           "  - id: training\n"                                                      // 12
                           "    kind: funnel\n"                                                      // 13
                           "    names: {en: Training}\n"                                             // 14
                           "    stages: [{en: Trained}, {en: Graduated}, {en: Hired}]\n"             // 15
                           "    steps: [{kpi: trained, resident: school}, {}, {kpi: grads_hired}]\n" // 16
                           "    source: a text\n"                                                    // 17
                           "  - id: places\n"                                                        // 18
                           "    kind: register\n"                                                    // 19
                           "    names: {en: Places}\n"                                               // 20
                           "    stages: [{en: Hubs}]\n"                                              // 21
                           "    steps: [{kpi: facilities, dimension: hubs}]\n"                       // 22
                           "    source: a text\n"                                                    // 23
                           "  - id: works\n"                                                         // 24
                           "    kind: stages\n"                                                      // 25
                           "    names: {en: Works}\n"                                                // 26
                           "    stages: [{en: Utilities}, {en: Area}]\n"                             // 27
                           "    steps: [{project_stage: 3}, {kpi: area_freed}]\n"                    // 28
                           "    source: a text\n";                                                   // 29

static char folder[TEMP_YAML_PATH];
static struct catalogue *catalogue;

static int setup(void **state)
{
    struct diag d = {0};

    (void)state;
    temp_folder_create(folder);
    return catalogue_load("deploy/catalogue.yaml", &catalogue, &d) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    catalogue_free(catalogue);
    temp_folder_remove(folder);
    return 0;
}

static void steps_are_bound_to_figures_or_say_that_none_is_collected(void **state)
{
    char path[TEMP_YAML_PATH];
    struct park *p = NULL;
    struct diag d = {0};

    (void)state;
    temp_yaml_write(folder, "park.yaml", good, NULL, NULL, path);
    if (park_load(path, catalogue, &p, &d) != ERR_OK)
        fail_msg("%s", d.text);
    const struct programme_step *training = p->programmes[0].steps, *works = p->programmes[2].steps;
    assert_string_equal(training[0].kpi, "trained");
    assert_string_equal(training[0].resident, "school");
    assert_string_equal(training[1].kpi, "");
    assert_string_equal(training[2].resident, "");
    assert_int_equal(training[2].project_stage, -1);
    assert_string_equal(p->programmes[1].steps[0].dimension, "hubs");
    assert_int_equal(works[0].project_stage, PROJECT_UTILITIES);
    assert_string_equal(works[1].kpi, "area_freed");
    park_free(p);
}

static void programme_names_the_place_of_a_wrong_step(void **state)
{
    static const struct yaml_case cases[] = {
        {"kpi: trained", "kpi: taught", "16:19: programmes[0].steps[0].kpi: ", "is no KPI of the catalogue"},
        {"kpi: trained", "kpi: trainees", "16:19: programmes[0].steps[0].kpi: ", "\"trainees\" is a stock"},
        {"kpi: trained", "kpi: inv", "16:19: programmes[0].steps[0].kpi: ", "is no count"},
        {"kpi: trained", "kpi: out_units", "16:19: programmes[0].steps[0].kpi: ", "is no count"},
        {"kpi: trained", "kpi: occupancy", "16:19: programmes[0].steps[0].kpi: ", "is no count"},
        {"kpi: grads_hired", "kpi: apps_received", "16:57: programmes[0].steps[2].kpi: ", "another unit"},
        {"resident: school", "resident: nobody",
         "16:38: programmes[0].steps[0].resident: ", "\"nobody\" is no resident"},
        {"kpi: trained, ", "", "16:13: programmes[0].steps[0]: ", "needs its kpi"},
        {", {}, ", ", ", "16:12: programmes[0].steps: ", "as many as stages (3), not 2"},
        {"dimension: hubs", "dimension: pubs",
         "22:42: programmes[1].steps[0].dimension: ", "\"pubs\" is not one of the park's"},
        {"{kpi: facilities, dimension: hubs}", "{project_stage: 3}",
         "22:29: programmes[1].steps[0].project_stage: ", "of kind stages"},
        {"project_stage: 3", "project_stage: 9",
         "28:29: programmes[2].steps[0].project_stage: ", "from 0 (idea) to 8"},
        {"project_stage: 3", "project_stage: -1",
         "28:29: programmes[2].steps[0].project_stage: ", "from 0 (idea) to 8"},
        {"project_stage: 3", "project_stage: 3, kpi: area_freed",
         "28:29: programmes[2].steps[0].project_stage: ", "leave the other keys out"},
        {"project_stage: 3", "project_stage: early", "28:29: programmes[2].steps[0].project_stage: ", ""},
        {"project_stage: 3", "stage: 3", "28:14: programmes[2].steps[0].stage: ", "unknown key"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[TEMP_YAML_PATH];
        struct park *p = NULL;
        struct diag d = {0};
        temp_yaml_write(folder, "park.yaml", good, cases[i].from, cases[i].to, path);
        enum err e = park_load(path, catalogue, &p, &d);
        expect_yaml_error(&cases[i], path, e, &d);
        assert_null(p);
    }
}

// ---- a funnel's arithmetic

static struct figure whole(int64_t n)
{
    struct figure f;

    assert_int_equal(figure_from_integer(n, &f), ERR_OK);
    return f;
}

static void a_share_is_of_the_step_before(void **state)
{
    struct figure counts[] = {whole(200), whole(50), whole(10)};
    struct funnel_step out[3];

    (void)state;
    funnel_fill(counts, 3, out);
    assert_int_equal(out[0].share.kind, FIGURE_MISSING);
    assert_int_equal(out[1].share.integer, 25);
    assert_int_equal(out[2].share.integer, 20);
    assert_int_equal(out[2].count.integer, 10);
    assert_false(out[0].odd || out[1].odd || out[2].odd);
}

static void a_missing_count_is_not_zero_and_gives_no_share(void **state)
{
    struct figure counts[] = {whole(200), figure_missing(), whole(10), whole(0), whole(0)};
    struct funnel_step out[5];

    (void)state;
    funnel_fill(counts, 5, out);
    assert_int_equal(out[1].count.kind, FIGURE_MISSING);
    assert_int_equal(out[1].share.kind, FIGURE_MISSING);
    assert_int_equal(out[2].share.kind, FIGURE_MISSING); // not of the one before that
    assert_false(out[2].odd);
    assert_int_equal(out[3].share.integer, 0);
    assert_int_equal(out[4].share.kind, FIGURE_MISSING); // of nobody
    assert_false(out[4].odd);
}

static void a_step_larger_than_the_one_before_is_shown_and_marked(void **state)
{
    struct figure counts[] = {whole(0), whole(3), whole(6)};
    struct funnel_step out[3];

    (void)state;
    funnel_fill(counts, 3, out);
    assert_int_equal(out[1].count.integer, 3);
    assert_int_equal(out[1].share.kind, FIGURE_MISSING);
    assert_true(out[1].odd);
    assert_int_equal(out[2].share.integer, 200);
    assert_true(out[2].odd);
}

static void shares_of_a_year_are_not_those_of_its_months(void **state)
{
    // 10 of 10, then 0 of 90: a mean of shares would say 50 per cent.
    struct figure january[] = {whole(10), whole(10)}, february[] = {whole(90), whole(0)};
    struct figure both[] = {whole(100), whole(10)};
    struct funnel_step out[2];

    (void)state;
    funnel_fill(january, 2, out);
    assert_int_equal(out[1].share.integer, 100);
    funnel_fill(february, 2, out);
    assert_int_equal(out[1].share.integer, 0);
    funnel_fill(both, 2, out);
    assert_int_equal(out[1].share.integer, 10);
}

// ---- projects

static void a_dimension_is_a_stage_or_none(void **state)
{
    (void)state;
    assert_int_equal(project_stage_parse("0"), PROJECT_IDEA);
    assert_int_equal(project_stage_parse("8"), PROJECT_FULL_CAPACITY);
    assert_int_equal(project_stage_parse("9"), -1);
    assert_int_equal(project_stage_parse("10"), -1);
    assert_int_equal(project_stage_parse(""), -1);
    assert_int_equal(project_stage_parse("a"), -1);
}

static void the_histogram_counts_overlapping_stages_and_who_says_nothing(void **state)
{
    struct project_counts counts = {0};
    struct project first = {.stage = whole(5)}, second = {.stage = whole(5)}, third = {0};

    (void)state;
    first.done[PROJECT_UTILITIES] = whole(90);
    first.done[PROJECT_COMMISSIONING] = whole(10);
    second.done[PROJECT_UTILITIES] = whole(100);
    second.done[PROJECT_FINISHING] = whole(0);
    third.done[PROJECT_UTILITIES] = whole(40); // its stage is not derived from it
    project_count(&counts, &first);
    project_count(&counts, &second);
    project_count(&counts, &third);
    assert_int_equal(counts.at[PROJECT_COMMISSIONING], 2);
    assert_int_equal(counts.at[PROJECT_IDEA], 0);
    assert_int_equal(counts.known, 2);
    assert_int_equal(counts.unknown, 1);
    assert_int_equal(counts.in_work[PROJECT_UTILITIES], 2);
    assert_int_equal(counts.done[PROJECT_UTILITIES], 1);
    assert_int_equal(counts.in_work[PROJECT_COMMISSIONING], 1);
    assert_int_equal(counts.in_work[PROJECT_FINISHING], 0);
    assert_int_equal(project_stage_of(&third), -1);
    assert_int_equal(project_stage_of(&(struct project){.stage = whole(9)}), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_bound_to_figures_or_say_that_none_is_collected),
        cmocka_unit_test(programme_names_the_place_of_a_wrong_step),
        cmocka_unit_test(a_share_is_of_the_step_before),
        cmocka_unit_test(a_missing_count_is_not_zero_and_gives_no_share),
        cmocka_unit_test(a_step_larger_than_the_one_before_is_shown_and_marked),
        cmocka_unit_test(shares_of_a_year_are_not_those_of_its_months),
        cmocka_unit_test(a_dimension_is_a_stage_or_none),
        cmocka_unit_test(the_histogram_counts_overlapping_stages_and_who_says_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
