// One question to a collector over CURVE, asked until it is answered: enrolment, the first heartbeat,
// rotation. Blocks.
#ifndef ESEP_AGENT_ASK_H
#define ESEP_AGENT_ASK_H

#include "base/crypto.h"
#include "wire/message.h"

struct ask;
struct ask_options {
    const char *endpoint;
    uint8_t server_key[KEY_BYTES];
    const char *key_file; // the agent's secret key; read here, wiped after
};
// DENIED, NOT_FOUND: the key file; UNSUPPORTED.
enum err ask_open(const struct ask_options *o, struct ask **out, struct diag *d) MUST_USE;
void ask_close(struct ask *a);
// Sends the question each second until the wanted answer comes; *answer borrows from a until the next call. A
// refusal that says "later" is asked again. DENIED: another refusal (*answer is it, the diag has its words
// and the way out); TIMEOUT: nobody answered, or nobody let this key in.
enum err ask_for(struct ask *a, const struct wire_message *question, enum wire_type wanted, int timeout_ms,
                 struct wire_message *answer, struct diag *d) MUST_USE;
// Sends a message that has no answer, before the next question.
enum err ask_tell(struct ask *a, const struct wire_message *m, struct diag *d) MUST_USE;

#endif
