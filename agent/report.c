// The command asks whoever holds the spool. A running agent holds it and answers over its socket once the
// figure is on disk; else the command takes the agent's own lock, so that no agent can start meanwhile, and
// writes it. Either way "reported" is printed only after the spool's sync.
#include "agent/report.h"
#include "agent/report_socket.h"
#include "agent/run.h"
#include "base/fs.h"
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ANSWER_MS    10000
#define ASK_TRIES    50 // an agent that is just starting or ending holds the lock and has no socket
#define ASK_AGAIN_MS 100

enum err report_encode(const struct report_request *r, char **out, struct diag *d)
{
    json_t *o = json_pack("{ss ss ss ss ss ss ss sb sb}", "series", r->series, "value", r->value, "period",
                          r->period, "status", r->status, "reason", r->reason, "author", r->author,
                          "published", r->published, "revise", r->revise, "confidential", r->confidential);
    if (!o)
        return diag_fail(d, ERR_INVALID, "the report's texts must be UTF-8");
    char *text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    if (!text)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    if (strlen(text) > REPORT_REQUEST_MAX) {
        free(text);
        return diag_fail(d, ERR_TOO_BIG, "the report's texts are too long");
    }
    *out = text;
    return ERR_OK;
}

enum err report_decode(const char *bytes, size_t len, struct report_request *out, void **holder,
                       struct diag *d)
{
    json_error_t why;
    struct report_request r;
    int revise = 0, confidential = 0;
    json_t *o = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &why);
    if (!o || json_unpack_ex(o, &why, JSON_STRICT, "{ss ss ss ss ss ss ss sb sb}", "series", &r.series,
                             "value", &r.value, "period", &r.period, "status", &r.status, "reason", &r.reason,
                             "author", &r.author, "published", &r.published, "revise", &revise,
                             "confidential", &confidential) != 0) {
        json_decref(o);
        return diag_fail(d, ERR_INVALID, "not a report: %s", why.text);
    }
    r.revise = revise != 0;
    r.confidential = confidential != 0;
    *out = r;
    *holder = o;
    return ERR_OK;
}

void report_forget(void *holder)
{
    json_decref(holder);
}

// ---- the command

static void nothing_changed(void *ctx)
{
    (void)ctx;
}

static enum err with_spool(const struct agent_config *c, struct spool *spool, const struct report_request *r,
                           char said[REPORT_ANSWER_MAX], struct diag *d)
{
    struct sampler *sampler = NULL;
    const struct sampler_options o = {
        .config = c, .clock = clock_system(), .spool = spool, .changed = nothing_changed};
    enum err e = sampler_create(&o, &sampler, d);
    if (e == ERR_OK)
        e = sampler_report(sampler, r, said, d);
    sampler_destroy(sampler);
    return e;
}

// The lock is held.
static enum err report_alone(const struct agent_config *c, const struct report_request *r,
                             char said[REPORT_ANSWER_MAX], struct diag *d)
{
    const struct spool_options o = {.max_bytes = c->spool_max_bytes,
                                    .max_age_us = c->spool_max_age_us,
                                    .tail_bytes = SPOOL_TAIL_BYTES,
                                    .tail_age_us = SPOOL_TAIL_US};
    struct spool *spool = NULL;
    struct spool_opened opened;
    enum err e = spool_open(c->state, &o, clock_system(), &spool, &opened, d);
    if (e == ERR_OK)
        e = with_spool(c, spool, r, said, d);
    spool_close(spool);
    return e;
}

// An agent that is about to listen, or to let go of the lock, is waited for.
static enum err report_somehow(const struct agent_config *c, const struct report_request *r,
                               char said[REPORT_ANSWER_MAX], struct diag *d)
{
    char lock_file[PATH_MAX], *request = NULL;
    int lock = -1;
    enum err e = fs_join(lock_file, sizeof lock_file, c->state, AGENT_LOCK_FILE);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: the path is too long", c->state);
    if ((e = fs_make_dirs(c->state, 0750, d)) != ERR_OK || (e = report_encode(r, &request, d)) != ERR_OK)
        return e;
    e = ERR_CLOSED;
    for (int i = 0; e == ERR_CLOSED && i < ASK_TRIES; i++) {
        const struct timespec moment = {.tv_nsec = ASK_AGAIN_MS * 1000000L};
        e = fs_lock(lock_file, &lock, d);
        if (e == ERR_OK) {
            e = report_alone(c, r, said, d);
            fs_unlock(lock);
            break;
        }
        if (e == ERR_EXISTS)
            e = report_socket_ask(c->state, request, ANSWER_MS, said, d);
        if (e == ERR_CLOSED)
            nanosleep(&moment, NULL);
    }
    free(request);
    return e;
}

enum err report_run(const struct agent_config *config, const struct report_request *r, FILE *out,
                    struct diag *d)
{
    char said[REPORT_ANSWER_MAX];
    enum err e = report_somehow(config, r, said, d);
    if (e == ERR_OK)
        fprintf(out, "%s\n", said);
    return e;
}
