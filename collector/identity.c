// Rare changes by an operator's hand, or by an agent about itself. A key is let in only when that will still
// be so after a restart; it is shut out at once, whatever the disk says.
#include "collector/identity.h"
#include "base/log.h"
#include "collector/admin.h"
#include <stdio.h>
#include <string.h>

// ---- what an operator asks for ------------------------------------------------------------------
static void say(const struct item *item, const char *what)
{
    const struct item_admin *a = item->admin;
    if (a->result == ERR_OK)
        log_info(what, F_TEXT("resident", a->agent.resident), F_INT("agent_id", a->agent.agent_id),
                 F_INT("key_id", a->agent.key_id));
    else
        log_warn("key_change_refused", F_TEXT("resident", a->agent.resident),
                 F_INT("key_id", a->agent.key_id), F_TEXT("reason", a->diag.text));
}

static void admit(struct committer *c, struct item *item)
{
    struct item_admin *a = item->admin;
    a->result = admin_admit(c->o.ledger, a->who, &a->agent, &a->diag);
    if (a->result == ERR_OK)
        a->result = admission_add(c->o.admission, &a->agent);
    say(item, "key_admitted");
}

static enum err shut_out(struct committer *c, const char *who, int64_t key_id, struct diag *d)
{
    enum err taken = admission_remove(c->o.admission, key_id);
    enum err e = admin_revoke(c->o.ledger, who, key_id, d);
    if (e == ERR_OK)
        collector_count(c->o.counters, COUNTER_KEYS_REVOKED, 1);
    return e == ERR_OK && taken == ERR_NOMEM ? taken : e;
}

static void revoke(struct committer *c, struct item *item)
{
    struct item_admin *a = item->admin;
    a->result = shut_out(c, a->who, a->agent.key_id, &a->diag);
    say(item, "key_revoked");
}

static void invite(struct committer *c, struct item *item)
{
    struct item_admin *a = item->admin;
    struct ledger_invite *i = &a->invite;
    if (i->agent_id != 0 && !admission_other_key(c->o.admission, i->agent_id, 0))
        a->result = diag_fail(&a->diag, ERR_NOT_FOUND, "agent #%lld has no key that is valid",
                              (long long)i->agent_id);
    else
        a->result = admin_invite(c->o.ledger, a->who, a->secret_hash, i, &a->diag);
    if (a->result == ERR_OK)
        log_info("invited", F_TEXT("resident", i->resident), F_INT("invite_id", i->invite_id),
                 F_TEXT("author", i->author));
}

static void withdraw(struct committer *c, struct item *item)
{
    struct item_admin *a = item->admin;
    a->result = admin_withdraw(c->o.ledger, a->who, a->invite.invite_id, &a->diag);
    if (a->result == ERR_OK)
        log_info("invitation_withdrawn", F_INT("invite_id", a->invite.invite_id));
}

static void move(struct committer *c, struct item *item)
{
    struct item_admin *a = item->admin;
    a->result = admin_move(c->o.ledger, a->who, a->series, a->agent.agent_id, &a->from, &a->diag);
    if (a->result == ERR_OK)
        log_info("series_moved", F_TEXT("series", a->series), F_INT("from_agent_id", a->from),
                 F_INT("to_agent_id", a->agent.agent_id));
}

// ---- what comes to the door ---------------------------------------------------------------------
static enum collector_counter counter_of(enum wire_refuse_reason r)
{
    switch (r) {
    case WIRE_REFUSE_INVITE_USED:
        return COUNTER_ENROLMENTS_REFUSED_USED;
    case WIRE_REFUSE_INVITE_EXPIRED:
        return COUNTER_ENROLMENTS_REFUSED_EXPIRED;
    case WIRE_REFUSE_NOT_INVITED:
        return COUNTER_ENROLMENTS_REFUSED_UNKNOWN;
    default:
        return COUNTER_ENROLMENTS_REFUSED_KEY;
    }
}

static void enrol(struct committer *c, struct item *item)
{
    struct item_admin *a = item->admin;
    struct enrolment *e = &a->enrolment;
    bool again = false, noted = false;
    char who[sizeof a->who];
    a->result = admin_enrol(c->o.ledger, c->o.clock, e, &a->agent, &again, &noted, &a->diag);
    if (a->result == ERR_OK && e->refuse == WIRE_REFUSE_NONE)
        a->result = admission_add(c->o.admission, &a->agent);
    if (a->result != ERR_OK) {
        log_error("enrolment_failed", F_TEXT("reason", a->diag.text));
        return;
    }
    if (e->refuse != WIRE_REFUSE_NONE) {
        collector_count(c->o.counters, counter_of(e->refuse), 1);
        admin_name_newcomer(e, who);
        if (!noted)
            audit_tally_note(c->o.tally, AUDIT_ENROL, AUDIT_REFUSED, who, wire_refuse_reason_name(e->refuse),
                             1, a->diag.text);
        if (quiet_may_say(&c->enrolments, c->o.clock))
            log_warn("enrolment_refused", F_TEXT("reason", wire_refuse_reason_name(e->refuse)),
                     F_TEXT("text", a->diag.text));
        return;
    }
    collector_count(c->o.counters, again ? COUNTER_ENROLMENTS_REPEATED : COUNTER_ENROLMENTS, 1);
    if (!again)
        say(item, "enrolled");
}

