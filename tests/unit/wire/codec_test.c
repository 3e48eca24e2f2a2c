// Round trips of every message, and what is refused before it becomes bytes.
#include "wire/codec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

static struct wire_arena *arena;

static int setup(void **state)
{
    (void)state;
    return wire_arena_create(&arena) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    wire_arena_destroy(arena);
    return 0;
}

#define COUNTERS                                                                                             \
    {                                                                                                        \
        1, 2, 3, 4, 5, 6, UINT64_MAX                                                                         \
    }

static struct wire_message decode_ok(const struct buf *b)
{
    struct wire_message m;
    struct diag d = {""};
    enum err e = wire_decode(arena, buf_str(b), b->len, &m, &d);
    if (e != ERR_OK)
        fail_msg("decode: %s: %s", err_name(e), d.text);
    return m;
}

// Encodes, decodes, encodes again: the same bytes. What was decoded is returned.
static struct wire_message round_trip(const struct wire_message *m)
{
    struct buf first, second;
    buf_init(&first, WIRE_MESSAGE_MAX_BYTES);
    buf_init(&second, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(m, &first), ERR_OK);
    struct wire_message back = decode_ok(&first);
    assert_int_equal(back.type, m->type);
    assert_int_equal(wire_encode(&back, &second), ERR_OK);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    buf_deinit(&first);
    buf_deinit(&second);
    return back;
}

