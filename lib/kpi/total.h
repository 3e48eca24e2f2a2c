// The arithmetic of totals and computed KPIs, for one span: what residents' figures come to, by the
// catalogue's rules. Nothing is averaged that can be rebuilt, nothing unlike is added, nobody counts twice,
// and what is missing is never zero. Pure: where figures come from is store/totals.h.
#ifndef ESEP_KPI_TOTAL_H
#define ESEP_KPI_TOTAL_H

#include "kpi/catalogue.h"
#include "kpi/formula.h"
#include "kpi/park.h"
#include "kpi/tally.h"

#define TOTAL_BINS_MAX 32

// One list makes the enum, the words of the API and the plain English for commands; pages have their own.
#define TOTAL_WHY_LIST(X)                                                                                    \
    X(KNOWN, "known", "known")                                                                               \
    X(NOBODY, "nobody", "nobody has reported it")                                                            \
    X(MISSING, "missing", "not reported for this span")                                                      \
    X(UNLIKE, "unlike", "it would add unlike things")                                                        \
    X(NO_TOTAL, "no-total", "it is not added over residents")                                                \
    X(UNITS, "units", "it is reported in different units")                                                   \
    X(RATE, "rate", "there is no exchange rate")                                                             \
    X(CAPACITY, "capacity", "the capacity is not known")                                                     \
    X(TARGET, "target", "there is no plan for such a span")                                                  \
    X(SHORT, "short", "less than 20 hours are known, too few to speak of a year")                            \
    X(ZERO, "zero", "it would divide by zero")                                                               \
    X(RANGE, "range", "no number holds it")                                                                  \
    X(BINS, "histogram", "counted by value")

enum total_why {
#define X(id, word, text) TOTAL_##id,
    TOTAL_WHY_LIST(X)
#undef X
        TOTAL_WHY_COUNT
};
const char *total_why_word(enum total_why w);
const char *total_why_text(enum total_why w);

struct total_line {                   // a series of a resident
    const char *resident, *dimension; // borrowed
    const struct kpi *kpi;
    const char *unit; // borrowed
    bool simulated;
};

struct total_cell {         // what a line says of the span
    struct tally tally;     // a flow: its sum; a level: its last figure alone
    enum total_why why;     // TOTAL_KNOWN; MISSING, RATE, RANGE: why there is no figure
    bool owed;              // it had begun to report, or must: without a figure it is missing
    bool partial;           // figures within the span are missing
    bool absent;            // it does not belong to the park in this span: neither counts nor is missing
    struct fraction a_year; // what scales its sum to a year; missing: too little is known
};

struct total_source {
    const struct catalogue *catalogue;
    const struct park *park;        // as it was known: its published capacities
    const struct total_line *lines; // each resident's stand together
    const struct total_cell *cells; // of the span, one a line
    size_t count;
    // The plan for the span in the question's currency, of the park ("") or a resident; missing: none.
    struct fraction (*planned)(void *ctx, const struct kpi *k, const char *resident, const char *dimension);
    void *ctx;
};

struct kpi_total {
    struct figure value; // missing unless why is TOTAL_KNOWN. Money: minor units
    struct huge huge;    // where no figure holds the sum: it, and value is the nearest
    enum total_why why;
    const struct kpi *part; // of a computed or weighted one: what is lacking; NULL: no part in particular
    uint32_t contributors;  // residents whose figures are in it
    uint32_t missing;       // residents that report it, or must, but not for this span
    uint32_t partial;       // contributors of whose figures some are missing
    bool simulated;         // any contributor
    uint32_t bins[TOTAL_BINS_MAX]; // of a histogram: residents at min, min + 1, … of the KPI
};

// resident "": of the park, else a computed KPI of that resident. dimension "": of the whole.
void total_of(const struct total_source *s, const struct kpi *k, const char *resident, const char *dimension,
              struct kpi_total *out);

// Whether k has totals over residents at all, with or without a dimension: the catalogue's rules alone.
bool total_exists(const struct kpi *k, bool dimension);
// Whether a formula's part is one figure of the park, reported by one resident, not a sum over residents.
bool total_is_outside(const struct kpi *k);

#endif
