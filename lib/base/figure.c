// Figures are money and counts: a whole number stays an int64_t from the text to the page and is never
// carried through a double on the way. Text is made and read under a C locale object of our own, because a
// library may call setlocale in this process at any time; newlocale("C") returns glibc's static object, so
// nothing is allocated.
#include "base/figure.h"
#include <ctype.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DECIMALS_MAX 18
#define SHIFT_MAX    1000 // beyond it every non-zero number is out of range

static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static locale_t the_c_locale(void)
{
    (void)pthread_once(&c_locale_once, make_c_locale);
    return c_locale;
}

enum err figure_from_integer(int64_t integer, struct figure *out)
{
    if (integer > FIGURE_INTEGER_MAX || integer < -FIGURE_INTEGER_MAX)
        return ERR_INVALID;
    *out = (struct figure){.kind = FIGURE_INTEGER, .integer = integer};
    return ERR_OK;
}

enum err figure_from_real(double real, struct figure *out)
{
    if (!isfinite(real))
        return ERR_INVALID;
    if (fabs(real) <= (double)FIGURE_INTEGER_MAX && trunc(real) == real)
        *out = (struct figure){.kind = FIGURE_INTEGER, .integer = (int64_t)real};
    else
        *out = (struct figure){.kind = FIGURE_REAL, .real = real};
    return ERR_OK;
}

bool figure_equal(struct figure a, struct figure b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case FIGURE_INTEGER:
        return a.integer == b.integer;
    case FIGURE_REAL:
        return a.real == b.real;
    case FIGURE_MISSING:
    default:
        return true;
    }
}

// ---- reading
// -------------------------------------------------------------------------------------------------------

// The parts of a decimal text, borrowed from it.
struct decimal {
    bool negative;
    const char *whole;
    size_t whole_len;
    const char *fraction;
    size_t fraction_len;
    int exponent; // held within ±100000: more is as good as infinite
    bool plain;   // neither '.' nor 'e'
};

static size_t digits_at(const char *text)
{
    size_t n = 0;
    while (text[n] >= '0' && text[n] <= '9')
        n++;
    return n;
}

static bool split_exponent(const char **at, int *out)
{
    const char *p = *at + 1;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    size_t len = digits_at(p);
    if (len == 0)
        return false;
    int value = 0;
    for (size_t i = 0; i < len; i++)
        value = value > 10000 ? 100000 : value * 10 + (p[i] - '0');
    *out = negative ? -value : value;
    *at = p + len;
    return true;
}

static bool split(const char *text, struct decimal *out)
{
    struct decimal d = {.negative = *text == '-', .plain = true};
    const char *p = text;
    if (*p == '-' || *p == '+')
        p++;
    d.whole = p;
    d.whole_len = digits_at(p);
    p += d.whole_len;
    d.fraction = p;
    if (d.whole_len == 0)
        return false;
    if (*p == '.') {
        d.plain = false;
        d.fraction = p + 1;
        d.fraction_len = digits_at(d.fraction);
        p = d.fraction + d.fraction_len;
        if (d.fraction_len == 0)
            return false;
    }
    if (*p == 'e' || *p == 'E') {
        d.plain = false;
        if (!split_exponent(&p, &d.exponent))
            return false;
    }
    *out = d;
    return *p == '\0';
}

static bool all_zero(const char *digits, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (digits[i] != '0')
            return false;
    return true;
}

// The digits × 10^shift as an integer. TOO_BIG past FIGURE_INTEGER_MAX; INVALID when a non-zero digit falls
// off.
static enum err shift_digits(const struct decimal *d, int decimals, int64_t *out)
{
    int64_t value = 0;
    int64_t places = (int64_t)d->exponent + decimals - (int64_t)d->fraction_len;
    size_t total = d->whole_len + d->fraction_len;
    size_t used = total;
    // Zeros at the end carry nothing: dropping them first lets "1.500" through where two decimals are
    // allowed.
    while (used > 0 &&
           (used > d->whole_len ? d->fraction[used - d->whole_len - 1] : d->whole[used - 1]) == '0') {
        used--;
        places++;
    }
    if (used == 0) {
        *out = 0;
        return ERR_OK;
    }
    if (places < 0)
        return ERR_INVALID;
    if (places > SHIFT_MAX)
        return ERR_TOO_BIG;
    for (size_t i = 0; i < used + (size_t)places; i++) {
        int digit = 0;
        if (i < used)
            digit = (i < d->whole_len ? d->whole[i] : d->fraction[i - d->whole_len]) - '0';
        if (value > (FIGURE_INTEGER_MAX - digit) / 10)
            return ERR_TOO_BIG;
        value = value * 10 + digit;
    }
    *out = d->negative ? -value : value;
    return ERR_OK;
}

