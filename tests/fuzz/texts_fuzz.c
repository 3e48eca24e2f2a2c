// The small grammars: figures, money, periods, series names, published values, durations, keys. What parses
// must print and parse back to the same.
#include "base/config.h"
#include "base/crypto.h"
#include "base/figure.h"
#include "kpi/catalogue.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include "kpi/series.h"
#include "kpi/target.h"
#include "tests/fuzz/fuzz.h"
#include "wire/invite.h"
#include <math.h>

static void figures(const char *text)
{
    struct figure f, back;
    char out[FIGURE_TEXT];
    if (figure_parse(text, &f) == ERR_OK) {
        FUZZ_CHECK(f.kind != FIGURE_MISSING && isfinite(figure_to_real(f)));
        figure_text(f, out);
        FUZZ_CHECK(figure_parse(out, &back) == ERR_OK && figure_equal(f, back));
    }
    for (int decimals = 0; decimals <= 18; decimals += 3) {
        if (figure_parse_scaled(text, decimals, &f) != ERR_OK)
            continue;
        FUZZ_CHECK(f.kind == FIGURE_INTEGER && f.integer >= -FIGURE_INTEGER_MAX &&
                   f.integer <= FIGURE_INTEGER_MAX);
        figure_text_scaled(f, decimals, out);
        FUZZ_CHECK(figure_parse_scaled(out, decimals, &back) == ERR_OK && figure_equal(f, back));
    }
}

static void money(const char *text)
{
    static const char *const codes[] = {"KZT", "UZS", "KGS", "RUB", "USD", "EUR"};
    struct figure f, back;
    char out[FIGURE_TEXT];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        const struct currency *c = currency_find(codes[i]);
        FUZZ_CHECK(c);
        if (money_parse(text, c, &f) != ERR_OK)
            continue;
        FUZZ_CHECK(f.kind == FIGURE_INTEGER && f.integer >= -MONEY_MINOR_MAX && f.integer <= MONEY_MINOR_MAX);
        money_text(f, c, out);
        FUZZ_CHECK(money_parse(out, c, &back) == ERR_OK && figure_equal(f, back));
    }
    (void)currency_find(text);
}

static void periods(const char *text)
{
    struct period p, back;
    char out[PERIOD_TEXT];
    enum period_kind kind;
    if (period_kind_parse(text, &kind) == ERR_OK)
        FUZZ_CHECK(strcmp(period_kind_name(kind), text) == 0);
    if (period_parse(text, &p) != ERR_OK)
        return;
    FUZZ_CHECK(period_valid(p) && period_is_start(p.kind, p.start) && period_end(p) > p.start);
    period_text(p, out);
    FUZZ_CHECK(strcmp(out, text) == 0 && period_parse(out, &back) == ERR_OK);
    FUZZ_CHECK(back.kind == p.kind && back.start == p.start);
    FUZZ_CHECK(period_containing(p.kind, period_end(p) - 1).start == p.start);
    if (period_valid(period_next(p)))
        FUZZ_CHECK(period_previous(period_next(p)).start == p.start);
}

static void series(const char *text)
{
    struct series_name n = {"park", "resident", "", ""};
    char out[SERIES_NAME_MAX + 1];
    if (series_parse(text, &n) == ERR_OK) {
        series_text(&n, out);
        FUZZ_CHECK(strcmp(out, text) == 0);
        FUZZ_CHECK(series_part_valid(n.park) && series_part_valid(n.resident) && series_part_valid(n.kpi));
        FUZZ_CHECK(!n.dimension[0] || series_part_valid(n.dimension));
    }
    memset(&n, 0, sizeof n);
    if (series_parse_kpi(text, &n) == ERR_OK || series_parse_resident(text, &n) == ERR_OK) {
        series_text(&n, out);
        FUZZ_CHECK(strncmp(out, text, strlen(text)) == 0 || strstr(out, text));
    }
    (void)series_part_valid(text);
}

static void published(const char *text)
{
    for (int decimals = 0; decimals <= 2; decimals += 2) {
        char out[STATEMENT_VALUE_TEXT], again[STATEMENT_VALUE_TEXT];
        struct statement st, back;
        bool reached = false;
        memset(&st, 0, sizeof st);
        st.currency = decimals ? "KZT" : "";
        st.scope = st.part_of = "";
        back = st;
        if (statement_parse_value(text, decimals, &st) != ERR_OK)
            continue;
        statement_value_text(&st, out);
        FUZZ_CHECK(statement_parse_value(out, decimals, &back) == ERR_OK);
        statement_value_text(&back, again);
        FUZZ_CHECK(strcmp(out, again) == 0 && back.about == st.about && back.comparator == st.comparator);
        FUZZ_CHECK(figure_equal(back.value, st.value) && figure_equal(back.value_high, st.value_high));
        struct figure percent = target_attainment(&st, st.value, &reached);
        FUZZ_CHECK(percent.kind == FIGURE_MISSING || isfinite(figure_to_real(percent)));
    }
}

static void rest(const char *text)
{
    int64_t ms;
    uint64_t size;
    uint8_t key[KEY_BYTES];
    char out[KEY_TEXT], hex[HEX_TEXT(KEY_BYTES)];
    enum lang lang;
    enum comparator compare;
    if (config_parse_duration_ms(text, &ms) == ERR_OK)
        FUZZ_CHECK(ms >= 0);
    if (config_parse_bytes(text, &size) == ERR_OK)
        FUZZ_CHECK(text[0] >= '0' && text[0] <= '9');
    if (lang_parse(text, &lang) == ERR_OK)
        FUZZ_CHECK(strcmp(lang_code(lang), text) == 0);
    if (comparator_parse(text, &compare) == ERR_OK)
        FUZZ_CHECK(strcmp(comparator_text(compare), text) == 0);
    if (crypto_key_parse(text, key) == ERR_OK) {
        crypto_key_text(key, out);
        FUZZ_CHECK(strcmp(out, text) == 0);
    }
    if (crypto_unhex(text, key, KEY_BYTES) == ERR_OK) {
        crypto_hex(key, KEY_BYTES, hex);
        FUZZ_CHECK(strcasecmp(hex, text) == 0);
    }
}

static void invitations(const char *text)
{
    struct invite i, back;
    char out[INVITE_TEXT];
    struct diag d = {""};
    if (invite_decode(text, &i, &d) == ERR_OK) {
        FUZZ_CHECK(invite_encode(&i, out, NULL) == ERR_OK && invite_decode(out, &back, NULL) == ERR_OK);
        FUZZ_CHECK(memcmp(&i, &back, sizeof i) == 0);
    } else {
        FUZZ_CHECK(d.text[0]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = fuzz_string(bytes, len);
    figures(text);
    money(text);
    periods(text);
    series(text);
    published(text);
    rest(text);
    invitations(text);
    free(text);
    return 0;
}
