// The names that people and counters see. One table each, so that a number without a name can't be forgotten.
#include "wire/names.h"
#include <stddef.h>

static const char unknown[] = "unknown";

#define NAME_OF(table, value)                                                                                \
    ((size_t)(value) < sizeof(table) / sizeof(*(table)) && (table)[value] ? (table)[value] : unknown)

const char *wire_reason_name(enum wire_reason r)
{
    static const char *const names[] = {
        [WIRE_REASON_NONE] = "none",
        [WIRE_REASON_MALFORMED] = "malformed",
        [WIRE_REASON_UNKNOWN_SERIES] = "unknown-series",
        [WIRE_REASON_WRONG_CLASS] = "wrong-class",
        [WIRE_REASON_NOT_FINITE] = "not-finite",
        [WIRE_REASON_OUT_OF_RANGE] = "out-of-range",
        [WIRE_REASON_FUTURE] = "future",
        [WIRE_REASON_OFF_STEP] = "off-step",
        [WIRE_REASON_TOO_OLD] = "too-old",
        [WIRE_REASON_BAD_NOTE] = "bad-note",
        [WIRE_REASON_SERIES_TAKEN] = "series-taken",
        [WIRE_REASON_QUOTA] = "quota",
        [WIRE_REASON_PERIOD_CLOSED] = "period-closed",
        [WIRE_REASON_BEFORE_EPOCH] = "before-epoch",
    };
    _Static_assert(sizeof(names) / sizeof(*names) == WIRE_REASON_COUNT, "each reason has a name");
    return NAME_OF(names, r);
}

const char *wire_reason_text(enum wire_reason r)
{
    static const char *const texts[] = {
        [WIRE_REASON_NONE] = "accepted",
        [WIRE_REASON_MALFORMED] = "the message or its columns do not decode or do not fit together",
        [WIRE_REASON_UNKNOWN_SERIES] = "the series number was never declared",
        [WIRE_REASON_WRONG_CLASS] = "the series is of the other class (measurement or report)",
        [WIRE_REASON_NOT_FINITE] = "the value is not a number or is infinite",
        [WIRE_REASON_OUT_OF_RANGE] = "the value is beyond 2^53 or beyond the catalogue's bounds",
        [WIRE_REASON_FUTURE] =
            "the time is more than 300 s ahead of the collector's clock, or the period has not begun",
        [WIRE_REASON_OFF_STEP] = "the time is not on the series' step, or not the first day of a period",
        [WIRE_REASON_TOO_OLD] = "the raw figures of that month have been rolled up",
        [WIRE_REASON_BAD_NOTE] = "the note's index, status, text or currency is not valid",
        [WIRE_REASON_SERIES_TAKEN] = "another agent of the resident owns the series",
        [WIRE_REASON_QUOTA] = "the resident's limit of series or samples is reached",
        [WIRE_REASON_PERIOD_CLOSED] =
            "the period is closed: only the park's operator corrects it, with a reason",
        [WIRE_REASON_BEFORE_EPOCH] = "the time is before 1900-01-01",
    };
    _Static_assert(sizeof(texts) / sizeof(*texts) == WIRE_REASON_COUNT, "each reason has a text");
    return NAME_OF(texts, r);
}

const char *wire_gap_reason_name(enum wire_gap_reason r)
{
    static const char *const names[] = {
        [WIRE_GAP_NONE] = "none",
        [WIRE_GAP_QUOTA_BYTES] = "quota-bytes",
        [WIRE_GAP_QUOTA_AGE] = "quota-age",
        [WIRE_GAP_SPOOL_DAMAGED] = "spool-damaged",
        [WIRE_GAP_LOST_BY_COLLECTOR] = "lost-by-collector",
    };
    return NAME_OF(names, r);
}

const char *wire_refuse_reason_name(enum wire_refuse_reason r)
{
    static const char *const names[] = {
        [WIRE_REFUSE_NONE] = "none",
        [WIRE_REFUSE_HELLO_FIRST] = "hello-first",
        [WIRE_REFUSE_BAD_PROTOCOL] = "bad-protocol",
        [WIRE_REFUSE_BAD_MESSAGE] = "bad-message",
        [WIRE_REFUSE_REVOKED] = "revoked",
        [WIRE_REFUSE_OTHER_CONNECTION] = "other-connection",
        [WIRE_REFUSE_OTHER_BODY] = "other-body",
        [WIRE_REFUSE_DECLARE_CONFLICT] = "declare-conflict",
        [WIRE_REFUSE_DECLARE_INVALID] = "declare-invalid",
        [WIRE_REFUSE_OVER_QUOTA] = "over-quota",
        [WIRE_REFUSE_UNAVAILABLE] = "unavailable",
        [WIRE_REFUSE_WRONG_INCARNATION] = "wrong-incarnation",
        [WIRE_REFUSE_NOT_INVITED] = "not-invited",
        [WIRE_REFUSE_INVITE_USED] = "invite-used",
        [WIRE_REFUSE_INVITE_EXPIRED] = "invite-expired",
        [WIRE_REFUSE_KEY_TAKEN] = "key-taken",
        [WIRE_REFUSE_SERIES_OWNED] = "series-owned",
    };
    _Static_assert(sizeof(names) / sizeof(*names) == WIRE_REFUSE_COUNT, "each reason has a name");
    return NAME_OF(names, r);
}

const char *wire_type_name(enum wire_type t)
{
    static const char *const names[] = {
        [WIRE_BATCH] = "batch",
        [WIRE_GAP] = "gap",
        [WIRE_ACK] = "ack",
        [WIRE_REJECT] = "reject",
        [WIRE_HELLO] = "hello",
        [WIRE_WELCOME] = "welcome",
        [WIRE_DECLARE] = "declare",
        [WIRE_NEED_DECLARE] = "need-declare",
        [WIRE_HEARTBEAT] = "heartbeat",
        [WIRE_REFUSE] = "refuse",
        [WIRE_CONTROL_MESSAGE] = "control",
        [WIRE_ROLLUP] = "rollup",
        [WIRE_SEAL] = "seal",
        [WIRE_RELEASE] = "release",
        [WIRE_ENROL] = "enrol",
        [WIRE_ENROLLED] = "enrolled",
        [WIRE_ROTATE] = "rotate",
        [WIRE_ROTATED] = "rotated",
        [WIRE_OBLIGATIONS] = "obligations",
    };
    return NAME_OF(names, t);
}
