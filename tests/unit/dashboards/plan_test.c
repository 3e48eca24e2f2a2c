// Parks' profiles in the ledger, and what was planned by a moment.
#include "collector/plans.h"
#include "dashboards/plan.h"
#include "kpi/catalogue.h"
#include "store/ledger_keep.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"
#include "tests/support/site_fixture.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_US (3600 * INT64_C(1000000))

static const char profile[] =
    "code: testpark\n"
    "names: {en: \"Test park\"}\ncity: {en: \"Almaty\"}\nabout: {en: \"x\"}\n"
    "time_zone: Asia/Almaty\ncurrency: KZT\n"
    "residents:\n"
    "  - {code: plant, names: {en: \"Plant\"}, about: {en: \"Makes pumps\"}, simulated: true}\n"
    "statements:\n"
    "  - {id: jobs, kind: target, kpi: jobs_total, resident: plant, names: {en: \"Jobs\"},\n"
    "     value: \">= %d\", due: unknown, source: \"made up\"}\n";

struct fixture {
    struct site_fixture site;
    struct test_folder files;
    char parks[TEST_PATH], file[TEST_PATH];
    struct catalogue *catalogue;
};

static void write_profile(struct fixture *f, int jobs)
{
    FILE *out = fopen(f->file, "w");
    assert_non_null(out);
    fprintf(out, profile, jobs);
    assert_int_equal(fclose(out), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct diag d = {""};
    assert_non_null(f);
    assert_int_equal(test_folder_make(&f->files), 0);
    snprintf(f->parks, sizeof f->parks, "%s", f->files.path);
    test_folder_path(&f->files, "testpark.yaml", f->file);
    write_profile(f, 200);
    site_fixture_open(&f->site, true, NULL, f->parks, NULL);
    if (catalogue_load("deploy/catalogue.yaml", &f->catalogue, &d) != ERR_OK)
        fail_msg("%s", d.text);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    catalogue_free(f->catalogue);
    site_fixture_close(&f->site);
    int rc = test_folder_remove(&f->files);
    free(f);
    return rc;
}

// As the collector does at its start.
static size_t record(struct fixture *f, enum err expected)
{
    struct store *s = &f->site.store;
    struct reader *r = NULL;
    struct parks parks = {0};
    size_t added = 0;
    if (parks_load(f->parks, f->catalogue, &parks, &s->diag) != ERR_OK ||
        reader_open(s->folder, &r, &s->diag) != ERR_OK)
        fail_msg("%s", s->diag.text);
    enum err e = plans_record(s->ledger, r, "deploy/catalogue.yaml", &parks, &added, &s->diag);
    if (e != expected)
        fail_msg("%s", s->diag.text);
    reader_close(r);
    parks_free(&parks);
    return added;
}

static void what_did_not_change_is_recorded_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(record(f, ERR_OK), 2); // catalogue and park
    assert_int_equal(record(f, ERR_OK), 0);
    write_profile(f, 300);
    assert_int_equal(record(f, ERR_OK), 1);
    write_profile(f, 200); // back again is a change too
    assert_int_equal(record(f, ERR_OK), 1);
}

static void a_file_that_does_not_fit_is_named_and_the_others_are_recorded(void **state)
{
    struct fixture *f = *state;
    FILE *out = fopen(f->file, "a");
    assert_non_null(out);
    for (int i = 0; i < 5000; i++)
        fprintf(out, "# %060d\n", i);
    fclose(out);
    assert_int_equal(record(f, ERR_TOO_BIG), 1);
    assert_non_null(strstr(f->site.store.diag.text, "testpark.yaml: more than"));
}

static json_int_t target(struct fixture *f, const char *query)
{
    char address[200];
    json_error_t why;
    snprintf(address, sizeof address, "/api/v1/targets?park=testpark&%s", query);
    int status = site_fixture_get(&f->site, address);
    if (status != 200)
        return -status;
    json_t *all = json_loads(site_fixture_body(&f->site), 0, &why);
    json_t *targets = json_object_get(all, "targets");
    json_int_t value = json_array_size(targets) == 1
                           ? json_integer_value(json_object_get(json_array_get(targets, 0), "value"))
                           : -1;
    json_decref(all);
    return value;
}

