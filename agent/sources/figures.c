// Cells are written by people and by their spreadsheets. What is certainly meant is read (a no-break space
// between thousands, a typographic minus); what is only probably meant ("1,234" where the decimal is a point,
// groups of two) is an error, because a figure that is wrong by a thousand is worse than one that is missing.
#include "agent/sources/figures.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELL_MAX 128

static const char *const nothing_texts[] = {"",     "-",    "–",   "—",   "...",  "…",    "н/д",  "Н/Д",
                                            "н.д.", "Н.Д.", "n/a", "N/A", "n.a.", "N.A.", "#N/A", "#Н/Д"};

// Bytes of the blank at p; 0: none. Space, tab, U+00A0, U+2009, U+202F, U+2007.
static size_t blank_length(const char *p)
{
    static const char *const blanks[] = {" ",           "\t", "\xc2\xa0", "\xe2\x80\x89", "\xe2\x80\xaf",
                                         "\xe2\x80\x87"};
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (strncmp(p, blanks[i], strlen(blanks[i])) == 0)
            return strlen(blanks[i]);
    return 0;
}

// Without the blanks around it; INVALID when longer than any figure.
static enum err trim(const char *text, char out[CELL_MAX])
{
    while (blank_length(text))
        text += blank_length(text);
    size_t end = 0;
    for (size_t i = 0; text[i];) {
        size_t blank = blank_length(text + i);
        i += blank ? blank : 1;
        if (!blank)
            end = i;
    }
    if (end >= CELL_MAX)
        return ERR_INVALID;
    memcpy(out, text, end);
    out[end] = '\0';
    return ERR_OK;
}

