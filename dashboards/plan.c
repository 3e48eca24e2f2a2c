// The ledger's few profiles stand among many documents of other kinds, so where they are is kept and only
// what is new is looked at. A profile itself is read and parsed each time: it is asked for rarely.
#include "dashboards/plan.h"
#include "store/reader_control.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define KIND      "park/"
#define PLANS_MAX 100000

struct entry {
    char park[SERIES_PART_MAX + 1];
    int64_t received_us;
    uint64_t sequence;
};

struct plans {
    pthread_mutex_t lock;
    uint64_t sequence; // looked at up to here
    uint64_t edition;  // of the ledger that they are in
    struct entry *at;
    size_t count, cap;
};

enum err plans_create(struct plans **out)
{
    struct plans *p = calloc(1, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    pthread_mutex_init(&p->lock, NULL);
    *out = p;
    return ERR_OK;
}

void plans_destroy(struct plans *p)
{
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p->at);
    free(p);
}

// ---- where they are

static enum err note(void *ctx, const struct reader_row *row, const struct wire_control *c)
{
    struct plans *p = ctx;
    if (strncmp(c->kind, KIND, strlen(KIND)) != 0 || strlen(c->kind + strlen(KIND)) > SERIES_PART_MAX)
        return ERR_OK;
    if (p->count == p->cap) {
        size_t cap = p->cap ? 2 * p->cap : 16;
        struct entry *more = cap <= PLANS_MAX ? realloc(p->at, cap * sizeof *more) : NULL;
        if (!more)
            return ERR_NOMEM;
        p->at = more;
        p->cap = cap;
    }
    struct entry *e = &p->at[p->count++];
    snprintf(e->park, sizeof e->park, "%s", c->kind + strlen(KIND));
    e->received_us = row->received_us;
    e->sequence = row->sequence;
    return ERR_OK;
}

static enum err find(struct plans *p, const struct readers *r, const char *park, int64_t as_of_us,
                     uint64_t *sequence, struct diag *d)
{
    *sequence = 0;
    pthread_mutex_lock(&p->lock);
    if (p->edition != r->edition)
        p->sequence = p->count = 0;
    p->edition = r->edition;
    enum err e = reader_controls(r->reader, &p->sequence, note, p, d);
    for (size_t i = p->count; e == ERR_OK && i-- > 0 && *sequence == 0;)
        if (p->at[i].received_us <= as_of_us && strcmp(p->at[i].park, park) == 0)
            *sequence = p->at[i].sequence;
    pthread_mutex_unlock(&p->lock);
    if (e == ERR_OK && *sequence == 0)
        return diag_fail(d, ERR_NOT_FOUND, "no profile of %s was recorded by then", park);
    return e;
}

// ---- what it says

// From memory by way of a file without a name: the loader reads files, and names them in what it says.
static enum err parse(const struct wire_control *c, const struct catalogue *catalogue, struct park **out,
                      struct diag *d)
{
    char path[40];
    struct diag why = {""};
    int fd = memfd_create("plan", MFD_CLOEXEC);
    if (fd < 0)
        return diag_fail(d, ERR_NOMEM, "a profile of the ledger cannot be unpacked");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = write(fd, c->document, c->document_len);
    enum err e = n == (ssize_t)c->document_len ? park_load(path, catalogue, out, &why) : ERR_IO;
    close(fd);
    return e == ERR_OK ? e
                       : diag_fail(d, ERR_CORRUPT, "the profile of then cannot be read now: %s", why.text);
}

struct taking {
    const char *park;
    const struct catalogue *catalogue;
    struct park *park_then;
    struct diag *d;
};

// Returns AGAIN to stop after the first one.
static enum err take(void *ctx, const struct reader_row *row, const struct wire_control *c)
{
    struct taking *t = ctx;
    (void)row;
    if (strncmp(c->kind, KIND, strlen(KIND)) != 0 || strcmp(c->kind + strlen(KIND), t->park) != 0)
        return diag_fail(t->d, ERR_CORRUPT, "the ledger is another one now");
    enum err e = parse(c, t->catalogue, &t->park_then, t->d);
    return e == ERR_OK ? ERR_AGAIN : e;
}

// What is shown to whom is today's decision.
static void mark_as_now(struct park *then, const struct park *now)
{
    then->is_public = now->is_public;
    for (size_t i = 0; i < then->resident_count; i++) {
        const struct resident *r = park_resident(now, then->residents[i].code);
        then->residents[i].is_public = r && r->is_public;
    }
}

enum err plan_by(struct site *s, const struct readers *r, const struct park *now, const struct as_of *as_of,
                 struct park **out, struct diag *d)
{
    struct taking t = {.park = now->code, .catalogue = s->catalogue, .d = d};
    uint64_t sequence = 0;
    *out = NULL;
    if (as_of->us == 0 || as_of->by_published)
        return ERR_OK;
    enum err e = find(s->plans, r, now->code, as_of->us, &sequence, d);
    if (e != ERR_OK)
        return e;
    sequence--;
    e = reader_controls(r->reader, &sequence, take, &t, d);
    if (e != ERR_AGAIN || !t.park_then)
        return e == ERR_OK || e == ERR_AGAIN ? diag_fail(d, ERR_CORRUPT, "the ledger is another one now") : e;
    mark_as_now(t.park_then, now);
    *out = t.park_then;
    return ERR_OK;
}

enum err plan_row(struct site *s, const struct readers *r, const struct board_row *row,
                  const struct as_of *as_of, struct board_row *out, struct park **owned, struct diag *d)
{
    *owned = NULL;
    *out = *row;
    enum err e = row->park ? plan_by(s, r, row->park, as_of, owned, d) : ERR_OK;
    if (*owned)
        out->park = *owned;
    else if (e == ERR_NOT_FOUND)
        out->park = NULL;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
