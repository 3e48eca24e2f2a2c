// A figure as people write it: "1 250 000,50", "1250000.50", "−3". Exact or refused, never guessed: what
// could be read in two ways is neither.
#ifndef ESEP_KPI_ENTRY_H
#define ESEP_KPI_ENTRY_H

#include "base/figure.h"
#include "kpi/money.h"

#define ENTRY_TEXT_MAX 64 // of what was written, in bytes

enum entry_fault {
    ENTRY_FINE,
    ENTRY_EMPTY,     // nothing but spaces
    ENTRY_NO_NUMBER, // other characters than digits, one decimal sign, spaces between thousands, a sign
                     // before
    ENTRY_TWO_SIGNS, // more than one comma or point: which of them is the decimal sign?
    ENTRY_GROUPS,    // spaces that do not part thousands
    ENTRY_AMBIGUOUS, // "12,345": twelve thousand, or twelve and a third?
    ENTRY_DECIMALS,  // more digits after the decimal sign than the currency has
    ENTRY_TOO_BIG,   // beyond what is kept exactly
    ENTRY_FAULTS
};
const char *entry_fault_text(enum entry_fault f); // a sentence that says the way out

// Spaces (also no-break and thin ones) part thousands; comma and point both are the decimal sign, at most one
// of them. Money (else NULL) comes out in minor units. *out is untouched on a fault.
enum entry_fault entry_parse(const char *text, const struct currency *money, struct figure *out);

#endif
