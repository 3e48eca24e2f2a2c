// What the uplink asks of the spool's owner is queued and done after the call that asked, as it is between
// the threads.
#include "tests/flow/agent_side.h"
#include "tests/support/cmocka.h"

#define must(call)                                                                                           \
    do {                                                                                                     \
        struct diag must_d = {""};                                                                           \
        enum err must_e = (call);                                                                            \
        if (must_e != ERR_OK)                                                                                \
            fail_msg("%s: %s: %s", #call, err_name(must_e), must_d.text);                                    \
    } while (0)

// ---- what the uplink may ask for
// ------------------------------------------------------------------------------------
static enum err io_send(void *ctx, const void *bytes, size_t len)
{
    struct agent_side *a = ctx;
    network_send(a->network, TO_COLLECTOR, bytes, len);
    return ERR_OK;
}

static void io_transport(void *ctx, enum uplink_transport what)
{
    struct agent_side *a = ctx;
    if (what == UPLINK_OPEN)
        a->disconnected = true;
    else
        network_cut(a->network);
}

static enum err io_message(void *ctx, uint64_t first, struct spool_message *out, struct diag *d)
{
    return spool_reader_message(((struct agent_side *)ctx)->reader, first, out, d);
}

static enum err io_declare(void *ctx, uint32_t number, struct wire_declare *out, struct diag *d)
{
    return spool_reader_declare(((struct agent_side *)ctx)->reader, number, out, d);
}

static struct sampler_request *ask(void *ctx, enum sampler_request_type type)
{
    struct agent_side *a = ctx;
    assert_true(a->request_count < AGENT_SIDE_REQUESTS);
    struct sampler_request *r = &a->requests[a->request_count++];
    *r = (struct sampler_request){.type = type};
    return r;
}

static void io_acknowledged(void *ctx, uint64_t sequence, const struct wire_receipt *receipt)
{
    struct sampler_request *r = ask(ctx, SAMPLER_ACKNOWLEDGE);
    r->sequence = sequence;
    r->receipt = *receipt;
}

static void io_allow(void *ctx, bool sending)
{
    ask(ctx, SAMPLER_ALLOW)->sending = sending;
}

static void io_rewind(void *ctx, uint64_t last)
{
    ask(ctx, SAMPLER_REWIND)->sequence = last;
}

static void io_renew(void *ctx)
{
    (void)ask(ctx, SAMPLER_RENEW);
}

static uint32_t io_random(void *ctx, uint32_t below)
{
    return (uint32_t)random_below(&((struct agent_side *)ctx)->random, below);
}

static void io_event(void *ctx, const struct uplink_event *e)
{
    ((struct agent_side *)ctx)->events[e->type]++;
}

static void on_changed(void *ctx)
{
    ((struct agent_side *)ctx)->changed = true;
}

// ---- life
// ------------------------------------------------------------------------------------------------------------
static void open_spool(struct agent_side *a)
{
    const struct spool_options o = {.max_bytes = a->config->spool_max_bytes,
                                    .max_age_us = a->config->spool_max_age_us,
                                    .tail_bytes = SPOOL_TAIL_BYTES,
                                    .tail_age_us = SPOOL_TAIL_US};
    struct spool_opened opened = {0};
    must(spool_open(a->config->state, &o, a->clock, &a->spool, &opened, &must_d));
    must(spool_reader_open(a->config->state, &a->reader, &must_d));
}

void agent_side_open(struct agent_side *a)
{
    must(agent_config_load(a->config_path, &a->config, &must_d));
    open_spool(a);
    const struct sampler_options s = {
        .config = a->config, .clock = a->clock, .spool = a->spool, .changed = on_changed, .ctx = a};
    must(sampler_create(&s, &a->sampler, &must_d));
    const struct uplink_io io = {.ctx = a,
                                 .send = io_send,
                                 .transport = io_transport,
                                 .message = io_message,
                                 .declare = io_declare,
                                 .acknowledged = io_acknowledged,
                                 .allow = io_allow,
                                 .rewind = io_rewind,
                                 .renew = io_renew,
                                 .random = io_random,
                                 .event = io_event};
    must(uplink_core_create(a->clock, &io, "flow", &a->uplink));
    uplink_core_spool(a->uplink, spool_peek(a->spool));
}

void agent_side_close(struct agent_side *a)
{
    uplink_core_destroy(a->uplink);
    must(sampler_settle(a->sampler, &must_d));
    sampler_destroy(a->sampler);
    spool_reader_close(a->reader);
    spool_close(a->spool);
    agent_config_free(a->config);
    a->request_count = 0;
}

static void settle_requests(struct agent_side *a)
{
    bool any = a->request_count > 0 || a->changed;
    for (size_t i = 0; i < a->request_count; i++)
        must(sampler_request(a->sampler, &a->requests[i], &must_d));
    a->request_count = 0;
    a->changed = false;
    if (any)
        uplink_core_spool(a->uplink, spool_peek(a->spool));
}

void agent_side_connect(struct agent_side *a)
{
    uplink_core_connected(a->uplink);
    settle_requests(a);
}

void agent_side_receive(struct agent_side *a, const struct packet *p)
{
    uplink_core_message(a->uplink, p->bytes, p->len);
    settle_requests(a);
}

void agent_side_step(struct agent_side *a)
{
    must(sampler_step(a->sampler, &must_d));
    settle_requests(a);
    uplink_core_tick(a->uplink);
    settle_requests(a);
}

int agent_side_wait_ms(const struct agent_side *a)
{
    int sampler = sampler_wait_ms(a->sampler), uplink = uplink_core_wait_ms(a->uplink);
    return sampler < 0 || (uplink >= 0 && uplink < sampler) ? uplink : sampler;
}

bool agent_side_done(const struct agent_side *a)
{
    return uplink_core_done(a->uplink) && spool_peek(a->spool)->counters.spooled == 0;
}
