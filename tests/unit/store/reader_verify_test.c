// The audit: whatever byte is changed is found and named.
#include "base/fs.h"
#include "store/ledger_internal.h"
#include "store/reader.h"
#include "tests/support/random.h"
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
#include <sys/wait.h>
#include <unistd.h>

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

static struct reader *open_reader(struct store *s)
{
    struct reader *r = NULL;
    enum err e = reader_open(s->folder, &r, &s->diag);
    if (e != ERR_OK)
        fail_msg("reader_open: %s: %s", err_name(e), s->diag.text);
    return r;
}

static void tamper(struct store *s, const char *sql)
{
    char path[STORE_PATH];
    sqlite3 *db = NULL;
    char *why = NULL;
    store_path(s, LEDGER_FILE, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

// ---- verify
// ---------------------------------------------------------------------------------------------------------

struct damages {
    int count;
    char text[4000];
};

static void see_damage(void *ctx, const char *text)
{
    struct damages *seen = ctx;
    size_t at = strlen(seen->text);
    seen->count++;
    snprintf(seen->text + at, sizeof seen->text - at, "%s\n", text);
}

static struct damages verify(struct store *s, struct reader_verified *out)
{
    struct damages seen = {0};
    struct reader *r = open_reader(s);
    enum err e = reader_verify(r, see_damage, &seen, out, &s->diag);
    if (e != ERR_OK)
        fail_msg("reader_verify: %s: %s", err_name(e), s->diag.text);
    assert_int_equal(out->damaged, seen.count);
    reader_close(r);
    return seen;
}

static void fill(struct store *s, int rows)
{
    struct store_stream a = store_agent(s, "aztm/one", 1);
    struct store_stream b = store_agent(s, "penza/two", 2);
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_declare(s, &b, 0, "penza/two/inv", WIRE_REPORT, 0, 1);
    for (int i = 0; i < rows; i++) {
        store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10 * i, store_integer(i));
        if (i % 3 == 0)
            store_one(s, &b, WIRE_REPORT, 0, 20000 + i, store_integer(i));
        fake_clock_advance_us(&s->clock, 10 * US_PER_S);
    }
    store_begin(s);
    store_gap(s, &a, a.sequence + 5, 50);
    store_commit(s);
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
}

static void an_untouched_ledger_verifies_and_gives_its_heads(void **state)
{
    struct store *s = *state;
    struct reader_verified v;
    fill(s, 30);
    struct damages seen = verify(s, &v);
    assert_string_equal(seen.text, "");
    assert_int_equal(v.rows, 41);
    assert_int_equal(v.class[WIRE_MEASUREMENT].rows, 31);
    assert_int_equal(v.class[WIRE_MEASUREMENT].position, 41);
    assert_int_equal(v.class[WIRE_REPORT].rows, 10);
    assert_int_equal(v.class[0].rows, 2);
    assert_memory_equal(v.class[WIRE_REPORT].head, s->ledger->committed.chains[WIRE_REPORT].hash, HASH_BYTES);
}

// Another program, written from README.md alone, comes to the same hashes and finds the same damage.
static int check_in_python(const struct store *s)
{
    char path[STORE_PATH];
    int status = 0;
    store_path(s, LEDGER_FILE, path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execlp("python3", "python3", "tests/unit/store/chain_check.py", path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 127);
    return WEXITSTATUS(status);
}

static void a_program_in_another_language_recomputes_the_chains(void **state)
{
    struct store *s = *state;
    if (access("tests/unit/store/chain_check.py", R_OK) != 0)
        skip(); // not run from the top of the tree
    fill(s, 30);
    assert_int_equal(check_in_python(s), 0);
    tamper(s, "UPDATE batch SET received_us=received_us+1 WHERE position=20");
    assert_int_not_equal(check_in_python(s), 0);
    tamper(s, "UPDATE batch SET received_us=received_us-1 WHERE position=20");
    assert_int_equal(check_in_python(s), 0);
    tamper(s, "UPDATE series SET unit='ton' WHERE series_id=1");
    assert_int_not_equal(check_in_python(s), 0);
}

static void an_empty_ledger_verifies(void **state)
{
    struct store *s = *state;
    struct reader_verified v;
    assert_int_equal(verify(s, &v).count, 0);
    assert_int_equal(v.rows, 0);
}

static void a_long_ledger_is_walked_in_several_transactions(void **state)
{
    struct store *s = *state;
    struct reader_verified v;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_begin(s);
    for (int i = 0; i < 4000; i++) { // exactly two
        const struct wire_sample sample = {.time = STORE_EPOCH + 10 * i, .value = store_integer(i)};
        store_append(s, &a, WIRE_MEASUREMENT, &sample, NULL, 1, NULL, 0);
    }
    store_commit(s);
    assert_int_equal(verify(s, &v).count, 0);
    assert_int_equal(v.rows, 4000);
}

static void each_change_of_a_row_is_named_with_agent_sequence_and_time(void **state)
{
    struct store *s = *state;
    static const char *const changes[] = {
        "UPDATE batch SET body=CAST(body||'x' AS BLOB) WHERE position=7",
        "UPDATE batch SET verdict=x'00' WHERE position=7",
        "UPDATE batch SET received_us=received_us+1 WHERE position=7",
        "UPDATE batch SET key_id=9 WHERE position=7",
        "UPDATE batch SET samples=samples+1 WHERE position=7",
        "UPDATE batch SET refused=1 WHERE position=7",
        "UPDATE batch SET gap=1 WHERE position=7",
        "UPDATE batch SET class=2 WHERE position=7",
        "UPDATE batch SET last_sequence=99 WHERE position=7",
        "UPDATE batch SET chain=zeroblob(32) WHERE position=7",
        "UPDATE batch SET chain=x'00' WHERE position=7",
    };
    fill(s, 30);
    ledger_close(s->ledger);
    s->ledger = NULL;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct reader_verified v;
        char undo[STORE_PATH];
        store_temp_folder(undo);
        store_copy(s, undo);
        tamper(s, changes[i]);
        struct damages seen = verify(s, &v);
        if (!strstr(seen.text, "positions 7.."))
            fail_msg("%s: %s", changes[i], seen.text);
        assert_non_null(strstr(seen.text, "agent "));
        assert_non_null(strstr(seen.text, "sequences "));
        assert_non_null(strstr(seen.text, "received 2026-03-01T12:00:"));
        // Put back what was there.
        struct store back = *s;
        memcpy(back.folder, undo, sizeof back.folder);
        store_copy(&back, s->folder);
        store_remove_folder(undo);
        assert_int_equal(verify(s, &v).count, 0);
    }
    store_reopen(s);
}

static void what_is_kept_beside_the_rows_is_checked_too(void **state)
{
    struct store *s = *state;
    static const struct {
        const char *change, *says;
    } cases[] = {
        {"UPDATE stream SET last_sequence=last_sequence-1 WHERE stream_id=1",
         "its watermark is 34, its rows end at sequence 35"},
        {"UPDATE stream SET accepted=accepted+1 WHERE stream_id=2", "its counts differ"},
        {"UPDATE stream SET incarnation=zeroblob(16) WHERE stream_id=1", "does not match its chain hash"},
        {"UPDATE stream SET agent_id=1 WHERE stream_id=2", "does not match its chain hash"},
        {"UPDATE series SET name='aztm/one/y' WHERE series_id=1", "declare 1 does not match"},
        {"UPDATE series SET unit='ton' WHERE series_id=2", "declare 2 does not match"},
        {"UPDATE declare SET series_id=1 WHERE stream_id=2", "declare 2 does not match"},
        {"DELETE FROM declare WHERE ordinal=2", "chain 0 ends"},
        {"UPDATE agent SET resident='aztm/other' WHERE agent_id=1", "not under its agent's resident"},
        {"UPDATE chain SET hash=zeroblob(32) WHERE class=1", "chain 1 ends"},
        {"UPDATE chain SET rows=rows+1 WHERE class=2", "chain 2 ends"},
        {"DELETE FROM batch WHERE position=5", "rows missing: positions 5..5"},
        {"DELETE FROM batch WHERE position>39; UPDATE chain SET position=39 WHERE class=1", "chain 1 ends"},
        {"UPDATE key SET public_key=x'00' WHERE key_id=1", "key 1 is damaged"},
        {"UPDATE counter SET value=-1", "counter"},
    };
    fill(s, 30);
    assert_int_equal(ledger_count(s->ledger, "x", 0, 1), ERR_OK);
    ledger_close(s->ledger);
    s->ledger = NULL;
    char undo[STORE_PATH];
    store_temp_folder(undo);
    store_copy(s, undo);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader_verified v;
        struct store back = *s;
        tamper(s, cases[i].change);
        struct damages seen = verify(s, &v);
        if (!strstr(seen.text, cases[i].says))
            fail_msg("%s: %s", cases[i].change, seen.text);
        memcpy(back.folder, undo, sizeof back.folder);
        store_copy(&back, s->folder);
    }
    store_remove_folder(undo);
    store_reopen(s);
}

