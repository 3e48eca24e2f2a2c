// Which keys get in, and who they are. A public key maps to a random token that lives as long as the process;
// the token comes back with every message as the connection's User-Id and maps to the agent. Looking it up
// for each message is the revocation check: a revoked key's next message finds nothing. Threads: any.
#ifndef ESEP_COLLECTOR_ADMISSION_H
#define ESEP_COLLECTOR_ADMISSION_H

#include "store/ledger.h"

#define ADMISSION_TOKEN 64

struct admitted {
    int64_t agent_id, key_id;
    uint64_t removals;  // how many keys had been taken out when this was looked up
    char resident[128]; // "park/resident"
};

struct admission;
enum err admission_create(struct admission **out) MUST_USE;
void admission_destroy(struct admission *a);
// A revoked agent is left out. Idempotent.
enum err admission_add(struct admission *a, const struct ledger_agent *agent) MUST_USE;
enum err admission_remove(struct admission *a, int64_t key_id) MUST_USE; // NOT_FOUND
// Whether a key that was looked up earlier is still in: what waited for the ledger meanwhile is asked again.
// Costs a comparison while no key is taken out.
bool admission_holds(struct admission *a, const struct admitted *who);
// Keys that are in have been taken out so often: a change says that connections must be looked at.
uint64_t admission_removals(const struct admission *a);
// The agent's oldest key that is in, other than key_id; 0: none.
int64_t admission_other_key(struct admission *a, int64_t agent_id, int64_t key_id);
size_t admission_count(struct admission *a);
// A zap_decide: ctx is the struct admission.
bool admission_decide(void *ctx, const uint8_t public_key[KEY_BYTES], char token[ADMISSION_TOKEN]);
bool admission_lookup(struct admission *a, const char *token, struct admitted *out);

#endif
