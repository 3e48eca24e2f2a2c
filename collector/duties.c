// A resident's message changes when a report of it comes in, when a day begins (a period may have ended) and
// when a date passes. Whoever notices marks it, the observer makes it anew once it has caught up, and only
// what is then really another message gets another version: agents are not told the same twice.
#include "collector/duties.h"
#include "kpi/series.h"
#include "kpi/zone.h"
#include "store/owed.h"
#include "wire/codec.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, AT_ONCE = 32, OWED_MAX = 100000, RETRY_S = 60 };

#define DAY_S INT64_C(86400)

struct duty {
    struct series_name name; // park and resident
    struct duty *next_in_bucket, *next;
    bool stale;
    int64_t until_us;            // the clock makes it stale then
    uint64_t version;            // 0: no message yet
    struct buf content, message; // the message without and with its moment
};

struct duties {
    const struct parks *parks;
    const struct clock *clock;
    struct zone **zones; // of parks->parks[i]
    pthread_mutex_t lock;
    struct duty *buckets[BUCKETS], *first;
    _Atomic bool stale; // some are
    int64_t until_us;   // the earliest of all; the observer's
    uint64_t version;
};

enum err duties_create(const struct parks *parks, const struct clock *clock, struct duties **out,
                       struct diag *d)
{
    struct duties *made = calloc(1, sizeof *made);
    if (!made)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    enum err e = ERR_OK;
    made->parks = parks;
    made->clock = clock;
    pthread_mutex_init(&made->lock, NULL);
    made->zones = calloc(parks->count + 1, sizeof(struct zone *));
    if (!made->zones)
        e = diag_fail(d, ERR_NOMEM, "out of memory");
    for (size_t i = 0; e == ERR_OK && i < parks->count; i++)
        e = zone_load(NULL, parks->parks[i]->time_zone, &made->zones[i], d);
    if (e != ERR_OK)
        duties_destroy(made);
    else
        *out = made;
    return e;
}

