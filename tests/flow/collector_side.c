// The same modules as in the service, driven by calls: what the threads add there is only who waits for whom.
#include "tests/flow/collector_side.h"
#include "tests/support/cmocka.h"
#include <stdio.h>
#include <string.h>

#define CATALOGUE "deploy/catalogue.yaml"
#define RESIDENT  "testpark/plant"

#define must(call)                                                                                           \
    do {                                                                                                     \
        struct diag must_d = {""};                                                                           \
        enum err must_e = (call);                                                                            \
        if (must_e != ERR_OK)                                                                                \
            fail_msg("%s: %s: %s", #call, err_name(must_e), must_d.text);                                    \
    } while (0)

static enum err send_to_agent(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct collector_side *c = ctx;
    uint64_t connection = 0;
    memcpy(&connection, peer->id, sizeof connection);
    if (connection != c->network->connection)
        return ERR_CLOSED;
    network_send(c->network, TO_AGENT, bytes, len);
    return ERR_OK;
}

static void let_in(struct collector_side *c)
{
    struct ledger_agent agent;
    struct diag d = {""};
    enum err e = ledger_agent_add(c->ledger, RESIDENT, c->agent_key, &agent, &d);
    if (e == ERR_EXISTS) { // opened again: it is the first and only one
        agent = (struct ledger_agent){.agent_id = 1, .key_id = 1, .resident = RESIDENT};
        memcpy(agent.public_key, c->agent_key, KEY_BYTES);
    } else if (e != ERR_OK) {
        fail_msg("ledger_agent_add: %s", d.text);
    }
    must(admission_create(&c->admission));
    must(admission_add(c->admission, &agent));
    assert_true(admission_decide(c->admission, c->agent_key, c->token));
}

void collector_side_open(struct collector_side *c)
{
    collector_counters_init(&c->counters);
    must(catalogue_load(CATALOGUE, &c->catalogue, &must_d));
    must(ledger_open(c->state, c->clock, &c->ledger, &must_d));
    let_in(c);
    must(reader_open(c->state, &c->committer_reader, &must_d));
    must(reader_open(c->state, &c->observer_reader, &must_d));
    must(reader_open(c->state, &c->rrd_reader, &must_d));
    const struct committer_options o = {.ledger = c->ledger,
                                        .reader = c->committer_reader,
                                        .catalogue = c->catalogue,
                                        .clock = c->clock,
                                        .counters = &c->counters,
                                        .admission = c->admission};
    must(committer_create(&o, &c->committer, &must_d));
    const struct ingest_options i = {.clock = c->clock,
                                     .admission = c->admission,
                                     .counters = &c->counters,
                                     .budget_bytes = 4u << 20,
                                     .max_items = sizeof c->items / sizeof *c->items,
                                     .max_connections = 64,
                                     .send = send_to_agent,
                                     .send_ctx = c};
    must(ingest_create(&i, &c->ingest));
    must(observations_open(c->state, &c->observations, &must_d));
    must(observations_reader_open(c->state, &c->points, &must_d));
    const struct rrd_writer_options w = {.state = c->state,
                                         .reader = c->rrd_reader,
                                         .observations = c->points,
                                         .clock = c->clock,
                                         .counters = &c->counters};
    must(rrd_writer_open(&w, &c->rrd, &must_d));
}

void collector_side_close(struct collector_side *c)
{
    must(rrd_writer_stop(c->rrd, true, &must_d));
    rrd_writer_close(c->rrd);
    observations_reader_close(c->points);
    observations_close(c->observations);
    for (size_t i = 0; i < c->item_count; i++)
        ingest_abandon(c->ingest, c->items[i]);
    c->item_count = 0;
    ingest_destroy(c->ingest);
    committer_destroy(c->committer);
    reader_close(c->rrd_reader);
    reader_close(c->observer_reader);
    reader_close(c->committer_reader);
    admission_destroy(c->admission);
    must(ledger_store_head(c->ledger, &must_d));
    ledger_close(c->ledger);
    catalogue_free(c->catalogue);
}

void collector_side_receive(struct collector_side *c, const struct packet *p)
{
    struct mq_message m = {.bytes = p->bytes, .len = p->len};
    struct item *item = NULL;
    m.peer.len = sizeof p->connection;
    memcpy(m.peer.id, &p->connection, sizeof p->connection);
    snprintf(m.token, sizeof m.token, "%s", c->token);
    if (!ingest_has_room(c->ingest))
        return; // a full collector's socket is not read: to the agent it is a message lost
    must(ingest_receive(c->ingest, &m, &item));
    if (item)
        c->items[c->item_count++] = item;
    if (c->item_count == sizeof c->items / sizeof *c->items)
        collector_side_step(c);
}

void collector_side_step(struct collector_side *c)
{
    if (c->item_count > 0) {
        must(committer_run(c->committer, c->items, c->item_count, &must_d));
        for (size_t i = 0; i < c->item_count; i++)
            ingest_finish(c->ingest, c->items[i]);
        c->item_count = 0;
    }
    struct mono now = clock_mono(c->clock);
    if (mono_diff_ms(now, c->ticked) >= 500) {
        c->ticked = now;
        ingest_tick(c->ingest, false);
    }
}

void collector_side_project(struct collector_side *c)
{
    size_t rows = 1, did = 1;
    while (rows > 0)
        must(observations_advance(c->observations, c->observer_reader, 1000, &rows, &must_d));
    rrd_writer_hurry(c->rrd);
    while (did > 0 || rrd_writer_landed(c->rrd) < ledger_position(c->ledger))
        must(rrd_writer_step(c->rrd, &did, &must_d));
}
