// The writer's promises: what a commit says is on disk, what a rollback takes back, what a start refuses.
#include "base/fs.h"
#include "store/ledger_internal.h"
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
#include <sys/stat.h>

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

static struct ledger_stream stream_now(struct store *s, const struct store_stream *stream)
{
    struct ledger_stream now;
    assert_int_equal(ledger_stream_open(s->ledger, stream->agent_id, &stream->incarnation, &now, &s->diag),
                     ERR_OK);
    return now;
}

static void append_one(struct store *s, struct store_stream *stream, int64_t time, int64_t value)
{
    const struct wire_sample sample = {.series = 0, .time = time, .value = store_integer(value)};
    store_append(s, stream, WIRE_MEASUREMENT, &sample, NULL, 1, NULL, 0);
}

static int64_t query(const struct store *s, const char *sql)
{
    char path[STORE_PATH];
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    store_path(s, LEDGER_FILE, path);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

// ---- files
// ----------------------------------------------------------------------------------------------------------

static void a_new_ledger_is_readable_by_its_group_and_nobody_else(void **state)
{
    struct store *s = *state;
    static const char *const files[] = {LEDGER_FILE, LEDGER_FILE "-wal", LEDGER_FILE "-shm", LEDGER_HEAD};
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[STORE_PATH];
        struct stat st;
        store_path(s, files[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
    }
}

static void a_state_folder_that_is_missing_is_made_with_the_group_bit(void **state)
{
    struct store *s = *state;
    char path[STORE_PATH];
    struct stat st;
    struct ledger *l = NULL;
    store_path(s, "deep/state", path);
    assert_int_equal(ledger_open(path, &s->clock.clock, &l, &s->diag), ERR_OK);
    ledger_close(l);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 02750);
}

// ---- agents
// ---------------------------------------------------------------------------------------------------------

static enum err count_agents(void *ctx, const struct ledger_agent *a)
{
    int *count = ctx;
    assert_string_equal(a->resident, "aztm/karlskrona");
    assert_int_equal(a->public_key[31], 7);
    (*count)++;
    return ERR_OK;
}

static void an_agent_is_added_once_and_its_key_revoked_once(void **state)
{
    struct store *s = *state;
    struct ledger_agent a;
    uint8_t key[KEY_BYTES];
    int count = 0;
    memset(key, 7, sizeof key);
    assert_int_equal(ledger_agent_add(s->ledger, "aztm/karlskrona", key, &a, &s->diag), ERR_OK);
    assert_int_equal(ledger_agent_add(s->ledger, "aztm/other", key, &a, &s->diag), ERR_EXISTS);
    assert_non_null(strstr(s->diag.text, "aztm/karlskrona"));
    assert_int_equal(ledger_agent_revoke(s->ledger, a.key_id, &s->diag), ERR_OK);
    assert_int_equal(ledger_agent_revoke(s->ledger, a.key_id, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(ledger_agent_revoke(s->ledger, 99, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(ledger_agents(s->ledger, count_agents, &count, &s->diag), ERR_OK);
    assert_int_equal(count, 1);
}

static void an_agent_of_no_resident_is_refused(void **state)
{
    struct store *s = *state;
    static const char *const bad[] = {"", "aztm", "aztm/", "AZTM/x", "a/b/c", "../etc"};
    struct ledger_agent a;
    const uint8_t key[KEY_BYTES] = {1};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(ledger_agent_add(s->ledger, bad[i], key, &a, &s->diag), ERR_INVALID);
}

static void an_agent_added_in_a_transaction_goes_with_its_rollback(void **state)
{
    struct store *s = *state;
    struct ledger_agent a;
    const uint8_t key[KEY_BYTES] = {1};
    store_begin(s);
    assert_int_equal(ledger_agent_add(s->ledger, "aztm/x", key, &a, &s->diag), ERR_OK);
    assert_int_equal(ledger_agent_add(s->ledger, "aztm/x", key, &a, &s->diag), ERR_EXISTS);
    ledger_rollback(s->ledger);
    assert_int_equal(ledger_agent_add(s->ledger, "aztm/x", key, &a, &s->diag), ERR_OK);
    assert_int_equal(ledger_agent_revoke(s->ledger, a.key_id, &s->diag), ERR_OK);
}

// ---- rows
// -----------------------------------------------------------------------------------------------------------

static void a_row_moves_the_watermark_and_its_receipt_is_kept_over_a_restart(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/out_units", WIRE_MEASUREMENT, 10, 0);
    struct wire_receipt r = store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(5));
    assert_int_equal(r.position, 1);
    assert_int_equal(ledger_position(s->ledger), 1);
    store_reopen(s);
    struct ledger_stream now = stream_now(s, &a);
    assert_int_equal(now.last_sequence, 1);
    assert_int_equal(now.receipt.position, 1);
    assert_memory_equal(now.receipt.chain, r.chain, WIRE_CHAIN_BYTES);
    assert_int_equal(now.accepted, 1);
    assert_int_equal(now.batches, 1);
    assert_int_equal(ledger_position(s->ledger), 1);
}

static void refused_samples_are_counted_apart(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/out_units", WIRE_MEASUREMENT, 10, 0);
    const struct wire_sample samples[] = {{.time = STORE_EPOCH, .value = store_integer(1)},
                                          {.time = STORE_EPOCH + 10, .value = store_integer(2)},
                                          {.time = STORE_EPOCH + 20, .value = store_integer(3)}};
    const struct wire_refusal refused[] = {{1, WIRE_REASON_OUT_OF_RANGE}};
    store_begin(s);
    store_append(s, &a, WIRE_MEASUREMENT, samples, NULL, 3, refused, 1);
    store_commit(s);
    struct ledger_stream now = stream_now(s, &a);
    assert_int_equal(now.accepted, 2);
    assert_int_equal(now.quarantined, 1);
}

static void a_gap_moves_the_watermark_to_its_last_sequence(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/out_units", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(1));
    store_begin(s);
    store_gap(s, &a, 40, 1000);
    append_one(s, &a, STORE_EPOCH + 10, 2);
    store_commit(s);
    store_reopen(s);
    struct ledger_stream now = stream_now(s, &a);
    assert_int_equal(now.last_sequence, 41);
    assert_int_equal(now.gap, 1000);
    assert_int_equal(now.accepted, 2);
    assert_int_equal(now.batches, 3);
}

static void a_sequence_that_is_not_the_next_is_refused_and_the_transaction_goes_on(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    struct wire_receipt r;
    static const uint64_t wrong[] = {0, 2, 3, UINT64_MAX};
    store_begin(s);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct ledger_row row = {.stream_id = a.stream_id,
                                       .class = WIRE_MEASUREMENT,
                                       .sequence = wrong[i],
                                       .last_sequence = wrong[i],
                                       .body = "x",
                                       .body_len = 1};
        assert_int_equal(ledger_append(s->ledger, &row, &r, &s->diag), ERR_INVALID);
    }
    store_declare(s, &a, 0, "aztm/one/out_units", WIRE_MEASUREMENT, 10, 0);
    append_one(s, &a, STORE_EPOCH, 1);
    store_commit(s);
    assert_int_equal(stream_now(s, &a).last_sequence, 1);
}

static void a_gap_row_that_goes_backwards_is_refused(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    struct wire_receipt r;
    const struct ledger_row row = {
        .stream_id = a.stream_id, .class = WIRE_MEASUREMENT, .gap = true, .sequence = 1};
    store_begin(s);
    assert_int_equal(ledger_append(s->ledger, &row, &r, &s->diag), ERR_INVALID);
    ledger_rollback(s->ledger);
}

static void received_never_goes_back_with_the_clock(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    int64_t first = 0;
    int64_t second = 0;
    assert_int_equal(ledger_begin(s->ledger, &first, &s->diag), ERR_OK);
    append_one(s, &a, STORE_EPOCH, 1);
    store_commit(s);
    fake_clock_step_us(&s->clock, -3600 * US_PER_S);
    store_reopen(s);
    assert_int_equal(ledger_begin(s->ledger, &second, &s->diag), ERR_OK);
    assert_int_equal(second, first);
    ledger_rollback(s->ledger);
    fake_clock_step_us(&s->clock, 2 * 3600 * US_PER_S);
    assert_int_equal(ledger_begin(s->ledger, &second, &s->diag), ERR_OK);
    assert_true(second > first);
    ledger_rollback(s->ledger);
}

static void nothing_is_written_outside_a_transaction(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    struct wire_receipt r;
    struct ledger_stream stream;
    const struct ledger_series wanted = store_series("aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    struct ledger_series made;
    const struct wire_incarnation other = {{9}};
    const struct ledger_row row = {
        .stream_id = a.stream_id, .class = WIRE_MEASUREMENT, .sequence = 1, .last_sequence = 1};
    assert_int_equal(ledger_append(s->ledger, &row, &r, &s->diag), ERR_INTERNAL);
    assert_int_equal(ledger_declare(s->ledger, a.stream_id, 0, &wanted, &made, &s->diag), ERR_INTERNAL);
    assert_int_equal(ledger_commit(s->ledger, &s->diag), ERR_INTERNAL);
    assert_int_equal(ledger_stream_open(s->ledger, a.agent_id, &other, &stream, &s->diag), ERR_NOT_FOUND);
}

static void a_stream_of_an_unknown_agent_is_refused(void **state)
{
    struct store *s = *state;
    const struct wire_incarnation i = {{1}};
    struct ledger_stream stream;
    store_begin(s);
    assert_int_equal(ledger_stream_open(s->ledger, 77, &i, &stream, &s->diag), ERR_NOT_FOUND);
    ledger_rollback(s->ledger);
}

// ---- repeats
// --------------------------------------------------------------------------------------------------------

static void a_repeat_is_compared_with_the_stored_body_and_counted(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/out_units", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(5));
    store_begin(s);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 1, s->body.data, s->body.len), ERR_OK);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 1, s->body.data, s->body.len - 1), ERR_CONFLICT);
    s->body.data[s->body.len - 1] ^= 1;
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 1, s->body.data, s->body.len), ERR_CONFLICT);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 2, "x", 1), ERR_INVALID);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 0, "x", 1), ERR_INVALID);
    store_commit(s);
    store_reopen(s);
    assert_int_equal(stream_now(s, &a).repeats, 1);
    assert_int_equal(stream_now(s, &a).accepted, 1);
}

