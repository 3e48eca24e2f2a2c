// Bytes that no honest encoder makes: each rule of form broken once, hostile sizes, and what later versions
// may send.
#include "tests/support/raw.h"
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

// The bytes are refused, and the detail names `field`.
static void refuses_to_decode(struct buf *b, const char *field)
{
    struct wire_message m = {.type = (enum wire_type)77};
    struct diag d = {""};
    assert_int_equal(wire_decode(arena, buf_str(b), b->len, &m, &d), ERR_INVALID);
    if (!strstr(d.text, field))
        fail_msg("the detail `%s` does not speak of `%s`", d.text, field);
    assert_int_equal(m.type, 77);
    buf_deinit(b);
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

// ---- values that spoil themselves and not their batch

static void one_real(struct raw_batch *r, double v)
{
    raw_varint(&r->tag, 1);
    raw_zigzag(&r->time, 0);
    buf_append(&r->real, &v, sizeof(v));
}

static void one_integer(struct raw_batch *r, int64_t v)
{
    raw_varint(&r->tag, 0);
    raw_zigzag(&r->time, 0);
    raw_zigzag(&r->integer, v);
}

static void codec_marks_values_that_cannot_be_figures_and_keeps_the_rest(void **state)
{
    (void)state;
    struct raw_batch r;
    struct buf b;
    raw_batch_init(&r);
    buf_init(&b, WIRE_MESSAGE_MAX_BYTES);
    one_real(&r, (double)NAN);
    one_real(&r, (double)INFINITY);
    one_real(&r, -(double)INFINITY);
    one_real(&r, 9007199254740994.0);
    one_integer(&r, FIGURE_INTEGER_MAX + 1);
    one_integer(&r, INT64_MIN);
    one_integer(&r, 5);
    one_real(&r, 7.0);
    one_real(&r, -0.0);
    one_real(&r, 0.5);
    raw_batch_envelope(&r, &b);
    const struct wire_batch batch = decode_ok(&b).batch;
    const enum wire_reason expected[] = {WIRE_REASON_NOT_FINITE,   WIRE_REASON_NOT_FINITE,
                                         WIRE_REASON_NOT_FINITE,   WIRE_REASON_OUT_OF_RANGE,
                                         WIRE_REASON_OUT_OF_RANGE, WIRE_REASON_OUT_OF_RANGE};
    assert_int_equal(batch.count, 10);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(batch.samples[i].refused, expected[i]);
        assert_int_equal(batch.samples[i].value.kind, FIGURE_MISSING);
    }
    for (size_t i = 6; i < 10; i++)
        assert_int_equal(batch.samples[i].refused, WIRE_REASON_NONE);
    assert_true(figure_equal(batch.samples[6].value, integer(5)));
    assert_true(figure_equal(batch.samples[7].value, integer(7)));
    assert_true(figure_equal(batch.samples[8].value, integer(0)));
    assert_true(figure_equal(batch.samples[9].value, real(0.5)));
    raw_batch_deinit(&r);
    buf_deinit(&b);
}

// ---- batches that do not fit together

#define BROKEN_BATCH(name, field, ...)                                                                       \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        struct raw_batch r;                                                                                  \
        struct buf b;                                                                                        \
        raw_batch_init(&r);                                                                                  \
        buf_init(&b, WIRE_MESSAGE_MAX_BYTES * 4);                                                            \
        __VA_ARGS__;                                                                                         \
        raw_batch_envelope(&r, &b);                                                                          \
        raw_batch_deinit(&r);                                                                                \
        refuses_to_decode(&b, field);                                                                        \
    }

static void add_note(struct raw_batch *r, uint32_t index, uint64_t status)
{
    struct buf n;
    buf_init(&n, 1000);
    raw_uint(&n, 1, index);
    raw_uint(&n, 2, status);
    raw_message(&r->note, 9, &n);
    buf_deinit(&n);
}

static const char right_to_left[] = {'\xe2', '\x80', '\xae'};

