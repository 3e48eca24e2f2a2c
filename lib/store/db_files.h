// What db.c does to a database's files beside SQLite: creating with the right mode, checked syncs of file and
// folder.
#ifndef ESEP_STORE_DB_FILES_H
#define ESEP_STORE_DB_FILES_H

#include "base/err.h"
#include <sys/types.h>

// Creates path empty with the mode, whatever the umask; one that is there is left as it is.
enum err db_file_create(const char *path, mode_t mode, struct diag *d) MUST_USE;
// fsync of path; a missing file is OK. Only for files SQLite holds no lock on in this process (a -wal, a
// finished copy): closing a file drops this process's locks on it. Any error is IO.
enum err db_file_sync(const char *path, struct diag *d) MUST_USE;
// Writes a file's bytes over themselves and syncs them; a missing file is OK, and the same care as above.
// After a sync that failed, the kernel may call pages clean that never reached the disk: they are read back
// as if all were well, and the next sync succeeds without writing them. FULL, IO.
enum err db_file_write_again(const char *path, struct diag *d) MUST_USE;
enum err db_file_sync_folder(const char *path, struct diag *d) MUST_USE; // of the folder that path is in
// NOT_FOUND: missing or empty. DENIED.
enum err db_file_readable(const char *path, struct diag *d) MUST_USE;

#endif
