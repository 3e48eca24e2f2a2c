// One table makes the enum and the texts, so a text cannot exist in four languages only. Placeholders are
// {0}, not printf directives: a translation can change their order and can never become a format string.

#include "dashboards/i18n.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const texts[T_COUNT][LANG_COUNT] = {
#define X(name, en, ru, kk, uz, ky)                                                                          \
    [T_##name] = {[LANG_EN] = (en), [LANG_RU] = (ru), [LANG_KK] = (kk), [LANG_UZ] = (uz), [LANG_KY] = (ky)},
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

// Thousandths of "q=0.85"; 1000 when there is none.
static int parse_quality(const char *range, size_t len)
{
    const char *end = range + len, *q = memchr(range, ';', len);
    while (q && q < end && *q != 'q')
        q++;
    if (!q || end - q < 3 || q[1] != '=' || q[2] != '0')
        return 1000;
    int quality = 0, worth = 100;
    for (q += 4; q < end && *q >= '0' && *q <= '9' && worth > 0; q++, worth /= 10)
        quality += (*q - '0') * worth;
    return quality;
}

// Quality of one range ("ru-RU;q=0.8") in thousandths, 0 when it is none of our languages.
static int range_quality(const char *range, size_t len, enum lang *lang)
{
    char code[3] = {0};
    if (len < 2 || (len > 2 && range[2] != '-' && range[2] != ';' && range[2] != ' '))
        return 0;
    for (int i = 0; i < 2; i++)
        code[i] = (char)(range[i] >= 'A' && range[i] <= 'Z' ? range[i] + ('a' - 'A') : range[i]);
    return lang_parse(code, lang) ? 0 : parse_quality(range, len);
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
