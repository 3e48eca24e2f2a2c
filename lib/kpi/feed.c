// What is the same for every bank: which entries are ours, whether the answer fits the question.
#include "kpi/feed_internal.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err feed_take(struct feed *f, const char *currency, const char *quant, const char *value, char sign,
                   struct diag *d)
{
    struct rates *r = &f->rates;
    if (!currency_find(currency) || strcmp(currency, f->bank->currency) == 0) {
        r->others++;
        return ERR_OK;
    }
    if (rates_find(r, currency))
        return diag_fail(d, ERR_INVALID, "%s: is there twice", currency);
    if (r->count == RATES_MAX)
        return diag_fail(d, ERR_INVALID, "more than %d rates", RATES_MAX);
    enum err e = rate_parse(currency, quant, value, sign, &r->list[r->count], d);
    if (e == ERR_OK)
        r->count++;
    return e;
}

static bool two(const char *at, int *out)
{
    if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
        return false;
    *out = (at[0] - '0') * 10 + (at[1] - '0');
    return true;
}

enum err feed_take_date(struct feed *f, const char *text, struct diag *d)
{
    int day, month, century, year;
    if (strlen(text) != 10 || text[2] != '.' || text[5] != '.' || !two(text, &day) ||
        !two(text + 3, &month) || !two(text + 6, &century) || !two(text + 8, &year))
        return diag_fail(d, ERR_INVALID, "the date '%.20s' is not like 14.03.2026", text);
    struct civil c = {.year = century * 100 + year, .month = month, .day = day};
    if (!civil_valid(c))
        return diag_fail(d, ERR_INVALID, "the date '%.20s' does not exist", text);
    if (f->dated && f->rates.answered != civil_to_days(c))
        return diag_fail(d, ERR_INVALID, "rates of several days, one of them %.20s", text);
    f->rates.answered = civil_to_days(c);
    f->dated = true;
    return ERR_OK;
}

static int compare(const void *a, const void *b)
{
    const struct rate *x = a, *y = b;
    return strcmp(x->currency, y->currency);
}

static enum err check_days(struct rates *r, struct diag *d)
{
    char asked[PERIOD_TEXT], answered[PERIOD_TEXT];
    period_text((struct period){PERIOD_DAY, r->asked}, asked);
    period_text((struct period){PERIOD_DAY, r->answered}, answered);
    if (r->answered > r->asked && (bank_info(r->bank)->dated || r->answered - r->asked > RATES_STALE_MAX))
        return diag_fail(d, ERR_INVALID, "rates of %s, asked for %s", answered, asked);
    if (r->asked - r->answered > RATES_STALE_MAX)
        return diag_fail(d, ERR_INVALID, "rates of %s, asked for %s: more than %d days old", answered, asked,
                         RATES_STALE_MAX);
    if (r->answered > r->asked)
        r->asked = r->answered;
    return ERR_OK;
}

static enum err finish(struct feed *f, struct diag *d)
{
    if (!f->dated)
        return diag_fail(d, ERR_INVALID, "it says no date");
    if (f->rates.count == 0)
        return diag_fail(d, ERR_INVALID, "none of its %zu rates is of a currency that is converted here",
                         f->rates.others);
    if (f->rates.asked == FEED_ANY_DAY)
        f->rates.asked = f->rates.answered;
    qsort(f->rates.list, f->rates.count, sizeof *f->rates.list, compare);
    return check_days(&f->rates, d);
}

// What the bank wrote is quoted, perhaps cut within a character: what is no character of UTF-8, or one that
// moves the line it is printed in, becomes '?'.
static void make_printable(char *text)
{
    unsigned char *at = (unsigned char *)text;
    while (*at) {
        size_t more = *at >= 0xF5 ? 0 : *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : *at >= 0xC2 ? 1 : 0;
        bool whole = *at >= 0x20 && *at != 0x7F && (*at < 0x80 || more > 0);
        for (size_t i = 1; whole && i <= more; i++)
            whole = (at[i] & 0xC0) == 0x80;
        if (!whole)
            *at = '?';
        at += whole ? 1 + more : 1;
    }
}

enum err feed_parse(enum bank bank, int32_t asked, const void *body, size_t len, struct rates *out,
                    struct diag *d)
{
    struct feed f = {.bank = bank_info(bank), .rates = {.bank = bank, .asked = asked}};
    struct diag why = {""};
    enum err e = ERR_OK;
    if (len > FEED_MAX_BYTES)
        e = diag_fail(&why, ERR_TOO_BIG, "%zu bytes, more than %u", len, FEED_MAX_BYTES);
    else
        e = bank == BANK_UZ ? feed_json(&f, body, len, &why) : feed_xml(&f, body, len, &why);
    if (e == ERR_OK)
        e = finish(&f, &why);
    make_printable(why.text);
    if (e != ERR_OK)
        return diag_fail(d, e, "rates of the %s: %s", f.bank->name, why.text[0] ? why.text : err_text(e));
    *out = f.rates;
    return ERR_OK;
}

static bool begins_with(const char *body, size_t len, const char *word)
{
    const size_t look = len < 1000 ? len : 1000;
    return memmem(body, look, word, strlen(word)) != NULL;
}

enum bank feed_guess(const void *body, size_t len)
{
    if (begins_with(body, len, "<ValCurs"))
        return BANK_RU;
    if (begins_with(body, len, "<CurrencyRates"))
        return BANK_KG;
    return begins_with(body, len, "<rates") ? BANK_KZ : BANK_UZ;
}

// ---- addresses
// ---------------------------------------------------------------------------------------------------------

// Writes the day for the brace at *from and moves past it; 0: no brace of ours.
static size_t put_day(const char **from, struct civil c, char *out, size_t size)
{
    const char *at = *from;
    int n = 0;
    if (strncmp(at, "{dmy.}", 6) == 0)
        n = snprintf(out, size, "%02d.%02d.%04d", c.day, c.month, c.year);
    else if (strncmp(at, "{dmy/}", 6) == 0)
        n = snprintf(out, size, "%02d/%02d/%04d", c.day, c.month, c.year);
    else if (strncmp(at, "{ymd-}", 6) == 0)
        n = snprintf(out, size, "%04d-%02d-%02d", c.year, c.month, c.day);
    *from += n > 0 ? 6 : 0;
    return n > 0 ? (size_t)n : 0;
}

enum err feed_url(const char *template, int32_t day, char out[FEED_URL_MAX], struct diag *d)
{
    struct civil c = civil_from_days(day);
    size_t len = 0;
    for (const char *at = template; *at;) {
        size_t n = 1;
        if (FEED_URL_MAX - len < 12)
            return diag_fail(d, ERR_INVALID, "the address is longer than %d bytes", FEED_URL_MAX - 12);
        if (*at != '{')
            out[len] = *at++;
        else if ((n = put_day(&at, c, out + len, FEED_URL_MAX - len)) == 0)
            return diag_fail(d, ERR_INVALID, "'%.10s': only {dmy.}, {dmy/} and {ymd-} stand for the day", at);
        len += n;
    }
    out[len] = '\0';
    return ERR_OK;
}
