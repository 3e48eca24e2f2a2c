// One agent of the load: Hello, Declares, Batches within its credit, as esep.proto says. It keeps no figures:
// what must be sent again is made again.
#ifndef ESEP_TESTS_BENCH_LOAD_PEER_H
#define ESEP_TESTS_BENCH_LOAD_PEER_H

#include "base/clock.h"
#include "net/mq.h"
#include "tests/bench/load/delays.h"
#include "tests/bench/load/figures.h"

struct peer_sent { // a batch on its way
    uint32_t bytes;
    int64_t at_us; // 0: sent again, so that nobody can tell which one was answered
};

struct peer {
    struct figures figures;
    struct mq_socket *socket; // owned
    struct wire_incarnation incarnation;
    bool up, welcomed, blocked; // blocked: the socket took no more
    uint32_t declared;
    uint64_t made, base;        // batches that there are by now; that there were before this turn
    uint64_t sent, most, acked; // sequences; most: the highest ever sent
    uint64_t credit, in_flight; // bytes
    uint64_t refused;           // samples, and messages that were answered Refuse
    uint64_t bytes;             // of batches, sent
    struct peer_sent *window;   // owned; of the sequences acked + 1 .. sent, by sequence % PEER_WINDOW
    struct mono asked, heard;   // of the last Hello; the last acknowledgement
    struct wire_receipt receipt;
    char trouble[128]; // the last Refuse's words
};
#define PEER_WINDOW 4096

struct peer_tools { // shared by the peers of one thread
    struct wire_builder *builder;
    struct wire_arena *arena;
    struct buf message;
    struct delays delays; // from a batch's first sending to its acknowledgement
};
enum err peer_tools_init(struct peer_tools *t) MUST_USE;
void peer_tools_deinit(struct peer_tools *t);

enum err peer_connect(struct peer *p, struct mq *mq, const struct mq_dealer_options *o,
                      struct diag *d) MUST_USE;
void peer_close(struct peer *p);
// Takes what has come and sends what may be sent. An error is of this side: memory, a batch that does not
// fit.
enum err peer_step(struct peer *p, struct peer_tools *t, struct diag *d) MUST_USE;
bool peer_wants_write(const struct peer *p);

#endif