static void add_note_text(struct raw_batch *r, uint32_t field, const void *bytes, size_t len)
{
    struct buf n;
    buf_init(&n, 1000);
    raw_bytes(&n, field, bytes, len);
    raw_message(&r->note, 9, &n);
    buf_deinit(&n);
}

BROKEN_BATCH(codec_refuses_a_batch_with_more_tags_than_times, "tags", one_integer(&r, 1);
             raw_varint(&r.tag, 0))
BROKEN_BATCH(codec_refuses_a_batch_with_an_integer_too_few, "batch.integer", raw_varint(&r.tag, 0);
             raw_varint(&r.time, 0))
BROKEN_BATCH(codec_refuses_a_batch_with_a_real_too_few, "batch.real", raw_varint(&r.tag, 1);
             raw_varint(&r.time, 0))
BROKEN_BATCH(codec_refuses_a_batch_with_an_integer_too_many, "more values", one_integer(&r, 1);
             raw_varint(&r.integer, 0))
BROKEN_BATCH(codec_refuses_a_tag_of_a_kind_that_does_not_exist, "batch.tag", raw_varint(&r.tag, 3);
             raw_varint(&r.time, 0))
BROKEN_BATCH(codec_refuses_half_a_real, "not decode", one_real(&r, 1.5); buf_append(&r.real, "1234", 4))
BROKEN_BATCH(codec_refuses_a_time_beyond_year_9999, "batch.time", raw_varint(&r.tag, 2);
             raw_zigzag(&r.time, 253402300800))
BROKEN_BATCH(codec_refuses_times_whose_sum_overflows, "batch.time", raw_varint(&r.tag, 2);
             raw_varint(&r.tag, 2); raw_zigzag(&r.time, -5); raw_zigzag(&r.time, INT64_MIN))
BROKEN_BATCH(codec_refuses_a_report_beyond_year_9999, "batch.time", r.class = 2; raw_varint(&r.tag, 2);
             raw_zigzag(&r.time, 2932897))
BROKEN_BATCH(codec_refuses_a_batch_of_no_class, "batch.class", r.class = 0; one_integer(&r, 1))
BROKEN_BATCH(codec_refuses_a_batch_of_class_control, "batch.class", r.class = 3; one_integer(&r, 1))
BROKEN_BATCH(codec_refuses_a_batch_of_an_unknown_class, "batch.class", r.class = UINT32_MAX;
             one_integer(&r, 1))
BROKEN_BATCH(codec_refuses_sequence_0, "batch.sequence", r.sequence = 0; one_integer(&r, 1))
BROKEN_BATCH(codec_refuses_too_many_declares, "batch.declares", r.declares = 65537; one_integer(&r, 1))
BROKEN_BATCH(codec_refuses_a_short_incarnation, "batch.incarnation", r.incarnation_len = 15;
             one_integer(&r, 1))
BROKEN_BATCH(codec_refuses_an_empty_incarnation, "batch.incarnation", r.incarnation_len = 0;
             one_integer(&r, 1))
BROKEN_BATCH(codec_refuses_a_note_on_a_sample_that_is_not_there, "note 0", one_integer(&r, 1);
             add_note(&r, 1, 0))
BROKEN_BATCH(codec_refuses_notes_that_do_not_rise, "note 1", one_integer(&r, 1); one_integer(&r, 1);
             add_note(&r, 1, 0); add_note(&r, 1, 0))
BROKEN_BATCH(codec_refuses_an_unknown_status, "note.status", one_integer(&r, 1); add_note(&r, 0, 4))
BROKEN_BATCH(codec_refuses_a_reason_that_is_not_utf8, "note.reason", one_integer(&r, 1);
             add_note_text(&r, 3, "a\xc0\xaf", 3))
BROKEN_BATCH(codec_refuses_a_reason_cut_within_a_character, "note.reason", one_integer(&r, 1);
             add_note_text(&r, 3, "\xd0", 1))
BROKEN_BATCH(codec_refuses_a_surrogate, "note.reason", one_integer(&r, 1);
             add_note_text(&r, 3, "\xed\xa0\x80", 3))
