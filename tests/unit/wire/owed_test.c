// What a resident owes on the wire: back as it was sent, bounded, and nothing that a status could not show.
#include "wire/codec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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

static enum err round_trip(const struct wire_message *m, struct wire_message *back, size_t *len)
{
    struct buf out;
    struct diag d = {""};
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    enum err e = wire_encode(m, &out);
    if (e == ERR_OK && wire_decode(arena, out.data, out.len, back, &d) != ERR_OK)
        fail_msg("%s", d.text);
    *len = out.len;
    buf_deinit(&out);
    return e;
}

static const struct wire_owed usual = {.series = "out_units/fridges",
                                       .period = 2,
                                       .start = 20454,
                                       .state = WIRE_OWED_LATE,
                                       .answered = true,
                                       .has_due = true,
                                       .due_day = 20500,
                                       .late_s = 1771268400};

static void it_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    const struct wire_owed owed[] = {
        usual, {.series = "inv", .period = 4, .start = -700000, .state = WIRE_OWED_OPEN}};
    const struct wire_message m = {
        .type = WIRE_OBLIGATIONS,
        .obligations = {.as_of_us = 1772366400000000, .open = 1, .late = 7, .count = 2, .owed = owed}};
    struct wire_message back = {.type = 0};
    size_t len;
    assert_int_equal(round_trip(&m, &back, &len), ERR_OK);
    const struct wire_obligations *o = &back.obligations;
    assert_int_equal(o->as_of_us, 1772366400000000);
    assert_int_equal(o->open, 1);
    assert_int_equal(o->late, 7);
    assert_int_equal(o->count, 2);
    assert_string_equal(o->owed[0].series, "out_units/fridges");
    assert_int_equal(o->owed[0].state, WIRE_OWED_LATE);
    assert_true(o->owed[0].answered && o->owed[0].has_due);
    assert_int_equal(o->owed[0].due_day, 20500);
    assert_int_equal(o->owed[0].late_s, 1771268400);
    assert_int_equal(o->owed[1].start, -700000);
    assert_false(o->owed[1].has_due);
    assert_int_equal(o->owed[1].period, 4);
}

static void the_longest_list_fits_into_one_message_and_a_longer_one_is_refused(void **state)
{
    (void)state;
    char name[WIRE_SERIES_MAX + 1];
    struct wire_owed owed[WIRE_OWED_MAX + 1];
    struct wire_message m = {.type = WIRE_OBLIGATIONS,
                             .obligations = {.as_of_us = INT64_C(253402300799000000),
                                             .open = UINT64_MAX,
                                             .late = UINT64_MAX,
                                             .count = WIRE_OWED_MAX,
                                             .owed = owed}};
    struct wire_message back = {.type = 0};
    size_t len;
    memset(name, 'a', WIRE_SERIES_MAX);
    name[WIRE_SERIES_MAX] = '\0';
    for (size_t i = 0; i <= WIRE_OWED_MAX; i++) {
        owed[i] = usual;
        owed[i].series = name;
        owed[i].start = owed[i].due_day = 2932896;
        owed[i].late_s = INT64_C(253402300799);
    }
    assert_int_equal(round_trip(&m, &back, &len), ERR_OK);
    assert_int_equal(back.obligations.count, WIRE_OWED_MAX);
    assert_true(len > WIRE_OWED_MAX * (size_t)WIRE_SERIES_MAX && len <= WIRE_MESSAGE_MAX_BYTES);
    m.obligations.count++;
    assert_int_equal(round_trip(&m, &back, &len), ERR_INVALID);
}

static void one_more_than_the_longest_list_is_refused_from_the_wire_too(void **state)
{
    (void)state;
    uint8_t bytes[4 + 2 * (WIRE_OWED_MAX + 1)] = {0x9a, 0x01, 0, 0};
    struct wire_message m;
    struct diag d = {""};
    size_t body = 2 * (size_t)(WIRE_OWED_MAX + 1);
    bytes[2] = (uint8_t)(0x80 | (body & 0x7f));
    bytes[3] = (uint8_t)(body >> 7);
    for (size_t i = 0; i < body; i += 2)
        bytes[4 + i] = 0x12; // an empty Owed
    assert_int_equal(wire_decode(arena, bytes, sizeof bytes, &m, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "97 are listed"));
}

static void what_no_status_could_show_is_refused(void **state)
{
    (void)state;
    struct wire_owed bad[9];
    for (size_t i = 0; i < 9; i++)
        bad[i] = usual;
    bad[0].series = "";
    bad[1].series = "in\nv";
    bad[2].period = 0;
    bad[3].period = 5;
    bad[4].state = (enum wire_owed_state)4;
    bad[5].start = 2932897;
    bad[6].due_day = -719163;
    bad[7].late_s = INT64_C(253402300800);
    bad[8].has_due = false; // late without a date
    for (size_t i = 0; i < 9; i++) {
        const struct wire_message m = {.type = WIRE_OBLIGATIONS,
                                       .obligations = {.as_of_us = 1, .count = 1, .owed = &bad[i]}};
        struct wire_message back = {.type = 0};
        size_t len;
        assert_int_equal(round_trip(&m, &back, &len), ERR_INVALID);
    }
}

static void hello_says_whether_it_wants_to_be_told(void **state)
{
    (void)state;
    struct wire_message m = {.type = WIRE_HELLO,
                             .hello = {.protocol = 1, .version = "0", .obligations = true}};
    struct wire_message back = {.type = 0};
    size_t len, without;
    assert_int_equal(round_trip(&m, &back, &len), ERR_OK);
    assert_true(back.hello.obligations);
    m.hello.obligations = false; // not a byte of it, as from an agent that does not know the field
    assert_int_equal(round_trip(&m, &back, &without), ERR_OK);
    assert_false(back.hello.obligations);
    assert_int_equal(without + 2, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_as_it_was_sent),
        cmocka_unit_test(the_longest_list_fits_into_one_message_and_a_longer_one_is_refused),
        cmocka_unit_test(one_more_than_the_longest_list_is_refused_from_the_wire_too),
        cmocka_unit_test(what_no_status_could_show_is_refused),
        cmocka_unit_test(hello_says_whether_it_wants_to_be_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
