// The commands open the same file as a running dashboard. What they change is told to the collector's audit
// log; where none runs, it is said so.

#include "dashboards/command_users.h"
#include "base/clock.h"
#include "base/config.h"
#include "dashboards/audit.h"
#include "dashboards/command_place.h"
#include "dashboards/identity.h"
#include "dashboards/password.h"
#include "dashboards/users.h"
#include "net/control.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUDIT_MS 3000

static void tell_audit(const struct dashboard_config *c, const char *event, const char *name,
                       const char *detail)
{
    char *reply = NULL, *request = audit_request(event, true, "", name, detail, 1);
    struct diag d = {""};
    bool ok =
        request && control_call(c->state, request, AUDIT_MS, &reply, &d) == ERR_OK && audit_taken(reply);
    if (!ok)
        fprintf(stderr, "esep-dashboard: the collector's audit log was not told of this: %s\n",
                *d.text ? d.text : "the collector did not take it");
    free(request);
    free(reply);
}

static enum err open_users(const struct dashboard_config *c, bool create, struct users **out, struct diag *d)
{
    if (!c->users)
        return diag_fail(d, ERR_INVALID,
                         "dashboard.yaml does not say where users are kept: add a line like users: "
                         "/var/lib/esep-dashboard");
    return users_open(c->users, create, out, d);
}

static enum err need_name(const struct command_users *a, struct diag *d)
{
    if (!a->name)
        return diag_fail(d, ERR_INVALID, "%s needs a name", a->action);
    if (!users_name_valid(a->name))
        return diag_fail(d, ERR_INVALID,
                         "'%.80s' is not a name: up to %d letters, digits and _ . - @, not beginning with -",
                         a->name, ACCESS_NAME_MAX);
    return ERR_OK;
}

static bool is(const struct command_users *a, const char *action)
{
    return strcmp(a->action, action) == 0;
}

// ---- users
// ----------------------------------------------------------------------------------------------------------------
static enum err scope_of_options(const struct command_users *a, struct scope *out, struct diag *d)
{
    char text[SCOPE_TEXT + 1];
    enum role role;
    if (!a->role || role_parse(a->role, &role))
        return diag_fail(d, ERR_INVALID,
                         "--role must be resident (with --resident PARK/RESIDENT), analyst or operator (with "
                         "--park PARK), auditor or admin");
    const char *place = role == ROLE_RESIDENT ? a->resident : role < ROLE_AUDITOR ? a->park : NULL;
    if ((role == ROLE_RESIDENT ? a->park : a->resident) || (role >= ROLE_AUDITOR && a->park))
        return diag_fail(d, ERR_INVALID, "a user with --role %s has no %s", a->role,
                         role == ROLE_RESIDENT || !a->resident ? "--park" : "--resident");
    if (role < ROLE_AUDITOR && !place)
        return diag_fail(d, ERR_INVALID, "--role %s needs %s", a->role,
                         role == ROLE_RESIDENT ? "--resident PARK/RESIDENT" : "--park PARK");
    int n = snprintf(text, sizeof text, "%s%s%s", a->role, place ? ":" : "", place ? place : "");
    if (n < 0 || (size_t)n >= sizeof text || scope_parse(text, out))
        return diag_fail(d, ERR_INVALID, "'%.150s' is not %s", place ? place : "",
                         role == ROLE_RESIDENT ? "park/resident" : "a park's code");
    return ERR_OK;
}

static enum err read_hash(const char *name, char hash[PASSWORD_HASH_TEXT], struct diag *d)
{
    char password[USERS_PASSWORD_MAX + 1];
    enum err e = password_read(name, password, d);
    if (!e && crypto_password_hash(password, strlen(password), hash))
        e = diag_fail(d, ERR_NOMEM, "hashing a password takes 64 MiB of memory, which there is not");
    crypto_wipe(password, sizeof password);
    return e;
}

static enum err add_user(const struct dashboard_config *c, struct users *u, const struct command_users *a,
                         struct diag *d)
{
    struct scope scope;
    char hash[PASSWORD_HASH_TEXT], text[SCOPE_TEXT];
    enum err e = scope_of_options(a, &scope, d);
    if (!e)
        command_warn_unknown(c, &scope); // before anybody types
    if (!e)
        e = read_hash(a->name, hash, d);
    if (!e)
        e = users_add(u, a->name, &scope, hash, clock_wall(clock_system()).us / US_PER_S, d);
    if (e)
        return e;
    scope_text(&scope, text);
    printf("user %s: %s\n", a->name, text);
    tell_audit(c, "user", a->name, "added");
    return ERR_OK;
}

static enum err change_password(const struct dashboard_config *c, struct users *u,
                                const struct command_users *a, struct diag *d)
{
    char hash[PASSWORD_HASH_TEXT];
    enum err e = users_password(u, a->name, hash, d); // before anybody types
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "there is no user %s; esep-dashboard user list names them", a->name);
    if (!e)
        e = read_hash(a->name, hash, d);
    if (!e)
        e = users_set_password(u, a->name, hash, d);
    if (!e)
        tell_audit(c, "user", a->name, "password changed, sessions ended");
    return e;
}

