// Read back strictly: a head that does not parse is damage too, not a reason to go on without one.
#include "store/ledger_head.h"
#include "base/buf.h"
#include "base/fs.h"
#include "store/ledger.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX_BYTES 4096
#define HEAD_MODE      0640
#define PATH_MAX_BYTES 4096
#define FIRST_LINE     "esep-ledger-head 1"

void ledger_chain_end_advance(struct ledger_chain_end *end, uint64_t position, const uint8_t hash[HASH_BYTES])
{
    end->position = position;
    end->rows++;
    memcpy(end->previous, end->hash, HASH_BYTES);
    memcpy(end->hash, hash, HASH_BYTES);
}

enum err ledger_head_store(const char *state, const struct ledger_head *h, struct diag *d)
{
    char path[PATH_MAX_BYTES];
    char hex[HEX_TEXT(HASH_BYTES)];
    if (fs_join(path, sizeof path, state, LEDGER_HEAD) != ERR_OK)
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", state);
    struct buf text;
    buf_init(&text, HEAD_MAX_BYTES);
    crypto_hex(h->ledger_id, LEDGER_ID_BYTES, hex);
    enum err e = buf_printf(&text, FIRST_LINE "\nledger %s\nposition %" PRIu64 "\n", hex, h->position);
    for (int c = 0; e == ERR_OK && c < LEDGER_CHAINS; c++) {
        if (c == LEDGER_AUDIT && h->chains[c].rows == 0)
            continue; // a head written before there was an audit log has no such line either
        crypto_hex(h->chains[c].hash, HASH_BYTES, hex);
        e = buf_printf(&text, "class %d rows %" PRIu64 " position %" PRIu64 " hash %s\n", c,
                       h->chains[c].rows, h->chains[c].position, hex);
    }
    if (e == ERR_OK)
        e = buf_text(&text, "end\n");
    if (e == ERR_OK)
        e = fs_replace_file(path, text.data, text.len, HEAD_MODE, d);
    buf_deinit(&text);
    return e;
}

static bool take_text(const char **at, const char *text)
{
    size_t len = strlen(text);
    if (strncmp(*at, text, len) != 0)
        return false;
    *at += len;
    return true;
}

static bool take_number(const char **at, uint64_t *out)
{
    char *end = NULL;
    errno = 0;
    bool zeros = **at == '0' && (*at)[1] >= '0' && (*at)[1] <= '9'; // leading ones are not ours
    if (**at < '0' || **at > '9' || zeros)
        return false;
    unsigned long long n = strtoull(*at, &end, 10);
    *out = n;
    *at = end;
    return errno == 0 && n <= INT64_MAX;
}

static bool take_hex(const char **at, uint8_t *out, size_t len)
{
    char hex[HEX_TEXT(HASH_BYTES)];
    if (strnlen(*at, 2 * len) < 2 * len)
        return false;
    memcpy(hex, *at, 2 * len);
    hex[2 * len] = '\0';
    *at += 2 * len;
    return strspn(hex, "0123456789abcdef") == 2 * len && crypto_unhex(hex, out, len) == ERR_OK;
}

static bool parse_class(const char **at, uint64_t c, struct ledger_chain_end *out)
{
    uint64_t number = 0;
    return take_text(at, "class ") && take_number(at, &number) && number == c && take_text(at, " rows ") &&
           take_number(at, &out->rows) && take_text(at, " position ") && take_number(at, &out->position) &&
           take_text(at, " hash ") && take_hex(at, out->hash, HASH_BYTES) && take_text(at, "\n");
}

static bool parse(const char *at, struct ledger_head *out)
{
    if (!take_text(&at, FIRST_LINE "\nledger ") || !take_hex(&at, out->ledger_id, LEDGER_ID_BYTES) ||
        !take_text(&at, "\nposition ") || !take_number(&at, &out->position) || !take_text(&at, "\n"))
        return false;
    for (uint64_t c = 0; c < LEDGER_CLASSES; c++)
        if (!parse_class(&at, c, &out->chains[c]))
            return false;
    if (strncmp(at, "class", 5) == 0 &&
        (!parse_class(&at, LEDGER_AUDIT, &out->chains[LEDGER_AUDIT]) || out->chains[LEDGER_AUDIT].rows == 0))
        return false;
    return strcmp(at, "end\n") == 0;
}

enum err ledger_head_load(const char *state, struct ledger_head *out, struct diag *d)
{
    char path[PATH_MAX_BYTES];
    char *text = NULL;
    size_t len = 0;
    struct ledger_head h = {0};
    if (fs_join(path, sizeof path, state, LEDGER_HEAD) != ERR_OK)
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", state);
    enum err e = fs_read_file(path, HEAD_MAX_BYTES, &text, &len, d);
    if (e == ERR_TOO_BIG || (e == ERR_OK && (strlen(text) != len || !parse(text, &h))))
        e = diag_fail(d, ERR_CORRUPT,
                      "%s: damaged: run `esep-collector verify` on the ledger; if that finds it whole, "
                      "remove this file",
                      path);
    free(text);
    if (e == ERR_OK)
        *out = h;
    return e;
}

// ---- what the database says
// -----------------------------------------------------------------------------------------

static enum err read_id(struct db *db, uint8_t out[LEDGER_ID_BYTES], struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(db, "SELECT value FROM meta WHERE key='ledger_id'", &s, d);
    if (e != ERR_OK)
        return e;
    e = db_step(s, &row);
    if (e != ERR_OK)
        e = diag_fail(d, e, "ledger: cannot read its id: %s", db_error(db));
    else if (!row || crypto_unhex(db_text(s, 0), out, LEDGER_ID_BYTES) != ERR_OK)
        e = diag_fail(d, ERR_CORRUPT, "ledger: it has no valid id");
    db_finalize(s);
    return e;
}

