// ISO 4217 currencies and money as people read it. Amounts are integers in minor units.
#ifndef ESEP_KPI_MONEY_H
#define ESEP_KPI_MONEY_H

#include "base/err.h"
#include "base/figure.h"

struct currency {
    const char *code;  // "KZT"
    int number;        // 398
    int decimals;      // 2
    const char *sign;  // "₸"
};
const struct currency *currency_find(const char *code); // KZT UZS KGS RUB USD EUR; NULL: not one of ours
// 1250, KZT → "12.50"; "" for missing.
void money_text(struct figure minor, const struct currency *c, char out[FIGURE_TEXT]);

#endif