void identity_change(struct committer *c, struct item *item)
{
    switch (item->kind) {
    case ITEM_ADMIT:
        admit(c, item);
        break;
    case ITEM_REVOKE:
        revoke(c, item);
        break;
    case ITEM_INVITE:
        invite(c, item);
        break;
    case ITEM_WITHDRAW:
        withdraw(c, item);
        break;
    case ITEM_MOVE:
        move(c, item);
        break;
    case ITEM_ENROL:
        enrol(c, item);
        break;
    default:
        item->admin->result = diag_fail(&item->admin->diag, ERR_INTERNAL, "not a change of identities");
        break;
    }
}

// ---- what an agent says -------------------------------------------------------------------------
static bool is_fatal(enum err e)
{
    return e == ERR_IO || e == ERR_CORRUPT;
}

static enum err rotate(struct committer *c, struct item_message *m, const uint8_t key[KEY_BYTES],
                       struct diag *d)
{
    struct ledger_agent next;
    int64_t replaced = 0;
    enum err e = admin_rotate(c->o.ledger, c->o.clock, &m->who, key, &next, &replaced, d);
    if (replaced && admission_remove(c->o.admission, replaced) == ERR_NOMEM && e == ERR_OK)
        e = ERR_NOMEM;
    if (e == ERR_OK)
        e = admission_add(c->o.admission, &next);
    if (is_fatal(e))
        return e;
    if (e != ERR_OK) {
        bool taken = e == ERR_CONFLICT || e == ERR_DENIED;
        collector_count(c->o.counters, COUNTER_ROTATIONS_REFUSED, 1);
        outcome_refuse(m, taken ? WIRE_REFUSE_KEY_TAKEN : WIRE_REFUSE_UNAVAILABLE, d->text);
        return ERR_OK;
    }
    collector_count(c->o.counters, COUNTER_KEYS_ROTATED, 1);
    log_info("key_rotated", F_TEXT("resident", next.resident), F_INT("agent_id", next.agent_id),
             F_INT("from_key_id", m->who.key_id), F_INT("key_id", next.key_id));
    m->outcome.kind = OUTCOME_ROTATED;
    memcpy(m->outcome.key, key, KEY_BYTES);
    return ERR_OK;
}

static enum err take_rotate(struct committer *c, struct item_message *m, struct diag *d)
{
    struct wire_message w;
    enum err e = wire_decode(c->arena, m->bytes, m->len, &w, d);
    if (e != ERR_OK || w.type != WIRE_ROTATE)
        return diag_fail(d, ERR_INTERNAL, "a message that ingest let through does not decode");
    if (!admission_holds(c->o.admission, &m->who)) {
        outcome_refuse(m, WIRE_REFUSE_REVOKED, "this key is not admitted (any more)");
        return ERR_OK;
    }
    return rotate(c, m, w.rotate.key, d);
}

static enum err retire_older(struct committer *c, const struct admitted *who, struct diag *d)
{
    int64_t older = admission_other_key(c->o.admission, who->agent_id, who->key_id);
    if (older == 0 || older > who->key_id)
        return ERR_OK;
    char by[64];
    snprintf(by, sizeof by, "key:%lld", (long long)who->key_id);
    enum err e = shut_out(c, by, older, d);
    log_info("older_key_ended", F_TEXT("resident", who->resident), F_INT("key_id", older),
             F_INT("by_key_id", who->key_id), F_TEXT("result", err_name(e)));
    return is_fatal(e) ? e : ERR_OK;
}

// A claim that could not be kept now (the disk is full) is made again by the agent's next figure.
static enum err take_over(struct committer *c, const struct claim *k, struct diag *d)
{
    int64_t from = 0;
    enum err e = admin_move(c->o.ledger, "system", k->series->name, k->agent_id, &from, d);
    log_info("series_taken_over", F_TEXT("series", k->series->name), F_INT("from_agent_id", from),
             F_INT("to_agent_id", k->agent_id), F_TEXT("result", err_name(e)));
    return is_fatal(e) ? e : ERR_OK;
}

enum err identity_follow(struct committer *c, struct item **items, size_t count, struct diag *d)
{
    enum err e = ERR_OK;
    for (const struct claim *k = c->claims.first; e == ERR_OK && k; k = k->next)
        e = take_over(c, k, d);
    for (size_t i = 0; e == ERR_OK && c->o.admission && i < count; i++) {
        struct item_message *m = &items[i]->message;
        if (m->type == WIRE_ROTATE && m->outcome.kind == OUTCOME_NONE)
            e = take_rotate(c, m, d);
        else if (m->type == WIRE_HELLO && m->outcome.kind == OUTCOME_WELCOME)
            e = retire_older(c, &m->who, d);
    }
    return e;
}
