// The collector without its threads and socket: ingest, committer, observer and round-robin writer, stepped
// by hand.
#ifndef ESEP_TESTS_FLOW_COLLECTOR_SIDE_H
#define ESEP_TESTS_FLOW_COLLECTOR_SIDE_H

#include "collector/committer.h"
#include "collector/ingest.h"
#include "collector/rrd_writer.h"
#include "store/observations.h"
#include "tests/flow/network.h"

struct collector_side {
    const char *state; // folder; borrowed
    const struct clock *clock;
    struct network *network;
    uint8_t agent_key[KEY_BYTES];
    char token[ADMISSION_TOKEN];
    struct counters counters;
    struct catalogue *catalogue;
    struct ledger *ledger;
    struct reader *committer_reader, *observer_reader, *rrd_reader;
    struct admission *admission;
    struct committer *committer;
    struct ingest *ingest;
    struct observations *observations;
    struct observations_reader *points;
    struct rrd_writer *rrd;
    struct item *items[64];
    size_t item_count;
    struct mono ticked;
};

// Opens (or opens again) everything on the state folder and lets the key in as testpark/plant.
void collector_side_open(struct collector_side *c);
void collector_side_close(struct collector_side *c);
void collector_side_receive(struct collector_side *c, const struct packet *p);
// Commits what has been received and answers.
void collector_side_step(struct collector_side *c);
// Runs the projections until they are up to date.
void collector_side_project(struct collector_side *c);

#endif
