// Grouping and decimal marks are put onto the exact decimal text, never by the C library's locale: digits
// stay those of figure_text whatever the reader's language is.

#include "dashboards/show.h"
#include "base/clock.h"
#include "dashboards/i18n.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_BREAK_SPACE "\xc2\xa0"

int measure_decimals(const struct measure *m)
{
    return m->currency ? m->currency->decimals : 0;
}

void show_unit(char out[SHOW_TEXT], const struct measure *m, enum lang lang)
{
    if (m->currency_code && *m->currency_code)
        snprintf(out, SHOW_TEXT, "%s", m->currency_code);
    else if (m->unit && strcmp(m->unit->code, "percent") == 0)
        snprintf(out, SHOW_TEXT, "%%");
    else if (m->unit && strcmp(m->unit->code, "any") != 0)
        snprintf(out, SHOW_TEXT, "%s", m->unit->names.text[lang]);
    else
        snprintf(out, SHOW_TEXT, "%s", m->unit_code ? m->unit_code : "");
}

static void append(char out[SHOW_TEXT], size_t *used, const char *text, size_t len)
{
    if (*used + len < SHOW_TEXT) {
        memcpy(out + *used, text, len);
        *used += len;
        out[*used] = '\0';
    }
}

// "-1234567.50" → "−1 234 567,50"; exponents are kept as they are.
static void group(char out[SHOW_TEXT], const char *text, enum lang lang)
{
    const char *mark = lang == LANG_EN ? "," : NO_BREAK_SPACE, *point = lang == LANG_EN ? "." : ",";
    size_t used = 0;
    out[0] = '\0';
    if (*text == '-') {
        append(out, &used, "\xe2\x88\x92", 3);
        text++;
    }
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; i < digits; i++) {
        if (i > 0 && (digits - i) % 3 == 0)
            append(out, &used, mark, strlen(mark));
        append(out, &used, text + i, 1);
    }
    if (text[digits] == '.') {
        append(out, &used, point, 1);
        digits++;
    }
    append(out, &used, text + digits, strlen(text + digits));
}

void show_number(char out[SHOW_TEXT], struct figure f, int decimals, enum lang lang)
{
    char text[FIGURE_TEXT];
    figure_text_scaled(f, decimals, text);
    if (f.kind == FIGURE_MISSING)
        snprintf(out, SHOW_TEXT, "%s", i18n_text(lang, T_UNKNOWN));
    else
        group(out, text, lang);
}

static void with_unit(char out[SHOW_TEXT], bool known, const struct measure *m, enum lang lang)
{
    char unit[SHOW_TEXT];
    show_unit(unit, m, lang);
    size_t used = strlen(out);
    if (!known || !*unit)
        return;
    bool close = strcmp(unit, "%") == 0 && (lang == LANG_EN || lang == LANG_UZ);
    snprintf(out + used, SHOW_TEXT - used, "%s%s", close ? "" : NO_BREAK_SPACE, unit);
}

void show_exact(char out[SHOW_TEXT], struct figure f, const struct measure *m, enum lang lang)
{
    show_number(out, f, measure_decimals(m), lang);
    with_unit(out, f.kind != FIGURE_MISSING, m, lang);
}

void show_decimal(char out[SHOW_TEXT], const char *decimal, const struct measure *m, enum lang lang)
{
    if (*decimal)
        group(out, decimal, lang);
    else
        snprintf(out, SHOW_TEXT, "%s", i18n_text(lang, T_UNKNOWN));
    with_unit(out, *decimal != '\0', m, lang);
}

void show_rate(char out[SHOW_TEXT], const struct conversion *c, enum lang lang)
{
    char pair[CONVERSION_PAIR_TEXT], number[SHOW_TEXT];
    size_t used = 0;
    conversion_pair_text(c, pair);
    const size_t before = strcspn(pair, "=") + 2; // "1 USD = "
    group(number, pair + before, lang);           // what stands behind the digits stays
    append(out, &used, pair, before);
    append(out, &used, number, strlen(number));
}

static void trim_zeros(char *text)
{
    char *point = strchr(text, '.');
    if (!point)
        return;
    char *end = text + strlen(text);
    while (end > point && (end[-1] == '0' || end[-1] == '.'))
        if (*--end == '.')
            break;
    *end = '\0';
}

static void short_text(char out[SHOW_TEXT], double v, enum lang lang)
{
    char text[64], scaled[SHOW_TEXT], filled[I18N_MAX];
    double size = fabs(v);
    enum text word = size >= 999950000 ? T_THOUSAND_MILLION : T_MILLION;
    if (size >= 1e6)
        v /= word == T_THOUSAND_MILLION ? 1e9 : 1e6;
    double shown = fabs(v);
    int places = shown >= 1000 ? 0 : shown >= 100 ? 1 : shown >= 1 || v == 0 ? 2 : 4;
    snprintf(text, sizeof text, "%.*f", places, v);
    trim_zeros(text);
    group(scaled, text, lang);
    if (size >= 1e6) {
        i18n_fill(filled, lang, word, scaled, NULL, NULL);
        char *space = strchr(filled, ' ');
        if (space) // keep the number and its word on one line
            snprintf(out, SHOW_TEXT, "%.*s" NO_BREAK_SPACE "%s", (int)(space - filled), filled, space + 1);
    } else {
        snprintf(out, SHOW_TEXT, "%s", scaled);
    }
}

