// The door: what it answers to whom, and its bounds. And the addresses that invitations state.
#include "collector/door.h"
#include "tests/support/store_fixture.h"
#include "wire/codec.h"
#include "wire/invite.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rig {
    struct fake_clock clock;
    struct counters counters;
    struct door *door;
    struct wire_arena *arena;
    struct buf message, reply;
    unsigned replies;
};

static enum err take_reply(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct rig *r = ctx;
    (void)peer;
    buf_reset(&r->reply);
    buf_append(&r->reply, bytes, len);
    r->replies++;
    return ERR_OK;
}

static int setup(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    *state = r;
    fake_clock_init(&r->clock, STORE_EPOCH * US_PER_S);
    collector_counters_init(&r->counters);
    buf_init(&r->message, WIRE_MESSAGE_MAX_BYTES);
    buf_init(&r->reply, WIRE_MESSAGE_MAX_BYTES);
    const struct door_options o = {.clock = &r->clock.clock,
                                   .counters = &r->counters,
                                   .endpoint = "tcp://park.example:5670",
                                   .send = take_reply,
                                   .send_ctx = r};
    return crypto_init() == ERR_OK && wire_arena_create(&r->arena) == ERR_OK &&
                   door_create(&o, &r->door) == ERR_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    struct rig *r = *state;
    door_destroy(r->door);
    wire_arena_destroy(r->arena);
    buf_deinit(&r->message);
    buf_deinit(&r->reply);
    free(r);
    return 0;
}

static struct item *give(struct rig *r, const struct wire_message *m)
{
    static const uint8_t key[KEY_BYTES] = {5};
    struct mq_message in = {.peer = {.len = 5}};
    struct item *item = NULL;
    buf_reset(&r->message);
    assert_int_equal(wire_encode(m, &r->message), ERR_OK);
    in.bytes = r->message.data;
    in.len = r->message.len;
    crypto_key_text(key, in.token);
    assert_int_equal(door_receive(r->door, &in, &item), ERR_OK);
    return item;
}

static struct item *ask(struct rig *r)
{
    struct wire_message m = {.type = WIRE_ENROL, .enrol = {.protocol = WIRE_PROTOCOL, .version = "t"}};
    memset(m.enrol.secret, 1, sizeof m.enrol.secret);
    return give(r, &m);
}

static struct wire_message reply(struct rig *r)
{
    struct wire_message m;
    assert_int_equal(wire_decode(r->arena, r->reply.data, r->reply.len, &m, NULL), ERR_OK);
    return m;
}

static void a_question_carries_the_key_of_its_connection_and_the_secret_s_hash(void **state)
{
    struct rig *r = *state;
    uint8_t hash[HASH_BYTES], secret[WIRE_SECRET_BYTES];
    struct item *item = ask(r);
    memset(secret, 1, sizeof secret);
    invite_hash(secret, hash);
    assert_non_null(item);
    assert_int_equal(item->kind, ITEM_ENROL);
    assert_memory_equal(item->admin->enrolment.secret_hash, hash, sizeof hash);
    assert_int_equal(item->admin->enrolment.key[0], 5);
    for (size_t i = 0; i + sizeof secret <= r->message.len; i++) // wiped where it came in
        assert_memory_not_equal(r->message.data + i, secret, sizeof secret);
    strcpy(item->admin->agent.resident, "penza/rosstat");
    door_finish(r->door, item);
    struct wire_message m = reply(r);
    assert_int_equal(m.type, WIRE_ENROLLED);
    assert_string_equal(m.enrolled.resident, "penza/rosstat");
    assert_string_equal(m.enrolled.endpoint, "tcp://park.example:5670");
}

static void each_refusal_has_its_reason_and_its_words(void **state)
{
    static const enum wire_refuse_reason reasons[] = {WIRE_REFUSE_NOT_INVITED, WIRE_REFUSE_INVITE_USED,
                                                      WIRE_REFUSE_INVITE_EXPIRED, WIRE_REFUSE_KEY_TAKEN};
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        struct item *item = ask(r);
        item->admin->enrolment.refuse = reasons[i];
        strcpy(item->admin->diag.text, "because");
        door_finish(r->door, item);
        struct wire_message m = reply(r);
        assert_int_equal(m.type, WIRE_REFUSE);
        assert_int_equal(m.refuse.reason, reasons[i]);
        assert_string_equal(m.refuse.text, "because");
    }
    struct item *item = ask(r);
    item->admin->result = ERR_FULL;
    door_finish(r->door, item);
    assert_int_equal(reply(r).refuse.reason, WIRE_REFUSE_UNAVAILABLE);
}

static void nothing_but_enrol_is_understood(void **state)
{
    struct rig *r = *state;
    const struct wire_message others[] = {
        {.type = WIRE_HELLO, .hello = {.protocol = 1, .version = ""}},
        {.type = WIRE_HEARTBEAT},
        {.type = WIRE_ROTATE},
        {.type = WIRE_NEED_DECLARE},
        {.type = WIRE_ENROLLED, .enrolled = {.resident = "a/b", .endpoint = "tcp://h:1"}},
    };
    size_t count = sizeof others / sizeof *others;
    for (size_t i = 0; i < count; i++) {
        assert_null(give(r, &others[i]));
        assert_int_equal(reply(r).refuse.reason, WIRE_REFUSE_BAD_MESSAGE);
    }
    assert_int_equal(collector_counted(&r->counters, COUNTER_ENROLMENTS_MALFORMED), count);
    const struct wire_message later = {.type = WIRE_ENROL, .enrol = {.protocol = 2, .version = ""}};
    assert_null(give(r, &later));
    assert_int_equal(reply(r).refuse.reason, WIRE_REFUSE_BAD_PROTOCOL);
}

