#include "dashboards/commands.h"
#include "dashboards/identity.h"
#include "dashboards/limiter.h"
#include "tests/support/rivals.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PASSWORD "a long enough one"
#define HOST     "127.0.0.1:8080"

static char folder[STORE_PATH];
static struct users *users;
static struct rivals w;
static char cookie[200], form[HEX_TEXT(HASH_BYTES)]; // what the browser has

static int setup(void **state)
{
    (void)state;
    char hash[PASSWORD_HASH_TEXT];
    struct scope s;
    assert_int_equal(crypto_init(), ERR_OK);
    store_temp_folder(folder);
    assert_int_equal(users_open(folder, true, &users, NULL), ERR_OK);
    assert_int_equal(crypto_password_hash(PASSWORD, strlen(PASSWORD), hash), ERR_OK);
    assert_int_equal(scope_parse("resident:twin/alfa", &s), ERR_OK);
    assert_int_equal(users_add(users, "aigul", &s, hash, STORE_EPOCH, NULL), ERR_OK);
    rivals_open(&w, WITH_ALL, folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rivals_close(&w);
    users_close(users);
    store_remove_folder(folder);
    return 0;
}

struct sent { // NULL: what a browser on our page would send
    const char *cookie, *origin, *fetch_site, *form, *host;
};

static int ask(const char *method, const char *target, const char *body, const struct sent *s)
{
    struct exchange *x = &w.x;
    exchange_deinit(x);
    exchange_init(x);
    snprintf(x->method, sizeof x->method, "%s", method);
    snprintf(x->target, sizeof x->target, "%s", target);
    snprintf(x->cookie, sizeof x->cookie, "other=1; %s", s && s->cookie ? s->cookie : cookie);
    snprintf(x->host, sizeof x->host, "%s", s && s->host ? s->host : HOST);
    snprintf(x->address, sizeof x->address, "10.0.0.7");
    if (strcmp(method, "POST") == 0) {
        snprintf(x->origin, sizeof x->origin, "%s", s && s->origin ? s->origin : "http://" HOST);
        snprintf(x->fetch_site, sizeof x->fetch_site, "%s",
                 s && s->fetch_site ? s->fetch_site : "same-origin");
        x->form = calloc(1, EXCHANGE_FORM_MAX + 1);
        assert_non_null(x->form);
        x->form_len =
            (size_t)snprintf(x->form, EXCHANGE_FORM_MAX, "%s&form=%s", body, s && s->form ? s->form : form);
    }
    router_answer(w.site, x);
    if (*x->set_cookie)
        snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(x->set_cookie, ";"), x->set_cookie);
    return x->status;
}

// As a browser would: a fresh page with its form.
static void open_login(void)
{
    assert_int_equal(ask("GET", "/login", "", NULL), 200);
    const char *at = strstr(buf_str(&w.x.body), "name=\"form\" value=\"");
    assert_non_null(at);
    snprintf(form, sizeof form, "%s", at + strlen("name=\"form\" value=\""));
}

static void forget(void)
{
    cookie[0] = form[0] = '\0';
    limiter_destroy(w.site->limiter);
    assert_int_equal(limiter_create(w.site->clock, &w.site->limiter), ERR_OK);
}

static void log_in(void)
{
    forget();
    open_login();
    assert_int_equal(ask("POST", "/login", "name=aigul&password=a+long+enough%20one&next=/parks/twin", NULL),
                     303);
}

static void logging_in_gives_a_new_cookie_and_leads_back(void **state)
{
    (void)state;
    char before[200];
    forget();
    open_login();
    assert_non_null(strstr(w.x.set_cookie, "; Path=/; HttpOnly; SameSite=Lax"));
    snprintf(before, sizeof before, "%s", cookie);
    assert_int_equal(ask("GET", "/parks/twin/alfa", "", NULL), 303);
    assert_string_equal(w.x.location, "/login?next=/parks/twin/alfa");
    assert_int_equal(
        ask("POST", "/login", "name=aigul&password=a+long+enough%20one&next=/parks/twin/alfa", NULL), 303);
    assert_string_equal(w.x.location, "/parks/twin/alfa");
    assert_string_not_equal(before, cookie);
    assert_int_equal(ask("GET", "/parks/twin/alfa", "", NULL), 200);
    assert_string_equal(w.x.cache_control, "no-store");
    assert_non_null(strstr(buf_str(&w.x.body), "<b>aigul</b>"));
    assert_int_equal(ask("GET", "/parks/twin/alfa", "", &(struct sent){.cookie = before}),
                     303); // still nobody's
    assert_int_equal(ask("GET", "/parks/twin/beta", "", NULL), 404);
}

