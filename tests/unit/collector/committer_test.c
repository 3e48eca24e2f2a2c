// Each rule of sequences, declares and reconciliation in esep.proto, against a real ledger.
#include "collector/committer_state.h"
#include "collector/desk_state.h"
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup_declared(void **state)
{
    if (bench_setup(state) != 0)
        return -1;
    bench_hello(*state);
    bench_declare(*state, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    bench_declare(*state, 1, "jobs_total", "person", WIRE_REPORT);
    bench_declare(*state, 2, "inv", "money", WIRE_REPORT);
    return 0;
}

static void send_one(struct bench *b, uint64_t sequence, int64_t value)
{
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, value);
    bench_clear(b);
    bench_batch(b, sequence, WIRE_MEASUREMENT, &s, 1);
}

static uint64_t acknowledged(struct bench *b)
{
    return bench_reply(b, b->reply_count - 1, WIRE_ACK).ack.sequence;
}

// ---- sequences ----------------------------------------------------------------------------------
static void the_first_batch_is_stored_and_acknowledged_with_its_receipt(void **state)
{
    struct bench *b = *state;
    static const uint8_t zeros[WIRE_CHAIN_BYTES];
    send_one(b, 1, 5);
    struct wire_message m = bench_reply(b, 0, WIRE_ACK);
    assert_int_equal(m.ack.sequence, 1);
    assert_int_equal(m.ack.receipt.position, ledger_position(b->ledger));
    assert_memory_not_equal(m.ack.receipt.chain, zeros, sizeof zeros);
    assert_int_equal(bench_counted(b, COUNTER_BATCHES_STORED), 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
}

static void a_repeat_is_acknowledged_and_not_stored_again(void **state)
{
    struct bench *b = *state;
    send_one(b, 1, 5);
    uint64_t position = ledger_position(b->ledger);
    send_one(b, 1, 5);
    assert_int_equal(acknowledged(b), 1);
    assert_int_equal(ledger_position(b->ledger), position);
    assert_int_equal(bench_counted(b, COUNTER_BATCHES_REPEATED), 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
}

// An agent that may be a copy waits for the word on each message it sends again.
static void every_repeat_of_a_group_is_named_in_an_acknowledgement_of_its_own(void **state)
{
    struct bench *b = *state;
    struct item *items[3];
    struct diag d = {0};
    send_one(b, 1, 5);
    assert_int_equal(bench_reply(b, b->reply_count - 1, WIRE_ACK).ack.repeat, 0);
    send_one(b, 2, 6);
    for (uint64_t i = 0; i < 3; i++) {
        struct wire_sample s = bench_sample(0, BENCH_NOW_S, 5 + (int64_t)i);
        bench_build(b, i + 1, WIRE_MEASUREMENT, &s, NULL, 1);
        items[i] = bench_ingest(b, &b->peer, b->token, b->out.data, b->out.len);
    }
    bench_clear(b);
    assert_int_equal(committer_run(b->committer, items, 3, &d), ERR_OK);
    for (int i = 0; i < 3; i++)
        ingest_finish(b->ingest, items[i]);
    assert_int_equal(b->reply_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(bench_reply(b, i, WIRE_ACK).ack.repeat, i < 2 ? i + 1 : 0);
    assert_int_equal(acknowledged(b), 3);
}

static void an_earlier_repeat_is_acknowledged_up_to_the_watermark(void **state)
{
    struct bench *b = *state;
    send_one(b, 1, 5);
    send_one(b, 2, 6);
    send_one(b, 1, 5);
    assert_int_equal(acknowledged(b), 2);
}

static void other_bytes_under_a_stored_sequence_are_refused_with_an_alarm(void **state)
{
    struct bench *b = *state;
    send_one(b, 1, 5);
    send_one(b, 1, 6);
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_OTHER_BODY);
    assert_int_equal(bench_counted(b, COUNTER_BODIES_CONTRADICTED), 1);
}

static void an_out_of_order_batch_is_dropped_and_the_watermark_acknowledged(void **state)
{
    struct bench *b = *state;
    send_one(b, 1, 5);
    send_one(b, 3, 7);
    assert_int_equal(acknowledged(b), 1);
    assert_int_equal(bench_counted(b, COUNTER_BATCHES_OUT_OF_ORDER), 1);
    send_one(b, 2, 6);
    send_one(b, 3, 7);
    assert_int_equal(acknowledged(b), 3);
}

static void a_sequence_of_zero_is_never_stored(void **state)
{
    struct bench *b = *state;
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 1);
    bench_clear(b);
    wire_builder_reset(b->builder, WIRE_MEASUREMENT, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_builder_add(b->builder, &s, NULL), ERR_OK);
    buf_reset(&b->out);
    if (wire_builder_finish(b->builder, &b->incarnation, 0, &b->out) == ERR_OK)
        bench_receive(b, &b->peer, b->token, b->out.data, b->out.len);
    assert_int_equal(ledger_position(b->ledger), 0);
}

static void watermarks_survive_a_restart(void **state)
{
    struct bench *b = *state;
    send_one(b, 1, 5);
    send_one(b, 2, 6);
    bench_restart(b);
    struct wire_message m = bench_hello_message(b);
    m.hello.last_written = 2;
    bench_send(b, &m);
    struct wire_message w = bench_reply(b, 0, WIRE_WELCOME);
    assert_int_equal(w.welcome.last_sequence, 2);
    assert_int_equal(w.welcome.declares_known, 3);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 2); // durable, loaded
    send_one(b, 2, 6);
    assert_int_equal(acknowledged(b), 2);
}

