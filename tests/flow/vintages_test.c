// A table whose figures appear, are corrected and vanish, release after release, over a network that drops,
// doubles and reorders: whatever was known after each release can be asked for ever after, and there
// are as many revisions as there were changes.
#include "store/rrd.h"
#include "tests/flow/flow.h"
#include "tests/support/cmocka.h"
#include "tests/support/random.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define RELEASES 30
#define MONTHS   36
#define FIRST    636 // January 2023, in months since 1970
#define GONE     (-1)

static const char *const names[] = {"testpark/plant/jobs_total", "testpark/plant/inv"};

struct known { // of two series, by month; GONE: no figure
    int64_t value[2][MONTHS];
};

struct replay {
    struct flow flow;
    struct random random;
    struct known now, at[RELEASES];
    int64_t moment_us[RELEASES];
    uint64_t changes, points;
    bool seen[2][MONTHS];
};

static int32_t day_of(int month)
{
    return civil_to_days((struct civil){(int32_t)(1970 + (FIRST + month) / 12), (FIRST + month) % 12 + 1, 1});
}

static void set(struct replay *r, int series, int month, int64_t value)
{
    if (r->now.value[series][month] == value)
        return;
    r->now.value[series][month] = value;
    r->points += !r->seen[series][month];
    r->seen[series][month] = true;
}

static void count_changes(struct replay *r, const struct known *before)
{
    for (int s = 0; s < 2; s++)
        for (int m = 0; m < MONTHS; m++)
            r->changes += r->now.value[s][m] != before->value[s][m];
}

// One new month, and some of the old ones corrected, emptied or filled again.
static void change(struct replay *r, int release)
{
    int newest = release + 4;
    const struct known before = r->now;
    for (int s = 0; s < 2; s++) {
        set(r, s, newest, (int64_t)random_below(&r->random, 1000));
        for (int i = 0; i < 3; i++) {
            int month = (int)random_below(&r->random, (uint64_t)newest);
            bool inside = month > 0; // of a table that is not whole, only what is between its rows is gone
            bool gone = inside && random_below(&r->random, 3) == 0;
            if (r->seen[s][month] || !gone)
                set(r, s, month, gone ? GONE : (int64_t)random_below(&r->random, 1000));
        }
    }
    count_changes(r, &before);
}

static void put_cell(char *line, size_t size, int64_t value, bool money)
{
    size_t used = strlen(line);
    if (value == GONE)
        snprintf(line + used, size - used, ",");
    else if (money)
        snprintf(line + used, size - used, ",%" PRId64 ".%02" PRId64, value / 100, value % 100);
    else
        snprintf(line + used, size - used, ",%" PRId64, value);
}

// A month of which nothing is known has no row at all.
static void write_table(struct replay *r)
{
    char path[TEST_PATH], line[128], period[PERIOD_TEXT];
    test_folder_path(&r->flow.folder, "reports.csv", path);
    assert_int_equal(remove(path), 0);
    flow_append(&r->flow, "reports.csv", "month,staff,invested\n");
    for (int m = 0; m < MONTHS; m++) {
        if (r->now.value[0][m] == GONE && r->now.value[1][m] == GONE)
            continue;
        period_text((struct period){PERIOD_MONTH, day_of(m)}, period);
        snprintf(line, sizeof line, "%s", period);
        put_cell(line, sizeof line, r->now.value[0][m], false);
        put_cell(line, sizeof line, r->now.value[1][m], true);
        flow_append(&r->flow, "reports.csv", "%s\n", line);
    }
}

struct visit {
    struct known known;
    int series;
    uint64_t rows;
};

static enum err take(void *ctx, const struct observation *o)
{
    struct visit *v = ctx;
    for (int m = 0; m < MONTHS; m++)
        if (day_of(m) == o->period_start)
            v->known.value[v->series][m] = o->value.kind == FIGURE_INTEGER ? o->value.integer : GONE;
    v->rows++;
    return ERR_OK;
}

static int64_t series_id(struct replay *r, int series)
{
    struct diag d = {""};
    const struct ledger_series *s = NULL;
    if (reader_series_by_name(r->flow.collector.observer_reader, names[series], &s, &d) != ERR_OK)
        fail_msg("%s: %s", names[series], d.text);
    return s->series_id;
}

