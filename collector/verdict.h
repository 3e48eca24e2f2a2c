// What may be declared and what a sample must be to be accepted, by the catalogue and the clock. Pure: no
// state, no I/O.
#ifndef ESEP_COLLECTOR_VERDICT_H
#define ESEP_COLLECTOR_VERDICT_H

#include "base/clock.h"
#include "kpi/catalogue.h"
#include "kpi/closure.h"
#include "store/ledger.h"

// Builds the series that resident declares with d. INVALID with a diag that tells the administrator what the
// catalogue wants: unknown KPI, other unit, money without a currency that is known, class, step and period
// that do not fit.
enum err verdict_declare(const struct catalogue *catalogue, const char *resident,
                         const struct wire_declare *d, struct ledger_series *out, struct diag *diag) MUST_USE;

struct verdict_series { // what a number means; series NULL: not declared
    const struct ledger_series *series;
    const struct kpi *kpi;               // NULL: no longer in the catalogue, no bounds
    bool taken;                          // another agent's: its samples from this one are refused
    const struct closure_book *closures; // NULL: no period is closed to whoever sends this
};
typedef struct verdict_series (*verdict_find)(void *ctx, uint32_t number);

// Judges each sample. Measurements up to closed_until_s are too old (0: none are). refusals has room for
// batch->count. *refused: how many were written there, in rising index.
void verdict_batch(const struct wire_batch *batch, struct wall now, int64_t closed_until_s, verdict_find find,
                   void *ctx, struct wire_refusal *refusals, size_t *refused);

// What still forbids a refused sample when an operator wants it in: WIRE_REASON_NONE, or a reason of its form
// (its value, class, step, time). Bounds, notes, quotas and closed periods are what the operator may
// overrule.
enum wire_reason verdict_release(const struct ledger_series *series, enum wire_class class, int64_t time,
                                 struct figure value, struct wall now, int64_t closed_until_s);

#endif
