// People's reports beside an agent's: judged by the same rules, stored once, refused where a period is
// closed.
#include "collector/desk.h"
#include "collector/desk_limit.h"
#include "collector/release.h"
#include "store/observations.h"
#include "store/reader_keep.h"
#include "tests/support/collector_bench.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define INV   "almaty-iz/acme/inv"
#define STAFF "almaty-iz/acme/jobs_total"
#define NEW   "almaty-iz/newcomer/inv"

static struct period period(const char *text)
{
    struct period p;
    assert_int_equal(period_parse(text, &p), ERR_OK);
    return p;
}

static struct desk_report report(const char *series, const char *of, const char *value)
{
    struct desk_report r = {.period = period(of), .author = "aigul", .who = "user:aigul via uid:0"};
    snprintf(r.series, sizeof r.series, "%s", series);
    snprintf(r.value, sizeof r.value, "%s", value);
    r.status = *value && strcmp(value, "-") != 0 ? WIRE_NORMAL : WIRE_MISSING;
    return r;
}

static enum err take(struct bench *b, enum item_kind kind, struct item **out)
{
    struct item *item = *out ? *out : item_create(kind, NULL);
    assert_non_null(item);
    *out = item;
    assert_int_equal(committer_admin(b->committer, item), ERR_OK);
    return item->admin->result;
}

// As control does it, without waiting for observations: r->current is the caller's.
static enum err put(struct bench *b, struct desk_report *r, struct diag *d)
{
    struct item *item = item_create(ITEM_REPORT, NULL);
    assert_non_null(item);
    item->admin->report = *r;
    enum err e = take(b, ITEM_REPORT, &item);
    *r = item->admin->report;
    *d = item->admin->diag;
    item_destroy(item);
    return e;
}

static void put_well(struct bench *b, struct desk_report *r)
{
    struct diag d = {""};
    if (put(b, r, &d) != ERR_OK)
        fail_msg("%s", d.text);
}

static enum err close_period(struct bench *b, const char *of, const char *kpi, bool reopen, struct diag *d)
{
    struct item *item = item_create(ITEM_CLOSE, NULL);
    assert_non_null(item);
    item->admin->closing = (struct closing_request){
        .closure = {.park = "almaty-iz", .period = period(of), .reopens = reopen, .reason = "audited"},
        .who = "uid:0"};
    snprintf(item->admin->closing.closure.kpi, SERIES_PART_MAX, "%s", kpi);
    snprintf(item->admin->closing.closure.author, CLOSURE_AUTHOR_MAX, "bek");
    enum err e = take(b, ITEM_CLOSE, &item);
    *d = item->admin->diag;
    item_destroy(item);
    return e;
}

// ---- what was stored
struct revisions {
    size_t count;
    struct observation at[8];
    char reason[8][WIRE_REASON_MAX + 1], author[8][WIRE_AUTHOR_MAX + 1];
};

static enum err keep(void *ctx, const struct observation *o)
{
    struct revisions *r = ctx;
    assert_true(r->count < 8);
    snprintf(r->reason[r->count], sizeof *r->reason, "%s", o->reason);
    snprintf(r->author[r->count], sizeof *r->author, "%s", o->author);
    r->at[r->count++] = *o;
    return ERR_OK;
}

static void observed(struct bench *b, const char *series, const char *of, struct revisions *out)
{
    struct observations *writer = NULL;
    struct observations_reader *reader = NULL;
    const struct ledger_series *s = NULL;
    struct diag d = {""};
    size_t rows = 1;
    *out = (struct revisions){.count = 0};
    assert_int_equal(observations_open(b->folder.path, &writer, &d), ERR_OK);
    while (rows)
        assert_int_equal(observations_advance(writer, b->reader, 100, &rows, &d), ERR_OK);
    observations_close(writer);
    assert_int_equal(observations_reader_open(b->folder.path, &reader, &d), ERR_OK);
    assert_int_equal(reader_series_by_name(b->reader, series, &s, &d), ERR_OK);
    const struct observation_query q = {.series_id = s->series_id,
                                        .from = period(of).start,
                                        .to = period(of).start + 1,
                                        .all_revisions = true};
    assert_int_equal(observations_query(reader, &q, keep, out, &d), ERR_OK);
    observations_reader_close(reader);
}

