// What the collector's audit log is told: it alone writes it. Where none runs, the event goes to the log of
// this program and is counted.
#ifndef ESEP_DASHBOARDS_AUDIT_H
#define ESEP_DASHBOARDS_AUDIT_H

#include "dashboards/exchange.h"
#include "dashboards/site.h"

enum audit_what { AUDIT_OF_LOGIN, AUDIT_OF_LOGOUT, AUDIT_OF_READ, AUDIT_OF_EXPORT, AUDIT_OF_REPORT };

// who: a user's name where it is not the viewer's (logging in), else NULL.
void audit_note(struct site *s, const struct exchange *x, enum audit_what what, bool done, const char *who,
                const char *object, const char *detail);
// Figures taken out as a file: of each who and object the first at once, then an entry a second with their
// number (exports.h). What it does not count must not be answered: INVALID: no entry can be made of it;
// AGAIN: too many wait.
enum err audit_export(struct site *s, const struct exchange *x, const char *object,
                      const char *detail) MUST_USE;
// Of each who an entry a second at most, with how often since the last (refusals.h). The name as above.
void audit_refused(struct site *s, const struct exchange *x, enum audit_what what, const char *name,
                   const char *object, const char *detail);
// "user:aigul address:10.0.0.7"; the name as above.
void audit_who(char out[REFUSALS_WHO], const struct exchange *x, const char *name);
// With each request: one entry of each sort that still waits and may be told now. At the end: all that waits.
void audit_tell_waiting(struct site *s);
void audit_end(struct site *s);

// The message itself, for commands too. who: "" for the caller's uid, which the collector adds. The caller
// frees it; NULL: no memory.
char *audit_request(const char *event, bool done, const char *who, const char *object, const char *detail,
                    uint64_t count);
bool audit_taken(const char *reply);

#endif
