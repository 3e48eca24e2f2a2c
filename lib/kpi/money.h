// ISO 4217 currencies and money as people read it. Amounts are integers in minor units.
#ifndef ESEP_KPI_MONEY_H
#define ESEP_KPI_MONEY_H

#include "base/err.h"
#include "base/figure.h"

struct currency {
    const char *code; // "KZT"
    int number;       // 398
    int decimals;     // 2
    const char *sign; // "₸"; UZS and KGS have none that fonts know: "soʻm", "сом"
};
const struct currency *currency_find(const char *code); // KZT UZS KGS RUB USD EUR; NULL: not one of ours
#define MONEY_MINOR_MAX INT64_C(9000000000000000) // an amount that a double holds exactly, with room to add
// Decimal text in major units → minor units, exactly: "12.5", KZT → 1250. Nothing is rounded: INVALID for
// digits beyond the currency's decimals that are not zero and for what is not decimal text; TOO_BIG beyond
// MONEY_MINOR_MAX.
enum err money_parse(const char *text, const struct currency *c, struct figure *out) MUST_USE;
// 1250, KZT → "12.50"; "" for missing.
void money_text(struct figure minor, const struct currency *c, char out[FIGURE_TEXT]);

#endif
