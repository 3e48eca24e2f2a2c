// One seed of the simulation: a park's collector and a few agents in one process, with a clock, a network,
// disks and sources that are made up, and everything that can happen to them. The seed decides all; the same
// seed gives the same trace, bit for bit.
#ifndef ESEP_TESTS_SIM_H
#define ESEP_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_stage; // what all seeds share: the disk, the catalogue, a folder
struct sim_stage *
sim_stage_create(const char *folder); // a folder on tmpfs that is not there yet; NULL: said why
void sim_stage_destroy(struct sim_stage *s);

struct sim_result {
    uint64_t trace; // hash of all events
    uint64_t events;
    uint64_t acked, stored; // samples
    uint64_t lost, doubled, unbalanced;
    char failure[700]; // "" when all held
};
void sim_run(struct sim_stage *stage, uint64_t seed, bool verbose, struct sim_result *out);
// The last events before a failure, one line each, to stderr.
void sim_print_last(const struct sim_stage *stage);

#endif
