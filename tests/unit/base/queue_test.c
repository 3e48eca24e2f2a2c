#include "base/queue.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

static bool readable(struct queue *q)
{
    struct pollfd p = {.fd = queue_fd(q), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static struct queue *create(size_t max)
{
    struct queue *q = NULL;
    assert_int_equal(queue_create(max, &q), ERR_OK);
    return q;
}

static void queue_keeps_the_order_around_the_end_of_its_ring(void **state)
{
    (void)state;
    int items[7];
    struct queue *q = create(3);
    size_t given = 0, taken = 0;
    for (int round = 0; round < 50; round++) {
        while (queue_give(q, &items[given % 7]) == ERR_OK)
            given++;
        void *out = NULL;
        assert_int_equal(queue_take(q, 0, &out), ERR_OK);
        assert_ptr_equal(out, &items[taken++ % 7]);
        assert_int_equal(queue_take(q, 0, &out), ERR_OK);
        assert_ptr_equal(out, &items[taken++ % 7]);
    }
    queue_destroy(q, NULL);
}

static void queue_when_full_refuses_and_leaves_the_item_to_the_caller(void **state)
{
    (void)state;
    int a, b;
    struct queue *q = create(1);
    assert_int_equal(queue_give(q, &a), ERR_OK);
    assert_int_equal(queue_give(q, &b), ERR_FULL);
    assert_int_equal(queue_depth(q), 1);
    void *out = NULL;
    assert_int_equal(queue_take(q, -1, &out), ERR_OK);
    assert_ptr_equal(out, &a);
    queue_destroy(q, NULL);
}

static void queue_of_no_items_is_refused(void **state)
{
    (void)state;
    struct queue *q = NULL;
    assert_int_equal(queue_create(0, &q), ERR_INVALID);
    assert_int_equal(queue_create(SIZE_MAX / 2, &q), ERR_TOO_BIG);
    assert_null(q);
}

static void queue_take_of_nothing_returns_in_time_and_touches_nothing(void **state)
{
    (void)state;
    struct queue *q = create(2);
    void *out = q;
    assert_int_equal(queue_take(q, 0, &out), ERR_AGAIN);
    assert_int_equal(queue_take(q, 5, &out), ERR_AGAIN);
    assert_ptr_equal(out, q);
    queue_destroy(q, NULL);
}

static void queue_fd_is_readable_exactly_while_items_wait_or_it_is_closed(void **state)
{
    (void)state;
    int item;
    void *out = NULL;
    struct queue *q = create(2);
    assert_false(readable(q));
    for (int round = 0; round < 3; round++) {
        assert_int_equal(queue_give(q, &item), ERR_OK);
        assert_int_equal(queue_give(q, &item), ERR_OK);
        assert_true(readable(q));
        assert_int_equal(queue_take(q, 0, &out), ERR_OK);
        assert_true(readable(q));
        assert_int_equal(queue_take(q, 0, &out), ERR_OK);
        assert_false(readable(q));
    }
    queue_close(q);
    assert_true(readable(q));
    assert_int_equal(queue_take(q, -1, &out), ERR_CLOSED);
    assert_true(readable(q));
    queue_destroy(q, NULL);
}

static void queue_after_close_drains_and_then_says_closed(void **state)
{
    (void)state;
    int item;
    void *out = NULL;
    struct queue *q = create(2);
    assert_int_equal(queue_give(q, &item), ERR_OK);
    queue_close(q);
    queue_close(q);
    assert_int_equal(queue_give(q, &item), ERR_CLOSED);
    assert_true(readable(q));
    assert_int_equal(queue_take(q, -1, &out), ERR_OK);
    assert_true(readable(q));
    assert_int_equal(queue_take(q, 1000, &out), ERR_CLOSED);
    queue_destroy(q, NULL);
}

static void queue_destroy_hands_over_what_is_left(void **state)
{
    (void)state;
    struct queue *q = create(3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(queue_give(q, malloc(1)), ERR_OK);
    queue_destroy(q, free); // the leak checker looks
    queue_destroy(NULL, free);
}

enum { PRODUCERS = 4, PER_PRODUCER = 20000 };

struct producer {
    struct queue *q;
    uint32_t *items; // each holds its producer's number and its own
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (size_t i = 0; i < PER_PRODUCER;) {
        enum err e = queue_give(p->q, &p->items[i]);
        if (e == ERR_OK)
            i++;
        else if (e != ERR_FULL)
            return p;
    }
    return NULL;
}

static void queue_under_four_producers_loses_and_reorders_nothing(void **state)
{
    (void)state;
    static uint32_t items[PRODUCERS][PER_PRODUCER];
    struct queue *q = create(64);
    pthread_t threads[PRODUCERS];
    struct producer producers[PRODUCERS];
    for (uint32_t p = 0; p < PRODUCERS; p++) {
        for (uint32_t i = 0; i < PER_PRODUCER; i++)
            items[p][i] = p << 24 | i;
        producers[p] = (struct producer){q, items[p]};
        assert_int_equal(pthread_create(&threads[p], NULL, produce, &producers[p]), 0);
    }
    uint32_t next[PRODUCERS] = {0};
    for (size_t n = 0; n < (size_t)PRODUCERS * PER_PRODUCER; n++) {
        void *out = NULL;
        assert_int_equal(queue_take(q, 20000, &out), ERR_OK);
        uint32_t value = *(uint32_t *)out;
        assert_int_equal(value & 0xFFFFFF, next[value >> 24]++);
    }
    for (size_t p = 0; p < PRODUCERS; p++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[p], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(queue_depth(q), 0);
    assert_false(readable(q));
    queue_destroy(q, NULL);
}

static void *take_without_limit(void *arg)
{
    void *out = NULL;
    return queue_take(arg, -1, &out) == ERR_CLOSED ? NULL : arg;
}

static void queue_close_wakes_a_consumer_that_waits_without_limit(void **state)
{
    (void)state;
    struct queue *q = create(1);
    pthread_t thread;
    void *failed = NULL;
    assert_int_equal(pthread_create(&thread, NULL, take_without_limit, q), 0);
    queue_close(q);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    queue_destroy(q, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_keeps_the_order_around_the_end_of_its_ring),
        cmocka_unit_test(queue_when_full_refuses_and_leaves_the_item_to_the_caller),
        cmocka_unit_test(queue_of_no_items_is_refused),
        cmocka_unit_test(queue_take_of_nothing_returns_in_time_and_touches_nothing),
        cmocka_unit_test(queue_fd_is_readable_exactly_while_items_wait_or_it_is_closed),
        cmocka_unit_test(queue_after_close_drains_and_then_says_closed),
        cmocka_unit_test(queue_destroy_hands_over_what_is_left),
        cmocka_unit_test(queue_under_four_producers_loses_and_reorders_nothing),
        cmocka_unit_test(queue_close_wakes_a_consumer_that_waits_without_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
