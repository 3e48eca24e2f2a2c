// Membership: its keys in a profile, whose figures count on which days, and who is alike in two spans.
#include "kpi/membership.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kpi/park.h"

#define HEAD                                                                                                 \
    "code: p\nnames: {en: P}\ncity: {en: C}\nabout: {en: A}\ntime_zone: Asia/Almaty\ncurrency: KZT\n"        \
    "residents:\n"

static char folder[TEMP_YAML_PATH];
static struct catalogue *catalogue;
static struct diag diag;

static int load_catalogue(void **state)
{
    (void)state;
    temp_folder_create(folder);
    return catalogue_load("deploy/catalogue.yaml", &catalogue, &diag) == ERR_OK ? 0 : -1;
}

static int free_catalogue(void **state)
{
    (void)state;
    catalogue_free(catalogue);
    temp_folder_remove(folder);
    return 0;
}

// Each resident: its code and the keys of its membership, as one flow mapping without braces.
static enum err load(const char *const residents[][2], size_t count, char path[TEMP_YAML_PATH],
                     struct park **out)
{
    char text[4096] = HEAD;

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len,
                 "  - {code: %s, names: {en: N}, about: {en: A}, simulated: true%s%s}\n", residents[i][0],
                 residents[i][1][0] != '\0' ? ", " : "", residents[i][1]);
    }
    temp_yaml_write(folder, "park.yaml", text, NULL, NULL, path);
    return park_load(path, catalogue, out, &diag);
}

static struct park *park_of(const char *const residents[][2], size_t count)
{
    struct park *park = NULL;
    char path[TEMP_YAML_PATH];

    if (load(residents, count, path, &park) != ERR_OK)
        fail_msg("%s", diag.text);
    return park;
}
#define PARK(...)                                                                                            \
    park_of((const char *const[][2]){__VA_ARGS__},                                                           \
            sizeof((const char *const[][2]){__VA_ARGS__}) / sizeof(char *[2]))

static int32_t day(const char *text)
{
    struct period p;

    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p.start;
}

static struct days span(const char *period)
{
    struct period p;

    assert_int_equal(period_parse(period, &p), ERR_OK);
    return (struct days){.from = p.start, .to = period_end(p)};
}

// ---- a profile's keys

static void a_resident_without_a_day_belongs_always(void **state)
{
    (void)state;
    struct park *park = PARK({"a", ""});
    const struct membership *m = &park->residents[0].member;

    assert_true(membership_on(m, CIVIL_DAY_MIN));
    assert_true(membership_on(m, CIVIL_DAY_MAX));
    assert_int_equal(membership_over(m, span("2025")), MEMBER_THROUGHOUT);
    assert_string_equal(m->merged_into, "");
    park_free(park);
}

static void what_is_wrong_with_a_membership_is_named_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *residents[3][2];
        int line;
        const char *says;
    } wrong[] = {
        {{{"a", "joined: 2025-02-29"}, {"b", ""}, {"c", ""}},
         8,
         "residents[0].joined: \"2025-02-29\" is not a day"},
        {{{"a", ""}, {"b", "joined: 2025-03"}, {"c", ""}},
         9,
         "residents[1].joined: \"2025-03\" is not a day"},
        {{{"a", ""}, {"b", "left: soon"}, {"c", ""}}, 9, "residents[1].left: \"soon\" is not a day"},
        {{{"a", ""}, {"b", ""}, {"c", "joined: 2025-03-01, left: 2025-03-01"}},
         10,
         "residents[2].left: must be after joined"},
        {{{"a", "joined: 2025-03-02, left: 2025-03-01"}, {"b", ""}, {"c", ""}},
         8,
         "residents[0].left: must be after joined"},
        {{{"a", "joined: 2025-03-02, merged_into: {resident: b, day: 2025-03-01}"}, {"b", ""}, {"c", ""}},
         8,
         "residents[0].merged_into.day: must be after joined"},
        {{{"a", "merged_into: {resident: d, day: 2025-03-01}"}, {"b", ""}, {"c", ""}},
         8,
         "residents[0].merged_into.resident: the park has no resident \"d\""},
        {{{"a", "merged_into: {resident: a, day: 2025-03-01}"}, {"b", ""}, {"c", ""}},
         8,
         "residents[0].merged_into.resident: it cannot merge into itself"},
        {{{"a", "merged_into: {resident: b, day: 2025-03-01}"},
          {"b", "merged_into: {resident: c, day: 2025-04-01}"},
          {"c", "merged_into: {resident: a, day: 2025-05-01}"}},
         8,
         "the mergers go in a ring"},
        {{{"a", "left: 2025-01-01, merged_into: {resident: b, day: 2025-03-01}"}, {"b", ""}, {"c", ""}},
         8,
         "residents[0].left: the day of merged_into says already"},
        {{{"a", "merged_into: {resident: b, day: 2025-03-01}"}, {"b", "left: 2025-03-01"}, {"c", ""}},
         8,
         "residents[0].merged_into.day: \"b\" is no member of the park on that day"},
        {{{"a", "merged_into: {resident: b, day: 2025-03-01}"}, {"b", "joined: 2025-03-02"}, {"c", ""}},
         8,
         "residents[0].merged_into.day: \"b\" is no member of the park on that day"},
        {{{"a", "merged_into: {resident: b}"}, {"b", ""}, {"c", ""}}, 8, "day"},
        {{{"a", "merged_into: b"}, {"b", ""}, {"c", ""}}, 8, "merged_into"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char path[TEMP_YAML_PATH], place[TEMP_YAML_PATH + 16];
        struct park *park = NULL;
        enum err e = load(wrong[i].residents, 3, path, &park);
        snprintf(place, sizeof(place), "%s:%d:", path, wrong[i].line);
        if (e != ERR_INVALID || strstr(diag.text, wrong[i].says) == NULL ||
            strncmp(diag.text, place, strlen(place)) != 0)
            fail_msg("case %zu (%s): %d %s", i, wrong[i].says, e, diag.text);
    }
}

