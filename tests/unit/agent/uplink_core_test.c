#include "agent/packer.h"
#include "agent/uplink_core.h"
#include "base/buf.h"
#include "wire/codec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S     INT64_C(1772366400)
#define BATCHES   600
#define NO_CREDIT 0
#define CREDIT    (1u << 20)

// The collector and the spool, played by the test. What the core does is written down as words.
struct stage {
    struct fake_clock clock;
    struct uplink_core *core;
    struct packer *packer;
    struct wire_arena *arena;
    struct spool_state spool;
    uint64_t gap_first, gap_last; // these sequences are one gap, when not 0
    enum err send_result;
    int sends_left; // before send_result counts; −1: no limit
    uint32_t random;
    struct buf said;         // "hello declare0 batch1 …"
    struct buf asked;        // "ack3 allow rewind2 …"
    struct buf told;         // events
    struct wire_hello hello; // the last one
    struct wire_heartbeat heartbeat;
    size_t batch_len;
    struct buf body;
};

static struct wire_incarnation incarnation(uint8_t n)
{
    return (struct wire_incarnation){{n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};
}

static enum err do_send(void *ctx, const void *bytes, size_t len)
{
    struct stage *s = ctx;
    struct wire_message m;
    struct diag d;
    if (s->send_result != ERR_OK && s->sends_left == 0)
        return s->send_result;
    if (s->sends_left > 0)
        s->sends_left--;
    assert_int_equal(wire_decode(s->arena, bytes, len, &m, &d), ERR_OK);
    switch (m.type) {
    case WIRE_HELLO:
        s->hello = m.hello;
        (void)buf_text(&s->said, "hello ");
        break;
    case WIRE_DECLARE:
        assert_memory_equal(&m.declare.incarnation, &s->spool.incarnation, 16);
        (void)buf_printf(&s->said, "declare%u ", m.declare.number);
        break;
    case WIRE_BATCH:
        (void)buf_printf(&s->said, "batch%llu ", (unsigned long long)m.batch.sequence);
        break;
    case WIRE_GAP:
        (void)buf_printf(&s->said, "gap%llu-%llu ", (unsigned long long)m.gap.first,
                         (unsigned long long)m.gap.last);
        break;
    case WIRE_HEARTBEAT:
        s->heartbeat = m.heartbeat;
        (void)buf_text(&s->said, "heartbeat ");
        break;
    default:
        fail_msg("an agent does not say %s", wire_type_name(m.type));
    }
    return ERR_OK;
}

static void do_transport(void *ctx, enum uplink_transport what)
{
    struct stage *s = ctx;
    (void)buf_text(&s->asked, what == UPLINK_OPEN ? "open " : "close ");
}

static enum err give_gap(struct stage *s, struct spool_message *out)
{
    const struct wire_message m = {.type = WIRE_GAP,
                                   .gap = {.incarnation = s->spool.incarnation,
                                           .first = s->gap_first,
                                           .last = s->gap_last,
                                           .samples = 5,
                                           .from_s = NOW_S,
                                           .to_s = NOW_S,
                                           .reason = WIRE_GAP_QUOTA_BYTES}};
    buf_reset(&s->body);
    assert_int_equal(wire_encode(&m, &s->body), ERR_OK);
    *out = (struct spool_message){
        .first = s->gap_first, .last = s->gap_last, .gap = true, .bytes = s->body.data, .len = s->body.len};
    return ERR_OK;
}

static enum err do_message(void *ctx, uint64_t first, struct spool_message *out, struct diag *d)
{
    struct stage *s = ctx;
    const struct spool_row *rows = NULL;
    size_t count = 0;
    if (first == s->gap_first)
        return give_gap(s, out);
    bool inside = first > s->gap_first && first <= s->gap_last;
    if (inside || s->spool.first_kept == 0 || first < s->spool.first_kept || first > s->spool.last_written)
        return diag_fail(d, ERR_NOT_FOUND, "no batch %llu", (unsigned long long)first);
    packer_begin(s->packer, &s->spool.incarnation, first);
    for (uint32_t i = 0; i < 3; i++) {
        const struct wire_sample w = {
            .series = i % 2, .time = NOW_S + 10 * i, .value = {FIGURE_INTEGER, {5}}};
        assert_int_equal(packer_add(s->packer, WIRE_MEASUREMENT, &w, NULL), ERR_OK);
    }
    assert_int_equal(packer_finish(s->packer, &rows, &count), ERR_OK);
    buf_reset(&s->body);
    assert_int_equal(buf_append(&s->body, rows[0].body, rows[0].len), ERR_OK);
    s->batch_len = s->body.len;
    *out = (struct spool_message){.first = first, .last = first, .bytes = s->body.data, .len = s->body.len};
    return ERR_OK;
}

static enum err do_message_ending(void *ctx, uint64_t last, struct spool_message *out, struct diag *d)
{
    struct stage *s = ctx;
    if (s->gap_last != 0 && last == s->gap_last)
        return give_gap(s, out);
    return do_message(ctx, last == s->gap_first ? 0 : last, out, d);
}

static enum err do_declare(void *ctx, uint32_t number, struct wire_declare *out, struct diag *d)
{
    static const char *const names[] = {"out_units", "apt_s"};
    (void)ctx;
    (void)d;
    *out = (struct wire_declare){.number = number,
                                 .series = names[number % 2],
                                 .unit = "piece",
                                 .currency = "",
                                 .class = WIRE_MEASUREMENT,
                                 .step_s = 10};
    return ERR_OK;
}

static void do_acknowledged(void *ctx, uint64_t sequence, const struct wire_receipt *receipt)
{
    struct stage *s = ctx;
    (void)buf_printf(&s->asked, "ack%llu%s ", (unsigned long long)sequence,
                     receipt->position ? "" : "(no receipt)");
}

static void do_allow(void *ctx, bool sending)
{
    (void)buf_text(&((struct stage *)ctx)->asked, sending ? "allow " : "stop ");
}

static void do_rewind(void *ctx, uint64_t last)
{
    (void)buf_printf(&((struct stage *)ctx)->asked, "rewind%llu ", (unsigned long long)last);
}

static void do_renew(void *ctx)
{
    (void)buf_text(&((struct stage *)ctx)->asked, "renew ");
}

static uint32_t do_random(void *ctx, uint32_t below)
{
    const struct stage *s = ctx;
    return s->random % below;
}

static void do_event(void *ctx, const struct uplink_event *e)
{
    static const char *const names[] = {"connected",  "lost",    "silent",   "behind",      "ahead",
                                        "other-body", "refused", "rejected", "bad-message", "unreadable"};
    struct stage *s = ctx;
    (void)buf_printf(&s->told, "%s", names[e->type]);
    if (e->type == UPLINK_REFUSED)
        (void)buf_printf(&s->told, "(%s)", wire_refuse_reason_name(e->refuse));
    if (e->type == UPLINK_REJECTED)
        (void)buf_printf(&s->told, "(%s %llu of %llu: %s)", wire_reason_name(e->reason),
                         (unsigned long long)e->number, (unsigned long long)e->sequence, e->text);
    (void)buf_text(&s->told, " ");
}

static int setup(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    if (!s || packer_create(&s->packer) != ERR_OK || wire_arena_create(&s->arena) != ERR_OK)
        return -1;
    const struct uplink_io io = {.ctx = s,
                                 .send = do_send,
                                 .transport = do_transport,
                                 .message = do_message,
                                 .message_ending = do_message_ending,
                                 .declare = do_declare,
                                 .acknowledged = do_acknowledged,
                                 .allow = do_allow,
                                 .rewind = do_rewind,
                                 .renew = do_renew,
                                 .random = do_random,
                                 .event = do_event};
    fake_clock_init(&s->clock, NOW_S * US_PER_S);
    buf_init(&s->said, 1u << 20);
    buf_init(&s->asked, 1u << 20);
    buf_init(&s->told, 1u << 20);
    buf_init(&s->body, WIRE_MESSAGE_MAX_BYTES);
    s->sends_left = -1;
    s->spool = (struct spool_state){.incarnation = incarnation(1), .generation = 1, .declares = 2};
    *state = s;
    return uplink_core_create(&s->clock.clock, &io, "0.1.0", &s->core) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct stage *s = *state;
    uplink_core_destroy(s->core);
    packer_destroy(s->packer);
    wire_arena_destroy(s->arena);
    buf_deinit(&s->said);
    buf_deinit(&s->asked);
    buf_deinit(&s->told);
    buf_deinit(&s->body);
    free(s);
    return 0;
}

// ---- directions

static void expect_one(const char *what, struct buf *got, const char *want)
{
    if (strcmp(buf_str(got), want) != 0)
        fail_msg("%s: '%s' instead of '%s'", what, buf_str(got), want);
    buf_reset(got);
}

static void expect(struct stage *s, const char *said, const char *asked, const char *told)
{
    expect_one("said", &s->said, said);
    expect_one("asked", &s->asked, asked);
    expect_one("told", &s->told, told);
}

static void forget(struct stage *s)
{
    buf_reset(&s->said);
    buf_reset(&s->asked);
    buf_reset(&s->told);
}

static void hear(struct stage *s, const struct wire_message *m)
{
    struct buf bytes;
    buf_init(&bytes, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(m, &bytes), ERR_OK);
    uplink_core_message(s->core, bytes.data, bytes.len);
    buf_deinit(&bytes);
}

static void welcome(struct stage *s, uint64_t last, uint32_t declares, uint64_t credit)
{
    hear(s, &(struct wire_message){.type = WIRE_WELCOME,
                                   .welcome = {.resident = "yashnabad/acme",
                                               .last_sequence = last,
                                               .declares_known = declares,
                                               .credit_bytes = credit,
                                               .clock_us = clock_wall(&s->clock.clock).us + 250 * US_PER_MS,
                                               .max_series = 100,
                                               .max_batch_bytes = 16384}});
}

static void ack(struct stage *s, uint64_t sequence, uint64_t credit)
{
    hear(s, &(struct wire_message){.type = WIRE_ACK,
                                   .ack = {.sequence = sequence,
                                           .credit_bytes = credit,
                                           .receipt = {.position = sequence + 1000}}});
}

static void refuse(struct stage *s, enum wire_refuse_reason reason)
{
    hear(s, &(struct wire_message){.type = WIRE_REFUSE, .refuse = {.reason = reason, .text = "because"}});
}

static void pass(struct stage *s, int64_t us)
{
    fake_clock_advance_us(&s->clock, us);
    uplink_core_tick(s->core);
}

static void spool_is(struct stage *s, uint64_t acknowledged, uint64_t sendable, uint64_t written)
{
    s->spool.last_acknowledged = acknowledged;
    s->spool.sendable = sendable;
    s->spool.last_written = written;
    s->spool.first_kept = written ? 1 : 0;
    uplink_core_spool(s->core, &s->spool);
}

// Connected and welcomed, everything up to `written` sendable; forgets how.
static void start(struct stage *s, uint64_t acknowledged, uint64_t written)
{
    spool_is(s, acknowledged, written, written);
    uplink_core_connected(s->core);
    welcome(s, acknowledged, 2, NO_CREDIT);
    forget(s);
}

// ---- greeting

static void hello_comes_first_and_says_what_the_spool_holds(void **state)
{
    struct stage *s = *state;
    s->spool.counters = (struct wire_counters){.sampled = 9, .spooled = 4};
    s->spool.receipt = (struct wire_receipt){.position = 77};
    spool_is(s, 2, 3, 5);
    expect(s, "", "", "");
    uplink_core_connected(s->core);
    expect(s, "hello ", "", "");
    assert_int_equal(s->hello.protocol, WIRE_PROTOCOL);
    assert_int_equal(s->hello.clock_us, NOW_S * US_PER_S);
    assert_memory_equal(&s->hello.incarnation, &s->spool.incarnation, 16);
    assert_int_equal(s->hello.declares, 2);
    assert_int_equal(s->hello.first_kept, 1);
    assert_int_equal(s->hello.last_written, 5);
    assert_int_equal(s->hello.last_acknowledged, 2);
    assert_int_equal(s->hello.last_receipt.position, 77);
    assert_int_equal(s->hello.counters.sampled, 9);
    assert_int_equal(s->hello.counters.spooled, 4);
}

static void hello_waits_for_the_spool(void **state)
{
    struct stage *s = *state;
    uplink_core_connected(s->core);
    expect(s, "", "", "");
    spool_is(s, 0, 0, 0);
    expect(s, "hello ", "", "");
}

static void hello_is_said_each_5_s_until_answered(void **state)
{
    struct stage *s = *state;
    spool_is(s, 0, 0, 0);
    uplink_core_connected(s->core);
    forget(s);
    for (int i = 0; i < 5; i++) {
        assert_true(uplink_core_wait_ms(s->core) <= 5000);
        pass(s, 4999 * US_PER_MS);
        expect(s, "", "", "");
        pass(s, US_PER_MS);
        expect(s, "hello ", "", "");
    }
    welcome(s, 0, 0, CREDIT);
    expect(s, "declare0 declare1 ", "allow ", "connected ");
    pass(s, 6 * US_PER_S);
    expect(s, "", "", "");
}

static void nothing_but_hello_is_sent_before_welcome(void **state)
{
    struct stage *s = *state;
    spool_is(s, 0, 5, 5);
    uplink_core_connected(s->core);
    forget(s);
    ack(s, 3, CREDIT);
    spool_is(s, 0, 6, 6);
    uplink_core_tick(s->core);
    expect(s, "", "", "");
}

static void a_full_socket_delays_hello(void **state)
{
    struct stage *s = *state;
    spool_is(s, 0, 0, 0);
    s->send_result = ERR_AGAIN;
    s->sends_left = 0;
    uplink_core_connected(s->core);
    assert_true(uplink_core_wants_to_send(s->core));
    s->send_result = ERR_OK;
    pass(s, 200 * US_PER_MS);
    expect(s, "hello ", "", "");
}

static void welcome_tells_who_we_are_and_the_clocks_difference(void **state)
{
    struct stage *s = *state;
    start(s, 0, 0);
    const struct uplink_link *l = uplink_core_link(s->core);
    assert_true(l->connected);
    assert_string_equal(l->resident, "yashnabad/acme");
    assert_int_equal(l->skew_ms, 250);
}

// ---- declares and batches

static void declares_go_before_the_batches_that_need_them(void **state)
{
    struct stage *s = *state;
    spool_is(s, 0, 2, 2);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 0, 1, CREDIT);
    expect(s, "declare1 batch1 batch2 ", "allow ", "connected ");
    s->spool.declares = 4;
    spool_is(s, 0, 3, 3);
    expect(s, "declare2 declare3 batch3 ", "", "");
}

