// All in whole numbers: rates per unit are exact to 10 digits, a sum of 366 of them fits 64 bits, an amount
// times that sum fits 128. One division, at the end, rounds; nothing before it does.
#include "kpi/convert.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DAYS_MAX 366

__extension__ typedef __int128 wide;

_Static_assert(RATE_MAX <= INT64_MAX / DAYS_MAX, "a year's sum of rates fits 64 bits");

static int64_t unit_rate(const struct rates *r, const char *currency)
{
    const struct rate *found = rates_find(r, currency);
    if (strcmp(currency, bank_info(r->bank)->currency) == 0)
        return RATE_UNIT;
    return found ? rate_per_unit(found) : 0;
}

enum err conversion_by(const struct rate_book *b, enum bank bank, const char *from, const char *to,
                       int32_t first, int32_t end, struct conversion *out, int32_t *lacking)
{
    struct conversion c = {.same = strcmp(from, to) == 0, .bank = bank};
    memcpy(c.of, from, strnlen(from, sizeof c.of - 1));
    memcpy(c.in, to, strnlen(to, sizeof c.in - 1));
    if (end <= first || end - first > DAYS_MAX)
        return ERR_INVALID;
    if (c.same) {
        c.from = c.to = RATE_UNIT;
        c.days = (uint32_t)(end - first);
        *out = c;
        return ERR_OK;
    }
    for (int32_t day = first; day < end; day++) {
        const struct rates *r = rate_book_on(b, bank, day);
        int64_t x = r ? unit_rate(r, from) : 0, y = r ? unit_rate(r, to) : 0;
        if (x == 0 || y == 0) {
            if (lacking)
                *lacking = day;
            return ERR_NOT_FOUND;
        }
        c.from += x;
        c.to += y;
        c.days++;
        c.carried += r->answered < day;
        c.rated = r->answered;
    }
    *out = c;
    return ERR_OK;
}

enum err conversion_of(const struct rate_book *b, const char *park_currency, const char *from, const char *to,
                       bool flow, struct period p, struct conversion *out)
{
    enum bank own = bank_of_currency(park_currency), pivot = bank_of_currency("");
    int32_t end = period_end(p), first = flow ? p.start : end - 1;
    enum err e = conversion_by(b, own, from, to, first, end, out, NULL);
    return e == ERR_NOT_FOUND && own != pivot ? conversion_by(b, pivot, from, to, first, end, out, NULL) : e;
}

static wide divide(wide n, wide d) // d > 0; half to even
{
    bool negative = n < 0;
    wide size = negative ? -n : n, q = size / d, twice = (size - q * d) * 2;
    if (twice > d || (twice == d && q % 2 != 0))
        q++;
    return negative ? -q : q;
}

enum err conversion_apply(const struct conversion *c, struct figure minor, const struct currency *from,
                          const struct currency *to, struct figure *out)
{
    if (minor.kind == FIGURE_MISSING || c->same) {
        *out = minor;
        return ERR_OK;
    }
    if (minor.kind != FIGURE_INTEGER)
        return ERR_INVALID;
    wide n = (wide)minor.integer * c->from, d = c->to;
    for (int i = from->decimals; i < to->decimals; i++)
        n *= 10;
    for (int i = to->decimals; i < from->decimals; i++)
        d *= 10;
    wide q = divide(n, d);
    if (q > MONEY_MINOR_MAX || q < -MONEY_MINOR_MAX)
        return ERR_TOO_BIG;
    return figure_from_integer((int64_t)q, out);
}

void conversion_text(const struct conversion *c, char out[RATE_TEXT])
{
    wide q = divide((wide)c->from * RATE_UNIT, c->to);
    uint64_t whole = (uint64_t)(q / RATE_UNIT), part = (uint64_t)(q % RATE_UNIT);
    int len = snprintf(out, RATE_TEXT, "%" PRIu64 ".%010" PRIu64, whole, part);
    while (len > 0 && out[len - 1] == '0')
        out[--len] = '\0';
    if (len > 0 && out[len - 1] == '.')
        out[len - 1] = '\0';
}

void conversion_pair_text(const struct conversion *c, char out[CONVERSION_PAIR_TEXT])
{
    const bool dearer = c->from >= c->to; // the amount's own
    const struct conversion shown = {.from = dearer ? c->from : c->to, .to = dearer ? c->to : c->from};
    char rate[RATE_TEXT];
    conversion_text(&shown, rate);
    snprintf(out, CONVERSION_PAIR_TEXT, "1 %s = %s %s", dearer ? c->of : c->in, rate, dearer ? c->in : c->of);
}