static bool says_nothing(const char *text)
{
    for (size_t i = 0; i < sizeof nothing_texts / sizeof *nothing_texts; i++)
        if (strcmp(text, nothing_texts[i]) == 0)
            return true;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_sign(const char *in, char **out)
{
    static const char minus[] = "\xe2\x88\x92"; // U+2212
    if (strncmp(in, minus, sizeof minus - 1) == 0) {
        *(*out)++ = '-';
        return in + sizeof minus - 1;
    }
    if (*in == '-' || *in == '+')
        *(*out)++ = *in++;
    return in;
}

// "1 234 567,8" → "1234567.8". The whole part: one group of at most three digits, then groups of exactly
// three, unless there are no blanks at all.
static enum err with_comma(const char *in, char *out)
{
    size_t group = 0, groups = 0;
    in = skip_sign(in, &out);
    for (;;) {
        size_t blank = blank_length(in);
        if (is_digit(*in)) {
            *out++ = *in++;
            group++;
        } else if (blank) {
            if (group == 0 || group > 3 || (groups > 0 && group != 3))
                return ERR_INVALID;
            groups++;
            group = 0;
            in += blank;
        } else {
            break;
        }
    }
    if (groups > 0 && group != 3)
        return ERR_INVALID;
    if (*in == ',') {
        *out++ = '.';
        in++;
    } else if (*in == '.') {
        return ERR_INVALID;
    }
    memcpy(out, in, strlen(in) + 1); // never longer than the input; what is wrong in it figure_parse finds
    return strpbrk(out, ".,") ? ERR_INVALID : ERR_OK;
}

static enum err with_point(const char *in, char *out)
{
    in = skip_sign(in, &out);
    memcpy(out, in, strlen(in) + 1);
    return ERR_OK;
}

enum err figures_value(const char *text, char decimal, const struct agent_series *s, struct figure *out,
                       bool *nothing, struct diag *d)
{
    char cell[CELL_MAX], plain[CELL_MAX];
    if (trim(text, cell) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "%.40s… is too long for a figure", text);
    *nothing = says_nothing(cell);
    if (*nothing)
        return ERR_OK;
    enum err e = decimal == ',' ? with_comma(cell, plain) : with_point(cell, plain);
    struct figure f = figure_missing();
    if (e == ERR_OK)
        e = s->money ? money_parse(plain, s->money, &f) : figure_parse(plain, &f);
    if (e == ERR_TOO_BIG)
        return diag_fail(d, ERR_INVALID, "'%s' is beyond what can be stored exactly (2^53)", cell);
    if (e != ERR_OK && s->money)
        return diag_fail(d, ERR_INVALID, "'%s' is not an amount in %s with at most %d decimals after '%c'",
                         cell, s->currency, s->money->decimals, decimal);
    if (e != ERR_OK)
        return diag_fail(d, ERR_INVALID, "'%s' is not a number (the decimal mark is '%c')", cell, decimal);
    if (f.kind == FIGURE_REAL &&
        (f.real > (double)FIGURE_INTEGER_MAX || f.real < -(double)FIGURE_INTEGER_MAX))
        return diag_fail(d, ERR_INVALID, "'%s' is beyond what can be stored exactly (2^53)", cell);
    *out = f;
    return ERR_OK;
}

// ---- times

// Exactly n digits.
static bool digits(const char **in, int n, int32_t *out)
{
    int32_t v = 0;
    for (int i = 0; i < n; i++, (*in)++) {
        if (!is_digit(**in))
            return false;
        v = v * 10 + (**in - '0');
    }
    *out = v;
    return true;
}

static bool expect(const char **in, const char *any)
{
    return **in && strchr(any, **in) ? (*in)++, true : false;
}

static bool utc_time(const char *in, int64_t *out)
{
    struct civil c;
    int32_t h, m, s;
    bool ok = digits(&in, 4, &c.year) && expect(&in, "-") && digits(&in, 2, &c.month) && expect(&in, "-") &&
              digits(&in, 2, &c.day) && expect(&in, "Tt ") && digits(&in, 2, &h) && expect(&in, ":") &&
              digits(&in, 2, &m) && expect(&in, ":") && digits(&in, 2, &s);
    if (ok && *in == '.')
        for (in++; *in == '0'; in++)
            ;
    ok = ok && expect(&in, "Zz") && *in == '\0' && civil_valid(c) && h < 24 && m < 60 && s < 60;
    if (ok)
        *out = (int64_t)civil_to_days(c) * 86400 + h * 3600 + m * 60 + s;
    return ok;
}

enum err figures_measurement_time(const char *text, int64_t *out, struct diag *d)
{
    char cell[CELL_MAX];
    struct figure f;
    if (trim(text, cell) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "%.40s… is too long for a time", text);
    if (utc_time(cell, out))
        return ERR_OK;
    if (figure_parse(cell, &f) == ERR_OK && f.kind == FIGURE_INTEGER && !strpbrk(cell, "eE.")) {
        *out = f.integer;
        return ERR_OK;
    }
    return diag_fail(d, ERR_INVALID,
                     "'%s' is not a time: whole seconds since 1970, or 2026-03-01T12:00:00Z in UTC", cell);
}

enum err figures_report_time(const char *text, enum period_kind kind, int64_t *out, struct diag *d)
{
    char cell[CELL_MAX];
    struct period p;
    if (trim(text, cell) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "%.40s… is too long for a period", text);
    if (period_parse(cell, &p) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "'%s' is not a period: 2026-03-14, 2026-03, 2026-Q1 or 2026", cell);
    if (p.kind == PERIOD_DAY)
        p = period_containing(kind, p.start);
    if (p.kind != kind)
        return diag_fail(d, ERR_INVALID, "'%s' is a %s, but the series is reported by the %s", cell,
                         period_kind_name(p.kind), period_kind_name(kind));
    *out = p.start;
    return ERR_OK;
}

enum err figures_published(const char *text, int64_t *us, struct diag *d)
{
    char cell[CELL_MAX];
    struct period p;
    int64_t at_s;
    if (trim(text, cell) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "%.40s… is too long for a moment", text);
    if (period_parse(cell, &p) == ERR_OK)
        at_s = (int64_t)p.start * 86400;
    else if (!utc_time(cell, &at_s))
        return diag_fail(d, ERR_INVALID,
                         "'%s' is not when it was published: 2026-04-10, 2026-04 or 2026-04-10T09:00:00Z",
                         cell);
    if (at_s <= 0)
        return diag_fail(d, ERR_INVALID, "'%s' is before 1970", cell);
    *us = at_s * US_PER_S;
    return ERR_OK;
}

enum err figures_time(const char *text, const struct agent_series *s, int64_t *out, struct diag *d)
{
    return s->class == WIRE_MEASUREMENT ? figures_measurement_time(text, out, d)
                                        : figures_report_time(text, s->period, out, d);
}

bool figures_is_ahead(const struct clock *clock, int64_t time_s)
{
    return time_s > clock_wall(clock).us / US_PER_S + WIRE_FUTURE_MAX_S;
}
