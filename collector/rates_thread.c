// The shell around the rates' agent: HTTP, the way to the committer, the waiting. Nobody waits for it, and
// trouble with it never stops the collector.
#include "base/log.h"
#include "collector/rates_agent.h"
#include "collector/service.h"
#include "net/http.h"
#include <stdlib.h>

enum { IDLE_MS = 1000, PAUSE_MS = 200, RETRY_MS = 5000, ANSWER_MS = 200, FETCH_MS = 10000, LOG_EVERY = 60 };

struct rates_shell {
    struct service *s;
    struct reader *reader;
    struct rates_agent *agent;
    unsigned failures; // in a row
};

static bool is_stopping(const struct rates_shell *r)
{
    return atomic_load(&r->s->stop_ingest) || atomic_load(&r->s->failed);
}

static enum err fetch(void *ctx, const char *url, size_t max_bytes, char **body, size_t *len, struct diag *d)
{
    struct http_reply reply;
    (void)ctx;
    enum err e = http_get(url, max_bytes, FETCH_MS, &reply, d);
    if (e != ERR_OK)
        return e;
    if (reply.status != 200) {
        bool never = reply.status / 100 == 4 && reply.status != 408 && reply.status != 429;
        e = diag_fail(d, never ? ERR_NOT_FOUND : ERR_UNSUPPORTED, "%s: HTTP status %ld", url, reply.status);
        http_reply_deinit(&reply);
        return e;
    }
    *body = reply.body;
    *len = reply.len;
    return ERR_OK;
}

static enum err submit(void *ctx, struct rates_request *request, struct diag *d)
{
    struct rates_shell *r = ctx;
    struct item *item = item_create(ITEM_RATES, r->s->to_rates);
    void *p = NULL;
    if (!item)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    item->admin->rates = *request;
    if (queue_give(r->s->to_committer, item) != ERR_OK) {
        item_destroy(item);
        return diag_fail(d, ERR_AGAIN, "the committer is busy");
    }
    while (queue_take(r->s->to_rates, ANSWER_MS, &p) != ERR_OK)
        if (is_stopping(r))
            return diag_fail(d, ERR_AGAIN, "stopping");
    struct item *answer = p; // one is on the way at a time
    enum err e = answer->admin->result;
    *d = answer->admin->diag;
    *request = answer->admin->rates;
    item_destroy(answer);
    return e;
}

static enum err open_parts(struct rates_shell *r, struct diag *d)
{
    enum err e = r->reader ? ERR_OK : reader_open(r->s->config->state, &r->reader, d);
    const struct rates_agent_options o = {.config = &r->s->config->rates,
                                          .clock = r->s->clock,
                                          .counters = &r->s->counters,
                                          .reader = r->reader,
                                          .fetch = fetch,
                                          .submit = submit,
                                          .ctx = r};
    return e == ERR_OK ? rates_agent_create(&o, &r->agent, d) : e;
}

static void rest(const struct rates_shell *r, int ms)
{
    for (int left = ms; left > 0 && !is_stopping(r); left -= ANSWER_MS)
        (void)cursor_wait(r->s->committed, UINT64_MAX, left < ANSWER_MS ? left : ANSWER_MS);
}

static void step(struct rates_shell *r)
{
    struct diag d = {0};
    bool asked = false;
    enum err e = r->agent ? ERR_OK : open_parts(r, &d);
    if (e == ERR_OK)
        e = rates_agent_step(r->agent, &asked, &d);
    if (e == ERR_OK) {
        r->failures = 0;
        rest(r, asked ? PAUSE_MS : IDLE_MS);
        return;
    }
    collector_count(&r->s->counters, COUNTER_RATES_ERRORS, 1);
    if (!is_stopping(r) && r->failures++ % LOG_EVERY == 0)
        log_error("rates_error", F_TEXT("error", err_name(e)), F_TEXT("reason", d.text));
    rest(r, RETRY_MS);
}

static bool any_bank(const struct collector_rates *c)
{
    for (int b = 0; b < BANKS; b++)
        if (c->url[b])
            return true;
    return false;
}

void *rates_thread(void *service)
{
    struct rates_shell r = {.s = service};
    while (any_bank(&r.s->config->rates) && !is_stopping(&r))
        step(&r);
    rates_agent_destroy(r.agent);
    reader_close(r.reader);
    return NULL;
}
