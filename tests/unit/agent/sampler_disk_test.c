// The sampler on a disk that fills up and has room again, while no source brings anything.
#include "agent/sampler.h"
#include "tests/support/cmocka.h"
#include "tests/support/spool_bench.h"
#include "tests/support/virtual_system.h"
#include <stdlib.h>

struct fixture {
    struct virtual_disk *disk;
    int machine;
    struct spool_bench *bench;
    struct agent_config config;
    struct sampler *sampler;
};

static void on_change(void *ctx)
{
    (void)ctx;
}

static void create_sampler(struct fixture *f)
{
    const struct sampler_options o = {.config = &f->config,
                                      .clock = &f->bench->clock.clock,
                                      .spool = f->bench->spool,
                                      .changed = on_change};
    if (sampler_create(&o, &f->sampler, &f->bench->diag) != ERR_OK)
        fail_msg("%s", f->bench->diag.text);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    void *bench = NULL;
    assert_non_null(f);
    f->disk = virtual_disk_create(1);
    assert_non_null(f->disk);
    virtual_system_use(f->disk);
    assert_int_equal(spool_bench_setup(&bench), 0);
    f->bench = bench;
    spool_bench_close(f->bench);
    f->machine = virtual_disk_add_machine(f->disk, f->bench->folder.path);
    spool_bench_open(f->bench);
    f->config = (struct agent_config){.file = "agent.yaml",
                                      .endpoint = "tcp://127.0.0.1:1",
                                      .state = f->bench->folder.path,
                                      .spool_max_bytes = f->bench->options.max_bytes};
    create_sampler(f);
    spool_bench_declare(f->bench);
    for (int i = 0; i < 3; i++)
        spool_bench_append(f->bench, 5);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *bench = f->bench;
    sampler_destroy(f->sampler);
    int rc = spool_bench_teardown(&bench);
    virtual_system_use(NULL);
    virtual_disk_destroy(f->disk);
    free(f);
    return rc;
}

static void pass(struct fixture *f, int64_t seconds)
{
    fake_clock_advance_us(&f->bench->clock, seconds * US_PER_S);
    assert_int_equal(sampler_step(f->sampler, &f->bench->diag), ERR_OK);
}

static void ask(struct fixture *f, const struct sampler_request *r)
{
    assert_int_equal(sampler_request(f->sampler, r, &f->bench->diag), ERR_OK);
}

static void sending_begins_when_a_full_disk_has_room_again(void **state)
{
    struct fixture *f = *state;
    virtual_disk_fill(f->disk, f->machine, true, true);
    ask(f, &(struct sampler_request){.type = SAMPLER_ALLOW, .sending = true});
    pass(f, 60);
    assert_int_equal(spool_peek(f->bench->spool)->sendable, 0);
    virtual_disk_fill(f->disk, f->machine, false, false);
    pass(f, 6);
    assert_int_equal(spool_peek(f->bench->spool)->sendable, 3);
}

static void an_acknowledgement_is_stored_when_a_full_disk_has_room_again(void **state)
{
    struct fixture *f = *state;
    ask(f, &(struct sampler_request){.type = SAMPLER_ALLOW, .sending = true});
    virtual_disk_fill(f->disk, f->machine, true, true);
    ask(f, &(struct sampler_request){.type = SAMPLER_ACKNOWLEDGE, .sequence = 2});
    pass(f, 60);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 0);
    virtual_disk_fill(f->disk, f->machine, false, false);
    pass(f, 6);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 2);
    spool_bench_expect_balance(f->bench);
}

