// Attackers walk every address that the router's own table gives, with every parameter it names: a new route
// or parameter is walked without being written down here, or the walk fails for want of something to ask
// with. Two things are looked for in each answer: another's names and figures, and, stronger, any difference
// at all from the answer of a world in which the others do not exist.

#include "dashboards/identity.h"
#include "tests/support/rivals.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CHOICES 12
struct choices {
    const char *name, *of[CHOICES];
};
// What stands for a part of the path …
static const struct choices parts[] = {
    {"park", {"twin", "silo", "nopark"}},
    {"resident", {"alfa", "beta", "ghost", "office", "gamma", "all", "nobody"}},
    {"kpi", {"jobs_total", "inv", "out_units", "productivity", "taxes_paid", "nokpi"}},
    {"dimension", {"alfa-goods", "beta-goods", "gamma-goods", "nodim"}},
    {"image",
     {"jobs_total.png", "inv.svg", "out_units.pdf", "jobs_total.txt", "alfa-goods.png", "beta-goods.svg",
      "gamma-goods.png", "nodim.pdf", "productivity.png"}},
    {"file", {"style.css", "live.js", "icon.svg", "nofile"}},
};
// … and for a parameter; `series` is made of the parts.
static const struct choices params[] = {
    {"park", {"twin", "silo", "nopark", "A"}},
    {"resident", {"alfa", "beta", "ghost", "gamma", "office", "all", "nobody"}},
    {"kpi", {"jobs_total", "out_units", "productivity", "taxes_paid", "nokpi"}},
    {"after", {"a", "silo/gamma/inv", "twin/beta/inv", "twin/zzz"}},
    {"limit", {"1", "2", "4", "0"}},
    {"from", {"-7d", "2025-01-01", "x"}},
    {"to", {"now", "2026-02-01", "x"}},
    {"range", {"day", "all", "x"}},
    {"width", {"100", "99999"}},
    {"height", {"100", "0"}},
    {"theme", {"dark", "x"}},
    {"bare", {"1", "x"}},
    {"v", {"1", "x"}},
    {"step", {"1h", "quarter", "fiscal_year", "x"}},
    {"sums", {"month", "year", "x"}},
    {"cf", {"SUM", "MAX", "x"}},
    {"format", {"csv", "json", "x"}},
    {"period", {"2026-01", "2026", "x"}},
    {"like_for_like", {"1", "x"}},
    {"against", {"2025-01", "x"}},
    {"as_of", {"2026-02-01", "now", "x"}},
    {"by", {"published", "x"}},
    {"currency", {"USD", "KZT", "x"}},
    {"revisions", {"all", "x"}},
    {"state", {"all", "open", "late", "done", "x"}},
    {"stored", {"1", "x"}},
    {"dimension", {"alfa-goods", "beta-goods", "A"}},
    {"next", {"/parks/twin/beta", "//elsewhere.example"}},
    {"lang", {"ru", "kk", "uz", "ky", "xx"}},
    {"unheard-of", {"1"}},
};

static char users_folder[STORE_PATH];
static struct users *users;
static struct rivals whole, partial;

struct walk {
    const char *who, *authorization;
    unsigned hidden;                       // canaries that may not come
    unsigned own;                          // canaries that must come
    struct rivals *other;                  // the world without the hidden; NULL: not compared
    size_t urls, leaks, differences, seen; // seen: answers with own canaries
};

static const struct choices *choices_of(const struct choices *all, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(all[i].name) == len && strncmp(all[i].name, name, len) == 0)
            return &all[i];
    fail_msg("nothing to ask with for '%.*s': add choices of it", (int)len, name);
    return NULL;
}

// ---- looking at an answer
// -----------------------------------------------------------------------------------------------
static const char *bytes_of(const struct exchange *x, size_t *len)
{
    *len = x->blob ? x->blob->len : x->body.len;
    return x->blob ? x->blob->bytes : buf_str(&x->body);
}

