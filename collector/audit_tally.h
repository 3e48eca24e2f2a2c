// What happens often, on its way into the audit log: refusals, each counted, of one kind one line. The first
// is due a second after it happened, what follows of the same kind within a minute is the next line, with its
// count. However many different ones there are, a minute has at most AUDIT_TALLY_MAX lines and a few: beyond
// that they are counted under "(several)". Threads: any may note; one takes out.
#ifndef ESEP_COLLECTOR_AUDIT_TALLY_H
#define ESEP_COLLECTOR_AUDIT_TALLY_H

#include "base/clock.h"
#include "store/audit.h"

#define AUDIT_TALLY_MAX      512 // kinds (event, who, object) at a time
#define AUDIT_TALLY_OF_EVENT 64  // of one event
#define AUDIT_TALLY_OF_WHO   8   // objects of one event and one who
#define AUDIT_TALLY_FIRST_S  1
#define AUDIT_TALLY_AGAIN_S  60
#define AUDIT_TALLY_SEVERAL  "(several)"
#define AUDIT_TALLY_TAKE_MAX 64

struct audit_tally;
enum err audit_tally_create(const struct clock *clock, struct audit_tally **out) MUST_USE;
void audit_tally_destroy(struct audit_tally *t); // what has not been taken out is gone
// count: of events that happened since the last note. t NULL: nothing is noted (in a test).
void audit_tally_note(struct audit_tally *t, enum audit_event event, enum audit_outcome outcome,
                      const char *who, const char *object, uint64_t count, const char *detail);
// The lines that are due, or with `all` whatever waits; at most AUDIT_TALLY_TAKE_MAX. Then say whether they
// were stored: if not they stay due.
size_t audit_tally_take(struct audit_tally *t, bool all, struct audit_entry out[AUDIT_TALLY_TAKE_MAX]);
void audit_tally_taken(struct audit_tally *t, bool stored);

#endif
