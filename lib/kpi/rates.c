// Every bank quotes for 1, 10, 100 … units and with few digits, so that a rate per unit is an exact decimal
// of RATE_SCALE digits in 64 bits. What does not fit is refused here and never has to be rounded later.
#include "kpi/rates.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct bank_info banks[BANKS] = {
    [BANK_KZ] = {"kz", "National Bank of Kazakhstan", "KZT",
                 "https://nationalbank.kz/rss/get_rates.cfm?fdate={dmy.}", true},
    [BANK_UZ] = {"uz", "Central Bank of Uzbekistan", "UZS",
                 "https://cbu.uz/ru/arkhiv-kursov-valyut/json/all/{ymd-}/", true},
    [BANK_RU] = {"ru", "Bank of Russia", "RUB", "https://www.cbr.ru/scripts/XML_daily.asp?date_req={dmy/}",
                 true},
    [BANK_KG] = {"kg", "National Bank of the Kyrgyz Republic", "KGS", "https://www.nbkr.kg/XML/daily.xml",
                 false},
};

const struct bank_info *bank_info(enum bank b)
{
    return &banks[b];
}

enum err bank_parse(const char *code, enum bank *out)
{
    for (int b = 0; b < BANKS; b++) {
        if (strcmp(code, banks[b].code) == 0) {
            *out = (enum bank)b;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

enum bank bank_of_currency(const char *currency)
{
    for (int b = 0; b < BANKS; b++) {
        if (strcmp(currency, banks[b].currency) == 0)
            return (enum bank)b;
    }
    return BANK_KZ;
}

// ---- one rate
// ----------------------------------------------------------------------------------------------------------

static int64_t power_of_ten(int n)
{
    int64_t p = 1;
    while (n-- > 0)
        p *= 10;
    return p;
}

static int zeros_of(uint32_t power) // 100 → 2
{
    int n = 0;
    for (; power > 1; power /= 10)
        n++;
    return n;
}

static bool quant_parse(const char *text, uint32_t *out)
{
    uint32_t q = 1;
    if (*text++ != '1')
        return false;
    for (; *text == '0' && q < RATE_QUANT_MAX; text++)
        q *= 10;
    *out = q;
    return *text == '\0';
}

// Digits, one sign at most, digits; not 0.
static bool value_parse(const char *text, char sign, int64_t *value, int *decimals)
{
    int64_t v = 0;
    int behind = -1, digits = 0;
    for (; *text; text++) {
        if (*text == sign && behind < 0 && digits > 0) {
            behind = 0;
            continue;
        }
        if (*text < '0' || *text > '9' || ++digits > 18)
            return false;
        v = v * 10 + (*text - '0');
        behind += behind >= 0;
    }
    if (digits == 0 || behind == 0 || behind > RATE_SCALE)
        return false;
    *value = v;
    *decimals = behind < 0 ? 0 : behind;
    return v > 0;
}

static bool fits(const struct rate *r)
{
    int spare = RATE_SCALE - r->decimals - zeros_of(r->quant);
    return spare >= 0 && r->value <= RATE_MAX / power_of_ten(spare);
}

enum err rate_parse(const char *currency, const char *quant, const char *value, char decimal_sign,
                    struct rate *out, struct diag *d)
{
    struct rate r = {.quant = 0};
    if (strlen(currency) != 3)
        return diag_fail(d, ERR_INVALID, "'%.20s' is no currency's code", currency);
    memcpy(r.currency, currency, 4);
    if (!quant_parse(quant, &r.quant))
        return diag_fail(d, ERR_INVALID, "%s: the quantity '%.20s' is not 1, 10, 100 … up to %" PRIu32,
                         currency, quant, RATE_QUANT_MAX);
    if (!value_parse(value, decimal_sign, &r.value, &r.decimals))
        return diag_fail(d, ERR_INVALID,
                         "%s: the rate '%.40s' is not a number above 0 with the decimal sign '%c'", currency,
                         value, decimal_sign);
    if (!fits(&r))
        return diag_fail(d, ERR_INVALID,
                         "%s: the rate %.40s for %" PRIu32 " is too large or too fine to be exact", currency,
                         value, r.quant);
    *out = r;
    return ERR_OK;
}

int64_t rate_per_unit(const struct rate *r)
{
    return r->value * power_of_ten(RATE_SCALE - r->decimals - zeros_of(r->quant));
}

void rate_text(const struct rate *r, char out[RATE_TEXT])
{
    int64_t p = power_of_ten(r->decimals);
    if (r->decimals == 0)
        snprintf(out, RATE_TEXT, "%" PRId64, r->value);
    else
        snprintf(out, RATE_TEXT, "%" PRId64 ".%0*" PRId64, r->value / p, r->decimals, r->value % p);
}

// ---- one answer
// --------------------------------------------------------------------------------------------------------

const struct rate *rates_find(const struct rates *r, const char *currency)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->list[i].currency, currency) == 0)
            return &r->list[i];
    return NULL;
}

bool rates_carried(const struct rates *r)
{
    return r->answered < r->asked;
}

