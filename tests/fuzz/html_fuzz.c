// Any text into a page, an address, JSON and CSV: it must come back out of each as it went in, and cannot
// leave the place it was put.
#include "dashboards/html.h"
#include "dashboards/params.h"
#include "dashboards/writer.h"
#include "tests/fuzz/fuzz.h"
#include <jansson.h>

static const struct {
    const char *reference;
    char c;
} references[] = {{"&amp;", '&'},  {"&lt;", '<'},   {"&gt;", '>'},
                  {"&quot;", '"'}, {"&#39;", '\''}, {"&#x27;", '\''}};

static char dereference(const char **at)
{
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        if (strncmp(*at, references[i].reference, strlen(references[i].reference)) == 0) {
            *at += strlen(references[i].reference);
            return references[i].c;
        }
    return *(*at)++;
}

static void markup(const char *text, struct buf *out)
{
    buf_reset(out);
    html_text(out, text);
    const char *at = buf_str(out);
    FUZZ_CHECK(!strpbrk(at, "<>\"'"));
    for (; *text; text++)
        FUZZ_CHECK(dereference(&at) == *text);
    FUZZ_CHECK(!*at);
}

static void format(const char *text, struct buf *out)
{
    buf_reset(out);
    html_put(out, "<a href=\"%s\">%s</a> %d %u %zu %ld %lu %%", text, text, -1, 2u, (size_t)3, 4L, 5UL);
    const char *body = buf_str(out);
    size_t quotes = 0, angles = 0;
    for (const char *p = body; *p; p++) {
        quotes += *p == '"';
        angles += *p == '<' || *p == '>';
    }
    FUZZ_CHECK(quotes == 2 && angles == 4);
}

// Through an address and the query parser back to the same text, where it is one that a request may carry.
static void address(const char *text, struct buf *out)
{
    static struct exchange x;
    buf_reset(out);
    html_url(out, text);
    const char *encoded = buf_str(out);
    FUZZ_CHECK(strspn(encoded, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/%") ==
               strlen(encoded));
    exchange_init(&x);
    int len = snprintf(x.target, sizeof x.target, "/?a=%s&b", encoded);
    if (len > 0 && (size_t)len < sizeof x.target && exchange_parse(&x) == ERR_OK) {
        FUZZ_CHECK(strcmp(exchange_param(&x, "a"), text) == 0);
        FUZZ_CHECK(strcmp(exchange_param(&x, "b"), "") == 0);
    }
    exchange_deinit(&x);
}

static void json(const char *text, struct buf *out)
{
    struct writer w;
    buf_reset(out);
    writer_init(&w, out);
    writer_object(&w, NULL);
    writer_text(&w, "text", text);
    writer_integer(&w, "n", INT64_MIN);
    writer_end_object(&w);
    json_t *plain = json_string(text); // NULL when it is not UTF-8
    json_t *back = json_loads(buf_str(out), JSON_REJECT_DUPLICATES, NULL);
    if (plain)
        FUZZ_CHECK(json_equal(json_object_get(back, "text"), plain));
    json_decref(plain);
    json_decref(back);
}

static void csv(const char *text, struct buf *out)
{
    buf_reset(out);
    csv_text(out, text);
    const char *field = buf_str(out);
    if (field[0] != '"') {
        FUZZ_CHECK(!strpbrk(field, ",\"\r\n"));
        return;
    }
    size_t len = strlen(field);
    FUZZ_CHECK(len >= 2 && field[len - 1] == '"');
    for (size_t i = 1; i + 1 < len; i++)
        if (field[i] == '"')
            FUZZ_CHECK(field[++i] == '"' && i + 1 < len);
}

static void values(const char *text)
{
    int64_t v = 0;
    if (params_parse_time(text, INT64_C(1772366400), NULL, &v) == ERR_OK)
        FUZZ_CHECK(v >= 0 && v <= INT64_C(253402300799));
    if (params_parse_step(text, &v) == ERR_OK)
        FUZZ_CHECK(v >= 1 && v <= INT64_C(366) * 86400);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct buf out;
    char *text = fuzz_string(bytes, len);
    buf_init(&out, 1u << 20);
    markup(text, &out);
    format(text, &out);
    address(text, &out);
    json(text, &out);
    csv(text, &out);
    values(text);
    buf_deinit(&out);
    free(text);
    return 0;
}
