// One figure: an exact integer, a real, or a missing value. Missing is never zero.
// Text is always in the C locale, whatever the process's locale.
#ifndef ESEP_BASE_FIGURE_H
#define ESEP_BASE_FIGURE_H

#include "base/err.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

enum figure_kind { FIGURE_MISSING, FIGURE_INTEGER, FIGURE_REAL };

struct figure {
    enum figure_kind kind;
    union {
        int64_t integer; // |integer| <= FIGURE_INTEGER_MAX
        double real; // finite, and not a whole number within FIGURE_INTEGER_MAX (those are FIGURE_INTEGER)
    };
};

#define FIGURE_INTEGER_MAX INT64_C(9007199254740992) // 2^53: every one of them is a double

static inline struct figure figure_missing(void)
{
    return (struct figure){.kind = FIGURE_MISSING, .integer = 0};
}
// INVALID (out untouched) beyond FIGURE_INTEGER_MAX.
enum err figure_from_integer(int64_t integer, struct figure *out) MUST_USE;
// INVALID for NaN and infinities; -0.0 becomes 0; whole numbers become integers.
enum err figure_from_real(double real, struct figure *out) MUST_USE;
static inline double figure_to_real(struct figure f) // NaN when missing
{
    return f.kind == FIGURE_INTEGER ? (double)f.integer : f.kind == FIGURE_REAL ? f.real : (double)NAN;
}
bool figure_equal(struct figure a, struct figure b);

// Decimal text as people write it after the caller has dealt with locale: [+-]digits[.digits][e[+-]digits],
// the whole of text. Refuses "", "nan", "inf", hex, white space. INVALID; TOO_BIG when not representable.
enum err figure_parse(const char *text, struct figure *out) MUST_USE;
// The decimal text times 10^decimals as an exact integer, for money into minor units: ("12.5", 2) → 1250.
// INVALID when digits beyond `decimals` are not zero ("0.001", 2): nothing is rounded in silence. TOO_BIG
// past FIGURE_INTEGER_MAX. decimals is 0 to 18, here and below.
enum err figure_parse_scaled(const char *text, int decimals, struct figure *out) MUST_USE;

// The shortest decimal that reads back bit-equal (some powers of two take one digit more than
// they could); "" for missing. Measured: 20 ns for an integer, 0.5 µs for a real.
#define FIGURE_TEXT 32
void figure_text(struct figure f, char out[FIGURE_TEXT]);
// integer / 10^decimals exactly, "1250", 2 → "12.50"; reals as figure_text of the quotient; "" for missing.
void figure_text_scaled(struct figure f, int decimals, char out[FIGURE_TEXT]);

#endif
