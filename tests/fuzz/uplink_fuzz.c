// The agent's uplink against a hostile collector: the input is a script of messages, time, lost connections
// and a spool that moves. Whatever is said, only figures of the spool are sent and only up to where the spool
// allows, every message sent is one of esep.proto, and nothing is taken for acknowledged that was not sent.
#include "agent/uplink_core.h"
#include "tests/fuzz/fuzz.h"
#include "wire/codec.h"

#define SEQUENCES 40 // each a batch of one sample, or a gap of three

struct world {
    struct fake_clock clock;
    struct uplink_core *core;
    struct spool_state spool;
    uint64_t highest_sent; // of this incarnation
    enum err send_result;
    bool open, busy;
    uint8_t message[SEQUENCES + 4][200];
    size_t len[SEQUENCES + 4];
    uint64_t last_of[SEQUENCES + 4];
};

static struct wire_arena *arena;

// ---- the spool

static void encode(struct world *w, uint64_t first, const struct wire_message *m)
{
    struct buf out;
    buf_init(&out, sizeof w->message[0]);
    FUZZ_CHECK(wire_encode(m, &out) == ERR_OK);
    memcpy(w->message[first], out.data, out.len);
    w->len[first] = out.len;
    buf_deinit(&out);
}

// Each seventh is a gap; `state.incarnation` is in the bytes, so they are made anew with it.
static void fill_spool(struct world *w)
{
    memset(w->len, 0, sizeof w->len);
    for (uint64_t i = 1; i <= SEQUENCES; i++) {
        const struct wire_sample sample = {
            .series = 1, .time = 1772366400, .value = {.kind = FIGURE_INTEGER, .integer = (int64_t)i}};
        struct wire_message m = {.type = WIRE_BATCH,
                                 .batch = {.incarnation = w->spool.incarnation,
                                           .sequence = i,
                                           .class = WIRE_MEASUREMENT,
                                           .declares = 2,
                                           .count = 1,
                                           .samples = &sample}};
        if (i % 7 == 0)
            m = (struct wire_message){.type = WIRE_GAP,
                                      .gap = {w->spool.incarnation, i, i + 2, 9, 0, 60, WIRE_GAP_QUOTA_AGE}};
        encode(w, i, &m);
        w->last_of[i] = i % 7 == 0 ? i + 2 : i;
        i = w->last_of[i];
    }
}

static enum err on_message(void *ctx, uint64_t first, struct spool_message *out, struct diag *d)
{
    struct world *w = ctx;
    if (w->busy)
        return diag_fail(d, ERR_AGAIN, "busy");
    if (first == 0 || first > SEQUENCES || w->len[first] == 0)
        return diag_fail(d, ERR_NOT_FOUND, "no such message");
    *out = (struct spool_message){first, w->last_of[first], first % 7 == 0, w->message[first], w->len[first]};
    return ERR_OK;
}

static enum err on_declare(void *ctx, uint32_t number, struct wire_declare *out, struct diag *d)
{
    struct world *w = ctx;
    FUZZ_CHECK(number < WIRE_SERIES_NUMBERS);
    if (number >= w->spool.declares)
        return diag_fail(d, ERR_NOT_FOUND, "no such declare");
    *out = (struct wire_declare){.number = number,
                                 .series = number ? "inv" : "out_units/rolls",
                                 .unit = number ? "money" : "piece",
                                 .currency = number ? "KZT" : "",
                                 .class = WIRE_MEASUREMENT,
                                 .step_s = 10};
    return ERR_OK;
}

// ---- what the core does

