// A request as any browser or script may send it, through the whole dashboard but the HTTP library and the
// graph workers: a line `METHOD target`, a line Accept-Language, a line If-None-Match, and the rest is what
// the collector's control socket answers. Always a status and a body in its form; nothing that came in comes
// out as markup.
#include "dashboards/router.h"
#include "dashboards/site.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store.h"
#include <jansson.h>

static struct dashboard_config config;
static struct fake_clock fake;
static struct site *site;
static struct fuzz_input collector; // its answer

static enum err on_control(const char *state, const char *request, int timeout_ms, char **reply,
                           struct diag *d)
{
    (void)state;
    (void)request;
    (void)timeout_ms;
    if (collector.left == 0)
        return diag_fail(d, ERR_CLOSED, "nothing listens");
    *reply = fuzz_string(collector.at, collector.left);
    return ERR_OK;
}

static void open_parts(void)
{
    static char state[FUZZ_PATH], catalogue[] = "deploy/catalogue.yaml", parks[] = "deploy/parks";
    static char listen[] = "127.0.0.1:8080";
    struct diag d = {""};
    fuzz_store_make("state");
    fuzz_path("state", state);
    config = (struct dashboard_config){.listen = listen,
                                       .state = state,
                                       .catalogue = catalogue,
                                       .parks = parks,
                                       .cache = state,
                                       .workers = 1};
    fake_clock_init(&fake, FUZZ_EPOCH_US + 60 * US_PER_S);
    if (site_open(&config, &fake.clock, NULL, on_control, &site, &d) != ERR_OK) {
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
    if (len >= size)
        len = size - 1;
    if (len > 0)
        memcpy(out, at, len);
    out[len] = '\0';
}

// Where the path ends in .csv or asks for it there is no JSON; everything else of the API is.
static bool is_type(const struct exchange *x, const char *type)
{
    return x->content_type && strncmp(x->content_type, type, strlen(type)) == 0;
}

static bool valid_utf8(const char *text, size_t len)
{
    json_t *s = json_stringn(text, len);
    bool valid = s != NULL;
    json_decref(s);
    return valid;
}

static void look_at_body(const struct exchange *x)
{
    const char *body = buf_str(&x->body);
    FUZZ_CHECK(x->body.failed == ERR_OK && x->content_type);
    FUZZ_CHECK(valid_utf8(body, x->body.len));
    if (is_type(x, "application/json")) {
        json_t *json = json_loadb(body, x->body.len, JSON_REJECT_DUPLICATES, NULL);
        FUZZ_CHECK(json_is_object(json) || json_is_array(json));
        json_decref(json);
    }
    if (is_type(x, "text/html")) // these letters, in this case, are in no page of ours
        FUZZ_CHECK(!strstr(body, "<zQ") && !strstr(body, "\"zQ") && !strstr(body, "'zQ"));
}

static void look_at_headers(const struct exchange *x)
{
    const char *const texts[] = {x->content_type, x->cache_control, x->etag, x->filename, x->location};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        FUZZ_CHECK(!texts[i] || !strpbrk(texts[i], "\r\n"));
    FUZZ_CHECK(!strpbrk(x->filename, "\"\\"));
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
    line(&in, x.accept_language, sizeof x.accept_language);
    line(&in, x.if_none_match, sizeof x.if_none_match);
    collector = in;
    fake_clock_advance_us(&fake, 3 * US_PER_S); // so that the collector is asked again
    router_answer(site, &x);
    FUZZ_CHECK(x.status >= 200 && x.status < 600);
    look_at_headers(&x);
    if (!x.blob && x.status != 304)
        look_at_body(&x);
    exchange_deinit(&x);
    return 0;
}