static void on_a_full_disk_what_was_noted_as_acknowledged_stays_a_note(void **state)
{
    struct fixture *f = *state;
    struct agent_series series = {
        .declared = "out_units", .unit = "piece", .currency = "", .class = WIRE_MEASUREMENT, .step_s = 10};
    struct agent_source hand = {.name = "desk",
                                .kind = AGENT_SOURCE_HAND,
                                .class = WIRE_MEASUREMENT,
                                .every_s = 3600,
                                .series_count = 1,
                                .series = &series};
    ask(f, &(struct sampler_request){.type = SAMPLER_ACKNOWLEDGE, .sequence = 2});
    sampler_destroy(f->sampler);
    spool_bench_close(f->bench);
    f->sampler = NULL;
    f->config.sources = &hand;
    f->config.source_count = 1;
    virtual_disk_fill(f->disk, f->machine, true, true);
    spool_bench_open(f->bench);
    assert_true(f->bench->opened.noted);
    create_sampler(f);
    pass(f, 60);
    struct spool_state seen;
    assert_int_equal(spool_reader_state(f->bench->reader, &seen, &f->bench->diag), ERR_OK);
    assert_int_equal(seen.last_acknowledged, 2);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 0);
    virtual_disk_fill(f->disk, f->machine, false, false);
    pass(f, 6);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 2);
    spool_bench_expect_balance(f->bench);
}

// Of 1 to 5 the tables know 2 as acknowledged, and 3 waits to be stored, when the collector turns out to know
// other ones than the agent thought; the first write after that finds no room, those behind it do.
static void reconcile_while_an_acknowledgement_waits(struct fixture *f, enum sampler_request_type type)
{
    const struct spool_state *st = spool_peek(f->bench->spool);
    spool_bench_append(f->bench, 5);
    spool_bench_append(f->bench, 5);
    ask(f, &(struct sampler_request){.type = SAMPLER_ALLOW, .sending = true});
    ask(f, &(struct sampler_request){.type = SAMPLER_ACKNOWLEDGE, .sequence = 2});
    pass(f, 91);
    assert_int_equal(st->last_acknowledged, 2);
    ask(f, &(struct sampler_request){.type = SAMPLER_ACKNOWLEDGE, .sequence = 3});
    ask(f, &(struct sampler_request){.type = type, .sequence = 1, .generation = st->generation});
    virtual_disk_arm(f->disk, f->machine, 1, MISHAP_NO_SPACE);
    pass(f, 1);
    assert_int_equal(st->last_acknowledged, 2);
    assert_int_equal(st->generation, 1);
    pass(f, 6);
    assert_int_equal(st->generation, 2);
    for (int i = 0; i < 3; i++)
        pass(f, 100);
    spool_bench_expect_balance(f->bench);
}

static void a_rewind_waits_for_the_acknowledgement_before_it(void **state)
{
    struct fixture *f = *state;
    reconcile_while_an_acknowledgement_waits(f, SAMPLER_REWIND);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 1);
    assert_int_equal(spool_peek(f->bench->spool)->counters.spooled, 20);
}

static void a_new_incarnation_waits_for_the_acknowledgement_before_it(void **state)
{
    struct fixture *f = *state;
    reconcile_while_an_acknowledgement_waits(f, SAMPLER_RENEW);
    assert_int_equal(spool_peek(f->bench->spool)->last_written, 2);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 0);
    assert_int_equal(spool_peek(f->bench->spool)->counters.spooled, 10);
}

static void a_rewind_is_done_when_a_full_disk_has_room_again(void **state)
{
    struct fixture *f = *state;
    ask(f, &(struct sampler_request){.type = SAMPLER_ALLOW, .sending = true});
    ask(f, &(struct sampler_request){.type = SAMPLER_ACKNOWLEDGE, .sequence = 2});
    ask(f, &(struct sampler_request){.type = SAMPLER_REWIND, .sequence = 1, .generation = 1});
    virtual_disk_fill(f->disk, f->machine, true, true);
    for (int i = 0; i < 60; i++)
        pass(f, 10);
    assert_int_equal(spool_peek(f->bench->spool)->generation, 1);
    virtual_disk_fill(f->disk, f->machine, false, false);
    pass(f, 6);
    assert_int_equal(spool_peek(f->bench->spool)->generation, 2);
    assert_int_equal(spool_peek(f->bench->spool)->last_acknowledged, 1);
    spool_bench_expect_balance(f->bench);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sending_begins_when_a_full_disk_has_room_again),
        T(an_acknowledgement_is_stored_when_a_full_disk_has_room_again),
        T(on_a_full_disk_what_was_noted_as_acknowledged_stays_a_note),
        T(a_rewind_waits_for_the_acknowledgement_before_it),
        T(a_new_incarnation_waits_for_the_acknowledgement_before_it),
        T(a_rewind_is_done_when_a_full_disk_has_room_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