static void a_group_is_one_transaction_and_one_acknowledgement(void **state)
{
    struct bench *b = *state;
    struct item *items[5];
    struct diag d = {0};
    for (uint64_t i = 0; i < 5; i++) {
        struct wire_sample s = bench_sample(0, BENCH_NOW_S + (int64_t)i * 10, 1);
        bench_build(b, i + 1, WIRE_MEASUREMENT, &s, NULL, 1);
        items[i] = bench_ingest(b, &b->peer, b->token, b->out.data, b->out.len);
    }
    uint64_t commits = bench_counted(b, COUNTER_COMMITS);
    bench_clear(b);
    assert_int_equal(committer_run(b->committer, items, 5, &d), ERR_OK);
    for (int i = 0; i < 5; i++)
        ingest_finish(b->ingest, items[i]);
    assert_int_equal(bench_counted(b, COUNTER_COMMITS), commits + 1);
    assert_int_equal(b->reply_count, 1);
    assert_int_equal(acknowledged(b), 5);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.receipt.position, 5);
}

static void items_committed_once_are_not_committed_again(void **state)
{
    struct bench *b = *state;
    struct diag d = {0};
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 1);
    bench_build(b, 1, WIRE_MEASUREMENT, &s, NULL, 1);
    struct item *item = bench_ingest(b, &b->peer, b->token, b->out.data, b->out.len);
    assert_int_equal(committer_run(b->committer, &item, 1, &d), ERR_OK);
    assert_int_equal(committer_run(b->committer, &item, 1, &d), ERR_OK); // as after a group that was put off
    assert_int_equal(bench_counted(b, COUNTER_BATCHES_REPEATED), 0);
    assert_int_equal(ledger_position(b->ledger), 1);
    ingest_finish(b->ingest, item);
}

static sqlite3 *opened;
static int note_opened(sqlite3 *db, const char **error, const struct sqlite3_api_routines *api)
{
    (void)error;
    (void)api;
    opened = db;
    return SQLITE_OK;
}

static int interrupt(void *ctx)
{
    return ctx == NULL;
}

static void what_comes_while_closings_cannot_be_read_is_kept_and_not_refused(void **state)
{
    struct bench *b = *state;
    struct desk *desk = b->committer->desk;
    struct reader *usual = desk->o.reader;
    struct diag d = {0};
    struct wire_sample s = bench_sample(0, BENCH_NOW_S, 1);
    sqlite3_auto_extension((void (*)(void))note_opened);
    assert_int_equal(reader_open(b->folder.path, &desk->o.reader, &d), ERR_OK);
    sqlite3_reset_auto_extension();
    sqlite3_progress_handler(opened, 1, interrupt, NULL);
    desk->behind = true;
    bench_build(b, 1, WIRE_MEASUREMENT, &s, NULL, 1);
    struct item *item = bench_ingest(b, &b->peer, b->token, b->out.data, b->out.len);
    assert_int_equal(committer_run(b->committer, &item, 1, &d), ERR_AGAIN);
    assert_int_equal(item->message.outcome.kind, OUTCOME_NONE);
    assert_int_equal(ledger_position(b->ledger), 0);
    sqlite3_progress_handler(opened, 0, NULL, NULL);
    assert_int_equal(committer_run(b->committer, &item, 1, &d), ERR_OK);
    assert_int_equal(ledger_position(b->ledger), 1);
    ingest_finish(b->ingest, item);
    reader_close(desk->o.reader);
    desk->o.reader = usual;
}

