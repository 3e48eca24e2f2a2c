// A form's token is a hash of the cookie's secret: another site can neither read the page that carries it nor
// the cookie it is made of, and nothing has to be kept. Before somebody has logged in, the cookie's secret is
// random and nobody's; logging in always makes a new one.
// A browser can be led to an address of this machine by a name of somebody else's (DNS rebinding); it then
// says that name in Host. An address in digits or localhost cannot be led anywhere.

#include "dashboards/identity.h"
#include "base/crypto.h"
#include "dashboards/users.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

_Static_assert(EXCHANGE_SECRET == USERS_SECRET_BYTES, "a cookie's secret");

#define TOKEN_PREFIX "esep_"

static const char *cookie_name(const struct site *s)
{
    return s->config->behind_tls ? "__Host-esep" : "esep-session";
}

// ---- Host
// ----------------------------------------------------------------------------------------------------------------
static bool is_address(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    char inner[64];
    size_t len = strlen(host);
    if (*host == '[' && len > 2 && len < sizeof inner && host[len - 1] == ']') {
        snprintf(inner, sizeof inner, "%.*s", (int)(len - 2), host + 1);
        return inet_pton(AF_INET6, inner, &v6) == 1;
    }
    return inet_pton(AF_INET, host, &v4) == 1;
}

// HTTP/1.0 has none; every browser sends one.
static bool host_is_ours(const struct dashboard_config *c, const char *with_port)
{
    char host[256];
    if (!*with_port)
        return true;
    snprintf(host, sizeof host, "%s", with_port);
    char *colon = strrchr(host, ':'), *bracket = strrchr(host, ']');
    if (colon && (!bracket || colon > bracket))
        *colon = '\0';
    if (strcasecmp(host, "localhost") == 0 || is_address(host))
        return true;
    for (unsigned i = 0; i < c->host_count; i++)
        if (strcasecmp(host, c->hosts[i]) == 0)
            return true;
    return false;
}

// ---- who
// -----------------------------------------------------------------------------------------------------------------
// The cookie's secret; another's cookies and a malformed one are passed over.
static bool read_cookie(const struct site *s, struct exchange *x)
{
    const char *name = cookie_name(s);
    size_t len = strlen(name);
    for (const char *at = x->cookie; *at;) {
        at += strspn(at, "; ");
        size_t whole = strcspn(at, ";");
        if (whole == len + 1 + 2 * EXCHANGE_SECRET && strncmp(at, name, len) == 0 && at[len] == '=') {
            char hex[HEX_TEXT(EXCHANGE_SECRET)];
            snprintf(hex, sizeof hex, "%s", at + len + 1);
            bool ok = crypto_unhex(hex, x->secret, EXCHANGE_SECRET) == ERR_OK;
            crypto_wipe(hex, sizeof hex);
            if (ok)
                return true;
        }
        at += whole;
    }
    return false;
}

void identity_token_text(const uint8_t secret[32], char out[IDENTITY_TOKEN_TEXT])
{
    memcpy(out, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1);
    crypto_hex(secret, 32, out + sizeof TOKEN_PREFIX - 1);
}

static const char *why_unread(enum err e)
{
    return e == ERR_CLOSED ? "the users' file was removed or replaced: start esep-dashboard again"
                           : "users, sessions and tokens cannot be read";
}

static enum err find_token(struct site *s, struct exchange *x, int64_t now_s)
{
    uint8_t secret[USERS_SECRET_BYTES];
    const char *text = x->authorization;
    enum err e = ERR_INVALID;
    if (strncasecmp(text, "Bearer ", 7) == 0) {
        text += 7 + strspn(text + 7, " ");
        if (strncmp(text, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1) == 0)
            e = crypto_unhex(text + sizeof TOKEN_PREFIX - 1, secret, sizeof secret);
    }
    if (!e)
        e = users_token_find(s->users, secret, now_s, &x->viewer);
    crypto_wipe(secret, sizeof secret);
    if (!e)
        return ERR_OK;
    if (e != ERR_INVALID && e != ERR_NOT_FOUND)
        return exchange_fail_err(x, e, why_unread(e));
    x->challenge = "Bearer realm=\"esep\", error=\"invalid_token\"";
    return exchange_fail(x, 401, "this token is not valid (any more)");
}