void show_short(char out[SHOW_TEXT], struct figure f, const struct measure *m, enum lang lang)
{
    double v = figure_to_real(f);
    for (int i = measure_decimals(m); i > 0; i--)
        v /= 10;
    if (f.kind == FIGURE_MISSING)
        snprintf(out, SHOW_TEXT, "%s", i18n_text(lang, T_UNKNOWN));
    else if (fabs(v) < 1e6 && f.kind == FIGURE_INTEGER && measure_decimals(m) == 0)
        show_number(out, f, 0, lang);
    else
        short_text(out, v, lang);
}

void show_per_cent(char out[SHOW_TEXT], struct figure per_cent, enum lang lang)
{
    char text[64];
    if (per_cent.kind == FIGURE_MISSING) {
        snprintf(out, SHOW_TEXT, "%s", i18n_text(lang, T_UNKNOWN));
        return;
    }
    double v = figure_to_real(per_cent);
    double shown = fabs(v) >= 1000 ? rint(v) : rint(v * 10) / 10; // rint rounds half to even
    if (shown >= 100 && v < 100)
        shown = 99.9; // a target that is not reached is not rounded up to its goal
    if (shown == 0 && v != 0)
        snprintf(text, sizeof text, "%.2g", v);
    else
        snprintf(text, sizeof text, "%.1f", shown);
    trim_zeros(text);
    group(out, text, lang);
    size_t used = strlen(out);
    snprintf(out + used, SHOW_TEXT - used, "%s%%", lang == LANG_EN || lang == LANG_UZ ? "" : NO_BREAK_SPACE);
}

void show_ago(char out[SHOW_TEXT], int64_t then_us, int64_t now_us, enum lang lang)
{
    static const struct {
        int64_t below_s, unit_s;
        enum text text;
    } steps[] = {
        {120, 1, T_AGO_S}, {7200, 60, T_AGO_MIN}, {172800, 3600, T_AGO_H}, {INT64_MAX, 86400, T_AGO_D}};
    int64_t seconds = (now_us - then_us) / US_PER_S;
    char number[24], filled[I18N_MAX];
    if (seconds < 2) {
        snprintf(out, SHOW_TEXT, "%s", i18n_text(lang, T_NOW));
        return;
    }
    size_t i = 0;
    while (seconds >= steps[i].below_s)
        i++;
    snprintf(number, sizeof number, "%" PRId64, seconds / steps[i].unit_s);
    i18n_fill(filled, lang, steps[i].text, number, NULL, NULL);
    snprintf(out, SHOW_TEXT, "%.*s", SHOW_TEXT - 1, filled);
}

void show_day(char out[SHOW_TEXT], int32_t day)
{
    struct civil c = civil_from_days(day);
    snprintf(out, SHOW_TEXT, "%04d-%02d-%02d", c.year, c.month, c.day);
}

void show_moment(char out[SHOW_TEXT], int64_t utc_s, const struct zone *z)
{
    int64_t local = utc_s + zone_offset(z, utc_s);
    int64_t day = local / 86400 - (local % 86400 < 0), rest = local - day * 86400;
    show_day(out, (int32_t)day);
    size_t used = strlen(out);
    snprintf(out + used, SHOW_TEXT - used, " %02d:%02d:%02d", (int)(rest / 3600), (int)(rest / 60 % 60),
             (int)(rest % 60));
}

const char *show_project_stage(int stage, enum lang lang)
{
    return i18n_text(lang, (enum text)(T_STAGE_0 + stage)); // the nine stand together
}

void show_rhythm(char out[SHOW_TEXT], uint32_t step_s, enum period_kind period, enum lang lang)
{
    static const enum text reports[] = {[PERIOD_DAY] = T_DAILY,
                                        [PERIOD_MONTH] = T_MONTHLY,
                                        [PERIOD_QUARTER] = T_QUARTERLY,
                                        [PERIOD_YEAR] = T_YEARLY};
    char number[16], filled[I18N_MAX];
    if (period != PERIOD_NONE) {
        snprintf(out, SHOW_TEXT, "%s", i18n_text(lang, reports[period]));
        return;
    }
    enum text t = step_s % 3600 == 0 ? T_EVERY_H : step_s % 60 == 0 ? T_EVERY_MIN : T_EVERY_S;
    snprintf(number, sizeof number, "%" PRIu32,
             t == T_EVERY_H     ? step_s / 3600
             : t == T_EVERY_MIN ? step_s / 60
                                : step_s);
    i18n_fill(filled, lang, t, number, NULL, NULL);
    snprintf(out, SHOW_TEXT, "%.*s", SHOW_TEXT - 1, filled);
}
