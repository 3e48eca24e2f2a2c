#include "tests/fuzz/fuzz_rates.h"
#include "tests/fuzz/fuzz.h"
#include <jansson.h>

void fuzz_rates_check(const struct rates *r)
{
    struct rates back;
    struct diag d = {""};
    struct buf text;
    buf_init(&text, RATES_DOCUMENT_MAX);
    FUZZ_CHECK(r->count > 0 && r->count <= RATES_MAX);
    FUZZ_CHECK(r->answered <= r->asked && r->asked - r->answered <= RATES_STALE_MAX);
    for (size_t i = 0; i < r->count; i++)
        FUZZ_CHECK(rate_per_unit(&r->list[i]) > 0 && rate_per_unit(&r->list[i]) <= RATE_MAX);
    FUZZ_CHECK(rates_write(r, &text) == ERR_OK);
    FUZZ_CHECK(rates_read(buf_str(&text), text.len, &back, &d) == ERR_OK);
    FUZZ_CHECK(rates_same(r, &back) && back.state == r->state);
    FUZZ_CHECK(!rates_jump(r, &back));
    buf_deinit(&text);
}

void fuzz_rates_feed(enum bank bank, int32_t asked, const uint8_t *bytes, size_t len)
{
    struct rates r;
    struct diag d = {""};
    enum err e = feed_parse(bank, asked, bytes, len, &r, &d);
    if (e == ERR_OK) {
        fuzz_rates_check(&r);
        return;
    }
    json_t *said = json_string(d.text); // UTF-8, else NULL
    FUZZ_CHECK(e == ERR_INVALID || e == ERR_NOT_FOUND || e == ERR_TOO_BIG);
    FUZZ_CHECK(d.text[0] && said);
    json_decref(said);
}
