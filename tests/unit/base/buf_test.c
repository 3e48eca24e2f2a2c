#include "base/buf.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void buf_that_is_empty_reads_as_an_empty_text(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    assert_string_equal(buf_str(&b), "");
    size_t len = 9;
    char *text = buf_take(&b, &len);
    assert_string_equal(text, "");
    assert_int_equal(len, 0);
    free(text);
    buf_deinit(&b);
}

static void buf_grows_to_its_maximum_and_not_a_byte_further(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_append(&b, "x", 1), ERR_OK);
    assert_int_equal(b.len, 1000);
    assert_true(b.cap <= 1001);
    assert_int_equal(buf_append(&b, "x", 1), ERR_TOO_BIG);
    assert_int_equal(strlen(buf_str(&b)), 1000);
    buf_deinit(&b);
}

static void buf_after_a_failure_keeps_failing_until_reset(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4);
    assert_int_equal(buf_text(&b, "12345"), ERR_TOO_BIG);
    assert_int_equal(buf_text(&b, "1"), ERR_TOO_BIG);
    assert_int_equal(buf_printf(&b, "%d", 1), ERR_TOO_BIG);
    assert_int_equal(b.failed, ERR_TOO_BIG);
    assert_int_equal(b.len, 0);
    assert_null(buf_take(&b, NULL));
    buf_reset(&b);
    assert_int_equal(buf_text(&b, "1234"), ERR_OK);
    assert_string_equal(buf_str(&b), "1234");
    buf_deinit(&b);
}

static void buf_printf_adds_at_the_end_across_growth(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_printf(&b, "%03d,", i), ERR_OK);
    assert_int_equal(b.len, 4000);
    assert_memory_equal(buf_str(&b), "000,001,", 8);
    assert_string_equal(buf_str(&b) + 3992, "998,999,");
    buf_deinit(&b);
}

static void buf_keeps_bytes_that_are_no_text(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_append(&b, "a\0b", 3), ERR_OK);
    assert_int_equal(buf_append(&b, NULL, 0), ERR_OK);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_deinit(&b);
}

static void buf_take_moves_the_bytes_out_and_leaves_it_usable(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_text(&b, "first"), ERR_OK);
    size_t len = 0;
    char *text = buf_take(&b, &len);
    assert_string_equal(text, "first");
    assert_int_equal(len, 5);
    free(text);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_text(&b, "second"), ERR_OK);
    assert_string_equal(buf_str(&b), "second");
    buf_deinit(&b);
}

static void buf_of_no_maximum_at_all_is_refused(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, SIZE_MAX);
    assert_int_equal(buf_text(&b, "x"), ERR_TOO_BIG);
    buf_deinit(&b);
    buf_init(&b, 0);
    assert_int_equal(buf_text(&b, ""), ERR_OK);
    assert_int_equal(buf_text(&b, "x"), ERR_TOO_BIG);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_that_is_empty_reads_as_an_empty_text),
        cmocka_unit_test(buf_grows_to_its_maximum_and_not_a_byte_further),
        cmocka_unit_test(buf_after_a_failure_keeps_failing_until_reset),
        cmocka_unit_test(buf_printf_adds_at_the_end_across_growth),
        cmocka_unit_test(buf_keeps_bytes_that_are_no_text),
        cmocka_unit_test(buf_take_moves_the_bytes_out_and_leaves_it_usable),
        cmocka_unit_test(buf_of_no_maximum_at_all_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
