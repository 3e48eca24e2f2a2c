// invite, invites, withdraw. The secret is made here, printed once and forgotten: the collector gets its
// hash, so neither its memory, its log nor its ledger ever held what lets somebody in.
#include "base/config.h"
#include "collector/address.h"
#include "collector/admin.h"
#include "collector/commands.h"
#include "collector/control.h"
#include "collector/state.h"
#include "kpi/series.h"
#include "store/reader.h"
#include "wire/invite.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPIRES_DEFAULT "7d"

enum { ANSWER_MS = 8000 };

struct inviting {
    const struct collector_config *config;
    struct ledger_invite row;
    int64_t expires_s;
    uint8_t hash[HASH_BYTES];
    struct invite invite;
};

// ---- making one ---------------------------------------------------------------------------------
static enum err invite_offline(struct ledger *l, const char *who, void *ctx, struct diag *d)
{
    struct inviting *i = ctx;
    uint8_t secret[KEY_BYTES];
    char door[ADDRESS_TEXT], agents[ADDRESS_TEXT];
    enum err e = address_door_public(i->config, NULL, door, d);
    if (e == ERR_OK)
        e = address_public(i->config, NULL, agents, d); // what the answer will need
    if (e == ERR_OK && strlen(door) > INVITE_DOOR_MAX)
        e = diag_fail(d, ERR_TOO_BIG, "%s is too long for an invitation", door);
    if (e == ERR_OK)
        e = collector_state_key(i->config->state, secret, d);
    if (e != ERR_OK)
        return e;
    crypto_public_key(secret, i->invite.collector_key);
    crypto_wipe(secret, sizeof secret);
    memcpy(i->invite.door, door, strlen(door) + 1);
    i->row.expires_us = clock_wall(clock_system()).us + i->expires_s * US_PER_S;
    return admin_invite(l, who, i->hash, &i->row, d);
}

static enum err take_answer(struct inviting *i, const json_t *reply, struct diag *d)
{
    const char *door = json_string_value(json_object_get(reply, "door"));
    const char *key = json_string_value(json_object_get(reply, "key"));
    if (!door || strlen(door) > INVITE_DOOR_MAX || !key ||
        crypto_key_parse(key, i->invite.collector_key) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "the collector's answer makes no invitation");
    memcpy(i->invite.door, door, strlen(door) + 1);
    i->row.invite_id = json_integer_value(json_object_get(reply, "invite_id"));
    i->row.expires_us = json_integer_value(json_object_get(reply, "expires_us"));
    return ERR_OK;
}

static enum err invite_online(struct inviting *i, struct diag *d)
{
    char hex[HEX_TEXT(HASH_BYTES)];
    json_t *reply = NULL;
    crypto_hex(i->hash, HASH_BYTES, hex);
    json_t *request = json_pack("{s:s, s:s, s:s, s:I, s:s}", "command", "invite", "resident", i->row.resident,
                                "hash", hex, "expires_s", (json_int_t)i->expires_s, "author", i->row.author);
    if (request && i->row.agent_id)
        json_object_set_new(request, "agent_id", json_integer(i->row.agent_id));
    enum err e = collector_ask(i->config, request, ANSWER_MS, &reply, d);
    json_decref(request);
    if (e == ERR_OK)
        e = take_answer(i, reply, d);
    json_decref(reply);
    return e;
}

static enum err find_agent(struct inviting *i, const char *text, struct diag *d)
{
    json_t *status = NULL;
    bool running;
    if (!text)
        return ERR_OK;
    enum err e = collector_fetch_status(i->config, &status, &running, d);
    if (e == ERR_OK)
        e = collector_find_agent(json_object_get(status, "agents"), text, &i->row.agent_id, d);
    json_decref(status);
    return e;
}

static enum err make(struct inviting *i, char text[INVITE_TEXT], struct diag *d)
{
    crypto_random(i->invite.secret, sizeof i->invite.secret);
    invite_hash(i->invite.secret, i->hash);
    enum err e = invite_online(i, d);
    if (e == ERR_CLOSED)
        e = collector_change_offline(i->config, invite_offline, i, d);
    return e == ERR_OK ? invite_encode(&i->invite, text, d) : e;
}

static bool parse_expires(const char *text, int64_t *out)
{
    int64_t ms;
    if (config_parse_duration_ms(text ? text : EXPIRES_DEFAULT, &ms) != ERR_OK ||
        ms < CONTROL_INVITE_MIN_S * 1000 || ms > CONTROL_INVITE_MAX_S * INT64_C(1000))
        return false;
    *out = ms / 1000;
    return true;
}