struct audit_search {
    enum audit_event event;
    enum audit_outcome outcome;
    const char *part;
    size_t found;
};

static enum err look_at(void *ctx, const struct audit_entry *e, bool whole)
{
    struct audit_search *s = ctx;
    assert_true(whole);
    s->found += e->event == s->event && e->outcome == s->outcome && strstr(e->detail, s->part);
    return ERR_OK;
}

static size_t audited(struct bench *b, enum audit_event event, enum audit_outcome outcome, const char *part)
{
    struct audit_search s = {event, outcome, part, 0};
    struct audit_walk walk = {0};
    size_t count = 0;
    struct diag d = {""};
    assert_int_equal(audit_read(b->reader, &walk, 1000, look_at, &s, &count, &d), ERR_OK);
    return s.found;
}

static void verify_is_clean(struct bench *b)
{
    struct reader_verified v;
    struct diag d = {""};
    assert_int_equal(ledger_store_head(b->ledger, &d), ERR_OK);
    assert_int_equal(reader_verify(b->reader, NULL, NULL, &v, &d), ERR_OK);
    assert_int_equal(v.damaged, 0);
}

// ---- tests
static void a_series_that_nobody_declared_is_declared_by_the_desk(void **state)
{
    struct bench *b = *state;
    struct revisions r;
    struct desk_report first = report(NEW, "2025-11", "1250000.50");
    snprintf(first.currency, sizeof first.currency, "KZT");
    put_well(b, &first);
    observed(b, NEW, "2025-11", &r);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.at[0].value.integer, 125000050);
    assert_string_equal(r.at[0].currency, "KZT");
    assert_string_equal(r.author[0], "aigul");
    assert_int_equal(r.at[0].position, first.position);
    assert_int_equal(r.at[0].key_id, 0);
    assert_int_equal(audited(b, AUDIT_REPORT, AUDIT_DONE, "1250000.50 KZT"), 1);
    verify_is_clean(b);
}

static void an_agent_that_sends_it_later_takes_the_series_over(void **state)
{
    struct bench *b = *state;
    struct revisions r;
    struct desk_report by_hand = report(STAFF, "2025-11", "40");
    put_well(b, &by_hand);
    bench_hello(b);
    struct wire_message m = bench_declare_message(b, 0, "jobs_total", "person", WIRE_REPORT);
    bench_send(b, &m);
    assert_int_equal(b->reply_count, 0); // not SERIES_OWNED
    struct wire_sample s = bench_sample(0, period("2025-12").start, 41);
    bench_batch(b, 1, WIRE_REPORT, &s, 1);
    observed(b, STAFF, "2025-12", &r);
    assert_int_equal(r.count, 1);
    verify_is_clean(b);
}

static void a_report_beside_an_agent_that_owns_the_series_takes_nothing_from_it(void **state)
{
    struct bench *b = *state;
    struct revisions r;
    bench_hello(b);
    bench_declare(b, 0, "jobs_total", "person", WIRE_REPORT);
    struct wire_sample s = bench_sample(0, period("2025-11").start, 40);
    bench_batch(b, 1, WIRE_REPORT, &s, 1);
    struct desk_report by_hand = report(STAFF, "2025-11", "44");
    by_hand.current = (struct desk_current){.known = true, .value = {FIGURE_INTEGER, {40}}, .revision = 1};
    by_hand.revise = true;
    snprintf(by_hand.reason, sizeof by_hand.reason, "four were forgotten");
    put_well(b, &by_hand);
    bench_clear(b);
    s = bench_sample(0, period("2025-12").start, 45);
    bench_batch(b, 2, WIRE_REPORT, &s, 1);
    assert_int_equal(bench_reply(b, 0, WIRE_ACK).ack.sequence, 2); // and no Reject
    observed(b, STAFF, "2025-11", &r);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.at[1].value.integer, 44);
    assert_string_equal(r.reason[1], "four were forgotten");
    assert_int_equal(audited(b, AUDIT_REVISE, AUDIT_DONE, "before 40"), 1);
    verify_is_clean(b);
}