static void only_what_is_sendable_is_sent(void **state)
{
    struct stage *s = *state;
    start(s, 0, 0);
    ack(s, 0, CREDIT);
    spool_is(s, 0, 1, 3);
    expect(s, "batch1 ", "", "");
    spool_is(s, 0, 3, 3);
    expect(s, "batch2 batch3 ", "", "");
}

static void credit_bounds_the_bytes_on_the_way(void **state)
{
    struct stage *s = *state;
    start(s, 0, 10);
    ack(s, 0, 1);
    expect(s, "batch1 ", "", ""); // larger than the credit, but nothing else is on the way
    size_t len = s->batch_len;
    ack(s, 0, 2 * len);
    expect(s, "batch2 ", "", "");
    ack(s, 1, 3 * len + 1);
    expect(s, "batch3 batch4 ", "ack1 ", "");
    ack(s, 4, 0);
    expect(s, "", "ack4 ", "");
    pass(s, US_PER_S);
    expect(s, "", "", "");
    ack(s, 4, len);
    expect(s, "batch5 ", "", "");
}

static void the_window_bounds_the_batches_on_the_way(void **state)
{
    struct stage *s = *state;
    start(s, 0, BATCHES);
    ack(s, 0, 64 * CREDIT);
    assert_non_null(strstr(buf_str(&s->said), "batch256 "));
    assert_null(strstr(buf_str(&s->said), "batch257 "));
    forget(s);
    ack(s, 2, 64 * CREDIT);
    expect(s, "batch257 batch258 ", "ack2 ", "");
}

