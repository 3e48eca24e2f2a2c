// See fuzz_db.h. SQLite itself is used here, not store/db.h: the change must come from outside.
#include "tests/fuzz/fuzz_db.h"
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#define TABLES_MAX  16
#define COLUMNS_MAX 24

struct tables {
    size_t count;
    struct {
        char name[64];
        size_t columns;
        char column[COLUMNS_MAX][64];
    } table[TABLES_MAX];
};

static sqlite3 *open_db(const char *path)
{
    sqlite3 *db = NULL;
    FUZZ_CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    sqlite3_exec(db, "PRAGMA synchronous=OFF; PRAGMA ignore_check_constraints=ON; PRAGMA journal_mode=OFF",
                 NULL, NULL, NULL);
    return db;
}

void fuzz_db_loosen(const char *path)
{
    sqlite3 *db = open_db(path);
    FUZZ_CHECK(sqlite3_exec(db,
                            "PRAGMA writable_schema=ON;"
                            "UPDATE sqlite_master SET sql=replace(sql, ') STRICT, WITHOUT', ') WITHOUT');"
                            "UPDATE sqlite_master SET sql=replace(sql, ') STRICT', ')');"
                            "PRAGMA schema_version=1000;"
                            "PRAGMA writable_schema=OFF; VACUUM",
                            NULL, NULL, NULL) == SQLITE_OK);
    FUZZ_CHECK(sqlite3_close(db) == SQLITE_OK);
}

static int add_column(void *ctx, int count, char **values, char **names)
{
    struct tables *t = ctx;
    (void)count;
    (void)names;
    if (t->count == 0 || strcmp(t->table[t->count - 1].name, values[0]) != 0) {
        if (t->count == TABLES_MAX)
            return 0;
        snprintf(t->table[t->count].name, sizeof t->table[0].name, "%s", values[0]);
        t->table[t->count++].columns = 0;
    }
    size_t *columns = &t->table[t->count - 1].columns;
    if (*columns < COLUMNS_MAX)
        snprintf(t->table[t->count - 1].column[(*columns)++], 64, "%s", values[1]);
    return 0;
}

// One column of one row, by the number of the row.
struct cell {
    const char *table, *key, *column;
    uint8_t row;
};

static struct cell pick(const struct tables *t, struct fuzz_input *in)
{
    size_t table = fuzz_u8(in) % t->count;
    size_t column = fuzz_u8(in) % t->table[table].columns;
    return (struct cell){t->table[table].name, t->table[table].column[0], t->table[table].column[column],
                         (uint8_t)(fuzz_u8(in) % 8)};
}

static void set_cell(sqlite3 *db, const struct cell *c, sqlite3_stmt **out)
{
    char sql[600];
    snprintf(sql, sizeof sql,
             "UPDATE \"%s\" SET \"%s\"=?1 WHERE \"%s\"=(SELECT \"%s\" FROM \"%s\" LIMIT 1 OFFSET %u)",
             c->table, c->column, c->key, c->key, c->table, c->row);
    FUZZ_CHECK(sqlite3_prepare_v2(db, sql, -1, out, NULL) == SQLITE_OK);
}

static void change_value(sqlite3 *db, const struct cell *c, struct fuzz_input *in)
{
    sqlite3_stmt *s = NULL;
    uint8_t kind = fuzz_u8(in);
    size_t len = kind >> 3;
    set_cell(db, c, &s);
    switch (kind & 7) {
    case 0:
        sqlite3_bind_null(s, 1);
        break;
    case 1:
        sqlite3_bind_double(s, 1, fuzz_real(in));
        break;
    case 2:
    case 3:
        len = kind & 0x80 ? fuzz_u16(in) % 2048 : len;
        const uint8_t *at = fuzz_bytes(in, &len);
        if ((kind & 7) == 2)
            sqlite3_bind_text(s, 1, (const char *)at, (int)len, SQLITE_TRANSIENT);
        else
            sqlite3_bind_blob(s, 1, at, (int)len, SQLITE_TRANSIENT);
        break;
    case 4:
        sqlite3_bind_zeroblob(s, 1, fuzz_u16(in));
        break;
    default:
        sqlite3_bind_int64(s, 1, fuzz_number(in, 3));
        break;
    }
    sqlite3_step(s);
    sqlite3_finalize(s);
}

