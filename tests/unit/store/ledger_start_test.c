// What a start refuses: shorter, different and damaged ledgers; and what it finds after a kill.
#include "base/fs.h"
#include "store/reader.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    struct store *s = malloc(sizeof *s);
    store_create(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_destroy(*state);
    free(*state);
    return 0;
}

static void append_one(struct store *s, struct store_stream *stream, int64_t time, int64_t value)
{
    const struct wire_sample sample = {.series = 0, .time = time, .value = store_integer(value)};
    store_append(s, stream, WIRE_MEASUREMENT, &sample, NULL, 1, NULL, 0);
}

// What an outsider with the file could do.
static void tamper(struct store *s, const char *sql)
{
    char path[STORE_PATH];
    sqlite3 *db = NULL;
    store_path(s, LEDGER_FILE, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

// ---- the head
// -------------------------------------------------------------------------------------------

static void no_damage(void *ctx, const char *text)
{
    (void)ctx;
    fail_msg("damage: %s", text);
}

static enum err no_damage_then(struct store *s, struct reader_verified *v)
{
    struct reader *r = NULL;
    assert_int_equal(reader_open(s->folder, &r, &s->diag), ERR_OK);
    enum err e = reader_verify(r, no_damage, NULL, v, &s->diag);
    reader_close(r);
    return e;
}

static void fill(struct store *s, struct store_stream *a, int rows)
{
    for (int i = 0; i < rows; i++)
        store_one(s, a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10 * (int64_t)a->sequence, store_integer(i));
}

static enum err open_again(struct store *s)
{
    ledger_close(s->ledger);
    s->ledger = NULL;
    memset(&s->diag, 0, sizeof s->diag);
    return ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag);
}

static struct store_stream filled(struct store *s, int rows)
{
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    fill(s, &a, rows);
    return a;
}

static void a_head_as_old_as_the_last_second_is_fine(void **state)
{
    struct store *s = *state;
    struct store_stream a = filled(s, 3);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    fill(s, &a, 3);
    assert_int_equal(open_again(s), ERR_OK);
    assert_false(ledger_head_missing(s->ledger));
}

static void a_shorter_chain_is_refused_naming_both_lengths(void **state)
{
    struct store *s = *state;
    struct store_stream a = filled(s, 3);
    char old[STORE_PATH];
    char *head = NULL;
    size_t len = 0;
    char path[STORE_PATH];
    store_temp_folder(old);
    ledger_close(s->ledger);
    store_copy(s, old);
    s->ledger = NULL;
    store_reopen(s);
    fill(s, &a, 4);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    // The old copy of the ledger beside the new head.
    store_path(s, LEDGER_HEAD, path);
    assert_int_equal(fs_read_file(path, 4096, &head, &len, &s->diag), ERR_OK);
    assert_int_equal(fs_join(path, sizeof path, old, LEDGER_HEAD), ERR_OK);
    assert_int_equal(fs_replace_file(path, head, len, 0640, &s->diag), ERR_OK);
    free(head);
    struct ledger *l = NULL;
    assert_int_equal(ledger_open(old, &s->clock.clock, &l, &s->diag), ERR_CORRUPT);
    assert_null(l);
    assert_non_null(strstr(s->diag.text, "3 rows up to position 3"));
    assert_non_null(strstr(s->diag.text, "7 up to 7"));
    store_remove_folder(old);
}

static void a_different_chain_of_the_same_length_is_refused(void **state)
{
    struct store *s = *state;
    filled(s, 3);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    ledger_close(s->ledger);
    s->ledger = NULL;
    tamper(s, "UPDATE batch SET chain=randomblob(32) WHERE position=3;"
              "UPDATE chain SET hash=(SELECT chain FROM batch WHERE position=3) WHERE class=1");
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag), ERR_CORRUPT);
    assert_non_null(strstr(s->diag.text, "position 3"));
}