static void a_full_socket_is_tried_again_without_loss_or_repeat(void **state)
{
    struct stage *s = *state;
    start(s, 0, 4);
    s->send_result = ERR_AGAIN;
    s->sends_left = 2;
    ack(s, 0, CREDIT);
    expect(s, "batch1 batch2 ", "", "");
    assert_true(uplink_core_wants_to_send(s->core));
    uplink_core_tick(s->core);
    expect(s, "", "", "");
    s->send_result = ERR_OK;
    uplink_core_tick(s->core);
    expect(s, "batch3 batch4 ", "", "");
    assert_false(uplink_core_wants_to_send(s->core));
}

static void gaps_are_sent_in_their_place(void **state)
{
    struct stage *s = *state;
    s->gap_first = 2;
    s->gap_last = 7;
    start(s, 0, 9);
    ack(s, 0, CREDIT);
    expect(s, "batch1 gap2-7 batch8 batch9 ", "", "");
    ack(s, 7, CREDIT);
    expect(s, "", "ack7 ", "");
}

static void hold_sends_nothing_new_and_waits_for_what_is_on_the_way(void **state)
{
    struct stage *s = *state;
    start(s, 0, 1);
    ack(s, 0, CREDIT);
    forget(s);
    uplink_core_hold(s->core, true);
    spool_is(s, 0, 2, 2);
    expect(s, "", "", "");
    assert_false(uplink_core_idle(s->core));
    assert_false(uplink_core_done(s->core));
    ack(s, 1, CREDIT);
    expect(s, "", "ack1 ", "");
    assert_true(uplink_core_idle(s->core));
    assert_false(uplink_core_done(s->core));
    uplink_core_hold(s->core, false);
    expect(s, "batch2 ", "", "");
    ack(s, 2, CREDIT);
    assert_true(uplink_core_done(s->core));
}

