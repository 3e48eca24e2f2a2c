// What every message is bounded by; esep.proto states the same numbers in words.
#ifndef ESEP_WIRE_LIMITS_H
#define ESEP_WIRE_LIMITS_H

#define WIRE_PROTOCOL          1
#define WIRE_MESSAGE_MAX_BYTES 16384
#define WIRE_SAMPLES_MAX       8192 // in a batch: 16 KiB cannot hold more of two bytes each
#define WIRE_NOTES_MAX         4096
#define WIRE_INCARNATION_BYTES 16
#define WIRE_CHAIN_BYTES       32
#define WIRE_KEY_BYTES         32
#define WIRE_SECRET_BYTES      16
#define WIRE_ENDPOINT_MAX      255
#define WIRE_RESIDENT_MAX      127 // "park/resident"
#define WIRE_VERSION_MAX       63
#define WIRE_SERIES_MAX        127 // "kpi/dimension"
#define WIRE_UNIT_MAX          31
#define WIRE_CURRENCY_LEN      3
#define WIRE_REASON_MAX        255
#define WIRE_AUTHOR_MAX        63
#define WIRE_SERIES_NUMBERS    65536  // numbers in an incarnation
#define WIRE_KEPT_MAX_BYTES    262144 // a message that is in the ledger only
#define WIRE_CELLS_MAX         2976   // quarter-hours of 31 days
#define WIRE_SEAL_RUNS         48
#define WIRE_SEAL_STREAMS      400
#define WIRE_OWED_MAX          96 // reports listed in Obligations
#define WIRE_FUTURE_MAX_S      300
#define WIRE_STEP_MIN_S        10
#define WIRE_STEP_MAX_S        3600

#endif
