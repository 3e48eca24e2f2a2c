// A file that cannot be trusted is kept for whoever wants to look at it, under a name that says when, and is
// in nobody's way. Its -wal and -shm go with it: left behind, SQLite would read them into the new file.
#include "agent/spool_internal.h"
#include "base/fs.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum err rename_with(const char *path, const char *aside, const char *suffix, bool must,
                            struct diag *d)
{
    char from[PATH_MAX], to[PATH_MAX];
    int a = snprintf(from, sizeof from, "%s%s", path, suffix);
    int b = snprintf(to, sizeof to, "%s%s", aside, suffix);
    if (a < 0 || b < 0 || (size_t)a >= sizeof from || (size_t)b >= sizeof to)
        return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", path);
    if (rename(from, to) == 0 || (!must && errno == ENOENT))
        return ERR_OK;
    return diag_errno(d, errno, "%s: cannot set aside as %s", from, to);
}

enum err spool_set_aside(const char *path, const struct clock *clock, char *aside, size_t aside_size,
                         struct diag *d)
{
    char target[PATH_MAX], folder[PATH_MAX];
    int64_t now_s = clock_wall(clock).us / US_PER_S;
    int n = 0;
    for (int64_t k = 0; k == 0 || access(target, F_OK) == 0; k++) {
        n = snprintf(target, sizeof target, "%s.damaged-%lld", path, (long long)(now_s + k));
        if (n < 0 || (size_t)n >= sizeof target)
            return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", path);
    }
    enum err e = rename_with(path, target, "-wal", false, d);
    if (e == ERR_OK)
        e = rename_with(path, target, "-shm", false, d);
    if (e == ERR_OK)
        e = rename_with(path, target, "", true, d);
    if (e != ERR_OK)
        return e;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = '\0';
    slash = strrchr(target, '/');
    snprintf(aside, aside_size, "%s", slash ? slash + 1 : target);
    return fs_sync_dir(slash ? folder : ".", d);
}