// ---- acknowledgements

static void acks_are_cumulative_and_old_ones_only_renew_credit(void **state)
{
    struct stage *s = *state;
    start(s, 0, 5);
    ack(s, 0, CREDIT);
    forget(s);
    ack(s, 3, CREDIT);
    expect(s, "", "ack3 ", "");
    ack(s, 2, 77);
    expect(s, "", "", "");
    assert_int_equal(uplink_core_link(s->core)->credit_bytes, 77);
    ack(s, 5, CREDIT);
    expect(s, "", "ack5 ", "");
}

static void an_ack_of_what_was_never_sent_is_ignored(void **state)
{
    struct stage *s = *state;
    start(s, 0, 5);
    s->spool.sendable = 5;
    ack(s, 4, CREDIT);
    expect(s, "batch1 batch2 batch3 batch4 batch5 ", "", "bad-message ");
    ack(s, 6, CREDIT);
    expect(s, "", "", "bad-message ");
    ack(s, UINT64_MAX, CREDIT);
    expect(s, "", "", "bad-message ");
}

static void silence_of_10_s_leads_to_hello_and_resending(void **state)
{
    struct stage *s = *state;
    start(s, 0, 3);
    ack(s, 0, CREDIT);
    forget(s);
    pass(s, 5 * US_PER_S);
    ack(s, 1, CREDIT);
    forget(s);
    pass(s, 9999 * US_PER_MS);
    expect(s, "", "", "");
    pass(s, US_PER_MS);
    expect(s, "hello ", "stop ", "silent ");
    assert_int_equal(s->hello.last_acknowledged, 1);
    welcome(s, 1, 2, CREDIT);
    expect(s, "batch2 batch3 ", "allow ", "connected ");
}

