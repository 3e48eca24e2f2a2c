// The five currencies of the parks and the euro. A table and not a library: the numbers are ISO 4217's, and a
// currency that is not here has no rates to be converted with either.
#include "kpi/money.h"
#include <string.h>

static const struct currency currencies[] = {
    {"KZT", 398, 2, "₸"},   {"UZS", 860, 2, "soʻm"}, {"KGS", 417, 2, "сом"},
    {"RUB", 643, 2, "₽"}, {"USD", 840, 2, "$"},    {"EUR", 978, 2, "€"},
};

const struct currency *currency_find(const char *code)
{
    for (size_t i = 0; i < sizeof(currencies) / sizeof(currencies[0]); i++) {
        if (strcmp(code, currencies[i].code) == 0)
            return &currencies[i];
    }
    return NULL;
}

enum err money_parse(const char *text, const struct currency *c, struct figure *out)
{
    struct figure minor;
    enum err e = figure_parse_scaled(text, c->decimals, &minor);

    if (e != ERR_OK)
        return e;
    if (minor.kind != FIGURE_INTEGER)
        return ERR_INVALID;
    if (minor.integer > MONEY_MINOR_MAX || minor.integer < -MONEY_MINOR_MAX)
        return ERR_TOO_BIG;
    *out = minor;
    return ERR_OK;
}

void money_text(struct figure minor, const struct currency *c, char out[FIGURE_TEXT])
{
    figure_text_scaled(minor, c->decimals, out);
}
