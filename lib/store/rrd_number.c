// librrd reads numbers with a parser of its own that is not correctly rounded (1.7.2, rrd_strtod.c: digits
// are added up in a double, which is then divided by 10, 100, 10^4 … in turn), and then stores value × step ÷
// step. "%.17g" came back up to 3 units in the last place off. So its arithmetic is done here beforehand, and
// of several decimals near the value the one that ends nearest is sent: first those with a single division
// (exponents 1, 2, 4, 8, 16), which is right at once for figures as people write them, then 15 to 17 digits
// and their neighbours.
#include "store/rrd_number.h"
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHOLE_MAX    9007199254740992.0 // 2^53
#define NEIGHBOURS   9
#define SINGLE_EXACT 16 // 10^16 is a double, and v × 10^16 is rounded once

struct choice {
    double value;
    uint32_t step_s;
    uint64_t mantissa;
    int exponent;
    int64_t ulps; // off after all
};

// As librrd will read "<mantissa>e<exponent>".
static double parsed(uint64_t mantissa, int exponent)
{
    char digits[24];
    int count = 0;
    double number = 0;
    do {
        digits[count++] = (char)(mantissa % 10);
        mantissa /= 10;
    } while (mantissa > 0);
    while (count > 0)
        number = number * 10.0 + digits[--count];
    double power = 10;
    for (int n = abs(exponent); n > 0; n >>= 1) {
        if (n & 1)
            number = exponent < 0 ? number / power : number * power;
        power *= power;
    }
    return number;
}

static int64_t ulps_between(double a, double b)
{
    int64_t x;
    int64_t y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return llabs(x - y);
}

// True when it cannot be bettered: an exact reading is within 1 ulp after the multiplication too.
static bool consider(struct choice *c, uint64_t mantissa, int exponent)
{
    double read = parsed(mantissa, exponent);
    int64_t ulps = ulps_between(read * c->step_s / c->step_s, c->value);
    if (ulps < c->ulps) {
        c->mantissa = mantissa;
        c->exponent = exponent;
        c->ulps = ulps;
    }
    return ulps == 0 || read == c->value;
}

static bool consider_single_divisions(struct choice *c)
{
    static const int exponents[] = {1, 2, 4, 8, SINGLE_EXACT};
    for (size_t i = 0; i < sizeof exponents / sizeof exponents[0]; i++) {
        double scaled = c->value * pow(10, exponents[i]);
        // Only where nothing is lost: the mantissa is whole, and below 2^53.
        if (scaled < WHOLE_MAX && fabs(scaled - nearbyint(scaled)) < 1e-3 &&
            consider(c, (uint64_t)llround(scaled), -exponents[i]))
            return true;
    }
    return false;
}

// The value's first so many significant digits, as a whole number and an exponent.
static void take_digits(double value, int count, uint64_t *mantissa, int *exponent)
{
    char text[40];
    uint64_t m = 0;
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            m = m * 10 + (uint64_t)(*at - '0');
    *mantissa = m;
    *exponent = (*at ? (int)strtol(at + 1, NULL, 10) : 0) - (count - 1);
}

static void consider_digits(struct choice *c)
{
    for (int count = 15; count <= 18; count++) {
        uint64_t mantissa = 0;
        int exponent = 0;
        take_digits(c->value, count, &mantissa, &exponent);
        const uint64_t apart = mantissa > (uint64_t)WHOLE_MAX ? 4 : 1;
        for (uint64_t i = 0; i < NEIGHBOURS && mantissa > NEIGHBOURS * apart; i++) {
            uint64_t by = (i + 1) / 2 * apart;
            if (consider(c, i % 2 ? mantissa + by : mantissa - by, exponent))
                return;
        }
    }
}

void rrd_number_text(double value, uint32_t step_s, char out[RRD_NUMBER_TEXT])
{
    struct choice c = {.value = fabs(value), .step_s = step_s, .ulps = INT64_MAX};
    if (c.value == floor(c.value) && c.value <= WHOLE_MAX) {
        snprintf(out, RRD_NUMBER_TEXT, "%" PRId64, (int64_t)value);
        return;
    }
    if (!consider_single_divisions(&c))
        consider_digits(&c);
    snprintf(out, RRD_NUMBER_TEXT, "%s%" PRIu64 "e%d", value < 0 ? "-" : "", c.mantissa, c.exponent);
}