// Bytes inside the value that is there: a body or verdict that is nearly right.
static void patch_value(sqlite3 *db, const struct cell *c, struct fuzz_input *in)
{
    char sql[600];
    sqlite3_stmt *s = NULL;
    static uint8_t bytes[1u << 16];
    snprintf(sql, sizeof sql, "SELECT \"%s\" FROM \"%s\" LIMIT 1 OFFSET %u", c->column, c->table, c->row);
    FUZZ_CHECK(sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK);
    size_t len = 0;
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) == SQLITE_BLOB) {
        len = (size_t)sqlite3_column_bytes(s, 0);
        len = len < sizeof bytes ? len : sizeof bytes;
        if (len > 0)
            memcpy(bytes, sqlite3_column_blob(s, 0), len);
    }
    sqlite3_finalize(s);
    if (len == 0)
        return;
    size_t at = fuzz_u16(in) % len, run = fuzz_u8(in) % 16u + 1;
    const uint8_t *from = fuzz_bytes(in, &run);
    memcpy(bytes + at, from, run < len - at ? run : len - at);
    set_cell(db, c, &s);
    sqlite3_bind_blob(s, 1, bytes, (int)len, SQLITE_STATIC);
    sqlite3_step(s);
    sqlite3_finalize(s);
}

static void delete_row(sqlite3 *db, const struct cell *c)
{
    char sql[600];
    snprintf(sql, sizeof sql, "DELETE FROM \"%s\" WHERE \"%s\"=(SELECT \"%s\" FROM \"%s\" LIMIT 1 OFFSET %u)",
             c->table, c->key, c->key, c->table, c->row);
    sqlite3_exec(db, sql, NULL, NULL, NULL);
}

// How many changes the file's bytes are to get afterwards.
static unsigned change_rows(sqlite3 *db, const struct tables *t, struct fuzz_input *in)
{
    unsigned patches = 0;
    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
    for (unsigned i = 0; in->left > 0 && i < 24 && patches == 0; i++) {
        uint8_t what = fuzz_u8(in) % 16;
        if (what == 15) {
            patches = fuzz_u8(in) % 8u + 1;
            break;
        }
        struct cell c = pick(t, in);
        if (what == 14)
            delete_row(db, &c);
        else if (what >= 10)
            patch_value(db, &c, in);
        else
            change_value(db, &c, in);
    }
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return patches;
}

static void patch_file(const char *path, unsigned patches, struct fuzz_input *in)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && fstat(fd, &st) == 0);
    for (unsigned i = 0; i < patches; i++) {
        size_t run = fuzz_u8(in) % 8u + 1;
        off_t at = (off_t)(fuzz_u32(in) % (uint32_t)st.st_size);
        const uint8_t *from = fuzz_bytes(in, &run);
        FUZZ_CHECK(pwrite(fd, from, run, at) == (ssize_t)run);
    }
    if (fuzz_u8(in) == 7)
        FUZZ_CHECK(ftruncate(fd, (off_t)(fuzz_u32(in) % (uint32_t)st.st_size)) == 0);
    FUZZ_CHECK(close(fd) == 0);
}

bool fuzz_db_damage(const char *path, struct fuzz_input *in)
{
    struct tables t;
    if (in->left == 0)
        return false;
    memset(&t, 0, sizeof t);
    sqlite3 *db = open_db(path);
    sqlite3_exec(
        db,
        "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type='table' AND "
        "m.name NOT LIKE 'sqlite%' ORDER BY m.name, c.cid",
        add_column, &t, NULL);
    FUZZ_CHECK(t.count > 0);
    unsigned patches = change_rows(db, &t, in);
    sqlite3_close(db);
    if (patches > 0)
        patch_file(path, patches, in);
    return true;
}
