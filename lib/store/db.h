// The only user of SQLite: opened the one safe way (WAL, synchronous=FULL, checked; trusted_schema off,
// cell_size_check, mmap off, foreign_keys on), with its results as enum err: FULL (disk full: roll back and
// wait), IO (treat the file as lost for writing: close and exit), CORRUPT, AGAIN (busy), CONFLICT (a
// constraint). Threads: a db and its statements belong to one thread.
#ifndef ESEP_STORE_DB_H
#define ESEP_STORE_DB_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_stmt;

// Creates the file (0640) when missing, keeps the -wal and -shm for readers, and runs
// wal_checkpoint(TRUNCATE) before it returns, so that rows a crash left only in the page cache are on disk
// before they are trusted.
enum err db_open_writer(const char *path, struct db **out, struct diag *d) MUST_USE;
// A small file (0600) of one program's own that several of its processes write, a service and its commands:
// with a rollback journal, because two that checkpoint a write-ahead log may damage it.
enum err db_open_private(const char *path, struct db **out, struct diag *d) MUST_USE;
// query_only; NOT_FOUND until the writer has made the file.
enum err db_open_reader(const char *path, struct db **out, struct diag *d) MUST_USE;
void db_close(struct db *db);
const char *db_error(const struct db *db); // the last error's text

// Several statements without parameters.
enum err db_exec(struct db *db, const char *sql, struct diag *d) MUST_USE;
enum err db_begin(struct db *db, struct diag *d) MUST_USE;  // IMMEDIATE for a writer
enum err db_commit(struct db *db, struct diag *d) MUST_USE; // on disk when it returns OK
void db_rollback(struct db *db);
enum err db_checkpoint(struct db *db, bool truncate, struct diag *d) MUST_USE;
uint64_t db_wal_bytes(const struct db *db);
int64_t db_changes(const struct db *db);
int64_t db_last_id(const struct db *db);
// A consistent copy while running.
enum err db_copy_into(struct db *db, const char *path, struct diag *d) MUST_USE;

enum err db_prepare(struct db *db, const char *sql, struct db_stmt **out, struct diag *d) MUST_USE;
void db_finalize(struct db_stmt *s);
// Parameters are numbered from 1. Texts and blobs are borrowed until db_reset.
void db_bind_int(struct db_stmt *s, int i, int64_t v);
void db_bind_real(struct db_stmt *s, int i, double v);
void db_bind_text(struct db_stmt *s, int i, const char *v); // NULL binds NULL
void db_bind_blob(struct db_stmt *s, int i, const void *v, size_t len);
void db_bind_null(struct db_stmt *s, int i);
// *row false: done, or failed. After a failed bind the step fails with its error.
enum err db_step(struct db_stmt *s, bool *row) MUST_USE;
enum err db_run(struct db_stmt *s) MUST_USE;   // one step that gives no row, then reset
void db_reset(struct db_stmt *s);              // also clears bindings
int64_t db_int(struct db_stmt *s, int column); // columns from 0
double db_real(struct db_stmt *s, int column);
const char *db_text(struct db_stmt *s, int column); // borrowed until the next step; "" for NULL
const void *db_blob(struct db_stmt *s, int column, size_t *len);
bool db_is_null(struct db_stmt *s, int column);
bool db_is_integer(struct db_stmt *s, int column);

#endif
