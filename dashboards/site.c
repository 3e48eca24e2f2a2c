// Readers belong to one thread, so each thread of the HTTP pool has its own pair behind a thread-specific
// key. They are opened late: a dashboard may be started before the collector ever ran, and a demo may be
// wiped under it.

#include "dashboards/site.h"
#include "dashboards/audit.h"
#include "dashboards/closings.h"
#include "dashboards/limiter.h"
#include "dashboards/plan.h"
#include "dashboards/totals.h"
#include "dashboards/users.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CACHE_BYTES (64u << 20)
#define HASHING_MAX 2

struct thread_store {
    struct readers store;
    struct file_id ledger, observations;
};

static void close_store(struct thread_store *t)
{
    if (t->store.observations)
        observations_reader_close(t->store.observations);
    if (t->store.reader)
        reader_close(t->store.reader);
    *t = (struct thread_store){0};
}

static void forget_store(void *thread_store)
{
    close_store(thread_store);
    free(thread_store);
}

static struct file_id identify(const char *state, const char *name)
{
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", state, name);
    if (n < 0 || (size_t)n >= sizeof path || stat(path, &st))
        return (struct file_id){0};
    return (struct file_id){st.st_dev, st.st_ino};
}

static bool same(struct file_id a, struct file_id b)
{
    return a.device == b.device && a.inode == b.inode && a.inode != 0;
}

static uint64_t edition_of(struct site *s, const struct thread_store *t)
{
    pthread_mutex_lock(&s->edition_lock);
    if (!same(t->ledger, s->ledger) || !same(t->observations, s->observations))
        s->edition++;
    s->ledger = t->ledger;
    s->observations = t->observations;
    uint64_t edition = s->edition;
    pthread_mutex_unlock(&s->edition_lock);
    return edition;
}

static enum err open_store(struct site *s, struct thread_store *t, struct diag *d)
{
    const char *state = s->config->state;
    struct file_id ledger = identify(state, LEDGER_FILE), observations = identify(state, OBSERVATIONS_FILE);
    if (t->store.reader && t->store.observations && same(ledger, t->ledger) &&
        same(observations, t->observations))
        return ERR_OK;
    close_store(t);
    enum err e = reader_open(state, &t->store.reader, d);
    if (!e)
        e = observations_reader_open(state, &t->store.observations, d);
    if (e) {
        close_store(t);
        return e;
    }
    t->ledger = ledger;
    t->observations = observations;
    t->store.edition = edition_of(s, t);
    return ERR_OK;
}

enum err site_store(struct site *s, const struct viewer *v, struct readers *out, struct diag *d)
{
    struct thread_store *t = pthread_getspecific(s->stores);
    if (!t) {
        t = calloc(1, sizeof *t);
        if (!t || pthread_setspecific(s->stores, t)) {
            free(t);
            return diag_fail(d, ERR_NOMEM, "no memory for readers");
        }
    }
    enum err e = open_store(s, t, d);
    if (!e) {
        *out = t->store;
        out->viewer = v;
    }
    return e;
}

static enum err load_zones(struct site *s, struct diag *d)
{
    s->zones = calloc(s->parks.count + 1, sizeof *s->zones);
    if (!s->zones)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->parks.count; i++) {
        enum err e = zone_load(NULL, s->parks.parks[i]->time_zone, &s->zones[i], d);
        if (e)
            return e;
    }
    return ERR_OK;
}

// A name that nobody has takes as long to be refused as a wrong password.
static enum err make_unknown_password(struct site *s)
{
    char random[32];
    crypto_random(random, sizeof random);
    return crypto_password_hash(random, sizeof random, s->unknown_password);
}

// A users' file that has gone must not open the door: then nothing is shown at all.
static enum err open_users(struct site *s, struct diag *d)
{
    int64_t count = 0;
    if (!s->config->users)
        return ERR_OK;
    enum err e = users_open(s->config->users, false, &s->users, d);
    if (!e)
        e = users_count(s->users, &count, d);
    if (e == ERR_NOT_FOUND || (!e && count == 0))
        return diag_fail(
            d, ERR_NOT_FOUND,
            "%s: there are no users yet; add the first with: esep-dashboard user add NAME --role "
            "admin",
            s->config->users);
    return e ? e : make_unknown_password(s);
}

static enum err open_parts(struct site *s, flush_call control, struct diag *d)
{
    enum err e = catalogue_load(s->config->catalogue, &s->catalogue, d);
    if (!e)
        e = parks_load(s->config->parks, s->catalogue, &s->parks, d);
    if (!e)
        e = load_zones(s, d);
    if (!e)
        e = cache_create(CACHE_BYTES, &s->cache);
    if (!e)
        e = flush_create(s->config->state, s->clock, control, &s->flush);
    if (!e)
        e = metrics_create(&s->metrics);
    if (!e)
        e = totals_create(&s->totals);
    if (!e)
        e = plans_create(&s->plans);
    if (!e)
        e = closings_create(&s->closings);
    if (!e)
        e = limiter_create(s->clock, &s->limiter);
    return e ? e : open_users(s, d);
}

enum err site_open(const struct dashboard_config *c, const struct clock *clock, struct render *render,
                   flush_call control, struct site **out, struct diag *d)
{
    struct site *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
    s->config = c;
    s->clock = clock;
    s->render = render;
    if (pthread_key_create(&s->stores, forget_store)) {
        free(s);
        return diag_fail(d, ERR_INTERNAL, "no thread-specific key left");
    }
    sem_init(&s->hashing, 0, HASHING_MAX);
    pthread_mutex_init(&s->refusals_lock, NULL);
    pthread_mutex_init(&s->edition_lock, NULL);
    enum err e = open_parts(s, control, d);
    if (e)
        site_close(s);
    else
        *out = s;
    return e;
}

void site_close(struct site *s)
{
    if (!s)
        return;
    audit_end(s);
    void *mine = pthread_getspecific(s->stores);
    if (mine)
        forget_store(mine);
    pthread_key_delete(s->stores);
    users_close(s->users);
    limiter_destroy(s->limiter);
    sem_destroy(&s->hashing);
    pthread_mutex_destroy(&s->refusals_lock);
    pthread_mutex_destroy(&s->edition_lock);
    totals_destroy(s->totals);
    plans_destroy(s->plans);
    closings_destroy(s->closings);
    metrics_destroy(s->metrics);
    flush_destroy(s->flush);
    cache_destroy(s->cache);
    for (size_t i = 0; s->zones && i < s->parks.count; i++)
        zone_free(s->zones[i]);
    free(s->zones);
    parks_free(&s->parks);
    catalogue_free(s->catalogue);
    free(s);
}

const struct zone *site_zone(const struct site *s, const struct park *p)
{
    for (size_t i = 0; i < s->parks.count; i++) // a profile of the past is of the same park
        if (strcmp(s->parks.parks[i]->code, p->code) == 0)
            return s->zones[i];
    return NULL;
}

int64_t site_now_us(const struct site *s)
{
    return clock_wall(s->clock).us;
}