static enum err on_send(void *ctx, const void *bytes, size_t len)
{
    struct world *w = ctx;
    struct wire_message m;
    FUZZ_CHECK(w->open && wire_decode(arena, bytes, len, &m, NULL) == ERR_OK);
    uint64_t first = 0, last = 0;
    switch (m.type) {
    case WIRE_BATCH:
        first = last = m.batch.sequence;
        break;
    case WIRE_GAP:
        first = m.gap.first;
        last = m.gap.last;
        break;
    default:
        FUZZ_CHECK(m.type == WIRE_HELLO || m.type == WIRE_DECLARE || m.type == WIRE_HEARTBEAT);
        return w->send_result;
    }
    FUZZ_CHECK(first <= SEQUENCES && len == w->len[first] && memcmp(bytes, w->message[first], len) == 0);
    FUZZ_CHECK(last <= w->spool.last_written);
    if (w->send_result == ERR_OK && last > w->highest_sent)
        w->highest_sent = last;
    return w->send_result;
}

static void on_transport(void *ctx, enum uplink_transport what)
{
    struct world *w = ctx;
    w->open = false; // opened by the script's next connection
    (void)what;
}

static void on_acknowledged(void *ctx, uint64_t sequence, const struct wire_receipt *receipt)
{
    struct world *w = ctx;
    FUZZ_CHECK(sequence <= w->highest_sent);
    w->spool.last_acknowledged = sequence;
    w->spool.receipt = *receipt;
}

static void on_allow(void *ctx, bool sending)
{
    struct world *w = ctx;
    if (sending)
        w->spool.sendable = w->spool.last_written;
}

static void on_known(void *ctx, uint32_t declares)
{
    (void)ctx;
    FUZZ_CHECK(declares <= WIRE_SERIES_NUMBERS);
}

static void on_owed(void *ctx, const void *bytes, size_t len)
{
    struct wire_message m; // what is kept must be readable by whoever shows it
    (void)ctx;
    FUZZ_CHECK(wire_decode(arena, bytes, len, &m, NULL) == ERR_OK && m.type == WIRE_OBLIGATIONS);
}

static void on_rewind(void *ctx, uint64_t last)
{
    struct world *w = ctx;
    if (last >= w->spool.last_acknowledged)
        return; // asked for again before the core knew that it was done
    w->spool.last_acknowledged = last;
    w->spool.generation++;
}

static void on_renew(void *ctx)
{
    struct world *w = ctx;
    w->spool.incarnation.bytes[0]++;
    w->spool.generation++;
    w->spool.last_acknowledged = 0;
    w->highest_sent = 0;
    fill_spool(w);
}

static uint32_t on_random(void *ctx, uint32_t below)
{
    (void)ctx;
    return below / 2;
}

static void on_event(void *ctx, const struct uplink_event *e)
{
    (void)ctx;
    FUZZ_CHECK(e->text);
    if (e->type == UPLINK_REFUSED)
        FUZZ_CHECK(uplink_refuse_advice(e->refuse));
}

// ---- the script

static uint64_t sequence(struct world *w, struct fuzz_input *in)
{
    uint8_t how = fuzz_u8(in);
    if (how < 64)
        return w->spool.last_acknowledged + how % 8;
    if (how < 128)
        return w->highest_sent;
    return (uint64_t)fuzz_number(in, (int64_t)w->spool.last_acknowledged);
}

static void say(struct world *w, const struct wire_message *m)
{
    struct buf out;
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    if (wire_encode(m, &out) == ERR_OK)
        uplink_core_message(w->core, out.data, out.len);
    buf_deinit(&out);
}

