// Central banks' rates: what one bank answered for one day, as exact decimals, and the text in which the
// ledger keeps it.
#ifndef ESEP_KPI_RATES_H
#define ESEP_KPI_RATES_H

#include "base/buf.h"
#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bank { BANK_KZ, BANK_UZ, BANK_RU, BANK_KG, BANKS };

struct bank_info {
    const char *code;     // "kz"
    const char *name;     // "National Bank of Kazakhstan"
    const char *currency; // its own: what the others are priced in
    const char *url;      // {dmy.} {dmy/} {ymd-} stand for the day asked for
    bool dated;           // the address takes a day; else only the newest rates are to be had
};
const struct bank_info *bank_info(enum bank b);
enum err bank_parse(const char *code, enum bank *out) MUST_USE; // INVALID
// The bank whose currency it is; the pivot (BANK_KZ, whose one feed has all of them) for any other.
enum bank bank_of_currency(const char *currency);

#define RATE_SCALE     10                    // of a rate per unit: its digits after the point
#define RATE_UNIT      INT64_C(10000000000)  // 10^RATE_SCALE
#define RATE_MAX       (1000000 * RATE_UNIT) // a unit never costs more than 1,000,000 of the bank's own
#define RATE_QUANT_MAX UINT32_C(1000000)
#define RATE_TEXT      32

struct rate {
    char currency[4];
    uint32_t quant; // 1, 10, 100 …
    int64_t value;  // of `quant` units: value / 10^decimals of the bank's currency
    int decimals;   // 0 .. RATE_SCALE, the last digit not 0 unless it was published so
};
// "478.52", with the bank's decimal sign, for quant units. INVALID: not a decimal above 0, a quant that is no
// power of ten, more than RATE_SCALE digits behind the point of one unit, or more than RATE_MAX.
enum err rate_parse(const char *currency, const char *quant, const char *value, char decimal_sign,
                    struct rate *out, struct diag *d) MUST_USE;
int64_t rate_per_unit(const struct rate *r); // times RATE_UNIT, exact
void rate_text(const struct rate *r, char out[RATE_TEXT]);

#define RATES_MAX       8
#define RATES_STALE_MAX 15 // days that an answer may be older than the day asked for: the longest holidays

enum rates_state {
    RATES_ACCEPTED,
    RATES_HELD,      // differs too much from the day before: not used until confirmed
    RATES_CONFIRMED, // was held
};

struct rates { // a bank's answer
    enum bank bank;
    int32_t asked;    // civil day
    int32_t answered; // the day the bank says they are of; before `asked`: carried forward by the bank
    enum rates_state state;
    char jumped[4]; // held or confirmed: the currency that changed most
    size_t count;
    struct rate list[RATES_MAX]; // rising currency; never the bank's own
    size_t others;               // in the feed, of currencies that are not ours (not in the text)
};
const struct rate *rates_find(const struct rates *r, const char *currency); // NULL
bool rates_carried(const struct rates *r);
// The same bank, days and rates, whatever the state.
bool rates_same(const struct rates *a, const struct rates *b);
// The currency that changed most where one changed by more than a fifth: |new − old| × 5 > old. NULL: none
// did.
const char *rates_jump(const struct rates *old, const struct rates *next);

// The ledger's document, byte for byte the same for the same rates.
#define RATES_DOCUMENT_MAX 1024
enum err rates_write(const struct rates *r, struct buf *out) MUST_USE;
// INVALID with the line.
enum err rates_read(const char *text, size_t len, struct rates *out, struct diag *d) MUST_USE;

#endif
