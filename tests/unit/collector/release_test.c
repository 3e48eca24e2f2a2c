// Refused samples: listed with their reasons, let in by an operator, seen by the projections from then on.
#include "collector/release.h"
#include "store/reader_keep.h"
#include "tests/support/retain_rig.h"
#include "tests/support/rrd_rig.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct listed {
    size_t count;
    struct reader_quarantined at[8];
};

static enum err list_one(void *ctx, const struct reader_quarantined *q)
{
    struct listed *l = ctx;
    assert_true(l->count < 8);
    l->at[l->count++] = *q;
    return ERR_OK;
}

static struct listed list(struct retain_rig *x)
{
    struct listed l = {0};
    struct diag d = {0};
    uint64_t last;
    if (reader_quarantine(x->reader, 0, 100, list_one, &l, &last, &d) != ERR_OK)
        fail_msg("%s", d.text);
    return l;
}

static enum err let_in(struct retain_rig *x, uint64_t position, int64_t index, struct release_request *out)
{
    struct diag d = {0};
    *out = (struct release_request){.position = position, .index = index, .author = "aigul"};
    return committer_release(x->r->b->committer, out, &d);
}

// Row 1: a negative count of pieces (beyond the KPI's bounds), a good one, one off its step.
static void put_refused(struct retain_rig *x)
{
    struct wire_sample s[] = {bench_sample(0, T0, -5), bench_sample(0, T0 + 10, 6),
                              bench_sample(0, T0 + 13, 7)};
    bench_clear(x->r->b);
    bench_batch(x->r->b, ++x->r->sequence, WIRE_MEASUREMENT, s, 3);
    assert_int_equal(bench_reply(x->r->b, 0, WIRE_REJECT).reject.count, 2);
}

static struct ledger_stream stream_of(struct retain_rig *x)
{
    struct ledger_stream s;
    struct diag d = {0};
    assert_int_equal(
        ledger_stream_open(x->r->b->ledger, x->r->b->agent.agent_id, &x->r->b->incarnation, &s, &d), ERR_OK);
    return s;
}

static void verify_is_clean(struct retain_rig *x, uint64_t releases)
{
    struct reader_verified v;
    struct diag d = {0};
    assert_int_equal(reader_verify(x->reader, NULL, NULL, &v, &d), ERR_OK);
    assert_int_equal(v.damaged, 0);
    assert_int_equal(v.releases, releases);
}

static void refused_samples_are_listed_with_series_time_value_and_reason(void **state)
{
    struct retain_rig *x = *state;
    put_refused(x);
    struct listed l = list(x);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.at[0].index, 0);
    assert_int_equal(l.at[0].reason, WIRE_REASON_OUT_OF_RANGE);
    assert_int_equal(l.at[0].value.integer, -5);
    assert_string_equal(l.at[0].series->name, "almaty-iz/acme/out_units/lifts");
    assert_int_equal(l.at[0].released, 0);
    assert_int_equal(l.at[1].index, 2);
    assert_int_equal(l.at[1].reason, WIRE_REASON_OFF_STEP);
}

static void a_release_moves_the_counts_and_is_seen_by_points_and_files(void **state)
{
    struct retain_rig *x = *state;
    struct release_request r;
    put_refused(x);
    rig_settle(x->r);
    assert_true(rig_shown(x->r, 1, 10, T0 + 10) == 6);
    assert_int_equal(let_in(x, 1, 0, &r), ERR_OK);
    assert_int_equal(r.released, 1);
    assert_int_equal(stream_of(x).accepted, 2);
    assert_int_equal(stream_of(x).quarantined, 1);
    assert_int_equal(rig_counted(x->r, COUNTER_SAMPLES_ACCEPTED), 2);
    assert_int_equal(rig_counted(x->r, COUNTER_SAMPLES_QUARANTINED), 1);
    assert_int_equal(rig_counted(x->r, COUNTER_SAMPLES_RELEASED), 1);
    rig_settle(x->r);
    assert_true(rig_shown(x->r, 1, 10, T0) == -5);
    struct listed l = list(x);
    assert_int_equal(l.at[0].released, 2); // the release's own position
    assert_int_equal(l.at[1].released, 0);
    struct reader_release by;
    assert_int_equal(reader_release_at(x->reader, 2, &by, NULL), ERR_OK);
    assert_string_equal(by.author, "aigul");
    verify_is_clean(x, 1);
}