static void a_wrong_name_and_a_wrong_password_are_refused_alike(void **state)
{
    (void)state;
    char first[20000];
    forget();
    open_login();
    assert_int_equal(ask("POST", "/login", "name=aigul&password=wrong+wrong+wrong", NULL), 403);
    assert_non_null(strstr(buf_str(&w.x.body), "role=\"alert\""));
    snprintf(first, sizeof first, "%s", buf_str(&w.x.body));
    assert_int_equal(ask("POST", "/login", "name=aigul&password=", NULL), 403);
    assert_int_equal(ask("POST", "/login", "name=aigum&password=a+long+enough+one", NULL), 403);
    char *at = strstr(first, "aigul");
    assert_non_null(at);
    memcpy(at, "aigum", 5);
    assert_string_equal(first, buf_str(&w.x.body));
    assert_int_equal(ask("POST", "/login", "name=%3Cb%3E&password=x", NULL), 403);
    assert_null(strstr(buf_str(&w.x.body), "<b>"));
}

static void logging_in_and_taking_figures_out_are_told_to_the_audit_log(void **state)
{
    (void)state;
    log_in();
    assert_string_equal(
        w.audited, "{\"command\":\"audit\",\"event\":\"login\",\"outcome\":\"done\",\"who\":\"user:aigul "
                   "address:10.0.0.7\",\"object\":\"\",\"detail\":\"\",\"count\":1}");
    assert_int_equal(ask("GET", "/api/v1/observations?series=twin/alfa/inv&format=csv", "", NULL), 200);
    assert_non_null(strstr(w.audited, "\"event\":\"export\",\"outcome\":\"done\""));
    assert_non_null(strstr(w.audited, "\"object\":\"twin/alfa/inv\""));
    assert_non_null(strstr(w.audited, "\"detail\":\"/api/v1/observations?series=twin/alfa/inv&format=csv\""));
    fake_clock_advance_us(&w.store.clock, 2 * US_PER_S); // told once a second at most
    assert_int_equal(ask("GET", "/parks/twin/beta", "", NULL), 404);
    assert_non_null(strstr(w.audited, "\"event\":\"read\",\"outcome\":\"refused\""));
    forget();
    open_login();
    assert_int_equal(ask("POST", "/login", "name=aigul&password=wrong", NULL), 403);
    assert_non_null(strstr(w.audited, "\"event\":\"login\",\"outcome\":\"refused\",\"who\":\"user:aigul"));
}

static void forms_from_elsewhere_are_refused(void **state)
{
    (void)state;
    static const char right[] = "name=aigul&password=a+long+enough+one";
    static const struct sent attacks[] = {
        {.origin = "https://elsewhere.example"},
        {.origin = "null"},
        {.origin = "http://127.0.0.1:9090"},
        {.origin = "https://" HOST},
        {.origin = "", .fetch_site = "cross-site"},
        {.origin = "", .fetch_site = "same-site"},
        {.form = ""},
        {.form = "0000"},
        {.cookie = ""},
        {.cookie = "esep-session=0000000000000000000000000000000000000000000000000000000000000000"}};
    forget();
    open_login();
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++)
        if (ask("POST", "/login", right, &attacks[i]) != 403 || *w.x.set_cookie)
            fail_msg("attack %zu: %d", i, w.x.status);
    assert_int_equal(ask("POST", "/login", right, NULL), 303);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(ask("POST", "/logout", "", &attacks[i]), 403);
    assert_int_equal(ask("GET", "/parks/twin/alfa", "", NULL), 200); // still in
}

