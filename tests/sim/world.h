// The parts of a simulated world. Shared by tests/sim/*.c only.
#ifndef ESEP_TESTS_SIM_WORLD_H
#define ESEP_TESTS_SIM_WORLD_H

#include "tests/sim/machines.h"

// ---- faults.c
struct snapshot_copy { // a copy of a state folder
    bool there;
    char folder[SIM_PATH];
    int whose; // agent's index; −1: the collector's
};
void faults_plan(struct world *w);
void faults_step(struct world *w); // when due
void faults_heal(struct world *w);
void copy_folder(const char *from, const char *to);
void empty_folder(const char *path);

// ---- check.c
void check_all(struct world *w);      // after everything was stopped
void check_counters(struct agent *a); // at any time
void check_reopened(struct world *w); // the ledger, after a boot

// ---- world.c
enum fate { FATE_LOST, FATE_DOUBLED, FATE_UNBALANCED, FATE_OTHER };
struct world {
    struct sim_stage *stage;
    struct virtual_disk *disk;
    const struct catalogue *catalogue;
    struct trace *trace;
    struct random random;
    struct wire_arena *arena; // for looking into messages
    char folder[64];
    int64_t now_us, end_us, fault_us;
    int64_t quiet_us; // sources give no more from then on
    struct agent agents[SIM_AGENTS];
    size_t agent_count;
    struct collector collector;
    struct network network;
    struct snapshot_copy copies[SIM_AGENTS + 1];
    int64_t blocked_until_us[SIM_AGENTS];
    bool block_up[SIM_AGENTS], block_down[SIM_AGENTS];
    uint32_t fault_kinds; // which of them this seed has
    int64_t fault_pause_ms;
    struct sim_result *result;
};
void world_fail(struct world *w, enum fate f, const char *fmt, ...) PRINTF(3, 4);
uint64_t world_random(struct world *w, uint64_t below);
bool world_chance(struct world *w, uint32_t of_1000);
int64_t world_between(struct world *w, int64_t low, int64_t high); // both included
#define world_event(w, ...) trace_event((w)->trace, (w)->now_us, __VA_ARGS__)

// What the whole process shares; interpose.c.
void interpose_use(struct virtual_disk *d, uint64_t seed);

#endif
