// Connections between the machines of a simulated world.
#ifndef ESEP_TESTS_SIM_LINKS_H
#define ESEP_TESTS_SIM_LINKS_H

#include "tests/sim/figures.h"

// ---- links.c: connections
struct packet {
    int64_t due_us;
    size_t len;
    struct packet *next;
    uint8_t bytes[];
};
struct way { // one direction of a connection: in order
    struct packet *first, **last;
    size_t count;
    int64_t due_us; // of the last
};
enum link_end { END_OPENING, END_UP, END_GONE };
struct link {
    uint64_t serial;
    struct agent *agent;
    enum link_end at_agent, at_collector; // GONE: that side knows it
    bool cut;                             // nothing gets through any more, whoever knows
    char token[ADMISSION_TOKEN];
    struct way up, down; // to the collector, to the agent
    int64_t agent_knows_us, collector_knows_us, open_us;
    size_t water_mark;
    struct link *next;
};
struct network {
    struct link *links;
    uint64_t serials;
    int64_t delay_us, jitter_us; // of a message
    uint32_t drop;               // of a thousand messages
};
struct link *link_open(struct world *w, struct agent *a);
void link_close_by_agent(struct world *w, struct link *l, bool politely);
void links_collector_gone(struct world *w, bool politely); // process ended, or only stopped answering
void link_cut(struct world *w, struct link *l);            // half-open until both have noticed
void links_block(struct world *w, const struct agent *a);  // a way has been blocked
struct link *link_of(const struct world *w, const struct mq_peer *peer); // NULL: forgotten
enum err link_send_up(struct world *w, struct link *l, const void *bytes, size_t len);
enum err link_send_down(struct world *w, const struct mq_peer *peer, const void *bytes, size_t len);
int64_t links_due_us(const struct world *w);
void links_step(struct world *w);
void links_free(struct world *w);

#endif
