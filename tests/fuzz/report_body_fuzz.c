// A figure that a resident reports: the first byte says by which way (API or form, JSON or fields, which
// step), the second what the collector answers, the rest is the body. Whatever comes, the collector is asked
// only for what this resident may report, in the one plain form that it takes, and what comes back is an
// answer.
#include "collector/control.h"
#include "dashboards/identity.h"
#include "dashboards/router.h"
#include "dashboards/site.h"
#include "dashboards/users.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store.h"
#include <jansson.h>

static struct dashboard_config config;
static struct fake_clock fake;
static struct site *site;
static char authorization[128], own[160]; // own: "park/resident/"
static uint8_t answers;

static void look_at_request(const char *request)
{
    struct control_request r;
    struct diag d = {""};
    struct figure value;
    if (collector_control_parse(request, strlen(request), &r, &d) != ERR_OK) {
        fprintf(stderr, "%s: %s\n", request, d.text);
        abort();
    }
    FUZZ_CHECK(r.command == CONTROL_REPORT && strncmp(r.report.series, own, strlen(own)) == 0);
    FUZZ_CHECK(period_valid(r.report.period) && !r.report.may_correct_closed);
    FUZZ_CHECK(strcmp(r.report.author, "fuzz") == 0);
    FUZZ_CHECK(strcmp(r.report.value, "-") == 0 || figure_parse(r.report.value, &value) == ERR_OK);
    FUZZ_CHECK((strcmp(r.report.value, "-") == 0) == (r.report.status == WIRE_MISSING));
}

static enum err collector(const char *state, const char *request, int timeout_ms, char **reply,
                          struct diag *d)
{
    static const char *const texts[] = {
        "{\"ok\":true,\"position\":7,\"revision\":2}",
        "{\"ok\":true,\"position\":7,\"revision\":null,\"repeated\":true}",
        "{\"ok\":false,\"error\":\"<zQ\",\"code\":\"conflict\",\"field\":\"revise\"}",
        "{\"ok\":false,\"error\":\"why\",\"code\":\"denied\",\"field\":\"period\"}",
        "{\"ok\":false}",
        "[]",
        "no JSON"};
    (void)state;
    (void)timeout_ms;
    if (!strstr(request, "\"command\":\"report\"") || answers % 8 == 7)
        return diag_fail(d, ERR_CLOSED, "nothing listens");
    look_at_request(request);
    *reply = strdup(texts[answers % 8]);
    return *reply ? ERR_OK : ERR_NOMEM;
}

static void add_token(const char *folder)
{
    uint8_t secret[USERS_SECRET_BYTES];
    char text[IDENTITY_TOKEN_TEXT], scope_of[200];
    struct scope scope;
    struct users *u = NULL;
    const char *series = fuzz_store_series(0)->name, *rest = strchr(strchr(series, '/') + 1, '/');
    snprintf(own, sizeof own, "%.*s", (int)(rest - series) + 1, series);
    snprintf(scope_of, sizeof scope_of, "resident:%.*s", (int)(rest - series), series);
    FUZZ_CHECK(scope_parse(scope_of, &scope) == ERR_OK);
    FUZZ_CHECK(users_open(folder, true, &u, NULL) == ERR_OK);
    FUZZ_CHECK(users_token_add(u, "fuzz", &scope, FUZZ_EPOCH_S, FUZZ_EPOCH_S + 1000000000, secret, NULL) ==
               ERR_OK);
    FUZZ_CHECK(users_add(u, "root", &scope, "none fits", FUZZ_EPOCH_S, NULL) == ERR_OK);
    users_close(u);
    identity_token_text(secret, text);
    snprintf(authorization, sizeof authorization, "Bearer %s", text);
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
    add_token(users);
    config = (struct dashboard_config){.listen = listen,
                                       .state = state,
                                       .catalogue = catalogue,
                                       .parks = parks,
                                       .cache = state,
                                       .users = users,
                                       .workers = 1};
    fake_clock_init(&fake, FUZZ_EPOCH_US + 60 * US_PER_S);
    if (site_open(&config, &fake.clock, NULL, collector, &site, &d) != ERR_OK) {
        fprintf(stderr, "%s\n", d.text);
        abort();
    }
}

static void choose(struct exchange *x, uint8_t way)
{
    snprintf(x->method, sizeof x->method, "POST");
    snprintf(x->host, sizeof x->host, "localhost");
    snprintf(x->authorization, sizeof x->authorization, "%s", authorization);
    x->body_kind = way & 1 ? EXCHANGE_JSON : EXCHANGE_FORM;
    if (way & 2)
        snprintf(x->target, sizeof x->target, "/report/%s", fuzz_store_series(way >> 2)->name);
    else
        snprintf(x->target, sizeof x->target, "/api/v1/observations");
}

static void look_at(const struct exchange *x)
{
    FUZZ_CHECK(x->status >= 200 && x->status < 600 && x->status != 500);
    FUZZ_CHECK(x->viewer.kind == VIEWER_TOKEN);
    FUZZ_CHECK(!strpbrk(x->location, "\r\n \\\"<>"));
    FUZZ_CHECK(!*x->location || strncmp(x->location, "/report/", 8) == 0);
    json_t *text = json_stringn(buf_str(&x->body), x->body.len);
    FUZZ_CHECK(text);
    json_decref(text);
    if (x->content_type && strncmp(x->content_type, "text/html", 9) == 0)
        FUZZ_CHECK(!strstr(buf_str(&x->body), "<zQ")); // these letters are in no page of ours
    if (x->content_type && strncmp(x->content_type, "application/json", 16) == 0) {
        json_t *o = json_loads(buf_str(&x->body), JSON_REJECT_DUPLICATES, NULL);
        FUZZ_CHECK(json_is_object(o));
        json_decref(o);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct exchange x;
    struct fuzz_input in = {bytes, len};
    if (!site)
        open_parts();
    exchange_init(&x);
    choose(&x, fuzz_u8(&in));
    answers = fuzz_u8(&in);
    x.form = calloc(1, EXCHANGE_FORM_MAX + 1);
    FUZZ_CHECK(x.form != NULL);
    x.form_len = in.left < EXCHANGE_FORM_MAX ? in.left : EXCHANGE_FORM_MAX;
    x.body_cut = in.left > EXCHANGE_FORM_MAX;
    if (x.form_len > 0)
        memcpy(x.form, in.at, x.form_len);
    fake_clock_advance_us(&fake, US_PER_MS);
    router_answer(site, &x);
    look_at(&x);
    exchange_deinit(&x);
    return 0;
}
