// Who is let in, shut out, invited, and whose a series is. A revocation does not wait in the committer's
// queue: the key is taken out here, at once, and stored when its turn comes. An invitation's secret is made
// by the command and never comes here: only its hash does.
#include "collector/control_internal.h"
#include "kpi/series.h"
#include <string.h>

// ---- parsing ------------------------------------------------------------------------------------
static enum err parse_resident(const json_t *o, struct control_request *r, struct diag *d)
{
    struct series_name name;
    enum err e = control_parse_text(o, "resident", true, r->resident, sizeof r->resident, d);
    if (e != ERR_OK)
        return e;
    if (series_parse_resident(r->resident, &name) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "'%s' is not park/resident", r->resident);
    return ERR_OK;
}

static enum err parse_admit(const json_t *o, struct control_request *r, struct diag *d)
{
    char key[KEY_TEXT];
    enum err e = parse_resident(o, r, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "key", true, key, sizeof key, d);
    if (e == ERR_OK && crypto_key_parse(key, r->key) != ERR_OK)
        e = diag_fail(d, ERR_INVALID, "the key is not 40 characters of Z85; esep-agent keygen prints it");
    return e;
}

static enum err parse_number(const json_t *o, const char *key, int64_t low, int64_t high, int64_t *out,
                             struct diag *d)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < low || json_integer_value(v) > high)
        return diag_fail(d, ERR_INVALID, "\"%s\" must be a whole number from %lld to %lld", key,
                         (long long)low, (long long)high);
    *out = json_integer_value(v);
    return ERR_OK;
}

static enum err parse_invite(const json_t *o, struct control_request *r, struct diag *d)
{
    char hash[HEX_TEXT(HASH_BYTES)];
    enum err e = parse_resident(o, r, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "hash", true, hash, sizeof hash, d);
    if (e == ERR_OK && crypto_unhex(hash, r->hash, HASH_BYTES) != ERR_OK)
        e = diag_fail(d, ERR_INVALID, "\"hash\" must be %d hexadecimal digits", 2 * HASH_BYTES);
    if (e == ERR_OK)
        e = parse_number(o, "expires_s", CONTROL_INVITE_MIN_S, CONTROL_INVITE_MAX_S, &r->expires_s, d);
    if (e == ERR_OK && json_object_get(o, "agent_id"))
        e = parse_number(o, "agent_id", 1, INT64_MAX, &r->agent_id, d);
    return e == ERR_OK ? control_parse_text(o, "author", true, r->author, sizeof r->author, d) : e;
}

static enum err parse_move(const json_t *o, struct control_request *r, struct diag *d)
{
    enum err e = control_parse_text(o, "series", true, r->series, sizeof r->series, d);
    return e == ERR_OK ? parse_number(o, "agent_id", 1, INT64_MAX, &r->agent_id, d) : e;
}

enum err control_parse_identity(const json_t *o, struct control_request *r, struct diag *d)
{
    switch (r->command) {
    case CONTROL_ADMIT:
        return parse_admit(o, r, d);
    case CONTROL_INVITE:
        return parse_invite(o, r, d);
    case CONTROL_MOVE:
        return parse_move(o, r, d);
    case CONTROL_WITHDRAW:
        return parse_number(o, "invite_id", 1, INT64_MAX, &r->invite_id, d);
    default:
        return parse_number(o, "key_id", 1, INT64_MAX, &r->key_id, d);
    }
}

// ---- carrying out -------------------------------------------------------------------------------
static json_t *admit(struct control *c, const struct control_request *r)
{
    struct item *item = item_create(ITEM_ADMIT, c->inbox);
    if (item) {
        memcpy(item->admin->agent.resident, r->resident, sizeof item->admin->agent.resident);
        memcpy(item->admin->agent.public_key, r->key, KEY_BYTES);
        memcpy(item->admin->who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure(control_no_answer);
    const struct ledger_agent *a = &item->admin->agent;
    return control_reply(item, json_pack("{s:b, s:s, s:I, s:I}", "ok", 1, "resident", a->resident, "agent_id",
                                         (json_int_t)a->agent_id, "key_id", (json_int_t)a->key_id));
}

static json_t *revoke(struct control *c, const struct control_request *r)
{
    struct item *item = item_create(ITEM_REVOKE, c->inbox);
    if (c->admission && admission_remove(c->admission, r->key_id) == ERR_NOMEM)
        collector_count(c->counters, COUNTER_COMMIT_ERRORS, 1); // the committer tries again
    if (item) {
        item->admin->agent.key_id = r->key_id;
        memcpy(item->admin->who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure("the key is shut out from now on, but that is not stored yet: try again");
    return control_reply(item, json_pack("{s:b, s:I}", "ok", 1, "key_id", (json_int_t)r->key_id));
}

static json_t *invite(struct control *c, const struct control_request *r)
{
    struct item *door = control_ask(c, c->to_door, item_create(ITEM_DOOR, c->inbox), CONTROL_ANSWER_MS);
    if (!door || door->admin->result != ERR_OK)
        return door ? control_reply(door, NULL) : control_failure(control_no_answer);
    struct item *item = item_create(ITEM_INVITE, c->inbox);
    if (item) {
        struct ledger_invite *i = &item->admin->invite;
        memcpy(i->resident, r->resident, sizeof i->resident);
        memcpy(i->author, r->author, sizeof i->author);
        memcpy(item->admin->secret_hash, r->hash, HASH_BYTES);
        memcpy(item->admin->who, c->who, sizeof c->who);
        i->agent_id = r->agent_id;
        i->expires_us = clock_wall(clock_system()).us + r->expires_s * US_PER_S;
    }
    json_t *reply = NULL;
    if ((item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS))) {
        char key[KEY_TEXT];
        const struct ledger_invite *i = &item->admin->invite;
        crypto_key_text(door->admin->collector_key, key);
        json_t *done =
            json_pack("{s:b, s:I, s:I, s:s, s:s}", "ok", 1, "invite_id", (json_int_t)i->invite_id,
                      "expires_us", (json_int_t)i->expires_us, "door", door->admin->door, "key", key);
        reply = control_reply(item, done);
    }
    item_destroy(door);
    return reply ? reply : control_failure(control_no_answer);
}

static json_t *withdraw(struct control *c, const struct control_request *r)
{
    struct item *item = item_create(ITEM_WITHDRAW, c->inbox);
    if (item) {
        item->admin->invite.invite_id = r->invite_id;
        memcpy(item->admin->who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure(control_no_answer);
    return control_reply(item, json_pack("{s:b, s:I}", "ok", 1, "invite_id", (json_int_t)r->invite_id));
}

static json_t *move(struct control *c, const struct control_request *r)
{
    struct item *item = item_create(ITEM_MOVE, c->inbox);
    if (item) {
        memcpy(item->admin->series, r->series, sizeof item->admin->series);
        item->admin->agent.agent_id = r->agent_id;
        memcpy(item->admin->who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure(control_no_answer);
    return control_reply(item, json_pack("{s:b, s:I, s:I}", "ok", 1, "agent_id", (json_int_t)r->agent_id,
                                         "from", (json_int_t)item->admin->from));
}

json_t *control_identity(struct control *c, const struct control_request *r)
{
    switch (r->command) {
    case CONTROL_ADMIT:
        return admit(c, r);
    case CONTROL_REVOKE:
        return revoke(c, r);
    case CONTROL_INVITE:
        return invite(c, r);
    case CONTROL_WITHDRAW:
        return withdraw(c, r);
    default:
        return move(c, r);
    }
}
