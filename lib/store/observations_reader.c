// Reading the projection from any process. The writer may replace the file by a new one (it is derived), so
// each call looks whether the open file is still the one of that name; a page would otherwise show a deleted
// file's figures for ever.
#include "base/buf.h"
#include "base/fs.h"
#include "store/observations_internal.h"
#include "store/reader_keep.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_MAX_BYTES 4096
#define TEXT_MAX_BYTES 65536

// ---- statements: to parse one costs as much as a page of what it reads

static void forget_prepared(struct observations_prepared *p)
{
    db_finalize(p->statement);
    free(p->sql);
    *p = (struct observations_prepared){0};
}

static void close_db(struct observations_reader *o)
{
    for (size_t i = 0; i < OBSERVATIONS_KEPT; i++)
        forget_prepared(&o->kept[i]);
    db_close(o->db);
    o->db = NULL;
}

static enum err prepare(struct observations_reader *o, const char *sql, struct db_stmt **out, struct diag *d)
{
    for (size_t i = 0; i < OBSERVATIONS_KEPT; i++)
        if (o->kept[i].sql && strcmp(o->kept[i].sql, sql) == 0) {
            *out = o->kept[i].statement;
            return ERR_OK;
        }
    struct observations_prepared made = {.sql = strdup(sql)};
    enum err e = made.sql ? db_prepare(o->db, sql, &made.statement, d)
                          : diag_fail(d, ERR_NOMEM, "observations: %s", err_text(ERR_NOMEM));
    if (e != ERR_OK) {
        free(made.sql);
        return e;
    }
    struct observations_prepared *place = &o->kept[o->next_kept++ % OBSERVATIONS_KEPT];
    forget_prepared(place);
    *place = made;
    *out = made.statement;
    return ERR_OK;
}

// ---- life

static enum err reopen(struct observations_reader *o, struct diag *d)
{
    struct stat st;
    if (stat(o->path, &st) != 0)
        return diag_errno(d, errno, "%s", o->path);
    if (o->db && st.st_ino == o->inode && st.st_dev == o->device)
        return ERR_OK;
    close_db(o);
    enum err e = db_open_reader(o->path, &o->db, d);
    if (e == ERR_OK) {
        o->inode = st.st_ino;
        o->device = st.st_dev;
    }
    return e;
}

enum err observations_reader_begin(struct observations_reader *o, const char *sql, struct db_stmt **out,
                                   struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = reopen(o, d);
    if (e != ERR_OK || (e = db_begin(o->db, d)) != ERR_OK)
        return e;
    e = prepare(o, "SELECT count(*) FROM sqlite_master WHERE name='seen'", &s, d);
    if (e == ERR_OK && (e = db_step(s, &row)) != ERR_OK)
        e = diag_fail(d, e, "%s: %s", o->path, db_error(o->db));
    else if (e == ERR_OK && db_int(s, 0) == 0)
        e = diag_fail(d, ERR_NOT_FOUND, "%s: the collector has not made its tables yet", o->path);
    if (s)
        db_reset(s);
    if (e == ERR_OK)
        e = prepare(o, sql, out, d);
    if (e != ERR_OK)
        db_rollback(o->db);
    return e;
}

void observations_reader_end(struct observations_reader *o, struct db_stmt *s)
{
    db_reset(s);
    db_rollback(o->db);
}

enum err observations_reader_open(const char *state, struct observations_reader **out, struct diag *d)
{
    char path[PATH_MAX_BYTES];
    uint64_t position = 0;
    enum err e = fs_join(path, sizeof path, state, OBSERVATIONS_FILE);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: path too long", state);
    struct observations_reader *o = calloc(1, sizeof *o);
    if (!o || !(o->path = strdup(path)))
        e = diag_fail(d, ERR_NOMEM, "observations: %s", err_text(ERR_NOMEM));
    else
        e = observations_reader_cursor(o, &position, d);
    if (e != ERR_OK)
        observations_reader_close(o);
    else
        *out = o;
    return e;
}

void observations_reader_close(struct observations_reader *o)
{
    if (!o)
        return;
    close_db(o);
    free(o->path);
    free(o);
}

static enum err failed(struct observations_reader *o, enum err e, struct diag *d)
{
    return diag_fail(d, e, "%s: cannot read: %s", o->path, db_error(o->db));
}

static enum err damaged(struct observations_reader *o, int64_t series_id, struct diag *d)
{
    return diag_fail(d, ERR_CORRUPT,
                     "%s: a figure of series %" PRId64 " is damaged: run `esep-collector rebuild`", o->path,
                     series_id);
}

