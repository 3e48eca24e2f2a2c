// Invitations, enrolments, rotations and moves in the ledger, each in one transaction with its entry in the
// audit log. An enrolment is looked up before anything is changed, so that a forged one costs no transaction.
#include "collector/admin.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

// ---- invitations --------------------------------------------------------------------------------
struct inviting {
    const uint8_t *hash;
    struct ledger_invite *row;
    int64_t id;
};

static enum err invite(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct inviting *i = ctx;
    enum err e = ledger_invite_add(l, i->hash, i->row, d);
    snprintf(entry->detail, sizeof entry->detail, "invitation %lld", (long long)i->row->invite_id);
    if (i->row->agent_id)
        snprintf(entry->detail, sizeof entry->detail, "invitation %lld for another key of agent %lld",
                 (long long)i->row->invite_id, (long long)i->row->agent_id);
    return e;
}

enum err admin_invite(struct ledger *l, const char *who, const uint8_t secret_hash[HASH_BYTES],
                      struct ledger_invite *i, struct diag *d)
{
    struct audit_entry entry;
    struct inviting x = {.hash = secret_hash, .row = i};
    audit_entry_set(&entry, AUDIT_INVITE, AUDIT_DONE, who, i->resident, "%s", "");
    return audit_changed(l, &entry, invite, &x, d);
}

static enum err withdraw(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    (void)entry;
    return ledger_invite_withdraw(l, *(int64_t *)ctx, d);
}

enum err admin_withdraw(struct ledger *l, const char *who, int64_t invite_id, struct diag *d)
{
    struct audit_entry entry;
    audit_entry_set(&entry, AUDIT_INVITE, AUDIT_DONE, who, "", "invitation %lld is withdrawn",
                    (long long)invite_id);
    return audit_changed(l, &entry, withdraw, &invite_id, d);
}

// ---- owners -------------------------------------------------------------------------------------
struct moving {
    const char *series;
    int64_t to, *from;
};

static enum err move(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct moving *m = ctx;
    enum err e = ledger_series_move(l, m->series, m->to, m->from, d);
    snprintf(entry->detail, sizeof entry->detail, "from agent %lld to agent %lld", (long long)*m->from,
             (long long)m->to);
    return e;
}

enum err admin_move(struct ledger *l, const char *who, const char *series, int64_t agent_id, int64_t *from,
                    struct diag *d)
{
    struct audit_entry entry;
    struct moving m = {.series = series, .to = agent_id, .from = from};
    *from = 0;
    audit_entry_set(&entry, AUDIT_MOVE_SERIES, AUDIT_DONE, who, series, "%s", "");
    enum err e = audit_changed(l, &entry, move, &m, d);
    ledger_series_reload(l, series);
    return e;
}

struct known {
    const uint8_t *key;
    bool found;
    struct ledger_agent agent;
};

static enum err look_for_key(void *ctx, const struct ledger_agent *a)
{
    struct known *k = ctx;
    if (memcmp(a->public_key, k->key, KEY_BYTES) == 0) {
        k->found = true;
        k->agent = *a;
    }
    return ERR_OK;
}

// ---- enrolment ----------------------------------------------------------------------------------
static enum err turn_away(struct enrolment *e, enum wire_refuse_reason reason, const char *words,
                          struct diag *d)
{
    e->refuse = reason;
    (void)diag_fail(d, ERR_DENIED, "%s", words);
    return ERR_OK;
}

static enum err same_again(struct ledger *l, const struct ledger_invite *i, struct enrolment *e,
                           struct ledger_agent *agent, bool *again, struct diag *d)
{
    struct known known = {.key = e->key};
    enum err found = ledger_agents(l, look_for_key, &known, d);
    if (found != ERR_OK)
        return found;
    if (!known.found || known.agent.key_id != i->key_id)
        return turn_away(e, WIRE_REFUSE_INVITE_USED, "this invitation has been used by another key", d);
    if (known.agent.revoked_us)
        return turn_away(e, WIRE_REFUSE_REVOKED, "the key that this invitation let in was revoked", d);
    *agent = known.agent;
    *again = true;
    return ERR_OK;
}

struct using
{
    int64_t invite_id;
    const struct enrolment *enrolment;
    struct ledger_agent *agent;
};

static enum err use(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct using *u = ctx;
    enum err e = ledger_invite_use(l, u->invite_id, u->enrolment->key, u->agent, d);
    if (e == ERR_OK)
        snprintf(entry->detail, sizeof entry->detail, "invitation %lld, agent %lld, key id %lld",
                 (long long)u->invite_id, (long long)u->agent->agent_id, (long long)u->agent->key_id);
    return e;
}

void admin_name_newcomer(const struct enrolment *e, char who[128])
{
    char key[KEY_TEXT];
    crypto_key_text(e->key, key);
    snprintf(who, 128, "address:%.60s %s", e->address, key);
}

