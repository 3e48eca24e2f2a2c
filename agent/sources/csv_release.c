// The order of releases is what makes their figures revisions, so a release is never passed over: one that
// cannot be read holds up those after it, and one that turns up among those already read is said, not read.
// Files are found by reading the folder each time; nothing about it is kept but the release read last.
#include "agent/sources/csv_release.h"
#include "base/clock.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 100000

struct search {
    char folder[PATH_MAX];
    char prefix[NAME_MAX + 1], suffix[NAME_MAX + 1]; // of a file's name, around the release
    const struct csv_release *done;
    struct period best, last; // the first after done; the last of all
    uint32_t older;           // at or before done
    bool has_best, has_last, has_done;
};

static bool split(const char *template, struct search *s)
{
    const char *mark = strstr(template, CSV_RELEASE_MARK), *slash = strrchr(template, '/');
    const char *name = slash ? slash + 1 : template;
    size_t folder_len = slash ? (size_t)(slash - template) : 0;
    if (!mark || mark < name || folder_len >= sizeof s->folder)
        return false;
    int n = snprintf(s->prefix, sizeof s->prefix, "%.*s", (int)(mark - name), name);
    int m = snprintf(s->suffix, sizeof s->suffix, "%s", mark + strlen(CSV_RELEASE_MARK));
    if (slash)
        snprintf(s->folder, sizeof s->folder, "%.*s", folder_len ? (int)folder_len : 1, template);
    else
        snprintf(s->folder, sizeof s->folder, ".");
    return n >= 0 && (size_t)n < sizeof s->prefix && m >= 0 && (size_t)m < sizeof s->suffix;
}

// A year comes before its first quarter, and that before its first month.
static int compare(struct period a, struct period b)
{
    if (a.start != b.start)
        return a.start < b.start ? -1 : 1;
    return a.kind == b.kind ? 0 : a.kind > b.kind ? -1 : 1;
}

static bool release_of(const struct search *s, const char *name, struct period *out)
{
    char text[PERIOD_TEXT];
    size_t len = strlen(name), before = strlen(s->prefix), after = strlen(s->suffix);
    if (len <= before + after || len - before - after >= sizeof text ||
        strncmp(name, s->prefix, before) != 0 || strcmp(name + len - after, s->suffix) != 0)
        return false;
    snprintf(text, sizeof text, "%.*s", (int)(len - before - after), name + before);
    return period_parse(text, out) == ERR_OK;
}

static void note(struct search *s, struct period p)
{
    bool known = s->done->period.kind != PERIOD_NONE;
    int order = known ? compare(p, s->done->period) : 1;
    s->older += order <= 0;
    s->has_done = s->has_done || (known && order == 0);
    if (order > 0 && (!s->has_best || compare(p, s->best) < 0)) {
        s->best = p;
        s->has_best = true;
    }
    if (!s->has_last || compare(p, s->last) > 0) {
        s->last = p;
        s->has_last = true;
    }
}

static bool read_folder(struct search *s, struct harvest *h)
{
    struct period p;
    DIR *dir = opendir(s->folder);
    if (!dir) {
        harvest_error(h, "%s: %s", s->folder, strerror(errno));
        return false;
    }
    int left = ENTRIES_MAX;
    for (const struct dirent *entry; left > 0 && (entry = readdir(dir)) != NULL; left--)
        if (release_of(s, entry->d_name, &p))
            note(s, p);
    closedir(dir);
    if (left == 0)
        harvest_error(h, "%s: more than %d entries: move old releases away", s->folder, ENTRIES_MAX);
    return left > 0;
}

bool csv_release_choose(const char *template, const struct csv_release *done, struct csv_release_choice *out,
                        struct harvest *h)
{
    struct search s = {.done = done};
    char name[PERIOD_TEXT], text[PERIOD_TEXT];
    if (!split(template, &s)) {
        harvest_error(h, "%s: " CSV_RELEASE_MARK " must stand in the file's name", template);
        return false;
    }
    if (!read_folder(&s, h))
        return false;
    if (s.older > done->older) {
        period_text(done->period, text);
        harvest_error(
            h,
            "%s: a release older than %s, the one read last, was added: it is not read, its figures "
            "would pass for newer ones",
            s.folder, text);
    }
    if (!s.has_best && !s.has_done)
        return false;
    out->next = s.has_best;
    out->release.period = s.has_best ? s.best : done->period;
    out->release.older = s.has_best ? s.older + 1 : done->older;
    out->more = compare(s.last, out->release.period) > 0;
    period_text(out->release.period, name);
    int n = snprintf(out->path, sizeof out->path, "%s/%s%s%s", strcmp(s.folder, "/") == 0 ? "" : s.folder,
                     s.prefix, name, s.suffix);
    return n >= 0 && (size_t)n < sizeof out->path;
}

int64_t csv_release_published_us(const struct csv_release *r)
{
    return (int64_t)r->period.start * 86400 * US_PER_S;
}

size_t csv_release_encode(const struct csv_release *r, char out[CSV_RELEASE_BYTES])
{
    char name[PERIOD_TEXT];
    period_text(r->period, name);
    return (size_t)snprintf(out, CSV_RELEASE_BYTES, "%s %u", name, r->older);
}

enum err csv_release_decode(const void *bytes, size_t len, struct csv_release *out)
{
    char text[CSV_RELEASE_BYTES], *end = NULL;
    struct csv_release r;
    if (len == 0 || len >= sizeof text)
        return ERR_CORRUPT;
    memcpy(text, bytes, len);
    text[len] = '\0';
    char *blank = strchr(text, ' ');
    if (!blank)
        return ERR_CORRUPT;
    *blank = '\0';
    unsigned long older = strtoul(blank + 1, &end, 10);
    if (*end || older == 0 || older > UINT32_MAX || period_parse(text, &r.period) != ERR_OK)
        return ERR_CORRUPT;
    r.older = (uint32_t)older;
    *out = r;
    return ERR_OK;
}
