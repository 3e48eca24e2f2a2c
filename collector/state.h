// The state folder: its making, its lock, the collector's key, the path of the control socket.
#ifndef ESEP_COLLECTOR_STATE_H
#define ESEP_COLLECTOR_STATE_H

#include "base/crypto.h"
#include "base/err.h"
#include <stdbool.h>

#define COLLECTOR_KEY_FILE        "collector.key"
#define COLLECTOR_PUBLIC_KEY_FILE "collector.pub"
#define COLLECTOR_NEXT_KEY_FILE   "collector.next.key"
#define COLLECTOR_LOCK_FILE       "lock"

// Made with 2750 (group of the process: esep) when missing.
enum err collector_state_prepare(const char *state, struct diag *d) MUST_USE;
// Makes nothing. NOT_FOUND: the folder, or a ledger in it where one is needed, is not there; the diag says
// who makes it.
enum err collector_state_there(const char *state, bool ledger, struct diag *d) MUST_USE;
// EXISTS with the pid of the collector that runs.
enum err collector_state_lock(const char *state, int *fd, struct diag *d) MUST_USE;
// NOT_FOUND: there is no key yet (diag names keygen).
enum err collector_state_key(const char *state, uint8_t secret_key[KEY_BYTES], struct diag *d) MUST_USE;
// Keeps an existing key. Writes collector.pub beside it.
enum err collector_state_keygen(const char *state, uint8_t public_key[KEY_BYTES], struct diag *d) MUST_USE;
// The key that is to come, beside the present one. keygen: kept when it is there. promote: it takes the
// present one's place, for good. NOT_FOUND: there is none.
enum err collector_state_next_key(const char *state, uint8_t secret_key[KEY_BYTES], struct diag *d) MUST_USE;
enum err collector_state_next_keygen(const char *state, uint8_t public_key[KEY_BYTES],
                                     struct diag *d) MUST_USE;
enum err collector_state_promote(const char *state, uint8_t public_key[KEY_BYTES], struct diag *d) MUST_USE;
enum err collector_state_control_endpoint(const char *state, char *out, size_t size, struct diag *d) MUST_USE;

#endif
