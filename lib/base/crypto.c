// libsodium behind a few calls, so that the choice of primitives is made once. Z85 is written here because
// libzmq's own codec reads past what it checks and belongs to another module; it refuses groups beyond 2^32
// as RFC 32 demands.
#include <sodium.h> // before base/crypto.h, which gives one of its names another meaning

#include "base/crypto.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");
_Static_assert(KEY_BYTES == crypto_box_PUBLICKEYBYTES, "an X25519 public key");
_Static_assert(KEY_BYTES == crypto_box_SECRETKEYBYTES, "an X25519 secret key");

static const char z85[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

enum err crypto_init(void)
{
    return sodium_init() < 0 ? ERR_INTERNAL : ERR_OK; // 1: it was done before
}

void crypto_random(void *out, size_t len)
{
    randombytes_buf(out, len);
}

// The calls below fail only on lengths out of range, and these are constants.
void crypto_digest(const struct hash_part *parts, size_t count, uint8_t out[HASH_BYTES])
{
    crypto_generichash_state state;
    (void)crypto_generichash_init(&state, NULL, 0, HASH_BYTES);
    for (size_t i = 0; i < count; i++) {
        uint8_t len[8];
        for (int b = 0; b < 8; b++)
            len[b] = (uint8_t)((uint64_t)parts[i].len >> (8 * b));
        (void)crypto_generichash_update(&state, len, sizeof len);
        if (parts[i].len > 0)
            (void)crypto_generichash_update(&state, parts[i].bytes, parts[i].len);
    }
    (void)crypto_generichash_final(&state, out, HASH_BYTES);
}

// A public key is a command's argument: one that begins with '-' (one in 85) would be read as an option
// there.
void crypto_keypair(uint8_t public_key[KEY_BYTES], uint8_t secret_key[KEY_BYTES])
{
    char text[KEY_TEXT];
    do {
        (void)crypto_box_keypair(public_key, secret_key);
        crypto_key_text(public_key, text);
    } while (text[0] == '-');
}

void crypto_public_key(const uint8_t secret_key[KEY_BYTES], uint8_t public_key[KEY_BYTES])
{
    (void)crypto_scalarmult_base(public_key, secret_key);
}

void crypto_key_text(const uint8_t key[KEY_BYTES], char out[KEY_TEXT])
{
    for (size_t group = 0; group < KEY_BYTES / 4; group++) {
        const uint8_t *in = key + 4 * group;
        uint32_t value = (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
        for (size_t i = 5; i-- > 0; value /= 85)
            out[5 * group + i] = z85[value % 85];
    }
    out[KEY_TEXT - 1] = '\0';
}

enum err crypto_key_parse(const char *text, uint8_t out[KEY_BYTES])
{
    uint8_t key[KEY_BYTES];
    if (strlen(text) != KEY_TEXT - 1)
        return ERR_INVALID;
    for (size_t group = 0; group < KEY_BYTES / 4; group++) {
        uint64_t value = 0;
        for (size_t i = 0; i < 5; i++) {
            const char *digit = strchr(z85, text[5 * group + i]);
            if (!digit)
                return ERR_INVALID;
            value = value * 85 + (uint64_t)(digit - z85);
        }
        if (value > UINT32_MAX)
            return ERR_INVALID;
        for (size_t i = 0; i < 4; i++)
            key[4 * group + i] = (uint8_t)(value >> (24 - 8 * i));
    }
    memcpy(out, key, sizeof key);
    crypto_wipe(key, sizeof key);
    return ERR_OK;
}

void crypto_hex(const void *bytes, size_t len, char *out)
{
    (void)sodium_bin2hex(out, HEX_TEXT(len), bytes, len);
}

enum err crypto_unhex(const char *text, void *out, size_t len)
{
    size_t text_len = strlen(text);
    if (text_len / 2 != len || text_len % 2 || strspn(text, "0123456789abcdefABCDEF") != text_len)
        return ERR_INVALID;
    return len > 0 && sodium_hex2bin(out, len, text, text_len, NULL, NULL, NULL) ? ERR_INVALID : ERR_OK;
}

void crypto_base64(const void *bytes, size_t len, char *out)
{
    (void)sodium_bin2base64(out, BASE64_TEXT(len), bytes, len, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

enum err crypto_unbase64(const char *text, void *out, size_t cap, size_t *len)
{
    size_t text_len = strlen(text);
    if (text_len / 4 * 3 > cap + 2)
        return ERR_TOO_BIG;
    return sodium_base642bin(out, cap, text, text_len, NULL, len, NULL,
                             sodium_base64_VARIANT_URLSAFE_NO_PADDING)
               ? ERR_INVALID
               : ERR_OK;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

// The limit covers a core_pattern that ignores PR_SET_DUMPABLE; failing of either leaves the other.
void crypto_no_dumps(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    if (!SANITIZED)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void crypto_wipe(void *bytes, size_t len)
{
    sodium_memzero(bytes, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
    return sodium_memcmp(a, b, len) == 0;
}

_Static_assert(PASSWORD_HASH_TEXT == crypto_pwhash_STRBYTES, "a kept password");

enum err crypto_password_hash(const char *password, size_t len, char out[PASSWORD_HASH_TEXT])
{
    char text[PASSWORD_HASH_TEXT];
    if (crypto_pwhash_str_alg(text, password, len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                              crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13))
        return ERR_NOMEM;
    memcpy(out, text, sizeof text);
    return ERR_OK;
}

bool crypto_password_verify(const char *hash, const char *password, size_t len)
{
    return crypto_pwhash_str_verify(hash, password, len) == 0;
}

// ---- key files
// -----------------------------------------------------------------------------------------------------

// Looked at through the descriptor, so that what is checked is what is read.
static enum err check_private(int fd, const char *path, struct diag *d)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return diag_errno(d, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return diag_fail(d, ERR_INVALID, "%s: not a regular file", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return diag_fail(d, ERR_DENIED,
                         "%s: others can read or change this secret key (mode %04o): chmod 600 %s", path,
                         (unsigned)st.st_mode & 07777U, path);
    return ERR_OK;
}

enum err crypto_key_file_load(const char *path, uint8_t secret_key[KEY_BYTES], struct diag *d)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return diag_errno(d, errno, "%s", path);
    enum err e = check_private(fd, path, d);
    if (!e) {
        ssize_t n = read(fd, text, sizeof text - 1); // a short regular file comes whole
        if (n < 0)
            e = diag_errno(d, errno, "%s: read", path);
        else if (n > 0 && text[n - 1] == '\n')
            text[n - 1] = '\0';
        if (!e && crypto_key_parse(text, secret_key))
            e = diag_fail(d, ERR_INVALID, "%s: not a key: one line of %d characters (Z85) is wanted", path,
                          KEY_TEXT - 1);
    }
    (void)close(fd);
    crypto_wipe(text, sizeof text);
    return e;
}

enum err crypto_key_file_create(const char *path, uint8_t public_key[KEY_BYTES], struct diag *d)
{
    uint8_t public_part[KEY_BYTES], secret_key[KEY_BYTES];
    char text[KEY_TEXT];
    crypto_keypair(public_part, secret_key);
    crypto_key_text(secret_key, text);
    text[KEY_TEXT - 1] = '\n'; // in the file the line's end takes the NUL's place
    enum err e = fs_create_file(path, text, sizeof text, 0600, d);
    if (!e)
        memcpy(public_key, public_part, KEY_BYTES);
    crypto_wipe(secret_key, sizeof secret_key);
    crypto_wipe(text, sizeof text);
    return e;
}
