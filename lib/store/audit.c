// Who changed what goes into the same transaction as the change, so that neither can be there without the
// other, and what was refused into one of its own. The texts come from anywhere (a name in a login form, a
// series in a hostile Declare): they are made harmless to a terminal before they are chained.
#include "store/audit.h"
#include "store/ledger_internal.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *code, *prose;
} events[AUDIT_EVENTS] = {
#define X(id, code, prose) [AUDIT_##id] = {code, prose},
    AUDIT_EVENT_LIST(X)
#undef X
};

const char *audit_event_code(enum audit_event e)
{
    return (unsigned)e < AUDIT_EVENTS ? events[e].code : "unknown";
}

const char *audit_event_prose(enum audit_event e)
{
    return (unsigned)e < AUDIT_EVENTS ? events[e].prose : "an event this program does not know";
}

enum err audit_event_find(const char *code, enum audit_event *out)
{
    for (int i = 0; i < AUDIT_EVENTS; i++) {
        if (strcmp(events[i].code, code) == 0) {
            *out = (enum audit_event)i;
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

// ---- texts
// ----------------------------------------------------------------------------------------------------------

// Bytes of the character at `at` that may be shown; 0: none.
static size_t shown_bytes(const unsigned char *at)
{
    size_t more = at[0] < 0x80                    ? 0
                  : at[0] >= 0xC2 && at[0] < 0xE0 ? 1
                  : at[0] >= 0xE0 && at[0] < 0xF0 ? 2
                                                  : 3;
    if (at[0] < 0x20 || at[0] == 0x7F || (at[0] >= 0x80 && at[0] < 0xC2) || at[0] > 0xF4)
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    bool control = at[0] == 0xC2 && at[1] < 0xA0;
    bool wrong = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xED && at[1] > 0x9F) ||
                 (at[0] == 0xF0 && at[1] < 0x90) || (at[0] == 0xF4 && at[1] > 0x8F);
    // Marks that change the direction of what follows, and separators of lines.
    bool turns = at[0] == 0xE2 && ((at[1] == 0x80 && at[2] >= 0xA8 && at[2] <= 0xAE) ||
                                   (at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9));
    return control || wrong || turns ? 0 : more + 1;
}

// out may be text.
static void clean(char *out, size_t size, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t len = 0;
    while (*at) {
        size_t n = shown_bytes(at);
        if (len + (n ? n : 1) >= size)
            break;
        if (n)
            memmove(out + len, at, n);
        else
            out[len] = '?';
        len += n ? n : 1;
        at += n ? n : 1;
    }
    out[len] = '\0';
}

void audit_entry_set(struct audit_entry *e, enum audit_event event, enum audit_outcome outcome,
                     const char *who, const char *object, const char *fmt, ...)
{
    va_list args;
    *e = (struct audit_entry){.event = event, .outcome = outcome, .count = 1};
    clean(e->who, sizeof e->who, who);
    clean(e->object, sizeof e->object, object);
    va_start(args, fmt);
    vsnprintf(e->detail, sizeof e->detail, fmt, args);
    va_end(args);
    clean(e->detail, sizeof e->detail, e->detail);
}

void audit_entry_detail(struct audit_entry *e, const char *detail)
{
    clean(e->detail, sizeof e->detail, detail);
}

// ---- writing
// --------------------------------------------------------------------------------------------------------

static void complete(const struct ledger *l, struct audit_entry *e)
{
    clean(e->who, sizeof e->who, e->who[0] ? e->who : "system");
    clean(e->object, sizeof e->object, e->object);
    clean(e->detail, sizeof e->detail, e->detail);
    e->position = l->now.chains[LEDGER_AUDIT].position + 1;
    e->received_us = l->now.received_us;
    if (e->count == 0 || e->count > INT64_MAX)
        e->count = 1;
    if (e->since_us <= 0 || e->since_us > e->received_us)
        e->since_us = e->received_us;
}

static enum err insert(struct ledger *l, const struct audit_entry *e, const uint8_t chain[HASH_BYTES])
{
    struct db_stmt *s = l->statements[LEDGER_INSERT_AUDIT];
    db_bind_int(s, 1, (int64_t)e->position);
    db_bind_int(s, 2, e->received_us);
    db_bind_int(s, 3, e->since_us);
    db_bind_text(s, 4, e->who);
    db_bind_text(s, 5, audit_event_code(e->event));
    db_bind_text(s, 6, e->object);
    db_bind_int(s, 7, e->outcome);
    db_bind_int(s, 8, (int64_t)e->count);
    db_bind_text(s, 9, e->detail);
    db_bind_blob(s, 10, chain, HASH_BYTES);
    return db_run(s);
}

enum err audit_append(struct ledger *l, struct audit_entry *e, struct diag *d)
{
    struct ledger_chain_end *end = &l->now.chains[LEDGER_AUDIT];
    uint8_t chain[HASH_BYTES];
    enum err err = ledger_writable(l, d);
    if (err != ERR_OK)
        return err;
    if ((unsigned)e->event >= AUDIT_EVENTS || (unsigned)e->outcome > AUDIT_REFUSED)
        return diag_fail(d, ERR_INVALID, "no such event of the audit log");
    complete(l, e);
    const struct ledger_chain_audit chained = {.position = e->position,
                                               .received_us = e->received_us,
                                               .since_us = e->since_us,
                                               .outcome = e->outcome,
                                               .count = e->count,
                                               .who = e->who,
                                               .event = audit_event_code(e->event),
                                               .object = e->object,
                                               .detail = e->detail};
    ledger_chain_next_audit(end->hash, &chained, chain);
    if ((err = insert(l, e, chain)) != ERR_OK)
        return ledger_fail(l, err, "cannot add an entry to the audit log", d);
    ledger_chain_end_advance(end, e->position, chain);
    return ERR_OK;
}

enum err audit_store(struct ledger *l, struct audit_entry *entries, size_t count, struct diag *d)
{
    int64_t received_us;
    enum err e = ledger_begin(l, &received_us, d);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        e = audit_append(l, &entries[i], d);
    if (e == ERR_OK)
        return ledger_commit(l, d);
    ledger_rollback(l);
    return e;
}

static bool is_refusal(enum err e)
{
    return e != ERR_OK && e != ERR_AGAIN && e != ERR_NOMEM && e != ERR_FULL && e != ERR_IO &&
           e != ERR_CORRUPT;
}

static enum err change_and_append(struct ledger *l, struct audit_entry *entry, audit_change change, void *ctx,
                                  struct diag *d)
{
    int64_t received_us;
    enum err e = ledger_begin(l, &received_us, d);
    if (e != ERR_OK)
        return e;
    if ((e = change(l, ctx, entry, d)) == ERR_OK)
        e = audit_append(l, entry, d);
    if (e == ERR_OK)
        return ledger_commit(l, d);
    ledger_rollback(l);
    return e;
}

enum err audit_changed(struct ledger *l, struct audit_entry *entry, audit_change change, void *ctx,
                       struct diag *d)
{
    struct diag why = {0};
    entry->outcome = AUDIT_DONE;
    enum err e = change_and_append(l, entry, change, ctx, &why);
    if (e != ERR_OK)
        (void)diag_fail(d, e, "%s", why.text[0] ? why.text : err_text(e));
    if (!is_refusal(e))
        return e;
    entry->outcome = AUDIT_REFUSED;
    audit_entry_detail(entry, why.text[0] ? why.text : err_text(e));
    enum err stored = audit_store(l, entry, 1, &why);
    return stored == ERR_OK ? e : diag_fail(d, stored, "%s", why.text);
}

uint64_t audit_position(const struct ledger *l)
{
    return l->committed.chains[LEDGER_AUDIT].position;
}

// ---- opening
// --------------------------------------------------------------------------------------------------------

enum err ledger_audit_check_end(struct ledger *l, struct diag *d)
{
    const struct ledger_chain_end *end = &l->now.chains[LEDGER_AUDIT];
    uint8_t hash[HASH_BYTES];
    struct db_stmt *s = NULL;
    struct audit_entry entry;
    bool row = false, same = false;
    enum err e =
        db_prepare(l->db, "SELECT " AUDIT_COLUMNS " FROM audit ORDER BY position DESC LIMIT 1", &s, d);
    if (e == ERR_OK && (e = db_step(s, &row)) != ERR_OK)
        e = diag_fail(d, e, LEDGER_FILE ": cannot read the end of the audit log: %s", db_error(l->db));
    if (e == ERR_OK && row)
        same = audit_from_row(s, end->previous, &entry, hash) && entry.position == end->position &&
               memcmp(hash, end->hash, HASH_BYTES) == 0;
    uint64_t position = row ? entry.position : 0;
    db_finalize(s);
    if (e != ERR_OK || same || (!row && end->position == 0))
        return e;
    if (position != end->position)
        return diag_fail(d, ERR_CORRUPT,
                         LEDGER_FILE ": the audit log ends at entry %" PRIu64 ", its chain at %" PRIu64
                                     ": run `esep-collector audit`",
                         position, end->position);
    return diag_fail(d, ERR_CORRUPT,
                     LEDGER_FILE ": the last entry of the audit log, %" PRIu64
                                 ", is damaged: run `esep-collector audit`",
                     position);
}