static void logging_out_ends_the_session_at_the_server(void **state)
{
    (void)state;
    char kept[200];
    log_in();
    snprintf(kept, sizeof kept, "%s", cookie);
    assert_int_equal(ask("GET", "/parks/twin", "", NULL), 200);
    const char *at = strstr(buf_str(&w.x.body), "name=\"form\" value=\"");
    assert_non_null(at);
    snprintf(form, sizeof form, "%s", at + strlen("name=\"form\" value=\""));
    assert_int_equal(ask("GET", "/logout", "", NULL), 405);
    assert_int_equal(ask("POST", "/logout", "", NULL), 303);
    assert_true(w.x.clear_site);
    assert_non_null(strstr(w.x.set_cookie, "Max-Age=0"));
    assert_int_equal(ask("GET", "/parks/twin/alfa", "", &(struct sent){.cookie = kept}), 303);
    assert_int_equal(ask("GET", "/api/v1/agents", "", &(struct sent){.cookie = kept}), 401);
}

static void guessing_is_told_to_wait(void **state)
{
    (void)state;
    forget();
    open_login();
    for (int i = 0; i < LIMITER_BURST; i++)
        assert_int_equal(ask("POST", "/login", "name=nobody.at.all&password=x", NULL), 403);
    assert_int_equal(ask("POST", "/login", "name=aigul&password=a+long+enough+one", NULL), 429);
    assert_in_range(w.x.retry_after_s, 1, LIMITER_REFILL_S);
    fake_clock_advance_us(&w.store.clock, LIMITER_REFILL_S * US_PER_S);
    open_login();
    assert_int_equal(ask("POST", "/login", "name=aigul&password=a+long+enough+one", NULL), 303);
}

static void who_comes_while_others_wait_to_log_in_is_sent_away_at_once(void **state)
{
    (void)state;
    struct timespec before, after;
    forget();
    open_login();
    assert_int_equal(sem_trywait(&w.site->hashing), 0);
    assert_int_equal(sem_trywait(&w.site->hashing), 0);
    atomic_store(&w.site->hashing_waiting, 2);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(ask("POST", "/login", "name=aigul&password=a+long+enough%20one", NULL), 503);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_in_range(w.x.retry_after_s, 1, 10);
    assert_true(after.tv_sec - before.tv_sec <= 1); // a wait takes two
    assert_int_equal(atomic_load(&w.site->hashing_waiting), 2);
    atomic_store(&w.site->hashing_waiting, 0);
    sem_post(&w.site->hashing);
    sem_post(&w.site->hashing);
    assert_int_equal(ask("POST", "/login", "name=aigul&password=a+long+enough%20one", NULL), 303);
}

static void the_way_back_stays_on_this_site(void **state)
{
    (void)state;
    static const char *const bad[] = {"//elsewhere.example",
                                      "https://elsewhere.example",
                                      "/%5Celsewhere.example",
                                      "javascript:alert(1)",
                                      "/login?next=/",
                                      "/a%20b",
                                      "/%22x"};
    log_in();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char target[200];
        snprintf(target, sizeof target, "/login?next=%s", bad[i]);
        assert_int_equal(ask("GET", target, "", NULL), 303);
        assert_string_equal(w.x.location, "/");
    }
    assert_int_equal(ask("GET", "/login?next=%2Fparks%2Ftwin%3Flang%3Dkk", "", NULL), 303);
    assert_string_equal(w.x.location, "/parks/twin?lang=kk");
}

static void malformed_forms_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "name",     "name=%zz", "name=a&name=b",
        "name=%00", "name=%ff", "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1&l=1&m=1&n=1&o=1&p=1&q=1"};
    forget();
    open_login();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ask("POST", "/login", bad[i], NULL) != 400)
            fail_msg("%s: %d", bad[i], w.x.status);
}

static void names_of_other_hosts_are_not_answered(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1",   "localhost:8080", "[::1]:8080",
                                       "10.1.2.3:80", "LOCALHOST",      ""};
    static const char *const bad[] = {"elsewhere.example",
                                      "127.0.0.1.elsewhere.example",
                                      "localhost.elsewhere",
                                      "[::1",
                                      "elsewhere.example:8080",
                                      "127.0.0.1@elsewhere.example",
                                      "1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(ask("GET", "/healthz", "", &(struct sent){.host = good[i]}), 200);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (ask("GET", "/healthz", "", &(struct sent){.host = bad[i]}) != 400)
            fail_msg("%s: %d", bad[i], w.x.status);
    char name[] = "park.example", *names[] = {name};
    w.config.hosts = names;
    w.config.host_count = 1;
    assert_int_equal(ask("GET", "/healthz", "", &(struct sent){.host = "park.example:443"}), 200);
    assert_int_equal(ask("GET", "/healthz", "", &(struct sent){.host = "a.park.example"}), 400);
    w.config.host_count = 0;
}

