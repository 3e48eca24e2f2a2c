// Every step is synchronous, so a test reads as the protocol does: say, then look at what came back.
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char catalogue_file[] = "deploy/catalogue.yaml";

static void note_shut(void *ctx, int fd)
{
    ((struct bench *)ctx)->shut_fd = fd;
}

static enum err keep_reply(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct bench *b = ctx;
    if (b->send_result != ERR_OK)
        return b->send_result;
    assert_true(b->reply_count < sizeof b->replies / sizeof *b->replies);
    assert_true(len <= WIRE_MESSAGE_MAX_BYTES);
    struct bench_reply *r = &b->replies[b->reply_count++];
    r->peer = *peer;
    r->len = len;
    memcpy(r->bytes, bytes, len);
    return ERR_OK;
}

static enum err admit_known(void *ctx, const struct ledger_agent *a)
{
    return admission_add(ctx, a);
}

static void open_parts(struct bench *b)
{
    struct diag d = {0};
    collector_counters_init(&b->counters);
    if (ledger_open(b->folder.path, &b->clock.clock, &b->ledger, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(reader_open(b->folder.path, &b->reader, &d), ERR_OK);
    assert_int_equal(admission_create(&b->admission), ERR_OK);
    assert_int_equal(audit_tally_create(&b->clock.clock, &b->tally), ERR_OK);
    assert_int_equal(ledger_agents(b->ledger, admit_known, b->admission, &d), ERR_OK);
    struct ingest_options in = {.clock = &b->clock.clock,
                                .admission = b->admission,
                                .counters = &b->counters,
                                .tally = b->tally,
                                .budget_bytes = 1u << 20,
                                .max_items = 64,
                                .max_connections = 16,
                                .send = keep_reply,
                                .shut = note_shut,
                                .duties = b->duties,
                                .quotas = b->quotas,
                                .send_ctx = b};
    assert_int_equal(ingest_create(&in, &b->ingest), ERR_OK);
    struct committer_options c = {.ledger = b->ledger,
                                  .reader = b->reader,
                                  .catalogue = b->catalogue,
                                  .clock = &b->clock.clock,
                                  .counters = &b->counters,
                                  .quotas = b->quotas,
                                  .admission = b->admission,
                                  .tally = b->tally};
    assert_int_equal(committer_create(&c, &b->committer, &d), ERR_OK);
}

static void close_parts(struct bench *b)
{
    ingest_destroy(b->ingest);
    committer_destroy(b->committer);
    admission_destroy(b->admission);
    audit_tally_destroy(b->tally);
    reader_close(b->reader);
    ledger_close(b->ledger);
}

int bench_setup(void **state)
{
    struct diag d = {0};
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    *state = b;
    if (crypto_init() != ERR_OK || test_folder_make(&b->folder) != 0)
        return -1;
    fake_clock_init(&b->clock, BENCH_NOW_S * US_PER_S);
    if (catalogue_load(catalogue_file, &b->catalogue, &d) != ERR_OK)
        fail_msg("%s (tests run from the repository's root)", d.text);
    assert_int_equal(wire_arena_create(&b->arena), ERR_OK);
    assert_int_equal(wire_builder_create(&b->builder), ERR_OK);
    buf_init(&b->out, WIRE_MESSAGE_MAX_BYTES);
    b->peer = (struct mq_peer){.id = {1, 2, 3, 4, 5}, .len = 5};
    memset(b->incarnation.bytes, 7, sizeof b->incarnation.bytes);
    open_parts(b);
    bench_admit(b, "almaty-iz/acme", &b->agent, b->token);
    return 0;
}

int bench_teardown(void **state)
{
    struct bench *b = *state;
    close_parts(b);
    buf_deinit(&b->out);
    wire_builder_destroy(b->builder);
    wire_arena_destroy(b->arena);
    catalogue_free(b->catalogue);
    int result = test_folder_remove(&b->folder);
    free(b);
    return result;
}

void bench_restart(struct bench *b)
{
    struct diag d = {0};
    assert_int_equal(ledger_store_head(b->ledger, &d), ERR_OK);
    close_parts(b);
    open_parts(b);
    assert_true(admission_decide(b->admission, b->agent.public_key, b->token));
    bench_clear(b);
}

void bench_admit(struct bench *b, const char *resident, struct ledger_agent *agent,
                 char token[ADMISSION_TOKEN])
{
    struct diag d = {0};
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES];
    crypto_keypair(public_key, secret_key);
    if (ledger_agent_add(b->ledger, resident, public_key, agent, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(admission_add(b->admission, agent), ERR_OK);
    assert_true(admission_decide(b->admission, public_key, token));
}

// ---- messages -----------------------------------------------------------------------------------
struct item *bench_ingest(struct bench *b, const struct mq_peer *peer, const char *token, const void *bytes,
                          size_t len)
{
    struct mq_message m = {.peer = *peer, .fd = peer->id[0] + 100, .len = len};
    struct item *item = NULL;
    void *copy = malloc(len + 1); // a buffer of its own: a read past its end shows
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    m.bytes = copy;
    strncpy(m.token, token, sizeof m.token - 1);
    assert_int_equal(ingest_receive(b->ingest, &m, &item), ERR_OK);
    free(copy);
    return item;
}

void bench_receive(struct bench *b, const struct mq_peer *peer, const char *token, const void *bytes,
                   size_t len)
{
    struct diag d = {0};
    struct item *item = bench_ingest(b, peer, token, bytes, len);
    if (!item)
        return;
    if (committer_run(b->committer, &item, 1, &d) != ERR_OK)
        fail_msg("%s", d.text);
    ingest_finish(b->ingest, item);
}

void bench_send(struct bench *b, const struct wire_message *m)
{
    buf_reset(&b->out);
    assert_int_equal(wire_encode(m, &b->out), ERR_OK);
    bench_receive(b, &b->peer, b->token, b->out.data, b->out.len);
}

void bench_clear(struct bench *b)
{
    b->reply_count = 0;
}

struct wire_message bench_reply(struct bench *b, size_t i, enum wire_type type)
{
    struct wire_message m;
    struct diag d = {0};
    assert_true(i < b->reply_count);
    if (wire_decode(b->arena, b->replies[i].bytes, b->replies[i].len, &m, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_string_equal(wire_type_name(m.type), wire_type_name(type));
    return m;
}

struct wire_message bench_hello_message(const struct bench *b)
{
    return (struct wire_message){.type = WIRE_HELLO,
                                 .hello = {.protocol = WIRE_PROTOCOL,
                                           .version = "1.2.3",
                                           .clock_us = b->clock.wall_us + 1500000,
                                           .incarnation = b->incarnation,
                                           .last_written = 0}};
}

void bench_hello(struct bench *b)
{
    struct wire_message m = bench_hello_message(b);
    bench_clear(b);
    bench_send(b, &m);
    (void)bench_reply(b, 0, WIRE_WELCOME);
    bench_clear(b);
}

struct wire_message bench_declare_message(const struct bench *b, uint32_t number, const char *series,
                                          const char *unit, enum wire_class class)
{
    return (struct wire_message){.type = WIRE_DECLARE,
                                 .declare = {.incarnation = b->incarnation,
                                             .number = number,
                                             .series = series,
                                             .unit = unit,
                                             .currency = strcmp(unit, "money") == 0 ? "KZT" : "",
                                             .class = class,
                                             .step_s = class == WIRE_MEASUREMENT ? 10 : 0,
                                             .period = class == WIRE_REPORT ? 2 : 0}};
}

void bench_declare(struct bench *b, uint32_t number, const char *series, const char *unit,
                   enum wire_class class)
{
    struct wire_message m = bench_declare_message(b, number, series, unit, class);
    bench_clear(b);
    bench_send(b, &m);
    if (b->reply_count > 0)
        fail_msg("%s", bench_reply(b, 0, WIRE_REFUSE).refuse.text);
}

struct wire_sample bench_sample(uint32_t series, int64_t time, int64_t value)
{
    struct wire_sample s = {.series = series, .time = time};
    assert_int_equal(figure_from_integer(value, &s.value), ERR_OK);
    return s;
}

void bench_build(struct bench *b, uint64_t sequence, enum wire_class class, const struct wire_sample *samples,
                 const struct wire_note *note, size_t count)
{
    wire_builder_reset(b->builder, class, WIRE_MESSAGE_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(wire_builder_add(b->builder, &samples[i], i == 0 ? note : NULL), ERR_OK);
    buf_reset(&b->out);
    assert_int_equal(wire_builder_finish(b->builder, &b->incarnation, sequence, &b->out), ERR_OK);
}

void bench_batch(struct bench *b, uint64_t sequence, enum wire_class class, const struct wire_sample *samples,
                 size_t count)
{
    bench_build(b, sequence, class, samples, NULL, count);
    bench_receive(b, &b->peer, b->token, b->out.data, b->out.len);
}

uint64_t bench_counted(const struct bench *b, enum collector_counter id)
{
    return collector_counted(&b->counters, id);
}
