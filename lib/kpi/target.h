// A published figure or planned value with all its doubts kept: comparator, about, unknown due date, unknown
// value, assumed parts, source. Unknown is a value of its own, never 0.
#ifndef ESEP_KPI_TARGET_H
#define ESEP_KPI_TARGET_H

#include "base/figure.h"
#include "kpi/catalogue.h"
#include "kpi/path.h"
#include <stdbool.h>
#include <stdint.h>

enum comparator { COMPARE_EQ, COMPARE_GE, COMPARE_GT, COMPARE_LE, COMPARE_LT, COMPARE_RANGE };
const char *comparator_text(enum comparator c); // "=" ">=" ">" "<=" "<" "range"
enum err comparator_parse(const char *text, enum comparator *out) MUST_USE;

enum statement_kind { STATEMENT_FACT, STATEMENT_TARGET, STATEMENT_CAPACITY, STATEMENT_EVENT };
const char *statement_kind_name(enum statement_kind k); // "fact" "target" "capacity" "event"

// A row of a park's published figures. Texts are never NULL: "" says that there is none. Periods are period
// texts ("2025", "2021-03", "2023-01-13").
struct statement {
    const char *id; // "jobs-hq": unique within the park, a series name's part
    enum statement_kind kind;
    struct names names;
    const char *kpi;       // the catalogue code it speaks of, "" when it is a text only
    const char *dimension; // product, "" when none
    const char *resident;  // "" for the whole park
    enum comparator comparator;
    bool about;
    struct figure value;      // missing: not published. Money: minor units. A ratio ×2 is 200 of base 100
    struct figure value_high; // of a range, else missing
    struct figure base;   // of an index: what it counts as base (100) where the base itself was not published
    const char *unit;     // catalogue unit code
    const char *currency; // "" unless money
    const char *per;      // "year" "month", "" when no period was stated
    bool cumulative;      // counted since the beginning, not within one period
    const char *at;       // when a fact, capacity or event holds; "" when not stated, and always for a target
    const char *at_end;   // last day of an event of several days
    const char *at_text;  // as published: "the pandemic"
    const char *due;      // of a target; "" when unknown: such a target is never late
    const char *due_or;   // the other reading of due_text, "" when there is one only
    const char *due_text; // as published: "end of the year"
    struct path path;     // of a target: what was planned on the way; PATH_NONE: nothing was
    const char *assumed;  // what we assumed beyond the source, in words, "" when nothing
    const char *scope;   // whom the source credits when it is not the park alone, "" otherwise: such a figure
                         // is shown and never counted as the park's
    const char *part_of; // id of the statement that already contains this figure: never add the two
    const char *note;    // what a reader must know beside the figure
    const char *source;  // citation text
};

// Whether the figure is the park's own and stands by itself, so that it may be counted: no scope, not a part
// of another.
bool statement_counts(const struct statement *s);

// The value as profiles write it: ["about "] [">= " "> " "<= " "< " "= "] decimal | ["about "] decimal " .. "
// decimal | "unknown". Sets about, comparator, value, value_high; decimals as in figure_parse_scaled (0: any
// decimal). INVALID, out untouched.
enum err statement_parse_value(const char *text, int decimals, struct statement *out) MUST_USE;
// The same grammar back ("=" is left out), money in major units with its currency's decimals.
#define STATEMENT_VALUE_TEXT (2 * FIGURE_TEXT + 16)
void statement_value_text(const struct statement *s, char out[STATEMENT_VALUE_TEXT]);

// Holds actual (same unit, currency and `per` as the statement) against it. Returns actual ÷ value × 100;
// missing when either is missing, value ≤ 0, the comparator is a limit (<= <) or a range, the value is an
// index whose base is unknown, or the figure is credited to somebody else (scope). *reached (may be NULL):
// the comparator holds, exactly as published; "about" does not loosen it. A target published as a plain
// number ("=") is reached from that number on; write <= where less is better. False where nothing can be
// said.
struct figure target_attainment(const struct statement *t, struct figure actual, bool *reached);

#endif
