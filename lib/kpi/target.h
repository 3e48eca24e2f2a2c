// A published figure or planned value with all its doubts kept: comparator, about, unknown due date, unknown value,
// assumed parts, source. Unknown is a value of its own, never 0.
#ifndef ESEP_KPI_TARGET_H
#define ESEP_KPI_TARGET_H

#include "base/figure.h"
#include "kpi/catalogue.h"
#include <stdbool.h>
#include <stdint.h>

enum comparator { COMPARE_EQ, COMPARE_GE, COMPARE_GT, COMPARE_LE, COMPARE_LT, COMPARE_RANGE };
const char *comparator_text(enum comparator c); // "=" ">=" ">" "<=" "<" "range"
enum err comparator_parse(const char *text, enum comparator *out) MUST_USE;

enum statement_kind { STATEMENT_FACT, STATEMENT_TARGET, STATEMENT_CAPACITY, STATEMENT_EVENT };

struct statement { // a row of a park's published figures
    const char *id;             // "jobs-hq": unique within the park, a series name's part
    enum statement_kind kind;
    struct names names;
    const char *kpi;            // the catalogue code it speaks of, "" when it is a text only
    const char *dimension;      // product, "" when none
    const char *resident;       // "" for the whole park
    enum comparator comparator;
    bool about;
    struct figure value;        // missing: not published. Money: minor units. A ratio target: ×2 is 200 of base 100
    struct figure value_high;   // of a range, else missing
    const char *unit;           // catalogue unit code
    const char *currency;       // "" unless money
    const char *per;            // "year" "month", "" when no period was stated
    const char *due;            // period text ("2025", "2021-03", "2023-01-13"), "" when unknown
    const char *due_text;       // as published: "end of the year"
    const char *assumed;        // what we assumed beyond the source, "" when nothing
    const char *scope;          // whom the source credits when it is not the park alone, "" otherwise: such a figure is
                                // shown and never counted as the park's
    const char *source;         // citation text
};

// Per cent of the target reached by fact: actual ÷ value × 100 for >= > = and about; missing when either is missing, the
// value is 0, or the comparator has no single number. `reached` tells whether the comparator holds.
struct figure target_attainment(const struct statement *t, struct figure actual, bool *reached);

#endif
