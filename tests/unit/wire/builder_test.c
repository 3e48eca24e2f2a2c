// The builder's promise: never a byte past the limit, nearly full when it says so, and what went in comes
// out.
#include "tests/support/random.h"
#include "wire/codec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static struct wire_arena *arena;
static struct wire_builder *builder;
static const struct wire_incarnation incarnation = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}};

static int setup(void **state)
{
    (void)state;
    return wire_arena_create(&arena) == ERR_OK && wire_builder_create(&builder) == ERR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    wire_arena_destroy(arena);
    wire_builder_destroy(builder);
    return 0;
}

static struct figure integer(int64_t v)
{
    return (struct figure){.kind = FIGURE_INTEGER, .integer = v};
}

// Finishes and decodes; the bytes' number into *len.
static struct wire_batch finish(size_t max_bytes, uint64_t sequence, size_t *len)
{
    struct buf b;
    struct diag d = {""};
    struct wire_message m;
    buf_init(&b, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_builder_finish(builder, &incarnation, sequence, &b), ERR_OK);
    assert_true(b.len <= max_bytes);
    enum err e = wire_decode(arena, b.data, b.len, &m, &d);
    if (e != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(m.type, WIRE_BATCH);
    assert_int_equal(m.batch.sequence, sequence);
    assert_memory_equal(&m.batch.incarnation, &incarnation, sizeof(incarnation));
    *len = b.len;
    buf_deinit(&b);
    return m.batch;
}

static void builder_takes_3500_samples_of_a_typical_tick(void **state)
{
    (void)state;
    struct random r = {1};
    wire_builder_reset(builder, WIRE_MEASUREMENT, WIRE_MESSAGE_MAX_BYTES);
    int64_t time = 1767225600;
    size_t count = 0;
    for (enum err e = ERR_OK; e == ERR_OK; count++) { // 30 series each 10 s, as a plant's machines give them
        struct wire_sample s = {(uint32_t)(count % 30), time + (int64_t)(count / 30) * 10,
                                integer((int64_t)random_below(&r, 5000)), WIRE_REASON_NONE};
        e = wire_builder_add(builder, &s, NULL);
    }
    count--;
    assert_int_equal(wire_builder_count(builder), count);
    size_t len;
    const struct wire_batch b = finish(WIRE_MESSAGE_MAX_BYTES, UINT64_MAX, &len);
    print_message("a full batch: %zu samples in %zu bytes\n", b.count, len);
    assert_int_equal(b.count, count);
    assert_true(count >= 3500);
    assert_true(len >= WIRE_MESSAGE_MAX_BYTES - 32);
}

// ---- anything goes in until it is full, and comes out again

static struct figure random_value(struct random *r)
{
    struct figure f;
    switch (random_below(r, 6)) {
    case 0:
        return figure_missing();
    case 1:
        return integer((int64_t)(random_next(r) >> 11) * (random_below(r, 2) ? 1 : -1));
    case 2: {
        double v = (double)(int64_t)random_next(r) / 65536.0 / 65536.0;
        assert_int_equal(figure_from_real(v, &f), ERR_OK);
        return f;
    }
    default:
        return integer((int64_t)random_below(r, 1000) - 300);
    }
}

struct entry {
    struct wire_sample sample;
    bool noted;
    struct wire_note note;
    char reason[WIRE_REASON_MAX + 1], author[WIRE_AUTHOR_MAX + 1];
};

static void random_text(struct random *r, char *out, size_t max)
{
    size_t len = random_below(r, max + 1);
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(' ' + (int)random_below(r, 95));
    out[len] = '\0';
}

static void random_entry(struct random *r, enum wire_class class, uint64_t noted_of_100, struct entry *e)
{
    int64_t base = class == WIRE_REPORT ? 20000 : 1767225600;
    uint64_t spread = random_below(r, 4) ? 100 : 4000000;
    e->sample = (struct wire_sample){(uint32_t)random_below(r, random_below(r, 3) ? 60 : WIRE_SERIES_NUMBERS),
                                     base + (int64_t)random_below(r, spread) - 500, random_value(r),
                                     WIRE_REASON_NONE};
    if (class == WIRE_REPORT && e->sample.time > 2932896)
        e->sample.time = 2932896;
    e->noted = random_below(r, 100) < noted_of_100;
    random_text(r, e->reason, random_below(r, 3) ? 10 : WIRE_REASON_MAX);
    random_text(r, e->author, random_below(r, 2) ? 0 : WIRE_AUTHOR_MAX);
    e->note = (struct wire_note){.index = 77, // the builder knows better
                                 .status = (enum wire_status)random_below(r, 4),
                                 .confidential = random_below(r, 2),
                                 .reason = e->reason,
                                 .author = e->author,
                                 .currency = random_below(r, 2) ? "UZS" : "",
                                 .published_us = random_below(r, 2) ? 0 : (int64_t)(random_next(r) >> 8)};
}

static void assert_same(const struct entry *e, const struct wire_sample *s)
{
    assert_int_equal(e->sample.series, s->series);
    assert_int_equal(e->sample.time, s->time);
    assert_int_equal(s->refused, WIRE_REASON_NONE);
    assert_true(figure_equal(e->sample.value, s->value));
}

static void assert_same_note(const struct entry *e, const struct wire_note *n)
{
    assert_int_equal(e->note.status, n->status);
    assert_int_equal(e->note.confidential, n->confidential);
    assert_int_equal(e->note.published_us, n->published_us);
    assert_string_equal(e->reason, n->reason);
    assert_string_equal(e->author, n->author);
    assert_string_equal(e->note.currency, n->currency);
}

static void fill_and_compare(struct random *r, struct entry *entries)
{
    enum wire_class class = random_below(r, 2) ? WIRE_REPORT : WIRE_MEASUREMENT;
    size_t max_bytes =
        random_below(r, 3) ? 1000 + random_below(r, WIRE_MESSAGE_MAX_BYTES - 999) : WIRE_MESSAGE_MAX_BYTES;
    uint64_t noted = random_below(r, 3) * random_below(r, 40);
    wire_builder_reset(builder, class, max_bytes);
    size_t count = 0, notes = 0, last_bytes = 0;
    uint32_t declares = 0;
    for (;; count++) {
        struct entry *e = &entries[count];
        random_entry(r, class, noted, e);
        enum err result = wire_builder_add(builder, &e->sample, e->noted ? &e->note : NULL);
        if (result == ERR_FULL)
            last_bytes = e->noted ? 30 + 20 + strlen(e->reason) + strlen(e->author) : 30;
        if (result == ERR_FULL)
            break;
        assert_int_equal(result, ERR_OK);
        declares = e->sample.series >= declares ? e->sample.series + 1 : declares;
    }
    size_t len;
    const struct wire_batch b = finish(max_bytes, 1 + (random_next(r) >> random_below(r, 63)), &len);
    assert_true(len + last_bytes + 32 >= max_bytes); // it was full indeed
    assert_int_equal(b.count, count);
    assert_int_equal(b.class, class);
    assert_int_equal(b.declares, declares);
    for (size_t i = 0; i < count; i++) {
        assert_same(&entries[i], &b.samples[i]);
        if (!entries[i].noted)
            continue;
        assert_int_equal(b.notes[notes].index, i);
        assert_same_note(&entries[i], &b.notes[notes++]);
    }
    assert_int_equal(b.note_count, notes);
}

static void builder_never_passes_its_limit_and_gives_back_what_went_in(void **state)
{
    (void)state;
    struct entry *entries = malloc((WIRE_SAMPLES_MAX + 1) * sizeof(*entries));
    assert_non_null(entries);
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct random r = {seed};
        fill_and_compare(&r, entries);
    }
    free(entries);
}

