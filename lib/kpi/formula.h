// The formula of a computed KPI: whole and decimal numbers, KPIs, + - * / ( ), annualised(kpi) (a flow scaled
// to a year) and target(kpi) (the planned value). Parsed once, when the catalogue loads; evaluated over what
// the caller says each part is. Immutable after parsing; any thread may read.
#ifndef ESEP_KPI_FORMULA_H
#define ESEP_KPI_FORMULA_H

#include "base/err.h"
#include "kpi/fraction.h"
#include "kpi/series.h"
#include <stddef.h>

#define FORMULA_TEXT_MAX 400
#define FORMULA_OPS_MAX  64 // numbers, KPIs and signs
#define FORMULA_DEEP_MAX 16 // brackets within brackets

enum formula_call { FORMULA_KPI, FORMULA_ANNUALISED, FORMULA_TARGET };
struct formula_part {
    enum formula_call call;
    char kpi[SERIES_PART_MAX + 1]; // a name without "-" and ".": those are signs here
    size_t at;                     // where in the text the KPI's name stands
};

struct formula;
// INVALID: *at is the offset in bytes at which text stops making sense, d says why (and names no place).
enum err formula_parse(const char *text, struct formula **out, size_t *at, struct diag *d) MUST_USE;
void formula_free(struct formula *f);
// Each KPI in each role once, in the order of the text.
size_t formula_part_count(const struct formula *f);
const struct formula_part *formula_part_at(const struct formula *f, size_t i);

enum formula_why {
    FORMULA_KNOWN,
    FORMULA_MISSING, // `part` is
    FORMULA_ZERO,    // something is divided by zero
    FORMULA_RANGE    // no double holds it
};
struct formula_result {
    enum formula_why why;
    const struct formula_part *part; // of FORMULA_MISSING: the first in the text; else NULL
    struct fraction value;           // missing unless why is FORMULA_KNOWN
};
// parts[i] is what formula_part_at(f, i) comes to. Never fails: what cannot be computed is missing, with the
// reason; never 0, never infinite.
struct formula_result formula_evaluate(const struct formula *f, const struct fraction *parts);

#endif
