#include "tests/support/spool_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void spool_bench_open(struct spool_bench *b)
{
    if (spool_open(b->folder.path, &b->options, &b->clock.clock, &b->spool, &b->opened, &b->diag) != ERR_OK ||
        spool_reader_open(b->folder.path, &b->reader, &b->diag) != ERR_OK)
        fail_msg("%s", b->diag.text);
}

void spool_bench_close(struct spool_bench *b)
{
    spool_reader_close(b->reader);
    spool_close(b->spool);
    b->reader = NULL;
    b->spool = NULL;
}

int spool_bench_setup(void **state)
{
    struct spool_bench *b = calloc(1, sizeof *b);
    if (!b || test_folder_make(&b->folder) != 0 || packer_create(&b->packer) != ERR_OK ||
        wire_arena_create(&b->arena) != ERR_OK)
        return -1;
    fake_clock_init(&b->clock, SPOOL_BENCH_NOW_S * US_PER_S);
    b->time = SPOOL_BENCH_NOW_S;
    b->options = (struct spool_options){.max_bytes = 1u << 20,
                                        .max_age_us = INT64_C(30) * 86400 * US_PER_S,
                                        .tail_bytes = SPOOL_TAIL_BYTES,
                                        .tail_age_us = SPOOL_TAIL_US};
    spool_bench_open(b);
    *state = b;
    return 0;
}

int spool_bench_teardown(void **state)
{
    struct spool_bench *b = *state;
    spool_bench_close(b);
    packer_destroy(b->packer);
    wire_arena_destroy(b->arena);
    int rc = test_folder_remove(&b->folder);
    free(b);
    return rc;
}

void spool_bench_path(const struct spool_bench *b, const char *suffix, char out[TEST_PATH])
{
    char name[64];
    snprintf(name, sizeof name, SPOOL_FILE "%s", suffix);
    test_folder_path(&b->folder, name, out);
}

void spool_bench_declare(struct spool_bench *b)
{
    const struct wire_declare w = {
        .series = "out_units", .unit = "piece", .currency = "", .class = WIRE_MEASUREMENT, .step_s = 10};
    uint32_t number = 99;
    assert_int_equal(spool_declare(b->spool, &w, 1, &number, &b->diag), ERR_OK);
    assert_int_equal(number, 0);
}

enum err spool_bench_try_append(struct spool_bench *b, uint64_t samples, size_t *len)
{
    const struct spool_state *st = spool_peek(b->spool);
    struct spool_change change = {.sampled = samples};
    packer_begin(b->packer, &st->incarnation, st->last_written + 1);
    for (uint64_t i = 0; i < samples; i++, b->time += 10) {
        struct wire_sample s = {.time = b->time};
        assert_int_equal(figure_from_integer(b->time % 1000003, &s.value), ERR_OK);
        assert_int_equal(packer_add(b->packer, WIRE_MEASUREMENT, &s, NULL), ERR_OK);
    }
    assert_int_equal(packer_finish(b->packer, &change.rows, &change.row_count), ERR_OK);
    assert_int_equal(change.row_count, 1);
    *len = change.rows[0].len;
    return spool_append(b->spool, &change, &b->diag);
}

size_t spool_bench_append(struct spool_bench *b, uint64_t samples)
{
    size_t len = 0;
    if (spool_bench_try_append(b, samples, &len) != ERR_OK)
        fail_msg("%s", b->diag.text);
    return len;
}

void spool_bench_acknowledge(struct spool_bench *b, uint64_t sequence)
{
    struct wire_receipt r = {.position = sequence * 100, .chain = {(uint8_t)sequence}};
    if (spool_acknowledge(b->spool, sequence, &r, &b->diag) != ERR_OK)
        fail_msg("%s", b->diag.text);
}

const struct spool_state *spool_bench_state(const struct spool_bench *b)
{
    static struct spool_state seen;
    struct diag d = {""};
    if (spool_reader_state(b->reader, &seen, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_memory_equal(&seen.counters, &spool_peek(b->spool)->counters, sizeof seen.counters);
    assert_int_equal(seen.last_written, spool_peek(b->spool)->last_written);
    assert_int_equal(seen.last_acknowledged, spool_peek(b->spool)->last_acknowledged);
    assert_int_equal(seen.sendable, spool_peek(b->spool)->sendable);
    assert_int_equal(seen.first_kept, spool_peek(b->spool)->first_kept);
    return &seen;
}

struct wire_message spool_bench_message(struct spool_bench *b, uint64_t first)
{
    struct spool_message m = {0};
    struct wire_message out = {0};
    if (spool_reader_message(b->reader, first, &m, &b->diag) != ERR_OK ||
        wire_decode(b->arena, m.bytes, m.len, &out, &b->diag) != ERR_OK)
        fail_msg("%s", b->diag.text);
    assert_int_equal(m.first, first);
    assert_int_equal(m.gap, out.type == WIRE_GAP);
    const struct wire_incarnation *i = m.gap ? &out.gap.incarnation : &out.batch.incarnation;
    assert_memory_equal(i, &spool_peek(b->spool)->incarnation, sizeof *i);
    assert_int_equal(m.gap ? out.gap.first : out.batch.sequence, first);
    assert_int_equal(m.gap ? out.gap.last : out.batch.sequence, m.last);
    return out;
}

bool spool_bench_has(struct spool_bench *b, uint64_t first)
{
    struct spool_message m;
    enum err e = spool_reader_message(b->reader, first, &m, &b->diag);
    assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
    return e == ERR_OK;
}

void spool_bench_expect_balance(const struct spool_bench *b)
{
    const struct wire_counters *c = &spool_peek(b->spool)->counters;
    assert_int_equal(c->sampled, c->acknowledged + c->spooled + c->gaps + c->refused);
}
