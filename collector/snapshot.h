// What ingest says of its connections when control asks.
#ifndef ESEP_COLLECTOR_SNAPSHOT_H
#define ESEP_COLLECTOR_SNAPSHOT_H

#include "wire/message.h"

struct snapshot_agent {
    int64_t key_id;
    bool next_key;          // it came by the collector's next key
    bool connected, slowed; // slowed: without credit, because its resident's samples a second are used up
    int64_t last_seen_us, clock_skew_ms;
    uint64_t credit_bytes, in_flight_bytes;
    char version[WIRE_VERSION_MAX + 1];
    struct wire_incarnation incarnation;
    struct wire_counters counters;
};

struct snapshot {
    uint64_t credit_bytes, in_flight_bytes; // credit: what a Welcome would state now
    size_t count;
    struct snapshot_agent *agents; // owned
};

#endif