static enum err use_invitation(struct ledger *l, const struct ledger_invite *i, const struct enrolment *e,
                               struct ledger_agent *agent, struct diag *d)
{
    struct audit_entry entry;
    struct using u = {.invite_id = i->invite_id, .enrolment = e, .agent = agent};
    char who[sizeof entry.who];
    admin_name_newcomer(e, who);
    audit_entry_set(&entry, AUDIT_ENROL, AUDIT_DONE, who, i->resident, "%s", "");
    return audit_changed(l, &entry, use, &u, d);
}

enum err admin_enrol(struct ledger *l, const struct clock *clock, struct enrolment *e,
                     struct ledger_agent *agent, bool *again, bool *noted, struct diag *d)
{
    struct ledger_invite i;
    *noted = false;
    e->refuse = WIRE_REFUSE_NONE;
    *again = false;
    enum err result = ledger_invite_find(l, e->secret_hash, &i, d);
    if (result == ERR_NOT_FOUND)
        return turn_away(e, WIRE_REFUSE_NOT_INVITED, "there is no such invitation here", d);
    if (result != ERR_OK)
        return result;
    if (i.used_us)
        return same_again(l, &i, e, agent, again, d);
    if (i.withdrawn_us)
        return turn_away(e, WIRE_REFUSE_NOT_INVITED, "this invitation has been withdrawn", d);
    if (clock_wall(clock).us >= i.expires_us)
        return turn_away(e, WIRE_REFUSE_INVITE_EXPIRED, "this invitation has expired", d);
    *noted = true;
    result = use_invitation(l, &i, e, agent, d);
    if (result == ERR_CONFLICT || result == ERR_DENIED || result == ERR_NOT_FOUND) {
        e->refuse = result == ERR_DENIED      ? WIRE_REFUSE_REVOKED
                    : result == ERR_NOT_FOUND ? WIRE_REFUSE_NOT_INVITED
                                              : WIRE_REFUSE_KEY_TAKEN;
        return ERR_OK;
    }
    return result;
}

// ---- rotation -----------------------------------------------------------------------------------
enum { ROTATIONS_MAX = 10 }; // of an agent in an hour

struct keys_of_agent {
    const struct admitted *who;
    const uint8_t *next;
    int64_t since_us, waiting; // waiting: a key newer than the one that speaks
    unsigned fresh;
};

static enum err look_at_key(void *ctx, const struct ledger_agent *a)
{
    struct keys_of_agent *k = ctx;
    if (a->agent_id != k->who->agent_id || memcmp(a->public_key, k->next, KEY_BYTES) == 0)
        return ERR_OK;
    k->fresh += a->added_us >= k->since_us;
    if (a->revoked_us == 0 && a->key_id != k->who->key_id)
        k->waiting = a->key_id;
    return ERR_OK;
}

struct rotating {
    const struct clock *clock;
    const struct admitted *who;
    const uint8_t *key;
    struct ledger_agent *out;
    int64_t *replaced;
};

static enum err rotate(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct rotating *r = ctx;
    struct keys_of_agent k = {
        .who = r->who, .next = r->key, .since_us = clock_wall(r->clock).us - INT64_C(3600) * US_PER_S};
    enum err e = ledger_agents(l, look_at_key, &k, d);
    if (e == ERR_OK && k.fresh >= ROTATIONS_MAX)
        e = diag_fail(d, ERR_FULL, "this agent has had %u new keys within an hour: wait", k.fresh);
    if (e == ERR_OK)
        e = ledger_key_add(l, r->who->agent_id, r->key, r->out, d);
    if (e != ERR_OK)
        return e;
    bool replaces = k.waiting != 0 && k.waiting != r->out->key_id;
    snprintf(entry->detail, sizeof entry->detail, "agent %lld, key id %lld beside %lld",
             (long long)r->who->agent_id, (long long)r->out->key_id, (long long)r->who->key_id);
    if (!replaces)
        return ERR_OK;
    *r->replaced = k.waiting;
    return ledger_agent_revoke(l, k.waiting, d);
}

enum err admin_rotate(struct ledger *l, const struct clock *clock, const struct admitted *who,
                      const uint8_t key[KEY_BYTES], struct ledger_agent *out, int64_t *replaced,
                      struct diag *d)
{
    struct audit_entry entry;
    struct rotating r = {.clock = clock, .who = who, .key = key, .out = out, .replaced = replaced};
    char name[sizeof entry.who];
    *replaced = 0;
    snprintf(name, sizeof name, "key:%lld", (long long)who->key_id);
    audit_entry_set(&entry, AUDIT_ROTATE_KEY, AUDIT_DONE, name, who->resident, "%s", "");
    enum err e = audit_changed(l, &entry, rotate, &r, d);
    if (e != ERR_OK)
        *replaced = 0; // rolled back
    return e;
}