static void neighbouring_damaged_rows_are_one_range(void **state)
{
    struct store *s = *state;
    struct reader_verified v;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    for (int i = 0; i < 10; i++)
        store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10 * i, store_integer(i));
    tamper(s, "UPDATE batch SET key_id=9 WHERE position BETWEEN 3 AND 6");
    struct damages seen = verify(s, &v);
    assert_int_equal(seen.count, 1);
    assert_non_null(strstr(seen.text, "positions 3..6"));
    assert_non_null(strstr(seen.text, "agent 1 aztm/one"));
    assert_non_null(strstr(seen.text, "sequences 3..6"));
}

static void a_shorter_ledger_than_its_head_is_damage(void **state)
{
    struct store *s = *state;
    struct reader_verified v;
    char undo[STORE_PATH];
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(1));
    ledger_close(s->ledger);
    s->ledger = NULL;
    store_temp_folder(undo);
    store_copy(s, undo);
    store_reopen(s);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10, store_integer(2));
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    ledger_close(s->ledger);
    s->ledger = NULL;
    struct store back = *s;
    memcpy(back.folder, undo, sizeof back.folder);
    store_copy(&back, s->folder); // leaves the newer head
    struct damages seen = verify(s, &v);
    assert_int_equal(seen.count, 1);
    assert_non_null(strstr(seen.text, "shorter"));
    store_remove_folder(undo);
}