// A form's token and its request's name are random: in hundreds of thousands of them any five digits come up.
static size_t random_at(const char *bytes, size_t left)
{
    size_t n = 0;
    while (n < left && strchr("0123456789abcdef", bytes[n]) && bytes[n])
        n++;
    return n >= 32 ? n : 0;
}

// Digits as they are when the separators of thousands and decimals are taken out.
static char *joined(const struct exchange *x)
{
    size_t len, n = 0;
    const char *bytes = bytes_of(x, &len);
    char *out = malloc(len + sizeof x->location + sizeof x->filename + sizeof x->problem + 1);
    assert_non_null(out);
    for (size_t i = 0, random; i < len; i++) {
        if ((random = random_at(bytes + i, len - i)) > 0) {
            i += random - 1;
            continue;
        }
        bool digit_before = n > 0 && out[n - 1] >= '0' && out[n - 1] <= '9';
        if (digit_before && (bytes[i] == ',' || bytes[i] == '.' || bytes[i] == ' '))
            continue;
        if (digit_before && i + 1 < len && bytes[i] == '\xc2' && bytes[i + 1] == '\xa0') {
            i++;
            continue;
        }
        if (bytes[i])
            out[n++] = bytes[i];
    }
    sprintf(out + n, "%s%s%s", x->location, x->filename, x->problem);
    return out;
}