// Neither encodes; `what` only names the line.
static void refuses_to_encode(const struct wire_message *m)
{
    struct buf b;
    buf_init(&b, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(m, &b), ERR_INVALID);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

static struct figure integer(int64_t v)
{
    struct figure f;
    assert_int_equal(figure_from_integer(v, &f), ERR_OK);
    return f;
}

static struct figure real(double v)
{
    return (struct figure){.kind = FIGURE_REAL, .real = v};
}

// ---- round trips

static void codec_hello_round_trip(void **state)
{
    (void)state;
    struct wire_message m = {.type = WIRE_HELLO,
                             .hello = {.protocol = 1,
                                       .version = "0.1.0",
                                       .clock_us = -5,
                                       .incarnation = {{1, 2, 3}},
                                       .declares = 7,
                                       .first_kept = 8,
                                       .last_written = UINT64_MAX,
                                       .last_acknowledged = 9,
                                       .last_receipt = {10, {11, 12}},
                                       .counters = COUNTERS}};
    struct wire_message back = round_trip(&m);
    assert_string_equal(back.hello.version, "0.1.0");
    assert_int_equal(back.hello.clock_us, -5);
    assert_memory_equal(&back.hello.incarnation, &m.hello.incarnation, sizeof(m.hello.incarnation));
    assert_int_equal(back.hello.last_written, UINT64_MAX);
    assert_int_equal(back.hello.last_receipt.position, 10);
    assert_memory_equal(back.hello.last_receipt.chain, m.hello.last_receipt.chain, WIRE_CHAIN_BYTES);
    assert_memory_equal(&back.hello.counters, &m.hello.counters, sizeof(m.hello.counters));
}

static void codec_welcome_declare_and_need_declare_round_trip(void **state)
{
    (void)state;
    struct wire_message m = {.type = WIRE_WELCOME,
                             .welcome = {.resident = "almaty-iz/acme",
                                         .last_sequence = 4,
                                         .declares_known = 5,
                                         .credit_bytes = 6,
                                         .clock_us = 7,
                                         .max_series = 8,
                                         .max_batch_bytes = 16384}};
    struct wire_message back = round_trip(&m);
    assert_string_equal(back.welcome.resident, "almaty-iz/acme");
    assert_int_equal(back.welcome.last_sequence, 4);
    assert_int_equal(back.welcome.max_batch_bytes, 16384);
    m = (struct wire_message){.type = WIRE_DECLARE,
                              .declare = {.number = 65535,
                                          .series = "out_units/fridges",
                                          .unit = "штука",
                                          .currency = "KZT",
                                          .class = WIRE_MEASUREMENT,
                                          .step_s = 10}};
    back = round_trip(&m);
    assert_string_equal(back.declare.series, "out_units/fridges");
    assert_string_equal(back.declare.unit, "штука");
    assert_string_equal(back.declare.currency, "KZT");
    assert_int_equal(back.declare.step_s, 10);
    m = (struct wire_message){.type = WIRE_NEED_DECLARE, .need_declare_from = 0};
    assert_int_equal(round_trip(&m).need_declare_from, 0);
}

static void codec_gap_ack_and_heartbeat_round_trip(void **state)
{
    (void)state;
    struct wire_message m = {.type = WIRE_GAP, .gap = {{{9}}, 3, 5, 100, -50, 60, WIRE_GAP_QUOTA_AGE}};
    struct wire_message back = round_trip(&m);
    assert_int_equal(back.gap.first, 3);
    assert_int_equal(back.gap.last, 5);
    assert_int_equal(back.gap.from_s, -50);
    assert_int_equal(back.gap.reason, WIRE_GAP_QUOTA_AGE);
    m = (struct wire_message){.type = WIRE_ACK, .ack = {5, 6, {7, {8}}, 9}};
    back = round_trip(&m);
    assert_int_equal(back.ack.sequence, 5);
    assert_int_equal(back.ack.receipt.position, 7);
    assert_int_equal(back.ack.receipt.chain[0], 8);
    m = (struct wire_message){.type = WIRE_ACK, .ack = {.sequence = 0}};
    assert_int_equal(round_trip(&m).ack.receipt.position, 0);
    m = (struct wire_message){.type = WIRE_HEARTBEAT, .heartbeat = {123, COUNTERS}};
    back = round_trip(&m);
    assert_int_equal(back.heartbeat.clock_us, 123);
    assert_int_equal(back.heartbeat.counters.gaps, UINT64_MAX);
}

static void codec_reject_refuse_and_control_round_trip(void **state)
{
    (void)state;
    const struct wire_refusal refusals[] = {{0, WIRE_REASON_FUTURE}, {8191, WIRE_REASON_OFF_STEP}};
    struct wire_message m = {.type = WIRE_REJECT,
                             .reject = {.sequence = 2, .count = 2, .refusals = refusals}};
    struct wire_message back = round_trip(&m);
    assert_int_equal(back.reject.count, 2);
    assert_int_equal(back.reject.refusals[1].index, 8191);
    assert_int_equal(back.reject.refusals[1].reason, WIRE_REASON_OFF_STEP);
    m = (struct wire_message){.type = WIRE_REJECT,
                              .reject = {.sequence = 2, .whole = true, .whole_reason = WIRE_REASON_QUOTA}};
    back = round_trip(&m);
    assert_true(back.reject.whole);
    assert_int_equal(back.reject.whole_reason, WIRE_REASON_QUOTA);
    m = (struct wire_message){.type = WIRE_REFUSE, .refuse = {WIRE_REFUSE_OTHER_BODY, "жоқ"}};
    assert_string_equal(round_trip(&m).refuse.text, "жоқ");
    m = (struct wire_message){
        .type = WIRE_CONTROL_MESSAGE,
        .control = {
            .kind = "catalogue", .document = "a\0b", .document_len = 3, .author = "desk", .parts = 1}};
    back = round_trip(&m);
    assert_int_equal(back.control.document_len, 3);
    assert_memory_equal(back.control.document, "a\0b", 3);
}

static void codec_batch_round_trip_keeps_every_sample_and_note(void **state)
{
    (void)state;
    const struct wire_sample samples[] = {
        {3, 1000, integer(FIGURE_INTEGER_MAX), WIRE_REASON_NONE},
        {0, 990, integer(-FIGURE_INTEGER_MAX), WIRE_REASON_NONE},
        {65535, 1000, real(0.1), WIRE_REASON_NONE},
        {1, -62135596800, figure_missing(), WIRE_REASON_NONE},
        {1, 253402300799, real(-4503599627370495.5), WIRE_REASON_NONE},
    };
    const struct wire_note notes[] = {
        {.index = 0,
         .status = WIRE_PROVISIONAL,
         .reason = "түзету",
         .author = "a",
         .currency = "USD",
         .published_us = -1},
        {.index = 3, .status = WIRE_MISSING, .confidential = true},
    };
    struct wire_message m = {.type = WIRE_BATCH,
                             .batch = {{{7}}, 12, WIRE_MEASUREMENT, 65536, 5, samples, 2, notes}};
    struct wire_message back = round_trip(&m);
    assert_int_equal(back.batch.sequence, 12);
    assert_int_equal(back.batch.declares, 65536);
    assert_int_equal(back.batch.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(back.batch.samples[i].series, samples[i].series);
        assert_int_equal(back.batch.samples[i].time, samples[i].time);
        assert_int_equal(back.batch.samples[i].refused, WIRE_REASON_NONE);
        assert_true(figure_equal(back.batch.samples[i].value, samples[i].value));
    }
    assert_int_equal(back.batch.note_count, 2);
    assert_string_equal(back.batch.notes[0].reason, "түзету");
    assert_string_equal(back.batch.notes[0].currency, "USD");
    assert_int_equal(back.batch.notes[0].published_us, -1);
    assert_true(back.batch.notes[1].confidential);
    assert_string_equal(back.batch.notes[1].author, "");
}

static void codec_encodes_a_whole_real_as_the_integer_it_is(void **state)
{
    (void)state;
    struct buf a, b;
    buf_init(&a, WIRE_MESSAGE_MAX_BYTES);
    buf_init(&b, WIRE_MESSAGE_MAX_BYTES);
    struct wire_sample s = {0, 5, real(42.0), WIRE_REASON_NONE};
    struct wire_message m = {.type = WIRE_BATCH, .batch = {{{7}}, 1, WIRE_REPORT, 1, 1, &s, 0, NULL}};
    assert_int_equal(wire_encode(&m, &a), ERR_OK);
    s.value = integer(42);
    assert_int_equal(wire_encode(&m, &b), ERR_OK);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);
    buf_deinit(&a);
    buf_deinit(&b);
}

