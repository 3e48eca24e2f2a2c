// What the load's agents send: a function of agent and number, so that what is sent again, and what is looked
// for in the ledger, is the same to the byte without being kept.
#ifndef ESEP_TESTS_BENCH_LOAD_FIGURES_H
#define ESEP_TESTS_BENCH_LOAD_FIGURES_H

#include "wire/codec.h"

struct figures {
    uint32_t series;  // of an agent; all measured, three of four in pieces (whole), every fourth in kWh
    uint32_t samples; // in a batch
    uint32_t step_s;
    uint32_t reason; // bytes of a note beside each sample; 0: none
    int64_t begin_s; // the first figure's time is a step later
    uint32_t seed;   // another one for each agent
};

// Number `number` of the agent's series: "out_units/load-7".
#define FIGURES_NAME 64
void figures_declare(const struct figures *f, uint32_t number, char name[FIGURES_NAME],
                     struct wire_declare *out);
// The batch with that sequence, appended. FULL: so many samples do not fit into a message.
enum err figures_batch(const struct figures *f, struct wire_builder *b, const struct wire_incarnation *i,
                       uint64_t sequence, struct buf *out) MUST_USE;
// How many batches lie between the first figure and the moment.
uint64_t figures_until(const struct figures *f, int64_t now_s);

#endif
