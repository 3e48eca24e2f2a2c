// What central banks publish, as bytes → rates. Bodies are from outside: XML without any document type (so no
// entities), bounded in size, depth and number; what is not exactly the bank's form is refused whole.
#ifndef ESEP_KPI_FEED_H
#define ESEP_KPI_FEED_H

#include "kpi/rates.h"

#define FEED_MAX_BYTES (1u << 20) // the largest real one has some 30 KiB
#define FEED_URL_MAX   512
#define FEED_ANY_DAY   INT32_MIN // the day asked for is the one that it says

// The bank's answer for the day asked for. Kazakhstan and Uzbekistan write a decimal point, Russia and
// Kyrgyzstan a comma, the XML ones UTF-8 or windows-1251 as they declare. An undated feed may answer with a
// day ahead (tomorrow's rates are published today): then that is the day asked for. TOO_BIG: more than
// FEED_MAX_BYTES. NOT_FOUND: the bank says, in its own words, that it has none. INVALID: another form;
// answered for a later day than asked, or for one more than RATES_STALE_MAX days before.
enum err feed_parse(enum bank bank, int32_t asked, const void *body, size_t len, struct rates *out,
                    struct diag *d) MUST_USE;
// Which bank's form a body begins like, by its first bytes; any body is some bank's.
enum bank feed_guess(const void *body, size_t len);
// The template with the day put in: {dmy.} 14.03.2026, {dmy/} 14/03/2026, {ymd-} 2026-03-14. INVALID: another
// brace, or longer than FEED_URL_MAX − 1.
enum err feed_url(const char *template, int32_t day, char out[FEED_URL_MAX], struct diag *d) MUST_USE;

#endif