// ---- gaps ---------------------------------------------------------------------------------------
static struct wire_message gap(const struct bench *b, uint64_t first, uint64_t last, uint64_t samples)
{
    return (struct wire_message){.type = WIRE_GAP,
                                 .gap = {.incarnation = b->incarnation,
                                         .first = first,
                                         .last = last,
                                         .samples = samples,
                                         .from_s = BENCH_NOW_S - 100,
                                         .to_s = BENCH_NOW_S,
                                         .reason = WIRE_GAP_QUOTA_BYTES}};
}

static void a_gap_moves_the_watermark_to_its_end(void **state)
{
    struct bench *b = *state;
    struct wire_message m = gap(b, 1, 4, 77);
    bench_send(b, &m);
    assert_int_equal(acknowledged(b), 4);
    send_one(b, 5, 1);
    assert_int_equal(acknowledged(b), 5);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_GAP), 77);
    bench_clear(b);
    bench_send(b, &m);
    assert_int_equal(acknowledged(b), 5);
    assert_int_equal(bench_counted(b, COUNTER_BATCHES_REPEATED), 1);
}

static void a_gap_with_other_bytes_is_refused(void **state)
{
    struct bench *b = *state;
    struct wire_message m = gap(b, 1, 4, 77);
    bench_send(b, &m);
    m.gap.samples = 78;
    bench_clear(b);
    bench_send(b, &m);
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_OTHER_BODY);
}

static void a_gap_out_of_order_is_dropped(void **state)
{
    struct bench *b = *state;
    struct wire_message m = gap(b, 3, 4, 2);
    bench_send(b, &m);
    assert_int_equal(acknowledged(b), 0);
    assert_int_equal(bench_counted(b, COUNTER_GAPS_STORED), 0);
}

static void a_gap_of_more_samples_than_can_be_is_refused(void **state)
{
    struct bench *b = *state;
    struct wire_message m = gap(b, 1, 4, UINT64_C(1) << 40);
    bench_send(b, &m);
    assert_int_equal(bench_reply(b, 0, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_BAD_MESSAGE);
    assert_int_equal(ledger_position(b->ledger), 0);
}

// ---- verdicts -----------------------------------------------------------------------------------
static void refused_samples_are_stored_with_their_verdict_and_acknowledged(void **state)
{
    struct bench *b = *state;
    struct wire_sample s[3] = {bench_sample(0, BENCH_NOW_S, 1), bench_sample(0, BENCH_NOW_S + 3, 2),
                               bench_sample(0, BENCH_NOW_S + 1000, 3)};
    bench_batch(b, 1, WIRE_MEASUREMENT, s, 3);
    struct wire_message m = bench_reply(b, 0, WIRE_REJECT);
    assert_int_equal(m.reject.sequence, 1);
    assert_int_equal(m.reject.count, 2);
    assert_int_equal(m.reject.refusals[0].index, 1);
    assert_int_equal(m.reject.refusals[0].reason, WIRE_REASON_OFF_STEP);
    assert_int_equal(m.reject.refusals[1].index, 2);
    assert_int_equal(m.reject.refusals[1].reason, WIRE_REASON_FUTURE);
    assert_int_equal(bench_reply(b, 1, WIRE_ACK).ack.sequence, 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_QUARANTINED), 2);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_FUTURE), 1);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_OFF_STEP), 1);
}

static enum err count_sample(void *ctx, const struct reader_sample *sample)
{
    (void)sample;
    ++*(int *)ctx;
    return ERR_OK;
}

struct rows_ctx {
    struct bench *b;
    int rows, samples;
    uint32_t refused;
};

static enum err count_row(void *ctx, const struct reader_row *row)
{
    struct rows_ctx *c = ctx;
    c->rows++;
    c->refused += row->refused;
    return reader_samples(c->b->reader, row, count_sample, &c->samples, NULL);
}