// ---- on a day, over a span

static void the_first_day_belongs_and_the_day_of_leaving_does_not(void **state)
{
    (void)state;
    struct park *park = PARK({"a", "joined: 2025-02-15, left: 2025-06-01"});
    const struct membership *m = &park->residents[0].member;

    assert_false(membership_on(m, day("2025-02-14")));
    assert_true(membership_on(m, day("2025-02-15")));
    assert_true(membership_on(m, day("2025-05-31")));
    assert_false(membership_on(m, day("2025-06-01")));
    assert_int_equal(membership_over(m, span("2025-01")), MEMBER_NEVER);
    assert_int_equal(membership_over(m, span("2025-02")), MEMBER_PARTLY);
    assert_int_equal(membership_over(m, span("2025-05")), MEMBER_THROUGHOUT);
    assert_int_equal(membership_over(m, span("2025-06")), MEMBER_NEVER);
    assert_int_equal(membership_over(m, (struct days){day("2025-03-01"), day("2025-03-01")}), MEMBER_NEVER);
    park_free(park);
}

static void an_amount_counts_when_all_its_days_belong_and_a_stock_when_its_last_one_does(void **state)
{
    (void)state;
    struct park *park = PARK({"a", "joined: 2025-02-15, left: 2025-06-10"});
    const struct membership *m = &park->residents[0].member;
    static const struct {
        const char *period;
        bool flow, level;
    } periods[] = {
        {"2025-01", false, false},  {"2025-02", false, true},     {"2025-03", true, true},
        {"2025-Q1", false, true},   {"2025-05", true, true},      {"2025-06", false, false},
        {"2025-Q2", false, false},  {"2025", false, false},       {"2025-02-14", false, false},
        {"2025-06-09", true, true}, {"2025-06-10", false, false},
    };

    for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++) {
        struct days figure = span(periods[i].period);
        assert_int_equal(membership_counts(m, KPI_FLOW, figure), periods[i].flow);
        assert_int_equal(membership_counts(m, KPI_LEVEL, figure), periods[i].level);
    }
    park_free(park);
}

static void a_span_is_cut_to_the_days_that_count(void **state)
{
    (void)state;
    struct park *park = PARK({"a", "joined: 2025-02-15, left: 2025-06-10"});
    const struct membership *m = &park->residents[0].member;
    struct days year = span("2025"), first = span("2025-Q1"), before = span("2024"), untouched = year;

    assert_true(membership_clip(m, KPI_FLOW, &year));
    assert_int_equal(year.from, day("2025-02-15"));
    assert_int_equal(year.to, day("2025-06-10"));
    assert_false(membership_clip(m, KPI_LEVEL, &untouched)); // it was gone at the year's end
    assert_int_equal(untouched.from, day("2025-01-01"));
    assert_true(membership_clip(m, KPI_LEVEL, &first));
    assert_int_equal(first.from, day("2025-02-15"));
    assert_int_equal(first.to, day("2025-04-01"));
    assert_false(membership_clip(m, KPI_FLOW, &before));
    park_free(park);
}

