// A made-up network between one agent and one collector: messages are lost, come twice, come late and out of
// order, all decided by a seed. Time is the fake clock's.
#ifndef ESEP_TESTS_FLOW_NETWORK_H
#define ESEP_TESTS_FLOW_NETWORK_H

#include "base/clock.h"
#include "tests/support/random.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum direction { TO_COLLECTOR, TO_AGENT };

struct weather { // in a thousand messages
    uint32_t lost, doubled, late;
    int64_t late_max_ms;
};

struct packet {
    enum direction direction;
    uint64_t connection; // messages of an earlier connection never arrive
    int64_t due_us, order;
    size_t len;
    void *bytes; // owned
};

struct network {
    const struct fake_clock *clock;
    struct random random;
    struct weather weather;
    uint64_t connection;
    struct packet *packets;
    size_t count, cap;
    int64_t sent;
    uint64_t lost, doubled, delivered;
};

void network_init(struct network *n, const struct fake_clock *clock, uint64_t seed, struct weather w);
void network_deinit(struct network *n);
void network_send(struct network *n, enum direction d, const void *bytes, size_t len);
// The next message that is due; *out's bytes are the caller's to free.
bool network_take(struct network *n, struct packet *out);
// Everything on the way is gone; a new connection begins.
void network_cut(struct network *n);
// Microseconds until a message is due; INT64_MAX: none is on the way.
int64_t network_wait_us(const struct network *n);

#endif
