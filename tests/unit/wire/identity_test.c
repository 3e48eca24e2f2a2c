// Enrolment and rotation on the wire, and invitations as text.
#include "wire/codec.h"
#include "wire/invite.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wire_arena *arena;

static int setup(void **state)
{
    (void)state;
    return crypto_init() == ERR_OK && wire_arena_create(&arena) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    wire_arena_destroy(arena);
    return 0;
}

static struct wire_message round_trip(const struct wire_message *m)
{
    struct wire_message back;
    struct buf out;
    struct diag d = {""};
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(m, &out), ERR_OK);
    if (wire_decode(arena, out.data, out.len, &back, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(back.type, m->type);
    buf_deinit(&out);
    return back;
}

static void enrolment_comes_back_as_it_was_sent(void **state)
{
    struct wire_message m = {.type = WIRE_ENROL, .enrol = {.protocol = 1, .version = "0.1.0"}};
    (void)state;
    memset(m.enrol.secret, 7, sizeof m.enrol.secret);
    struct wire_message back = round_trip(&m);
    assert_string_equal(back.enrol.version, "0.1.0");
    assert_memory_equal(back.enrol.secret, m.enrol.secret, sizeof m.enrol.secret);
    m = (struct wire_message){
        .type = WIRE_ENROLLED,
        .enrolled = {.resident = "penza/rosstat", .endpoint = "tcp://h:1", .clock_us = -5}};
    back = round_trip(&m);
    assert_string_equal(back.enrolled.resident, "penza/rosstat");
    assert_string_equal(back.enrolled.endpoint, "tcp://h:1");
    assert_int_equal(back.enrolled.clock_us, -5);
}

static void rotation_comes_back_as_it_was_sent(void **state)
{
    struct wire_message m = {.type = WIRE_ROTATE};
    (void)state;
    memset(m.rotate.key, 9, sizeof m.rotate.key);
    assert_memory_equal(round_trip(&m).rotate.key, m.rotate.key, sizeof m.rotate.key);
    m.type = WIRE_ROTATED;
    assert_memory_equal(round_trip(&m).rotate.key, m.rotate.key, sizeof m.rotate.key);
}

static void welcome_tells_the_next_key_or_none(void **state)
{
    struct wire_message m = {.type = WIRE_WELCOME, .welcome = {.resident = "a/b", .next_port = 5680}};
    (void)state;
    memset(m.welcome.next_key, 3, sizeof m.welcome.next_key);
    struct wire_message back = round_trip(&m);
    assert_int_equal(back.welcome.next_port, 5680);
    assert_memory_equal(back.welcome.next_key, m.welcome.next_key, sizeof m.welcome.next_key);
    m.welcome.next_port = 0;
    assert_int_equal(round_trip(&m).welcome.next_port, 0);
    m.welcome.next_port = 65536;
    struct buf out;
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(&m, &out), ERR_INVALID);
    buf_deinit(&out);
}

static void refuse(const void *bytes, size_t len)
{
    struct wire_message m;
    struct diag d = {""};
    assert_int_equal(wire_decode(arena, bytes, len, &m, &d), ERR_INVALID);
    assert_true(d.text[0]);
}

static void secrets_and_keys_of_another_length_are_refused(void **state)
{
    static const uint8_t short_secret[] = {0x7a, 0x05, 0x08, 0x01, 0x1a, 0x01, 0x00};
    static const uint8_t no_secret[] = {0x7a, 0x02, 0x08, 0x01};
    static const uint8_t no_key[] = {0x8a, 0x01, 0x00};
    static const uint8_t short_key[] = {0x92, 0x01, 0x03, 0x0a, 0x01, 0x00};
    static const uint8_t next_without_key[] = {0x32, 0x06, 0x0a, 0x01, 0x61, 0x48, 0x90, 0x2c};
    (void)state;
    refuse(short_secret, sizeof short_secret);
    refuse(no_secret, sizeof no_secret);
    refuse(no_key, sizeof no_key);
    refuse(short_key, sizeof short_key);
    refuse(next_without_key, sizeof next_without_key);
}