static void builder_makes_the_same_bytes_as_the_encoder(void **state)
{
    (void)state;
    struct random r = {7};
    struct entry *entries = malloc((WIRE_SAMPLES_MAX + 1) * sizeof(*entries));
    assert_non_null(entries);
    for (int round = 0; round < 20; round++) {
        struct buf a, b;
        buf_init(&a, WIRE_MESSAGE_MAX_BYTES);
        buf_init(&b, WIRE_MESSAGE_MAX_BYTES);
        fill_and_compare(&r, entries);
        assert_int_equal(wire_builder_finish(builder, &incarnation, 9, &a), ERR_OK);
        struct wire_message m;
        assert_int_equal(wire_decode(arena, a.data, a.len, &m, NULL), ERR_OK);
        assert_int_equal(wire_encode(&m, &b), ERR_OK);
        assert_int_equal(a.len, b.len);
        assert_memory_equal(a.data, b.data, a.len);
        buf_deinit(&a);
        buf_deinit(&b);
    }
    free(entries);
}

static void builder_that_is_full_takes_a_smaller_one_and_stays_within(void **state)
{
    (void)state;
    wire_builder_reset(builder, WIRE_MEASUREMENT, 200);
    struct wire_sample large = {60000, 1767225600, integer(FIGURE_INTEGER_MAX), WIRE_REASON_NONE};
    struct wire_sample small = {60000, 1767225600, figure_missing(), WIRE_REASON_NONE};
    while (wire_builder_add(builder, &large, NULL) == ERR_OK)
        large.time += 10;
    while (wire_builder_add(builder, &small, NULL) == ERR_OK)
        small.time = large.time;
    size_t len;
    finish(200, 1, &len);
}

