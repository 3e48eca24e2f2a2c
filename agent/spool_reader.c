// Each call is a transaction of its own and leaves none open: an open one would keep the writer from starting
// its log anew. So bytes are copied out rather than lent from SQLite.
#include "agent/spool_reader.h"
#include "agent/spool_internal.h"
#include "base/fs.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXTS_MAX 1024

struct spool_reader {
    struct spool_tables tables;
    struct buf body, texts;
    int head; // spool.head; −1: none
    // Added up once for each note: the batches from .. to, of that generation.
    uint64_t generation, from, to;
    struct wire_counters was, is;
};

enum err spool_reader_open(const char *state_folder, struct spool_reader **out, struct diag *d)
{
    char path[PATH_MAX];
    enum err e = fs_join(path, sizeof path, state_folder, SPOOL_FILE);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: the path is too long", state_folder);
    struct spool_reader *r = calloc(1, sizeof *r);
    if (!r)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    struct db *db = NULL;
    buf_init(&r->body, WIRE_MESSAGE_MAX_BYTES);
    buf_init(&r->texts, TEXTS_MAX);
    e = db_open_reader(path, &db, d);
    if (e == ERR_OK)
        e = spool_tables_prepare(&r->tables, db, d);
    r->tables.db = db;
    r->head = -1;
    if (e == ERR_OK && fs_join(path, sizeof path, state_folder, SPOOL_HEAD_FILE) == ERR_OK)
        r->head = open(path, O_RDONLY | O_CLOEXEC);
    if (e == ERR_OK)
        *out = r;
    else
        spool_reader_close(r);
    return e;
}

void spool_reader_close(struct spool_reader *r)
{
    if (!r)
        return;
    spool_tables_finalize(&r->tables);
    db_close(r->tables.db);
    buf_deinit(&r->body);
    buf_deinit(&r->texts);
    if (r->head >= 0)
        close(r->head);
    free(r);
}

// The counters as they will be once the tables have it.
static enum err count_noted(struct spool_reader *r, const struct spool_state *st, uint64_t sequence,
                            struct wire_counters *out, struct diag *d)
{
    *out = st->counters;
    for (uint64_t at = st->last_acknowledged + 1; at <= sequence;) {
        struct spool_stored row;
        enum err e = spool_row_read(&r->tables, at, &row, d);
        if (e == ERR_OK && row.last > sequence)
            e = ERR_NOT_FOUND;
        if (e == ERR_OK) {
            spool_count_acknowledged(out, &row);
            at = row.last + 1;
        }
        spool_row_done(&r->tables);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err add_noted(struct spool_reader *r, struct spool_state *st, struct diag *d)
{
    uint64_t sequence;
    struct wire_receipt receipt;
    if (!spool_head_noted(r->head, st, &sequence, &receipt))
        return ERR_OK;
    bool known = r->generation == st->generation && r->from == st->last_acknowledged && r->to == sequence &&
                 memcmp(&r->was, &st->counters, sizeof r->was) == 0;
    if (!known) {
        enum err e = count_noted(r, st, sequence, &r->is, d);
        r->to = 0;
        if (e != ERR_OK)
            return e == ERR_NOT_FOUND ? ERR_OK : e; // not, or no longer, of what was read
        r->generation = st->generation;
        r->from = st->last_acknowledged;
        r->to = sequence;
        r->was = st->counters;
    }
    st->counters = r->is;
    st->last_acknowledged = sequence;
    st->receipt = receipt;
    return ERR_OK;
}

enum err spool_reader_state(struct spool_reader *r, struct spool_state *out, struct diag *d)
{
    struct spool_meta m;
    enum err e = spool_meta_read(&r->tables, &m, d);
    if (e == ERR_OK)
        e = add_noted(r, &m.state, d);
    if (e == ERR_OK)
        *out = m.state;
    return e;
}

enum err spool_reader_message(struct spool_reader *r, uint64_t first, struct spool_message *out,
                              struct diag *d)
{
    struct spool_stored row;
    enum err e = spool_row_read(&r->tables, first, &row, d);
    if (e != ERR_OK)
        return e;
    buf_reset(&r->body);
    e = row.body ? buf_append(&r->body, row.body, row.len)
                 : diag_fail(d, ERR_NOT_FOUND, "batch %llu is no longer kept", (unsigned long long)first);
    spool_row_done(&r->tables);
    if (e == ERR_OK)
        *out = (struct spool_message){.first = row.first,
                                      .last = row.last,
                                      .gap = row.class == SPOOL_GAP_CLASS,
                                      .bytes = r->body.data,
                                      .len = r->body.len};
    return e;
}

enum err spool_reader_declare(struct spool_reader *r, uint32_t number, struct wire_declare *out,
                              struct diag *d)
{
    return spool_declare_read(&r->tables, number, out, &r->texts, d);
}

enum err spool_reader_position(struct spool_reader *r, const char *source, const char *key, void *out,
                               size_t cap, size_t *len)
{
    return spool_tables_position_get(&r->tables, source, key, out, cap, len);
}

enum err spool_reader_position_each(struct spool_reader *r, const char *source, const char *prefix,
                                    position_visit visit, void *ctx)
{
    return spool_tables_position_each(&r->tables, source, prefix, visit, ctx);
}