static void behind_tls_the_cookie_is_bound_to_the_host(void **state)
{
    (void)state;
    w.config.behind_tls = true;
    cookie[0] = '\0';
    assert_int_equal(ask("GET", "/login", "", NULL), 200);
    assert_int_equal(strncmp(w.x.set_cookie, "__Host-esep=", 12), 0);
    assert_non_null(strstr(w.x.set_cookie, "; Path=/; HttpOnly; SameSite=Lax; Secure"));
    assert_null(strstr(w.x.set_cookie, "Domain"));
    w.config.behind_tls = false;
}

static void without_users_a_proxy_in_front_is_refused(void **state)
{
    (void)state;
    struct rivals local;
    rivals_open(&local, WITH_ALFA, NULL);
    assert_int_equal(rivals_ask(&local, "GET", "/parks/twin/alfa", "", ""), 200); // this machine reads all
    assert_int_equal(rivals_ask(&local, "GET", "/login", "", ""), 404);
    exchange_deinit(&local.x);
    exchange_init(&local.x);
    snprintf(local.x.method, sizeof local.x.method, "GET");
    snprintf(local.x.target, sizeof local.x.target, "/parks/twin/alfa");
    local.x.forwarded = true;
    router_answer(local.site, &local.x);
    assert_int_equal(local.x.status, 403);
    rivals_close(&local);
}

static void a_token_that_is_not_valid_gets_nothing_not_even_what_is_public(void **state)
{
    (void)state;
    static const char *const bad[] = {"Bearer esep_00", "Bearer x", "Basic YTpi", "Bearer "};
    assert_int_equal(rivals_ask(&w, "GET", "/api/v1/parks", "", ""), 200);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(rivals_ask(&w, "GET", "/api/v1/parks", bad[i], ""), 401);
        assert_non_null(w.x.challenge);
    }
    assert_int_equal(rivals_ask(&w, "GET", "/metrics", "", ""), 401);
}

// A sanitizer's leak check needs to be able to trace its own process.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define SANITIZED false
#endif

static void what_passes_through_the_program_lies_about_in_no_dump_and_is_traced_by_nobody(void **state)
{
    (void)state;
    static char name[] = "esep-dashboard", option[] = "--version", *argv[] = {name, option, NULL};
    int status = 0;
    (void)fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit cores = {1, 1};
        bool safe = dashboard_commands_main(2, argv) == 0 && getrlimit(RLIMIT_CORE, &cores) == 0 &&
                    cores.rlim_max == 0 && (SANITIZED || prctl(PR_GET_DUMPABLE) == 0);
        _exit(safe ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logging_in_gives_a_new_cookie_and_leads_back),
        cmocka_unit_test(a_wrong_name_and_a_wrong_password_are_refused_alike),
        cmocka_unit_test(logging_in_and_taking_figures_out_are_told_to_the_audit_log),
        cmocka_unit_test(forms_from_elsewhere_are_refused),
        cmocka_unit_test(logging_out_ends_the_session_at_the_server),
        cmocka_unit_test(guessing_is_told_to_wait),
        cmocka_unit_test(who_comes_while_others_wait_to_log_in_is_sent_away_at_once),
        cmocka_unit_test(the_way_back_stays_on_this_site),
        cmocka_unit_test(malformed_forms_are_refused),
        cmocka_unit_test(names_of_other_hosts_are_not_answered),
        cmocka_unit_test(behind_tls_the_cookie_is_bound_to_the_host),
        cmocka_unit_test(without_users_a_proxy_in_front_is_refused),
        cmocka_unit_test(a_token_that_is_not_valid_gets_nothing_not_even_what_is_public),
        cmocka_unit_test(what_passes_through_the_program_lies_about_in_no_dump_and_is_traced_by_nobody),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