// What was known by then (0: now); *rows: how many observations that took, or with `all` how many there are.
static struct known ask(struct replay *r, int64_t as_of_us, bool by_published, bool all, uint64_t *rows)
{
    struct diag d = {""};
    struct visit v = {.rows = 0};
    memset(&v.known, 0xff, sizeof v.known); // GONE
    for (v.series = 0; v.series < 2; v.series++) {
        const struct observation_query q = {.series_id = series_id(r, v.series),
                                            .from = CIVIL_DAY_MIN,
                                            .to = CIVIL_DAY_MAX,
                                            .all_revisions = all,
                                            .by_published = by_published,
                                            .as_of_us = as_of_us};
        if (observations_query(r->flow.collector.points, &q, take, &v, &d) != ERR_OK)
            fail_msg("%s", d.text);
    }
    *rows = v.rows;
    return v.known;
}

static enum err sum_days(void *ctx, int64_t time, double value)
{
    struct known *k = ctx;
    for (int m = 0; m < MONTHS; m++)
        if (time > day_of(m) * INT64_C(86400) && time <= day_of(m + 1) * INT64_C(86400)) {
            int64_t day = isnan(value) ? GONE : (int64_t)value;
            if (time == (day_of(m) + 1) * INT64_C(86400))
                k->value[0][m] = day;
            else
                assert_int_equal(k->value[0][m], day);
        }
    return ERR_OK;
}

// Every civil day of the first series' round-robin file.
static void expect_file(struct replay *r)
{
    struct known in_file;
    struct diag d = {""};
    char path[RRD_PATH_MAX];
    uint32_t step = 86400;
    memset(&in_file, 0xff, sizeof in_file);
    assert_int_equal(rrd_path(r->flow.state_path, series_id(r, 0), path), ERR_OK);
    if (rrd_file_fetch(path, "AVERAGE", day_of(0) * INT64_C(86400), day_of(MONTHS) * INT64_C(86400), &step,
                       sum_days, &in_file, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_memory_equal(in_file.value[0], r->now.value[0], sizeof in_file.value[0]);
}

static void replay(uint64_t seed, struct weather w)
{
    static struct replay r;
    uint64_t rows;
    r = (struct replay){.random = {seed}};
    memset(&r.now, 0xff, sizeof r.now);
    flow_open(&r.flow, seed, w);
    for (int i = 0; i < RELEASES; i++) {
        change(&r, i);
        write_table(&r);
        flow_settle(&r.flow);
        r.at[i] = r.now;
        r.moment_us[i] = r.flow.clock.wall_us;
        if (i % 7 == 3)
            flow_restart_agent(&r.flow);
        if (i % 7 == 5)
            flow_restart_collector(&r.flow);
        flow_run(&r.flow, 6 * 3600);
    }
    flow_settle(&r.flow);
    for (int i = 0; i < RELEASES; i++) {
        struct known then = ask(&r, r.moment_us[i], false, false, &rows);
        assert_memory_equal(&then, &r.at[i], sizeof then);
        then = ask(&r, r.moment_us[i], true, false, &rows); // published when received: nobody said otherwise
        assert_memory_equal(&then, &r.at[i], sizeof then);
    }
    struct known now = ask(&r, 0, false, false, &rows);
    assert_memory_equal(&now, &r.now, sizeof now);
    assert_int_equal(rows, r.points);
    (void)ask(&r, 0, false, true, &rows);
    assert_int_equal(rows, r.changes);
    expect_file(&r);
    flow_close(&r.flow);
}

static void what_was_known_after_each_release_is_known_for_ever(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++)
        replay(seed, (struct weather){0, 0, 0, 0});
}

static void bad_weather_changes_nothing_of_what_was_known(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 12; seed++)
        replay(seed, (struct weather){.lost = 120, .doubled = 150, .late = 300, .late_max_ms = 4000});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_known_after_each_release_is_known_for_ever),
        cmocka_unit_test(bad_weather_changes_nothing_of_what_was_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