// ---- like for like

static void assert_alike(const struct park *park, const char *a, const char *b, const char *codes)
{
    bool in[8] = {false};
    char text[64] = "";

    membership_alike(park, span(a), span(b), in);
    for (size_t i = 0; i < park->resident_count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%s", in[i] ? park->residents[i].code : "");
    }
    assert_string_equal(text, codes);
}

static void alike_are_those_that_belonged_throughout_both_spans(void **state)
{
    (void)state;
    struct park *park = PARK({"a", ""}, {"b", "joined: 2024-01-02"}, {"c", "left: 2025-12-31"},
                             {"d", "joined: 2024-01-01, left: 2026-01-01"}, {"e", "joined: 2025-01-01"});

    assert_alike(park, "2024", "2025", "ad");
    assert_alike(park, "2025", "2024", "ad"); // whichever is named first
    assert_alike(park, "2024-Q2", "2025-Q2", "abcd");
    assert_alike(park, "2025-Q1", "2025-Q2", "abcde");
    park_free(park);
}

static void a_merged_pair_counts_together(void **state)
{
    (void)state;
    struct park *park =
        PARK({"a", "merged_into: {resident: b, day: 2025-01-01}"}, {"b", ""}, {"c", "left: 2025-01-01"});

    assert_alike(park, "2024", "2025", "ab");
    assert_alike(park, "2023", "2024", "abc"); // before the merger they are two
    assert_string_equal(membership_successor(park, "a", day("2024-12-31"))->code, "a");
    assert_string_equal(membership_successor(park, "a", day("2025-01-01"))->code, "b");
    assert_null(membership_successor(park, "z", day("2025-01-01")));
    park_free(park);
}

static void who_took_a_newcomer_in_is_left_out_with_it(void **state)
{
    (void)state;
    // b's figures of 2025 contain those of a, which was not there in the whole of 2024.
    struct park *park =
        PARK({"a", "joined: 2024-07-01, merged_into: {resident: b, day: 2025-01-01}"}, {"b", ""}, {"c", ""});

    assert_alike(park, "2024", "2025", "c");
    assert_alike(park, "2024-Q3", "2024-Q4", "abc");
    assert_alike(park, "2025", "2026", "bc"); // one figure in both
    park_free(park);
}

static void a_merger_after_both_spans_ties_nobody(void **state)
{
    (void)state;
    struct park *park =
        PARK({"a", "merged_into: {resident: b, day: 2026-01-01}"}, {"b", "joined: 2025-03-01"}, {"c", ""});

    assert_alike(park, "2024", "2025", "ac");
    park_free(park);
}

static void mergers_are_followed_from_one_to_the_next(void **state)
{
    (void)state;
    struct park *park = PARK({"a", "merged_into: {resident: b, day: 2025-02-01}"},
                             {"b", "merged_into: {resident: c, day: 2025-03-01}"}, {"c", ""},
                             {"d", "joined: 2024-12-01, merged_into: {resident: e, day: 2025-02-01}"},
                             {"e", "merged_into: {resident: f, day: 2025-03-01}"}, {"f", ""});

    assert_string_equal(membership_successor(park, "a", day("2025-03-01"))->code, "c");
    assert_string_equal(membership_successor(park, "a", day("2025-02-28"))->code, "b");
    assert_alike(park, "2024", "2025", "abc");
    park_free(park);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_resident_without_a_day_belongs_always),
        cmocka_unit_test(what_is_wrong_with_a_membership_is_named_with_its_place),
        cmocka_unit_test(the_first_day_belongs_and_the_day_of_leaving_does_not),
        cmocka_unit_test(an_amount_counts_when_all_its_days_belong_and_a_stock_when_its_last_one_does),
        cmocka_unit_test(a_span_is_cut_to_the_days_that_count),
        cmocka_unit_test(alike_are_those_that_belonged_throughout_both_spans),
        cmocka_unit_test(a_merged_pair_counts_together),
        cmocka_unit_test(who_took_a_newcomer_in_is_left_out_with_it),
        cmocka_unit_test(a_merger_after_both_spans_ties_nobody),
        cmocka_unit_test(mergers_are_followed_from_one_to_the_next),
    };

    return cmocka_run_group_tests(tests, load_catalogue, free_catalogue);
}