static void with_nothing_on_the_way_silence_is_no_matter(void **state)
{
    struct stage *s = *state;
    start(s, 0, 1);
    ack(s, 0, CREDIT);
    ack(s, 1, CREDIT);
    forget(s);
    pass(s, 29 * US_PER_S);
    expect(s, "", "", "");
}

static void without_credit_and_word_for_a_minute_hello_asks(void **state)
{
    struct stage *s = *state;
    start(s, 0, 2);
    pass(s, 59 * US_PER_S);
    expect(s, "heartbeat ", "", "");
    pass(s, US_PER_S);
    expect(s, "hello ", "stop ", "silent ");
}

// ---- reconciliation

static void a_lost_ack_is_found_by_sending_one_batch_again(void **state)
{
    struct stage *s = *state;
    spool_is(s, 2, 5, 6);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 4, 2, CREDIT);
    expect(s, "batch4 ", "", "connected ");
    ack(s, 4, CREDIT);
    expect(s, "batch5 ", "ack4 allow ", "");
}

static void a_lost_ack_of_a_gap_is_found_by_sending_the_gap_again(void **state)
{
    struct stage *s = *state;
    s->gap_first = 3;
    s->gap_last = 5;
    spool_is(s, 2, 6, 6);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 5, 2, CREDIT);
    expect(s, "gap3-5 ", "", "connected ");
    ack(s, 5, CREDIT);
    expect(s, "batch6 ", "ack5 allow ", "");
}

static void a_probe_waits_for_credit_and_declares(void **state)
{
    struct stage *s = *state;
    spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 4, 0, NO_CREDIT);
    expect(s, "declare0 declare1 ", "", "connected ");
    ack(s, 4, CREDIT); // only credit: nothing was asked yet
    expect(s, "batch4 ", "", "");
    ack(s, 4, CREDIT);
    expect(s, "batch5 ", "ack4 allow ", "");
}

static void an_unanswered_probe_leads_to_hello(void **state)
{
    struct stage *s = *state;
    spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    welcome(s, 4, 2, CREDIT);
    forget(s);
    pass(s, 10 * US_PER_S);
    expect(s, "hello ", "stop ", "silent ");
}

static void other_bytes_under_our_sequence_mean_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    spool_is(s, 2, 5, 5);
    uplink_core_connected(s->core);
    welcome(s, 4, 2, CREDIT);
    forget(s);
    refuse(s, WIRE_REFUSE_OTHER_BODY);
    expect(s, "", "stop renew ", "refused(other-body) other-body ");
    s->spool.incarnation = incarnation(2);
    s->spool.generation = 2;
    spool_is(s, 0, 0, 3);
    expect(s, "", "", "");
    pass(s, 29 * US_PER_S);
    expect(s, "", "", "");
    pass(s, US_PER_S);
    expect(s, "hello ", "", "");
    assert_memory_equal(&s->hello.incarnation, &s->spool.incarnation, 16);
    welcome(s, 0, 0, CREDIT);
    s->spool.sendable = 3;
    uplink_core_spool(s->core, &s->spool);
    expect(s, "declare0 declare1 batch1 batch2 batch3 ", "allow ", "connected ");
}

