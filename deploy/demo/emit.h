// What a simulated enterprise's own systems would hand over: files that grow and a program that prints the
// current step.
#ifndef ESEP_DEMO_EMIT_H
#define ESEP_DEMO_EMIT_H

#include "base/err.h"
#include "deploy/demo/world.h"
#include <stdint.h>
#include <stdio.h>

struct history {
    const char *dir;   // daily.csv, monthly.csv, machine.csv are in it
    int64_t started_s; // when the demo's state was made: history reaches back from here
    int64_t to_s;      // up to this moment
    int64_t after_s;   // machine figures up to this moment are known already, from live ones
    int machine_hours; // before started_s
    int report_months; // before the month of started_s
};
// Writes the rows that are not in the files yet; what is there stays. *figures: how many were written.
enum err emit_history(struct world *w, const struct history *h, uint64_t *figures, struct diag *d) MUST_USE;

// Lines "kpi[/dimension] value time" for the machine steps that end in from_s < time <= to_s, in rising time.
void emit_machine(struct world *w, int64_t from_s, int64_t to_s, FILE *out);

// "time value" for each figure of one series: periods or seconds, money in major units. NOT_FOUND.
enum err emit_expected(struct world *w, const char *series, int64_t from, int64_t to, FILE *out,
                       struct diag *d) MUST_USE;

struct agent_setup {
    const char *name;    // park/resident
    const char *program; // of the simulator
    const char *profile; // residents.yaml
    const char *dir;     // of the enterprise's files
    const char *state;   // of the agent
    const char *endpoint;
    const char *key;  // the collector's public key
    const char *gate; // file that says when live figures begin
};
// The agent.yaml that reads all of the above.
void emit_agent_config(const struct world *w, const struct agent_setup *a, FILE *out);

#endif
