// All that the four banks answered, by the day asked for, and two questions to it: is a new answer to be
// believed, and which rates were in force on a day. Threads: one at a time.
#ifndef ESEP_KPI_RATE_BOOK_H
#define ESEP_KPI_RATE_BOOK_H

#include "kpi/rates.h"

struct rate_book;
enum err rate_book_create(struct rate_book **out) MUST_USE;
void rate_book_destroy(struct rate_book *b);
// For one bank and day asked for the answer taken last counts.
enum err rate_book_take(struct rate_book *b, const struct rates *r) MUST_USE;

// By rising day asked for. Borrowed until the next take.
size_t rate_book_count(const struct rate_book *b, enum bank bank);
const struct rates *rate_book_at(const struct rate_book *b, enum bank bank, size_t i);
const struct rates *rate_book_asked(const struct rate_book *b, enum bank bank, int32_t day); // NULL: never
size_t rate_book_held(const struct rate_book *b, enum bank bank); // days that wait to be confirmed

// The rates in force on the day: those the bank gave when asked for it; else, where nobody asked (or what was
// answered is held), the newest ones of before, not older than RATES_STALE_MAX days and only if a later
// answer is there: what comes after the last one is not known. NULL: missing.
const struct rates *rate_book_on(const struct rate_book *b, enum bank bank, int32_t day);

// Sets the state (and what jumped) of an answer that is about to be taken in. The rule: it is held when a
// currency differs by more than a fifth from the nearest accepted answer of an earlier day within 31 days, or
// where there is none from the nearest of a later one; unless an earlier answer that is held since says the
// same within a fifth: then the bank has repeated itself, both are believed, and *freed gets a confirmed copy
// of each such one (take them in too).
#define RATE_BOOK_FREED 8
void rate_book_judge(const struct rate_book *b, struct rates *r, struct rates freed[RATE_BOOK_FREED],
                     size_t *count);

#endif