// Whatever byte of the database is changed: every row reads back as it was, or opening or verifying says
// otherwise.
struct copy_of_rows {
    uint64_t sums;
    int count;
};

static enum err sum_row(void *ctx, const struct reader_row *row)
{
    struct copy_of_rows *c = ctx;
    const uint8_t *body = row->body;
    uint64_t h = row->position * 31 + row->sequence * 7 + row->samples + (uint64_t)row->received_us;
    for (size_t i = 0; i < row->body_len; i++)
        h = h * 1099511628211u + body[i];
    c->sums += h;
    c->count++;
    return ERR_OK;
}

static bool reads_back(const char *folder, struct copy_of_rows *out, bool *refused)
{
    struct reader *r = NULL;
    struct reader_verified v = {0};
    struct diag d = {0};
    uint64_t last = 0;
    *out = (struct copy_of_rows){0};
    *refused = false;
    if (reader_open(folder, &r, &d) != ERR_OK || reader_verify(r, NULL, NULL, &v, &d) != ERR_OK ||
        v.damaged > 0) {
        *refused = true;
        reader_close(r);
        return false;
    }
    enum err e = reader_rows(r, 0, 1000, sum_row, out, &last, &d);
    reader_close(r);
    return e == ERR_OK;
}

struct original { // a ledger, all of it in the database file
    struct store *store;
    char copy[STORE_PATH];
    char *bytes;
    size_t len;
    struct copy_of_rows rows;
    int found;
};

static void original_init(struct original *o, struct store *s)
{
    char path[STORE_PATH];
    bool refused = false;
    *o = (struct original){.store = s};
    fill(s, 60);
    ledger_close(s->ledger);
    s->ledger = NULL;
    store_temp_folder(o->copy);
    store_path(s, LEDGER_FILE, path);
    assert_int_equal(fs_read_file(path, 1 << 24, &o->bytes, &o->len, &s->diag), ERR_OK);
    assert_true(reads_back(s->folder, &o->rows, &refused));
}

static void expect_noticed(struct original *o, const char *bytes, size_t len, const char *what, size_t at)
{
    char path[STORE_PATH];
    bool refused = false;
    struct copy_of_rows after;
    store_copy(o->store, o->copy);
    assert_int_equal(fs_join(path, sizeof path, o->copy, LEDGER_FILE), ERR_OK);
    assert_int_equal(fs_replace_file(path, bytes, len, 0640, &o->store->diag), ERR_OK);
    if (!reads_back(o->copy, &after, &refused))
        o->found++;
    else if (after.count != o->rows.count || after.sums != o->rows.sums)
        fail_msg("%s %zu: another ledger went unnoticed", what, at);
}

static void original_deinit(struct original *o)
{
    free(o->bytes);
    store_remove_folder(o->copy);
}

static void no_changed_byte_of_the_database_goes_unnoticed(void **state)
{
    struct original o;
    struct random random = {20260301};
    original_init(&o, *state);
    for (int i = 0; i < 1500; i++) {
        size_t at = (size_t)random_below(&random, o.len);
        char was = o.bytes[at];
        o.bytes[at] ^= (char)(1 << random_below(&random, 8));
        expect_noticed(&o, o.bytes, o.len, "byte", at);
        o.bytes[at] = was;
    }
    assert_true(o.found > 100); // the rest were free bytes of pages
    original_deinit(&o);
}

// Another page in a page's place gives rows in an order that nobody asked for: the walk must come to an end.
static void no_page_in_anothers_place_goes_unnoticed(void **state)
{
    enum { PAGE = 4096 };
    struct original o;
    char was[PAGE];
    original_init(&o, *state);
    for (size_t to = 0; to < o.len; to += PAGE) {
        memcpy(was, o.bytes + to, PAGE);
        for (size_t from = 0; from <= o.len; from += PAGE) {
            if (from < o.len)
                memcpy(o.bytes + to, from == to ? was : o.bytes + from, PAGE);
            else
                memset(o.bytes + to, 0, PAGE);
            expect_noticed(&o, o.bytes, o.len, "page", to / PAGE);
            memcpy(o.bytes + to, was, PAGE);
        }
        expect_noticed(&o, o.bytes, to + 1, "cut in page", to / PAGE);
    }
    assert_true(o.found > 100);
    original_deinit(&o);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(an_untouched_ledger_verifies_and_gives_its_heads),
        T(a_program_in_another_language_recomputes_the_chains),
        T(an_empty_ledger_verifies),
        T(a_long_ledger_is_walked_in_several_transactions),
        T(each_change_of_a_row_is_named_with_agent_sequence_and_time),
        T(what_is_kept_beside_the_rows_is_checked_too),
        T(neighbouring_damaged_rows_are_one_range),
        T(a_shorter_ledger_than_its_head_is_damage),
        T(no_changed_byte_of_the_database_goes_unnoticed),
        T(no_page_in_anothers_place_goes_unnoticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
