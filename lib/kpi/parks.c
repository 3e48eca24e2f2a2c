// The folder of profiles: whatever *.yaml stands in it is a park. Sorted by code, so that pages and tests see
// one order whatever the file system says.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "kpi/park.h"

#define PARKS_MAX  1000
#define PATH_BYTES 4096
#define SUFFIX     ".yaml"

static bool is_profile(const char *name)
{
    size_t len = strlen(name);

    return name[0] != '.' && len > strlen(SUFFIX) && strcmp(name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int by_code(const void *a, const void *b)
{
    const struct park *const *left = a;
    const struct park *const *right = b;

    return strcmp((*left)->code, (*right)->code);
}

static enum err add(struct parks *to, const char *path, const struct catalogue *c, struct diag *d)
{
    struct park *park = NULL;
    enum err e = park_load(path, c, &park, d);

    if (e != ERR_OK)
        return e;
    if (to->count == PARKS_MAX)
        e = diag_fail(d, ERR_TOO_BIG, "%s: more than %d parks", path, PARKS_MAX);
    else if (parks_find(to, park->code) != NULL)
        e = diag_fail(d, ERR_EXISTS,
                      "%s: another file has the park \"%s\" already: give one of them another code", path,
                      park->code);
    if (e != ERR_OK) {
        park_free(park);
        return e;
    }
    to->parks[to->count++] = park;
    return ERR_OK;
}

static int profiles_only(const struct dirent *entry)
{
    return is_profile(entry->d_name);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err add_all(struct dirent **entries, int count, const char *folder, const struct catalogue *c,
                        struct parks *to, struct diag *d)
{
    for (int i = 0; i < count; i++) {
        char path[PATH_BYTES];
        enum err e = fs_join(path, sizeof(path), folder, entries[i]->d_name);
        if (e != ERR_OK)
            return diag_fail(d, e, "%s/%s: the path is too long", folder, entries[i]->d_name);
        e = add(to, path, c, d);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

enum err parks_load(const char *folder, const struct catalogue *c, struct parks *out, struct diag *d)
{
    struct parks all = {.parks = calloc(PARKS_MAX, sizeof(*all.parks))};
    struct dirent **entries = NULL;
    enum err e = ERR_OK;

    if (all.parks == NULL)
        return diag_fail(d, ERR_NOMEM, "%s: out of memory", folder);
    int count = scandir(folder, &entries, profiles_only, by_name);
    if (count < 0)
        e = diag_errno(d, errno, "%s: the folder of parks", folder);
    else if (count == 0)
        e = diag_fail(d, ERR_NOT_FOUND, "%s: no park in it: a park is a file CODE%s", folder, SUFFIX);
    else
        e = add_all(entries, count, folder, c, &all, d);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    if (e != ERR_OK) {
        parks_free(&all);
        return e;
    }
    qsort(all.parks, all.count, sizeof(*all.parks), by_code);
    *out = all;
    return ERR_OK;
}

void parks_free(struct parks *p)
{
    for (size_t i = 0; i < p->count; i++)
        park_free(p->parks[i]);
    free(p->parks);
    *p = (struct parks){0};
}

const struct park *parks_find(const struct parks *p, const char *code)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->parks[i]->code, code) == 0)
            return p->parks[i];
    }
    return NULL;
}
