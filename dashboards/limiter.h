// How often logging in may be tried: a bucket an address and one a name, refilled with time, so nobody is
// locked out for ever. An address that a name has logged in from before has a bucket of its own for it: who
// guesses from elsewhere does not keep the rightful out. Bounded: the longest unused bucket makes room.
// Threads: any.
#ifndef ESEP_DASHBOARDS_LIMITER_H
#define ESEP_DASHBOARDS_LIMITER_H

#include "base/clock.h"
#include "base/err.h"
#include <stdbool.h>

#define LIMITER_BURST    10 // tries at once
#define LIMITER_REFILL_S 30 // one more each

struct limiter;
enum err limiter_create(const struct clock *clock, struct limiter **out) MUST_USE;
void limiter_destroy(struct limiter *l); // NULL is allowed
// Takes one try; 0, or the seconds to wait.
int limiter_try(struct limiter *l, const char *address, const char *name);
// That try was right: it is given back, and the address is known for the name.
void limiter_succeeded(struct limiter *l, const char *address, const char *name);

#endif