static void a_batch_refused_for_one_reason_has_a_whole_verdict(void **state)
{
    struct bench *b = *state;
    static struct wire_sample s[4000];
    struct rows_ctx c = {.b = b};
    uint64_t last;
    for (size_t i = 0; i < 4000; i++)
        s[i] = bench_sample(0, BENCH_NOW_S + 1000, 1);
    bench_batch(b, 1, WIRE_MEASUREMENT, s, 4000);
    struct wire_message m = bench_reply(b, 0, WIRE_REJECT);
    assert_true(m.reject.whole);
    assert_int_equal(m.reject.whole_reason, WIRE_REASON_FUTURE);
    assert_int_equal(reader_rows(b->reader, 0, 10, count_row, &c, &last, NULL), ERR_OK);
    assert_int_equal(c.rows, 1);
    assert_int_equal(c.refused, 4000);
    assert_int_equal(c.samples, 0);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_QUARANTINED), 4000);
}

static void a_verdict_too_long_for_its_list_refuses_the_whole_batch(void **state)
{
    struct bench *b = *state;
    static struct wire_sample s[WIRE_SAMPLES_MAX];
    size_t count = 0;
    wire_builder_reset(b->builder, WIRE_MEASUREMENT, WIRE_MESSAGE_MAX_BYTES);
    for (; count < WIRE_SAMPLES_MAX; count++) {
        s[count] = bench_sample(0, BENCH_NOW_S + 1000 + (count % 2 ? 1 : 0) * -999, 0);
        if (count == 0)
            s[0] = bench_sample(0, BENCH_NOW_S, 1);
        if (wire_builder_add(b->builder, &s[count], NULL) != ERR_OK)
            break;
    }
    buf_reset(&b->out);
    assert_int_equal(wire_builder_finish(b->builder, &b->incarnation, 1, &b->out), ERR_OK);
    bench_receive(b, &b->peer, b->token, b->out.data, b->out.len);
    struct wire_message m = bench_reply(b, 0, WIRE_REJECT);
    uint64_t refused = m.reject.whole ? count : m.reject.count;
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_QUARANTINED), refused);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED) + refused, count);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_FUTURE) + bench_counted(b, COUNTER_REFUSED_OFF_STEP),
                     refused);
    assert_int_equal(acknowledged(b), 1);
}

// ---- declares -----------------------------------------------------------------------------------
static void a_batch_that_needs_unknown_declares_asks_for_them(void **state)
{
    struct bench *b = *state;
    struct wire_sample s = bench_sample(3, BENCH_NOW_S, 5);
    bench_batch(b, 1, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_NEED_DECLARE).need_declare_from, 3);
    assert_int_equal(ledger_position(b->ledger), 0);
    bench_declare(b, 3, "out_units/pumps", "piece", WIRE_MEASUREMENT);
    bench_batch(b, 1, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(acknowledged(b), 1);
}

static void a_declare_again_is_accepted(void **state)
{
    struct bench *b = *state;
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    assert_int_equal(bench_counted(b, COUNTER_DECLARES_REFUSED), 0);
}

static enum wire_refuse_reason declare_refused(struct bench *b, struct wire_message m)
{
    uint64_t before = bench_counted(b, COUNTER_DECLARES_REFUSED);
    bench_clear(b);
    bench_send(b, &m);
    assert_int_equal(bench_counted(b, COUNTER_DECLARES_REFUSED), before + 1);
    struct wire_message r = bench_reply(b, 0, WIRE_REFUSE);
    assert_true(strlen(r.refuse.text) > 10);
    return r.refuse.reason;
}

static void declares_that_contradict_are_refused(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_declare_message(b, 0, "out_units/pumps", "piece", WIRE_MEASUREMENT);
    assert_int_equal(declare_refused(b, m), WIRE_REFUSE_DECLARE_CONFLICT);
    m = bench_declare_message(b, 7, "out_units/pumps", "piece", WIRE_MEASUREMENT); // a hole
    assert_int_equal(declare_refused(b, m), WIRE_REFUSE_DECLARE_CONFLICT);
    m = bench_declare_message(b, 3, "out_units/lifts", "piece", WIRE_REPORT); // another class
    assert_int_equal(declare_refused(b, m), WIRE_REFUSE_DECLARE_CONFLICT);
    m = bench_declare_message(b, COLLECTOR_MAX_SERIES, "out_units/pumps", "piece", WIRE_MEASUREMENT);
    assert_int_equal(declare_refused(b, m), WIRE_REFUSE_OVER_QUOTA);
}

