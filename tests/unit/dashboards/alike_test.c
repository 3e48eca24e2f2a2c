// Like for like: of two periods the same residents, a merged pair together, beside everybody.
#include "kpi/period.h"
#include "tests/support/cmocka.h"
#include "tests/support/site_fixture.h"
#include "tests/support/temp_yaml.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

// "Now" is 2026-03-01.
static const char profile[] =
    "code: p\nnames: {en: Test park}\ncity: {en: Almaty}\nabout: {en: A park}\ntime_zone: Asia/Almaty\n"
    "currency: KZT\nresidents:\n"
    "  - {code: old, names: {en: Old}, about: {en: A}, simulated: true}\n"
    "  - {code: part, names: {en: Branch}, about: {en: A}, simulated: true, "
    "merged_into: {resident: old, day: 2026-02-01}}\n"
    "  - {code: late, names: {en: Latecomer}, about: {en: A}, simulated: true, joined: 2026-01-15}\n"
    "  - {code: gone, names: {en: Leaver}, about: {en: A}, simulated: true, left: 2026-02-01}\n"
    "  - {code: host, names: {en: Host}, about: {en: A}, simulated: true}\n"
    "  - {code: guest, names: {en: Guest}, about: {en: A}, simulated: true, joined: 2026-01-10, "
    "merged_into: {resident: host, day: 2026-02-01}}\n";

static const struct {
    const char *resident;
    int64_t january, february;
} reports[] = {{"old", 10, 25}, {"part", 15, 99}, {"late", 100, 200}, {"gone", 7, 8}};

#define ASK "/api/v1/observations?series=p/all/jobs_created&like_for_like=1"

static struct site_fixture f;
static char folder[TEMP_YAML_PATH];

static void put(size_t i)
{
    struct ledger_series wanted = {.class = WIRE_REPORT, .period = PERIOD_MONTH}, made;
    char name[60];
    snprintf(name, sizeof name, "p/%s", reports[i].resident);
    snprintf(wanted.name, sizeof wanted.name, "p/%s/jobs_created", reports[i].resident);
    snprintf(wanted.unit, sizeof wanted.unit, "person");
    struct store_stream t = store_agent(&f.store, name, (uint8_t)(60 + i));
    store_begin(&f.store);
    assert_int_equal(ledger_declare(f.store.ledger, t.stream_id, 0, &wanted, &made, &f.store.diag), ERR_OK);
    store_commit(&f.store);
    int32_t january = civil_to_days((struct civil){2026, 1, 1});
    store_one(&f.store, &t, WIRE_REPORT, 0, january, store_integer(reports[i].january));
    store_one(&f.store, &t, WIRE_REPORT, 0, january + 31, store_integer(reports[i].february));
}

static int setup(void **state)
{
    char path[TEMP_YAML_PATH];
    (void)state;
    temp_folder_create(folder);
    temp_yaml_write(folder, "p.yaml", profile, NULL, NULL, path);
    site_fixture_open(&f, true, NULL, folder, NULL);
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        put(i);
    park_fixture_observe(&f.store);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    site_fixture_close(&f);
    temp_folder_remove(folder);
    return 0;
}

static json_t *get(const char *target)
{
    if (site_fixture_get(&f, target) != 200)
        fail_msg("%s: %d %s", target, f.x.status, site_fixture_body(&f));
    json_t *root = json_loads(site_fixture_body(&f), 0, NULL);
    assert_non_null(root);
    return root;
}

static void expect(const json_t *root, const char *set, const char *span, int64_t value)
{
    const json_t *v = json_object_get(json_object_get(json_object_get(root, set), span), "value");
    if (!json_is_integer(v) || json_integer_value(v) != value)
        fail_msg("%s %s is not %" PRId64 ": %s", set, span, value, site_fixture_body(&f));
}

static void totals_count_days_of_membership_only(void **state)
{
    (void)state;
    json_t *root = get(ASK "&period=2026-02&against=2026-01");
    // Who joined on 15 January did not make January's figure in the park; who merged is in the other's.
    expect(root, "everybody", "against", 10 + 15 + 7);
    expect(root, "everybody", "period", 25 + 200);
    json_decref(root);
}

