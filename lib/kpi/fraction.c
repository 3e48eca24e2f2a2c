// Doubles would do for a picture, but a ratio that is rebuilt at each level must be the same whichever way it
// is reached, so nothing is rounded before the one division. Lowest terms after each step keep the sums of a
// park's year (19 digits) times the factors of a formula far below 128 bits.
#include "kpi/fraction.h"
#include <float.h>
#include <math.h>

#define DECIMALS_MAX 20 // behind the point; a double has 17 digits

__extension__ typedef unsigned __int128 uint128;

static uint128 magnitude(int128 v)
{
    return v < 0 ? (uint128)0 - (uint128)v : (uint128)v;
}

static uint128 common_divisor(uint128 a, uint128 b)
{
    while (b != 0) {
        uint128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

struct fraction fraction_missing(void)
{
    return (struct fraction){.known = false};
}

struct fraction fraction_real(double v)
{
    if (!isfinite(v))
        return fraction_missing();
    return (struct fraction){.known = true, .real = v};
}

struct fraction fraction_whole(int128 whole)
{
    return fraction_ratio(whole, 1);
}

// The least of all int128 has no counterpart: it goes on as a double.
static bool fits(int128 v)
{
    return v != (int128)((uint128)1 << 127);
}

static double to_real(struct fraction a)
{
    return a.exact ? (double)a.top / (double)a.bottom : a.real;
}

struct fraction fraction_ratio(int128 top, int128 bottom)
{
    if (bottom == 0)
        return fraction_missing();
    if (!fits(top) || !fits(bottom))
        return fraction_real((double)top / (double)bottom);
    int128 divisor = (int128)common_divisor(magnitude(top), magnitude(bottom));
    if (bottom < 0)
        divisor = -divisor;
    return (struct fraction){.known = true, .exact = true, .top = top / divisor, .bottom = bottom / divisor};
}

// What was reported as 55.9 is 559/10, not the double next to it: else the mean of one would be
// 55.900000000000006. Of the shortest decimal that reads back as the double, where it fits.
static struct fraction decimal_of(double v)
{
    char text[FIGURE_TEXT];
    int decimals = 0;
    int128 top = 0, bottom = 1;
    bool behind = false;
    figure_text((struct figure){.kind = FIGURE_REAL, .real = v}, text);
    for (const char *c = text + (*text == '-'); *c; c++) {
        if (*c == '.' && !behind) {
            behind = true;
            continue;
        }
        if (*c < '0' || *c > '9' || (behind && ++decimals > DECIMALS_MAX))
            return fraction_real(v); // 1e300, 1e-300
        top = top * 10 + (*c - '0');
        bottom *= behind ? 10 : 1;
    }
    return fraction_ratio(*text == '-' ? -top : top, bottom);
}

struct fraction fraction_of(struct figure f)
{
    if (f.kind == FIGURE_MISSING)
        return fraction_missing();
    return f.kind == FIGURE_INTEGER ? fraction_whole(f.integer) : decimal_of(f.real);
}

struct fraction fraction_add(struct fraction a, struct fraction b)
{
    int128 left, right, top, bottom;
    if (!a.known || !b.known)
        return fraction_missing();
    if (a.exact && b.exact && !__builtin_mul_overflow(a.top, b.bottom, &left) &&
        !__builtin_mul_overflow(b.top, a.bottom, &right) && !__builtin_add_overflow(left, right, &top) &&
        !__builtin_mul_overflow(a.bottom, b.bottom, &bottom))
        return fraction_ratio(top, bottom);
    return fraction_real(to_real(a) + to_real(b));
}

static struct fraction negated(struct fraction a)
{
    a.top = -a.top; // never the least of all: fraction_ratio keeps that out
    a.real = -a.real;
    return a;
}

struct fraction fraction_subtract(struct fraction a, struct fraction b)
{
    return fraction_add(a, b.known ? negated(b) : b);
}

struct fraction fraction_multiply(struct fraction a, struct fraction b)
{
    if (!a.known || !b.known)
        return fraction_missing();
    if (a.exact && b.exact) {
        // Crosswise first: what falls out cannot overflow.
        struct fraction one = fraction_ratio(a.top, b.bottom), other = fraction_ratio(b.top, a.bottom);
        int128 top, bottom;
        if (!__builtin_mul_overflow(one.top, other.top, &top) &&
            !__builtin_mul_overflow(one.bottom, other.bottom, &bottom))
            return fraction_ratio(top, bottom);
    }
    return fraction_real(to_real(a) * to_real(b));
}

struct fraction fraction_divide(struct fraction a, struct fraction b)
{
    if (!a.known || !b.known || fraction_is_zero(b))
        return fraction_missing();
    if (!b.exact)
        return fraction_real(to_real(a) / b.real);
    return fraction_multiply(a, fraction_ratio(b.bottom, b.top));
}

bool fraction_is_zero(struct fraction a)
{
    return a.known && (a.exact ? a.top == 0 : a.real == 0);
}

// ---- the one division

// top / bottom to the nearest double, digit by digit: 54 binary digits from the first one on, and whether
// anything is left.
static double divide_nearest(uint128 top, uint128 bottom)
{
    uint128 quotient = top / bottom, rest = top % bottom;
    int shift = 0;
    bool left = false;
    for (; quotient >> (DBL_MANT_DIG + 1); shift++) {
        left |= quotient & 1;
        quotient >>= 1;
    }
    for (; shift <= 0 && !(quotient >> DBL_MANT_DIG) && rest != 0; shift--) {
        rest <<= 1; // below 2 * bottom, which is below 2^128
        quotient = quotient << 1 | (rest >= bottom);
        rest -= rest >= bottom ? bottom : 0;
    }
    left |= rest != 0;
    if (quotient >> DBL_MANT_DIG) { // one digit too many: round half to even
        bool half = quotient & 1;
        quotient >>= 1;
        shift++;
        quotient += half && (left || (quotient & 1));
    }
    return ldexp((double)quotient, shift);
}

static struct figure from_real(double v)
{
    struct figure f;
    return figure_from_real(v, &f) == ERR_OK ? f : figure_missing();
}

struct figure fraction_figure(struct fraction a)
{
    struct figure f;
    if (!a.known)
        return figure_missing();
    if (!a.exact)
        return from_real(a.real);
    if (a.bottom == 1 && magnitude(a.top) <= (uint128)FIGURE_INTEGER_MAX)
        return figure_from_integer((int64_t)a.top, &f) == ERR_OK ? f : figure_missing();
    double v = divide_nearest(magnitude(a.top), magnitude(a.bottom));
    return from_real(a.top < 0 ? -v : v);
}

struct figure fraction_rounded(struct fraction a)
{
    struct figure f;
    if (!a.known)
        return figure_missing();
    if (!a.exact) // the default rounding mode is half to even
        return from_real(nearbyint(a.real));
    uint128 top = magnitude(a.top), bottom = magnitude(a.bottom), whole = top / bottom, rest = top % bottom;
    whole += rest > bottom - rest || (rest == bottom - rest && (whole & 1));
    if (whole > (uint128)FIGURE_INTEGER_MAX)
        return figure_missing();
    int64_t signed_whole = a.top < 0 ? -(int64_t)whole : (int64_t)whole;
    return figure_from_integer(signed_whole, &f) == ERR_OK ? f : figure_missing();
}
