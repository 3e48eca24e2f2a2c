// What was planned by a day, against cases by hand and against Python's fractions, and paths in files.
#include "kpi/park.h"
#include "kpi/period.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"
#include "tests/support/random.h"
#include "tests/support/temp_yaml.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct figure whole(int64_t v)
{
    struct figure f = figure_missing();
    assert_int_equal(figure_from_integer(v, &f), ERR_OK);
    return f;
}

static struct figure real(double v)
{
    struct figure f = figure_missing();
    assert_int_equal(figure_from_real(v, &f), ERR_OK);
    return f;
}

static struct path line(int32_t from, struct figure value)
{
    return (struct path){.kind = PATH_LINEAR, .from = "x", .from_day = from, .from_value = value};
}

static void a_line_begins_at_its_start_is_exact_between_and_ends_at_the_target(void **state)
{
    (void)state;
    struct path p = line(100, whole(0));
    assert_int_equal(path_planned(&p, whole(1000), 200, 99, false).kind, FIGURE_MISSING);
    assert_true(figure_equal(path_planned(&p, whole(1000), 200, 100, false), whole(0)));
    assert_true(figure_equal(path_planned(&p, whole(1000), 200, 150, false), whole(500)));
    assert_true(figure_equal(path_planned(&p, whole(1000), 200, 199, false), whole(990)));
    assert_true(figure_equal(path_planned(&p, whole(1000), 200, 200, false), whole(1000)));
    assert_true(figure_equal(path_planned(&p, whole(1000), 200, 5000, false), whole(1000)));
    assert_true(figure_equal(path_planned(&p, real(10.5), 200, 150, false), real(5.25)));
}

static void money_on_a_line_is_whole_minor_units_rounded_half_to_even(void **state)
{
    (void)state;
    struct path p = line(0, whole(0));
    assert_true(figure_equal(path_planned(&p, whole(5), 2, 1, true), whole(2))); // 2.5
    assert_true(figure_equal(path_planned(&p, whole(7), 2, 1, true), whole(4))); // 3.5
    assert_true(figure_equal(path_planned(&p, whole(7), 2, 1, false), real(3.5)));
    p = line(0, whole(10));                                                       // downwards
    assert_true(figure_equal(path_planned(&p, whole(5), 2, 1, true), whole(8)));  // 7.5
    assert_true(figure_equal(path_planned(&p, whole(0), 3, 1, true), whole(7)));  // 6.67
    assert_true(figure_equal(path_planned(&p, whole(-7), 2, 1, true), whole(2))); // 1.5
}

static void a_milestone_holds_from_its_end_on_and_before_the_first_nothing_is_planned(void **state)
{
    (void)state;
    struct milestone stones[] = {{"a", 10, whole(5)}, {"b", 20, whole(8)}};
    struct path p = {.kind = PATH_MILESTONES, .count = 2, .milestones = stones};
    assert_int_equal(path_planned(&p, whole(9), 30, 9, false).kind, FIGURE_MISSING);
    assert_true(figure_equal(path_planned(&p, whole(9), 30, 10, false), whole(5)));
    assert_true(figure_equal(path_planned(&p, whole(9), 30, 19, false), whole(5)));
    assert_true(figure_equal(path_planned(&p, whole(9), 30, 20, false), whole(8)));
    assert_true(figure_equal(path_planned(&p, whole(9), 30, 30, false), whole(9)));
    assert_true(figure_equal(path_planned(&p, whole(9), PATH_NO_END, 100000, false), whole(8)));
}

static void without_a_path_or_a_value_nothing_is_planned(void **state)
{
    (void)state;
    struct path none = {.kind = PATH_NONE}, p = line(0, whole(0));
    struct path_point points[PATH_POINTS_MAX];
    assert_int_equal(path_planned(&none, whole(9), 30, 40, false).kind, FIGURE_MISSING);
    assert_int_equal(path_planned(&p, figure_missing(), 30, 40, false).kind, FIGURE_MISSING);
    assert_int_equal(path_planned(&p, whole(9), PATH_NO_END, 40, false).kind, FIGURE_MISSING);
    assert_int_equal(path_points(&none, whole(9), 30, points), 0);
    assert_int_equal(path_paces(&none, whole(9), 30, points), 0);
    assert_int_equal(path_points(&p, whole(9), PATH_NO_END, points), 0);
}

static void the_drawn_points_are_the_planned_values(void **state)
{
    (void)state;
    struct milestone stones[] = {{"a", 10, whole(5)}, {"b", 20, whole(8)}};
    struct path steps = {.kind = PATH_MILESTONES, .count = 2, .milestones = stones}, p = line(10, whole(3));
    struct path_point points[PATH_POINTS_MAX];
    assert_int_equal(path_points(&p, whole(9), 30, points), 2);
    assert_true(points[0].at == 10 && points[0].value == 3 && points[1].at == 30 && points[1].value == 9);
    assert_int_equal(path_points(&steps, whole(9), 30, points), 5);
    assert_true(points[1].at == 20 && points[1].value == 5 && points[2].at == 20 && points[2].value == 8);
    assert_true(points[3].at == 30 && points[3].value == 8 && points[4].value == 9);
    assert_int_equal(path_points(&steps, whole(9), PATH_NO_END, points), 3);
}

