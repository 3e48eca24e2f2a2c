// A hundred seeds of the simulation (tests/sim); `make check-sim SEEDS=5000` runs more.
#include "tests/sim/sim.h"
#include "tests/support/cmocka.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEEDS 100

static int open_stage(void **state)
{
    char folder[64];
    struct stat st;
    snprintf(folder, sizeof folder, "%s/esep-sim-test-%d", stat("/dev/shm", &st) == 0 ? "/dev/shm" : "/tmp",
             (int)getpid());
    *state = sim_stage_create(folder);
    return *state ? 0 : -1;
}

static int close_stage(void **state)
{
    sim_stage_destroy(*state);
    return 0;
}

static void whatever_happens_nothing_acknowledged_is_lost_or_stored_twice(void **state)
{
    struct sim_result r;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        sim_run(*state, seed, false, &r);
        if (r.failure[0])
            fail_msg("seed %d: %s (make check-sim SEED=%d shows it)", (int)seed, r.failure, (int)seed);
        assert_true(r.events > 10);
    }
}

static void a_seed_always_takes_the_same_course(void **state)
{
    struct sim_result first, second;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        sim_run(*state, seed, false, &first);
        sim_run(*state, seed, false, &second);
        assert_int_equal(first.trace, second.trace);
        assert_int_equal(first.events, second.events);
    }
}

static void seeds_differ(void **state)
{
    struct sim_result first, second;
    sim_run(*state, 1, false, &first);
    sim_run(*state, 2, false, &second);
    assert_int_not_equal(first.trace, second.trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_nothing_acknowledged_is_lost_or_stored_twice),
        cmocka_unit_test(a_seed_always_takes_the_same_course),
        cmocka_unit_test(seeds_differ),
    };
    return cmocka_run_group_tests_name("sim", tests, open_stage, close_stage);
}