static void a_request_that_comes_again_is_stored_once(void **state)
{
    struct bench *b = *state;
    struct revisions r;
    struct diag d = {""};
    struct desk_report first = report(STAFF, "2025-11", "40"), again, other;
    snprintf(first.request, sizeof first.request, "form-1");
    again = other = first;
    put_well(b, &first);
    uint64_t position = ledger_position(b->ledger);
    bench_restart(b);
    // as control sees it by then
    again.current = (struct desk_current){.known = true, .value = {FIGURE_INTEGER, {40}}, .revision = 1};
    put_well(b, &again);
    assert_true(again.repeated);
    assert_int_equal(again.position, first.position);
    assert_int_equal(ledger_position(b->ledger), position);
    snprintf(other.value, sizeof other.value, "41");
    assert_int_equal(put(b, &other, &d), ERR_CONFLICT);
    assert_string_equal(other.field, "request");
    other = first;
    snprintf(other.author, sizeof other.author, "bek"); // another person's request may have the same name
    snprintf(other.value, sizeof other.value, "43");
    other.position = 0;
    put_well(b, &other);
    assert_false(other.repeated);
    observed(b, STAFF, "2025-11", &r);
    assert_int_equal(r.count, 2);
}

static void a_figure_that_is_known_so_is_not_stored_again(void **state)
{
    struct bench *b = *state;
    struct desk_report first = report(STAFF, "2025-11", "40"), again = first;
    put_well(b, &first);
    uint64_t position = ledger_position(b->ledger);
    again.current = (struct desk_current){
        .known = true, .value = {FIGURE_INTEGER, {40}}, .revision = 1, .position = first.position};
    put_well(b, &again);
    assert_true(again.unchanged);
    assert_int_equal(again.position, first.position);
    assert_int_equal(ledger_position(b->ledger), position);
}

static void a_request_that_found_the_figure_undoes_nothing_when_it_comes_again(void **state)
{
    struct bench *b = *state;
    struct desk_report first = report(STAFF, "2025-11", "40"), same = first, later = first;
    put_well(b, &first);
    same.current = (struct desk_current){
        .known = true, .value = {FIGURE_INTEGER, {40}}, .revision = 1, .position = first.position};
    snprintf(same.request, sizeof same.request, "form-2");
    struct desk_report again = same;
    put_well(b, &same);
    assert_true(same.unchanged);
    snprintf(later.value, sizeof later.value, "44");
    snprintf(later.reason, sizeof later.reason, "four were forgotten");
    later.current = same.current;
    later.revise = true;
    put_well(b, &later);
    uint64_t position = ledger_position(b->ledger);
    again.current = (struct desk_current){.known = true, .value = {FIGURE_INTEGER, {44}}, .revision = 2};
    put_well(b, &again);
    assert_true(again.repeated);
    assert_int_equal(again.position, first.position);
    assert_int_equal(ledger_position(b->ledger), position);
}

// Between the look at what is known and the transaction an agent's figure is committed.
static void a_figure_that_nobody_has_seen_is_neither_replaced_nor_called_the_same(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    struct revisions r;
    bench_hello(b);
    bench_declare(b, 0, "jobs_total", "person", WIRE_REPORT);
    struct wire_sample s = bench_sample(0, period("2025-11").start, 40);
    bench_batch(b, 1, WIRE_REPORT, &s, 1);
    struct desk_report by_hand = report(STAFF, "2025-11", "40"), of_another = report(STAFF, "2025-10", "39");
    by_hand.current = (struct desk_current){.known = true, .value = {FIGURE_INTEGER, {40}}, .revision = 1};
    by_hand.looked = of_another.looked = true;
    by_hand.seen = of_another.seen = ledger_position(b->ledger);
    s.value.integer = 50;
    bench_batch(b, 2, WIRE_REPORT, &s, 1);
    assert_int_equal(put(b, &by_hand, &d), ERR_AGAIN); // else: "unchanged", and 50 stays
    put_well(b, &of_another);                          // of another period
    by_hand.seen = ledger_position(b->ledger);
    by_hand.current.value.integer = 50;
    by_hand.revise = true;
    snprintf(by_hand.reason, sizeof by_hand.reason, "counted again");
    put_well(b, &by_hand);
    observed(b, STAFF, "2025-11", &r);
    assert_int_equal(r.count, 3);
    assert_int_equal(r.at[2].value.integer, 40);
    assert_int_equal(audited(b, AUDIT_REVISE, AUDIT_REFUSED, ""), 0);
    verify_is_clean(b);
}