int collector_command_invite(const struct command_line *line, const struct collector_config *c)
{
    struct inviting i = {.config = c};
    struct series_name name;
    struct diag d = {0};
    char text[INVITE_TEXT], until[WALL_TEXT];
    const char *resident = line->words[0];

    if (series_parse_resident(resident, &name) != ERR_OK || strlen(resident) >= sizeof i.row.resident ||
        strcmp(name.resident, "all") == 0) {
        fprintf(stderr, "esep-collector: '%s' is not PARK/RESIDENT (parts of a-z 0-9 _ . -)\n", resident);
        return EXIT_USAGE;
    }
    if (!parse_expires(line->expires, &i.expires_s)) {
        fprintf(stderr, "esep-collector: --expires '%s' is not a time from 1s to 366d, such as 7d\n",
                line->expires);
        return EXIT_USAGE;
    }
    collector_warn_unknown(c, &name);
    memcpy(i.row.resident, resident, strlen(resident) + 1);
    collector_author(i.row.author);
    enum err e = find_agent(&i, line->agent, &d);
    if (e == ERR_OK)
        e = make(&i, text, &d);
    crypto_wipe(&i.invite, sizeof i.invite);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    puts(text);
    crypto_wipe(text, sizeof text);
    wall_text((struct wall){i.row.expires_us}, until);
    fprintf(stderr,
            "esep-collector: invitation %" PRId64
            " for %s, for one agent, until %s. On its machine: esep-agent enrol, "
            "and paste the line\n",
            i.row.invite_id, resident, until);
    return EXIT_DONE;
}

// ---- listing ------------------------------------------------------------------------------------
static const char *state_of(const struct ledger_invite *i)
{
    if (i->used_us)
        return "used";
    if (i->withdrawn_us)
        return "withdrawn";
    return clock_wall(clock_system()).us >= i->expires_us ? "expired" : "open";
}

static enum err add_json(void *list, const struct ledger_invite *i)
{
    json_t *o = json_pack("{s:I, s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I}", "invite_id",
                          (json_int_t)i->invite_id, "resident", i->resident, "agent_id",
                          (json_int_t)i->agent_id, "state", state_of(i), "author", i->author, "made_us",
                          (json_int_t)i->made_us, "expires_us", (json_int_t)i->expires_us, "used_us",
                          (json_int_t)i->used_us, "key_id", (json_int_t)i->key_id);
    return json_array_append_new(list, o) == 0 ? ERR_OK : ERR_NOMEM;
}

static enum err print_line(void *ctx, const struct ledger_invite *i)
{
    char made[WALL_TEXT], until[WALL_TEXT];
    (void)ctx;
    wall_text((struct wall){i->made_us}, made);
    wall_text((struct wall){i->expires_us}, until);
    printf("%9" PRId64 " %-40s %-9s %-20s %-20s %6" PRId64 " %s\n", i->invite_id, i->resident, state_of(i),
           made, until, i->key_id, i->author);
    return ERR_OK;
}

int collector_command_invites(const struct command_line *line, const struct collector_config *c)
{
    struct reader *r = NULL;
    struct diag d = {0};
    json_t *list = json_array();
    enum err e = reader_open(c->state, &r, &d);
    if (e == ERR_NOT_FOUND)
        (void)diag_fail(&d, e, "there is no ledger in %s yet", c->state);
    if (e == ERR_OK && !line->json)
        printf("%9s %-40s %-9s %-20s %-20s %6s %s\n", "invite_id", "resident", "state", "made", "expires",
               "key_id", "by");
    if (e == ERR_OK)
        e = reader_invites(r, line->json ? add_json : print_line, list, &d);
    if (e == ERR_OK && line->json) {
        json_dumpf(list, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(list);
    reader_close(r);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}

// ---- taking back --------------------------------------------------------------------------------
static enum err withdraw_offline(struct ledger *l, const char *who, void *id, struct diag *d)
{
    return admin_withdraw(l, who, *(int64_t *)id, d);
}

int collector_command_withdraw(const struct command_line *line, const struct collector_config *c)
{
    struct diag d = {0};
    json_t *reply = NULL;
    char *end;
    errno = 0;
    int64_t id = strtoll(line->words[0], &end, 10);
    if (errno || *end || end == line->words[0]) {
        fprintf(stderr, "esep-collector: '%s' is not an invitation's id; esep-collector invites lists them\n",
                line->words[0]);
        return EXIT_USAGE;
    }
    json_t *request = json_pack("{s:s, s:I}", "command", "withdraw", "invite_id", (json_int_t)id);
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, &d);
    json_decref(request);
    json_decref(reply);
    if (e == ERR_CLOSED)
        e = collector_change_offline(c, withdraw_offline, &id, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    printf("invitation %" PRId64 " is withdrawn\n", id);
    return EXIT_DONE;
}
