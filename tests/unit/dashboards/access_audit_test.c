#include "base/fs.h"
#include "dashboards/identity.h"
#include "tests/support/rivals.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char folder[STORE_PATH], bearer[100];
static struct rivals w;

static int setup(void **state)
{
    (void)state;
    struct scope s;
    struct users *users;
    uint8_t secret[USERS_SECRET_BYTES];
    char token[IDENTITY_TOKEN_TEXT];
    assert_int_equal(crypto_init(), ERR_OK);
    store_temp_folder(folder);
    assert_int_equal(users_open(folder, true, &users, NULL), ERR_OK);
    assert_int_equal(scope_parse("resident:twin/alfa", &s), ERR_OK);
    assert_int_equal(users_add(users, "aigul", &s, "none", STORE_EPOCH, NULL), ERR_OK);
    assert_int_equal(users_token_add(users, "alfa", &s, STORE_EPOCH, INT64_MAX / 2, secret, NULL), ERR_OK);
    users_close(users);
    identity_token_text(secret, token);
    snprintf(bearer, sizeof bearer, "Bearer %s", token);
    rivals_open(&w, WITH_ALL, folder);
    fake_clock_advance_us(&w.store.clock, 10 * US_PER_S);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rivals_close(&w);
    store_remove_folder(folder);
    return 0;
}

static int ask(const char *target, const char *authorization)
{
    w.audited[0] = '\0';
    return rivals_ask(&w, "GET", target, authorization, "");
}

// Of what the collector was told last.
static void told(const char *event, const char *outcome, const char *who, const char *object, int count)
{
    json_t *o = json_loads(w.audited, 0, NULL);
    if (!o)
        fail_msg("not told: '%s'", w.audited);
    assert_string_equal(json_string_value(json_object_get(o, "event")), event);
    assert_string_equal(json_string_value(json_object_get(o, "outcome")), outcome);
    assert_string_equal(json_string_value(json_object_get(o, "who")), who);
    assert_string_equal(json_string_value(json_object_get(o, "object")), object);
    assert_int_equal(json_integer_value(json_object_get(o, "count")), count);
    json_decref(o);
}

static void an_address_that_is_cut_inside_a_letter_is_told_all_the_same(void **state)
{
    (void)state;
    char name[64], whole[400], asked[600], object[REFUSALS_OBJECT];
    memset(name, 'a', sizeof name);
    for (int shift = 0; shift < 2; shift++) { // the park's name so long that the cut is in the last part
        snprintf(whole, sizeof whole, "/series/%.60s/%.*s/%.63s", name, 56 + shift, name, name);
        snprintf(asked, sizeof asked, "%s", whole);
        for (int i = 0; i < 8; i++) {
            strcat(whole, "\xd3\x99");
            strcat(asked, "%d3%99");
        }
        assert_int_equal(ask(asked, bearer), 404);
        size_t n = sizeof object - 1;
        assert_true(strlen(whole) > n);
        while ((unsigned char)whole[n] >> 6 == 2)
            n--;
        memcpy(object, whole, n);
        object[n] = '\0';
        told("read", "refused", "token:alfa address:10.0.0.7", object, 1);
        fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
    }
}

static void nobody_hides_behind_another_s_refusals(void **state)
{
    (void)state;
    assert_int_equal(ask("/parks/twin/beta", ""), 303);
    told("read", "refused", "address:10.0.0.7", "/parks/twin/beta", 1);
    assert_int_equal(ask("/parks/twin/beta", bearer), 404);
    told("read", "refused", "token:alfa address:10.0.0.7", "/parks/twin/beta", 1);
    for (int i = 0; i < 9; i++)
        assert_int_equal(ask("/parks/twin/beta", bearer), 404);
    assert_string_equal(w.audited, "");
    fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
    assert_int_equal(ask("/healthz", ""), 200); // whoever asks next
    told("read", "refused", "token:alfa address:10.0.0.7", "/parks/twin/beta", 9);
}

static void an_export_is_told_by_the_series_name_however_it_was_asked_for(void **state)
{
    (void)state;
    char target[600] = "/api/v1/observations?";
    memset(target + strlen(target), '&', 300);
    strcat(target, "format=csv&series=twin%2Falfa/%69nv");
    fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
    assert_int_equal(ask(target, bearer), 200);
    told("export", "done", "token:alfa address:10.0.0.7", "twin/alfa/inv", 1);
}

// A raw byte and an escaped one that are text together, and none as they came.
static void an_export_cannot_be_asked_for_so_that_no_entry_can_be_made_of_it(void **state)
{
    (void)state;
    static const char *const tails[] = {"\xc3%A9", "%C3\xa9", "\xc3\xa9", "\x7f", "\xff"};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char target[200];
        snprintf(target, sizeof target, "/api/v1/observations?format=csv&series=twin/alfa/inv&lang=%s",
                 tails[i]);
        assert_int_equal(ask(target, bearer), 400);
        assert_string_equal(w.x.filename, "");
        assert_null(strstr(buf_str(&w.x.body), "7310581"));
    }
    fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
    assert_int_equal(ask("/api/v1/observations?format=csv&series=twin/alfa/inv&lang=%C3%A9", bearer), 200);
    told("export", "done", "token:alfa address:10.0.0.7", "twin/alfa/inv", 1);
}