BROKEN_BATCH(codec_refuses_what_is_beyond_unicode, "note.reason", one_integer(&r, 1);
             add_note_text(&r, 3, "\xf4\x90\x80\x80", 4))
BROKEN_BATCH(codec_refuses_a_line_break_in_a_text, "note.reason", one_integer(&r, 1);
             add_note_text(&r, 3, "a\nb", 3))
BROKEN_BATCH(codec_refuses_an_escape_in_a_text, "note.author", one_integer(&r, 1);
             add_note_text(&r, 4, "a\x1b[2J", 5))
BROKEN_BATCH(codec_refuses_a_c1_control_in_a_text, "note.author", one_integer(&r, 1);
             add_note_text(&r, 4, "\xc2\x9b", 2))
BROKEN_BATCH(codec_refuses_text_that_turns_its_line_around, "note.author", one_integer(&r, 1);
             add_note_text(&r, 4, right_to_left, 3))
BROKEN_BATCH(codec_refuses_a_nul_hidden_in_a_text, "NUL", one_integer(&r, 1);
             add_note_text(&r, 3, "good\0bad", 8))
BROKEN_BATCH(codec_refuses_a_lone_nul, "NUL", one_integer(&r, 1); add_note_text(&r, 3, "", 1))
BROKEN_BATCH(codec_refuses_a_currency_that_is_not_three_capitals, "note.currency", one_integer(&r, 1);
             add_note_text(&r, 6, "kzt", 3))
BROKEN_BATCH(codec_refuses_a_currency_of_four, "note.currency", one_integer(&r, 1);
             add_note_text(&r, 6, "KZTT", 4))

static void codec_refuses_a_text_longer_than_its_limit(void **state)
{
    (void)state;
    char text[WIRE_REASON_MAX + 2];
    memset(text, 'x', sizeof(text));
    text[WIRE_REASON_MAX + 1] = '\0';
    struct buf b, inner;
    buf_init(&b, 1000);
    buf_init(&inner, 1000);
    raw_uint(&inner, 1, WIRE_REFUSE_REVOKED);
    raw_text(&inner, 2, text);
    raw_message(&b, 10, &inner);
    buf_deinit(&inner);
    refuses_to_decode(&b, "refuse.text");
}

// ---- hostile bytes

static void codec_answers_another_protocol_with_its_number_and_nothing_else(void **state)
{
    (void)state;
    struct buf b, inner;
    buf_init(&b, 1000);
    buf_init(&inner, 1000);
    raw_uint(&inner, 1, 2);
    raw_bytes(&inner, 4, "short", 5);
    raw_message(&b, 5, &inner);
    struct wire_message m = decode_ok(&b);
    assert_int_equal(m.type, WIRE_HELLO);
    assert_int_equal(m.hello.protocol, 2);
    assert_string_equal(m.hello.version, "");
    assert_int_equal(m.hello.last_written, 0);
    buf_deinit(&inner);
    buf_deinit(&b);
}

static void codec_ignores_fields_that_it_does_not_know(void **state)
{
    (void)state;
    struct buf b, inner;
    buf_init(&b, 1000);
    buf_init(&inner, 1000);
    raw_uint(&inner, 1, 9);
    raw_text(&inner, 900, "from a later version");
    raw_uint(&inner, 901, UINT64_MAX);
    raw_text(&b, 100, "before");
    raw_message(&b, 8, &inner);
    raw_key(&b, 101, 5);
    buf_append(&b, "1234", 4);
    raw_key(&b, 102, 1);
    buf_append(&b, "12345678", 8);
    assert_int_equal(decode_ok(&b).need_declare_from, 9);
    buf_deinit(&inner);
    buf_deinit(&b);
}