static void builder_with_no_room_for_one_sample_says_so(void **state)
{
    (void)state;
    struct wire_sample s = {0, 0, figure_missing(), WIRE_REASON_NONE};
    const size_t limits[] = {0, 1, 30, 50};
    for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
        wire_builder_reset(builder, WIRE_MEASUREMENT, limits[i]);
        assert_int_equal(wire_builder_add(builder, &s, NULL), ERR_FULL);
        assert_int_equal(wire_builder_count(builder), 0);
    }
    wire_builder_reset(builder, WIRE_MEASUREMENT, SIZE_MAX);
    while (wire_builder_add(builder, &s, NULL) == ERR_OK)
        ;
    size_t len;
    finish(WIRE_MESSAGE_MAX_BYTES, 1, &len);
}

static void builder_refuses_what_the_wire_cannot_carry_and_goes_on(void **state)
{
    (void)state;
    const struct wire_sample good = {1, 10, integer(5), WIRE_REASON_NONE};
    struct wire_sample s = good;
    const struct wire_note bad_note = {.reason = "a\nb"};
    wire_builder_reset(builder, WIRE_MEASUREMENT, WIRE_MESSAGE_MAX_BYTES);
    s.series = WIRE_SERIES_NUMBERS;
    assert_int_equal(wire_builder_add(builder, &s, NULL), ERR_INVALID);
    s = good;
    s.time = INT64_MAX;
    assert_int_equal(wire_builder_add(builder, &s, NULL), ERR_INVALID);
    s = good;
    s.value.integer = FIGURE_INTEGER_MAX + 1;
    assert_int_equal(wire_builder_add(builder, &s, NULL), ERR_INVALID);
    assert_int_equal(wire_builder_add(builder, &good, &bad_note), ERR_INVALID);
    assert_int_equal(wire_builder_count(builder), 0);
    assert_int_equal(wire_builder_add(builder, &good, NULL), ERR_OK);
    size_t len;
    const struct wire_batch b = finish(WIRE_MESSAGE_MAX_BYTES, 1, &len);
    assert_int_equal(b.count, 1);
    assert_int_equal(b.declares, 2);
}

static void builder_finishes_nothing_that_is_empty_or_has_no_number(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, WIRE_MESSAGE_MAX_BYTES);
    wire_builder_reset(builder, WIRE_MEASUREMENT, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_builder_finish(builder, &incarnation, 1, &b), ERR_INVALID);
    struct wire_sample s = {0, 0, figure_missing(), WIRE_REASON_NONE};
    assert_int_equal(wire_builder_add(builder, &s, NULL), ERR_OK);
    assert_int_equal(wire_builder_finish(builder, &incarnation, 0, &b), ERR_INVALID);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builder_takes_3500_samples_of_a_typical_tick),
        cmocka_unit_test(builder_never_passes_its_limit_and_gives_back_what_went_in),
        cmocka_unit_test(builder_makes_the_same_bytes_as_the_encoder),
        cmocka_unit_test(builder_that_is_full_takes_a_smaller_one_and_stays_within),
        cmocka_unit_test(builder_with_no_room_for_one_sample_says_so),
        cmocka_unit_test(builder_refuses_what_the_wire_cannot_carry_and_goes_on),
        cmocka_unit_test(builder_finishes_nothing_that_is_empty_or_has_no_number),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
