// The audit log: what is in it can't be changed, taken out or put in unnoticed.
#include "store/audit.h"
#include "store/ledger_head.h"
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
#include <unistd.h>

#define UNGUARD "DROP TRIGGER audit_kept; DROP TRIGGER audit_unchanged; DROP TRIGGER audit_appended;"

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

static int sql(struct store *s, const char *text, char why[256])
{
    char path[STORE_PATH], *error = NULL;
    sqlite3 *db = NULL;
    store_path(s, LEDGER_FILE, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int result = sqlite3_exec(db, text, NULL, NULL, &error);
    snprintf(why, 256, "%s", error ? error : "");
    sqlite3_free(error);
    sqlite3_close(db);
    return result;
}

static void tamper(struct store *s, const char *text)
{
    char why[256], all[1024];
    snprintf(all, sizeof all, UNGUARD "%s", text);
    if (sql(s, all, why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
}

static void add(struct store *s, enum audit_event event, const char *object)
{
    struct audit_entry e;
    audit_entry_set(&e, event, AUDIT_DONE, "uid:0", object, "detail of %s", object);
    assert_int_equal(audit_store(s->ledger, &e, 1, &s->diag), ERR_OK);
}

static void add_three(struct store *s)
{
    add(s, AUDIT_ADMIT, "one");
    add(s, AUDIT_REVOKE, "two");
    add(s, AUDIT_EXPORT, "three");
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
}

struct listed {
    size_t count, damaged;
    uint64_t first_damaged;
    struct audit_entry entries[8];
};

static enum err list_one(void *ctx, const struct audit_entry *e, bool whole)
{
    struct listed *l = ctx;
    assert_true(l->count < 8);
    l->entries[l->count++] = *e;
    if (!whole && l->damaged++ == 0)
        l->first_damaged = e->position;
    return ERR_OK;
}

static struct listed list(struct store *s, bool *ended)
{
    struct listed l = {0};
    struct audit_walk walk = {0};
    struct reader *r = NULL;
    size_t count = 1;
    s->diag.text[0] = '\0';
    assert_int_equal(reader_open(s->folder, &r, &s->diag), ERR_OK);
    while (count > 0)
        assert_int_equal(audit_read(r, &walk, 2, list_one, &l, &count, &s->diag), ERR_OK);
    assert_int_equal(audit_read_end(r, &walk, ended, &s->diag), ERR_OK);
    assert_int_equal(walk.damaged, l.damaged);
    reader_close(r);
    return l;
}

static void count_damage(void *ctx, const char *text)
{
    if (strstr(text, "audit") || strstr(text, "chain 4") || strstr(text, "class 4"))
        ++*(size_t *)ctx;
}

static size_t verify(struct store *s, uint64_t *rows)
{
    struct reader_verified v;
    struct reader *r = NULL;
    size_t named = 0;
    assert_int_equal(reader_open(s->folder, &r, &s->diag), ERR_OK);
    assert_int_equal(reader_verify(r, count_damage, &named, &v, &s->diag), ERR_OK);
    assert_int_equal(v.damaged, named);
    if (rows)
        *rows = v.class[4].rows;
    reader_close(r);
    return named;
}

static void entries_come_back_in_order_and_whole(void **state)
{
    struct store *s = *state;
    bool ended = false;
    uint64_t rows = 0;
    add_three(s);
    struct listed l = list(s, &ended);
    assert_int_equal(l.count, 3);
    assert_int_equal(l.damaged, 0);
    assert_true(ended);
    assert_int_equal(l.entries[1].event, AUDIT_REVOKE);
    assert_string_equal(l.entries[1].object, "two");
    assert_string_equal(l.entries[1].who, "uid:0");
    assert_int_equal(l.entries[2].position, 3);
    assert_int_equal(verify(s, &rows), 0);
    assert_int_equal(rows, 3);
    store_reopen(s);
    add(s, AUDIT_ADMIT, "four");
    assert_int_equal(list(s, &ended).count, 4);
    assert_true(ended);
}

static void no_entry_can_be_changed_removed_or_put_in_by_mistake(void **state)
{
#define AGAIN "received_us, since_us, who, event, object, outcome, count, detail, chain"
    static const char *const tries[] = {
        "UPDATE audit SET who='x'",
        "DELETE FROM audit WHERE position=2",
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE position=2",
        "INSERT INTO audit SELECT 7, " AGAIN " FROM audit WHERE position=1",
    };
#undef AGAIN
    struct store *s = *state;
    char why[256];
    bool ended = false;
    add_three(s);
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++)
        if (sql(s, tries[i], why) == SQLITE_OK || !strstr(why, "audit log"))
            fail_msg("%s: %s", tries[i], why);
    assert_int_equal(list(s, &ended).damaged, 0);
    assert_true(ended);
}

static void every_changed_column_is_found_and_named(void **state)
{
    static const char *const columns[] = {"received_us=received_us+1",
                                          "since_us=since_us-1",
                                          "who='uid:1'",
                                          "event='admit'",
                                          "object='x'",
                                          "outcome=1",
                                          "count=2",
                                          "detail=''"};
    (void)state;
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        struct store s;
        char text[200];
        bool ended = false;
        store_create(&s);
        add_three(&s);
        snprintf(text, sizeof text, "UPDATE audit SET %s WHERE position=2", columns[i]);
        tamper(&s, text);
        struct listed l = list(&s, &ended);
        if (l.damaged != 1 || l.first_damaged != 2 || !ended || verify(&s, NULL) != 1)
            fail_msg("%s was not found: %zu", columns[i], l.damaged);
        store_destroy(&s);
    }
}

static void a_removed_entry_is_found(void **state)
{
    struct store *s = *state;
    bool ended = false;
    add_three(s);
    tamper(s, "DELETE FROM audit WHERE position=2");
    struct listed l = list(s, &ended);
    assert_int_equal(l.damaged, 1);
    assert_int_equal(l.first_damaged, 3);
    assert_true(verify(s, NULL) >= 1);
}

// The chain's end in the database is set back as well: only ledger.head knows.
static void a_log_cut_short_with_care_is_found_by_the_head(void **state)
{
    struct store *s = *state;
    struct diag d = {0};
    bool ended = true;
    add_three(s);
    tamper(s, "UPDATE chain SET position=2, rows=2, hash=(SELECT chain FROM audit WHERE position=2),"
              " previous=(SELECT chain FROM audit WHERE position=1) WHERE class=4;"
              "DELETE FROM audit WHERE position=3");
    list(s, &ended);
    assert_false(ended);
    assert_non_null(strstr(s->diag.text, LEDGER_HEAD));
    assert_int_equal(verify(s, NULL), 1);
    ledger_close(s->ledger);
    s->ledger = NULL;
    assert_int_equal(ledger_open(s->folder, &s->clock.clock, &s->ledger, &d), ERR_CORRUPT);
    assert_non_null(strstr(d.text, LEDGER_HEAD));
}

static void a_start_refuses_a_damaged_last_entry_and_one_beyond_the_chain(void **state)
{
    static const char *const changes[] = {
        "UPDATE audit SET who='x' WHERE position=3",
        "INSERT INTO audit SELECT 4, received_us, since_us, who, event, object, outcome, count, detail, chain"
        " FROM audit WHERE position=1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct store s;
        struct diag d = {0};
        store_create(&s);
        add_three(&s);
        tamper(&s, changes[i]);
        ledger_close(s.ledger);
        s.ledger = NULL;
        assert_int_equal(ledger_open(s.folder, &s.clock.clock, &s.ledger, &d), ERR_CORRUPT);
        assert_non_null(strstr(d.text, "audit log"));
        store_destroy(&s);
    }
}

static void a_head_of_before_the_log_is_still_read(void **state)
{
    struct store *s = *state;
    struct ledger_head h;
    char path[STORE_PATH], text[2048] = "";
    assert_int_equal(ledger_store_head(s->ledger, &s->diag), ERR_OK);
    store_path(s, LEDGER_HEAD, path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_null(strstr(text, "class 4"));
    add_three(s);
    store_reopen(s);
    assert_int_equal(ledger_head_load(s->folder, &h, &s->diag), ERR_OK);
    assert_int_equal(h.chains[LEDGER_AUDIT].rows, 3);
}

static void hostile_text_is_made_harmless(void **state)
{
    // U+202E, right-to-left override: not as a literal, which would turn this source's own line.
    static const char turned[] = {(char)0xE2, (char)0x80, (char)0xAE, 'a', 'b', 'c', '\0'};
    const struct {
        const char *text, *kept;
    } rows[] = {
        {"a\x1b[2Jb", "a?[2Jb"},
        {"line\nline", "line?line"},
        {"\xff\xfe", "??"},
        {"\xC2\x9B"
         "31m",
         "??31m"},
        {turned, "???abc"},
        {"Әсел", "Әсел"},
        {"\xE0\x80\x80", "???"},
        {"cut\xD3", "cut?"},
    };
    struct store *s = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct audit_entry e;
        audit_entry_set(&e, AUDIT_LOGIN, AUDIT_REFUSED, rows[i].text, rows[i].text, "%s", rows[i].text);
        assert_string_equal(e.who, rows[i].kept);
        assert_string_equal(e.detail, rows[i].kept);
        assert_int_equal(audit_store(s->ledger, &e, 1, &s->diag), ERR_OK);
    }
}

static void a_text_that_is_too_long_is_cut_at_a_character(void **state)
{
    char text[1200] = "";
    struct audit_entry e;
    (void)state;
    for (size_t i = 0; i < 500; i++)
        strcat(text, "ә");
    audit_entry_set(&e, AUDIT_LOGIN, AUDIT_REFUSED, text, text, "%s", text);
    assert_int_equal(strlen(e.who), 126);
    assert_int_equal(strlen(e.object), 254);
    assert_int_equal((unsigned char)e.who[124], 0xD3);
}

struct change {
    enum err result;
    const char *resident;
};

static enum err change(struct ledger *l, void *ctx, struct audit_entry *e, struct diag *d)
{
    const struct change *c = ctx;
    const uint8_t key[KEY_BYTES] = {7};
    struct ledger_agent a;
    enum err added = ledger_agent_add(l, c->resident, key, &a, d);
    audit_entry_detail(e, "made");
    return added != ERR_OK       ? added
           : c->result == ERR_OK ? ERR_OK
                                 : diag_fail(d, c->result, "thought better of it");
}

static enum err count_agent(void *ctx, const struct ledger_agent *a)
{
    (void)a;
    ++*(size_t *)ctx;
    return ERR_OK;
}

static void a_change_and_its_entry_are_there_together_or_not_at_all(void **state)
{
    struct store *s = *state;
    struct change refused = {ERR_DENIED, "park/one"}, broken = {ERR_IO, "park/one"},
                  done = {ERR_OK, "park/one"};
    struct audit_entry e;
    size_t agents = 0;
    bool ended = false;
    audit_entry_set(&e, AUDIT_ADMIT, AUDIT_DONE, "uid:0", "park/one", "%s", "");
    assert_int_equal(audit_changed(s->ledger, &e, change, &refused, &s->diag), ERR_DENIED);
    assert_string_equal(s->diag.text, "thought better of it");
    assert_int_equal(audit_changed(s->ledger, &e, change, &broken, &s->diag), ERR_IO);
    assert_int_equal(ledger_agents(s->ledger, count_agent, &agents, &s->diag), ERR_OK);
    assert_int_equal(agents, 0);
    assert_int_equal(audit_changed(s->ledger, &e, change, &done, &s->diag), ERR_OK);
    assert_int_equal(ledger_agents(s->ledger, count_agent, &agents, &s->diag), ERR_OK);
    assert_int_equal(agents, 1);
    struct listed l = list(s, &ended);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.entries[0].outcome, AUDIT_REFUSED);
    assert_string_equal(l.entries[0].detail, "thought better of it");
    assert_int_equal(l.entries[1].outcome, AUDIT_DONE);
    assert_string_equal(l.entries[1].detail, "made");
    assert_int_equal(audit_position(s->ledger), 2);
}

