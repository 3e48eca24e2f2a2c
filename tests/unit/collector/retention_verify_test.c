// After months were dropped the audit still sees whatever is changed: in rows, in seals, in the tables
// beside.
#include "store/reader_keep.h"
#include "tests/support/retain_rig.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define DAY      INT64_C(86400)
#define FEBRUARY (BENCH_NOW_S + 31 * DAY)

static int setup(void **state)
{
    if (retain_setup(state) != 0)
        return -1;
    struct retain_rig *x = *state;
    for (int day = 0; day < 60; day += 3)
        retain_put_hour(x, BENCH_NOW_S + day * DAY + 36000, BENCH_NOW_S + day * DAY + 36000, 1000);
    rig_settle(x->r);
    retain_go_to(x, FEBRUARY + RETAIN_RAW_S + 1);
    retain_run(x, false);
    return 0;
}

static uint64_t damaged(struct retain_rig *x)
{
    struct reader *fresh;
    struct reader_verified v;
    struct diag d = {0};
    assert_int_equal(reader_open(x->r->b->folder.path, &fresh, &d), ERR_OK);
    enum err e = reader_verify(fresh, NULL, NULL, &v, &d);
    reader_close(fresh);
    if (e != ERR_OK)
        fail_msg("verify: %s: %s", err_name(e), d.text);
    return v.damaged;
}

static void change(struct retain_rig *x, const char *sql)
{
    char path[TEST_PATH];
    char *why = NULL;
    sqlite3 *db = NULL;
    test_folder_path(&x->r->b->folder, "ledger.sqlite", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    if (sqlite3_total_changes(db) == 0)
        fail_msg("%s changed nothing", sql);
    sqlite3_close(db);
}

static void an_untouched_ledger_with_seals_is_whole(void **state)
{
    assert_int_equal(damaged(*state), 0);
}

#define NOTICED(name, sql)                                                                                   \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        change(*state, sql);                                                                                 \
        assert_true(damaged(*state) > 0);                                                                    \
    }
NOTICED(a_row_that_no_seal_speaks_of_is_missed, "DELETE FROM batch WHERE position=15")
NOTICED(a_changed_row_after_the_sealed_ones_is_noticed,
        "UPDATE batch SET refused=refused+1 WHERE position=12")
NOTICED(a_seal_that_is_gone_is_missed, "DELETE FROM batch WHERE gap=3 AND position="
                                       "(SELECT max(seal) FROM sealed_run)")
NOTICED(a_sealed_run_that_is_gone_is_missed, "DELETE FROM sealed_run")
NOTICED(a_sealed_run_that_reaches_further_is_noticed, "UPDATE sealed_run SET last=last+1")
NOTICED(a_sealed_run_of_more_rows_is_noticed, "UPDATE sealed_run SET rows=rows+1")
NOTICED(another_hash_behind_a_sealed_run_is_noticed, "UPDATE sealed_run SET after=zeroblob(32)")
NOTICED(counts_of_a_sealed_stream_are_compared, "UPDATE sealed_stream SET accepted=accepted+1")
NOTICED(a_sealed_stream_that_is_gone_is_missed, "DELETE FROM sealed_stream")
NOTICED(a_changed_watermark_of_retention_is_noticed,
        "UPDATE seal SET rolled_until_s=rolled_until_s-86400 WHERE position=(SELECT max(position) FROM seal)")
NOTICED(a_changed_roll_up_is_noticed,
        "UPDATE batch SET body=CAST(substr(body,1,length(body)-1)||x'01' AS BLOB) WHERE gap=2 AND position="
        "(SELECT min(position) FROM rollup)")
NOTICED(a_roll_up_that_is_not_found_is_missed, "DELETE FROM rollup WHERE series_id=1")
NOTICED(a_roll_up_of_another_month_is_noticed, "UPDATE rollup SET month_s=month_s+86400 WHERE series_id=1")
NOTICED(a_made_up_release_is_noticed, "INSERT INTO release VALUES(15, 0, 1, 16)")

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, retain_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_untouched_ledger_with_seals_is_whole),
        TEST(a_row_that_no_seal_speaks_of_is_missed),
        TEST(a_changed_row_after_the_sealed_ones_is_noticed),
        TEST(a_seal_that_is_gone_is_missed),
        TEST(a_sealed_run_that_is_gone_is_missed),
        TEST(a_sealed_run_that_reaches_further_is_noticed),
        TEST(a_sealed_run_of_more_rows_is_noticed),
        TEST(another_hash_behind_a_sealed_run_is_noticed),
        TEST(counts_of_a_sealed_stream_are_compared),
        TEST(a_sealed_stream_that_is_gone_is_missed),
        TEST(a_changed_watermark_of_retention_is_noticed),
        TEST(a_changed_roll_up_is_noticed),
        TEST(a_roll_up_that_is_not_found_is_missed),
        TEST(a_roll_up_of_another_month_is_noticed),
        TEST(a_made_up_release_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
