// The folder is 2750 and never tightened or widened afterwards: what an operator set stays.
#include "collector/state.h"
#include "base/fs.h"
#include "store/ledger.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum err collector_state_prepare(const char *state, struct diag *d)
{
    struct stat st;
    if (stat(state, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return ERR_OK;
        return diag_fail(d, ERR_INVALID, "%s is not a folder", state);
    }
    enum err e = fs_make_dirs(state, 0750, d);
    if (e != ERR_OK)
        return e;
    return chmod(state, 02750) == 0 ? ERR_OK
                                    : diag_errno(d, errno, "%s: its mode can't be set to 2750", state);
}

static enum err path_in(const char *state, const char *name, char out[512], struct diag *d)
{
    enum err e = fs_join(out, 512, state, name);
    return e == ERR_OK ? e : diag_fail(d, e, "%s/%s: the path is too long", state, name);
}

enum err collector_state_there(const char *state, bool ledger, struct diag *d)
{
    struct stat st;
    char path[512];
    if (stat(state, &st) != 0)
        return diag_fail(d, errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED,
                         "state: the folder %s %s; is it the one that `esep-collector run` uses? (keygen and "
                         "run make it, nothing else does)",
                         state, errno == ENOENT ? "does not exist" : strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return diag_fail(d, ERR_INVALID, "%s is not a folder", state);
    enum err e = path_in(state, LEDGER_FILE, path, d);
    if (e == ERR_OK && ledger && stat(path, &st) != 0 && errno == ENOENT)
        return diag_fail(d, ERR_NOT_FOUND, "there is no ledger in %s yet: no collector has run there", state);
    return e;
}

enum err collector_state_lock(const char *state, int *fd, struct diag *d)
{
    char path[512];
    struct diag inner = {0};
    enum err e = path_in(state, COLLECTOR_LOCK_FILE, path, d);
    if (e != ERR_OK)
        return e;
    e = fs_lock(path, fd, &inner);
    if (e == ERR_EXISTS)
        return diag_fail(d, e, "another collector (or one of its commands) works on %s: %s", state,
                         inner.text);
    return e == ERR_OK ? e : diag_fail(d, e, "%s", inner.text);
}

enum err collector_state_key(const char *state, uint8_t secret_key[KEY_BYTES], struct diag *d)
{
    char path[512];
    enum err e = path_in(state, COLLECTOR_KEY_FILE, path, d);
    if (e != ERR_OK)
        return e;
    e = crypto_key_file_load(path, secret_key, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "%s is missing: make it with 'esep-collector keygen --config FILE'", path);
    return e;
}

enum err collector_state_keygen(const char *state, uint8_t public_key[KEY_BYTES], struct diag *d)
{
    char path[512], key[KEY_TEXT], text[KEY_TEXT + 1];
    uint8_t secret[KEY_BYTES];
    enum err e = path_in(state, COLLECTOR_KEY_FILE, path, d);
    if (e != ERR_OK)
        return e;
    e = crypto_key_file_create(path, public_key, d);
    if (e == ERR_EXISTS && (e = crypto_key_file_load(path, secret, d)) == ERR_OK)
        crypto_public_key(secret, public_key);
    crypto_wipe(secret, sizeof secret);
    if (e != ERR_OK || (e = path_in(state, COLLECTOR_PUBLIC_KEY_FILE, path, d)) != ERR_OK)
        return e;
    crypto_key_text(public_key, key);
    snprintf(text, sizeof text, "%s\n", key);
    return fs_replace_file(path, text, strlen(text), 0640, d);
}

enum err collector_state_next_key(const char *state, uint8_t secret_key[KEY_BYTES], struct diag *d)
{
    char path[512];
    enum err e = path_in(state, COLLECTOR_NEXT_KEY_FILE, path, d);
    return e == ERR_OK ? crypto_key_file_load(path, secret_key, d) : e;
}

enum err collector_state_next_keygen(const char *state, uint8_t public_key[KEY_BYTES], struct diag *d)
{
    char path[512];
    uint8_t secret[KEY_BYTES];
    enum err e = path_in(state, COLLECTOR_NEXT_KEY_FILE, path, d);
    if (e != ERR_OK || (e = crypto_key_file_create(path, public_key, d)) != ERR_EXISTS)
        return e;
    e = crypto_key_file_load(path, secret, d);
    if (e == ERR_OK)
        crypto_public_key(secret, public_key);
    crypto_wipe(secret, sizeof secret);
    return e;
}

enum err collector_state_promote(const char *state, uint8_t public_key[KEY_BYTES], struct diag *d)
{
    char path[512], next[512];
    uint8_t secret[KEY_BYTES];
    enum err e = collector_state_next_key(state, secret, d);
    crypto_wipe(secret, sizeof secret);
    if (e == ERR_NOT_FOUND)
        return diag_fail(
            d, e, "there is no next key to promote: make one with keygen --next, and let agents learn it");
    if (e == ERR_OK)
        e = path_in(state, COLLECTOR_KEY_FILE, path, d);
    if (e == ERR_OK)
        e = path_in(state, COLLECTOR_NEXT_KEY_FILE, next, d);
    if (e == ERR_OK && rename(next, path) != 0)
        e = diag_errno(d, errno, "%s can't take the place of %s", next, path);
    if (e == ERR_OK)
        e = fs_sync_dir(state, d);
    return e == ERR_OK ? collector_state_keygen(state, public_key, d) : e; // writes collector.pub
}

enum err collector_state_control_endpoint(const char *state, char *out, size_t size, struct diag *d)
{
    int n = snprintf(out, size, "ipc://%s/control", state);
    return n > 0 && (size_t)n < size ? ERR_OK : diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", state);
}