static void exports_beyond_one_a_second_are_told_together_and_none_is_left_out(void **state)
{
    (void)state;
    static const char inv[] = "/api/v1/observations?format=csv&series=twin/alfa/inv",
                      jobs[] = "/api/v1/observations?format=csv&series=twin/alfa/jobs_total";
    fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
    assert_int_equal(ask(inv, bearer), 200);
    told("export", "done", "token:alfa address:10.0.0.7", "twin/alfa/inv", 1);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(ask(inv, bearer), 200);
        assert_string_equal(w.audited, "");
    }
    assert_int_equal(ask(jobs, bearer), 200); // another series has its own entry at once
    told("export", "done", "token:alfa address:10.0.0.7", "twin/alfa/jobs_total", 1);
    fake_clock_advance_us(&w.store.clock, US_PER_S);
    assert_int_equal(ask("/healthz", ""), 200); // whoever asks next
    told("export", "done", "token:alfa address:10.0.0.7", "twin/alfa/inv", 50);
    fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
    assert_int_equal(ask("/healthz", ""), 200);
    assert_string_equal(w.audited, "");
}

static struct export file_of(const char *whose, int series)
{
    struct export e = {.count = 0};
    snprintf(e.whose, sizeof e.whose, "%s", whose);
    snprintf(e.object, sizeof e.object, "twin/alfa/kpi%d", series);
    return e;
}

static void what_there_is_no_room_to_count_is_not_handed_out_and_leaves_room_for_others(void **state)
{
    (void)state;
    static struct exports all;
    struct export e = {.count = 0};
    uint64_t counted = 0, seen = 0;
    size_t entries = 0;
    for (int i = 0; i < 1000; i++) {
        e = file_of("user:greedy", i % 100);
        counted += exports_count(&all, &e, 5 * US_PER_S);
        while (exports_take(&all, 5 * US_PER_S, false, &e)) {
            entries++;
            seen += e.count;
        }
    }
    assert_int_equal(entries, EXPORTS_PER_S);
    e = file_of("user:greedy", 5000);
    assert_false(exports_count(&all, &e, 5 * US_PER_S));
    e = file_of("user:other", 5000);
    assert_true(exports_count(&all, &e, 5 * US_PER_S));
    counted++;
    while (exports_take(&all, 5 * US_PER_S, true, &e))
        seen += e.count;
    assert_int_equal(seen, counted);
    assert_in_range(counted, EXPORTS_OF_ONE, 1001);
}

static void a_token_that_is_not_valid_is_told(void **state)
{
    (void)state;
    char wrong[100];
    snprintf(wrong, sizeof wrong, "%.20s%s", bearer,
             "00000000000000000000000000000000000000000000000000000000");
    wrong[strlen(bearer)] = '\0';
    assert_int_equal(ask("/api/v1/agents", wrong), 401);
    told("read", "refused", "address:10.0.0.7", "/api/v1/agents", 1);
    assert_non_null(strstr(w.audited, "not a valid token"));
}

static void forms_and_tries_that_are_refused_are_told(void **state)
{
    (void)state;
    fake_clock_advance_us(&w.store.clock, 2 * US_PER_S);
    w.audited[0] = '\0';
    assert_int_equal(rivals_ask(&w, "POST", "/login", "", ""), 403);
    told("login", "refused", "address:10.0.0.7", "/login", 1);
}

// The last one: nobody gets in any more.
static void a_users_file_that_was_replaced_lets_nobody_in(void **state)
{
    (void)state;
    char path[STORE_PATH + 32], *bytes = NULL;
    size_t len = 0;
    snprintf(path, sizeof path, "%s/users.sqlite", folder);
    assert_int_equal(ask("/parks/twin/alfa", bearer), 200);
    assert_int_equal(fs_read_file(path, 1 << 20, &bytes, &len, NULL), ERR_OK);
    assert_int_equal(fs_replace_file(path, bytes, len, 0600, NULL), ERR_OK); // the same, by another file
    free(bytes);
    assert_int_equal(ask("/parks/twin/alfa", bearer), 503);
    assert_int_equal(ask("/healthz", ""), 200);
    assert_int_equal(remove(path), 0);
    assert_int_equal(ask("/parks/twin/alfa", bearer), 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_that_is_cut_inside_a_letter_is_told_all_the_same),
        cmocka_unit_test(nobody_hides_behind_another_s_refusals),
        cmocka_unit_test(an_export_is_told_by_the_series_name_however_it_was_asked_for),
        cmocka_unit_test(an_export_cannot_be_asked_for_so_that_no_entry_can_be_made_of_it),
        cmocka_unit_test(exports_beyond_one_a_second_are_told_together_and_none_is_left_out),
        cmocka_unit_test(what_there_is_no_room_to_count_is_not_handed_out_and_leaves_room_for_others),
        cmocka_unit_test(a_token_that_is_not_valid_is_told),
        cmocka_unit_test(forms_and_tries_that_are_refused_are_told),
        cmocka_unit_test(a_users_file_that_was_replaced_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