static void a_repeat_in_the_same_transaction_is_found(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_begin(s);
    append_one(s, &a, STORE_EPOCH, 5);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 1, s->body.data, s->body.len), ERR_OK);
    store_commit(s);
    assert_int_equal(stream_now(s, &a).repeats, 1);
}

static void a_batch_inside_a_gap_is_another_body(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_begin(s);
    store_gap(s, &a, 9, 12);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 1, s->body.data, s->body.len), ERR_OK);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 5, s->body.data, s->body.len), ERR_CONFLICT);
    store_commit(s);
}

// ---- declares
// -------------------------------------------------------------------------------------------------------

static enum err declare(struct store *s, const struct store_stream *a, uint32_t number,
                        const struct ledger_series *wanted)
{
    struct ledger_series made;
    return ledger_declare(s->ledger, a->stream_id, number, wanted, &made, &s->diag);
}

static void a_declare_is_idempotent_and_its_number_is_for_life(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    const struct ledger_series x = store_series("aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    const struct ledger_series y = store_series("aztm/one/y", WIRE_MEASUREMENT, 10, 0);
    const struct ledger_series *found = NULL;
    store_begin(s);
    assert_int_equal(declare(s, &a, 1, &x), ERR_INVALID); // a hole
    assert_int_equal(declare(s, &a, 0, &x), ERR_OK);
    assert_int_equal(declare(s, &a, 0, &x), ERR_OK);
    assert_int_equal(declare(s, &a, 0, &y), ERR_CONFLICT);
    assert_int_equal(declare(s, &a, 1, &y), ERR_OK);
    store_commit(s);
    store_reopen(s);
    assert_int_equal(stream_now(s, &a).declares, 2);
    assert_int_equal(ledger_declared(s->ledger, a.stream_id, 1, &found), ERR_OK);
    assert_string_equal(found->name, "aztm/one/y");
    assert_int_equal(ledger_declared(s->ledger, a.stream_id, 2, &found), ERR_NOT_FOUND);
    assert_int_equal(ledger_declared(s->ledger, 99, 0, &found), ERR_NOT_FOUND);
}

static void a_series_known_otherwise_is_a_conflict_that_says_how(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    const struct ledger_series x = store_series("aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    struct ledger_series other = x;
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_begin(s);
    snprintf(other.unit, sizeof other.unit, "person");
    assert_int_equal(declare(s, &a, 1, &other), ERR_CONFLICT);
    assert_non_null(strstr(s->diag.text, "person"));
    other = x;
    snprintf(other.currency, sizeof other.currency, "KZT");
    assert_int_equal(declare(s, &a, 1, &other), ERR_CONFLICT);
    assert_non_null(strstr(s->diag.text, "KZT"));
    other = x;
    other.step_s = 60;
    assert_int_equal(declare(s, &a, 1, &other), ERR_CONFLICT);
    other = x;
    other.class = WIRE_REPORT;
    assert_int_equal(declare(s, &a, 1, &other), ERR_CONFLICT);
    assert_int_equal(declare(s, &a, 1, &x), ERR_OK); // a second number of the same series
    store_commit(s);
}

static void a_series_of_another_agent_can_be_named_and_stays_its_owner_s(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    struct store_stream b = store_agent(s, "aztm/one", 2);
    const struct ledger_series x = store_series("aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_begin(s);
    assert_int_equal(declare(s, &b, 0, &x), ERR_OK);
    store_commit(s);
    const struct ledger_series *named;
    assert_int_equal(stream_now(s, &b).declares, 1);
    assert_int_equal(ledger_declared(s->ledger, b.stream_id, 0, &named), ERR_OK);
    assert_int_equal(named->agent_id, a.agent_id);
}

static void a_new_incarnation_declares_the_agents_series_again(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    int64_t first = store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    struct store_stream again = a;
    struct ledger_stream stream;
    memset(again.incarnation.bytes, 99, sizeof again.incarnation.bytes);
    again.sequence = 0;
    store_begin(s);
    assert_int_equal(ledger_stream_open(s->ledger, a.agent_id, &again.incarnation, &stream, &s->diag),
                     ERR_OK);
    store_commit(s);
    again.stream_id = stream.stream_id;
    assert_int_not_equal(again.stream_id, a.stream_id);
    assert_int_equal(store_declare(s, &again, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0), first);
}

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

// ---- rollback
// -------------------------------------------------------------------------------------------------------

static void a_rollback_takes_back_streams_declares_series_rows_and_counters(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(1));
    const struct ledger_stream before = stream_now(s, &a);
    const struct wire_incarnation other = {{42}};
    struct store_stream copy = a;
    struct ledger_stream made;
    const struct ledger_series *borrowed = NULL;

    store_begin(s);
    store_declare(s, &a, 1, "aztm/one/y", WIRE_MEASUREMENT, 10, 0);
    assert_int_equal(ledger_declared(s->ledger, a.stream_id, 1, &borrowed), ERR_OK);
    append_one(s, &a, STORE_EPOCH + 10, 2);
    assert_int_equal(ledger_repeat(s->ledger, a.stream_id, 1, "other", 5), ERR_CONFLICT);
    assert_int_equal(ledger_stream_open(s->ledger, a.agent_id, &other, &made, &s->diag), ERR_OK);
    assert_int_equal(ledger_count(s->ledger, "refused_hello", 0, 5), ERR_OK);
    ledger_rollback(s->ledger);

    const struct ledger_stream after = stream_now(s, &a);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(ledger_position(s->ledger), 1);
    assert_string_equal(borrowed->name, "aztm/one/y"); // still readable
    assert_int_equal(ledger_declared(s->ledger, a.stream_id, 1, &borrowed), ERR_NOT_FOUND);
    assert_int_equal(ledger_stream_open(s->ledger, a.agent_id, &other, &made, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(query(s, "SELECT count(*) FROM batch"), 1);
    assert_int_equal(query(s, "SELECT count(*) FROM counter"), 0);

    // And what is done next is as if nothing had been.
    a = copy;
    assert_true(store_declare(s, &a, 1, "aztm/one/z", WIRE_MEASUREMENT, 60, 0) > 0);
    struct wire_receipt r = store_one(s, &a, WIRE_MEASUREMENT, 1, STORE_EPOCH + 60, store_integer(3));
    assert_int_equal(r.position, 2);
    store_reopen(s);
    assert_int_equal(ledger_declared(s->ledger, a.stream_id, 1, &borrowed), ERR_OK);
    assert_string_equal(borrowed->name, "aztm/one/z");
}

static void a_full_disk_fails_the_commit_and_leaves_what_was_before(void **state)
{
    struct store *s = *state;
    struct store_stream a = store_agent(s, "aztm/one", 1);
    store_declare(s, &a, 0, "aztm/one/x", WIRE_MEASUREMENT, 10, 0);
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH, store_integer(1));
    const struct ledger_stream before = stream_now(s, &a);
    struct store_stream copy = a;
    struct reader_verified v;
    // A hard limit on the pages of the file stands in for a disk that is full.
    char body[4000] = {0};
    enum err e = ERR_OK;
    struct wire_receipt r;
    assert_int_equal(db_exec(s->ledger->db, "PRAGMA max_page_count=60", &s->diag), ERR_OK);
    store_begin(s);
    for (uint64_t i = 2; e == ERR_OK && i < 1000; i++) {
        const struct ledger_row row = {.stream_id = a.stream_id,
                                       .class = WIRE_MEASUREMENT,
                                       .sequence = i,
                                       .last_sequence = i,
                                       .body = body,
                                       .body_len = sizeof body};
        e = ledger_append(s->ledger, &row, &r, &s->diag);
    }
    assert_int_equal(e, ERR_FULL);
    // SQLite has rolled back by itself: nothing more may be written into this transaction.
    assert_int_equal(ledger_count(s->ledger, "x", 0, 1), ERR_FULL);
    assert_int_equal(ledger_commit(s->ledger, &s->diag), ERR_FULL);
    assert_int_equal(db_exec(s->ledger->db, "PRAGMA max_page_count=1000000", &s->diag), ERR_OK);
    const struct ledger_stream after = stream_now(s, &a);
    assert_memory_equal(&before, &after, sizeof before);
    a = copy;
    store_one(s, &a, WIRE_MEASUREMENT, 0, STORE_EPOCH + 10, store_integer(2));
    assert_int_equal(no_damage_then(s, &v), ERR_OK);
    assert_int_equal(v.rows, 2);
}

// ---- counters
// -------------------------------------------------------------------------------------------------------

static void counters_add_up_inside_and_outside_transactions(void **state)
{
    struct store *s = *state;
    store_begin(s);
    assert_int_equal(ledger_count(s->ledger, "refused_hello", 0, 2), ERR_OK);
    assert_int_equal(ledger_count(s->ledger, "refused_hello", 3, 10), ERR_OK);
    store_commit(s);
    assert_int_equal(ledger_count(s->ledger, "refused_hello", 0, 3), ERR_OK);
    assert_int_equal(query(s, "SELECT value FROM counter WHERE name='refused_hello' AND agent_id=0"), 5);
    assert_int_equal(query(s, "SELECT value FROM counter WHERE name='refused_hello' AND agent_id=3"), 10);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_new_ledger_is_readable_by_its_group_and_nobody_else),
        T(a_state_folder_that_is_missing_is_made_with_the_group_bit),
        T(an_agent_is_added_once_and_its_key_revoked_once),
        T(an_agent_of_no_resident_is_refused),
        T(an_agent_added_in_a_transaction_goes_with_its_rollback),
        T(a_row_moves_the_watermark_and_its_receipt_is_kept_over_a_restart),
        T(refused_samples_are_counted_apart),
        T(a_gap_moves_the_watermark_to_its_last_sequence),
        T(a_sequence_that_is_not_the_next_is_refused_and_the_transaction_goes_on),
        T(a_gap_row_that_goes_backwards_is_refused),
        T(received_never_goes_back_with_the_clock),
        T(nothing_is_written_outside_a_transaction),
        T(a_stream_of_an_unknown_agent_is_refused),
        T(a_repeat_is_compared_with_the_stored_body_and_counted),
        T(a_repeat_in_the_same_transaction_is_found),
        T(a_batch_inside_a_gap_is_another_body),
        T(a_declare_is_idempotent_and_its_number_is_for_life),
        T(a_series_known_otherwise_is_a_conflict_that_says_how),
        T(a_series_of_another_agent_can_be_named_and_stays_its_owner_s),
        T(a_new_incarnation_declares_the_agents_series_again),
        T(a_rollback_takes_back_streams_declares_series_rows_and_counters),
        T(a_full_disk_fails_the_commit_and_leaves_what_was_before),
        T(counters_add_up_inside_and_outside_transactions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