bool rates_same(const struct rates *a, const struct rates *b)
{
    if (a->bank != b->bank || a->asked != b->asked || a->answered != b->answered || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->list[i].currency, b->list[i].currency) != 0 ||
            rate_per_unit(&a->list[i]) != rate_per_unit(&b->list[i]))
            return false;
    return true;
}

// Only to say which one changed most.
static double change_of(int64_t old, int64_t next)
{
    return (double)(next > old ? next - old : old - next) / (double)old;
}

const char *rates_jump(const struct rates *old, const struct rates *next)
{
    const char *worst = NULL;
    double most = 0;
    for (size_t i = 0; i < next->count; i++) {
        const struct rate *was = rates_find(old, next->list[i].currency);
        if (!was)
            continue;
        int64_t a = rate_per_unit(was), b = rate_per_unit(&next->list[i]);
        if ((b > a ? b - a : a - b) * 5 <= a || change_of(a, b) <= most) // RATE_MAX leaves room
            continue;
        most = change_of(a, b);
        worst = next->list[i].currency;
    }
    return worst;
}

// ---- the document
// ------------------------------------------------------------------------------------------------------

static const char *const state_names[] = {"accepted", "held", "confirmed"};

enum err rates_write(const struct rates *r, struct buf *out)
{
    char asked[PERIOD_TEXT], answered[PERIOD_TEXT], text[RATE_TEXT];
    period_text((struct period){PERIOD_DAY, r->asked}, asked);
    period_text((struct period){PERIOD_DAY, r->answered}, answered);
    buf_printf(out, "rates 1\nbank %s\nasked %s\nanswered %s\nstate %s%s%s\n", banks[r->bank].code, asked,
               answered, state_names[r->state], r->jumped[0] ? " " : "", r->jumped);
    for (size_t i = 0; i < r->count; i++) {
        rate_text(&r->list[i], text);
        buf_printf(out, "%s %" PRIu32 " %s\n", r->list[i].currency, r->list[i].quant, text);
    }
    return out->failed;
}

struct lines { // of a document being read
    char *at;
    int number;
};

static char *next_line(struct lines *l)
{
    char *line = l->at, *end = strchr(line, '\n');
    if (!end)
        return NULL;
    *end = '\0';
    l->at = end + 1;
    l->number++;
    return line;
}

// What follows "name ", NULL when the next line is another.
static char *next_value(struct lines *l, const char *name)
{
    char *line = next_line(l);
    size_t len = strlen(name);
    return line && strncmp(line, name, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static bool read_day(struct lines *l, const char *name, int32_t *out)
{
    const char *text = next_value(l, name);
    struct period p;
    if (!text || period_parse(text, &p) != ERR_OK || p.kind != PERIOD_DAY)
        return false;
    *out = p.start;
    return true;
}

static bool read_state(struct lines *l, struct rates *out)
{
    char *text = next_value(l, "state");
    char *jumped = text ? strchr(text, ' ') : NULL;
    if (jumped)
        *jumped++ = '\0';
    if (!text || (jumped && (strlen(jumped) != 3 || !currency_find(jumped))))
        return false;
    if (jumped)
        memcpy(out->jumped, jumped, 4);
    for (int i = 0; i < 3; i++) {
        out->state = (enum rates_state)i;
        if (strcmp(text, state_names[i]) == 0)
            return (out->state != RATES_ACCEPTED) == (jumped != NULL);
    }
    return false;
}

static bool read_rate(char *line, struct rates *out)
{
    char *quant = strchr(line, ' ');
    char *value = quant ? strchr(quant + 1, ' ') : NULL;
    if (!value || out->count == RATES_MAX)
        return false;
    *quant++ = *value++ = '\0';
    struct rate *r = &out->list[out->count];
    return rate_parse(line, quant, value, '.', r, NULL) == ERR_OK && currency_find(line) &&
           strcmp(line, banks[out->bank].currency) != 0 &&
           (out->count++ == 0 || strcmp(out->list[out->count - 2].currency, line) < 0);
}

static bool read_document(struct lines *l, struct rates *out)
{
    char *line = next_line(l);
    if (!line || strcmp(line, "rates 1") != 0)
        return false;
    const char *bank = next_value(l, "bank");
    if (!bank || bank_parse(bank, &out->bank) != ERR_OK || !read_day(l, "asked", &out->asked) ||
        !read_day(l, "answered", &out->answered) || out->answered > out->asked ||
        out->asked - out->answered > RATES_STALE_MAX || !read_state(l, out))
        return false;
    while (*l->at)
        if (!(line = next_line(l)) || !read_rate(line, out))
            return false;
    return out->count > 0;
}

enum err rates_read(const char *text, size_t len, struct rates *out, struct diag *d)
{
    struct rates r = {.count = 0};
    char copy[RATES_DOCUMENT_MAX + 1];
    if (len > RATES_DOCUMENT_MAX || memchr(text, 0, len))
        return diag_fail(d, ERR_INVALID, "rates: more than %d bytes, or no text", RATES_DOCUMENT_MAX);
    memcpy(copy, text, len);
    copy[len] = '\0';
    struct lines l = {.at = copy};
    if (!read_document(&l, &r))
        return diag_fail(d, ERR_INVALID, "rates: line %d is not what the form asks for", l.number);
    *out = r;
    return ERR_OK;
}
