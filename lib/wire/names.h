// esep.proto's numbers, and the names that people, counters and scripts see. Any value is accepted where a
// name is asked for.
#ifndef ESEP_WIRE_NAMES_H
#define ESEP_WIRE_NAMES_H

enum wire_class { WIRE_MEASUREMENT = 1, WIRE_REPORT = 2, WIRE_CONTROL = 3 };
enum wire_status { WIRE_NORMAL, WIRE_PROVISIONAL, WIRE_ESTIMATED, WIRE_MISSING };

enum wire_reason { // esep.proto's Reason, same numbers
    WIRE_REASON_NONE,
    WIRE_REASON_MALFORMED,
    WIRE_REASON_UNKNOWN_SERIES,
    WIRE_REASON_WRONG_CLASS,
    WIRE_REASON_NOT_FINITE,
    WIRE_REASON_OUT_OF_RANGE,
    WIRE_REASON_FUTURE,
    WIRE_REASON_OFF_STEP,
    WIRE_REASON_TOO_OLD,
    WIRE_REASON_BAD_NOTE,
    WIRE_REASON_SERIES_TAKEN,
    WIRE_REASON_QUOTA,
    WIRE_REASON_PERIOD_CLOSED,
    WIRE_REASON_BEFORE_EPOCH,
    WIRE_REASON_COUNT
};
// "future"; a sentence for a person. Any value is accepted.
const char *wire_reason_name(enum wire_reason r);
const char *wire_reason_text(enum wire_reason r);

enum wire_gap_reason {
    WIRE_GAP_NONE,
    WIRE_GAP_QUOTA_BYTES,
    WIRE_GAP_QUOTA_AGE,
    WIRE_GAP_SPOOL_DAMAGED,
    WIRE_GAP_LOST_BY_COLLECTOR
};
const char *wire_gap_reason_name(enum wire_gap_reason r);

enum wire_refuse_reason { // esep.proto's RefuseReason, same numbers
    WIRE_REFUSE_NONE,
    WIRE_REFUSE_HELLO_FIRST,
    WIRE_REFUSE_BAD_PROTOCOL,
    WIRE_REFUSE_BAD_MESSAGE,
    WIRE_REFUSE_REVOKED,
    WIRE_REFUSE_OTHER_CONNECTION,
    WIRE_REFUSE_OTHER_BODY,
    WIRE_REFUSE_DECLARE_CONFLICT,
    WIRE_REFUSE_DECLARE_INVALID,
    WIRE_REFUSE_OVER_QUOTA,
    WIRE_REFUSE_UNAVAILABLE,
    WIRE_REFUSE_WRONG_INCARNATION,
    WIRE_REFUSE_NOT_INVITED,
    WIRE_REFUSE_INVITE_USED,
    WIRE_REFUSE_INVITE_EXPIRED,
    WIRE_REFUSE_KEY_TAKEN,
    WIRE_REFUSE_SERIES_OWNED,
    WIRE_REFUSE_COUNT
};
const char *wire_refuse_reason_name(enum wire_refuse_reason r);

enum wire_type { // esep.proto's field numbers in Envelope
    WIRE_BATCH = 1,
    WIRE_GAP,
    WIRE_ACK,
    WIRE_REJECT,
    WIRE_HELLO,
    WIRE_WELCOME,
    WIRE_DECLARE,
    WIRE_NEED_DECLARE,
    WIRE_HEARTBEAT,
    WIRE_REFUSE,
    WIRE_CONTROL_MESSAGE,
    WIRE_ROLLUP,
    WIRE_SEAL,
    WIRE_RELEASE,
    WIRE_ENROL,
    WIRE_ENROLLED,
    WIRE_ROTATE,
    WIRE_ROTATED,
    WIRE_OBLIGATIONS
};
const char *wire_type_name(enum wire_type t);

#endif