static void a_look_at_a_new_ledger_has_not_seen_its_first_row(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    struct desk_report by_hand = report(STAFF, "2025-11", "40");
    by_hand.looked = true;
    assert_int_equal(ledger_position(b->ledger), 0);
    bench_hello(b);
    bench_declare(b, 0, "jobs_total", "person", WIRE_REPORT);
    struct wire_sample s = bench_sample(0, period("2025-11").start, 50);
    bench_batch(b, 1, WIRE_REPORT, &s, 1);
    assert_int_equal(put(b, &by_hand, &d), ERR_AGAIN);
    by_hand.seen = ledger_position(b->ledger);
    by_hand.current = (struct desk_current){.known = true, .value = {FIGURE_INTEGER, {50}}, .revision = 1};
    assert_int_equal(put(b, &by_hand, &d), ERR_CONFLICT); // it is to be revised
}

// As many rows as a group in the making and the one before it hold.
static void a_figure_is_stored_though_two_groups_of_rows_came_since_the_look(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    struct wire_receipt receipt;
    struct desk_report by_hand = report(STAFF, "2025-11", "40");
    by_hand.looked = true;
    int64_t now_us;
    assert_int_equal(ledger_begin(b->ledger, &now_us, &d), ERR_OK);
    for (int i = 0; i < 2 * COMMITTER_GROUP_MAX; i++)
        assert_int_equal(ledger_add_control(b->ledger, "note", "x", 1, "bek", &receipt, &d), ERR_OK);
    assert_int_equal(ledger_commit(b->ledger, &d), ERR_OK);
    put_well(b, &by_hand);
}

static const struct {
    const char *series, *of, *value, *currency, *reason, *field;
    enum err is;
    bool known, revise;
} refused[] = {
    {"almaty-iz/acme", "2025-11", "1", "", "", "series", ERR_INVALID, false, false},
    {"almaty-iz/all/inv", "2025-11", "1", "KZT", "", "series", ERR_INVALID, false, false},
    {"almaty-iz/acme/no_such", "2025-11", "1", "", "", "series", ERR_INVALID, false, false},
    {"almaty-iz/acme/oee", "2025-11", "1", "", "", "series", ERR_INVALID, false, false},
    {NEW, "2025-11", "1", "", "", "currency", ERR_INVALID, false, false},
    {NEW, "2025-11", "1", "XXX", "", "currency", ERR_INVALID, false, false},
    {STAFF, "2025-11", "1", "KZT", "", "series", ERR_INVALID, false, false},
    {STAFF, "2025-11", "1,5", "", "", "value", ERR_INVALID, false, false},
    {STAFF, "2025-11", "9e99", "", "", "value", ERR_INVALID, false, false},
    {STAFF, "2025-11", "-1", "", "", "value", ERR_INVALID, false, false},
    {NEW, "2025-11", "1.001", "KZT", "", "value", ERR_INVALID, false, false},
    {STAFF, "2026-03", "1", "", "", "period", ERR_INVALID, false, false},
    {STAFF, "1899-12", "1", "", "", "period", ERR_INVALID, false, false},
    {STAFF, "2025-11", "1", "", "", "revise", ERR_CONFLICT, true, false},
    {STAFF, "2025-11", "1", "", "", "reason", ERR_INVALID, true, true},
    {STAFF, "2025-11", "1", "", "a\x01line", "reason", ERR_INVALID, false, false},
};