static size_t canaries_in(const char *text, unsigned of, const char *who, const char *what)
{
    size_t found = 0;
    for (unsigned bit = 1; bit < WITH_ALL; bit <<= 1)
        for (const char *const *c = of & bit ? rivals_canaries(bit) : NULL; c && *c; c++) {
            if (!strstr(text, *c))
                continue;
            if (who)
                print_message("leak to %s: %s in %s\n", who, *c, what);
            found++;
        }
    return found;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_answer(const struct exchange *a, const struct exchange *b)
{
    size_t a_len, b_len;
    const char *a_bytes = bytes_of(a, &a_len), *b_bytes = bytes_of(b, &b_len);
    bool random = *a->set_cookie && *b->set_cookie; // a page with a form's token that is made of it
    return a->status == b->status && a_len == b_len && (random || memcmp(a_bytes, b_bytes, a_len) == 0) &&
           same_text(a->content_type, b->content_type) && same_text(a->cache_control, b->cache_control) &&
           strcmp(a->etag, b->etag) == 0 && strcmp(a->filename, b->filename) == 0 &&
           strcmp(a->location, b->location) == 0 && a->retry_after_s == b->retry_after_s &&
           a->vary_viewer == b->vary_viewer && a->drawing == b->drawing;
}

// As if a second had passed between requests: how many files may be taken out at once is not what is asked
// here.
static void forget_exports(struct rivals *w)
{
    memset(&w->site->exports, 0, sizeof w->site->exports);
}

static void look(struct walk *k, const char *method, const char *target, const char *etag)
{
    forget_exports(&whole);
    rivals_ask(&whole, method, target, k->authorization, etag);
    char *text = joined(&whole.x);
    k->urls++;
    k->leaks += canaries_in(text, k->hidden, k->who, target);
    k->seen += canaries_in(text, k->own, NULL, target) > 0;
    free(text);
    if (!k->other)
        return;
    forget_exports(k->other);
    rivals_ask(k->other, method, target, k->authorization, etag);
    if (same_answer(&whole.x, &k->other->x))
        return;
    print_message("%s can tell that there are others: %s %s: %d and %d\n%.2000s\n----\n%.2000s\n", k->who,
                  method, target, whole.x.status, k->other->x.status, buf_str(&whole.x.body),
                  buf_str(&k->other->x.body));
    k->differences++;
}

// ---- walking
// ------------------------------------------------------------------------------------------------------------
static void with_param(struct walk *k, const char *address, const char *name)
{
    const struct choices *c = choices_of(params, sizeof params / sizeof *params, name, strlen(name));
    char target[EXCHANGE_TARGET_MAX];
    for (size_t i = 0; i < CHOICES && c->of[i]; i++) {
        snprintf(target, sizeof target, "%s%s%s=%s", address, strchr(address, '?') ? "&" : "?", name,
                 c->of[i]);
        look(k, "GET", target, "");
    }
}

static void with_params(struct walk *k, const struct route *r, const char *address)
{
    look(k, "GET", address, "");
    look(k, "GET", address, "*");
    look(k, "HEAD", address, "");
    look(k, "POST", address, "");
    for (const char *const *p = r->params; *p; p++)
        if (strcmp(*p, "series") != 0)
            with_param(k, address, *p);
    with_param(k, address, "lang");
    with_param(k, address, "unheard-of");
}

static bool takes(const struct route *r, const char *param)
{
    for (const char *const *p = r->params; *p; p++)
        if (strcmp(*p, param) == 0)
            return true;
    return false;
}

static void with_series(struct walk *k, const struct route *r, const char *path)
{
    static const char *const kpis[] = {"jobs_total",
                                       "inv",
                                       "out_units/alfa-goods",
                                       "out_units/beta-goods",
                                       "nokpi",
                                       "out_units/gamma-goods",
                                       "out_units",
                                       "productivity"};
    char address[EXCHANGE_TARGET_MAX];
    for (size_t p = 0; parts[0].of[p]; p++)
        for (size_t e = 0; parts[1].of[e]; e++)
            for (size_t i = 0; i < sizeof kpis / sizeof *kpis; i++) {
                snprintf(address, sizeof address, "%s?series=%s/%s/%s", path, parts[0].of[p], parts[1].of[e],
                         kpis[i]);
                with_params(k, r, address);
            }
    snprintf(address, sizeof address, "%s?series=nonsense", path);
    look(k, "GET", address, "");
}

// Fills the pattern's {names} from the left.
static void expand(struct walk *k, const struct route *r, const char *pattern, char *path, size_t len)
{
    const char *open = strchr(pattern, '{');
    size_t plain = open ? (size_t)(open - pattern) : strlen(pattern);
    memcpy(path + len, pattern, plain);
    len += plain;
    path[len] = '\0';
    if (!open) {
        with_params(k, r, path);
        if (takes(r, "series"))
            with_series(k, r, path);
        return;
    }
    size_t name_len = strcspn(open + 1, "}");
    const struct choices *c = choices_of(parts, sizeof parts / sizeof *parts, open + 1, name_len);
    for (size_t i = 0; i < CHOICES && c->of[i]; i++) {
        size_t n = strlen(c->of[i]);
        memcpy(path + len, c->of[i], n);
        expand(k, r, open + name_len + 2, path, len + n);
    }
}

static void walk_all(struct walk *k)
{
    char path[EXCHANGE_TARGET_MAX];
    for (size_t i = 0; i < router_count(); i++)
        expand(k, router_at(i), router_at(i)->pattern, path, 0);
    look(k, "GET", "/parks/twin/beta/x/y", "");
    look(k, "GET", "/%", "");
    look(k, "GET", "/nothing?series=twin/beta/inv", "");
}

static void make_token(const char *scope_of, char authorization[128])
{
    uint8_t secret[USERS_SECRET_BYTES];
    struct scope scope;
    char text[IDENTITY_TOKEN_TEXT];
    assert_int_equal(scope_parse(scope_of, &scope), ERR_OK);
    assert_int_equal(
        users_token_add(users, scope_of, &scope, STORE_EPOCH - 10, STORE_EPOCH + 100000, secret, NULL),
        ERR_OK);
    identity_token_text(secret, text);
    snprintf(authorization, 128, "Bearer %s", text);
}

static int setup(void **state)
{
    (void)state;
    const struct scope admin = {.role = ROLE_ADMIN};
    assert_int_equal(crypto_init(), ERR_OK);
    store_temp_folder(users_folder);
    assert_int_equal(users_open(users_folder, true, &users, NULL), ERR_OK);
    assert_int_equal(users_add(users, "root", &admin, "none", STORE_EPOCH, NULL), ERR_OK);
    rivals_open(&whole, WITH_ALL, users_folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rivals_close(&whole);
    users_close(users);
    store_remove_folder(users_folder);
    return 0;
}

static size_t total_urls;

static void attack(const char *who, unsigned sees, bool compare)
{
    char authorization[128] = "";
    if (*who)
        make_token(who, authorization);
    rivals_open(&partial, sees | WITH_OFFICE, users_folder);
    struct walk k = {.who = *who ? who : "nobody",
                     .authorization = authorization,
                     .hidden = WITH_ALL & ~(sees | WITH_OFFICE),
                     .own = sees | WITH_OFFICE,
                     .other = compare ? &partial : NULL};
    walk_all(&k);
    rivals_close(&partial);
    total_urls += k.urls;
    print_message("access walk by=%s urls=%zu leaks=%zu differences=%zu\n", k.who, k.urls, k.leaks,
                  k.differences);
    assert_true(k.seen > 50); // it is not that nothing is shown
    assert_int_equal(k.leaks, 0);
    assert_int_equal(k.differences, 0);
}

static void nobody_sees_anything_beyond_what_is_public(void **state)
{
    (void)state;
    attack("", 0, true);
}

static void a_resident_cannot_tell_that_its_rivals_exist(void **state)
{
    (void)state;
    attack("resident:twin/alfa", WITH_ALFA, true);
}

static void nor_can_its_rival(void **state)
{
    (void)state;
    attack("resident:twin/beta", WITH_BETA, true);
}

static void an_analyst_of_another_park_sees_nothing_of_this_one(void **state)
{
    (void)state;
    attack("analyst:silo", WITH_GAMMA, true);
    attack("resident:silo/gamma", WITH_GAMMA, true);
}

static void an_operator_of_another_park_sees_nothing_of_this_one(void **state)
{
    (void)state;
    // not compared: the numbers of agents, which an operator needs, count those of all parks
    attack("operator:silo", WITH_GAMMA, false);
}

// The walk finds what there is to be found: who may see all finds the canaries of everybody.
static void an_auditor_finds_every_canary_with_the_same_walk(void **state)
{
    (void)state;
    char authorization[128];
    make_token("auditor", authorization);
    for (unsigned bit = WITH_ALFA; bit < WITH_ALL; bit <<= 1) {
        struct walk k = {.who = "auditor", .authorization = authorization, .own = bit};
        walk_all(&k);
        assert_true(k.seen > 50);
    }
    print_message("access walk urls=%zu leaks=0\n", total_urls);
}

static void no_page_anybody_gets_carries_script_or_style_of_its_own(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "style=", "<style", "<script>", "javascript:", " onclick", " onload", "http://"};
    static const char *const pages[] = {"/",       "/parks/twin",    "/parks/twin/office",
                                        "/login",  "/login?lang=kk", "/series/twin/office/inv",
                                        "/nothing"};
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        rivals_ask(&whole, "GET", pages[i], "", "");
        for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
            if (strstr(buf_str(&whole.x.body), bad[b]))
                fail_msg("%s: %s", pages[i], bad[b]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_sees_anything_beyond_what_is_public),
        cmocka_unit_test(a_resident_cannot_tell_that_its_rivals_exist),
        cmocka_unit_test(nor_can_its_rival),
        cmocka_unit_test(an_analyst_of_another_park_sees_nothing_of_this_one),
        cmocka_unit_test(an_operator_of_another_park_sees_nothing_of_this_one),
        cmocka_unit_test(an_auditor_finds_every_canary_with_the_same_walk),
        cmocka_unit_test(no_page_anybody_gets_carries_script_or_style_of_its_own),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
