// Files are what people edit; the ledger is what counts. They are compared by the hash of the whole file, so
// a comment that changes is a new document as well: better one row too many than a doubt about what was read.
#include "collector/plans.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "store/audit.h"
#include "store/ledger_keep.h"
#include "store/reader_control.h"
#include "wire/limits.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTHOR       "collector"
#define KIND_MAX     80
#define DOCUMENT_MAX (WIRE_KEPT_MAX_BYTES - 1024)

struct plan {
    char kind[KIND_MAX];
    const char *path;
    uint8_t stored[HASH_BYTES];
    bool has_stored;
};

struct plans {
    struct plan *at;
    size_t count;
};

static enum err note_stored(void *ctx, const struct reader_row *row, const struct wire_control *c)
{
    const struct plans *p = ctx;
    (void)row;
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->at[i].kind, c->kind) == 0) {
            memcpy(p->at[i].stored, c->hash, HASH_BYTES);
            p->at[i].has_stored = true;
        }
    return ERR_OK;
}

static enum err list_plans(const char *catalogue_path, const struct parks *parks, struct plans *out)
{
    out->at = calloc(parks->count + 1, sizeof *out->at);
    if (!out->at)
        return ERR_NOMEM;
    out->count = parks->count + 1;
    snprintf(out->at[0].kind, KIND_MAX, PLANS_CATALOGUE);
    out->at[0].path = catalogue_path;
    for (size_t i = 0; i < parks->count; i++) {
        snprintf(out->at[i + 1].kind, KIND_MAX, PLANS_PARK "%s", parks->parks[i]->code);
        out->at[i + 1].path = parks->parks[i]->file;
    }
    return ERR_OK;
}

// In the same transaction: who put the file there is not known here, that it counts from now on is.
static enum err audit(struct ledger *l, const struct plan *p, struct diag *d)
{
    struct audit_entry entry;
    audit_entry_set(&entry, AUDIT_CONTROL, AUDIT_DONE, "system", p->kind, "%s from %s, read at the start",
                    p->has_stored ? "changed" : "recorded", p->path);
    return audit_append(l, &entry, d);
}

static enum err record(struct ledger *l, const struct plan *p, size_t *added, struct diag *d)
{
    char *bytes = NULL;
    size_t len = 0;
    uint8_t hash[HASH_BYTES];
    struct wire_receipt receipt;
    enum err e = fs_read_file(p->path, DOCUMENT_MAX, &bytes, &len, d);
    if (e == ERR_TOO_BIG)
        return diag_fail(d, e, "%s: more than %d bytes: it cannot be kept in the ledger; shorten it", p->path,
                         DOCUMENT_MAX);
    if (e != ERR_OK)
        return e;
    crypto_digest(&(struct hash_part){bytes, len}, 1, hash);
    if (!p->has_stored || memcmp(hash, p->stored, HASH_BYTES) != 0) {
        e = ledger_add_control(l, p->kind, bytes, len, AUTHOR, &receipt, d);
        if (e == ERR_OK)
            e = audit(l, p, d);
        *added += e == ERR_OK;
    }
    free(bytes);
    return e;
}

static enum err record_all(struct ledger *l, const struct plans *p, size_t *added, struct diag *d)
{
    struct diag big = {""};
    int64_t received_us;
    enum err e = ledger_begin(l, &received_us, d);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; e == ERR_OK && i < p->count; i++) {
        e = record(l, &p->at[i], added, d);
        if (e == ERR_TOO_BIG) {
            big = *d;
            e = ERR_OK;
        }
    }
    if (e == ERR_OK && *added > 0)
        e = ledger_commit(l, d);
    else
        ledger_rollback(l);
    return e == ERR_OK && big.text[0] ? diag_fail(d, ERR_TOO_BIG, "%s", big.text) : e;
}

enum err plans_record(struct ledger *l, struct reader *r, const char *catalogue_path,
                      const struct parks *parks, size_t *added, struct diag *d)
{
    struct plans p = {0};
    uint64_t sequence = 0;
    *added = 0;
    enum err e = list_plans(catalogue_path, parks, &p);
    if (e != ERR_OK)
        return diag_fail(d, e, "out of memory");
    e = reader_controls(r, &sequence, note_stored, &p, d);
    if (e == ERR_OK)
        e = record_all(l, &p, added, d);
    free(p.at);
    return e;
}
