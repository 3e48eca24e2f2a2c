// What the YAML files of this folder's modules share: where a value stands, so that an error names it, names
// in five languages, and words of a fixed list.
#ifndef ESEP_KPI_PLACE_H
#define ESEP_KPI_PLACE_H

#include "base/config.h"
#include "kpi/catalogue.h"

struct place { // an entry of a file
    struct diag *d;
    const char *file; // borrowed
    char at[64];      // "statements[3]", "" for the document itself
};
struct place place_entry(struct diag *d, const char *file, const char *sequence, size_t i);

// config_error at at.key (key "": the entry itself); returns ERR_INVALID.
enum err place_error(const struct place *p, const char *key, const char *fmt, ...) PRINTF(3, 4);
// The same at the at'th byte of a value that stands on one line.
enum err place_error_within(const struct place *p, const char *key, size_t at, const char *fmt, ...)
    PRINTF(4, 5);
// text must be one of the words; *out is its index. The error lists them.
enum err place_choose(const struct place *p, const char *key, const char *text, const char *const *words,
                      size_t count, unsigned *out) MUST_USE;
// text must be a series name's part.
enum err place_code(const struct place *p, const char *key, const char *text) MUST_USE;
// An optional text that is there must not be empty: left out says "none" already.
enum err place_text(const struct place *p, const char *key, const char *text) MUST_USE;

struct yaml_names {
    char *text[LANG_COUNT]; // NULL where left out
};
extern const cyaml_schema_field_t place_names_fields[];
// Borrows from raw. English must be there; no language may be "".
enum err place_names(const struct place *p, const char *key, const struct yaml_names *raw,
                     struct names *out) MUST_USE;

static inline const char *text_or_none(const char *text)
{
    return text != NULL ? text : "";
}

#endif
