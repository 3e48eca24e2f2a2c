#include "dashboards/access.h"
#include "dashboards/limiter.h"
#include "dashboards/router.h"
#include "dashboards/users.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define NOW INT64_C(1772366400)

// ---- the policy
// --------------------------------------------------------------------------------------------------------
static struct resident residents[] = {
    {.code = "acme"}, {.code = "rival"}, {.code = "office", .is_public = true}};
static struct park open_park = {
    .code = "one", .is_public = true, .resident_count = 3, .residents = residents};
static struct park closed_park = {.code = "two", .resident_count = 3, .residents = residents};
static struct park *park_list[] = {&open_park, &closed_park};
static const struct parks parks = {2, park_list};

static struct viewer viewer(const char *scope)
{
    struct viewer v = {.parks = &parks};
    if (*scope)
        assert_int_equal(scope_parse(scope, &v.scope), ERR_OK);
    return v;
}

static void each_role_sees_what_the_table_says_and_nothing_else(void **state)
{
    (void)state;
    // park one, its acme, its rival, its office, what acme keeps to itself and what the office does, its
    // sums, acme's agents, what acme owes and what its rival does; the same of two; the system
    static const struct {
        const char *scope, *sees;
    } cases[] = {{"", "+--+------ ---------- -"},
                 {"resident:one/acme", "++-++--++- ---------- -"},
                 {"resident:two/acme", "+--+------ ++--+--++- -"},
                 {"analyst:one", "+++++++-++ ---------- -"},
                 {"operator:one", "++++++++++ ---------- -"},
                 {"analyst:two", "+--+------ +++++++-++ -"},
                 {"operator:elsewhere", "+--+------ ---------- -"},
                 {"auditor", "++++++++++ ++++++++++ +"},
                 {"admin", "++++++++++ ++++++++++ +"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct viewer v = viewer(cases[i].scope);
        char sees[28];
        size_t n = 0;
        for (size_t p = 0; p < 2; p++) {
            const char *park = park_list[p]->code;
            const bool may[10] = {access_may(&v, SIGHT_PARK, park, ""),
                                  access_may(&v, SIGHT_RESIDENT, park, "acme"),
                                  access_may(&v, SIGHT_RESIDENT, park, "rival"),
                                  access_may(&v, SIGHT_RESIDENT, park, "office"),
                                  access_may(&v, SIGHT_INSIDE, park, "acme"),
                                  access_may(&v, SIGHT_INSIDE, park, "office"),
                                  access_may(&v, SIGHT_SUMS, park, ""),
                                  access_may(&v, SIGHT_AGENT, park, "acme"),
                                  access_may(&v, SIGHT_OBLIGATIONS, park, "acme"),
                                  access_may(&v, SIGHT_OBLIGATIONS, park, "rival")};
            for (size_t k = 0; k < 10; k++)
                sees[n++] = may[k] ? '+' : '-';
            sees[n++] = ' ';
        }
        sees[n++] = access_may(&v, SIGHT_SYSTEM, "", "") ? '+' : '-';
        sees[n] = '\0';
        assert_string_equal(sees, cases[i].sees);
    }
}

static void what_is_not_known_is_refused(void **state)
{
    (void)state;
    const struct viewer nobody = {0};
    struct viewer broken = viewer("admin"), empty = {.parks = &parks, .scope = {.role = ROLE_RESIDENT}};
    broken.scope.role = ROLE_COUNT;
    assert_false(access_may(NULL, SIGHT_PARK, "one", ""));
    assert_false(access_may(&nobody, SIGHT_PARK, "one", "")); // without marks nothing is public
    assert_false(access_may(&broken, SIGHT_SUMS, "one", ""));
    assert_false(access_may(&broken, SIGHT_COUNT, "one", ""));
    assert_false(access_may(&empty, SIGHT_RESIDENT, "", ""));
    assert_false(access_may_series(&empty, "one", "all"));
    assert_false(access_route(&broken, (enum access_class)0, "one", "acme"));
    assert_false(access_route(&broken, ACCESS_MEMBERS, "", ""));
    const struct viewer resident = viewer("resident:one/acme");
    assert_false(access_may_series(&resident, "one", "all"));
    assert_true(access_park(&resident, "two") == NULL && access_park(&resident, "three") == NULL);
}

static void every_route_declares_what_it_is_about_and_what_it_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < router_count(); i++) {
        const struct route *r = router_at(i);
        bool park = strstr(r->pattern, "{park}"), resident = strstr(r->pattern, "{resident}");
        if (r->access < ACCESS_OPEN || r->access > ACCESS_REPORT || !r->params)
            fail_msg("%s has no access class", r->pattern);
        // an address that names somebody is never answered without asking
        bool reports = r->access == ACCESS_REPORT;
        if ((park && r->access != ACCESS_PARK && r->access != ACCESS_RESIDENT && !reports) ||
            (resident && r->access != ACCESS_RESIDENT && !reports) ||
            (reports && strncmp(r->pattern, "/report/", 8) != 0))
            fail_msg("%s is about more than its class says", r->pattern);
    }
}

