// Nothing lost, nothing twice, whatever the network does: what the files held is what the ledger holds.
#include "base/buf.h"
#include "tests/flow/flow.h"
#include "tests/flow/stored.h"
#include "tests/support/cmocka.h"
#include <stdlib.h>
#include <string.h>

#define PIECES "testpark/plant/out_units/pumps"
#define KWH    "testpark/plant/energy_kwh"
#define STEP_S 10

static const struct weather fair = {0, 0, 0, 0};
static const struct weather storm = {.lost = 120, .doubled = 150, .late = 300, .late_max_ms = 4000};

// What the enterprise made in the step that ends then; some steps have no figure.
static int64_t pieces_at(int64_t time)
{
    struct random r = {(uint64_t)time};
    return (int64_t)(random_next(&r) % 9);
}
static double kwh_at(int64_t time)
{
    struct random r = {(uint64_t)time * 3};
    return (double)(random_next(&r) % 1000000) / 1000.0 + 0.0005;
}
static bool has_figure(int64_t time)
{
    return time / STEP_S % 97 != 0;
}

static size_t produce(struct flow *f, int64_t from, int64_t to)
{
    struct buf rows;
    size_t steps = 0;
    buf_init(&rows, 64u << 20);
    for (int64_t t = from + STEP_S; t <= to; t += STEP_S) {
        if (!has_figure(t))
            continue;
        assert_int_equal(
            buf_printf(&rows, "%lld,%lld,%.17g\n", (long long)t, (long long)pieces_at(t), kwh_at(t)), ERR_OK);
        steps++;
    }
    if (rows.len > 0)
        flow_append_text(f, "machines.csv", rows.data, rows.len);
    buf_deinit(&rows);
    return steps;
}

static void check_series(const struct flow *f, const char *series, int64_t from, int64_t to, size_t steps)
{
    struct stored s;
    stored_read(f->state_path, series, &s);
    assert_int_equal(s.count, steps);
    char *seen = calloc((size_t)((to - from) / STEP_S) + 1, 1);
    assert_non_null(seen);
    for (size_t i = 0; i < s.count; i++) {
        int64_t t = s.samples[i].time;
        assert_true(t > from && t <= to && t % STEP_S == 0 && has_figure(t));
        assert_int_equal(seen[(t - from) / STEP_S]++, 0);
        if (strcmp(series, PIECES) == 0) {
            assert_int_equal(s.samples[i].value.kind, FIGURE_INTEGER);
            assert_int_equal(s.samples[i].value.integer, pieces_at(t));
        } else {
            assert_int_equal(s.samples[i].value.kind, FIGURE_REAL);
            assert_memory_equal(&s.samples[i].value.real, &(double){kwh_at(t)}, sizeof(double));
        }
    }
    free(seen);
    stored_free(&s);
}

static struct ledger_stream only_stream(const struct flow *f)
{
    struct diag d = {""};
    struct ledger_stream s;
    assert_int_equal(
        ledger_stream_open(f->collector.ledger, 1, &spool_peek(f->agent.spool)->incarnation, &s, &d), ERR_OK);
    return s;
}

// sampled = refused + acknowledged + spooled at the agent; acknowledged = accepted + quarantined + gap at the
// collector.
static void check_accounts(const struct flow *f, size_t samples)
{
    struct wire_counters c = spool_peek(f->agent.spool)->counters;
    struct ledger_stream s = only_stream(f);
    assert_int_equal(c.sampled, samples);
    assert_int_equal(c.refused, 0);
    assert_int_equal(c.spooled, 0);
    assert_int_equal(c.acknowledged, samples);
    assert_int_equal(s.accepted, samples);
    assert_int_equal(s.quarantined, 0);
    assert_int_equal(s.gap, 0);
}

static void a_month_of_machine_figures_arrives_exactly_once(void **state)
{
    (void)state;
    struct flow f;
    flow_open(&f, 1, fair);
    int64_t from = f.clock.wall_us / US_PER_S;
    size_t steps = 0;
    for (int day = 0; day < 30; day++) {
        flow_run(&f, FLOW_DAY_S);
        steps += produce(&f, from + day * FLOW_DAY_S, from + (day + 1) * FLOW_DAY_S);
    }
    flow_settle(&f);
    check_series(&f, PIECES, from, from + 30 * FLOW_DAY_S, steps);
    check_series(&f, KWH, from, from + 30 * FLOW_DAY_S, steps);
    check_accounts(&f, 2 * steps);
    flow_close(&f);
}

static void days_in_a_storm(uint64_t seed, bool restarts)
{
    struct flow f;
    flow_open(&f, seed, storm);
    struct random r = {seed * 77};
    int64_t from = f.clock.wall_us / US_PER_S, at = from;
    size_t steps = 0;
    for (int i = 0; i < 40; i++) {
        int64_t pause = (int64_t)random_below(&r, 3600) + STEP_S;
        flow_run(&f, pause);
        int64_t to = f.clock.wall_us / US_PER_S / STEP_S * STEP_S;
        steps += produce(&f, at, to);
        at = to;
        flow_run(&f, (int64_t)random_below(&r, 70));
        uint64_t mishap = random_below(&r, 6);
        if (mishap == 0)
            flow_cut_connection(&f);
        else if (mishap == 1 && restarts)
            flow_restart_agent(&f);
        else if (mishap == 2 && restarts)
            flow_restart_collector(&f);
    }
    flow_settle(&f);
    assert_true(f.network.lost > 0 && f.network.doubled > 0);
    check_series(&f, PIECES, from, at, steps);
    check_series(&f, KWH, from, at, steps);
    check_accounts(&f, 2 * steps);
    flow_close(&f);
}

static void a_network_that_loses_doubles_and_delays_loses_and_doubles_no_figure(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++)
        days_in_a_storm(seed, false);
}

static void restarts_of_either_side_in_a_storm_lose_and_double_no_figure(void **state)
{
    (void)state;
    for (uint64_t seed = 101; seed <= 108; seed++)
        days_in_a_storm(seed, true);
}

static void figures_made_before_the_collector_is_there_wait_for_it(void **state)
{
    (void)state;
    struct flow f;
    flow_open(&f, 3, (struct weather){.lost = 1000});
    int64_t from = f.clock.wall_us / US_PER_S;
    flow_run(&f, 7200);
    size_t steps = produce(&f, from, from + 7200);
    flow_run(&f, 7200);
    assert_int_equal(spool_peek(f.agent.spool)->counters.sampled, 2 * steps);
    assert_int_equal(spool_peek(f.agent.spool)->counters.acknowledged, 0);
    f.network.weather = fair;
    flow_settle(&f);
    check_series(&f, PIECES, from, from + 7200, steps);
    check_accounts(&f, 2 * steps);
    flow_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_month_of_machine_figures_arrives_exactly_once),
        cmocka_unit_test(a_network_that_loses_doubles_and_delays_loses_and_doubles_no_figure),
        cmocka_unit_test(restarts_of_either_side_in_a_storm_lose_and_double_no_figure),
        cmocka_unit_test(figures_made_before_the_collector_is_there_wait_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
