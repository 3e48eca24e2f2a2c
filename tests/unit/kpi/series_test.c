#include "kpi/series.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void fill(char *out, char c, size_t len)
{
    memset(out, c, len);
    out[len] = '\0';
}

static void series_part_takes_exactly_its_alphabet(void **state)
{
    (void)state;
    for (int first = 1; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
            char part[] = {(char)first, (char)second, '\0'};
            const char *leading = "abcdefghijklmnopqrstuvwxyz0123456789";
            const char *following = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
            bool good = strchr(leading, first) != NULL && (second == 0 || strchr(following, second) != NULL);
            if (series_part_valid(part) != good)
                fail_msg("bytes %d %d", first, second);
        }
    }
}

static void series_part_is_at_most_63_characters(void **state)
{
    (void)state;
    char part[100];

    assert_false(series_part_valid(""));
    fill(part, 'a', SERIES_PART_MAX);
    assert_true(series_part_valid(part));
    fill(part, 'a', SERIES_PART_MAX + 1);
    assert_false(series_part_valid(part));
    fill(part, 'a', sizeof(part) - 1);
    assert_false(series_part_valid(part));
}

static void series_parses_three_or_four_parts(void **state)
{
    (void)state;
    static const struct {
        const char *name, *park, *resident, *kpi, *dimension;
    } table[] = {
        {"yashnabad/fridge-plant/out_units/fridges", "yashnabad", "fridge-plant", "out_units", "fridges"},
        {"penza/rosstat/kep/indpro_yoy", "penza", "rosstat", "kep", "indpro_yoy"},
        {"aztm/foundry/jobs_total", "aztm", "foundry", "jobs_total", ""},
        {"aztm/all/jobs_total", "aztm", "all", "jobs_total", ""},
        {"a/b/c", "a", "b", "c", ""},
        {"0/1/2/3", "0", "1", "2", "3"},
        {"a../b--/c__/d._-", "a..", "b--", "c__", "d._-"},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct series_name s;
        char text[SERIES_NAME_MAX + 1];
        assert_int_equal(series_parse(table[i].name, &s), ERR_OK);
        assert_string_equal(s.park, table[i].park);
        assert_string_equal(s.resident, table[i].resident);
        assert_string_equal(s.kpi, table[i].kpi);
        assert_string_equal(s.dimension, table[i].dimension);
        series_text(&s, text);
        assert_string_equal(text, table[i].name);
    }
}

static void series_refuses_and_leaves_the_output_alone(void **state)
{
    (void)state;
    static const char *const table[] = {
        "",          "/",       "a",       "a/b",       "a/b/",       "/a/b/c",  "a/b/c/",  "a/b/c/d/",
        "a/b/c/d/e", "a//c",    "a//b/c",  "a/b//c",    "A/b/c",      "a/B/c",   "a/b/C",   "a/b/c/D",
        "../b/c",    "a/../c",  "a/b/..",  "a/./c",     "a/b/.c",     "_a/b/c",  "-a/b/c",  "a b/c/d",
        "a/b/c d",   " a/b/c",  "a/b/c ",  "a/b/c\n",   "a\\b/c/d",   "a/b/c%d", "a/b/c:d", "a/b/c\td",
        "а/b/c",     "a/b/c/ә", "a/b/c/*", "a/b/c?x=1", "http://a/b",
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        struct series_name s;
        struct series_name before;
        memset(&s, 'x', sizeof(s));
        memcpy(&before, &s, sizeof(s));
        if (series_parse(table[i], &s) != ERR_INVALID || memcmp(&s, &before, sizeof(s)) != 0)
            fail_msg("\"%s\" was taken", table[i]);
    }
}

static void series_at_its_longest_reads_back(void **state)
{
    (void)state;
    char name[SERIES_NAME_MAX + 3];
    char text[SERIES_NAME_MAX + 1];
    struct series_name s;

    fill(name, 'a', SERIES_NAME_MAX);
    for (size_t slash = 1; slash <= 3; slash++)
        name[slash * (SERIES_PART_MAX + 1) - 1] = '/';
    assert_int_equal(series_parse(name, &s), ERR_OK);
    series_text(&s, text);
    assert_string_equal(text, name);
    name[SERIES_NAME_MAX] = 'a';
    name[SERIES_NAME_MAX + 1] = '\0';
    assert_int_equal(series_parse(name, &s), ERR_INVALID);
}

static void a_resident_and_a_declared_kpi_make_one_name(void **state)
{
    (void)state;
    struct series_name s = {0};
    char text[SERIES_NAME_MAX + 1];

    assert_int_equal(series_parse_resident("penza/rosstat", &s), ERR_OK);
    series_text(&s, text);
    assert_string_equal(text, "penza/rosstat");
    assert_int_equal(series_parse_kpi("kep/unempl_mln", &s), ERR_OK);
    series_text(&s, text);
    assert_string_equal(text, "penza/rosstat/kep/unempl_mln");
    assert_int_equal(series_parse_kpi("inv", &s), ERR_OK); // the dimension goes with the old KPI
    series_text(&s, text);
    assert_string_equal(text, "penza/rosstat/inv");
}

static void a_declared_kpi_can_not_name_another_resident(void **state)
{
    (void)state;
    static const char *const kpis[] = {"",     "/",    "a/", "/a",   "a/b/c", "a/b/c/d",
                                       "../a", "a/..", "A",  "a//b", "a/b/"};
    static const char *const residents[] = {"",      "/",    "a",    "a/",  "/a",   "a/b/",
                                            "a/b/c", "a//b", "../b", "A/b", "a/b c"};
    struct series_name s = {.park = "p", .resident = "r", .kpi = "k", .dimension = "d"};
    struct series_name before = s;

    for (size_t i = 0; i < COUNT(kpis); i++)
        assert_int_equal(series_parse_kpi(kpis[i], &s), ERR_INVALID);
    for (size_t i = 0; i < COUNT(residents); i++)
        assert_int_equal(series_parse_resident(residents[i], &s), ERR_INVALID);
    assert_memory_equal(&s, &before, sizeof(s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_part_takes_exactly_its_alphabet),
        cmocka_unit_test(series_part_is_at_most_63_characters),
        cmocka_unit_test(series_parses_three_or_four_parts),
        cmocka_unit_test(series_refuses_and_leaves_the_output_alone),
        cmocka_unit_test(series_at_its_longest_reads_back),
        cmocka_unit_test(a_resident_and_a_declared_kpi_make_one_name),
        cmocka_unit_test(a_declared_kpi_can_not_name_another_resident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