static void a_collector_behind_makes_the_spool_rewind(void **state)
{
    struct stage *s = *state;
    spool_is(s, 5, 6, 6);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 2, 1, CREDIT);
    expect(s, "", "stop rewind2 ", "connected behind ");
    pass(s, 60 * US_PER_S);
    expect(s, "", "", "");
    s->spool.generation++;
    spool_is(s, 2, 6, 6);
    expect(s, "hello ", "", "");
    assert_int_equal(s->hello.last_acknowledged, 2);
    welcome(s, 2, 1, CREDIT);
    expect(s, "declare1 batch3 batch4 batch5 batch6 ", "allow ", "connected ");
}

static void a_collector_ahead_of_an_empty_spool_means_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    spool_is(s, 5, 5, 5);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 9, 2, CREDIT);
    expect(s, "", "stop renew ", "connected ahead ");
    s->spool.incarnation = incarnation(2);
    s->spool.generation++;
    spool_is(s, 0, 0, 0);
    expect(s, "hello ", "", "");
}

static void a_collector_ahead_is_asked_whether_it_has_our_unsent_batches(void **state)
{
    struct stage *s = *state;
    spool_is(s, 3, 3, 5);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 9, 2, CREDIT);
    expect(s, "batch5 ", "", "connected ahead ");
    ack(s, 9, CREDIT); // it has: an old copy of the spool was put back
    expect(s, "", "ack5(no receipt) stop renew ", "");
}

static void a_collector_whose_last_lies_inside_our_gap_means_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    s->gap_first = 3;
    s->gap_last = 6;
    spool_is(s, 2, 6, 6);
    uplink_core_connected(s->core);
    forget(s);
    welcome(s, 4, 2, CREDIT);
    expect(s, "", "stop renew ", "connected other-body ");
}

static void other_bytes_while_sending_mean_a_new_incarnation(void **state)
{
    struct stage *s = *state;
    start(s, 0, 3);
    ack(s, 0, CREDIT);
    forget(s);
    refuse(s, WIRE_REFUSE_OTHER_BODY);
    expect(s, "", "stop renew ", "refused(other-body) other-body ");
}

static void a_moved_spool_is_greeted_anew(void **state)
{
    struct stage *s = *state;
    start(s, 0, 3);
    ack(s, 0, CREDIT);
    forget(s);
    s->spool.generation++;
    s->spool.incarnation = incarnation(3);
    spool_is(s, 0, 0, 3);
    expect(s, "hello ", "stop ", "");
}

// ---- other answers

static void each_refusal_is_told_and_waits_30_s(void **state)
{
    static const enum wire_refuse_reason reasons[] = {
        WIRE_REFUSE_BAD_PROTOCOL,     WIRE_REFUSE_BAD_MESSAGE,     WIRE_REFUSE_REVOKED,
        WIRE_REFUSE_OTHER_CONNECTION, WIRE_REFUSE_DECLARE_INVALID, WIRE_REFUSE_DECLARE_CONFLICT,
        WIRE_REFUSE_OVER_QUOTA,       WIRE_REFUSE_UNAVAILABLE,     WIRE_REFUSE_WRONG_INCARNATION};
    struct stage *s = *state;
    start(s, 0, 2);
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        char told[64];
        snprintf(told, sizeof told, "refused(%s) ", wire_refuse_reason_name(reasons[i]));
        refuse(s, reasons[i]);
        expect(s, "", "stop ", told);
        assert_int_equal(uplink_core_link(s->core)->refused, reasons[i]);
        assert_string_equal(uplink_core_link(s->core)->refused_text, "because");
        assert_true(strlen(uplink_refuse_advice(reasons[i])) > 20);
        pass(s, 30 * US_PER_S - 1);
        welcome(s, 0, 2, CREDIT); // not asked for
        expect(s, "", "", "");
        pass(s, 1);
        expect(s, "hello ", "", "");
        welcome(s, 0, 2, NO_CREDIT);
        expect(s, "", "allow ", "connected ");
        assert_int_equal(uplink_core_link(s->core)->refused, WIRE_REFUSE_NONE);
    }
}

static void hello_first_is_answered_by_hello_at_its_pace(void **state)
{
    struct stage *s = *state;
    start(s, 0, 0);
    pass(s, 2 * US_PER_S);
    refuse(s, WIRE_REFUSE_HELLO_FIRST);
    pass(s, 2999 * US_PER_MS);
    expect(s, "", "stop ", "");
    pass(s, US_PER_MS);
    expect(s, "hello ", "", "");
    refuse(s, WIRE_REFUSE_HELLO_FIRST); // to what was said before it
    welcome(s, 0, 2, CREDIT);
    expect(s, "", "allow ", "connected ");
}