static void what_an_agent_may_not_send_a_person_may_not_either(void **state)
{
    struct bench *b = *state;
    uint64_t before = ledger_position(b->ledger);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct diag d = {""};
        struct desk_report r = report(refused[i].series, refused[i].of, refused[i].value);
        snprintf(r.currency, sizeof r.currency, "%s", refused[i].currency);
        snprintf(r.reason, sizeof r.reason, "%s", refused[i].reason);
        r.current = (struct desk_current){.known = refused[i].known, .value = {FIGURE_INTEGER, {7}}};
        r.revise = refused[i].revise;
        enum err e = put(b, &r, &d);
        if (e != refused[i].is || !r.field || strcmp(r.field, refused[i].field) != 0)
            fail_msg("row %zu: %s, field %s: %s", i, err_name(e), r.field ? r.field : "-", d.text);
        assert_true(strlen(d.text) > 10);
    }
    assert_int_equal(ledger_position(b->ledger), before);
    assert_int_equal(audited(b, AUDIT_REPORT, AUDIT_REFUSED, "") +
                         audited(b, AUDIT_REVISE, AUDIT_REFUSED, ""),
                     sizeof refused / sizeof *refused);
    verify_is_clean(b);
}

static void a_status_belongs_to_its_value_and_a_measured_series_has_no_reports(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    struct desk_report r = report(STAFF, "2025-11", "-");
    r.status = WIRE_ESTIMATED;
    assert_int_equal(put(b, &r, &d), ERR_INVALID);
    assert_string_equal(r.field, "status");
    bench_hello(b);
    bench_declare(b, 0, "out_units/lifts", "piece", WIRE_MEASUREMENT);
    r = report("almaty-iz/acme/out_units/lifts", "2025-11", "5");
    assert_int_equal(put(b, &r, &d), ERR_INVALID);
    assert_string_equal(r.field, "series");
    r = report(STAFF, "2025-11", "5");
    put_well(b, &r);
    r = report(STAFF, "2025-Q4", "5");
    assert_int_equal(put(b, &r, &d), ERR_INVALID);
    assert_string_equal(r.field, "period");
    r = report(STAFF, "2025-10", "-");
    put_well(b, &r);
}

static void a_closed_period_is_corrected_with_a_reason_by_who_may(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    struct revisions all;
    struct desk_report r = report(STAFF, "2025-11", "40");
    put_well(b, &r);
    assert_int_equal(close_period(b, "2025-11", "", false, &d), ERR_OK);
    assert_int_equal(close_period(b, "2025-11", "", false, &d), ERR_CONFLICT);
    r = report(STAFF, "2025-11", "41");
    r.current = (struct desk_current){.known = true, .value = {FIGURE_INTEGER, {40}}};
    r.revise = true;
    snprintf(r.reason, sizeof r.reason, "late");
    assert_int_equal(put(b, &r, &d), ERR_DENIED);
    assert_non_null(strstr(d.text, "closed since 2026-01-01T00:00:00Z"));
    assert_int_equal(audited(b, AUDIT_REVISE, AUDIT_REFUSED, "closed since"), 1);
    r.may_correct_closed = true;
    r.reason[0] = '\0';
    assert_int_equal(put(b, &r, &d), ERR_INVALID);
    assert_string_equal(r.field, "reason");
    snprintf(r.reason, sizeof r.reason, "late");
    bench_restart(b); // closures are the ledger's
    put_well(b, &r);
    assert_true(r.after_closure);
    assert_int_equal(audited(b, AUDIT_REVISE, AUDIT_DONE, "after the closure"), 1);
    assert_int_equal(audited(b, AUDIT_CONTROL, AUDIT_DONE, "2025-11 closed, author bek, reason: audited"), 1);
    observed(b, STAFF, "2025-11", &all);
    assert_int_equal(all.count, 2);
    assert_int_equal(close_period(b, "2025-11", "", true, &d), ERR_OK);
    r.may_correct_closed = false;
    r.current = (struct desk_current){.known = true, .value = {FIGURE_INTEGER, {41}}};
    snprintf(r.value, sizeof r.value, "42");
    put_well(b, &r);
    verify_is_clean(b);
}

