// The door of a dashboard that has users, as somebody without a name, a session or a token may knock: a line
// `METHOD target`, lines Host, Origin, Sec-Fetch-Site, Cookie and Authorization, and the rest is a form.
// Whatever comes, nobody is let in, and where an answer leads stays on this site.
#include "dashboards/router.h"
#include "dashboards/site.h"
#include "dashboards/users.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store.h"
#include <jansson.h>

static struct dashboard_config config;
static struct fake_clock fake;
static struct site *site;

static enum err nobody(const char *state, const char *request, int timeout_ms, char **reply, struct diag *d)
{
    (void)state;
    (void)request;
    (void)timeout_ms;
    (void)reply;
    return diag_fail(d, ERR_CLOSED, "nothing listens");
}

static void add_user(const char *folder)
{
    static const struct scope admin = {.role = ROLE_ADMIN};
    struct users *u = NULL;
    FUZZ_CHECK(users_open(folder, true, &u, NULL) == ERR_OK);
    enum err e = users_add(u, "root", &admin, "none fits", FUZZ_EPOCH_US / US_PER_S, NULL);
    FUZZ_CHECK(e == ERR_OK || e == ERR_EXISTS);
    users_close(u);
}

static void open_parts(void)
{
    static char state[FUZZ_PATH], users[FUZZ_PATH], catalogue[] = "deploy/catalogue.yaml",
                                                    parks[] = "deploy/parks", listen[] = "127.0.0.1:8080";
    struct diag d = {""};
    FUZZ_CHECK(crypto_init() == ERR_OK);
    fuzz_store_make("state");
    fuzz_path("state", state);
    fuzz_path("users", users);
    add_user(users);
    config = (struct dashboard_config){.listen = listen,
                                       .state = state,
                                       .catalogue = catalogue,
                                       .parks = parks,
                                       .cache = state,
                                       .users = users,
                                       .workers = 1};
    fake_clock_init(&fake, FUZZ_EPOCH_US + 60 * US_PER_S);
    if (site_open(&config, &fake.clock, NULL, nobody, &site, &d) != ERR_OK) {
        fprintf(stderr, "%s\n", d.text);
        abort();
    }
}

static void line(struct fuzz_input *in, char *out, size_t size)
{
    const uint8_t *end = in->left > 0 ? memchr(in->at, '\n', in->left) : NULL;
    size_t len = end ? (size_t)(end - in->at) : in->left, one = 1;
    const uint8_t *at = fuzz_bytes(in, &len);
    fuzz_bytes(in, &one);
    len = len < size ? len : size - 1;
    if (len > 0)
        memcpy(out, at, len);
    out[len] = '\0';
}

static void take_form(struct exchange *x, const struct fuzz_input *in)
{
    x->form = calloc(1, EXCHANGE_FORM_MAX + 1);
    FUZZ_CHECK(x->form != NULL);
    x->form_len = in->left < EXCHANGE_FORM_MAX ? in->left : EXCHANGE_FORM_MAX;
    if (x->form_len > 0)
        memcpy(x->form, in->at, x->form_len);
}

static void look_at(const struct exchange *x)
{
    FUZZ_CHECK(x->status >= 200 && x->status < 600);
    FUZZ_CHECK(x->viewer.kind == VIEWER_NOBODY && x->viewer.scope.role == ROLE_PUBLIC);
    FUZZ_CHECK(!strpbrk(x->location, "\r\n \\") && !strpbrk(x->set_cookie, "\r\n"));
    FUZZ_CHECK(!*x->location || (x->location[0] == '/' && x->location[1] != '/'));
    FUZZ_CHECK(x->status != 303 || strncmp(x->location, "/login", 6) == 0 || strcmp(x->location, "/") == 0);
    json_t *text = json_stringn(buf_str(&x->body), x->body.len);
    FUZZ_CHECK(x->blob || x->status == 304 || text);
    if (x->content_type &&
        strncmp(x->content_type, "text/html", 9) == 0) // these letters are in no page of ours
        FUZZ_CHECK(!strstr(buf_str(&x->body), "<zQ") && !strstr(buf_str(&x->body), "\"zQ"));
    json_decref(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct exchange x;
    char first[sizeof x.target + 20];
    struct fuzz_input in = {bytes, len};
    if (!site)
        open_parts();
    exchange_init(&x);
    line(&in, first, sizeof first);
    size_t method = strcspn(first, " ");
    snprintf(x.method, sizeof x.method, "%.*s", (int)method, first);
    snprintf(x.target, sizeof x.target, "%s", first[method] ? first + method + 1 : "");
    line(&in, x.host, sizeof x.host);
    line(&in, x.origin, sizeof x.origin);
    line(&in, x.fetch_site, sizeof x.fetch_site);
    line(&in, x.cookie, sizeof x.cookie);
    line(&in, x.authorization, sizeof x.authorization);
    if (strcmp(x.method, "POST") == 0)
        take_form(&x, &in);
    fake_clock_advance_us(&fake, US_PER_MS); // guesses are soon too many
    router_answer(site, &x);
    look_at(&x);
    exchange_deinit(&x);
    return 0;
}