static enum err begin_at_cursor(struct observations_reader *o, struct db_stmt **out, uint64_t *position,
                                struct diag *d)
{
    bool row = false;
    enum err e = observations_reader_begin(o, "SELECT position FROM cursor", out, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_step(*out, &row)) != ERR_OK) {
        e = failed(o, e, d);
        observations_reader_end(o, *out);
    } else {
        *position = row ? (uint64_t)db_int(*out, 0) : 0;
    }
    return e;
}

enum err observations_reader_cursor(struct observations_reader *o, uint64_t *position, struct diag *d)
{
    struct db_stmt *s = NULL;
    enum err e = begin_at_cursor(o, &s, position, d);
    if (e == ERR_OK)
        observations_reader_end(o, s);
    return e;
}

struct stored_cursor {
    struct wire_receipt receipt;
    uint8_t ledger_id[LEDGER_ID_BYTES];
    bool whole;
};

static enum err read_cursor(struct observations_reader *o, struct stored_cursor *out, struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    size_t chain_len = 0, id_len = 0;
    enum err e = observations_reader_begin(o, "SELECT position, chain, ledger_id FROM cursor", &s, d);
    if (e != ERR_OK)
        return e;
    if ((e = db_step(s, &row)) != ERR_OK) {
        e = failed(o, e, d);
    } else if (row) {
        const void *chain = db_blob(s, 1, &chain_len), *id = db_blob(s, 2, &id_len);
        out->whole = chain_len == HASH_BYTES && id_len == LEDGER_ID_BYTES;
        out->receipt.position = (uint64_t)db_int(s, 0);
        if (out->whole) {
            memcpy(out->receipt.chain, chain, HASH_BYTES);
            memcpy(out->ledger_id, id, LEDGER_ID_BYTES);
        }
    }
    observations_reader_end(o, s);
    return e;
}

enum err observations_reader_covered(struct observations_reader *o, struct reader *r, uint64_t *position,
                                     struct diag *d)
{
    struct stored_cursor cursor = {0};
    struct reader_receipt_found found = {.state = RECEIPT_ABSENT};
    struct ledger_head head;
    enum err e = read_cursor(o, &cursor, d);
    if (e == ERR_OK)
        e = ledger_head_read(r->db, &head, d);
    bool ours = e == ERR_OK && cursor.whole && cursor.receipt.position > 0 &&
                memcmp(head.ledger_id, cursor.ledger_id, LEDGER_ID_BYTES) == 0;
    if (ours)
        e = reader_find_receipt(r, &cursor.receipt, &found, d);
    ours = ours && (found.state == RECEIPT_PRESENT || found.state == RECEIPT_SEALED);
    if (e == ERR_OK)
        *position = ours ? cursor.receipt.position : 0;
    return e;
}

enum err observations_latest(struct observations_reader *o, int64_t series_id, struct latest *out,
                             struct diag *d)
{
    struct db_stmt *s = NULL;
    struct figure value;
    bool row = false;
    enum err e = observations_reader_begin(
        o, "SELECT time, value, received_us, position FROM latest WHERE series_id=?", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, series_id);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = failed(o, e, d);
    else if (!row)
        e = diag_fail(d, ERR_NOT_FOUND, "series %" PRId64 " has no figure yet", series_id);
    else if (!figure_column(s, 1, &value))
        e = damaged(o, series_id, d);
    else
        *out = (struct latest){.series_id = series_id,
                               .time = db_int(s, 0),
                               .value = value,
                               .received_us = db_int(s, 2),
                               .position = (uint64_t)db_int(s, 3)};
    observations_reader_end(o, s);
    return e;
}

enum err observations_confidential(struct observations_reader *o, int64_t series_id, bool *out,
                                   struct diag *d)
{
    struct db_stmt *s = NULL;
    bool row = false;
    enum err e = observations_reader_begin(
        o, "SELECT 1 FROM observation WHERE series_id=? AND confidential<>0 LIMIT 1", &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, series_id);
    if ((e = db_step(s, &row)) != ERR_OK)
        e = failed(o, e, d);
    else
        *out = row;
    observations_reader_end(o, s);
    return e;
}

// ---- revisions
// ------------------------------------------------------------------------------------------------------

// False: damaged.
static bool observation_from(struct db_stmt *s, int64_t series_id, struct observation *out)
{
    int64_t status = db_int(s, 4);
    *out = (struct observation){
        .series_id = series_id,
        .period_start = (int32_t)db_int(s, 0),
        .revision = (uint32_t)db_int(s, 1),
        .status = (enum wire_status)status,
        .confidential = db_int(s, 5) != 0,
        .reason = db_text(s, 6),
        .author = db_text(s, 7),
        .received_us = db_int(s, 8),
        .published_us = db_int(s, 9),
        .position = (uint64_t)db_int(s, 10),
        .key_id = db_int(s, 11),
    };
    return figure_column(s, 2, &out->value) && status >= WIRE_NORMAL && status <= WIRE_MISSING &&
           ledger_copy_text(out->currency, sizeof out->currency, db_text(s, 3));
}