static void rows_cut_off_with_their_chains_are_refused(void **state)
{
    struct store *s = *state;
    filled(s, 3);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    ledger_close(s->ledger);
    s->ledger = NULL;
    tamper(s, "DELETE FROM batch; DELETE FROM chain; UPDATE stream SET last_sequence=0");
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag), ERR_CORRUPT);
    assert_non_null(strstr(s->diag.text, "shorter"));
}

static void a_row_beyond_the_chain_is_refused(void **state)
{
    struct store *s = *state;
    filled(s, 3);
    ledger_close(s->ledger);
    s->ledger = NULL;
    tamper(s, "UPDATE chain SET position=2, rows=2, hash=(SELECT chain FROM batch WHERE position=2)");
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag), ERR_CORRUPT);
    assert_non_null(strstr(s->diag.text, "end at position 3"));
}

static void a_changed_last_row_is_refused_at_start(void **state)
{
    struct store *s = *state;
    filled(s, 3);
    ledger_close(s->ledger);
    s->ledger = NULL;
    tamper(s, "UPDATE batch SET body=x'00' WHERE position=3");
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag), ERR_CORRUPT);
    assert_non_null(strstr(s->diag.text, "sequence 3"));
}

static void a_damaged_head_file_is_refused_however_it_is_damaged(void **state)
{
    struct store *s = *state;
    char path[STORE_PATH];
    char *head = NULL;
    size_t len = 0;
    filled(s, 3);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    store_path(s, LEDGER_HEAD, path);
    assert_int_equal(fs_read_file(path, 4096, &head, &len, &s->diag), ERR_OK);
    for (size_t cut = 0; cut < len; cut += 7) {
        assert_int_equal(fs_replace_file(path, head, cut, 0640, &s->diag), ERR_OK);
        assert_int_equal(open_again(s), ERR_CORRUPT);
    }
    for (size_t i = 0; i < len; i += 3) {
        head[i] ^= 0x20;
        assert_int_equal(fs_replace_file(path, head, len, 0640, &s->diag), ERR_OK);
        assert_int_equal(open_again(s), ERR_CORRUPT);
        head[i] ^= 0x20;
    }
    assert_int_equal(fs_replace_file(path, head, len, 0640, &s->diag), ERR_OK);
    assert_int_equal(open_again(s), ERR_OK);
    free(head);
}

static void a_head_of_another_ledger_is_refused(void **state)
{
    struct store *s = *state;
    char path[STORE_PATH];
    filled(s, 3);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    ledger_close(s->ledger);
    s->ledger = NULL;
    store_path(s, LEDGER_FILE, path);
    remove(path);
    store_path(s, LEDGER_FILE "-wal", path);
    remove(path);
    store_path(s, LEDGER_FILE "-shm", path);
    remove(path);
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag), ERR_CORRUPT);
    assert_non_null(strstr(s->diag.text, "another ledger"));
}

static void a_missing_head_beside_rows_is_said_until_one_is_written(void **state)
{
    struct store *s = *state;
    assert_int_equal(open_again(s), ERR_OK);
    assert_false(ledger_head_missing(s->ledger)); // nothing to lose yet
    filled(s, 1);
    assert_int_equal(open_again(s), ERR_OK);
    assert_true(ledger_head_missing(s->ledger));
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    assert_false(ledger_head_missing(s->ledger));
    assert_int_equal(open_again(s), ERR_OK);
    assert_false(ledger_head_missing(s->ledger));
}

static void a_file_that_is_no_database_is_corrupt(void **state)
{
    struct store *s = *state;
    char path[STORE_PATH];
    char junk[8192];
    memset(junk, 'x', sizeof junk);
    ledger_close(s->ledger);
    s->ledger = NULL;
    store_path(s, LEDGER_FILE, path);
    assert_int_equal(fs_replace_file(path, junk, sizeof junk, 0640, &s->diag), ERR_OK);
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag), ERR_CORRUPT);
}