void duties_destroy(struct duties *d)
{
    if (!d)
        return;
    for (struct duty *next; d->first; d->first = next) {
        next = d->first->next;
        buf_deinit(&d->first->content);
        buf_deinit(&d->first->message);
        free(d->first);
    }
    for (size_t i = 0; d->zones && i < d->parks->count; i++)
        zone_free(d->zones[i]);
    free(d->zones);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

// ---- who

static struct duty **bucket_of(struct duties *d, const struct series_name *n)
{
    uint32_t hash = 2166136261u;
    for (const char *c = n->park; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    for (const char *c = n->resident; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 16777619u;
    return &d->buckets[hash % BUCKETS];
}

static struct duty *find(struct duties *d, const struct series_name *n)
{
    struct duty *at = *bucket_of(d, n);
    while (at && (strcmp(at->name.resident, n->resident) != 0 || strcmp(at->name.park, n->park) != 0))
        at = at->next_in_bucket;
    return at;
}

static struct duty *add(struct duties *d, const struct series_name *n)
{
    struct duty *made = calloc(1, sizeof *made), **bucket = bucket_of(d, n);
    if (!made)
        return NULL;
    made->name = *n;
    made->stale = true;
    buf_init(&made->content, WIRE_MESSAGE_MAX_BYTES);
    buf_init(&made->message, WIRE_MESSAGE_MAX_BYTES);
    made->next_in_bucket = *bucket;
    *bucket = made;
    made->next = d->first;
    d->first = made;
    atomic_store(&d->stale, true);
    return made;
}

struct duty *duties_of(struct duties *d, const char *resident)
{
    struct series_name n = {0};
    if (series_parse_resident(resident, &n) != ERR_OK)
        return NULL;
    pthread_mutex_lock(&d->lock);
    struct duty *found = find(d, &n);
    if (!found)
        found = add(d, &n);
    pthread_mutex_unlock(&d->lock);
    return found;
}

uint64_t duties_version(struct duties *d)
{
    pthread_mutex_lock(&d->lock);
    uint64_t version = d->version;
    pthread_mutex_unlock(&d->lock);
    return version;
}

uint64_t duty_version(struct duties *d, const struct duty *of)
{
    pthread_mutex_lock(&d->lock);
    uint64_t version = of->version;
    pthread_mutex_unlock(&d->lock);
    return version;
}

enum err duty_message(struct duties *d, const struct duty *of, struct buf *out, uint64_t *version)
{
    pthread_mutex_lock(&d->lock);
    enum err e = of->version == 0 ? ERR_NOT_FOUND : buf_append(out, of->message.data, of->message.len);
    if (e == ERR_OK)
        *version = of->version;
    pthread_mutex_unlock(&d->lock);
    return e;
}

void duties_revised(void *duties, const struct ledger_series *s)
{
    struct duties *d = duties;
    struct series_name n = {0};
    if (series_parse(s->name, &n) != ERR_OK)
        return;
    pthread_mutex_lock(&d->lock);
    struct duty *of = find(d, &n);
    if (of) {
        of->stale = true;
        atomic_store(&d->stale, true);
    }
    pthread_mutex_unlock(&d->lock);
}

// ---- what: the list, in the order that esep.proto states

struct entry {
    struct owed_item item;
    char series[WIRE_SERIES_MAX + 1];
};

struct list {
    struct entry *at;
    size_t count, capacity;
    uint64_t open, late;
    int64_t until_us;      // the next date of what is open
    struct owed_item done; // the newest of the rule that is being read
    bool has_done;
};

static enum err put(struct list *l, const struct owed_item *i)
{
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 64;
        struct entry *grown = realloc(l->at, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        l->at = grown;
        l->capacity = capacity;
    }
    const struct obligation *o = i->owed.rule;
    struct entry *e = &l->at[l->count++];
    e->item = *i;
    snprintf(e->series, sizeof e->series, "%s%s%s", o->kpi->code, *o->dimension ? "/" : "", o->dimension);
    return ERR_OK;
}

static enum err flush_done(struct list *l)
{
    bool has = l->has_done;
    l->has_done = false;
    return has ? put(l, &l->done) : ERR_OK;
}

static enum err take(void *ctx, const struct owed_item *i)
{
    struct list *l = ctx;
    enum err e = l->has_done && l->done.owed.rule != i->owed.rule ? flush_done(l) : ERR_OK;
    l->has_done = i->state == OWED_DONE; // a later period that is not done takes its place
    l->done = *i;
    if (e != ERR_OK || i->state == OWED_DONE)
        return e;
    l->open += i->state == OWED_OPEN;
    l->late += i->state == OWED_LATE;
    if (i->state == OWED_OPEN && i->owed.has_due && i->owed.late_s * US_PER_S < l->until_us)
        l->until_us = i->owed.late_s * US_PER_S;
    return put(l, i);
}

static int rank(const struct owed_item *i)
{
    return i->state == OWED_LATE ? 0 : i->state == OWED_OPEN ? 1 : 2;
}

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int by_urgency(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    const struct obligation_owed *p = &x->item.owed, *q = &y->item.owed;
    int order = compare(rank(&x->item), rank(&y->item));
    if (order == 0)
        order = compare(q->has_due, p->has_due); // those with a date first
    if (order == 0)
        order = compare(p->late_s, q->late_s);
    if (order == 0)
        order = compare(p->period.start, q->period.start);
    return order != 0 ? order : strcmp(x->series, y->series);
}

static struct wire_owed entry_owed(const struct entry *e)
{
    static const enum wire_owed_state states[] = {
        [OWED_OPEN] = WIRE_OWED_OPEN, [OWED_LATE] = WIRE_OWED_LATE, [OWED_DONE] = WIRE_OWED_DONE};
    const struct obligation_owed *o = &e->item.owed;
    return (struct wire_owed){.series = e->series,
                              .period = (uint32_t)o->period.kind,
                              .start = o->period.start,
                              .state = states[e->item.state],
                              .answered = e->item.answered,
                              .has_due = o->has_due,
                              .due_day = o->due_day,
                              .late_s = o->late_s};
}

static enum err encode(const struct list *l, int64_t as_of_us, struct buf *out)
{
    struct wire_owed owed[WIRE_OWED_MAX];
    struct wire_message m = {
        .type = WIRE_OBLIGATIONS,
        .obligations = {.as_of_us = as_of_us, .open = l->open, .late = l->late, .owed = owed}};
    while (m.obligations.count < l->count && m.obligations.count < WIRE_OWED_MAX) {
        owed[m.obligations.count] = entry_owed(&l->at[m.obligations.count]);
        m.obligations.count++;
    }
    return wire_encode(&m, out);
}

// ---- making one anew

static enum err read_list(struct duties *d, const struct series_name *n, int64_t now_us,
                          struct observations_reader *o, struct reader *r, struct list *l, struct diag *diag)
{
    size_t i = 0;
    l->until_us = now_us + DAY_S * US_PER_S;
    while (i < d->parks->count && strcmp(d->parks->parks[i]->code, n->park) != 0)
        i++;
    if (i == d->parks->count)
        return ERR_OK; // a park without a file: nothing is owed to it
    const struct owed_query q = {.park = d->parks->parks[i],
                                 .zone = d->zones[i],
                                 .resident = n->resident,
                                 .as_of_us = now_us,
                                 .max_items = OWED_MAX};
    const int32_t today = zone_day(d->zones[i], now_us / US_PER_S);
    l->until_us = zone_midnight(d->zones[i], today + 1) * US_PER_S;
    enum err e = owed_read(o, r, &q, take, l, diag);
    if (e == ERR_OK)
        e = flush_done(l);
    if (e == ERR_OK && l->count > 1)
        qsort(l->at, l->count, sizeof *l->at, by_urgency);
    return e;
}

// Both buffers change or none.
static enum err store(struct duties *d, struct duty *of, const struct list *l, int64_t now_us)
{
    struct buf content;
    buf_init(&content, WIRE_MESSAGE_MAX_BYTES);
    enum err e = encode(l, 0, &content);
    bool same = of->version != 0 && content.len == of->content.len &&
                memcmp(content.data, of->content.data, content.len) == 0;
    if (e == ERR_OK && !same) {
        struct buf message;
        buf_init(&message, WIRE_MESSAGE_MAX_BYTES);
        e = encode(l, now_us, &message);
        if (e == ERR_OK) {
            struct buf old_content = of->content, old_message = of->message;
            pthread_mutex_lock(&d->lock);
            of->content = content;
            of->message = message;
            of->version = ++d->version;
            pthread_mutex_unlock(&d->lock);
            content = old_content;
            message = old_message;
        }
        buf_deinit(&message);
    }
    buf_deinit(&content);
    return e;
}

static enum err make(struct duties *d, struct duty *of, int64_t now_us, struct observations_reader *o,
                     struct reader *r, struct diag *diag)
{
    struct list l = {0};
    enum err e = read_list(d, &of->name, now_us, o, r, &l, diag);
    if (e == ERR_OK && (e = store(d, of, &l, now_us)) != ERR_OK)
        e = diag_fail(diag, e, "what %s/%s owes cannot be put into a message", of->name.park,
                      of->name.resident);
    of->until_us = e == ERR_OK ? l.until_us : now_us + RETRY_S * US_PER_S;
    free(l.at);
    return e;
}

// Nothing waits much longer than a day, unless the clock was set back.
static bool is_over(int64_t until_us, int64_t now_us)
{
    return until_us <= now_us || until_us > now_us + 2 * DAY_S * US_PER_S;
}

// Next one to make anew after `at`; its mark is taken off first, so that a report that comes in meanwhile
// sets it again.
static struct duty *next_stale(struct duties *d, struct duty *at, int64_t now_us)
{
    pthread_mutex_lock(&d->lock);
    for (at = at ? at->next : d->first; at; at = at->next)
        if (at->stale || is_over(at->until_us, now_us)) {
            at->stale = false;
            break;
        }
    pthread_mutex_unlock(&d->lock);
    return at;
}

static int64_t earliest(struct duties *d, int64_t now_us)
{
    int64_t until_us = now_us + DAY_S * US_PER_S;
    pthread_mutex_lock(&d->lock);
    for (const struct duty *at = d->first; at; at = at->next)
        until_us = at->until_us < until_us ? at->until_us : until_us;
    pthread_mutex_unlock(&d->lock);
    return until_us;
}

enum err duties_step(struct duties *d, struct observations_reader *o, struct reader *r, bool *more,
                     struct diag *diag)
{
    const int64_t now_us = clock_wall(d->clock).us;
    enum err e = ERR_OK;
    int made = 0;
    struct duty *at = NULL;
    *more = false;
    if (!atomic_exchange(&d->stale, false) && !is_over(d->until_us, now_us))
        return ERR_OK;
    while ((at = next_stale(d, at, now_us)) != NULL) {
        struct diag why = {""};
        enum err failed = make(d, at, now_us, o, r, &why);
        if (failed != ERR_OK && e == ERR_OK)
            e = diag_fail(diag, failed, "%s", why.text);
        if (++made == AT_ONCE) {
            atomic_store(&d->stale, true);
            *more = true;
            break;
        }
    }
    d->until_us = earliest(d, now_us);
    return e;
}