// Whether a double is exactly the whole number these digits write.
static bool is_exactly(double real, const struct decimal *d)
{
    const char *digits = d->whole;
    size_t len = d->whole_len;
    for (; len > 1 && *digits == '0'; len--)
        digits++;
    char text[DBL_MAX_10_EXP + 8]; // every finite double fits, and no digit depends on the locale
    int wanted = snprintf(text, sizeof text, "%.0f", fabs(real));
    return wanted >= 0 && (size_t)wanted == len && memcmp(text, digits, len) == 0;
}

enum err figure_parse(const char *text, struct figure *out)
{
    struct decimal d;
    if (!split(text, &d))
        return ERR_INVALID;
    int64_t integer = 0;
    if (shift_digits(&d, 0, &integer) == ERR_OK)
        return figure_from_integer(integer, out);
    double real = strtod_l(text, NULL, the_c_locale());
    bool vanished = real == 0.0 && !(all_zero(d.whole, d.whole_len) && all_zero(d.fraction, d.fraction_len));
    if (!isfinite(real) || vanished)
        return ERR_TOO_BIG;
    // Digits alone promise a count or money: a number no double holds is refused, not moved to its neighbour.
    if (d.plain && !is_exactly(real, &d))
        return ERR_TOO_BIG;
    return figure_from_real(real, out);
}

enum err figure_parse_scaled(const char *text, int decimals, struct figure *out)
{
    struct decimal d;
    if (decimals < 0 || decimals > DECIMALS_MAX || !split(text, &d))
        return ERR_INVALID;
    int64_t integer = 0;
    enum err e = shift_digits(&d, decimals, &integer);
    return e ? e : figure_from_integer(integer, out);
}

// ---- writing
// -------------------------------------------------------------------------------------------------------

static void integer_text(int64_t integer, int decimals, char out[FIGURE_TEXT])
{
    char reversed[FIGURE_TEXT];
    int n = 0;
    uint64_t rest = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
    while (rest > 0 || n <= decimals + (decimals > 0)) {
        if (decimals > 0 && n == decimals) {
            reversed[n++] = '.';
            continue;
        }
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (integer < 0)
        *out++ = '-';
    while (n > 0)
        *out++ = reversed[--n];
    *out = '\0';
}

// 15 digits are always kept by a double and 17 always tell it from its neighbours; below DBL_MIN fewer are
// kept.
static void real_text(double real, char out[FIGURE_TEXT])
{
    locale_t before = uselocale(the_c_locale());
    int digits = fabs(real) < DBL_MIN ? 1 : 15;
    for (; digits <= 17; digits++) {
        (void)snprintf(out, FIGURE_TEXT, "%.*g", digits, real);
        if (digits == 17 || strtod_l(out, NULL, c_locale) == real)
            break;
    }
    (void)uselocale(before);
}

void figure_text(struct figure f, char out[FIGURE_TEXT])
{
    switch (f.kind) {
    case FIGURE_INTEGER:
        integer_text(f.integer, 0, out);
        return;
    case FIGURE_REAL:
        real_text(f.real, out);
        return;
    case FIGURE_MISSING:
    default:
        out[0] = '\0';
    }
}

void figure_text_scaled(struct figure f, int decimals, char out[FIGURE_TEXT])
{
    out[0] = '\0';
    if (decimals < 0 || decimals > DECIMALS_MAX)
        return;
    if (f.kind == FIGURE_INTEGER) {
        integer_text(f.integer, decimals, out);
        return;
    }
    struct figure quotient = f;
    if (f.kind == FIGURE_REAL && figure_from_real(f.real / pow(10.0, decimals), &quotient))
        return;
    figure_text(quotient, out);
}
