// What the control socket can be asked: one JSON object in, one out. No socket inside; waiting is bounded.
// Threads: one; status reads through its own reader.
#ifndef ESEP_COLLECTOR_CONTROL_H
#define ESEP_COLLECTOR_CONTROL_H

#include "collector/audit_tally.h"
#include "collector/cursor.h"
#include "collector/desk_limit.h"
#include "collector/status.h"

#define COLLECTOR_CONTROL_MAX_BYTES 16384
#define COLLECTOR_FLUSH_MS          2000
#define COLLECTOR_HOLD_S            30
#define COLLECTOR_AUDIT_COUNT_MAX   1000000000 // of one entry that another program asks for
#define CONTROL_INVITE_MIN_S        1
#define CONTROL_INVITE_MAX_S        (366 * 86400)

enum control_command {
    CONTROL_STATUS,
    CONTROL_FLUSH,
    CONTROL_ADMIT,
    CONTROL_REVOKE,
    CONTROL_REBUILD,
    CONTROL_RELEASE,
    CONTROL_AUDIT,
    CONTROL_HOLD,
    CONTROL_INVITE,
    CONTROL_WITHDRAW,
    CONTROL_MOVE,
    CONTROL_RATES,
    CONTROL_REPORT,
    CONTROL_CLOSE,
    CONTROL_CLOCK
};

struct control_request {
    enum control_command command;
    char resident[128];
    uint8_t key[KEY_BYTES];
    int64_t key_id, agent_id, invite_id, expires_s;
    uint8_t hash[HASH_BYTES]; // of an invitation's secret
    char author[WIRE_AUTHOR_MAX + 1];
    char series[256]; // "" for all
    struct release_request release;
    struct audit_entry audit;
    int64_t hold_s; // the retention waits so long, at most COLLECTOR_HOLD_S
    struct rates_request rates;
    struct desk_report report;
    struct closing_request closing;
    struct clock_confirmation confirmation;
};
// INVALID with a diag for the person who sent it: not JSON, not an object, unknown command, missing or wrong
// member.
enum err collector_control_parse(const char *text, size_t len, struct control_request *out,
                                 struct diag *d) MUST_USE;

struct control {
    const char *state; // the folder
    struct reader *reader;
    struct counters *counters;
    struct admission *admission; // NULL in a test
    struct queue *to_door, *to_ingest, *to_committer, *to_observer,
        *to_rrd;         // NULL where nobody listens (in a test)
    struct queue *inbox; // where they answer
    struct cursor *committed, *rrd_landed, *observed;
    _Atomic uint64_t *rrd_asked; // how far somebody waits for the files; NULL in a test
    struct audit_tally *tally;   // NULL: refusals are not audited
    struct desk_limit desk_limit;
    char who[128];                      // who asks, for the audit log: "uid:0 root"
    uint64_t rrd_stuck, observed_stuck; // 1 + where a flush last waited in vain, 0: nowhere
};
// Always an answer: {"ok":true,…} or {"ok":false,"error":"…"}; malloc'ed, NULL only without memory.
char *collector_control_handle(struct control *c, const char *text, size_t len);

#endif