static void a_series_of_another_agent_is_refused(void **state)
{
    struct bench *b = *state;
    struct ledger_agent second;
    bench_admit(b, "almaty-iz/acme", &second, b->token);
    b->peer.id[0] ^= 1;
    b->incarnation.bytes[0] ^= 1;
    bench_hello(b);
    struct wire_message m = bench_declare_message(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    assert_int_equal(declare_refused(b, m), WIRE_REFUSE_SERIES_OWNED);
}

// ---- reconciliation at Hello --------------------------------------------------------------------
static void hello_again(struct bench *b, struct wire_message m)
{
    bench_clear(b);
    bench_send(b, &m);
    (void)bench_reply(b, 0, WIRE_WELCOME);
}

static void an_honest_receipt_raises_no_alarm(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    send_one(b, 1, 5);
    m.hello.last_written = m.hello.last_acknowledged = 1;
    m.hello.last_receipt = bench_reply(b, 0, WIRE_ACK).ack.receipt;
    hello_again(b, m);
    assert_int_equal(bench_counted(b, COUNTER_RECEIPTS_CONTRADICTED), 0);
    assert_int_equal(bench_counted(b, COUNTER_LEDGER_BEHIND), 0);
    assert_int_equal(bench_counted(b, COUNTER_AGENTS_BEHIND), 0);
}

static void a_receipt_that_is_not_in_the_chain_raises_an_alarm(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    send_one(b, 1, 5);
    m.hello.last_written = m.hello.last_acknowledged = 1;
    m.hello.last_receipt = bench_reply(b, 0, WIRE_ACK).ack.receipt;
    m.hello.last_receipt.chain[3] ^= 1;
    hello_again(b, m);
    assert_int_equal(bench_counted(b, COUNTER_RECEIPTS_CONTRADICTED), 1);
    m.hello.last_receipt.position = 99;
    hello_again(b, m);
    assert_int_equal(bench_counted(b, COUNTER_RECEIPTS_CONTRADICTED), 2);
}

static void a_ledger_behind_what_it_acknowledged_raises_an_alarm(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    m.hello.last_written = m.hello.last_acknowledged = 10;
    m.hello.last_receipt.position = 10;
    hello_again(b, m);
    assert_int_equal(bench_counted(b, COUNTER_LEDGER_BEHIND), 1);
    assert_int_equal(bench_counted(b, COUNTER_RECEIPTS_CONTRADICTED), 0);
}

static void a_spool_behind_what_is_stored_raises_an_alarm(void **state)
{
    struct bench *b = *state;
    struct wire_message m = bench_hello_message(b);
    send_one(b, 1, 5);
    send_one(b, 2, 5);
    m.hello.last_written = 1;
    hello_again(b, m);
    assert_int_equal(bench_counted(b, COUNTER_AGENTS_BEHIND), 1);
}

// ---- keys ---------------------------------------------------------------------------------------
static void expect_a_way_out(const struct item *item)
{
    assert_non_null(strstr(item->admin->diag.text, "remove agent.key from the agent's state folder"));
}

static enum err admit(struct bench *b, const char *resident, const uint8_t key[KEY_BYTES], int64_t *key_id)
{
    struct item *item = item_create(ITEM_ADMIT, NULL);
    strcpy(item->admin->agent.resident, resident);
    memcpy(item->admin->agent.public_key, key, KEY_BYTES);
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    enum err e = item->admin->result;
    *key_id = item->admin->agent.key_id;
    if (e == ERR_CONFLICT || e == ERR_DENIED)
        expect_a_way_out(item);
    item_destroy(item);
    return e;
}

static void admitting_is_idempotent_and_a_key_has_one_resident(void **state)
{
    struct bench *b = *state;
    uint8_t public_key[KEY_BYTES], secret[KEY_BYTES];
    char token[ADMISSION_TOKEN];
    int64_t first, again;
    crypto_keypair(public_key, secret);
    assert_false(admission_decide(b->admission, public_key, token));
    assert_int_equal(admit(b, "penza/rosstat", public_key, &first), ERR_OK);
    assert_int_equal(admit(b, "penza/rosstat", public_key, &again), ERR_OK);
    assert_int_equal(first, again);
    assert_true(admission_decide(b->admission, public_key, token));
    assert_int_equal(admit(b, "penza/other", public_key, &again), ERR_CONFLICT);
    assert_int_equal(admit(b, "penza/all", secret, &again), ERR_INVALID);
    assert_int_equal(admit(b, "penza", secret, &again), ERR_INVALID);
}

static void a_revoked_key_stays_out_after_a_restart(void **state)
{
    struct bench *b = *state;
    uint8_t public_key[KEY_BYTES], secret[KEY_BYTES];
    char token[ADMISSION_TOKEN];
    int64_t key_id, again;
    crypto_keypair(public_key, secret);
    assert_int_equal(admit(b, "penza/rosstat", public_key, &key_id), ERR_OK);
    struct item *item = item_create(ITEM_REVOKE, NULL);
    item->admin->agent.key_id = key_id;
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    assert_int_equal(item->admin->result, ERR_OK);
    item->admin->agent.key_id = 4711;
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    assert_int_equal(item->admin->result, ERR_NOT_FOUND);
    item_destroy(item);
    assert_int_equal(admit(b, "penza/rosstat", public_key, &again), ERR_DENIED);
    bench_restart(b);
    assert_false(admission_decide(b->admission, public_key, token));
}

static struct wall tomorrow(void *ctx)
{
    const struct bench *b = ctx;
    return (struct wall){clock_wall(&b->clock.clock).us + 86400 * US_PER_S};
}

static void a_clock_that_is_set_forward_in_a_transaction_accepts_no_figure_newer_than_its_row(void **state)
{
    struct bench *b = *state;
    const struct clock jumped = {.wall = tomorrow, .mono = b->clock.clock.mono, .ctx = b};
    struct wire_sample s = bench_sample(0, BENCH_NOW_S + 43200, 5);
    b->committer->o.clock = &jumped; // the row was begun before it
    bench_batch(b, 1, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(bench_reply(b, b->reply_count - 1, WIRE_REFUSE).refuse.reason, WIRE_REFUSE_UNAVAILABLE);
    assert_int_equal(ledger_position(b->ledger), 0);
    b->committer->o.clock = &b->clock.clock;
    fake_clock_step_us(&b->clock, 86400 * US_PER_S);
    bench_clear(b);
    bench_hello(b);
    bench_batch(b, 1, WIRE_MEASUREMENT, &s, 1);
    assert_int_equal(bench_reply(b, b->reply_count - 1, WIRE_ACK).ack.sequence, 1);
    assert_int_equal(bench_counted(b, COUNTER_SAMPLES_ACCEPTED), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup_declared, bench_teardown)
    const struct CMUnitTest tests[] = {
        T(the_first_batch_is_stored_and_acknowledged_with_its_receipt),
        T(a_repeat_is_acknowledged_and_not_stored_again),
        T(every_repeat_of_a_group_is_named_in_an_acknowledgement_of_its_own),
        T(an_earlier_repeat_is_acknowledged_up_to_the_watermark),
        T(other_bytes_under_a_stored_sequence_are_refused_with_an_alarm),
        T(an_out_of_order_batch_is_dropped_and_the_watermark_acknowledged),
        T(a_sequence_of_zero_is_never_stored),
        T(watermarks_survive_a_restart),
        T(a_group_is_one_transaction_and_one_acknowledgement),
        T(items_committed_once_are_not_committed_again),
        T(what_comes_while_closings_cannot_be_read_is_kept_and_not_refused),
        T(a_gap_moves_the_watermark_to_its_end),
        T(a_gap_with_other_bytes_is_refused),
        T(a_gap_out_of_order_is_dropped),
        T(a_gap_of_more_samples_than_can_be_is_refused),
        T(refused_samples_are_stored_with_their_verdict_and_acknowledged),
        T(a_batch_refused_for_one_reason_has_a_whole_verdict),
        T(a_verdict_too_long_for_its_list_refuses_the_whole_batch),
        T(a_batch_that_needs_unknown_declares_asks_for_them),
        T(a_declare_again_is_accepted),
        T(declares_that_contradict_are_refused),
        T(a_series_of_another_agent_is_refused),
        T(an_honest_receipt_raises_no_alarm),
        T(a_receipt_that_is_not_in_the_chain_raises_an_alarm),
        T(a_ledger_behind_what_it_acknowledged_raises_an_alarm),
        T(a_spool_behind_what_is_stored_raises_an_alarm),
        T(admitting_is_idempotent_and_a_key_has_one_resident),
        T(a_revoked_key_stays_out_after_a_restart),
        T(a_clock_that_is_set_forward_in_a_transaction_accepts_no_figure_newer_than_its_row),
    };
    return cmocka_run_group_tests_name("committer", tests, NULL, NULL);
}
