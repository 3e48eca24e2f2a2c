// Files that must be there after a power cut, and files read with a bound.
#ifndef ESEP_BASE_FS_H
#define ESEP_BASE_FS_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Whole file into malloc'ed, NUL-terminated memory (the caller frees). TOO_BIG past max_bytes; NOT_FOUND; IO.
enum err fs_read_file(const char *path, size_t max_bytes, char **out, size_t *len, struct diag *d) MUST_USE;
// Written beside, fsynced, renamed over path, folder fsynced: afterwards either the old or the new bytes,
// never a mix. An error leaves the old file, but for one of the last step (the folder's sync), after which
// either may be found.
enum err fs_replace_file(const char *path, const void *bytes, size_t len, mode_t mode,
                         struct diag *d) MUST_USE;
// The same for a file that must not be there yet: EXISTS when it is.
enum err fs_create_file(const char *path, const void *bytes, size_t len, mode_t mode,
                        struct diag *d) MUST_USE;
// Folder and its parents; existing ones are left as they are. The new folders' parents are fsynced.
enum err fs_make_dirs(const char *path, mode_t mode, struct diag *d) MUST_USE;
enum err fs_sync_dir(const char *path, struct diag *d) MUST_USE;
// syncfs of the file system that holds path.
enum err fs_sync_filesystem(const char *path, struct diag *d) MUST_USE;
// An exclusive, non-blocking lock held until fs_unlock or exit; the pid is written into the file. EXISTS
// (diag names the holder's pid) when held by another process.
enum err fs_lock(const char *path, int *fd_out, struct diag *d) MUST_USE;
void fs_unlock(int fd);
enum err fs_free_bytes(const char *path, uint64_t *out, struct diag *d) MUST_USE;
// The kernel's boot id, 36 characters: differs after a machine restart.
enum err fs_boot_id(char out[37], struct diag *d) MUST_USE;
// dir + "/" + name into out; TOO_BIG.
enum err fs_join(char *out, size_t out_size, const char *dir, const char *name) MUST_USE;

#endif
