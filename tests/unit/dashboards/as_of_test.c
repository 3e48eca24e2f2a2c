#include "dashboards/as_of.h"
#include "tests/support/cmocka.h"
#include <stdio.h>
#include <string.h>

#define NOW_S INT64_C(1773480600) // 2026-03-14T09:30:00Z
#define US    INT64_C(1000000)

static struct exchange x;
static struct zone *almaty;

static enum err parse(const char *query, struct as_of *out)
{
    exchange_init(&x);
    snprintf(x.target, sizeof x.target, "/x?%s", query);
    assert_int_equal(exchange_parse(&x), ERR_OK);
    enum err e = as_of_parse(&x, NOW_S, almaty, out);
    return e;
}

static int64_t moment(const char *query)
{
    struct as_of a;
    if (parse(query, &a) != ERR_OK)
        fail_msg("%s: %s", query, x.problem);
    assert_true(a.asked);
    exchange_deinit(&x);
    return a.us;
}

static void a_day_or_period_means_through_its_end_in_the_parks_zone(void **state)
{
    (void)state;
    // Almaty is at UTC+5 since March 2024, at UTC+6 before.
    assert_int_equal(moment("as_of=2026-03-13"), INT64_C(1773428400) * US - 1);
    assert_int_equal(moment("as_of=2026-02"), INT64_C(1772305200) * US - 1);
    assert_int_equal(moment("as_of=2023-Q4"), INT64_C(1704045600) * US - 1);
    assert_int_equal(moment("as_of=2025"), INT64_C(1767207600) * US - 1);
}

static void a_moment_means_through_its_second_unless_it_has_a_fraction(void **state)
{
    (void)state;
    assert_int_equal(moment("as_of=2026-03-14T09:30:00Z"), NOW_S * US + US - 1);
    assert_int_equal(moment("as_of=2026-03-14T09:30:00.25Z"), NOW_S * US + 250000);
    assert_int_equal(moment("as_of=2026-03-14T09:30:00.0000019Z"), NOW_S * US + 1);
    assert_int_equal(moment("as_of=2026-03-14T14:30:00.5%2B05:00"), NOW_S * US + 500000);
    assert_int_equal(moment("as_of=1773480600"), NOW_S * US + US - 1);
    assert_int_equal(moment("as_of=-1h"), (NOW_S - 3600) * US + US - 1);
}

static void without_a_moment_it_is_now(void **state)
{
    (void)state;
    struct as_of a;
    assert_int_equal(parse("lang=ru", &a), ERR_OK);
    assert_false(a.asked);
    assert_int_equal(a.us, 0);
    exchange_deinit(&x);
    assert_int_equal(parse("by=published", &a), ERR_OK);
    assert_true(a.asked && a.by_published);
    exchange_deinit(&x);
}

static void what_is_not_a_moment_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const bad[] = {"as_of=March", "as_of=2026-13", "as_of=2026-02-30", "as_of=", "by=me"};
    struct as_of a;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(parse(bad[i], &a), ERR_INVALID);
        assert_int_equal(x.status, 400);
        assert_int_equal(strncmp(x.problem_param, bad[i], strlen(x.problem_param)), 0);
        exchange_deinit(&x);
    }
}

static void an_address_asks_for_the_same_moment_again(void **state)
{
    (void)state;
    static const char *const queries[] = {"as_of=2026-02", "as_of=2026-03-14T09:30:00.000001Z&by=published",
                                          "by=published", "lang=en"};
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct as_of a, again;
        char address[AS_OF_ADDRESS];
        assert_int_equal(parse(queries[i], &a), ERR_OK);
        exchange_deinit(&x);
        as_of_address(&a, address);
        assert_int_equal(parse(address[0] ? address + 1 : "v=1", &again), ERR_OK);
        exchange_deinit(&x);
        assert_int_equal(again.us, a.us);
        assert_int_equal(again.by_published, a.by_published);
    }
}

static int load_zone(void **state)
{
    (void)state;
    return zone_load(NULL, "Asia/Almaty", &almaty, NULL) == ERR_OK ? 0 : -1;
}

static int free_zone(void **state)
{
    (void)state;
    zone_free(almaty);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_or_period_means_through_its_end_in_the_parks_zone),
        cmocka_unit_test(a_moment_means_through_its_second_unless_it_has_a_fraction),
        cmocka_unit_test(without_a_moment_it_is_now),
        cmocka_unit_test(what_is_not_a_moment_is_refused_by_name),
        cmocka_unit_test(an_address_asks_for_the_same_moment_again),
    };
    return cmocka_run_group_tests(tests, load_zone, free_zone);
}
