// What a kill left is known by its name and its owner; nobody else can put anything into it, nor take it for
// another, for it is opened without following links.
#include "dashboards/scratch.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "esep-graphs-"

static void empty(int fd)
{
    DIR *files = fdopendir(fd);
    if (!files) {
        close(fd);
        return;
    }
    for (const struct dirent *f; (f = readdir(files));)
        if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0)
            (void)unlinkat(fd, f->d_name, 0);
    closedir(files);
}

static void remove_ours(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) || st.st_uid != geteuid() || (st.st_mode & (S_IRWXG | S_IRWXO))) {
        close(fd);
        return;
    }
    empty(fd);
    (void)unlinkat(folder, name, AT_REMOVEDIR);
}

static bool is_left(const char *name)
{
    char *end;
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    long pid = strtol(name + strlen(PREFIX), &end, 10);
    return *end == '-' && pid > 0 && pid <= INT32_MAX && kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

static void remove_left(const char *folder)
{
    DIR *all = opendir(folder);
    if (!all)
        return;
    for (const struct dirent *f; (f = readdir(all));)
        if (is_left(f->d_name))
            remove_ours(dirfd(all), f->d_name);
    closedir(all);
}

enum err scratch_open(const char *folder, char out[SCRATCH_PATH], struct diag *d)
{
    char path[SCRATCH_PATH];
    int n = snprintf(path, sizeof path, "%s/" PREFIX "%ld-XXXXXX", folder, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof path)
        return diag_fail(d, ERR_TOO_BIG, "cache: %s: the folder's name is too long", folder);
    remove_left(folder);
    if (!mkdtemp(path))
        return diag_errno(d, errno, "cache: %s: no folder can be made in it", folder);
    memcpy(out, path, sizeof path);
    return ERR_OK;
}

void scratch_close(const char *path)
{
    if (*path)
        remove_ours(AT_FDCWD, path);
}
