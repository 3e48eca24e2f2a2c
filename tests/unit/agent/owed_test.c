// What `status` says of what is owed: by the collector's word, and by our own clock since.
#include "agent/owed.h"
#include "base/clock.h"
#include "base/fs.h"
#include "tests/support/folder.h"
#include "wire/codec.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SAID_US INT64_C(1772366400000000) // 2026-03-01T12:00:00Z
#define DUE_S   INT64_C(1773601200)       // 2026-03-15 ends in Almaty

static struct test_folder folder;

static int setup(void **state)
{
    (void)state;
    return test_folder_make(&folder);
}

static int teardown(void **state)
{
    (void)state;
    return test_folder_remove(&folder);
}

static void keep(const struct wire_owed *owed, size_t count, uint64_t open, uint64_t late)
{
    const struct wire_message m = {
        .type = WIRE_OBLIGATIONS,
        .obligations = {.as_of_us = SAID_US, .open = open, .late = late, .count = count, .owed = owed}};
    struct buf out;
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_encode(&m, &out), ERR_OK);
    assert_int_equal(owed_keep(folder.path, out.data, out.len, NULL), ERR_OK);
    buf_deinit(&out);
}

static void expect(int64_t now_us, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    owed_print(folder.path, now_us, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(text, expected);
    free(text);
}

static const struct wire_owed usual[] = {
    {.series = "inv",
     .period = 2,
     .start = 20454,
     .state = WIRE_OWED_LATE,
     .answered = true,
     .has_due = true,
     .due_day = 20499,
     .late_s = 1771268400},
    {.series = "jobs_total",
     .period = 2,
     .start = 20485,
     .state = WIRE_OWED_OPEN,
     .has_due = true,
     .due_day = 20527,
     .late_s = DUE_S},
    {.series = "out_units/pumps", .period = 4, .start = 20089, .state = WIRE_OWED_OPEN},
    {.series = "export_value",
     .period = 2,
     .start = 20485,
     .state = WIRE_OWED_DONE,
     .has_due = true,
     .due_day = 20527,
     .late_s = DUE_S},
};

static void late_ones_come_first_and_each_has_its_date(void **state)
{
    (void)state;
    keep(usual, 4, 2, 1);
    expect(SAID_US, "owes        1 reports late, 2 open, the collector said at 2026-03-01T12:00:00Z\n"
                    "  late      inv for 2026-01, due 2026-02-15; reported as missing\n"
                    "  open      jobs_total for 2026-02, due 2026-03-15\n"
                    "  open      out_units/pumps for 2025, no date is set\n"
                    "  done      export_value for 2026-02, due 2026-03-15\n");
}

static void what_was_open_when_it_was_said_turns_late_by_our_own_clock(void **state)
{
    (void)state;
    keep(usual, 4, 2, 1);
    expect(DUE_S * US_PER_S - 1,
           "owes        1 reports late, 2 open, the collector said at 2026-03-01T12:00:00Z\n"
           "  late      inv for 2026-01, due 2026-02-15; reported as missing\n"
           "  open      jobs_total for 2026-02, due 2026-03-15\n"
           "  open      out_units/pumps for 2025, no date is set\n"
           "  done      export_value for 2026-02, due 2026-03-15\n");
    expect(DUE_S * US_PER_S,
           "owes        2 reports late, 1 open, the collector said at 2026-03-01T12:00:00Z\n"
           "  late      inv for 2026-01, due 2026-02-15; reported as missing\n"
           "  late      jobs_total for 2026-02, due 2026-03-15\n"
           "  open      out_units/pumps for 2025, no date is set\n"
           "  done      export_value for 2026-02, due 2026-03-15\n");
}

static void what_does_not_fit_is_counted(void **state)
{
    (void)state;
    keep(usual, 1, 4, 8);
    expect(SAID_US, "owes        8 reports late, 4 open, the collector said at 2026-03-01T12:00:00Z\n"
                    "  late      inv for 2026-01, due 2026-02-15; reported as missing\n"
                    "  …         11 more\n");
}

static void who_owes_nothing_reads_that_and_who_was_never_told_reads_nothing(void **state)
{
    (void)state;
    expect(SAID_US, "");
    assert_null(owed_json(folder.path, SAID_US));
    keep(usual, 0, 0, 0);
    expect(SAID_US, "owes        nothing, the collector said at 2026-03-01T12:00:00Z\n");
}

static void a_damaged_file_is_said(void **state)
{
    (void)state;
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder.path, OWED_FILE);
    assert_int_equal(fs_replace_file(path, "nonsense", 8, 0640, NULL), ERR_OK);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    owed_print(folder.path, SAID_US, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "owes        unknown"));
    free(text);
    assert_null(owed_json(folder.path, SAID_US));
}

static void programs_get_the_same(void **state)
{
    (void)state;
    keep(usual, 4, 2, 1);
    json_t *o = owed_json(folder.path, DUE_S * US_PER_S);
    char *text = json_dumps(o, JSON_COMPACT);
    assert_string_equal(
        text, "{\"as_of_us\":1772366400000000,\"late\":2,\"open\":1,\"owed\":["
              "{\"series\":\"inv\",\"period\":\"2026-01\",\"state\":\"late\",\"due\":\"2026-02-15\","
              "\"late_from_us\":1771268400000000,\"answered\":true},"
              "{\"series\":\"jobs_total\",\"period\":\"2026-02\",\"state\":\"late\",\"due\":\"2026-03-15\","
              "\"late_from_us\":1773601200000000,\"answered\":false},"
              "{\"series\":\"out_units/pumps\",\"period\":\"2025\",\"state\":\"open\",\"due\":null,"
              "\"late_from_us\":null,\"answered\":false},"
              "{\"series\":\"export_value\",\"period\":\"2026-02\",\"state\":\"done\",\"due\":\"2026-03-15\","
              "\"late_from_us\":1773601200000000,\"answered\":false}]}");
    free(text);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(late_ones_come_first_and_each_has_its_date, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_open_when_it_was_said_turns_late_by_our_own_clock, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(who_owes_nothing_reads_that_and_who_was_never_told_reads_nothing,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(programs_get_the_same, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
