// The checks that the catalogue and the parks' profiles have in common. Words are looked up here and not by
// libcyaml's enums, because its error does not say what would have been allowed.
#include "kpi/place.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kpi/series.h"

static const char *const lang_codes[LANG_COUNT] = {"en", "ru", "kk", "uz", "ky"};

#define NAME_BYTES_MAX 400
#define NAME(code, lang)                                                                                     \
    CYAML_FIELD_STRING_PTR(code, CYAML_FLAG_OPTIONAL, struct yaml_names, text[lang], 0, NAME_BYTES_MAX)
const cyaml_schema_field_t place_names_fields[] = {
    CYAML_FIELD_STRING_PTR("en", CYAML_FLAG_DEFAULT, struct yaml_names, text[LANG_EN], 0, NAME_BYTES_MAX),
    NAME("ru", LANG_RU),
    NAME("kk", LANG_KK),
    NAME("uz", LANG_UZ),
    NAME("ky", LANG_KY),
    CYAML_FIELD_END,
};

const char *lang_code(enum lang l)
{
    return (unsigned)l < LANG_COUNT ? lang_codes[l] : lang_codes[LANG_EN];
}

enum err lang_parse(const char *text, enum lang *out)
{
    for (unsigned l = 0; l < LANG_COUNT; l++) {
        if (strcmp(text, lang_codes[l]) == 0) {
            *out = (enum lang)l;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

struct place place_entry(struct diag *d, const char *file, const char *sequence, size_t i)
{
    struct place p = {.d = d, .file = file};

    snprintf(p.at, sizeof(p.at), "%s[%zu]", sequence, i);
    return p;
}

static void path_of(const struct place *p, const char *key, char out[sizeof(p->at) + 64])
{
    snprintf(out, sizeof(p->at) + 64, "%s%s%s", p->at, p->at[0] != '\0' && key[0] != '\0' ? "." : "", key);
}

enum err place_error(const struct place *p, const char *key, const char *fmt, ...)
{
    char path[sizeof(p->at) + 64];
    char text[400];
    va_list args;

    path_of(p, key, path);
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return config_error(p->d, p->file, path, "%s", text);
}

enum err place_error_within(const struct place *p, const char *key, size_t at, const char *fmt, ...)
{
    char path[sizeof(p->at) + 64];
    char text[400];
    va_list args;

    path_of(p, key, path);
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    return config_error_within(p->d, p->file, path, at, "%s", text);
}

enum err place_choose(const struct place *p, const char *key, const char *text, const char *const *words,
                      size_t count, unsigned *out)
{
    char list[200] = "";

    for (size_t i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = (unsigned)i;
            return ERR_OK;
        }
        size_t len = strlen(list);
        snprintf(list + len, sizeof(list) - len, "%s%s", i > 0 ? " | " : "", words[i]);
    }
    return place_error(p, key, "\"%.60s\" is not one of %s", text, list);
}

enum err place_code(const struct place *p, const char *key, const char *text)
{
    if (series_part_valid(text))
        return ERR_OK;
    return place_error(p, key,
                       "\"%.80s\" is not a code: a-z 0-9 first, then also _ . -, at most %d characters", text,
                       SERIES_PART_MAX);
}

enum err place_text(const struct place *p, const char *key, const char *text)
{
    if (text == NULL || text[strspn(text, " \t\n")] != '\0')
        return ERR_OK;
    return place_error(p, key, "is empty: write the text, or leave the key out");
}

enum err place_names(const struct place *p, const char *key, const struct yaml_names *raw, struct names *out)
{
    struct names names;

    for (unsigned l = 0; l < LANG_COUNT; l++) {
        char path[80];
        snprintf(path, sizeof(path), "%s.%s", key, lang_codes[l]);
        enum err e = place_text(p, path, raw->text[l]);
        if (e != ERR_OK)
            return e;
        names.text[l] = raw->text[l] != NULL ? raw->text[l] : text_or_none(raw->text[LANG_EN]);
    }
    *out = names;
    return ERR_OK;
}