static void codec_refuses_texts_by_their_bytes_and_takes_them_at_the_limit(void **state)
{
    (void)state;
    char text[WIRE_REASON_MAX + 2];
    memset(text, 'x', sizeof(text));
    text[WIRE_REASON_MAX] = '\0';
    struct wire_message m = {.type = WIRE_REFUSE, .refuse = {WIRE_REFUSE_REVOKED, text}};
    assert_int_equal(strlen(round_trip(&m).refuse.text), WIRE_REASON_MAX);
    text[WIRE_REASON_MAX] = 'x';
    text[WIRE_REASON_MAX + 1] = '\0';
    refuses_to_encode(&m);
}

static void codec_takes_a_last_character_of_many_bytes(void **state)
{
    (void)state;
    struct wire_message m = {.type = WIRE_REFUSE, .refuse = {WIRE_REFUSE_REVOKED, "a\xf4\x8f\xbf\xbf қ ₸"}};
    assert_string_equal(round_trip(&m).refuse.text, "a\xf4\x8f\xbf\xbf қ ₸");
}

// ---- other messages broken

#define BROKEN(name, type_, member, ...)                                                                     \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        struct wire_message m = {.type = (type_), .member = __VA_ARGS__};                                    \
        refuses_to_encode(&m);                                                                               \
    }

BROKEN(codec_refuses_a_gap_that_ends_before_it_begins, WIRE_GAP, gap,
       {.first = 5, .last = 4, .reason = WIRE_GAP_QUOTA_AGE})
BROKEN(codec_refuses_a_gap_of_sequence_0, WIRE_GAP, gap,
       {.first = 0, .last = 4, .reason = WIRE_GAP_QUOTA_AGE})
BROKEN(codec_refuses_a_gap_without_a_reason, WIRE_GAP, gap, {.first = 1, .last = 4})
BROKEN(codec_refuses_a_gap_of_an_unknown_reason, WIRE_GAP, gap,
       {.first = 1, .last = 4, .reason = (enum wire_gap_reason)5})
BROKEN(codec_refuses_a_gap_from_later_to_earlier, WIRE_GAP, gap,
       {.first = 1, .last = 1, .from_s = 2, .to_s = 1, .reason = WIRE_GAP_QUOTA_AGE})
BROKEN(codec_refuses_a_gap_beyond_year_9999, WIRE_GAP, gap,
       {.first = 1, .last = 1, .to_s = INT64_MAX, .reason = WIRE_GAP_QUOTA_AGE})
BROKEN(codec_refuses_an_empty_reject, WIRE_REJECT, reject, {.sequence = 1})
BROKEN(codec_refuses_a_whole_reject_without_a_reason, WIRE_REJECT, reject, {.sequence = 1, .whole = true})
BROKEN(codec_refuses_a_hello_whose_version_is_not_ascii, WIRE_HELLO, hello, {.protocol = 1, .version = "é"})
BROKEN(codec_refuses_a_hello_with_too_many_declares, WIRE_HELLO, hello,
       {.protocol = 1, .version = "1", .declares = 65537})
