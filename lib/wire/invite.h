// An invitation as the one line of text that an operator hands to an enterprise; esep.proto says what is in
// it. It is a secret until it is used: wipe what held it.
#ifndef ESEP_WIRE_INVITE_H
#define ESEP_WIRE_INVITE_H

#include "base/crypto.h"
#include "wire/limits.h"
#include <stdbool.h>

#define INVITE_DOOR_MAX 128 // "host:port"
#define INVITE_TEXT     300 // NUL included

struct invite {
    uint8_t collector_key[KEY_BYTES]; // public
    uint8_t secret[WIRE_SECRET_BYTES];
    char door[INVITE_DOOR_MAX + 1];
};

// INVALID: the door is not host:port.
enum err invite_encode(const struct invite *i, char out[INVITE_TEXT], struct diag *d) MUST_USE;
// INVALID with a diag that says whether it is no invitation at all, one of a later version, or a mistyped
// one. Blanks and ends of lines around it (and inside: a mail may have broken it) are passed over.
enum err invite_decode(const char *text, struct invite *out, struct diag *d) MUST_USE;

// What the collector keeps instead of the secret.
void invite_hash(const uint8_t secret[WIRE_SECRET_BYTES], uint8_t out[HASH_BYTES]);

#endif