static void closings_that_make_no_sense_are_refused(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    assert_int_equal(close_period(b, "2026-01", "", false, &d), ERR_INVALID); // it is January now
    assert_int_equal(close_period(b, "2025-11", "no_such", false, &d), ERR_INVALID);
    assert_int_equal(close_period(b, "2025-11", "", true, &d), ERR_CONFLICT);
    assert_int_equal(close_period(b, "2025-11", "inv", false, &d), ERR_OK);
    assert_int_equal(close_period(b, "2025-11", "jobs_total", true, &d), ERR_CONFLICT);
    assert_int_equal(close_period(b, "2025", "", true, &d), ERR_OK);
    assert_int_equal(audited(b, AUDIT_CONTROL, AUDIT_REFUSED, ""), 4);
}

static void change_ledger(struct bench *b, const char *sql)
{
    char path[TEST_PATH];
    sqlite3 *db = NULL;
    test_folder_path(&b->folder, LEDGER_FILE, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_total_changes(db), 1);
    sqlite3_close(db);
}

static void a_closing_that_could_not_be_read_back_counts_for_what_people_say_next(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    struct wire_receipt receipt;
    struct desk_report r = report(STAFF, "2025-11", "40");
    int64_t now_us;
    assert_int_equal(ledger_begin(b->ledger, &now_us, &d), ERR_OK);
    assert_int_equal(ledger_add_control(b->ledger, "note", "x", 1, "bek", &receipt, &d), ERR_OK);
    assert_int_equal(ledger_commit(b->ledger, &d), ERR_OK);
    change_ledger(b, "UPDATE batch SET body=CAST(CAST(body AS TEXT) || 'x' AS BLOB)");
    assert_int_equal(close_period(b, "2025-11", "", false, &d), ERR_CORRUPT); // it is stored all the same
    uint64_t position = ledger_position(b->ledger);
    assert_int_equal(put(b, &r, &d), ERR_CORRUPT);
    assert_non_null(strstr(d.text, "control document"));
    assert_int_equal(close_period(b, "2025-11", "", false, &d), ERR_CORRUPT);
    assert_int_equal(ledger_position(b->ledger), position);
    change_ledger(b, "UPDATE batch SET body=substr(body, 1, length(body) - 1) WHERE position="
                     "(SELECT min(position) FROM batch)");
    assert_int_equal(put(b, &r, &d), ERR_DENIED);
    assert_non_null(strstr(d.text, "closed since"));
    assert_int_equal(close_period(b, "2025-11", "", false, &d), ERR_CONFLICT);
    assert_int_equal(audited(b, AUDIT_CONTROL, AUDIT_DONE, "2025-11 closed"), 1);
    verify_is_clean(b);
}

static void an_agents_figure_for_a_closed_period_is_held_until_released_with_a_reason(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    struct revisions all;
    bench_hello(b);
    bench_declare(b, 0, "jobs_total", "person", WIRE_REPORT);
    assert_int_equal(close_period(b, "2025", "", false, &d), ERR_OK);
    struct wire_sample s[] = {bench_sample(0, period("2025-11").start, 40),
                              bench_sample(0, period("2026-01").start, 41)};
    bench_batch(b, 1, WIRE_REPORT, s, 2);
    struct wire_reject reject = bench_reply(b, 0, WIRE_REJECT).reject;
    assert_int_equal(reject.count, 1);
    assert_int_equal(reject.refusals[0].reason, WIRE_REASON_PERIOD_CLOSED);
    assert_int_equal(bench_counted(b, COUNTER_REFUSED_PERIOD_CLOSED), 1);
    struct release_request r = {
        .position = ledger_position(b->ledger), .index = RELEASE_ALL, .author = "bek"};
    assert_int_equal(committer_release(b->committer, &r, &d), ERR_OK);
    assert_int_equal(r.released, 0);
    assert_int_equal(r.held, 1);
    r.index = 0;
    assert_int_equal(committer_release(b->committer, &r, &d), ERR_DENIED);
    assert_non_null(strstr(d.text, "--reason"));
    snprintf(r.reason, sizeof r.reason, "the branch was late");
    assert_int_equal(committer_release(b->committer, &r, &d), ERR_OK);
    assert_int_equal(r.released, 1);
    observed(b, STAFF, "2025-11", &all);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.reason[0], "the branch was late");
    assert_string_equal(all.author[0], "bek");
    assert_int_equal(audited(b, AUDIT_RELEASE, AUDIT_DONE, "reason: the branch was late"), 1);
    verify_is_clean(b);
}