static bool copy_hash(struct db_stmt *s, int column, uint8_t out[HASH_BYTES])
{
    size_t len = 0;
    const void *hash = db_blob(s, column, &len);
    if (len != HASH_BYTES)
        return false;
    memcpy(out, hash, HASH_BYTES);
    return true;
}

static enum err read_ends(struct db *db, struct ledger_head *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = db_prepare(db, "SELECT class, position, rows, hash, previous FROM chain", &s, d);
    if (e != ERR_OK)
        return e;
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        int64_t c = db_int(s, 0);
        if (c < 0 || c >= LEDGER_CHAINS || !copy_hash(s, 3, out->chains[c].hash) ||
            !copy_hash(s, 4, out->chains[c].previous)) {
            e = diag_fail(d, ERR_CORRUPT, "ledger: the chain of class %" PRId64 " is damaged", c);
            break;
        }
        out->chains[c].position = (uint64_t)db_int(s, 1);
        out->chains[c].rows = (uint64_t)db_int(s, 2);
        if (c != LEDGER_DECLARES && c != LEDGER_AUDIT && out->chains[c].position > out->position)
            out->position = out->chains[c].position;
    }
    if (e != ERR_OK && row == false)
        e = diag_fail(d, e, "ledger: cannot read its chains: %s", db_error(db));
    db_finalize(s);
    return e;
}

enum err ledger_head_read(struct db *db, struct ledger_head *out, struct diag *d)
{
    struct ledger_head h = {0};
    enum err e = read_id(db, h.ledger_id, d);
    for (int c = 0; e == ERR_OK && c < LEDGER_CHAINS; c++) {
        ledger_chain_genesis(h.ledger_id, h.chains[c].hash);
        memcpy(h.chains[c].previous, h.chains[c].hash, HASH_BYTES);
    }
    if (e == ERR_OK)
        e = read_ends(db, &h, d);
    if (e == ERR_OK)
        *out = h;
    return e;
}

static enum err check_class(struct db_stmt *s, int c, const struct ledger_chain_end *recorded,
                            const struct ledger_chain_end *found, struct diag *d)
{
    bool row = false;
    uint8_t hash[HASH_BYTES];
    if (found->rows < recorded->rows || found->position < recorded->position)
        return diag_fail(d, ERR_CORRUPT,
                         "the ledger is shorter than " LEDGER_HEAD " recorded: class %d has %" PRIu64
                         " rows up to position %" PRIu64 ", recorded were %" PRIu64 " up to %" PRIu64
                         ". Rows are lost (an old copy, or a damaged write-ahead log). If an older copy was "
                         "restored on purpose, "
                         "remove " LEDGER_HEAD,
                         c, found->rows, found->position, recorded->rows, recorded->position);
    if (recorded->position == 0)
        return ERR_OK;
    db_bind_int(s, 1, (int64_t)recorded->position);
    enum err e = db_step(s, &row);
    bool same = e == ERR_OK && row && db_int(s, 0) == c && copy_hash(s, 1, hash) &&
                memcmp(hash, recorded->hash, HASH_BYTES) == 0;
    db_reset(s);
    if (e != ERR_OK)
        return diag_fail(d, e, "the ledger's row of class %d at position %" PRIu64 " cannot be read", c,
                         recorded->position);
    if (same)
        return ERR_OK;
    return diag_fail(
        d, ERR_CORRUPT,
        "the ledger is not the one " LEDGER_HEAD " recorded: the row of class %d at position %" PRIu64
        " %s. Run `esep-collector verify`; if another copy was restored on purpose, remove " LEDGER_HEAD,
        c, recorded->position, row ? "has another chain hash" : "is missing");
}

enum err ledger_head_check(struct db *db, const struct ledger_head *recorded, const struct ledger_head *found,
                           struct diag *d)
{
    struct db_stmt *s = NULL;
    if (memcmp(recorded->ledger_id, found->ledger_id, LEDGER_ID_BYTES) != 0)
        return diag_fail(d, ERR_CORRUPT,
                         LEDGER_HEAD " belongs to another ledger than " LEDGER_FILE
                                     ": put back the one that belongs to it, or remove it "
                                     "if this ledger was put here on purpose");
    enum err e = db_prepare(db, "SELECT class, chain FROM batch WHERE position=?1", &s, d);
    for (int c = 1; e == ERR_OK && c < LEDGER_CLASSES; c++)
        e = check_class(s, c, &recorded->chains[c], &found->chains[c], d);
    db_finalize(s);
    s = NULL;
    if (e == ERR_OK)
        e = db_prepare(db, "SELECT 0, chain FROM declare WHERE ordinal=?1", &s, d);
    if (e == ERR_OK)
        e = check_class(s, LEDGER_DECLARES, &recorded->chains[LEDGER_DECLARES],
                        &found->chains[LEDGER_DECLARES], d);
    db_finalize(s);
    s = NULL;
    if (e == ERR_OK && recorded->chains[LEDGER_AUDIT].rows > 0) // else the table may not be there
        e = db_prepare(db, "SELECT 4, chain FROM audit WHERE position=?1", &s, d);
    if (e == ERR_OK)
        e = check_class(s, LEDGER_AUDIT, &recorded->chains[LEDGER_AUDIT], &found->chains[LEDGER_AUDIT], d);
    db_finalize(s);
    return e;
}