static void a_release_again_changes_nothing(void **state)
{
    struct retain_rig *x = *state;
    struct release_request r;
    put_refused(x);
    assert_int_equal(let_in(x, 1, 0, &r), ERR_OK);
    uint64_t position = ledger_position(x->r->b->ledger);
    assert_int_equal(let_in(x, 1, 0, &r), ERR_OK);
    assert_int_equal(r.released, 0);
    assert_int_equal(r.already, 1);
    assert_int_equal(ledger_position(x->r->b->ledger), position);
    assert_int_equal(stream_of(x).accepted, 2);
    verify_is_clean(x, 1);
}

static void what_has_no_place_in_its_series_is_never_released(void **state)
{
    struct retain_rig *x = *state;
    struct release_request r;
    put_refused(x);
    assert_int_equal(let_in(x, 1, 2, &r), ERR_DENIED);    // off its step
    assert_int_equal(let_in(x, 1, 1, &r), ERR_NOT_FOUND); // was accepted
    assert_int_equal(let_in(x, 99, 0, &r), ERR_NOT_FOUND);
    assert_int_equal(let_in(x, 1, RELEASE_ALL, &r), ERR_OK);
    assert_int_equal(r.released, 1);
    assert_int_equal(r.held, 1);
    verify_is_clean(x, 1);
}

static void a_release_survives_a_restart_and_a_rebuild(void **state)
{
    struct retain_rig *x = *state;
    struct release_request r;
    put_refused(x);
    assert_int_equal(let_in(x, 1, 0, &r), ERR_OK);
    bench_restart(x->r->b);
    assert_int_equal(stream_of(x).accepted, 2);
    assert_int_equal(let_in(x, 1, 0, &r), ERR_OK);
    assert_int_equal(r.already, 1);
    rig_settle(x->r);
    retain_rebuild(x);
    assert_true(rig_shown(x->r, 1, 10, T0) == -5);
}

static void a_released_figure_is_in_its_months_roll_up_and_its_row_stays(void **state)
{
    struct retain_rig *x = *state;
    struct release_request r;
    struct ledger_kept k;
    put_refused(x);
    assert_int_equal(let_in(x, 1, 0, &r), ERR_OK);
    rig_settle(x->r);
    retain_go_to(x, T0 + RETAIN_RAW_S + 32 * INT64_C(86400));
    retain_run(x, false);
    assert_int_equal(reader_kept(x->reader, &k, NULL), ERR_OK);
    assert_true(k.dropped_until_s > T0);
    verify_is_clean(x, 1);
    retain_rebuild(x);
    assert_int_equal(list(x).count, 2);
}

static enum err is_refused(void *ctx, const struct reader_quarantined *q)
{
    (void)ctx;
    (void)q;
    return ERR_OK;
}

static void a_sample_of_a_closed_month_is_not_released(void **state)
{
    struct retain_rig *x = *state;
    struct release_request r;
    uint64_t last;
    put_refused(x);
    rig_settle(x->r);
    retain_go_to(x, T0 + RETAIN_RAW_S + 32 * INT64_C(86400));
    rig_observe(x->r);
    assert_true(retain_step(x)); // closed
    assert_int_equal(reader_quarantine(x->reader, 0, 10, is_refused, NULL, &last, NULL), ERR_OK);
    assert_int_equal(let_in(x, 1, 0, &r), ERR_DENIED);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, retain_setup, retain_teardown)
    const struct CMUnitTest tests[] = {
        TEST(refused_samples_are_listed_with_series_time_value_and_reason),
        TEST(a_release_moves_the_counts_and_is_seen_by_points_and_files),
        TEST(a_release_again_changes_nothing),
        TEST(what_has_no_place_in_its_series_is_never_released),
        TEST(a_release_survives_a_restart_and_a_rebuild),
        TEST(a_released_figure_is_in_its_months_roll_up_and_its_row_stays),
        TEST(a_sample_of_a_closed_month_is_not_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