static void hostile(struct world *w, uint8_t what, struct fuzz_input *in)
{
    struct wire_message m = {.type = WIRE_WELCOME};
    struct wire_refusal refusals[8];
    switch (what) {
    case 0:
        m.welcome = (struct wire_welcome){.resident = "aztm/mill", .last_sequence = sequence(w, in)};
        m.welcome.declares_known = (uint32_t)fuzz_number(in, 2);
        m.welcome.credit_bytes = (uint64_t)fuzz_number(in, 65536);
        m.welcome.clock_us = fuzz_number(in, INT64_C(1772366400000000));
        break;
    case 1:
        m.type = WIRE_ACK;
        m.ack =
            (struct wire_ack){.sequence = sequence(w, in), .credit_bytes = (uint64_t)fuzz_number(in, 1000)};
        m.ack.receipt.position = fuzz_u8(in);
        break;
    case 2:
        m.type = WIRE_REJECT;
        m.reject =
            (struct wire_reject){.sequence = sequence(w, in), .count = fuzz_u8(in) % 8, .refusals = refusals};
        m.reject.whole = m.reject.count == 0;
        m.reject.whole_reason = (enum wire_reason)(fuzz_u8(in) % WIRE_REASON_COUNT);
        for (uint32_t i = 0; i < m.reject.count; i++)
            refusals[i] = (struct wire_refusal){i * (1u + fuzz_u8(in) % 4u), WIRE_REASON_FUTURE};
        break;
    case 3:
        m.type = WIRE_NEED_DECLARE;
        m.need_declare_from = (uint32_t)fuzz_number(in, 0);
        break;
    default:
        m.type = WIRE_REFUSE;
        m.refuse.reason = (enum wire_refuse_reason)(fuzz_u8(in) % WIRE_REFUSE_COUNT);
        m.refuse.text = "жоқ";
        break;
    }
    say(w, &m);
}

static void raw(struct world *w, struct fuzz_input *in)
{
    size_t len = fuzz_u8(in);
    const uint8_t *at = fuzz_bytes(in, &len);
    char *exact = fuzz_string(at, len);
    uplink_core_message(w->core, exact, len);
    free(exact);
}

static void step(struct world *w, struct fuzz_input *in)
{
    static const enum err results[] = {ERR_OK, ERR_AGAIN, ERR_CLOSED, ERR_OK};
    uint8_t what = fuzz_u8(in);
    switch (what & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        hostile(w, what & 15, in);
        break;
    case 5:
        raw(w, in);
        break;
    case 6:
        w->open = true;
        uplink_core_connected(w->core);
        break;
    case 7:
        w->open = false;
        uplink_core_disconnected(w->core);
        break;
    case 8:
        fake_clock_advance_us(&w->clock, (int64_t)(what >> 4) * (what >> 4) * US_PER_S / 2);
        break;
    case 9:
        w->send_result = results[what >> 4 & 3];
        break;
    case 10:
        uplink_core_hold(w->core, what & 16);
        break;
    case 11:
        if (w->spool.last_written < SEQUENCES - 3)
            w->spool.last_written = w->last_of[w->spool.last_written + 1];
        break;
    case 12:
        w->busy = what & 16;
        break;
    default:
        uplink_core_spool(w->core, &w->spool);
        break;
    }
    uplink_core_tick(w->core);
    FUZZ_CHECK(uplink_core_wait_ms(w->core) >= 0);
    FUZZ_CHECK(memchr(uplink_core_link(w->core)->resident, 0, sizeof uplink_core_link(w->core)->resident));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct world w;
    struct fuzz_input in = {bytes, len};
    FUZZ_CHECK(arena || wire_arena_create(&arena) == ERR_OK);
    memset(&w, 0, sizeof w);
    fake_clock_init(&w.clock, INT64_C(1772366400000000));
    w.spool = (struct spool_state){.generation = 1, .declares = 2, .first_kept = 1, .last_written = 9};
    fill_spool(&w);
    const struct uplink_io io = {.ctx = &w,
                                 .send = on_send,
                                 .transport = on_transport,
                                 .message = on_message,
                                 .declare = on_declare,
                                 .acknowledged = on_acknowledged,
                                 .allow = on_allow,
                                 .known = on_known,
                                 .owed = on_owed,
                                 .rewind = on_rewind,
                                 .renew = on_renew,
                                 .random = on_random,
                                 .event = on_event};
    FUZZ_CHECK(uplink_core_create(&w.clock.clock, &io, "0.1.0", &w.core) == ERR_OK);
    uplink_core_spool(w.core, &w.spool);
    for (int i = 0; i < 300 && in.left > 0; i++)
        step(&w, &in);
    (void)uplink_core_idle(w.core);
    (void)uplink_core_done(w.core);
    uplink_core_destroy(w.core);
    return 0;
}
