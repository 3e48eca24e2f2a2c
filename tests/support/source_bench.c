#include "tests/support/source_bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t find(const struct source_bench *b, const char *key)
{
    size_t i = 0;
    while (i < b->position_count && strcmp(b->positions[i].key, key) != 0)
        i++;
    return i;
}

static enum err get(void *ctx, const char *source, const char *key, void *out, size_t cap, size_t *len)
{
    const struct source_bench *b = ctx;
    size_t i = find(b, key);
    (void)source;
    if (i == b->position_count)
        return ERR_NOT_FOUND;
    if (b->positions[i].len > cap)
        return ERR_TOO_BIG;
    memcpy(out, b->positions[i].bytes, b->positions[i].len);
    *len = b->positions[i].len;
    return ERR_OK;
}

static enum err each(void *ctx, const char *source, const char *prefix, position_visit visit, void *visit_ctx)
{
    const struct source_bench *b = ctx;
    enum err e = ERR_OK;
    (void)source;
    for (size_t i = 0; e == ERR_OK && i < b->position_count; i++)
        if (strncmp(b->positions[i].key, prefix, strlen(prefix)) == 0)
            e = visit(visit_ctx, b->positions[i].key, b->positions[i].bytes, b->positions[i].len);
    return e;
}

static void put(struct source_bench *b, const struct harvest_position *p)
{
    size_t i = find(b, p->key);
    if (i == b->position_count) {
        assert_true(b->position_count < SOURCE_BENCH_KEYS);
        b->positions[b->position_count++].key = strdup(p->key);
    } else {
        free(b->positions[i].bytes);
    }
    b->positions[i].bytes = malloc(p->len);
    b->positions[i].len = p->len;
    memcpy(b->positions[i].bytes, p->bytes, p->len);
}

int source_bench_setup(void **state)
{
    struct source_bench *b = calloc(1, sizeof *b);
    if (!b || test_folder_make(&b->folder) != 0)
        return -1;
    fake_clock_init(&b->clock, SOURCE_BENCH_NOW_S * US_PER_S);
    b->env = (struct source_env){.clock = &b->clock.clock, .ctx = b, .get = get, .each = each};
    buf_init(&b->samples, 64u << 20);
    buf_init(&b->messages, 1u << 20);
    *state = b;
    return 0;
}

static void close_source(struct source_bench *b)
{
    if (b->source)
        b->source->ops->destroy(b->source);
    b->source = NULL;
}

int source_bench_teardown(void **state)
{
    struct source_bench *b = *state;
    close_source(b);
    for (size_t i = 0; i < b->position_count; i++) {
        free(b->positions[i].key);
        free(b->positions[i].bytes);
    }
    buf_deinit(&b->samples);
    buf_deinit(&b->messages);
    int rc = test_folder_remove(&b->folder);
    free(b);
    return rc;
}

void source_bench_open(struct source_bench *b, const struct agent_source *config)
{
    struct diag d = {""};
    close_source(b);
    b->env.clock = b->real_time ? clock_system() : &b->clock.clock;
    b->config = config;
    if (source_ops_of(config->kind)->create(config, &b->env, &b->source, &d) != ERR_OK)
        fail_msg("%s", d.text);
}

static void keep(struct source_bench *b, const struct harvest *h)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct harvest_sample *s = &h->samples[i];
        char value[FIGURE_TEXT];
        figure_text(s->value, value);
        assert_int_equal(buf_printf(&b->samples, "%s %lld %s%s%s", b->config->series[s->series].declared,
                                    (long long)s->time, s->value.kind == FIGURE_MISSING ? "?" : value,
                                    s->reason ? " " : "", s->reason ? s->reason : ""),
                         ERR_OK);
        if (s->published_us)
            assert_int_equal(buf_printf(&b->samples, " @%lld", (long long)(s->published_us / US_PER_S)),
                             ERR_OK);
        assert_int_equal(buf_text(&b->samples, "\n"), ERR_OK);
    }
    assert_int_equal(buf_text(&b->messages, buf_str(&h->messages)), ERR_OK);
    b->count += h->count;
    b->errors += h->errors;
    b->skipped += h->skipped;
    b->takes++;
}

static void forget_run(struct source_bench *b)
{
    buf_reset(&b->samples);
    buf_reset(&b->messages);
    b->count = b->takes = 0;
    b->errors = b->skipped = 0;
}

static void wait_until_ended(struct source_bench *b)
{
    const struct source_ops *ops = b->source->ops;
    while (!ops->advance(b->source)) {
        struct pollfd fds[8];
        int n = ops->fds(b->source, fds, 8);
        int ms = b->real_time ? ops->wait_ms(b->source) : 1;
        (void)poll(fds, (nfds_t)n, ms);
    }
}

bool source_bench_take(struct source_bench *b, size_t max, bool spooled)
{
    struct harvest h;
    harvest_init(&h);
    assert_int_equal(b->source->ops->take(b->source, max, &h), ERR_OK);
    keep(b, &h);
    for (size_t i = 0; spooled && i < h.position_count; i++)
        put(b, &h.positions[i]);
    bool more = h.more;
    harvest_deinit(&h);
    b->source->ops->settled(b->source, spooled);
    return more;
}

void source_bench_run(struct source_bench *b, int64_t tick_s)
{
    forget_run(b);
    b->source->ops->begin(b->source, tick_s);
    wait_until_ended(b);
    while (source_bench_take(b, 1000, true))
        ;
}

void source_bench_expect(struct source_bench *b, const char *samples)
{
    source_bench_run(b, clock_wall(&b->clock.clock).us / US_PER_S);
    if (strcmp(buf_str(&b->samples), samples) != 0)
        fail_msg("got\n%swith %llu errors:\n%sinstead of\n%s", buf_str(&b->samples),
                 (unsigned long long)b->errors, buf_str(&b->messages), samples);
}