static void the_paces_add_up_to_the_target(void **state)
{
    (void)state;
    struct milestone stones[] = {{"a", 10, whole(5)}, {"b", 20, whole(8)}};
    struct path steps = {.kind = PATH_MILESTONES, .count = 2, .milestones = stones}, p = line(10, whole(3));
    struct path_point points[PATH_POINTS_MAX];
    size_t n = path_paces(&p, whole(9), 30, points);
    assert_int_equal(n, 3);
    assert_true(points[0].at == 10 && points[0].value == 6.0 / 20 && isnan(points[2].value));
    n = path_paces(&steps, whole(9), 30, points);
    assert_int_equal(n, 5);
    double sum = 5;
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += points[i].value * (points[i + 1].at - points[i].at);
    assert_true(fabs(sum - 9) < 1e-9);
}

static void invent(struct random *r, FILE *out)
{
    int64_t limit = random_below(r, 2) ? 5000 : FIGURE_INTEGER_MAX;
    int64_t from = (int64_t)random_below(r, (uint64_t)limit) - (random_below(r, 4) ? 0 : limit / 2);
    int64_t to = (int64_t)random_below(r, (uint64_t)limit);
    int32_t start = (int32_t)random_below(r, 20000), end = start + 1 + (int32_t)random_below(r, 4000);
    int32_t at = start - 5 + (int32_t)random_below(r, (uint64_t)(end - start) + 10);
    bool money = random_below(r, 2);
    char text[FIGURE_TEXT];
    struct path p = line(start, whole(from));
    figure_text(path_planned(&p, whole(to), end, at, money), text);
    fprintf(out, "%lld %lld %d %d %d %d %s\n", (long long)from, (long long)to, start, end, at, money,
            *text ? text : "missing");
}