#define OBSERVATION_COLUMNS                                                                                  \
    "period_start, revision, value, currency, status, confidential, reason, author, received_us, "           \
    "published_us, position, key_id"
#define OF_PERIODS " FROM observation AS o WHERE series_id=?1 AND period_start>=?2 AND period_start<?3"

// Revision numbers rise in ledger order, so "the last in ledger order" is the highest number: along the
// primary key it is the one before another period begins, which costs a third of asking for it in SQL.
static const char *query_sql(const struct observation_query *q)
{
    if (q->all_revisions)
        return "SELECT " OBSERVATION_COLUMNS OF_PERIODS " ORDER BY period_start, revision";
    if (q->by_published)
        return "SELECT " OBSERVATION_COLUMNS OF_PERIODS
               " AND revision=(SELECT revision FROM observation WHERE series_id=o.series_id AND "
               "period_start=o.period_start"
               " AND published_us<=?4 ORDER BY published_us DESC, revision DESC LIMIT 1) ORDER BY "
               "period_start";
    return "SELECT " OBSERVATION_COLUMNS OF_PERIODS " AND received_us<=?4 ORDER BY period_start, revision";
}

struct figure observation_own_value(const struct observation *o, const char *currency)
{
    return o->status == WIRE_MISSING || strcmp(o->currency, currency) != 0 ? figure_missing() : o->value;
}

// The last revision seen of a period; its texts are copied, for the statement has gone on.
struct held {
    observation_visit visit;
    void *ctx;
    bool any;
    struct observation item;
    struct buf reason, author;
};

static enum err let_go(struct held *h)
{
    bool any = h->any;
    h->any = false;
    return any ? h->visit(h->ctx, &h->item) : ERR_OK;
}

static enum err hold(void *ctx, const struct observation *item)
{
    struct held *h = ctx;
    enum err e = item->period_start != h->item.period_start ? let_go(h) : ERR_OK;
    buf_reset(&h->reason);
    buf_reset(&h->author);
    if (e == ERR_OK && *item->reason)
        e = buf_text(&h->reason, item->reason);
    if (e == ERR_OK && *item->author)
        e = buf_text(&h->author, item->author);
    h->item = *item;
    h->item.reason = buf_str(&h->reason);
    h->item.author = buf_str(&h->author);
    h->any = e == ERR_OK;
    return e;
}

// With q->read in one transaction: the projection may be reset at any moment.
static enum err begin_query(struct observations_reader *o, const struct observation_query *q,
                            struct db_stmt **out, struct diag *d)
{
    if (!q->read)
        return observations_reader_begin(o, query_sql(q), out, d);
    enum err e = begin_at_cursor(o, out, q->read, d);
    if (e != ERR_OK)
        return e;
    db_reset(*out);
    if ((e = prepare(o, query_sql(q), out, d)) != ERR_OK)
        db_rollback(o->db);
    return e;
}

static enum err query_rows(struct observations_reader *o, const struct observation_query *q,
                           observation_visit visit, void *ctx, struct diag *d)
{
    struct db_stmt *s = NULL;
    struct observation item;
    bool row = false;
    enum err e = begin_query(o, q, &s, d);
    if (e != ERR_OK)
        return e;
    db_bind_int(s, 1, q->series_id);
    db_bind_int(s, 2, q->from);
    db_bind_int(s, 3, q->to);
    if (!q->all_revisions)
        db_bind_int(s, 4, q->as_of_us == 0 ? INT64_MAX : q->as_of_us);
    while ((e = db_step(s, &row)) == ERR_OK && row) {
        e = observation_from(s, q->series_id, &item) ? visit(ctx, &item) : damaged(o, q->series_id, d);
        if (e != ERR_OK)
            break;
    }
    if (e != ERR_OK && !row)
        e = failed(o, e, d);
    observations_reader_end(o, s);
    return e;
}

enum err observations_query(struct observations_reader *o, const struct observation_query *q,
                            observation_visit visit, void *ctx, struct diag *d)
{
    if (q->all_revisions || q->by_published)
        return query_rows(o, q, visit, ctx, d);
    struct held h = {.visit = visit, .ctx = ctx};
    buf_init(&h.reason, TEXT_MAX_BYTES);
    buf_init(&h.author, TEXT_MAX_BYTES);
    enum err e = query_rows(o, q, hold, &h, d);
    if (e == ERR_OK)
        e = let_go(&h);
    buf_deinit(&h.reason);
    buf_deinit(&h.author);
    return e;
}
