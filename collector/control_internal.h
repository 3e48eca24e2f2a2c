// What control.c (asking, status, flush, rebuild, release), control_identity.c (keys, invitations, owners)
// and control_rates.c share.
#ifndef ESEP_COLLECTOR_CONTROL_INTERNAL_H
#define ESEP_COLLECTOR_CONTROL_INTERNAL_H

#include "collector/control.h"
#include <jansson.h>

#define CONTROL_ANSWER_MS 3000

enum err control_parse_text(const json_t *o, const char *key, bool required, char *out, size_t size,
                            struct diag *d) MUST_USE;
// The item (taken over, may be NULL) comes back filled in, or NULL: nobody took it or answered in time.
struct item *control_ask(struct control *c, struct queue *to, struct item *item, int timeout_ms);
json_t *control_failure(const char *text);
// done (taken over) when the item's result is OK, else its failure; the item is freed.
json_t *control_reply(struct item *item, json_t *done);
extern const char control_no_answer[];

// CONTROL_ADMIT, REVOKE, INVITE, WITHDRAW, MOVE.
enum err control_parse_identity(const json_t *o, struct control_request *r, struct diag *d) MUST_USE;
json_t *control_identity(struct control *c, const struct control_request *r);

// CONTROL_RATES.
enum err control_parse_rates(const json_t *o, struct rates_request *r, struct diag *d) MUST_USE;
json_t *control_rates(struct control *c, const struct control_request *r);

// CONTROL_REPORT, CLOSE, CLOCK.
enum err control_parse_who(const json_t *o, char *out, size_t size, struct diag *d) MUST_USE;
enum err control_parse_report(const json_t *o, struct desk_report *r, struct diag *d) MUST_USE;
enum err control_parse_closing(const json_t *o, struct closing_request *r, struct diag *d) MUST_USE;
json_t *control_report(struct control *c, const struct control_request *r);
json_t *control_closing(struct control *c, const struct control_request *r);
json_t *control_clock(struct control *c, const struct control_request *r);

#endif