static void codec_refuses_an_envelope_with_no_body_or_with_two(void **state)
{
    (void)state;
    struct buf b, inner;
    buf_init(&b, 1000);
    refuses_to_decode(&b, "0 bodies");
    buf_init(&b, 1000);
    raw_text(&b, 99, "a type of a later version");
    refuses_to_decode(&b, "0 bodies");
    buf_init(&b, 1000);
    buf_init(&inner, 1000);
    raw_uint(&inner, 1, 9);
    raw_message(&b, 8, &inner);
    raw_message(&b, 8, &inner);
    refuses_to_decode(&b, "2 bodies");
    buf_init(&b, 1000);
    raw_message(&b, 8, &inner);
    raw_message(&b, 3, &inner);
    refuses_to_decode(&b, "2 bodies");
    buf_deinit(&inner);
}

static void codec_refuses_a_body_that_is_no_message(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    raw_uint(&b, 8, 5);
    refuses_to_decode(&b, "does not decode");
    buf_init(&b, 100);
    raw_key(&b, 8, 3); // a group
    refuses_to_decode(&b, "not an Envelope");
    buf_init(&b, 100);
    raw_key(&b, 8, 2);
    raw_varint(&b, UINT64_MAX);
    refuses_to_decode(&b, "not an Envelope");
    buf_init(&b, 100);
    buf_append(&b, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    refuses_to_decode(&b, "not an Envelope");
}

// A length of 1 in that many bytes, in a batch that is otherwise plain, alone and beside an unknown field:
// that goes another way.
static void overlong_length(struct buf *out, size_t bytes, bool unknown)
{
    struct buf inner;
    buf_init(out, 1000);
    buf_init(&inner, 1000);
    raw_text(&inner, 1, "sixteen bytes ok");
    raw_uint(&inner, 2, 1);
    raw_uint(&inner, 3, 1);
    raw_uint(&inner, 4, 1);
    raw_key(&inner, 5, 2);
    buf_append(&inner, "\x81\x80\x80\x80\x80\x80\x80\x80", bytes - 1);
    buf_append(&inner, "\0\2", 2); // of the length the last byte; a tag
    raw_bytes(&inner, 6, "", 1);
    if (unknown)
        raw_uint(&inner, 15, 0);
    raw_message(out, 1, &inner);
    buf_deinit(&inner);
}

static void codec_refuses_a_length_of_more_than_five_bytes_whichever_way_it_is_read(void **state)
{
    (void)state;
    struct buf b;
    for (size_t bytes = 2; bytes <= 9; bytes++)
        for (int unknown = 0; unknown < 2; unknown++) {
            overlong_length(&b, bytes, unknown);
            if (bytes > 5) {
                refuses_to_decode(&b, "does not decode");
                continue;
            }
            assert_int_equal(decode_ok(&b).batch.count, 1);
            buf_deinit(&b);
        }
}

static void codec_refuses_a_message_past_the_limit_without_looking_at_it(void **state)
{
    (void)state;
    static const char bytes[WIRE_MESSAGE_MAX_BYTES + 1];
    struct wire_message m;
    assert_int_equal(wire_decode(arena, bytes, sizeof(bytes), &m, NULL), ERR_TOO_BIG);
}

static void codec_refuses_thousands_of_empty_pieces_within_its_memory(void **state)
{
    (void)state;
    const uint32_t fields[] = {9, 15, 1}; // notes, unknown ones, the incarnation again and again
    for (size_t f = 0; f < 3; f++) {
        struct buf b, inner;
        buf_init(&b, 1 << 20);
        buf_init(&inner, 1 << 20);
        while (inner.len < WIRE_MESSAGE_MAX_BYTES - 10)
            raw_bytes(&inner, fields[f], "", 0);
        raw_message(&b, 1, &inner);
        struct wire_message m;
        enum err e = wire_decode(arena, buf_str(&b), b.len, &m, NULL);
        assert_true(e == ERR_TOO_BIG || e == ERR_INVALID);
        buf_deinit(&inner);
        buf_deinit(&b);
    }
}

static void codec_reads_columns_that_are_not_packed(void **state)
{
    (void)state;
    struct buf b, inner;
    buf_init(&b, 1000);
    buf_init(&inner, 1000);
    raw_text(&inner, 1, "sixteen bytes ok");
    raw_uint(&inner, 2, 1);
    raw_uint(&inner, 3, 1);
    for (int i = 0; i < 20; i++) {
        raw_uint(&inner, 5, 4);
        raw_sint(&inner, 6, 10);
        raw_sint(&inner, 7, i);
    }
    raw_message(&b, 1, &inner);
    struct wire_message m = decode_ok(&b);
    assert_int_equal(m.batch.count, 20);
    assert_int_equal(m.batch.samples[19].series, 1);
    assert_int_equal(m.batch.samples[19].time, 200);
    assert_int_equal(m.batch.samples[19].value.integer, 19);
    buf_deinit(&inner);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_marks_values_that_cannot_be_figures_and_keeps_the_rest),
        cmocka_unit_test(codec_refuses_a_batch_with_more_tags_than_times),
        cmocka_unit_test(codec_refuses_a_batch_with_an_integer_too_few),
        cmocka_unit_test(codec_refuses_a_batch_with_a_real_too_few),
        cmocka_unit_test(codec_refuses_a_batch_with_an_integer_too_many),
        cmocka_unit_test(codec_refuses_a_tag_of_a_kind_that_does_not_exist),
        cmocka_unit_test(codec_refuses_half_a_real),
        cmocka_unit_test(codec_refuses_a_time_beyond_year_9999),
        cmocka_unit_test(codec_refuses_times_whose_sum_overflows),
        cmocka_unit_test(codec_refuses_a_report_beyond_year_9999),
        cmocka_unit_test(codec_refuses_a_batch_of_no_class),
        cmocka_unit_test(codec_refuses_a_batch_of_class_control),
        cmocka_unit_test(codec_refuses_a_batch_of_an_unknown_class),
        cmocka_unit_test(codec_refuses_sequence_0),
        cmocka_unit_test(codec_refuses_too_many_declares),
        cmocka_unit_test(codec_refuses_a_short_incarnation),
        cmocka_unit_test(codec_refuses_an_empty_incarnation),
        cmocka_unit_test(codec_refuses_a_note_on_a_sample_that_is_not_there),
        cmocka_unit_test(codec_refuses_notes_that_do_not_rise),
        cmocka_unit_test(codec_refuses_an_unknown_status),
        cmocka_unit_test(codec_refuses_a_reason_that_is_not_utf8),
        cmocka_unit_test(codec_refuses_a_reason_cut_within_a_character),
        cmocka_unit_test(codec_refuses_a_surrogate),
        cmocka_unit_test(codec_refuses_what_is_beyond_unicode),
        cmocka_unit_test(codec_refuses_a_line_break_in_a_text),
        cmocka_unit_test(codec_refuses_an_escape_in_a_text),
        cmocka_unit_test(codec_refuses_a_c1_control_in_a_text),
        cmocka_unit_test(codec_refuses_text_that_turns_its_line_around),
        cmocka_unit_test(codec_refuses_a_nul_hidden_in_a_text),
        cmocka_unit_test(codec_refuses_a_lone_nul),
        cmocka_unit_test(codec_refuses_a_currency_that_is_not_three_capitals),
        cmocka_unit_test(codec_refuses_a_currency_of_four),
        cmocka_unit_test(codec_refuses_a_text_longer_than_its_limit),
        cmocka_unit_test(codec_answers_another_protocol_with_its_number_and_nothing_else),
        cmocka_unit_test(codec_ignores_fields_that_it_does_not_know),
        cmocka_unit_test(codec_refuses_an_envelope_with_no_body_or_with_two),
        cmocka_unit_test(codec_refuses_a_body_that_is_no_message),
        cmocka_unit_test(codec_refuses_a_length_of_more_than_five_bytes_whichever_way_it_is_read),
        cmocka_unit_test(codec_refuses_a_message_past_the_limit_without_looking_at_it),
        cmocka_unit_test(codec_refuses_thousands_of_empty_pieces_within_its_memory),
        cmocka_unit_test(codec_reads_columns_that_are_not_packed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
