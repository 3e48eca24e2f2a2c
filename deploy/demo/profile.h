// What is simulated: residents.yaml as structs. Loaded once, immutable afterwards.
#ifndef ESEP_DEMO_PROFILE_H
#define ESEP_DEMO_PROFILE_H

#include "base/err.h"
#include "kpi/period.h"
#include <stdint.h>

enum model {         // how a figure comes about; world.c has one function for each
    MODEL_PUBLISHED, // not simulated: read from the resident's `published` file
    MODEL_PIECES,    // machine: pieces made; size: capacity a year
    MODEL_ENERGY,    // machine: kilowatt-hours to a thousandth; size: connected kilowatts
    MODEL_DOWNTIME,  // machine: seconds of planned time lost
    MODEL_MADE,      // report: pieces made; size: capacity a year
    MODEL_SALES,     // report: money that follows the plant's activity; size: a full working day
    MODEL_SPENDING,  // report: money in lumps; size: a month's average
    MODEL_STAFF,     // report: people on the list; from the resident's staff and hires
    MODEL_HIRED,     // report: people taken on; from the resident's hires
    MODEL_WAGE,      // report: money that rises slowly; size: at the world's start
    MODEL_COUNT,     // report: a few things a period; size: the average
    MODEL_LEVEL,     // report: whole number that wanders; size: the middle
    MODEL_PERCENT,   // report: 0 .. 100 with a decimal; size: the middle
    MODEL_STAGE,     // report: a project's stage, 0 .. 8, that only rises; size: at the world's start
    MODEL_DONE       // report: per cent of the stage that is the dimension; size: that of the stage's model
};

struct profile_series {
    char *kpi;
    char *dimension; // NULL: none
    char *unit;
    char *currency; // NULL unless money
    char *column;   // of a published file, NULL: named after the series
    enum model model;
    uint32_t step_s;         // of machine series, 0 for reports
    enum period_kind period; // of reports
    double size;
};

struct profile_resident {
    char *code;
    char *published; // CSV beside residents.yaml with real figures; NULL: simulated
    uint32_t staff;  // people when the world starts
    double hires;    // a month, on average
    uint32_t shifts; // 1: day, 2: from early to late, 3: round the clock
    struct profile_series *series;
    uint32_t series_count;
};

struct profile_park {
    char *code;
    char *time_zone;
    char **holidays; // "MM-DD"
    uint32_t holidays_count;
    struct profile_resident *residents;
    uint32_t residents_count;
};

struct profile {
    uint64_t seed;
    struct profile_park *parks;
    uint32_t parks_count;
};

// NOT_FOUND; INVALID with file:line:column.
enum err profile_load(const char *path, struct profile **out, struct diag *d) MUST_USE;
void profile_free(struct profile *p);
// "park/resident". NOT_FOUND.
enum err profile_find(const struct profile *p, const char *name, const struct profile_park **park,
                      const struct profile_resident **resident, struct diag *d) MUST_USE;
// "kpi" or "kpi/dimension" of a series into out (SERIES_NAME_MAX + 1 bytes).
void profile_series_text(const struct profile_series *s, char *out);
// How a money amount is split into minor units; 0 for what is not money.
int profile_decimals(const struct profile_series *s);

#endif
