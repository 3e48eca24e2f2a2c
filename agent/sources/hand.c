// Series that nothing here reads: people report them with `esep-agent report`. The source is only what gives
// them their place in the configuration.
#include "agent/source.h"
#include <stdlib.h>

static enum err hand_create(const struct agent_source *config, const struct source_env *env,
                            struct source **out, struct diag *d)
{
    (void)env;
    struct source *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "source %s: %s", config->name, err_text(ERR_NOMEM));
    s->ops = &hand_source_ops;
    *out = s;
    return ERR_OK;
}

static void hand_destroy(struct source *s)
{
    free(s);
}

static void hand_begin(struct source *s, int64_t tick_s)
{
    (void)s, (void)tick_s;
}

static int hand_fds(const struct source *s, struct pollfd *out, int max)
{
    (void)s, (void)out, (void)max;
    return 0;
}

static int hand_wait_ms(const struct source *s)
{
    (void)s;
    return -1;
}

static bool hand_advance(struct source *s)
{
    (void)s;
    return true;
}

static enum err hand_take(struct source *s, size_t max_samples, struct harvest *h)
{
    (void)s, (void)max_samples;
    h->more = false;
    return ERR_OK;
}

static void hand_settled(struct source *s, bool spooled)
{
    (void)s, (void)spooled;
}

static void hand_abandon(struct source *s)
{
    (void)s;
}

const struct source_ops hand_source_ops = {
    .create = hand_create,
    .destroy = hand_destroy,
    .begin = hand_begin,
    .fds = hand_fds,
    .wait_ms = hand_wait_ms,
    .advance = hand_advance,
    .take = hand_take,
    .settled = hand_settled,
    .abandon = hand_abandon,
};
