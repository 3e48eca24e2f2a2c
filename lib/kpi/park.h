// A park's profile (deploy/parks/*.yaml): who is in it and every figure published of it. Immutable after
// loading.
#ifndef ESEP_KPI_PARK_H
#define ESEP_KPI_PARK_H

#include "kpi/calendar.h"
#include "kpi/catalogue.h"
#include "kpi/membership.h"
#include "kpi/obligation.h"
#include "kpi/programme.h"
#include "kpi/target.h"

struct resident {
    const char *code; // series name's part
    struct names names;
    struct names about; // one line: what it makes
    bool simulated;     // its figures come from a simulator and every page says so
    bool is_public;     // its name and figures may be shown to anybody, where the park is public too
    const char *source; // of real figures, "" otherwise
    struct membership member;
};

struct dimension { // what the last part of a series name stands for
    const char *code;
    struct names names;
};

struct park {
    const char *file; // where it was loaded from
    const char *code;
    struct names names;
    struct names city;
    struct names about;
    const char *time_zone; // tzdata name
    const char *currency;  // ISO 4217
    bool is_public;        // its names, statements and programmes may be shown to anybody
    struct calendar calendar;
    size_t dimension_count;
    struct dimension *dimensions;
    size_t resident_count;
    struct resident *residents;
    size_t statement_count;
    struct statement *statements;
    size_t programme_count;
    struct programme *programmes;
    size_t obligation_count;
    struct obligation *obligations; // no two bind a resident to one series at one time
};

// Cross-checked with the catalogue, which must outlive the park. NOT_FOUND; INVALID with
// file:line:column.
enum err park_load(const char *path, const struct catalogue *c, struct park **out, struct diag *d) MUST_USE;
void park_free(struct park *p);
const struct resident *park_resident(const struct park *p, const char *code); // NULL: not there

const struct statement *park_statement(const struct park *p, const char *id); // NULL: not there
const struct dimension *park_dimension(const struct park *p,
                                       const char *code); // NULL: no name is known, show the code

// All *.yaml of a folder, ordered by code; EXISTS when two have one code, NOT_FOUND when there is none.
struct parks {
    size_t count;
    struct park **parks;
};
enum err parks_load(const char *folder, const struct catalogue *c, struct parks *out,
                    struct diag *d) MUST_USE;
void parks_free(struct parks *p);
const struct park *parks_find(const struct parks *p, const char *code); // NULL: not there

#endif
