#include "base/err.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static void err_has_a_name_and_a_text_for_every_value(void **state)
{
    (void)state;
#define X(id, name, text)                                                                                    \
    assert_string_equal(err_name(ERR_##id), name);                                                           \
    assert_string_equal(err_text(ERR_##id), text);
    ERR_LIST(X)
#undef X
    assert_int_equal(ERR_OK, 0);
}

static void err_of_an_unknown_value_still_prints(void **state)
{
    (void)state;
    enum err strange;
    memset(&strange, 0x7f, sizeof strange);
    assert_string_equal(err_name(strange), "unknown");
    assert_true(strlen(err_text(strange)) > 0);
}

static void errno_maps_to_what_the_caller_can_do(void **state)
{
    (void)state;
    static const struct {
        int errnum;
        enum err e;
    } table[] = {{ENOSPC, ERR_FULL},   {EDQUOT, ERR_FULL},  {ENOENT, ERR_NOT_FOUND}, {EEXIST, ERR_EXISTS},
                 {EACCES, ERR_DENIED}, {EPERM, ERR_DENIED}, {EAGAIN, ERR_AGAIN},     {EINTR, ERR_AGAIN},
                 {ENOMEM, ERR_NOMEM},  {EIO, ERR_IO},       {EROFS, ERR_IO},         {EBADF, ERR_IO}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(err_from_errno(table[i].errnum), table[i].e);
}

static void diag_fail_sets_the_text_and_returns_the_error(void **state)
{
    (void)state;
    struct diag d;
    assert_int_equal(diag_fail(&d, ERR_FULL, "%s: %d", "spool", 7), ERR_FULL);
    assert_string_equal(d.text, "spool: 7");
    assert_int_equal(diag_fail(NULL, ERR_IO, "nobody looks"), ERR_IO);
}

static void diag_errno_appends_the_reason(void **state)
{
    (void)state;
    struct diag d;
    assert_int_equal(diag_errno(&d, ENOSPC, "%s", "ledger"), ERR_FULL);
    assert_string_equal(d.text, "ledger: No space left on device");
    assert_int_equal(diag_errno(NULL, ENOENT, "nobody looks"), ERR_NOT_FOUND);
}

static void diag_errno_cuts_a_long_name_rather_than_the_reason(void **state)
{
    (void)state;
    char name[2000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct diag d;
    assert_int_equal(diag_errno(&d, ENOSPC, "%s", name), ERR_FULL);
    assert_int_equal(strlen(d.text), sizeof d.text - 1);
    assert_non_null(strstr(d.text, "n: No space left on device"));
}

static void diag_cut_inside_a_character_drops_the_whole_character(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[1000] = "xxxx";
        for (size_t i = shift; i + 4 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xB8", 4); // the tenge sign, three bytes
        struct diag d;
        (void)diag_fail(&d, ERR_INVALID, "%s", text);
        size_t len = strlen(d.text);
        assert_true(len >= sizeof d.text - 4);
        assert_int_equal((len - shift) % 3, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_has_a_name_and_a_text_for_every_value),
        cmocka_unit_test(err_of_an_unknown_value_still_prints),
        cmocka_unit_test(errno_maps_to_what_the_caller_can_do),
        cmocka_unit_test(diag_fail_sets_the_text_and_returns_the_error),
        cmocka_unit_test(diag_errno_appends_the_reason),
        cmocka_unit_test(diag_errno_cuts_a_long_name_rather_than_the_reason),
        cmocka_unit_test(diag_cut_inside_a_character_drops_the_whole_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