static void tables_of_another_version_are_not_touched(void **state)
{
    struct store *s = *state;
    ledger_close(s->ledger);
    s->ledger = NULL;
    tamper(s, "UPDATE meta SET value='2' WHERE key='schema'");
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag), ERR_UNSUPPORTED);
}

// ---- as a kill leaves it
// --------------------------------------------------------------------------------------------

static void a_copy_of_the_files_at_any_moment_opens_with_what_was_committed(void **state)
{
    struct store *s = *state;
    struct store_stream a = filled(s, 1);
    for (int round = 0; round < 20; round++) {
        char copy[STORE_PATH];
        struct ledger *l = NULL;
        struct ledger_stream now;
        uint64_t committed = a.sequence;
        store_temp_folder(copy);
        store_begin(s);
        for (int i = 0; i < 300; i++) // more than the page cache keeps back
            append_one(s, &a, STORE_EPOCH + 10 * (int64_t)a.sequence, i);
        store_copy(s, copy); // uncommitted: as if killed here
        store_commit(s);
        assert_int_equal(ledger_open(copy, &s->clock.clock, &l, &s->diag), ERR_OK);
        assert_int_equal(ledger_stream_open(l, a.agent_id, &a.incarnation, &now, &s->diag), ERR_OK);
        assert_int_equal(now.last_sequence, committed);
        assert_int_equal(ledger_position(l), committed);
        ledger_close(l);
        store_remove_folder(copy);
        if (round % 5 == 0)
            assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    }
    struct reader_verified v;
    assert_int_equal(no_damage_then(s, &v), ERR_OK);
    assert_int_equal(v.rows, 1 + 20 * 300);
}

static void a_flipped_bit_in_the_log_is_noticed_when_it_shortens_the_ledger(void **state)
{
    struct store *s = *state;
    char copy[STORE_PATH];
    char path[STORE_PATH];
    char *wal = NULL;
    size_t len = 0;
    int noticed = 0;
    filled(s, 20);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    store_temp_folder(copy);
    store_copy(s, copy);
    assert_int_equal(fs_join(path, sizeof path, copy, LEDGER_FILE "-wal"), ERR_OK);
    assert_int_equal(fs_read_file(path, 64u << 20, &wal, &len, &s->diag), ERR_OK);
    assert_true(len > 10000);
    for (size_t at = 40; at < len; at += len / 60) {
        struct ledger *l = NULL;
        store_copy(s, copy); // a fresh one each time
        wal[at] ^= 4;
        assert_int_equal(fs_replace_file(path, wal, len, 0640, &s->diag), ERR_OK);
        wal[at] ^= 4;
        enum err e = ledger_open(copy, &s->clock.clock, &l, &s->diag);
        if (e == ERR_CORRUPT) {
            noticed++;
        } else { // beyond the end of what counts, or repaired from a later frame
            assert_int_equal(e, ERR_OK);
            assert_int_equal(ledger_position(l), 20);
        }
        ledger_close(l);
    }
    assert_true(noticed > 30);
    free(wal);
    store_remove_folder(copy);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_head_as_old_as_the_last_second_is_fine),
        T(a_shorter_chain_is_refused_naming_both_lengths),
        T(a_different_chain_of_the_same_length_is_refused),
        T(rows_cut_off_with_their_chains_are_refused),
        T(a_row_beyond_the_chain_is_refused),
        T(a_changed_last_row_is_refused_at_start),
        T(a_damaged_head_file_is_refused_however_it_is_damaged),
        T(a_head_of_another_ledger_is_refused),
        T(a_missing_head_beside_rows_is_said_until_one_is_written),
        T(a_file_that_is_no_database_is_corrupt),
        T(tables_of_another_version_are_not_touched),
        T(a_copy_of_the_files_at_any_moment_opens_with_what_was_committed),
        T(a_flipped_bit_in_the_log_is_noticed_when_it_shortens_the_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
