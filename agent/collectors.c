// The announcement came over a connection that the present key has proven, so it is as trustworthy as that
// key.
#include "agent/collectors.h"
#include "base/fs.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct announced {
    unsigned port; // 0: none
    uint8_t key[KEY_BYTES];
};

// "port key"
static bool take_line(const char *text, unsigned *port, char key[KEY_TEXT])
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    size_t len = *end == ' ' ? strcspn(end + 1, "\n") : 0;
    if (n > UINT16_MAX || len != KEY_TEXT - 1)
        return false;
    *port = (unsigned)n;
    memcpy(key, end + 1, len);
    key[len] = '\0';
    return true;
}

static void read_announced(const struct agent_config *c, struct announced *out)
{
    char path[PATH_MAX], key[KEY_TEXT] = "", *text = NULL;
    size_t len;
    struct announced a = {0};
    if (fs_join(path, sizeof path, c->state, COLLECTORS_FILE) == ERR_OK &&
        fs_read_file(path, 128, &text, &len, NULL) == ERR_OK && take_line(text, &a.port, key) && a.port > 0 &&
        a.port <= UINT16_MAX && crypto_key_parse(key, a.key) == ERR_OK)
        *out = a;
    else
        *out = (struct announced){0};
    free(text);
}

static void put(struct collector_place *p, const char *endpoint, const uint8_t key[KEY_BYTES])
{
    snprintf(p->endpoint, sizeof p->endpoint, "%s", endpoint);
    memcpy(p->key, key, KEY_BYTES);
}

size_t collectors_known(const struct agent_config *c, struct collector_place out[COLLECTORS_MAX])
{
    struct announced next;
    char endpoint[WIRE_ENDPOINT_MAX + 8];
    size_t n = 0;
    read_announced(c, &next);
    if (next.port != 0) {
        const char *colon = strrchr(c->endpoint, ':');
        snprintf(endpoint, sizeof endpoint, "%.*s:%u", (int)(colon - c->endpoint), c->endpoint, next.port);
        put(&out[n++], endpoint, next.key);
        if (memcmp(next.key, c->collector_key, KEY_BYTES) != 0)
            put(&out[n++], c->endpoint, next.key);
    }
    put(&out[n++], c->endpoint, c->collector_key);
    return n;
}

enum err collectors_note_next(const struct agent_config *c, uint16_t port, const uint8_t key[KEY_BYTES],
                              bool *changed, struct diag *d)
{
    struct announced known;
    char path[PATH_MAX], text[64], key_text[KEY_TEXT];
    *changed = false;
    read_announced(c, &known);
    if (known.port == port && memcmp(known.key, key, KEY_BYTES) == 0)
        return ERR_OK;
    if (fs_join(path, sizeof path, c->state, COLLECTORS_FILE) != ERR_OK)
        return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", c->state);
    crypto_key_text(key, key_text);
    snprintf(text, sizeof text, "%u %s\n", (unsigned)port, key_text);
    enum err e = fs_replace_file(path, text, strlen(text), 0640, d);
    *changed = e == ERR_OK;
    return e;
}
