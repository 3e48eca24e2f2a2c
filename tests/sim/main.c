// The simulation as a program: `sim SEEDS` runs the seeds from 1 on in two processes, `sim seed N` one,
// verbosely.
#include "tests/sim/sim.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES   2
#define TWICE_EVERY 50 // a seed is run again: its trace must be the same

struct sum {
    uint64_t seeds, acked, stored, lost, doubled, unbalanced, failed;
};

static struct sim_stage *stage(void)
{
    char folder[64];
    struct stat st;
    snprintf(folder, sizeof folder, "%s/esep-sim-%d", stat("/dev/shm", &st) == 0 ? "/dev/shm" : "/tmp",
             (int)getpid());
    return sim_stage_create(folder);
}

static void tell_failure(const struct sim_stage *s, uint64_t seed, const char *why)
{
    fprintf(stderr, "sim: seed=%" PRIu64 " FAILED: %s\n", seed, why);
    sim_print_last(s);
    fprintf(stderr, "sim: again, with all it does: make check-sim SEED=%" PRIu64 "\n", seed);
}

static void run_seed(struct sim_stage *s, uint64_t seed, struct sum *sum)
{
    struct sim_result r, again;
    sim_run(s, seed, false, &r);
    sum->seeds++;
    sum->acked += r.acked;
    sum->stored += r.stored;
    sum->lost += r.lost;
    sum->doubled += r.doubled;
    sum->unbalanced += r.unbalanced;
    if (r.failure[0]) {
        sum->failed++;
        tell_failure(s, seed, r.failure);
    }
    if (seed % TWICE_EVERY != 0)
        return;
    sim_run(s, seed, false, &again);
    if (again.trace == r.trace && again.events == r.events)
        return;
    sum->failed++;
    tell_failure(s, seed, "the same seed took another course");
}

static int run_child(int out, uint64_t first, uint64_t last)
{
    struct sum sum = {0};
    struct sim_stage *s = stage();
    if (!s)
        return 1;
    for (uint64_t seed = first; seed <= last && sum.failed < 5; seed += PROCESSES)
        run_seed(s, seed, &sum);
    sim_stage_destroy(s);
    return write(out, &sum, sizeof sum) == (ssize_t)sizeof sum ? 0 : 1;
}

static int run_all(uint64_t first, uint64_t seeds)
{
    struct sum all = {0}, one;
    struct timespec begun, ended;
    int pipes[2], status;
    bool whole = pipe(pipes) == 0;
    clock_gettime(CLOCK_MONOTONIC, &begun);
    for (uint64_t i = 0; whole && i < PROCESSES; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(run_child(pipes[1], first + i, first + seeds - 1));
        whole = child > 0;
    }
    for (int i = 0; whole && i < PROCESSES; i++)
        whole =
            wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
            read(pipes[0], &one, sizeof one) == (ssize_t)sizeof one &&
            (all.seeds += one.seeds, all.acked += one.acked, all.stored += one.stored, all.lost += one.lost,
             all.doubled += one.doubled, all.unbalanced += one.unbalanced, all.failed += one.failed, true);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("sim: seeds=%" PRIu64 " acked=%" PRIu64 " stored=%" PRIu64 " lost=%" PRIu64 " doubled=%" PRIu64
           " unbalanced=%" PRIu64 " seconds=%ld\n",
           all.seeds, all.acked, all.stored, all.lost, all.doubled, all.unbalanced,
           (long)(ended.tv_sec - begun.tv_sec));
    return whole && all.failed == 0 ? 0 : 1;
}

static int run_one(uint64_t seed)
{
    struct sim_result r;
    struct sim_stage *s = stage();
    if (!s)
        return 1;
    sim_run(s, seed, true, &r);
    sim_stage_destroy(s);
    if (r.failure[0])
        fprintf(stderr, "sim: seed=%" PRIu64 " FAILED: %s\n", seed, r.failure);
    printf("sim: seed=%" PRIu64 " events=%" PRIu64 " trace=%016" PRIx64 " acked=%" PRIu64 " stored=%" PRIu64
           " %s\n",
           seed, r.events, r.trace, r.acked, r.stored, r.failure[0] ? "FAILED" : "held");
    return r.failure[0] ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "seed") == 0)
        return run_one(strtoull(argv[2], NULL, 10));
    if (argc == 2 || argc == 3)
        return run_all(argc == 3 ? strtoull(argv[2], NULL, 10) : 1, strtoull(argv[1], NULL, 10));
    fprintf(stderr, "usage: sim SEEDS [FIRST] | sim seed N\n");
    return 2;
}
