#include "tests/support/uplink_stage.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wire_incarnation stage_incarnation(uint8_t n)
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
                                           .from_s = STAGE_NOW_S,
                                           .to_s = STAGE_NOW_S,
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
            .series = i % 2, .time = STAGE_NOW_S + 10 * i, .value = {FIGURE_INTEGER, {5}}};
        assert_int_equal(packer_add(s->packer, WIRE_MEASUREMENT, &w, NULL), ERR_OK);
    }
    assert_int_equal(packer_finish(s->packer, &rows, &count), ERR_OK);
    buf_reset(&s->body);
    assert_int_equal(buf_append(&s->body, rows[0].body, rows[0].len), ERR_OK);
    s->batch_len = s->body.len;
    *out = (struct spool_message){.first = first, .last = first, .bytes = s->body.data, .len = s->body.len};
    return ERR_OK;
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

static void do_owed(void *ctx, const void *bytes, size_t len)
{
    (void)bytes;
    (void)buf_printf(&((struct stage *)ctx)->asked, "owed%zu ", len);
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
    static const char *const names[] = {"connected", "no-answer", "key-unknown", "lost",
                                        "silent",    "behind",    "ahead",       "other-body",
                                        "refused",   "rejected",  "bad-message", "unreadable"};
    struct stage *s = ctx;
    (void)buf_printf(&s->told, "%s", names[e->type]);
    if (e->type == UPLINK_REFUSED)
        (void)buf_printf(&s->told, "(%s)", wire_refuse_reason_name(e->refuse));
    if (e->type == UPLINK_REJECTED)
        (void)buf_printf(&s->told, "(%s %llu of %llu: %s)", wire_reason_name(e->reason),
                         (unsigned long long)e->number, (unsigned long long)e->sequence, e->text);
    (void)buf_text(&s->told, " ");
}

int stage_setup(void **state)
{
    struct stage *s = calloc(1, sizeof *s);
    if (!s || packer_create(&s->packer) != ERR_OK || wire_arena_create(&s->arena) != ERR_OK)
        return -1;
    const struct uplink_io io = {.ctx = s,
                                 .send = do_send,
                                 .transport = do_transport,
                                 .message = do_message,
                                 .declare = do_declare,
                                 .acknowledged = do_acknowledged,
                                 .allow = do_allow,
                                 .owed = do_owed,
                                 .rewind = do_rewind,
                                 .renew = do_renew,
                                 .random = do_random,
                                 .event = do_event};
    fake_clock_init(&s->clock, STAGE_NOW_S * US_PER_S);
    buf_init(&s->said, 1u << 20);
    buf_init(&s->asked, 1u << 20);
    buf_init(&s->told, 1u << 20);
    buf_init(&s->body, WIRE_MESSAGE_MAX_BYTES);
    s->sends_left = -1;
    s->spool = (struct spool_state){.incarnation = stage_incarnation(1), .generation = 1, .declares = 2};
    *state = s;
    return uplink_core_create(&s->clock.clock, &io, "0.1.0", &s->core) == ERR_OK ? 0 : -1;
}

int stage_teardown(void **state)
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

void stage_expect(struct stage *s, const char *said, const char *asked, const char *told)
{
    expect_one("said", &s->said, said);
    expect_one("asked", &s->asked, asked);
    expect_one("told", &s->told, told);
}

void stage_forget(struct stage *s)
{
    buf_reset(&s->said);
    buf_reset(&s->asked);
    buf_reset(&s->told);
}

void stage_hear(struct stage *s, const struct wire_message *m)
{
    struct buf bytes;
    buf_init(&bytes, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(m, &bytes), ERR_OK);
    uplink_core_message(s->core, bytes.data, bytes.len);
    buf_deinit(&bytes);
}

void stage_welcome(struct stage *s, uint64_t last, uint32_t declares, uint64_t credit)
{
    stage_hear(
        s, &(struct wire_message){.type = WIRE_WELCOME,
                                  .welcome = {.resident = "yashnabad/acme",
                                              .last_sequence = last,
                                              .declares_known = declares,
                                              .credit_bytes = credit,
                                              .clock_us = clock_wall(&s->clock.clock).us + 250 * US_PER_MS,
                                              .max_series = 100,
                                              .max_batch_bytes = 16384}});
}

void stage_ack(struct stage *s, uint64_t sequence, uint64_t credit)
{
    stage_ack_repeat(s, 0, sequence, credit);
}

void stage_ack_repeat(struct stage *s, uint64_t repeat, uint64_t sequence, uint64_t credit)
{
    stage_hear(s, &(struct wire_message){.type = WIRE_ACK,
                                         .ack = {.sequence = sequence,
                                                 .credit_bytes = credit,
                                                 .repeat = repeat,
                                                 .receipt = {.position = sequence + 1000}}});
}

void stage_refuse(struct stage *s, enum wire_refuse_reason reason)
{
    stage_hear(s,
               &(struct wire_message){.type = WIRE_REFUSE, .refuse = {.reason = reason, .text = "because"}});
}

void stage_pass(struct stage *s, int64_t us)
{
    fake_clock_advance_us(&s->clock, us);
    uplink_core_tick(s->core);
}

void stage_spool_is(struct stage *s, uint64_t acknowledged, uint64_t sendable, uint64_t written)
{
    s->spool.last_acknowledged = acknowledged;
    s->spool.sendable = sendable;
    s->spool.last_written = written;
    s->spool.first_kept = written ? 1 : 0;
    uplink_core_spool(s->core, &s->spool);
}

void stage_start(struct stage *s, uint64_t acknowledged, uint64_t written)
{
    stage_spool_is(s, acknowledged, written, written);
    uplink_core_connected(s->core);
    stage_welcome(s, acknowledged, 2, STAGE_NO_CREDIT);
    stage_forget(s);
}