static void need_declare_sends_declares_and_the_batches_again(void **state)
{
    struct stage *s = *state;
    start(s, 0, 3);
    ack(s, 0, CREDIT);
    ack(s, 1, CREDIT);
    forget(s);
    hear(s, &(struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 1});
    expect(s, "declare1 batch2 batch3 ", "", "");
    ack(s, 3, CREDIT);
    expect(s, "", "ack3 ", "");
    hear(s, &(struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 3});
    expect(s, "", "", "bad-message ");
}

static void an_ack_that_crosses_a_need_declare_counts(void **state)
{
    struct stage *s = *state;
    start(s, 0, 3);
    ack(s, 0, CREDIT);
    s->send_result = ERR_AGAIN;
    s->sends_left = 0;
    forget(s);
    hear(s, &(struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 0});
    ack(s, 2, CREDIT);
    expect(s, "", "ack2 ", "");
    s->send_result = ERR_OK;
    uplink_core_tick(s->core);
    expect(s, "declare0 declare1 batch3 ", "", "");
}

static void rejected_samples_are_named_once_a_reason(void **state)
{
    struct stage *s = *state;
    const struct wire_refusal refusals[] = {
        {0, WIRE_REASON_FUTURE}, {1, WIRE_REASON_TOO_OLD}, {2, WIRE_REASON_FUTURE}};
    start(s, 0, 2);
    ack(s, 0, CREDIT);
    forget(s);
    hear(s, &(struct wire_message){.type = WIRE_REJECT,
                                   .reject = {.sequence = 2, .count = 3, .refusals = refusals}});
    expect(s, "", "",
           "rejected(future 2 of 2: out_units at 1772366400, out_units at 1772366420) "
           "rejected(too-old 1 of 2: apt_s at 1772366410) ");
    assert_int_equal(uplink_core_link(s->core)->rejected, 3);
    hear(s,
         &(struct wire_message){.type = WIRE_REJECT,
                                .reject = {.sequence = 1, .whole = true, .whole_reason = WIRE_REASON_QUOTA}});
    expect(s, "", "", "rejected(quota 3 of 1: the whole batch) ");
    assert_int_equal(uplink_core_link(s->core)->rejected, 6);
}

static void a_reject_of_a_batch_that_is_no_longer_kept_still_counts(void **state)
{
    struct stage *s = *state;
    const struct wire_refusal refusals[] = {{7, WIRE_REASON_FUTURE}};
    start(s, 0, 2);
    hear(s, &(struct wire_message){.type = WIRE_REJECT,
                                   .reject = {.sequence = 9, .count = 1, .refusals = refusals}});
    expect(s, "", "", "rejected(future 1 of 9: sample 7) ");
}

static void bytes_that_are_no_message_or_not_the_collectors_are_ignored(void **state)
{
    struct stage *s = *state;
    start(s, 0, 0);
    uplink_core_message(s->core, "\xff\xff\xff", 3);
    uplink_core_message(s->core, "", 0);
    hear(s, &(struct wire_message){.type = WIRE_HEARTBEAT, .heartbeat = {.clock_us = 1}});
    expect(s, "", "", "bad-message bad-message bad-message ");
    ack(s, 0, CREDIT);
    spool_is(s, 0, 1, 1);
    expect(s, "batch1 ", "", "");
}

static void heartbeats_carry_the_counters_each_30_s(void **state)
{
    struct stage *s = *state;
    start(s, 0, 0);
    s->spool.counters.sampled = 42;
    spool_is(s, 0, 0, 0);
    for (int i = 0; i < 3; i++) {
        pass(s, 30 * US_PER_S - 1);
        expect(s, "", "", "");
        pass(s, 1);
        expect(s, "heartbeat ", "", "");
        assert_int_equal(s->heartbeat.counters.sampled, 42);
        assert_int_equal(s->heartbeat.clock_us, clock_wall(&s->clock.clock).us);
    }
}

// ---- the connection

static void a_lost_connection_is_closed_and_opened_again_after_a_random_time(void **state)
{
    static const uint32_t waits_ms[] = {0, 1, 7000, 14999};
    struct stage *s = *state;
    spool_is(s, 0, 1, 1);
    for (size_t i = 0; i < 4; i++) {
        s->random = waits_ms[i];
        uplink_core_connected(s->core);
        welcome(s, 0, 2, CREDIT);
        forget(s);
        uplink_core_disconnected(s->core);
        expect(s, "", "stop close ", "lost ");
        uplink_core_disconnected(s->core); // told twice
        expect(s, "", "", "");
        if (waits_ms[i] > 0) {
            pass(s, waits_ms[i] * US_PER_MS - 1);
            expect(s, "", "", "");
        }
        pass(s, 1);
        expect(s, "", "open ", "");
        pass(s, 100 * US_PER_S);
        expect(s, "", "", "");
    }
    uplink_core_connected(s->core);
    expect(s, "hello ", "", "");
}

