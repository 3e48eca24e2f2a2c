// One table makes the enum and the texts, so a text cannot exist in four languages only. Placeholders are
// {0}, not printf directives: a translation can change their order and can never become a format string.

#include "dashboards/i18n.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const texts[T_COUNT][LANG_COUNT] = {
#define X(name, en, ru, kk, uz, ky)                                                                          \
    [T_##name] = {[LANG_EN] = en, [LANG_RU] = ru, [LANG_KK] = kk, [LANG_UZ] = uz, [LANG_KY] = ky},
#include "dashboards/web/strings.inc"
#undef X
};

static const char *const languages[LANG_COUNT] = {
    [LANG_EN] = "English",   [LANG_RU] = "Русский",  [LANG_KK] = "Қазақша",
    [LANG_UZ] = "Oʻzbekcha", [LANG_KY] = "Кыргызча",
};

const char *i18n_text(enum lang lang, enum text t)
{
    return texts[t][lang];
}

const char *i18n_language(enum lang lang)
{
    return languages[lang];
}

void i18n_fill4(char out[I18N_MAX], enum lang lang, enum text t, const char *const values[4])
{
    size_t used = 0;
    for (const char *s = texts[t][lang]; *s && used + 1 < I18N_MAX;) {
        if (s[0] == '{' && s[1] >= '0' && s[1] <= '3' && s[2] == '}') {
            const char *value = values[s[1] - '0'];
            int n = snprintf(out + used, I18N_MAX - used, "%s", value ? value : "");
            used += (size_t)n < I18N_MAX - used ? (size_t)n : I18N_MAX - 1 - used;
            s += 3;
        } else {
            out[used++] = *s++;
        }
    }
    out[used] = '\0';
}

void i18n_fill(char out[I18N_MAX], enum lang lang, enum text t, const char *a, const char *b, const char *c)
{
    i18n_fill4(out, lang, t, (const char *const[4]){a, b, c, NULL});
}

// Quality of one range ("ru-RU;q=0.8") in thousandths; *lang is set when it is one of ours.
static int range_quality(const char *range, size_t len, enum lang *lang)
{
    char code[3] = {0};
    if (len < 2 || (len > 2 && range[2] != '-' && range[2] != ';' && range[2] != ' '))
        return 0;
    memcpy(code, range, 2);
    for (int i = 0; i < 2; i++)
        if (code[i] >= 'A' && code[i] <= 'Z')
            code[i] = (char)(code[i] + ('a' - 'A'));
    if (lang_parse(code, lang))
        return 0;
    const char *q = memchr(range, ';', len);
    if (!q)
        return 1000;
    const char *digits = strstr(q, "q=");
    if (!digits || digits >= range + len)
        return 1000;
    if (digits[2] == '1')
        return 1000;
    int quality = 0;
    for (int i = 0; i < 3; i++) {
        char c = digits[3] == '.' && strnlen(digits, 8) > (size_t)(4 + i) ? digits[4 + i] : '0';
        if (c < '0' || c > '9') {
            quality *= i == 1 ? 100 : 10;
            break;
        }
        quality = quality * 10 + (c - '0');
    }
    return quality;
}

enum lang i18n_accept(const char *accept_language)
{
    enum lang best = LANG_EN;
    int best_quality = 0;
    for (const char *s = accept_language; s && *s;) {
        s += strspn(s, " ,");
        size_t len = strcspn(s, ",");
        enum lang lang;
        int quality = range_quality(s, len, &lang);
        if (quality > best_quality) {
            best_quality = quality;
            best = lang;
        }
        s += len;
    }
    return best;
}
