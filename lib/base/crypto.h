// The only user of libsodium: hashes, random bytes, key pairs as text, wiping.
#ifndef ESEP_BASE_CRYPTO_H
#define ESEP_BASE_CRYPTO_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HASH_BYTES      32
#define KEY_BYTES       32 // CURVE public or secret key
#define KEY_TEXT        41 // Z85 of a key, NUL included
#define HEX_TEXT(bytes) (2 * (bytes) + 1)

// Call once before threads start.
enum err crypto_init(void) MUST_USE;
void crypto_random(void *out, size_t len);
// BLAKE2b-256 over the parts in order, each preceded by its length as 8 little-endian bytes. (libsodium
// exports a crypto_hash of its own, which the linker would mix up with one of ours.)
struct hash_part {
    const void *bytes;
    size_t len;
};
void crypto_digest(const struct hash_part *parts, size_t count, uint8_t out[HASH_BYTES]);
// An X25519 pair as CURVE uses it; the public key's text never begins with '-', so that it can stand in a
// command.
void crypto_keypair(uint8_t public_key[KEY_BYTES], uint8_t secret_key[KEY_BYTES]);
void crypto_public_key(const uint8_t secret_key[KEY_BYTES], uint8_t public_key[KEY_BYTES]);
// ZeroMQ RFC 32; decode refuses anything but 40 characters of the alphabet.
void crypto_key_text(const uint8_t key[KEY_BYTES], char out[KEY_TEXT]);
enum err crypto_key_parse(const char *text, uint8_t out[KEY_BYTES]) MUST_USE;
void crypto_hex(const void *bytes, size_t len, char *out);               // out: HEX_TEXT(len)
enum err crypto_unhex(const char *text, void *out, size_t len) MUST_USE; // exactly 2·len digits
// base64url without padding (RFC 4648); out: BASE64_TEXT(len). Decoding takes one form only; TOO_BIG past
// cap.
#define BASE64_TEXT(bytes) (((bytes)*4 + 2) / 3 + 1)
void crypto_base64(const void *bytes, size_t len, char *out);
enum err crypto_unbase64(const char *text, void *out, size_t cap, size_t *len) MUST_USE;
void crypto_wipe(void *bytes, size_t len);
// From now on this process leaves no core dump, and no other process of its user may read its memory. Without
// effect under a sanitizer, which has to look into it.
void crypto_no_dumps(void);

bool crypto_equal(const void *a, const void *b, size_t len); // in the same time whatever differs

// A password as a text to keep: Argon2id with 64 MiB and two passes, its salt and costs in it. NOMEM.
#define PASSWORD_HASH_TEXT 128
enum err crypto_password_hash(const char *password, size_t len, char out[PASSWORD_HASH_TEXT]) MUST_USE;
bool crypto_password_verify(const char *hash, const char *password, size_t len); // takes as long and as much

// A secret key in a file of mode 0600, 40 characters of Z85. Load refuses a file others can read (DENIED,
// with the chmod to run). Create refuses to overwrite (EXISTS).
enum err crypto_key_file_load(const char *path, uint8_t secret_key[KEY_BYTES], struct diag *d) MUST_USE;
enum err crypto_key_file_create(const char *path, uint8_t public_key[KEY_BYTES], struct diag *d) MUST_USE;

#endif
