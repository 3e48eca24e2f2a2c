// The agent without its threads and socket: sampler, spool and uplink, stepped by hand.
#ifndef ESEP_TESTS_FLOW_AGENT_SIDE_H
#define ESEP_TESTS_FLOW_AGENT_SIDE_H

#include "agent/sampler.h"
#include "agent/spool_reader.h"
#include "agent/uplink_core.h"
#include "tests/flow/network.h"

#define AGENT_SIDE_REQUESTS 256

struct agent_side {
    const char *config_path; // agent.yaml; borrowed
    const struct clock *clock;
    struct network *network;
    struct random random;
    struct agent_config *config;
    struct spool *spool;
    struct spool_reader *reader;
    struct sampler *sampler;
    struct uplink_core *uplink;
    struct sampler_request requests[AGENT_SIDE_REQUESTS]; // the uplink's, in its order
    size_t request_count;
    bool changed;      // the spool holds something new
    bool disconnected; // the uplink wants another connection
    uint64_t events[UPLINK_SPOOL_UNREADABLE + 1];
};

void agent_side_open(struct agent_side *a);
void agent_side_close(struct agent_side *a);
// The handshake of the network's present connection is done.
void agent_side_connect(struct agent_side *a);
void agent_side_receive(struct agent_side *a, const struct packet *p);
void agent_side_step(struct agent_side *a);
// Milliseconds that may pass before the next step.
int agent_side_wait_ms(const struct agent_side *a);
// All that was sampled is acknowledged.
bool agent_side_done(const struct agent_side *a);

#endif
