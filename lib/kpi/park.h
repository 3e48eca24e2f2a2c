// A park's profile (deploy/parks/*.yaml): who is in it and every figure published of it. Immutable after loading.
#ifndef ESEP_KPI_PARK_H
#define ESEP_KPI_PARK_H

#include "kpi/catalogue.h"
#include "kpi/target.h"

struct resident {
    const char *code;    // series name's part
    struct names names;
    struct names about;  // one line: what it makes
    bool simulated;      // its figures come from a simulator and every page says so
    bool is_public;      // its figures may be shown to anybody
    const char *source;  // of real figures, "" otherwise
};

struct programme { // training, incubation, modernisation: shown as text with its stages
    const char *id;
    struct names names;
    size_t stage_count;
    struct names *stages;
    const char *source;
};

struct park {
    const char *code;
    struct names names;
    struct names city;
    struct names about;
    const char *time_zone; // tzdata name
    const char *currency;  // ISO 4217
    size_t resident_count;
    struct resident *residents;
    size_t statement_count;
    struct statement *statements;
    size_t programme_count;
    struct programme *programmes;
};

// Cross-checked with the catalogue. INVALID with file:line:column.
enum err park_load(const char *path, const struct catalogue *c, struct park **out, struct diag *d) MUST_USE;
void park_free(struct park *p);
const struct resident *park_resident(const struct park *p, const char *code); // NULL: not there

// All *.yaml of a folder, ordered by code; EXISTS when two have one code.
struct parks {
    size_t count;
    struct park **parks;
};
enum err parks_load(const char *folder, const struct catalogue *c, struct parks *out, struct diag *d) MUST_USE;
void parks_free(struct parks *p);
const struct park *parks_find(const struct parks *p, const char *code);

#endif
