// The next key is on disk before the collector hears of it, and takes the present one's place only when the
// collector has said that it may be used: at no moment does the agent hold none that is valid. A running
// agent sees the file change.
#include "agent/rotate.h"
#include "agent/ask.h"
#include "agent/collectors.h"
#include "agent/run.h"
#include "base/fs.h"
#include <errno.h>
#include <limits.h>
#include <string.h>

#define NEXT_KEY_FILE "agent.key.next"

enum { ROTATED_MS = 10000 }; // at each place where the collector may be

static enum err next_key(const char *path, uint8_t public_key[KEY_BYTES], struct diag *d)
{
    uint8_t secret[KEY_BYTES];
    enum err e = crypto_key_file_create(path, public_key, d);
    if (e != ERR_EXISTS)
        return e;
    e = crypto_key_file_load(path, secret, d); // of an earlier call that did not come to its end
    if (e == ERR_OK)
        crypto_public_key(secret, public_key);
    crypto_wipe(secret, sizeof secret);
    return e;
}

static enum err announce_at(const struct collector_place *at, const char *key_file,
                            const uint8_t next[KEY_BYTES], struct diag *d)
{
    struct ask *a = NULL;
    struct wire_message answer, m = {.type = WIRE_ROTATE};
    struct ask_options o = {.endpoint = at->endpoint, .key_file = key_file};
    memcpy(o.server_key, at->key, KEY_BYTES);
    memcpy(m.rotate.key, next, KEY_BYTES);
    enum err e = ask_open(&o, &a, d);
    if (e == ERR_OK)
        e = ask_for(a, &m, WIRE_ROTATED, ROTATED_MS, &answer, d);
    if (e == ERR_OK && memcmp(answer.rotate.key, next, KEY_BYTES) != 0)
        e = diag_fail(d, ERR_INTERNAL, "the collector has let in another key than was asked for");
    ask_close(a);
    return e;
}

static enum err announce(const struct agent_config *c, const char *key_file, const uint8_t next[KEY_BYTES],
                         struct diag *d)
{
    struct collector_place places[COLLECTORS_MAX];
    size_t count = collectors_known(c, places);
    enum err e = ERR_TIMEOUT;
    for (size_t i = 0; e == ERR_TIMEOUT && i < count; i++)
        e = announce_at(&places[i], key_file, next, d);
    return e;
}

enum err rotate_key(const struct agent_config *c, FILE *out, struct diag *d)
{
    char key_file[PATH_MAX], next_file[PATH_MAX], text[KEY_TEXT];
    uint8_t next[KEY_BYTES];
    if (fs_join(key_file, sizeof key_file, c->state, AGENT_KEY_FILE) != ERR_OK ||
        fs_join(next_file, sizeof next_file, c->state, NEXT_KEY_FILE) != ERR_OK)
        return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", c->state);
    enum err e = next_key(next_file, next, d);
    if (e == ERR_OK)
        e = announce(c, key_file, next, d);
    if (e == ERR_OK && rename(next_file, key_file) != 0)
        e = diag_errno(d, errno, "%s can't take the place of %s", next_file, key_file);
    if (e == ERR_OK)
        e = fs_sync_dir(c->state, d);
    if (e != ERR_OK)
        return e;
    crypto_key_text(next, text);
    fprintf(out,
            "the key is now %s; the one before is valid until an agent has said Hello with this one, within "
            "a second "
            "where one runs\n",
            text);
    return ERR_OK;
}
