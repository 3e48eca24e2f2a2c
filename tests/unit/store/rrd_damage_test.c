// Header fields that librrd would calculate with unchecked: found by the fuzz target rrd_file.
#include "store/rrd.h"
#include "tests/support/folder.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

// Where the fields are in a file of librrd's format 3 on a 64-bit machine.
#define PDP_CNT_AT (128 + 120 + 32) // of the first archive: steps in a row

static const struct ledger_series hourly = {
    .series_id = 1, .name = "aztm/mill/energy_kwh", .class = WIRE_MEASUREMENT, .step_s = 3600};

static enum err on_value(void *ctx, int64_t time, double value)
{
    (void)ctx;
    (void)time;
    (void)value;
    return ERR_OK;
}

static void patch(const char *path, uint64_t value, off_t at)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, &value, sizeof value, at), sizeof value);
    close(fd);
}

static void a_row_longer_than_a_day_is_damage_not_a_size_for_librrd_to_allocate(void **state)
{
    static const uint64_t lengths[] = {0, 25, (UINT64_C(100) << 32) + 1, UINT64_MAX};
    const int64_t start = INT64_C(1772366400);
    struct test_folder folder;
    char path[TEST_PATH];
    (void)state;
    assert_int_equal(test_folder_make(&folder), 0);
    test_folder_path(&folder, "1.rrd", path);
    assert_int_equal(rrd_file_create(path, &hourly, start, false, NULL), ERR_OK);
    assert_int_equal(rrd_file_check(path, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        uint32_t step = 3600;
        struct diag d = {""};
        patch(path, lengths[i], PDP_CNT_AT);
        assert_int_equal(rrd_file_check(path, &d), ERR_CORRUPT);
        assert_non_null(strstr(d.text, "not a whole round-robin file"));
        assert_int_equal(rrd_file_fetch(path, "AVERAGE", start - 86400, start, &step, on_value, NULL, NULL),
                         ERR_CORRUPT);
    }
    patch(path, 1, PDP_CNT_AT);
    assert_int_equal(rrd_file_check(path, NULL), ERR_OK);
    assert_int_equal(test_folder_remove(&folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_longer_than_a_day_is_damage_not_a_size_for_librrd_to_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