static void a_rolled_back_entry_leaves_no_trace(void **state)
{
    struct store *s = *state;
    struct audit_entry e;
    bool ended = false;
    add_three(s);
    store_begin(s);
    audit_entry_set(&e, AUDIT_ADMIT, AUDIT_DONE, "uid:0", "never", "%s", "");
    assert_int_equal(audit_append(s->ledger, &e, &s->diag), ERR_OK);
    ledger_rollback(s->ledger);
    add(s, AUDIT_ADMIT, "four");
    struct listed l = list(s, &ended);
    assert_int_equal(l.count, 4);
    assert_int_equal(l.damaged, 0);
    assert_true(ended);
}

static void every_event_has_a_code_of_its_own(void **state)
{
    enum audit_event found;
    (void)state;
    for (int i = 0; i < AUDIT_EVENTS; i++) {
        assert_int_equal(audit_event_find(audit_event_code((enum audit_event)i), &found), ERR_OK);
        assert_int_equal(found, i);
        assert_true(strlen(audit_event_prose(found)) > 10);
    }
    assert_int_equal(audit_event_find("no-such", &found), ERR_NOT_FOUND);
}

#define WITH_STORE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(entries_come_back_in_order_and_whole),
        WITH_STORE(no_entry_can_be_changed_removed_or_put_in_by_mistake),
        cmocka_unit_test(every_changed_column_is_found_and_named),
        WITH_STORE(a_removed_entry_is_found),
        WITH_STORE(a_log_cut_short_with_care_is_found_by_the_head),
        cmocka_unit_test(a_start_refuses_a_damaged_last_entry_and_one_beyond_the_chain),
        WITH_STORE(a_head_of_before_the_log_is_still_read),
        WITH_STORE(hostile_text_is_made_harmless),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_at_a_character),
        WITH_STORE(a_change_and_its_entry_are_there_together_or_not_at_all),
        WITH_STORE(a_rolled_back_entry_leaves_no_trace),
        cmocka_unit_test(every_event_has_a_code_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
