// The checksum is no protection: whoever makes up a token makes up its checksum too. It tells the person at
// the keyboard that a letter is wrong, before anything is sent; what is forged is found out by the collector.
#include "wire/invite.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX  "esep1-"
#define VERSION 1

enum { CHECK_BYTES = 4, HEAD_BYTES = 1 + KEY_BYTES + WIRE_SECRET_BYTES };
enum { BYTES_MAX = HEAD_BYTES + INVITE_DOOR_MAX + CHECK_BYTES };

_Static_assert(sizeof PREFIX - 1 + BASE64_TEXT(BYTES_MAX) <= INVITE_TEXT, "the longest invitation fits");

static void checksum(const uint8_t *bytes, size_t len, uint8_t out[CHECK_BYTES])
{
    uint8_t hash[HASH_BYTES];
    crypto_digest(&(struct hash_part){bytes, len}, 1, hash);
    memcpy(out, hash, CHECK_BYTES);
}

static bool door_valid(const char *door)
{
    const char *colon = strrchr(door, ':');
    char *end;
    if (!colon || colon == door || !isdigit((unsigned char)colon[1]))
        return false;
    for (const char *c = door; *c; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c > '~')
            return false;
    }
    unsigned long port = strtoul(colon + 1, &end, 10);
    return *end == '\0' && port > 0 && port <= UINT16_MAX;
}

enum err invite_encode(const struct invite *i, char out[INVITE_TEXT], struct diag *d)
{
    uint8_t bytes[BYTES_MAX];
    size_t door_len = strnlen(i->door, sizeof i->door), len = HEAD_BYTES + door_len;
    if (door_len > INVITE_DOOR_MAX || !door_valid(i->door))
        return diag_fail(d, ERR_INVALID, "'%.128s' is not host:port", i->door);
    bytes[0] = VERSION;
    memcpy(bytes + 1, i->collector_key, KEY_BYTES);
    memcpy(bytes + 1 + KEY_BYTES, i->secret, WIRE_SECRET_BYTES);
    memcpy(bytes + HEAD_BYTES, i->door, door_len);
    checksum(bytes, len, bytes + len);
    memcpy(out, PREFIX, sizeof PREFIX);
    crypto_base64(bytes, len + CHECK_BYTES, out + sizeof PREFIX - 1);
    crypto_wipe(bytes, sizeof bytes);
    return ERR_OK;
}

// False when it is too long to be one.
static bool squeeze(const char *text, char out[INVITE_TEXT])
{
    size_t n = 0;
    for (; *text; text++) {
        if (isspace((unsigned char)*text))
            continue;
        if (n == INVITE_TEXT - 1)
            return false;
        out[n++] = *text;
    }
    out[n] = '\0';
    return true;
}

static enum err take_apart(const uint8_t *bytes, size_t len, struct invite *out, struct diag *d)
{
    uint8_t check[CHECK_BYTES];
    if (len < HEAD_BYTES + CHECK_BYTES)
        return diag_fail(d, ERR_INVALID, "the invitation is cut short: copy the whole line");
    len -= CHECK_BYTES;
    checksum(bytes, len, check);
    if (memcmp(check, bytes + len, CHECK_BYTES) != 0)
        return diag_fail(d, ERR_INVALID,
                         "the invitation is mistyped or cut short: copy the whole line as it was printed");
    if (bytes[0] != VERSION)
        return diag_fail(d, ERR_INVALID, "the invitation is of version %u: install a newer esep-agent",
                         (unsigned)bytes[0]);
    struct invite i = {.door = ""};
    memcpy(i.collector_key, bytes + 1, KEY_BYTES);
    memcpy(i.secret, bytes + 1 + KEY_BYTES, WIRE_SECRET_BYTES);
    memcpy(i.door, bytes + HEAD_BYTES, len - HEAD_BYTES);
    bool whole = strlen(i.door) == len - HEAD_BYTES && door_valid(i.door);
    if (whole)
        *out = i;
    crypto_wipe(&i, sizeof i);
    return whole ? ERR_OK : diag_fail(d, ERR_INVALID, "the invitation names no host:port: it was made up");
}

enum err invite_decode(const char *text, struct invite *out, struct diag *d)
{
    char line[INVITE_TEXT];
    uint8_t bytes[BYTES_MAX];
    size_t len = 0;
    enum err e = ERR_OK;
    if (!squeeze(text, line))
        e = diag_fail(d, ERR_INVALID, "too long for an invitation: it is one line of some 90 characters");
    else if (strncmp(line, PREFIX, sizeof PREFIX - 1) != 0)
        e = diag_fail(d, ERR_INVALID,
                      "this is no invitation: one begins with " PREFIX
                      " and is printed by esep-collector invite PARK/RESIDENT");
    else if (crypto_unbase64(line + sizeof PREFIX - 1, bytes, sizeof bytes, &len) != ERR_OK)
        e = diag_fail(d, ERR_INVALID,
                      "the invitation is mistyped or cut short: copy the whole line as it was printed");
    else
        e = take_apart(bytes, len, out, d);
    crypto_wipe(line, sizeof line);
    crypto_wipe(bytes, sizeof bytes);
    return e;
}

void invite_hash(const uint8_t secret[WIRE_SECRET_BYTES], uint8_t out[HASH_BYTES])
{
    static const char what[] = "esep invitation";
    const struct hash_part parts[] = {{what, sizeof what - 1}, {secret, WIRE_SECRET_BYTES}};
    crypto_digest(parts, 2, out);
}