static void questions_are_bounded_in_number_and_by_the_second(void **state)
{
    struct rig *r = *state;
    struct item *items[DOOR_PENDING_MAX];
    for (size_t i = 0; i < DOOR_PENDING_MAX; i++)
        assert_non_null(items[i] = ask(r));
    assert_null(ask(r));
    assert_int_equal(collector_counted(&r->counters, COUNTER_ENROLMENTS_DROPPED), 1);
    for (size_t i = 0; i < DOOR_PENDING_MAX; i++)
        door_finish(r->door, items[i]);
    unsigned taken = 0;
    for (int i = 0; i < 200; i++) {
        struct item *item = ask(r);
        taken += item != NULL;
        if (item)
            door_finish(r->door, item);
    }
    assert_in_range(taken, 1, DOOR_BURST);
    fake_clock_advance_us(&r->clock, US_PER_S);
    taken = 0;
    for (int i = 0; i < 200; i++) {
        struct item *item = ask(r);
        taken += item != NULL;
        if (item)
            door_finish(r->door, item);
    }
    assert_int_equal(taken, DOOR_PER_S);
}

static void any_key_gets_in_until_the_door_must_be_opened_anew(void **state)
{
    struct rig *r = *state;
    uint8_t key[KEY_BYTES] = {0};
    char token[64];
    for (int i = 0; i < DOOR_HANDSHAKES_MAX; i++) {
        key[0] = (uint8_t)i;
        assert_true(door_decide(r->door, key, token));
        assert_int_equal(strlen(token), KEY_TEXT - 1);
    }
    assert_false(door_decide(r->door, key, token));
    assert_false(door_wants_reopening(r->door));
    fake_clock_advance_us(&r->clock, DOOR_FULL_MS * US_PER_MS);
    assert_true(door_wants_reopening(r->door));
    door_opened(r->door);
    assert_false(door_wants_reopening(r->door));
    assert_true(door_decide(r->door, key, token));
}

// ---- addresses ----------------------------------------------------------------------------------
static void expect_public(const char *endpoint, const char *advertise, const char *bound, const char *want)
{
    struct collector_config c = {.endpoint = (char *)(uintptr_t)endpoint,
                                 .advertise = (char *)(uintptr_t)advertise};
    char out[ADDRESS_TEXT];
    struct diag d = {""};
    enum err e = address_public(&c, bound, out, &d);
    if (want) {
        assert_int_equal(e, ERR_OK);
        assert_string_equal(out, want);
    } else {
        assert_int_equal(e, ERR_INVALID);
        assert_true(d.text[0]);
    }
}

static void expect_door(const char *endpoint, const char *advertise, const char *enrol, const char *want)
{
    struct collector_config c = {.endpoint = (char *)(uintptr_t)endpoint,
                                 .advertise = (char *)(uintptr_t)advertise,
                                 .enrol = (char *)(uintptr_t)enrol};
    char out[ADDRESS_TEXT];
    struct diag d = {""};
    enum err e = address_door_public(&c, NULL, out, &d);
    if (want) {
        assert_int_equal(e, ERR_OK);
        assert_string_equal(out, want);
    } else {
        assert_int_not_equal(e, ERR_OK);
        assert_true(d.text[0]);
    }
}

static void agents_are_told_an_address_that_leads_somewhere_or_none(void **state)
{
    (void)state;
    expect_public("tcp://10.0.0.1:5670", NULL, NULL, "tcp://10.0.0.1:5670");
    expect_public("tcp://0.0.0.0:5670", NULL, NULL, NULL);
    expect_public("tcp://*:5670", NULL, NULL, NULL);
    expect_public("tcp://[::]:5670", NULL, NULL, NULL);
    expect_public("tcp://0.0.0.0:5670", "tcp://park.example:443", NULL, "tcp://park.example:443");
    expect_public("tcp://127.0.0.1:*", NULL, NULL, NULL);
    expect_public("tcp://127.0.0.1:*", NULL, "tcp://127.0.0.1:40123", "tcp://127.0.0.1:40123");
}

static void the_door_is_next_to_the_endpoint_unless_told_otherwise(void **state)
{
    (void)state;
    expect_door("tcp://10.0.0.1:5670", NULL, NULL, "10.0.0.1:5671");
    expect_door("tcp://10.0.0.1:65535", NULL, NULL, NULL);
    expect_door("tcp://0.0.0.0:5670", NULL, NULL, NULL);
    expect_door("tcp://0.0.0.0:5670", "tcp://park.example:5670", NULL, "park.example:5671");
    expect_door("tcp://0.0.0.0:5670", "tcp://park.example:5670", "tcp://0.0.0.0:99", "park.example:99");
    expect_door("tcp://10.0.0.1:5670", NULL, "off", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_question_carries_the_key_of_its_connection_and_the_secret_s_hash,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(each_refusal_has_its_reason_and_its_words, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_but_enrol_is_understood, setup, teardown),
        cmocka_unit_test_setup_teardown(questions_are_bounded_in_number_and_by_the_second, setup, teardown),
        cmocka_unit_test_setup_teardown(any_key_gets_in_until_the_door_must_be_opened_anew, setup, teardown),
        cmocka_unit_test(agents_are_told_an_address_that_leads_somewhere_or_none),
        cmocka_unit_test(the_door_is_next_to_the_endpoint_unless_told_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