static void twenty_thousand_plans_are_what_fractions_say(void **state)
{
    (void)state;
    struct test_folder folder;
    char path[TEST_PATH];
    struct random r = {20261122};
    int status = -1;
    assert_int_equal(test_folder_make(&folder), 0);
    test_folder_path(&folder, "plans", path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    for (int i = 0; i < 20000; i++)
        invent(&r, out);
    assert_int_equal(fclose(out), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execlp("python3", "python3", "tests/unit/kpi/target_check.py", "path", path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(test_folder_remove(&folder), 0);
}

// ---- in a park's file
static const char profile[] = "code: p\nnames: {en: P}\ncity: {en: C}\nabout: {en: A}\n" // 1-4
                              "time_zone: Asia/Almaty\ncurrency: KZT\nstatements:\n"     // 5-7
                              "  - id: jobs\n"                                           // 8
                              "    kind: target\n"                                       // 9
                              "    names: {en: Jobs}\n"                                  // 10
                              "    kpi: jobs_created\n"                                  // 11
                              "    value: \">= 2000\"\n"                                 // 12
                              "    cumulative: true\n"                                   // 13
                              "    due: 2026\n"                                          // 14
                              "    due_or: 2025\n"                                       // 15
                              "    due_text: by 2026\n"                                  // 16
                              "    path: linear\n"                                       // 17
                              "    from: 2024-03\n"                                      // 18
                              "    from_value: 500\n"                                    // 19
                              "    source: s\n"                                          // 20
                              "  - id: loss\n"                                           // 21
                              "    kind: target\n"                                       // 22
                              "    names: {en: Loss}\n"                                  // 23
                              "    kpi: inv # money\n"                                   // 24
                              "    currency: KZT\n"                                      // 25
                              "    value: \"<= 10\"\n"                                   // 26
                              "    due: unknown\n"                                       // 27
                              "    milestones:\n"                                        // 28
                              "      - {by: 2026-Q1, value: 30.5}\n"                     // 29
                              "      - {by: 2026-06, value: 20}\n"                       // 30
                              "    source: s\n";                                         // 31

struct fixture {
    char folder[TEMP_YAML_PATH];
    struct catalogue *catalogue;
};

static enum err load(const struct fixture *f, const struct yaml_case *c, char path[TEMP_YAML_PATH],
                     struct park **out, struct diag *d)
{
    temp_yaml_write(f->folder, "p.yaml", profile, c ? c->from : NULL, c ? c->to : NULL, path);
    return park_load(path, f->catalogue, out, d);
}

static int setup(void **state)
{
    static struct fixture f;
    struct diag d = {""};
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

static int32_t day_of(const char *text, bool end)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return end ? period_end(p) : p.start;
}

static void paths_load_with_their_dates_and_values(void **state)
{
    struct park *p = NULL;
    char file[TEMP_YAML_PATH];
    struct diag d = {""};
    if (load(*state, NULL, file, &p, &d) != ERR_OK)
        fail_msg("%s", d.text);
    const struct path *line = &park_statement(p, "jobs")->path, *steps = &park_statement(p, "loss")->path;
    assert_int_equal(line->kind, PATH_LINEAR);
    assert_int_equal(line->from_day, day_of("2024-03", false));
    assert_true(figure_equal(line->from_value, whole(500)) && !line->from_assumed);
    assert_int_equal(steps->kind, PATH_MILESTONES);
    assert_int_equal(steps->count, 2);
    assert_string_equal(steps->milestones[0].by, "2026-Q1");
    assert_int_equal(steps->milestones[1].end, day_of("2026-06", true));
    assert_true(figure_equal(steps->milestones[0].value, whole(3050))); // tiyin
    park_free(p);
    struct yaml_case without = {"    from_value: 500\n", "", "", ""};
    assert_int_equal(load(*state, &without, file, &p, &d), ERR_OK);
    line = &park_statement(p, "jobs")->path;
    assert_true(figure_equal(line->from_value, whole(0)) && line->from_assumed);
    park_free(p);
}

static void a_path_that_contradicts_its_target_is_named_at_its_place(void **state)
{
    static const struct yaml_case cases[] = {
        {"path: linear", "path: curved", "17:11: statements[0].path: ", "linear | milestones"},
        {"path: linear", "path: milestones", "18:11: statements[0].from: ", "belongs to path: linear"},
        {"    path: linear\n", "", "17:11: statements[0].from: ", "belongs to path: linear"},
        {"    from: 2024-03\n", "", "17:11: statements[0].path: ", "needs from"},
        {"from: 2024-03", "from: soon", "18:11: statements[0].from: ", "is not like 2026"},
        {"from: 2024-03", "from: 2026", "18:11: statements[0].from: ", "not before the target is due"},
        {"from_value: 500", "from_value: many", "19:17: statements[0].from_value: ", "not a number"},
        {"from_value: 500", "from_value: 2000", "19:17: statements[0].from_value: ", "does not lead to"},
        {"from_value: 500", "milestones: [{by: 2025, value: 1}]",
         "19:17: statements[0].milestones: ", "a linear path has none"},
        {"    due: 2026\n    due_or: 2025\n    due_text: by 2026\n", "    due: unknown\n",
         "15:11: statements[0].path: ", "due date that is known"},
        {"    value: \">= 2000\"\n    cumulative: true\n", "    value: 1000 .. 2000\n    cumulative: true\n",
         "17:11: statements[0].path: ", "one number"},
        {"    value: \">= 2000\"\n    cumulative: true\n", "    value: unknown\n    cumulative: true\n",
         "17:11: statements[0].path: ", "one number"},
        {"    cumulative: true\n    due: 2026\n    due_or: 2025\n    due_text: by 2026\n    path: linear\n   "
         " "
         "from: 2024-03\n    from_value: 500\n",
         "    due: 2026\n    path: linear\n    from: 2024-03\n",
         "14:11: statements[0].path: ", "needs from_value"},
        {"    kind: target\n    names: {en: Loss}", "    kind: event\n    names: {en: Loss}",
         "27:10: statements[1].due: ", "only a target has it"},
        {"    due: unknown\n", "    due: 2026-Q2\n",
         "30:14: statements[1].milestones[1].by: ", "before the target is due"},
        {"by: 2026-06", "by: 2026-03-31", "30:14: statements[1].milestones[1].by: ", "milestones rise"},
        {"by: 2026-06", "by: June", "30:14: statements[1].milestones[1].by: ", "is not like 2026"},
        {"value: 20}", "value: 31}", "30:30: statements[1].milestones[1].value: ", "goes back"},
        {"value: 20}", "value: 9.99}", "30:30: statements[1].milestones[1].value: ", "past the target"},
        {"value: 30.5}", "value: 30.555}", "29:30: statements[1].milestones[0].value: ", "not a number"},
        {"value: 20}", "worth: 20}", "30:23: statements[1].milestones[1].worth: ", "unknown key"},
        {"    milestones:\n      - {by: 2026-Q1, value: 30.5}\n      - {by: 2026-06, value: 20}\n",
         "    path: milestones\n", "28:11: statements[1].path: ", "are missing"},
        {"    milestones:\n", "    path: linear\n    milestones:\n",
         "30:7: statements[1].milestones: ", "a linear path has none"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char path[TEMP_YAML_PATH];
        struct park *p = NULL;
        struct diag d = {""};
        enum err e = load(*state, &cases[i], path, &p, &d);
        expect_yaml_error(&cases[i], path, e, &d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_begins_at_its_start_is_exact_between_and_ends_at_the_target),
        cmocka_unit_test(money_on_a_line_is_whole_minor_units_rounded_half_to_even),
        cmocka_unit_test(a_milestone_holds_from_its_end_on_and_before_the_first_nothing_is_planned),
        cmocka_unit_test(without_a_path_or_a_value_nothing_is_planned),
        cmocka_unit_test(the_drawn_points_are_the_planned_values),
        cmocka_unit_test(the_paces_add_up_to_the_target),
        cmocka_unit_test(twenty_thousand_plans_are_what_fractions_say),
        cmocka_unit_test_setup_teardown(paths_load_with_their_dates_and_values, setup, teardown),
        cmocka_unit_test_setup_teardown(a_path_that_contradicts_its_target_is_named_at_its_place, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
