// Admitting and revoking keys: changes of the ledger, so they are the committer's, each its own transaction.
// The ledger is written first: a key is let in only when that will still be so after a restart.
#include "collector/admin.h"
#include "kpi/series.h"
#include "store/audit.h"
#include <stdio.h>
#include <string.h>

// keygen keeps a key that is there.
#define NEW_KEY "remove agent.key from the agent's state folder and make a new one with esep-agent keygen"

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

static enum err admit(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct ledger_agent *agent = ctx;
    struct series_name name;
    char key[KEY_TEXT];
    if (series_parse_resident(agent->resident, &name) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "'%s' is not park/resident (parts of a-z 0-9 _ . -)",
                         agent->resident);
    if (strcmp(name.resident, "all") == 0)
        return diag_fail(d, ERR_INVALID, "the resident 'all' is kept for totals");
    struct known known = {.key = agent->public_key};
    enum err e = ledger_agents(l, look_for_key, &known, d);
    if (e != ERR_OK)
        return e;
    crypto_key_text(agent->public_key, key);
    if (!known.found) {
        e = ledger_agent_add(l, agent->resident, agent->public_key, agent, d);
        snprintf(entry->detail, sizeof entry->detail, "agent %lld, key id %lld, %s",
                 (long long)agent->agent_id, (long long)agent->key_id, key);
        return e;
    }
    if (known.agent.revoked_us)
        return diag_fail(d, ERR_DENIED, "this key was revoked (key id %lld), for good; " NEW_KEY,
                         (long long)known.agent.key_id);
    if (strcmp(known.agent.resident, agent->resident) != 0)
        return diag_fail(
            d, ERR_CONFLICT,
            "this key belongs to %s already (key id %lld), for good; for another resident " NEW_KEY,
            known.agent.resident, (long long)known.agent.key_id);
    *agent = known.agent;
    snprintf(entry->detail, sizeof entry->detail, "key id %lld was admitted already",
             (long long)agent->key_id);
    return ERR_OK;
}

enum err admin_admit(struct ledger *l, const char *who, struct ledger_agent *agent, struct diag *d)
{
    struct audit_entry entry;
    struct ledger_agent admitted = *agent;
    audit_entry_set(&entry, AUDIT_ADMIT, AUDIT_DONE, who, agent->resident, "%s", "");
    enum err e = audit_changed(l, &entry, admit, &admitted, d);
    if (e == ERR_OK)
        *agent = admitted;
    return e;
}

struct revoking {
    int64_t key_id;
    struct audit_entry *entry;
};

static enum err name_key(void *ctx, const struct ledger_agent *a)
{
    const struct revoking *r = ctx;
    if (a->key_id == r->key_id)
        snprintf(r->entry->object, sizeof r->entry->object, "%s", a->resident);
    return ERR_OK;
}

static enum err revoke(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct revoking r = {.key_id = *(int64_t *)ctx, .entry = entry};
    enum err e = ledger_agents(l, name_key, &r, d);
    if (e == ERR_OK)
        e = ledger_agent_revoke(l, r.key_id, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "no key has the id %lld; esep-collector agents lists them",
                         (long long)r.key_id);
    return e;
}

enum err admin_revoke(struct ledger *l, const char *who, int64_t key_id, struct diag *d)
{
    struct audit_entry entry;
    audit_entry_set(&entry, AUDIT_REVOKE, AUDIT_DONE, who, "", "key id %lld", (long long)key_id);
    return audit_changed(l, &entry, revoke, &key_id, d);
}