static void like_for_like_compares_the_same_residents_and_a_merged_pair_together(void **state)
{
    (void)state;
    json_t *root = get(ASK "&period=2026-02&against=2026-01");
    expect(root, "like_for_like", "against", 10 + 15);
    expect(root, "like_for_like", "period", 25);
    const json_t *change = json_object_get(json_object_get(root, "like_for_like"), "change_per_cent");
    assert_true(json_is_number(change) && json_number_value(change) == 0);
    json_decref(root);
    assert_true(site_fixture_has(&f, "\"residents\":[\"old\",\"part\"]"));
    assert_true(
        site_fixture_has(&f, "{\"resident\":\"late\",\"why\":\"joined later\",\"day\":\"2026-01-15\"}"));
    assert_true(site_fixture_has(&f, "{\"resident\":\"host\",\"why\":\"merged with one that joined later, or "
                                     "left\",\"day\":null}"));
    assert_true(site_fixture_has(&f, "{\"resident\":\"gone\",\"why\":\"left\",\"day\":\"2026-02-01\"}"));
}

static void either_period_may_be_the_later_one(void **state)
{
    (void)state;
    json_t *root = get(ASK "&period=2026-01&against=2026-02");
    expect(root, "like_for_like", "period", 25);
    expect(root, "everybody", "period", 32);
    expect(root, "everybody", "against", 225);
    json_decref(root);
}

static void what_cannot_be_compared_is_refused_by_name(void **state)
{
    static const struct {
        const char *target, *parameter;
    } wrong[] = {
        {ASK "&period=2026-02", "against"},
        {ASK "&against=2026-02", "period"},
        {ASK "&period=2026-02&against=2025", "against"},
        {ASK "&period=2026-02&against=2026-02", "against"},
        {ASK "&period=2026-02&against=2026-01-01", "against"},
        {ASK "&period=soon&against=2026-02", "period"},
        {ASK "&period=2026-02&against=2026-01&format=csv", "like_for_like"},
        {"/api/v1/observations?series=p/all/jobs_created&period=2026&against=2025", "against"},
        {"/api/v1/observations?series=p/all/jobs_created&like_for_like=yes", "like_for_like"},
        {"/api/v1/observations?series=p/old/jobs_created&like_for_like=1&period=2026&against=2025",
         "like_for_like"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char named[60];
        snprintf(named, sizeof named, "\"parameter\":\"%s\"", wrong[i].parameter);
        if (site_fixture_get(&f, wrong[i].target) != 400 || !site_fixture_has(&f, named))
            fail_msg("%s: %d %s", wrong[i].target, f.x.status, site_fixture_body(&f));
    }
}

static void the_totals_page_asks_and_answers(void **state)
{
    (void)state;
    assert_int_equal(site_fixture_get(&f, "/series/p/all/jobs_created?lang=en"), 200);
    assert_true(site_fixture_has(&f, "<h2 id=\"alike\">Like for like</h2>"));
    assert_false(site_fixture_has(&f, "The same residents"));
    const char *asked = "/series/p/all/jobs_created?lang=en&like_for_like=1&period=2026-02&against=2026-01";
    assert_int_equal(site_fixture_get(&f, asked), 200);
    assert_true(site_fixture_has(&f, "The same residents"));
    assert_true(site_fixture_has(&f, ">225</data>"));
    assert_true(site_fixture_has(&f, "Latecomer: in the park since 2026-01-15"));
    assert_true(site_fixture_has(&f, "Leaver: left the park on 2026-02-01"));
    assert_true(
        site_fixture_has(&f, "Host: an enterprise that was not in the park throughout merged into it</li>"));
    assert_true(site_fixture_has(&f, "Guest: in the park since 2026-01-10"));
    site_fixture_get(&f, "/series/p/old/jobs_created?lang=en");
    assert_false(site_fixture_has(&f, "id=\"alike\""));
}

static void only_those_in_the_park_today_are_said_to_be_reporting_or_not(void **state)
{
    (void)state; // old and late report, host does not; part, gone and guest are in it no more
    assert_int_equal(site_fixture_get(&f, "/parks/p?lang=en"), 200);
    assert_true(site_fixture_has(&f, "residents reporting: 2 of 3"));
    assert_int_equal(site_fixture_get(&f, "/?lang=en"), 200);
    assert_true(site_fixture_has(&f, "<dd>2 / 3</dd>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(totals_count_days_of_membership_only),
        cmocka_unit_test(like_for_like_compares_the_same_residents_and_a_merged_pair_together),
        cmocka_unit_test(either_period_may_be_the_later_one),
        cmocka_unit_test(what_cannot_be_compared_is_refused_by_name),
        cmocka_unit_test(the_totals_page_asks_and_answers),
        cmocka_unit_test(only_those_in_the_park_today_are_said_to_be_reporting_or_not),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