static void an_enrolment_of_another_protocol_has_nothing_but_its_number(void **state)
{
    static const uint8_t later[] = {0x7a, 0x02, 0x08, 0x09};
    struct wire_message m;
    (void)state;
    assert_int_equal(wire_decode(arena, later, sizeof later, &m, NULL), ERR_OK);
    assert_int_equal(m.enrol.protocol, 9);
}

// ---- invitations
// ------------------------------------------------------------------------------------------------------------------

static struct invite some_invite(void)
{
    struct invite i = {.door = "park.example:5671"};
    memset(i.collector_key, 0xab, sizeof i.collector_key);
    memset(i.secret, 0xcd, sizeof i.secret);
    return i;
}

static void an_invitation_is_one_short_printable_line(void **state)
{
    struct invite i = some_invite(), back;
    char text[INVITE_TEXT];
    (void)state;
    assert_int_equal(invite_encode(&i, text, NULL), ERR_OK);
    assert_true(strlen(text) < 110);
    assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
                     strlen(text));
    assert_int_equal(invite_decode(text, &back, NULL), ERR_OK);
    assert_string_equal(back.door, i.door);
    assert_memory_equal(back.collector_key, i.collector_key, sizeof i.collector_key);
    assert_memory_equal(back.secret, i.secret, sizeof i.secret);
}

static void a_mail_may_break_an_invitation_into_lines(void **state)
{
    struct invite i = some_invite(), back;
    char text[INVITE_TEXT], broken[2 * INVITE_TEXT];
    (void)state;
    assert_int_equal(invite_encode(&i, text, NULL), ERR_OK);
    snprintf(broken, sizeof broken, "  %.40s\r\n %s\n", text, text + 40);
    assert_int_equal(invite_decode(broken, &back, NULL), ERR_OK);
    assert_memory_equal(back.secret, i.secret, sizeof i.secret);
}

static void every_letter_that_is_wrong_or_missing_is_noticed(void **state)
{
    struct invite i = some_invite(), back;
    char text[INVITE_TEXT];
    struct diag d;
    (void)state;
    assert_int_equal(invite_encode(&i, text, NULL), ERR_OK);
    for (size_t at = 0; text[at]; at++) {
        char before = text[at];
        text[at] = before == 'A' ? 'B' : 'A';
        assert_int_equal(invite_decode(text, &back, &d), ERR_INVALID);
        assert_true(strstr(d.text, at < 6 ? "no invitation" : "mistyped"));
        text[at] = '\0';
        assert_int_equal(invite_decode(text, &back, &d), ERR_INVALID);
        text[at] = before;
    }
    assert_int_equal(invite_decode("", &back, &d), ERR_INVALID);
    assert_int_equal(invite_decode("esep1-", &back, &d), ERR_INVALID);
}

static void an_invitation_needs_a_door(void **state)
{
    static const char *const doors[] = {
        "", "host", ":1", "host:", "host:0", "host:65536", "host:1x", "ho st:1"};
    (void)state;
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
        struct invite v = some_invite();
        char text[INVITE_TEXT];
        snprintf(v.door, sizeof v.door, "%s", doors[i]);
        assert_int_equal(invite_encode(&v, text, NULL), ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(enrolment_comes_back_as_it_was_sent),
        cmocka_unit_test(rotation_comes_back_as_it_was_sent),
        cmocka_unit_test(welcome_tells_the_next_key_or_none),
        cmocka_unit_test(secrets_and_keys_of_another_length_are_refused),
        cmocka_unit_test(an_enrolment_of_another_protocol_has_nothing_but_its_number),
        cmocka_unit_test(an_invitation_is_one_short_printable_line),
        cmocka_unit_test(a_mail_may_break_an_invitation_into_lines),
        cmocka_unit_test(every_letter_that_is_wrong_or_missing_is_noticed),
        cmocka_unit_test(an_invitation_needs_a_door),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