BROKEN(codec_refuses_a_hello_of_a_clock_gone_mad, WIRE_HELLO, hello,
       {.protocol = 1, .version = "1", .clock_us = INT64_MAX})
BROKEN(codec_refuses_a_welcome_to_nobody, WIRE_WELCOME, welcome, {.resident = ""})
BROKEN(codec_refuses_a_declare_of_nothing, WIRE_DECLARE, declare,
       {.series = "", .class = WIRE_REPORT, .period = 2})
BROKEN(codec_refuses_a_declare_beyond_the_last_number, WIRE_DECLARE, declare,
       {.number = 65536, .series = "a", .class = WIRE_REPORT, .period = 2})
BROKEN(codec_refuses_a_report_without_a_period, WIRE_DECLARE, declare, {.series = "a", .class = WIRE_REPORT})
BROKEN(codec_refuses_a_report_of_an_unknown_period, WIRE_DECLARE, declare,
       {.series = "a", .class = WIRE_REPORT, .period = 5})
BROKEN(codec_refuses_a_report_with_a_step, WIRE_DECLARE, declare,
       {.series = "a", .class = WIRE_REPORT, .period = 2, .step_s = 10})
BROKEN(codec_refuses_a_measurement_without_a_step, WIRE_DECLARE, declare,
       {.series = "a", .class = WIRE_MEASUREMENT})
BROKEN(codec_refuses_a_measurement_with_an_odd_step, WIRE_DECLARE, declare,
       {.series = "a", .class = WIRE_MEASUREMENT, .step_s = 11})
BROKEN(codec_refuses_a_measurement_with_a_period, WIRE_DECLARE, declare,
       {.series = "a", .class = WIRE_MEASUREMENT, .step_s = 10, .period = 1})
BROKEN(codec_refuses_a_refuse_of_an_unknown_reason, WIRE_REFUSE, refuse, {WIRE_REFUSE_COUNT, ""})
BROKEN(codec_refuses_a_control_of_no_parts, WIRE_CONTROL_MESSAGE, control,
       {.kind = "catalogue", .document = "", .author = ""})
BROKEN(codec_refuses_a_message_of_no_type, (enum wire_type)0, need_declare_from, 0)
BROKEN(codec_refuses_a_message_of_an_unknown_type, (enum wire_type)12, need_declare_from, 0)
BROKEN(codec_refuses_to_ask_for_declares_that_cannot_be, WIRE_NEED_DECLARE, need_declare_from, 65537)

static void codec_refuses_to_encode_samples_that_no_decoder_would_take(void **state)
{
    (void)state;
    const struct wire_sample bad[] = {
        {0, 0, {.kind = FIGURE_INTEGER, .integer = FIGURE_INTEGER_MAX + 1}, WIRE_REASON_NONE},
        {0, 0, {.kind = FIGURE_REAL, .real = (double)NAN}, WIRE_REASON_NONE},
        {0, 0, {.kind = FIGURE_REAL, .real = 1e300}, WIRE_REASON_NONE},
        {0, 253402300800, {.kind = FIGURE_MISSING}, WIRE_REASON_NONE},
        {1u << 30, 0, {.kind = FIGURE_MISSING}, WIRE_REASON_NONE},
        {0, 0, {.kind = FIGURE_MISSING}, WIRE_REASON_FUTURE},
        {0, 0, {.kind = (enum figure_kind)9}, WIRE_REASON_NONE},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct wire_message m = {.type = WIRE_BATCH,
                                 .batch = {{{7}}, 1, WIRE_MEASUREMENT, 1, 1, &bad[i], 0, NULL}};
        refuses_to_encode(&m);
    }
}

static void codec_refuses_to_encode_what_passes_the_limit(void **state)
{
    (void)state;
    static struct wire_refusal refusals[WIRE_SAMPLES_MAX];
    for (uint32_t i = 0; i < WIRE_SAMPLES_MAX; i++)
        refusals[i] = (struct wire_refusal){i, WIRE_REASON_FUTURE};
    struct buf b;
    buf_init(&b, 1 << 20);
    struct wire_message m = {.type = WIRE_REJECT,
                             .reject = {.sequence = 1, .count = WIRE_SAMPLES_MAX, .refusals = refusals}};
    assert_int_equal(wire_encode(&m, &b), ERR_TOO_BIG);
    m.reject.count = 5000; // three bytes each
    assert_int_equal(wire_encode(&m, &b), ERR_OK);
    buf_deinit(&b);
}