static void
figures_are_reported_by_who_answers_for_them_and_corrected_after_closing_by_operators(void **state)
{
    (void)state;
    static const struct {
        const char *scope, *park, *resident;
        bool reports, corrects_closed;
    } rows[] = {
        {"resident:one/acme", "one", "acme", true, false},
        {"resident:one/acme", "one", "zeta", false, false},
        {"resident:one/acme", "two", "acme", false, false},
        {"resident:one/acme", "one", "all", false, false},
        {"resident:one/acme", "one", "", false, false},
        {"analyst:one", "one", "acme", false, false},
        {"operator:one", "one", "acme", true, true},
        {"operator:one", "two", "acme", false, false},
        {"operator:one", "one", "all", false, false},
        {"auditor", "one", "acme", false, false},
        {"admin", "one", "acme", true, true},
        {"admin", "one", "all", false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct viewer v = viewer(rows[i].scope);
        for (int kind = VIEWER_NOBODY; kind <= VIEWER_TOKEN; kind++) {
            v.kind = (enum viewer_kind)kind;
            bool known = kind == VIEWER_SESSION || kind == VIEWER_TOKEN;
            if (access_may_do(&v, DEED_REPORT, rows[i].park, rows[i].resident) !=
                    (known && rows[i].reports) ||
                access_may_do(&v, DEED_REPORT_CLOSED, rows[i].park, rows[i].resident) !=
                    (known && rows[i].corrects_closed))
                fail_msg("row %zu, kind %d", i, kind);
        }
    }
    assert_false(access_may_do(NULL, DEED_REPORT, "one", "acme"));
    struct viewer admin = viewer("admin");
    admin.kind = VIEWER_TOKEN;
    assert_false(access_may_do(&admin, DEED_COUNT, "one", "acme"));
}

static void scopes_are_read_strictly_and_written_back(void **state)
{
    (void)state;
    static const char *const good[] = {"resident:a/b", "analyst:a", "operator:a.b-c_d", "auditor", "admin"};
    static const char *const bad[] = {"",
                                      "public",
                                      "resident",
                                      "resident:a",
                                      "resident:a/all",
                                      "resident:a/b/c",
                                      "analyst",
                                      "analyst:",
                                      "analyst:a/b",
                                      "analyst:A",
                                      "auditor:a",
                                      "admin:",
                                      "root",
                                      "administratoradministrator",
                                      ":a",
                                      "operator:../x"};
    struct scope s;
    char text[SCOPE_TEXT];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(scope_parse(good[i], &s), ERR_OK);
        scope_text(&s, text);
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (scope_parse(bad[i], &s) != ERR_INVALID)
            fail_msg("'%s' was taken", bad[i]);
}

static void series_are_looked_for_only_where_they_may_be_seen(void **state)
{
    (void)state;
    static const struct {
        const char *scope, *prefixes;
    } cases[] = {{"", "one/office/ "},
                 {"resident:one/acme", "one/acme/ one/office/ "},
                 {"resident:one/office", "one/office/ "},
                 {"analyst:one", "one/ "},
                 {"analyst:two", "one/office/ two/ "},
                 {"auditor", " "}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct viewer v = viewer(cases[i].scope);
        struct access_prefixes p;
        char all[400] = "";
        assert_int_equal(access_prefixes(&v, &p), ERR_OK);
        for (size_t k = 0; k < p.count; k++)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", p.at[k]);
        access_prefixes_free(&p);
        assert_string_equal(all, cases[i].prefixes);
    }
}

// ---- users
// -------------------------------------------------------------------------------------------------------------
static struct users *open_users(char folder[STORE_PATH])
{
    struct users *u = NULL;
    struct diag d = {""};
    store_temp_folder(folder);
    if (users_open(folder, true, &u, &d))
        fail_msg("%s", d.text);
    return u;
}

static void add(struct users *u, const char *name, const char *scope_of)
{
    struct scope s;
    assert_int_equal(scope_parse(scope_of, &s), ERR_OK);
    assert_int_equal(users_add(u, name, &s, "kept", NOW, NULL), ERR_OK);
}

static void the_users_file_is_private_and_one_that_is_not_is_refused(void **state)
{
    (void)state;
    char folder[STORE_PATH], path[STORE_PATH + 20];
    struct stat st;
    struct diag d = {""};
    struct users *u = open_users(folder);
    users_close(u);
    snprintf(path, sizeof path, "%s/users.sqlite", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(users_open(folder, false, &u, &d), ERR_DENIED);
    assert_non_null(strstr(d.text, "chmod 600"));
    store_remove_folder(folder);
    assert_int_equal(users_open(folder, false, &u, &d), ERR_NOT_FOUND);
}

static void a_session_ends_by_idling_by_age_by_logout_and_with_its_user(void **state)
{
    (void)state;
    char folder[STORE_PATH];
    uint8_t a[USERS_SECRET_BYTES], b[USERS_SECRET_BYTES];
    struct viewer v = {0};
    struct users *u = open_users(folder);
    add(u, "aigul", "resident:one/acme");
    assert_int_equal(users_session_begin(u, "nobody", "kept", NOW, a, NULL), ERR_NOT_FOUND);
    assert_int_equal(users_session_begin(u, "aigul", "kept", NOW, a, NULL), ERR_OK);
    assert_int_equal(users_session_find(u, a, NOW + 1, &v), ERR_OK);
    assert_int_equal(v.kind, VIEWER_SESSION);
    assert_string_equal(v.scope.resident, "acme");
    assert_int_equal(users_session_find(u, a, NOW + USERS_IDLE_S, &v), ERR_NOT_FOUND);
    int64_t at = NOW; // used again and again it lasts, but not for ever
    for (; at < NOW + USERS_SESSION_S - 3600; at += 3600)
        assert_int_equal(users_session_find(u, a, at, &v), ERR_OK);
    assert_int_equal(users_session_find(u, a, NOW + USERS_SESSION_S, &v), ERR_NOT_FOUND);
    assert_int_equal(users_session_begin(u, "aigul", "kept", NOW, b, NULL), ERR_OK);
    assert_int_equal(users_session_end(u, b), ERR_OK);
    assert_int_equal(users_session_find(u, b, NOW, &v), ERR_NOT_FOUND);
    assert_int_equal(users_session_begin(u, "aigul", "kept", NOW, b, NULL), ERR_OK);
    assert_int_equal(users_set_password(u, "aigul", "another", NULL), ERR_OK);
    assert_int_equal(users_session_find(u, b, NOW, &v), ERR_NOT_FOUND);
    // a login that looked at the password before it was changed comes too late
    assert_int_equal(users_session_begin(u, "aigul", "kept", NOW, b, NULL), ERR_NOT_FOUND);
    assert_int_equal(users_session_find(u, b, NOW, &v), ERR_NOT_FOUND);
    assert_int_equal(users_session_begin(u, "aigul", "another", NOW, b, NULL), ERR_OK);
    struct users *command = NULL; // another process would do it like this
    assert_int_equal(users_open(folder, false, &command, NULL), ERR_OK);
    assert_int_equal(users_remove(command, "aigul", NULL), ERR_OK);
    assert_int_equal(users_session_find(u, b, NOW, &v), ERR_NOT_FOUND);
    assert_int_equal(users_remove(command, "aigul", NULL), ERR_NOT_FOUND);
    users_close(command);
    users_close(u);
    store_remove_folder(folder);
}

static void a_user_has_so_many_sessions_and_the_oldest_goes(void **state)
{
    (void)state;
    char folder[STORE_PATH];
    uint8_t secrets[USERS_SESSIONS_MAX + 1][USERS_SECRET_BYTES];
    struct viewer v;
    struct users *u = open_users(folder);
    add(u, "aigul", "admin");
    for (int i = 0; i <= USERS_SESSIONS_MAX; i++)
        assert_int_equal(users_session_begin(u, "aigul", "kept", NOW + i, secrets[i], NULL), ERR_OK);
    assert_int_equal(users_session_find(u, secrets[0], NOW + 30, &v), ERR_NOT_FOUND);
    assert_int_equal(users_session_find(u, secrets[1], NOW + 30, &v), ERR_OK);
    assert_int_equal(users_session_find(u, secrets[USERS_SESSIONS_MAX], NOW + 30, &v), ERR_OK);
    users_close(u);
    store_remove_folder(folder);
}

static void a_token_is_good_until_it_expires_or_is_removed(void **state)
{
    (void)state;
    char folder[STORE_PATH];
    uint8_t secret[USERS_SECRET_BYTES], wrong[USERS_SECRET_BYTES] = {1};
    struct scope s;
    struct viewer v = {0};
    struct users *u = open_users(folder);
    assert_int_equal(scope_parse("analyst:one", &s), ERR_OK);
    assert_int_equal(users_token_add(u, "grafana", &s, NOW, NOW + 100, secret, NULL), ERR_OK);
    assert_int_equal(users_token_add(u, "grafana", &s, NOW, NOW + 100, wrong, NULL), ERR_EXISTS);
    assert_int_equal(users_token_find(u, secret, NOW + 99, &v), ERR_OK);
    assert_int_equal(v.kind, VIEWER_TOKEN);
    assert_int_equal(v.scope.role, ROLE_ANALYST);
    assert_int_equal(users_token_find(u, wrong, NOW, &v), ERR_NOT_FOUND);
    assert_int_equal(users_token_find(u, secret, NOW + 100, &v), ERR_NOT_FOUND);
    assert_int_equal(users_session_find(u, secret, NOW, &v), ERR_NOT_FOUND);
    assert_int_equal(users_token_remove(u, "grafana", NULL), ERR_OK);
    assert_int_equal(users_token_find(u, secret, NOW, &v), ERR_NOT_FOUND);
    users_close(u);
    store_remove_folder(folder);
}

// ---- how often
// ---------------------------------------------------------------------------------------------------------
static void guessing_is_slowed_and_the_rightful_is_never_locked_out(void **state)
{
    (void)state;
    struct fake_clock clock;
    struct limiter *l = NULL;
    char address[32];
    fake_clock_init(&clock, NOW * US_PER_S);
    assert_int_equal(limiter_create(&clock.clock, &l), ERR_OK);
    assert_int_equal(limiter_try(l, "10.0.0.1", "aigul"), 0);
    limiter_succeeded(l, "10.0.0.1", "aigul"); // known from here
    for (int i = 0; i < LIMITER_BURST; i++)
        assert_int_equal(limiter_try(l, "10.9.9.9", "aigul"), 0);
    int wait = limiter_try(l, "10.9.9.9", "aigul");
    assert_in_range(wait, 1, LIMITER_REFILL_S);
    assert_true(limiter_try(l, "10.9.9.8", "aigul") > 0);   // whoever guesses at this name waits
    assert_int_equal(limiter_try(l, "10.9.9.8", "bek"), 0); // not at another
    assert_true(limiter_try(l, "10.9.9.9", "bek") > 0);     // that address waits whatever the name
    assert_int_equal(limiter_try(l, "10.0.0.1", "aigul"), 0);
    fake_clock_advance_us(&clock, LIMITER_REFILL_S * US_PER_S);
    assert_int_equal(limiter_try(l, "10.9.9.9", "cem"), 0);
    assert_true(limiter_try(l, "10.9.9.9", "cem") > 0);
    for (int i = 0; i < 20000; i++) { // bounded: more than there is room for
        snprintf(address, sizeof address, "10.%d.%d.%d", i / 65536, i / 256 % 256, i % 256);
        (void)limiter_try(l, address, address);
    }
    limiter_destroy(l);
}

static void passwords_are_argon2id_and_compared_whole(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_TEXT], again[PASSWORD_HASH_TEXT];
    assert_int_equal(crypto_init(), ERR_OK);
    assert_int_equal(crypto_password_hash("correct horse", 13, hash), ERR_OK);
    assert_int_equal(crypto_password_hash("correct horse", 13, again), ERR_OK);
    assert_int_equal(strncmp(hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31), 0);
    assert_string_not_equal(hash, again); // salted
    assert_true(crypto_password_verify(hash, "correct horse", 13));
    assert_false(crypto_password_verify(hash, "correct horsf", 13));
    assert_false(crypto_password_verify(hash, "correct horse", 12));
    assert_false(crypto_password_verify("", "correct horse", 13));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_sees_what_the_table_says_and_nothing_else),
        cmocka_unit_test(what_is_not_known_is_refused),
        cmocka_unit_test(every_route_declares_what_it_is_about_and_what_it_takes),
        cmocka_unit_test(
            figures_are_reported_by_who_answers_for_them_and_corrected_after_closing_by_operators),
        cmocka_unit_test(scopes_are_read_strictly_and_written_back),
        cmocka_unit_test(series_are_looked_for_only_where_they_may_be_seen),
        cmocka_unit_test(the_users_file_is_private_and_one_that_is_not_is_refused),
        cmocka_unit_test(a_session_ends_by_idling_by_age_by_logout_and_with_its_user),
        cmocka_unit_test(a_user_has_so_many_sessions_and_the_oldest_goes),
        cmocka_unit_test(a_token_is_good_until_it_expires_or_is_removed),
        cmocka_unit_test(guessing_is_slowed_and_the_rightful_is_never_locked_out),
        cmocka_unit_test(passwords_are_argon2id_and_compared_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