// Moments: 0 h nothing, 1 h a plan of 200, 2 h one of 300; the file now says 250.
static void record_history(struct fixture *f, char moments[3][32])
{
    for (int i = 0; i < 3; i++) {
        int64_t us = atomic_load(&f->site.store.clock.wall_us);
        wall_text((struct wall){us}, moments[i]);
        fake_clock_advance_us(&f->site.store.clock, HOUR_US);
        write_profile(f, i == 0 ? 200 : i == 1 ? 300 : 250);
        if (i < 2)
            assert_true(record(f, ERR_OK) > 0);
    }
}

static void targets_are_those_that_were_planned_then(void **state)
{
    struct fixture *f = *state;
    char moments[3][32], query[128];
    static const json_int_t wanted[] = {-404, 200, 300};
    record_history(f, moments);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3; i++) {
            snprintf(query, sizeof query, "as_of=%s", moments[i]);
            assert_int_equal(target(f, query), wanted[i]);
        }
    assert_int_equal(target(f, "lang=en"), 200); // the file as it was when the dashboard started
    assert_int_equal(target(f, "as_of=2001-01&by=published"), 200);
    assert_int_equal(target(f, "as_of=soon"), -400);
    assert_int_equal(site_fixture_get(&f->site, "/api/v1/targets?as_of=2026-01"), 400);
    assert_string_equal(f->site.x.problem_param, "park");
}

static void after_a_restore_plans_are_those_of_the_ledger_that_is_there(void **state)
{
    struct fixture *f = *state;
    char backup[STORE_PATH];
    store_temp_folder(backup);
    assert_int_equal(record(f, ERR_OK), 2);
    store_copy(&f->site.store, backup);
    write_profile(f, 300);
    assert_int_equal(record(f, ERR_OK), 1);
    fake_clock_advance_us(&f->site.store.clock, HOUR_US);
    assert_int_equal(target(f, "as_of=now"), 300);
    store_restore(&f->site.store, backup);
    assert_int_equal(target(f, "as_of=now"), 200);
    store_remove_folder(backup);
}

static void a_profile_of_then_that_the_catalogue_of_now_does_not_fit_is_said(void **state)
{
    struct fixture *f = *state;
    struct store *s = &f->site.store;
    struct wire_receipt receipt;
    static const char broken[] = "code: testpark\n";
    store_begin(s);
    assert_int_equal(
        ledger_add_control(s->ledger, "park/testpark", broken, sizeof broken - 1, "x", &receipt, &s->diag),
        ERR_OK);
    store_commit(s);
    fake_clock_advance_us(&s->clock, HOUR_US);
    assert_int_equal(target(f, "as_of=now"), -500);
    assert_true(site_fixture_has(&f->site, "the profile of then cannot be read now"));
}

static void what_may_be_shown_of_a_plan_is_decided_by_the_profile_of_now(void **state)
{
    struct fixture *f = *state;
    struct readers readers;
    struct park *then = NULL;
    struct diag d = {""};
    const struct as_of as_of = {.asked = true, .us = INT64_MAX};
    record(f, ERR_OK);
    assert_int_equal(site_fixture_get(&f->site, "/healthz"), 200);
    assert_int_equal(site_store(f->site.site, &f->site.x.viewer, &readers, &d), ERR_OK);
    struct park *now = f->site.site->parks.parks[0];
    now->is_public = now->residents[0].is_public = true;
    if (plan_by(f->site.site, &readers, now, &as_of, &then, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_true(then->is_public && then->residents[0].is_public);
    park_free(then);
    now->is_public = now->residents[0].is_public = false;
    assert_int_equal(plan_by(f->site.site, &readers, now, &as_of, &then, &d), ERR_OK);
    assert_false(then->is_public || then->residents[0].is_public);
    park_free(then);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_did_not_change_is_recorded_once),
        T(a_file_that_does_not_fit_is_named_and_the_others_are_recorded),
        T(targets_are_those_that_were_planned_then),
        T(after_a_restore_plans_are_those_of_the_ledger_that_is_there),
        T(a_profile_of_then_that_the_catalogue_of_now_does_not_fit_is_said),
        T(what_may_be_shown_of_a_plan_is_decided_by_the_profile_of_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
