// What agents are told that their residents owe (esep.proto's Obligations): made from the profiles and the
// observations by the observer's thread, for those residents alone that somebody has asked for; handed out,
// encoded, by ingest. No thread inside; the calls of each side may run at the same time as the other's.
#ifndef ESEP_COLLECTOR_DUTIES_H
#define ESEP_COLLECTOR_DUTIES_H

#include "base/buf.h"
#include "base/clock.h"
#include "kpi/park.h"
#include "store/observations.h"

struct duties;
struct duty; // one resident's; lives as long as the duties do

// parks and clock are borrowed. As zone_load, NOMEM.
enum err duties_create(const struct parks *parks, const struct clock *clock, struct duties **out,
                       struct diag *d) MUST_USE;
void duties_destroy(struct duties *d);

// ---- ingest's
struct duty *duties_of(struct duties *d, const char *resident); // "park/resident"; NULL: no memory
// Raised with each change of any of them. Of one: 0 until its message is made.
uint64_t duties_version(struct duties *d);
uint64_t duty_version(struct duties *d, const struct duty *of);
// Appends the message; *version is its own. NOT_FOUND: it is not made yet.
enum err duty_message(struct duties *d, const struct duty *of, struct buf *out, uint64_t *version) MUST_USE;

// ---- the observer's
void duties_revised(void *duties, const struct ledger_series *s);
// Makes anew, at most some dozens a call, what a report or the clock has changed. Call it again soon when
// *more. Errors: as owed_read; the residents it failed for are tried again a minute later.
enum err duties_step(struct duties *d, struct observations_reader *o, struct reader *r, bool *more,
                     struct diag *diag) MUST_USE;

#endif
