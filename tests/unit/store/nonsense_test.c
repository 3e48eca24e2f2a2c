// Files that SQLite finds whole but that say what no message could have carried. Found by the fuzz targets
// observations and ledger_head.
#include "base/fs.h"
#include "store/ledger_head.h"
#include "store/observations.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum err on_observation(void *ctx, const struct observation *o)
{
    (void)ctx;
    (void)o;
    return ERR_OK;
}

static void make_observation(struct store *s)
{
    struct observations *o = NULL;
    struct reader *r = NULL;
    size_t rows = 0;
    store_create(s);
    struct store_stream stream = store_agent(s, "aztm/mill", 1);
    store_declare(s, &stream, 0, "aztm/mill/jobs_total", WIRE_REPORT, 0, 2);
    store_one(s, &stream, WIRE_REPORT, 0, 20454, store_integer(412));
    assert_int_equal(reader_open(s->folder, &r, NULL), ERR_OK);
    assert_int_equal(observations_open(s->folder, &o, NULL), ERR_OK);
    assert_int_equal(observations_advance(o, r, 10, &rows, NULL), ERR_OK);
    observations_close(o);
    reader_close(r);
}

static void change(const struct store *s, const char *sql)
{
    char path[STORE_PATH];
    struct db *db = NULL;
    store_path(s, OBSERVATIONS_FILE, path);
    assert_int_equal(db_open_writer(path, &db, NULL), ERR_OK);
    assert_int_equal(db_exec(db, sql, NULL), ERR_OK);
    db_close(db);
}

static void observations_that_no_message_carried_are_damage(void **state)
{
    static const char *const changes[] = {
        "UPDATE observation SET value=9007199254740993",     "UPDATE observation SET value=9e999",
        "UPDATE observation SET value=412, status=4",        "UPDATE observation SET status=-1",
        "UPDATE observation SET status=0, currency='TENGE'",
    };
    const struct observation_query q = {.series_id = 1, .from = INT32_MIN, .to = INT32_MAX};
    struct store s;
    (void)state;
    make_observation(&s);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct observations_reader *o = NULL;
        struct diag d = {""};
        change(&s, changes[i]);
        assert_int_equal(observations_reader_open(s.folder, &o, &d), ERR_OK);
        assert_int_equal(observations_query(o, &q, on_observation, NULL, &d), ERR_CORRUPT);
        assert_non_null(strstr(d.text, "series 1"));
        observations_reader_close(o);
    }
    store_destroy(&s);
}

static void a_latest_figure_out_of_range_is_damage(void **state)
{
    struct observations_reader *o = NULL;
    struct latest latest;
    struct store s;
    struct diag d = {""};
    (void)state;
    make_observation(&s);
    change(&s, "UPDATE latest SET value=-9007199254740993");
    assert_int_equal(observations_reader_open(s.folder, &o, &d), ERR_OK);
    assert_int_equal(observations_latest(o, 1, &latest, &d), ERR_CORRUPT);
    observations_reader_close(o);
    store_destroy(&s);
}

static void a_head_is_only_what_would_be_written_again(void **state)
{
    struct ledger_head h;
    struct store s;
    char path[STORE_PATH], *text = NULL, *at;
    size_t len = 0;
    (void)state;
    store_create(&s);
    assert_int_equal(ledger_store_head(s.ledger, NULL), ERR_OK);
    store_path(&s, LEDGER_HEAD, path);
    assert_int_equal(ledger_head_load(s.folder, &h, NULL), ERR_OK);
    assert_int_equal(fs_read_file(path, 4096, &text, &len, NULL), ERR_OK);
    at = strstr(text, "position 0\n");
    assert_non_null(at);
    struct buf longer;
    buf_init(&longer, 8192);
    assert_int_equal(buf_printf(&longer, "%.*sposition 00%s", (int)(at - text), text, at + 10), ERR_OK);
    assert_int_equal(fs_replace_file(path, longer.data, longer.len, 0640, NULL), ERR_OK);
    assert_int_equal(ledger_head_load(s.folder, &h, NULL), ERR_CORRUPT);
    buf_deinit(&longer);
    free(text);
    store_destroy(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observations_that_no_message_carried_are_damage),
        cmocka_unit_test(a_latest_figure_out_of_range_is_damage),
        cmocka_unit_test(a_head_is_only_what_would_be_written_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
