// The messages of esep.proto as plain structs: what codec.h reads and writes. Strings and arrays are borrowed
// (from the decoder's arena, or from the caller when encoding).
#ifndef ESEP_WIRE_MESSAGE_H
#define ESEP_WIRE_MESSAGE_H

#include "base/figure.h"
#include "wire/limits.h"
#include "wire/message_identity.h"
#include "wire/message_kept.h"
#include "wire/message_owed.h"
#include "wire/names.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_incarnation {
    uint8_t bytes[WIRE_INCARNATION_BYTES];
};

struct wire_receipt {
    uint64_t position; // 0: none
    uint8_t chain[WIRE_CHAIN_BYTES];
};

struct wire_counters {
    uint64_t sampled, refused, spooled, spool_bytes, source_errors, acknowledged, gaps;
};

struct wire_hello {
    uint32_t protocol;
    const char *version;
    int64_t clock_us;
    struct wire_incarnation incarnation;
    uint32_t declares;
    uint64_t first_kept, last_written, last_acknowledged;
    struct wire_receipt last_receipt;
    struct wire_counters counters;
    bool obligations; // it wants to be told what its resident owes
};

struct wire_welcome {
    const char *resident;
    uint64_t last_sequence;
    uint32_t declares_known;
    uint64_t credit_bytes;
    int64_t clock_us;
    uint32_t max_series, max_batch_bytes;
    uint32_t next_port; // 0: no next key
    uint8_t next_key[WIRE_KEY_BYTES];
};

struct wire_declare {
    struct wire_incarnation incarnation;
    uint32_t number;
    const char *series; // "kpi" or "kpi/dimension"
    const char *unit;
    const char *currency; // "" when the unit is not money
    enum wire_class class;
    uint32_t step_s; // 0 for reports
    uint32_t period; // esep.proto's Period; 0 for measurements
};

struct wire_sample {
    uint32_t series; // declared number
    int64_t time;    // measurement: seconds since 1970, end of step; report: day number of its first day
    struct figure value;
    enum wire_reason refused; // set by the decoder for a value that cannot be a figure; else WIRE_REASON_NONE
};

struct wire_note {
    uint32_t index;
    enum wire_status status;
    bool confidential;
    const char *reason, *author, *currency; // "" when absent
    int64_t published_us;                   // 0 when absent
};

struct wire_batch {
    struct wire_incarnation incarnation;
    uint64_t sequence;
    enum wire_class class;
    uint32_t declares;
    size_t count;
    const struct wire_sample *samples;
    size_t note_count;
    const struct wire_note *notes;
};

struct wire_gap {
    struct wire_incarnation incarnation;
    uint64_t first, last, samples;
    int64_t from_s, to_s;
    enum wire_gap_reason reason;
};

struct wire_ack {
    uint64_t sequence;
    uint64_t credit_bytes;
    struct wire_receipt receipt;
    uint64_t repeat; // 0: answers no repeat
};

struct wire_refusal { // one refused sample
    uint32_t index;
    enum wire_reason reason;
};

struct wire_reject {
    uint64_t sequence;
    bool whole;
    enum wire_reason whole_reason; // with whole
    size_t count;                  // without
    const struct wire_refusal *refusals;
};

struct wire_heartbeat {
    int64_t clock_us;
    struct wire_counters counters;
};

struct wire_refuse {
    enum wire_refuse_reason reason;
    const char *text;
};

struct wire_message {
    enum wire_type type;
    union {
        struct wire_batch batch;
        struct wire_gap gap;
        struct wire_ack ack;
        struct wire_reject reject;
        struct wire_hello hello;
        struct wire_welcome welcome;
        struct wire_declare declare;
        uint32_t need_declare_from;
        struct wire_heartbeat heartbeat;
        struct wire_refuse refuse;
        struct wire_control control;
        struct wire_rollup rollup;
        struct wire_seal seal;
        struct wire_release release;
        struct wire_enrol enrol;
        struct wire_enrolled enrolled;
        struct wire_rotate rotate; // also of WIRE_ROTATED
        struct wire_obligations obligations;
    };
};

#endif
