// Files are local and reads of them short, so a run of this source is over as soon as it has begun: all the
// work is in take.
#include "agent/sources/csv_internal.h"
#include <stdlib.h>

struct csv {
    struct source base;
    struct csv_log *log;     // of measurements, or
    struct csv_table *table; // of reports
};

static void csv_destroy(struct source *source)
{
    struct csv *s = (struct csv *)source;
    if (!s)
        return;
    csv_log_destroy(s->log);
    csv_table_destroy(s->table);
    free(s);
}

static enum err csv_create(const struct agent_source *config, const struct source_env *env,
                           struct source **out, struct diag *d)
{
    struct csv *s = calloc(1, sizeof *s);
    enum err e = ERR_NOMEM;
    if (s) {
        s->base.ops = &csv_source_ops;
        e = config->class == WIRE_MEASUREMENT ? csv_log_create(config, env, &s->log)
                                              : csv_table_create(config, env, &s->table);
    }
    if (e != ERR_OK) {
        csv_destroy(s ? &s->base : NULL);
        return diag_fail(d, e, "source %s: %s", config->name, err_text(e));
    }
    *out = &s->base;
    return ERR_OK;
}

static void csv_begin(struct source *source, int64_t tick_s)
{
    (void)source;
    (void)tick_s;
}

static int csv_fds(const struct source *source, struct pollfd *out, int max)
{
    (void)source;
    (void)out;
    (void)max;
    return 0;
}

static int csv_wait_ms(const struct source *source)
{
    (void)source;
    return -1;
}

static bool csv_advance(struct source *source)
{
    (void)source;
    return true;
}

static enum err csv_take(struct source *source, size_t max_samples, struct harvest *h)
{
    struct csv *s = (struct csv *)source;
    h->more = false;
    return s->log ? csv_log_take(s->log, max_samples, h) : csv_table_take(s->table, max_samples, h);
}

static void csv_settled(struct source *source, bool spooled)
{
    struct csv *s = (struct csv *)source;
    if (s->log)
        csv_log_settled(s->log, spooled);
    else
        csv_table_settled(s->table, spooled);
}

static void csv_abandon(struct source *source)
{
    csv_settled(source, false);
}

const struct source_ops csv_source_ops = {
    .create = csv_create,
    .destroy = csv_destroy,
    .begin = csv_begin,
    .fds = csv_fds,
    .wait_ms = csv_wait_ms,
    .advance = csv_advance,
    .take = csv_take,
    .settled = csv_settled,
    .abandon = csv_abandon,
};