static enum err find_session(struct site *s, struct exchange *x, int64_t now_s)
{
    x->has_secret = read_cookie(s, x);
    enum err e = x->has_secret ? users_session_find(s->users, x->secret, now_s, &x->viewer) : ERR_NOT_FOUND;
    if (!e || e == ERR_NOT_FOUND)
        return ERR_OK;
    return exchange_fail_err(x, e, why_unread(e));
}

enum err identity_find(struct site *s, struct exchange *x)
{
    int64_t now_s = site_now_us(s) / US_PER_S;
    x->viewer = (struct viewer){.parks = &s->parks};
    if (!host_is_ours(s->config, x->host))
        return exchange_fail(x, 400,
                             "this dashboard is not known by the name in the Host header; where it should "
                             "be, list it under `hosts` in dashboard.yaml");
    if (!s->users && x->forwarded)
        return exchange_fail(x, 403,
                             "there is a proxy in front of this dashboard and it has no users: everybody "
                             "would read everything; set `users` in dashboard.yaml");
    if (!s->users) {
        x->viewer.kind = VIEWER_LOCAL;
        x->viewer.scope.role = ROLE_ADMIN;
        return ERR_OK;
    }
    return *x->authorization ? find_token(s, x, now_s) : find_session(s, x, now_s);
}

// ---- forms
// ---------------------------------------------------------------------------------------------------------------
static void token_of(const uint8_t secret[EXCHANGE_SECRET], char out[HEX_TEXT(HASH_BYTES)])
{
    static const char purpose[] = "a form of the dashboard";
    uint8_t hash[HASH_BYTES];
    crypto_digest((const struct hash_part[]){{purpose, sizeof purpose}, {secret, EXCHANGE_SECRET}}, 2, hash);
    crypto_hex(hash, sizeof hash, out);
}

void identity_set_cookie(struct site *s, struct exchange *x, const uint8_t *secret)
{
    char hex[HEX_TEXT(EXCHANGE_SECRET)] = "";
    if (secret)
        crypto_hex(secret, EXCHANGE_SECRET, hex);
    snprintf(x->set_cookie, sizeof x->set_cookie, "%s=%s; Path=/; HttpOnly; SameSite=Lax%s%s", cookie_name(s),
             hex, s->config->behind_tls ? "; Secure" : "", secret ? "" : "; Max-Age=0");
    crypto_wipe(hex, sizeof hex);
}

void identity_form_token(struct site *s, struct exchange *x, char out[HEX_TEXT(HASH_BYTES)])
{
    if (!x->has_secret) {
        crypto_random(x->secret, sizeof x->secret);
        x->has_secret = true;
        identity_set_cookie(s, x, x->secret);
    }
    token_of(x->secret, out);
}

static bool same_origin(const struct site *s, const struct exchange *x)
{
    char own[300];
    if (!*x->origin)
        return !*x->fetch_site || strcmp(x->fetch_site, "same-origin") == 0 ||
               strcmp(x->fetch_site, "none") == 0;
    snprintf(own, sizeof own, "%s://%s", s->config->behind_tls ? "https" : "http", x->host);
    return strcasecmp(own, x->origin) == 0;
}

enum err identity_check_form(struct site *s, struct exchange *x)
{
    char wanted[HEX_TEXT(HASH_BYTES)];
    const char *given = exchange_field(x, "form");
    if (x->viewer.kind == VIEWER_TOKEN) // no browser sends one by itself
        return ERR_OK;
    if (x->has_secret && same_origin(s, x)) {
        token_of(x->secret, wanted);
        if (strlen(given) == strlen(wanted) && crypto_equal(given, wanted, strlen(wanted)))
            return ERR_OK;
    }
    return exchange_fail(x, 403,
                         "this form did not come from a page of this dashboard, or is too old: open "
                         "the page again; cookies must be allowed");
}
