// What the catalogue states is kept of each KPI is what its round-robin files keep.
#include "kpi/catalogue.h"
#include "store/rrd.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY INT64_C(86400)
#define NOW INT64_C(1772323200) // 2026-03-01, a day's beginning

static enum err nothing(void *ctx, int64_t time, double value)
{
    (void)ctx, (void)time, (void)value;
    return ERR_OK;
}

// The finest rows that the file has so far back.
static uint32_t rows_at(const char *path, const char *cf, int64_t back_s, uint32_t wanted)
{
    struct diag d = {""};
    uint32_t step = wanted;
    int64_t from = (NOW - back_s) / DAY * DAY;
    enum err e = rrd_file_fetch(path, cf, from, from + DAY, &step, nothing, NULL, &d);
    return e == ERR_OK ? step : 0;
}

static void expect(const struct kpi *k, const char *path, const char *cf, int64_t back_s, uint32_t rows)
{
    uint32_t got = rows_at(path, cf, back_s, rows);
    if (got != rows)
        fail_msg("%s: %lld days back there are rows of %u s of %s, not of %u s", k->code,
                 (long long)(back_s / DAY), got, cf, rows);
}

static void check(const struct kpi *k, const char *path)
{
    bool machine = k->archives == ARCHIVES_MACHINE;
    struct diag d = {""};
    const struct ledger_series s = {.class = machine ? WIRE_MEASUREMENT : WIRE_REPORT,
                                    .step_s = machine ? k->step_s : 0,
                                    .period = machine ? PERIOD_NONE : k->period};
    struct rrd_value value = {NOW, 1};
    assert_int_equal(rrd_file_create(path, &s, NOW - (machine ? s.step_s : DAY), false, &d), ERR_OK);
    assert_int_equal(rrd_file_update(path, &s, &value, 1, &d), ERR_OK);
    if (!machine) {
        expect(k, path, "AVERAGE", 39 * 365 * DAY, (uint32_t)DAY);
        assert_int_equal(rows_at(path, "MIN", DAY, (uint32_t)DAY), 0);
        return;
    }
    expect(k, path, "AVERAGE", 7 * DAY, k->step_s);
    expect(k, path, "AVERAGE", 34 * DAY, 300);
    expect(k, path, "MAX", 700 * DAY, 3600);
    expect(k, path, "MIN", 19 * 365 * DAY, (uint32_t)DAY);
}

static void the_archives_of_the_catalogue_are_those_of_the_files(void **state)
{
    char folder[STORE_PATH], path[STORE_PATH + 16];
    struct catalogue *c = NULL;
    struct diag d = {""};
    size_t checked = 0;
    (void)state;
    store_temp_folder(folder);
    snprintf(path, sizeof path, "%s/one.rrd", folder);
    assert_int_equal(catalogue_load("deploy/catalogue.yaml", &c, &d), ERR_OK);
    for (size_t i = 0; i < catalogue_count(c); i++) {
        const struct kpi *k = catalogue_at(c, i);
        if (k->archives == ARCHIVES_NONE)
            continue;
        check(k, path);
        checked++;
    }
    assert_true(checked > 30);
    catalogue_free(c);
    unlink(path);
    store_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_archives_of_the_catalogue_are_those_of_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
