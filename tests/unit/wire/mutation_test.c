// The fuzz target over mutations of valid messages: runs with every `make check`, and means most under ASan
// and UBSan. Reproducible: a mutation is a function of its number.
#include "tests/support/random.h"
#include "wire/codec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/wire_decode_fuzz.c" // NOLINT(bugprone-suspicious-include): the very same target

#define MUTATIONS 200000
#define SEEDS     14

struct seed {
    uint8_t bytes[WIRE_MESSAGE_MAX_BYTES];
    size_t len;
};

static void seed_message(struct seed *s, const struct wire_message *m)
{
    struct buf b;
    buf_init(&b, sizeof(s->bytes));
    assert_int_equal(wire_encode(m, &b), ERR_OK);
    memcpy(s->bytes, b.data, b.len);
    s->len = b.len;
    buf_deinit(&b);
}

static void seed_batch(struct seed *s, uint32_t count, uint32_t note_count)
{
    struct wire_sample samples[300];
    struct wire_note notes[20];
    for (uint32_t i = 0; i < count; i++) {
        samples[i] = (struct wire_sample){.series = i % 30, .time = 1767225600 + i / 30 * 10};
        if (i % 7 == 3)
            samples[i].value = (struct figure){.kind = FIGURE_REAL, .real = 0.25 + i};
        else if (i % 7 != 5)
            samples[i].value = (struct figure){.kind = FIGURE_INTEGER, .integer = (int64_t)i * i - 900};
    }
    for (uint32_t i = 0; i < note_count; i++)
        notes[i] = (struct wire_note){
            .index = i * 2, .status = WIRE_MISSING, .reason = "жоқ", .author = "desk", .currency = "KZT"};
    struct wire_message m = {.type = WIRE_BATCH,
                             .batch = {{{1}}, 5, WIRE_MEASUREMENT, 30, count, samples, note_count, notes}};
    seed_message(s, &m);
}

static void make_seeds(struct seed *seeds)
{
    const struct wire_refusal refusals[] = {{1, WIRE_REASON_FUTURE}, {9, WIRE_REASON_OFF_STEP}};
    const struct wire_message messages[] = {
        {.type = WIRE_GAP, .gap = {{{9}}, 3, 5, 100, -50, 60, WIRE_GAP_QUOTA_AGE}},
        {.type = WIRE_ACK, .ack = {5, 6, {7, {8}}, 9}},
        {.type = WIRE_REJECT, .reject = {.sequence = 2, .count = 2, .refusals = refusals}},
        {.type = WIRE_HELLO,
         .hello = {1, "0.1.0", 5, {{1}}, 7, 8, 9, 9, {10, {1}}, {1, 2, 3, 4, 5, 6, 7}, true}},
        {.type = WIRE_WELCOME,
         .welcome = {.resident = "almaty-iz/acme",
                     .last_sequence = 4,
                     .declares_known = 5,
                     .credit_bytes = 6,
                     .clock_us = 7,
                     .max_series = 8,
                     .max_batch_bytes = 16384}},
        {.type = WIRE_DECLARE, .declare = {{{1}}, 5, "out_units/fridges", "piece", "KZT", WIRE_REPORT, 0, 2}},
        {.type = WIRE_NEED_DECLARE, .need_declare_from = 9},
        {.type = WIRE_HEARTBEAT, .heartbeat = {123, {1, 2, 3, 4, 5, 6, 7}}},
        {.type = WIRE_REFUSE, .refuse = {WIRE_REFUSE_OTHER_BODY, "жоқ"}},
        {.type = WIRE_CONTROL_MESSAGE, .control = {"catalogue", "a\0b", 3, {1}, "desk", 0, 1}},
    };
    for (size_t i = 0; i < SEEDS - 4; i++)
        seed_message(&seeds[i], &messages[i]);
    seed_batch(&seeds[SEEDS - 4], 300, 0);
    seed_batch(&seeds[SEEDS - 3], 12, 0);
    seed_batch(&seeds[SEEDS - 2], 300, 20);
    seed_batch(&seeds[SEEDS - 1], 12, 3);
}

// One small damage: a byte set, a bit flipped, bytes removed, inserted, repeated, or the tail cut.
static size_t damage(struct random *r, uint8_t *bytes, size_t len)
{
    size_t at = random_below(r, len), run = 1 + random_below(r, 8), to;
    switch (random_below(r, 6)) {
    case 0:
        bytes[at] = (uint8_t)random_next(r);
        return len;
    case 1:
        bytes[at] ^= (uint8_t)(1u << random_below(r, 8));
        return len;
    case 2:
        run = run < len - at ? run : len - at;
        memmove(bytes + at, bytes + at + run, len - at - run);
        return len - run > 0 ? len - run : 1;
    case 3:
        memmove(bytes + at + run, bytes + at, len - at);
        for (size_t i = 0; i < run; i++)
            bytes[at + i] = (uint8_t)(random_below(r, 3) ? random_below(r, 128) : 0xff);
        return len + run;
    case 4:
        to = random_below(r, len);
        run = run < len - at ? run : len - at;
        run = run < len - to ? run : len - to;
        memmove(bytes + to, bytes + at, run);
        return len;
    default:
        return random_below(r, 8) ? len : 1 + at;
    }
}

static void decoder_survives_200000_damaged_messages(void **state)
{
    (void)state;
    struct seed *seeds = malloc(SEEDS * sizeof(*seeds));
    assert_non_null(seeds);
    make_seeds(seeds);
    for (uint64_t n = 0; n < MUTATIONS; n++) {
        struct random r = {n};
        uint8_t bytes[WIRE_MESSAGE_MAX_BYTES + 100];
        const struct seed *s = &seeds[n % SEEDS];
        size_t len = s->len, times = random_below(&r, 8);
        memcpy(bytes, s->bytes, len);
        for (size_t i = 0; i < times; i++)
            len = damage(&r, bytes, len);
        uint8_t *exact = malloc(len); // so that a byte read past the end is seen
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        LLVMFuzzerTestOneInput(exact, len);
        free(exact);
    }
    free(seeds);
}

static void what_the_encoder_writes_without_notes_is_decoded_the_short_way(void **state)
{
    (void)state;
    struct seed *s = malloc(sizeof *s);
    struct wire_arena *arena = NULL;
    struct wire_batch b;
    assert_non_null(s);
    assert_int_equal(wire_arena_create(&arena), ERR_OK);
    for (uint32_t count = 0; count <= 300; count += 100) {
        seed_batch(s, count, 0);
        assert_true(wire_take_plain_batch(arena, s->bytes, s->len, &b));
        assert_int_equal(b.count, count);
        assert_false(wire_take_plain_batch(arena, s->bytes, s->len - 1, &b));
    }
    seed_batch(s, 300, 20);
    assert_false(wire_take_plain_batch(arena, s->bytes, s->len, &b));
    wire_arena_destroy(arena);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_encoder_writes_without_notes_is_decoded_the_short_way),
        cmocka_unit_test(decoder_survives_200000_damaged_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
