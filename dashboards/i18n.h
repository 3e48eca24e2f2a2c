// The texts of the pages in five languages, from the one table web/strings.inc, and which language a reader
// gets.
#ifndef ESEP_DASHBOARDS_I18N_H
#define ESEP_DASHBOARDS_I18N_H

#include "base/buf.h"
#include "kpi/catalogue.h"

enum text {
#define X(name, en, ru, kk, uz, ky) T_##name,
#include "dashboards/web/strings.inc"
#undef X
    T_COUNT
};

const char *i18n_text(enum lang lang, enum text t);
// The language's own name, for the switcher: "Қазақша".
const char *i18n_language(enum lang lang);
// The text with {0} … {2} replaced, as plain text.
#define I18N_MAX 1200
void i18n_fill(char out[I18N_MAX], enum lang lang, enum text t, const char *a, const char *b, const char *c);
// Like i18n_fill with a fourth value.
void i18n_fill4(char out[I18N_MAX], enum lang lang, enum text t, const char *const values[4]);
// The best of ours for an Accept-Language header; English when none fits.
enum lang i18n_accept(const char *accept_language);

#endif