static void a_send_that_finds_no_connection_is_a_lost_one(void **state)
{
    struct stage *s = *state;
    start(s, 0, 2);
    s->send_result = ERR_CLOSED;
    s->sends_left = 1;
    ack(s, 0, CREDIT);
    expect(s, "batch1 ", "stop close ", "lost ");
}

static void after_a_reconnection_sending_goes_on_where_the_collector_is(void **state)
{
    struct stage *s = *state;
    start(s, 0, 4);
    ack(s, 0, CREDIT);
    ack(s, 1, CREDIT);
    uplink_core_disconnected(s->core);
    pass(s, 15 * US_PER_S);
    forget(s);
    uplink_core_connected(s->core);
    assert_int_equal(s->hello.last_acknowledged, 1);
    welcome(s, 3, 2, CREDIT);
    expect(s, "hello batch3 ", "", "connected ");
    ack(s, 3, CREDIT);
    expect(s, "batch4 ", "ack3 allow ", "");
}

static void messages_after_the_loss_are_not_believed(void **state)
{
    struct stage *s = *state;
    start(s, 0, 2);
    ack(s, 0, CREDIT);
    uplink_core_disconnected(s->core);
    forget(s);
    ack(s, 2, CREDIT);
    welcome(s, 0, 2, CREDIT);
    refuse(s, WIRE_REFUSE_OTHER_BODY);
    expect(s, "", "", "");
}

static void a_batch_missing_from_the_spool_is_told_as_damage(void **state)
{
    struct stage *s = *state;
    start(s, 0, 5);
    s->spool.first_kept = 3; // behind the core's back
    ack(s, 0, CREDIT);
    expect(s, "", "stop ", "unreadable ");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(hello_comes_first_and_says_what_the_spool_holds),
        T(hello_waits_for_the_spool),
        T(hello_is_said_each_5_s_until_answered),
        T(nothing_but_hello_is_sent_before_welcome),
        T(a_full_socket_delays_hello),
        T(welcome_tells_who_we_are_and_the_clocks_difference),
        T(declares_go_before_the_batches_that_need_them),
        T(only_what_is_sendable_is_sent),
        T(credit_bounds_the_bytes_on_the_way),
        T(the_window_bounds_the_batches_on_the_way),
        T(a_full_socket_is_tried_again_without_loss_or_repeat),
        T(gaps_are_sent_in_their_place),
        T(hold_sends_nothing_new_and_waits_for_what_is_on_the_way),
        T(acks_are_cumulative_and_old_ones_only_renew_credit),
        T(an_ack_of_what_was_never_sent_is_ignored),
        T(silence_of_10_s_leads_to_hello_and_resending),
        T(with_nothing_on_the_way_silence_is_no_matter),
        T(without_credit_and_word_for_a_minute_hello_asks),
        T(a_lost_ack_is_found_by_sending_one_batch_again),
        T(a_lost_ack_of_a_gap_is_found_by_sending_the_gap_again),
        T(a_probe_waits_for_credit_and_declares),
        T(an_unanswered_probe_leads_to_hello),
        T(other_bytes_under_our_sequence_mean_a_new_incarnation),
        T(a_collector_behind_makes_the_spool_rewind),
        T(a_collector_ahead_of_an_empty_spool_means_a_new_incarnation),
        T(a_collector_ahead_is_asked_whether_it_has_our_unsent_batches),
        T(a_collector_whose_last_lies_inside_our_gap_means_a_new_incarnation),
        T(other_bytes_while_sending_mean_a_new_incarnation),
        T(a_moved_spool_is_greeted_anew),
        T(each_refusal_is_told_and_waits_30_s),
        T(hello_first_is_answered_by_hello_at_its_pace),
        T(need_declare_sends_declares_and_the_batches_again),
        T(an_ack_that_crosses_a_need_declare_counts),
        T(rejected_samples_are_named_once_a_reason),
        T(a_reject_of_a_batch_that_is_no_longer_kept_still_counts),
        T(bytes_that_are_no_message_or_not_the_collectors_are_ignored),
        T(heartbeats_carry_the_counters_each_30_s),
        T(a_lost_connection_is_closed_and_opened_again_after_a_random_time),
        T(a_send_that_finds_no_connection_is_a_lost_one),
        T(after_a_reconnection_sending_goes_on_where_the_collector_is),
        T(messages_after_the_loss_are_not_believed),
        T(a_batch_missing_from_the_spool_is_told_as_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