static enum err remove_user(const struct dashboard_config *c, struct users *u, const struct command_users *a,
                            struct diag *d)
{
    enum err e = users_remove(u, a->name, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "there is no user %s; esep-dashboard user list names them", a->name);
    if (!e)
        tell_audit(c, "user", a->name, "removed, sessions ended");
    return e;
}

static void print_user(void *ctx, const struct users_row *r)
{
    char created[WALL_TEXT];
    (void)ctx;
    wall_text((struct wall){r->created_s * US_PER_S}, created);
    printf("%-24s %-32s created %s  sessions %" PRId64 "\n", r->name, r->scope, created, r->sessions);
}

enum err command_user(const struct dashboard_config *c, const struct command_users *a, struct diag *d)
{
    struct users *u = NULL;
    bool lists = is(a, "list");
    if (!lists && !is(a, "add") && !is(a, "remove") && !is(a, "passwd"))
        return diag_fail(d, ERR_INVALID, "user %.40s: there are add, remove, passwd and list", a->action);
    if (a->scope || a->expires)
        return diag_fail(d, ERR_INVALID, "--scope and --expires are of tokens");
    enum err e = lists ? ERR_OK : need_name(a, d);
    if (!e)
        e = open_users(c, is(a, "add"), &u, d);
    if (e)
        return e;
    if (lists)
        e = users_list(u, print_user, NULL, d);
    else if (is(a, "add"))
        e = add_user(c, u, a, d);
    else if (is(a, "remove"))
        e = remove_user(c, u, a, d);
    else
        e = change_password(c, u, a, d);
    users_close(u);
    return e;
}

// ---- tokens
// ---------------------------------------------------------------------------------------------------------------
static enum err token_options(const struct command_users *a, struct scope *scope, int64_t *days_ms,
                              struct diag *d)
{
    const int64_t most_ms = USERS_TOKEN_DAYS_MAX * INT64_C(86400000);
    if (!a->scope || scope_parse(a->scope, scope))
        return diag_fail(d, ERR_INVALID,
                         "--scope must be resident:PARK/RESIDENT, analyst:PARK, operator:PARK, auditor or "
                         "admin");
    if (!a->expires || config_parse_duration_ms(a->expires, days_ms) || *days_ms < 1000 || *days_ms > most_ms)
        return diag_fail(d, ERR_INVALID, "--expires must be a span such as 90d, up to %dd",
                         USERS_TOKEN_DAYS_MAX);
    return ERR_OK;
}

static enum err add_token(const struct dashboard_config *c, struct users *u, const struct command_users *a,
                          struct diag *d)
{
    struct scope scope;
    uint8_t secret[USERS_SECRET_BYTES];
    char text[IDENTITY_TOKEN_TEXT], scope_name[SCOPE_TEXT];
    int64_t span_ms = 0, now_s = clock_wall(clock_system()).us / US_PER_S;
    enum err e = token_options(a, &scope, &span_ms, d);
    if (!e)
        command_warn_unknown(c, &scope);
    if (!e)
        e = users_token_add(u, a->name, &scope, now_s, now_s + span_ms / 1000, secret, d);
    if (e)
        return e;
    identity_token_text(secret, text);
    printf("%s\n", text);
    fprintf(stderr, "Keep it now, in a file of mode 0600: it is not shown again.\n");
    scope_text(&scope, scope_name);
    tell_audit(c, "token", a->name, scope_name);
    crypto_wipe(secret, sizeof secret);
    crypto_wipe(text, sizeof text);
    return ERR_OK;
}

static enum err remove_token(const struct dashboard_config *c, struct users *u, const struct command_users *a,
                             struct diag *d)
{
    enum err e = users_token_remove(u, a->name, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "there is no token %s; esep-dashboard token list names them", a->name);
    if (!e)
        tell_audit(c, "token", a->name, "removed");
    return e;
}

static void print_token(void *ctx, const struct users_row *r)
{
    char created[WALL_TEXT], ends[WALL_TEXT];
    bool over = r->ends_s <= clock_wall(clock_system()).us / US_PER_S;
    (void)ctx;
    wall_text((struct wall){r->created_s * US_PER_S}, created);
    wall_text((struct wall){r->ends_s * US_PER_S}, ends);
    printf("%-24s %-32s created %s  %s %s\n", r->name, r->scope, created, over ? "expired" : "expires", ends);
}

enum err command_token(const struct dashboard_config *c, const struct command_users *a, struct diag *d)
{
    struct users *u = NULL;
    bool lists = is(a, "list");
    if (!lists && !is(a, "add") && !is(a, "remove"))
        return diag_fail(d, ERR_INVALID, "token %.40s: there are add, remove and list", a->action);
    if (a->role || a->park || a->resident)
        return diag_fail(d, ERR_INVALID, "a token has a --scope, such as analyst:almaty-iz");
    enum err e = lists ? ERR_OK : need_name(a, d);
    if (!e)
        e = open_users(c, false, &u, d);
    if (e)
        return e;
    if (lists)
        e = users_token_list(u, print_token, NULL, d);
    else
        e = is(a, "add") ? add_token(c, u, a, d) : remove_token(c, u, a, d);
    users_close(u);
    return e;
}