static void codec_takes_the_largest_honest_batches(void **state)
{
    (void)state;
    static struct wire_sample samples[WIRE_SAMPLES_MAX];
    static struct wire_note notes[WIRE_NOTES_MAX];
    for (size_t i = 0; i < WIRE_SAMPLES_MAX; i++)
        samples[i] = (struct wire_sample){0, 0, figure_missing(), WIRE_REASON_NONE};
    struct wire_message m = {.type = WIRE_BATCH, .batch = {{{7}}, 1, WIRE_REPORT, 1, 8150, samples, 0, NULL}};
    assert_int_equal(round_trip(&m).batch.count, 8150);
    size_t count = 1990; // each with a note of its own
    for (size_t i = 0; i < count; i++)
        notes[i] = (struct wire_note){.index = (uint32_t)i};
    m.batch.count = m.batch.note_count = count;
    m.batch.notes = notes;
    assert_int_equal(round_trip(&m).batch.note_count, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_hello_round_trip),
        cmocka_unit_test(codec_welcome_declare_and_need_declare_round_trip),
        cmocka_unit_test(codec_gap_ack_and_heartbeat_round_trip),
        cmocka_unit_test(codec_reject_refuse_and_control_round_trip),
        cmocka_unit_test(codec_batch_round_trip_keeps_every_sample_and_note),
        cmocka_unit_test(codec_encodes_a_whole_real_as_the_integer_it_is),
        cmocka_unit_test(codec_refuses_texts_by_their_bytes_and_takes_them_at_the_limit),
        cmocka_unit_test(codec_takes_a_last_character_of_many_bytes),
        cmocka_unit_test(codec_refuses_a_gap_that_ends_before_it_begins),
        cmocka_unit_test(codec_refuses_a_gap_of_sequence_0),
        cmocka_unit_test(codec_refuses_a_gap_without_a_reason),
        cmocka_unit_test(codec_refuses_a_gap_of_an_unknown_reason),
        cmocka_unit_test(codec_refuses_a_gap_from_later_to_earlier),
        cmocka_unit_test(codec_refuses_a_gap_beyond_year_9999),
        cmocka_unit_test(codec_refuses_an_empty_reject),
        cmocka_unit_test(codec_refuses_a_whole_reject_without_a_reason),
        cmocka_unit_test(codec_refuses_a_hello_whose_version_is_not_ascii),
        cmocka_unit_test(codec_refuses_a_hello_with_too_many_declares),
        cmocka_unit_test(codec_refuses_a_hello_of_a_clock_gone_mad),
        cmocka_unit_test(codec_refuses_a_welcome_to_nobody),
        cmocka_unit_test(codec_refuses_a_declare_of_nothing),
        cmocka_unit_test(codec_refuses_a_declare_beyond_the_last_number),
        cmocka_unit_test(codec_refuses_a_report_without_a_period),
        cmocka_unit_test(codec_refuses_a_report_of_an_unknown_period),
        cmocka_unit_test(codec_refuses_a_report_with_a_step),
        cmocka_unit_test(codec_refuses_a_measurement_without_a_step),
        cmocka_unit_test(codec_refuses_a_measurement_with_an_odd_step),
        cmocka_unit_test(codec_refuses_a_measurement_with_a_period),
        cmocka_unit_test(codec_refuses_a_refuse_of_an_unknown_reason),
        cmocka_unit_test(codec_refuses_a_control_of_no_parts),
        cmocka_unit_test(codec_refuses_a_message_of_no_type),
        cmocka_unit_test(codec_refuses_a_message_of_an_unknown_type),
        cmocka_unit_test(codec_refuses_to_ask_for_declares_that_cannot_be),
        cmocka_unit_test(codec_refuses_to_encode_samples_that_no_decoder_would_take),
        cmocka_unit_test(codec_refuses_to_encode_what_passes_the_limit),
        cmocka_unit_test(codec_takes_the_largest_honest_batches),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