static void a_resident_has_no_more_series_by_hand_than_by_agents(void **state)
{
    struct bench *b = *state;
    struct diag d = {""};
    const struct quotas one = {.usual = {.series = 1}};
    b->quotas = &one;
    bench_restart(b);
    struct desk_report r = report(STAFF, "2025-11", "1");
    put_well(b, &r);
    r = report("almaty-iz/acme/jobs_created", "2025-11", "1");
    assert_int_equal(put(b, &r, &d), ERR_DENIED);
    assert_string_equal(r.field, "series");
}

static void an_author_may_report_so_often_and_all_of_them_so_often(void **state)
{
    static struct desk_limit l;
    char name[32];
    size_t taken = 0;
    (void)state;
    struct mono now = {.us = 5 * US_PER_S};
    for (int i = 0; i < DESK_AUTHOR_BURST; i++)
        assert_true(desk_limit_take(&l, "aigul", now));
    assert_false(desk_limit_take(&l, "aigul", now));
    assert_true(desk_limit_take(&l, "bek", now));
    now.us += US_PER_S;
    for (int i = 0; i < DESK_AUTHOR_RATE; i++)
        assert_true(desk_limit_take(&l, "aigul", now));
    assert_false(desk_limit_take(&l, "aigul", now));
    for (int i = 0; i < 10 * DESK_ALL_BURST; i++) { // many authors, more than are remembered
        snprintf(name, sizeof name, "author%d", i);
        taken += desk_limit_take(&l, name, now);
    }
    assert_true(taken >= DESK_ALL_BURST / 2 && taken <= DESK_ALL_BURST);
    now.us -= 3600 * US_PER_S; // whatever the clock does
    (void)desk_limit_take(&l, "aigul", now);
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
    const struct CMUnitTest tests[] = {
        WITH_BENCH(a_series_that_nobody_declared_is_declared_by_the_desk),
        WITH_BENCH(an_agent_that_sends_it_later_takes_the_series_over),
        WITH_BENCH(a_report_beside_an_agent_that_owns_the_series_takes_nothing_from_it),
        WITH_BENCH(a_request_that_comes_again_is_stored_once),
        WITH_BENCH(a_figure_that_is_known_so_is_not_stored_again),
        WITH_BENCH(a_request_that_found_the_figure_undoes_nothing_when_it_comes_again),
        WITH_BENCH(a_figure_that_nobody_has_seen_is_neither_replaced_nor_called_the_same),
        WITH_BENCH(a_look_at_a_new_ledger_has_not_seen_its_first_row),
        WITH_BENCH(a_figure_is_stored_though_two_groups_of_rows_came_since_the_look),
        WITH_BENCH(what_an_agent_may_not_send_a_person_may_not_either),
        WITH_BENCH(a_status_belongs_to_its_value_and_a_measured_series_has_no_reports),
        WITH_BENCH(a_closed_period_is_corrected_with_a_reason_by_who_may),
        WITH_BENCH(closings_that_make_no_sense_are_refused),
        WITH_BENCH(a_closing_that_could_not_be_read_back_counts_for_what_people_say_next),
        WITH_BENCH(an_agents_figure_for_a_closed_period_is_held_until_released_with_a_reason),
        WITH_BENCH(a_resident_has_no_more_series_by_hand_than_by_agents),
        cmocka_unit_test(an_author_may_report_so_often_and_all_of_them_so_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
