// What ingest refuses, as the audit log calls it.
#ifndef ESEP_COLLECTOR_REFUSAL_H
#define ESEP_COLLECTOR_REFUSAL_H

#include "collector/admission.h"
#include "collector/audit_tally.h"
#include "collector/item.h"
#include "wire/limits.h"

enum audit_event refusal_event(enum wire_refuse_reason reason);
// tally NULL: nothing is noted.
void refusal_note(struct audit_tally *tally, enum audit_event event, const struct admitted *who,
                  const char *text);
// Once its transaction is committed: a message that was refused, or figures of another's series numbers.
void refusal_note_outcome(struct audit_tally *tally, const struct item_message *m);
// Of a peer whose key is not (or no longer) let in.
void refusal_note_stranger(struct audit_tally *tally, const char *address, const char *text);
// At most WIRE_REASON_MAX bytes of it, never half a character.
void refusal_bound(char out[WIRE_REASON_MAX + 1], const char *text);

#endif
