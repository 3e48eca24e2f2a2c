// The collector and the spool played by a test, for the uplink's core. What the core says and asks is written
// down as words: "hello declare0 batch1 gap2-7 ", "ack3 allow rewind2 ".
#ifndef ESEP_TESTS_UPLINK_STAGE_H
#define ESEP_TESTS_UPLINK_STAGE_H

#include "agent/packer.h"
#include "agent/uplink_core.h"
#include "base/buf.h"
#include "wire/codec.h"

#define STAGE_NOW_S     INT64_C(1772366400)
#define STAGE_NO_CREDIT 0
#define STAGE_CREDIT    (1u << 20)

struct stage {
    struct fake_clock clock;
    struct uplink_core *core;
    struct packer *packer;
    struct wire_arena *arena;
    struct spool_state spool;
    uint64_t gap_first, gap_last; // these sequences are one gap, when not 0
    enum err send_result;
    int sends_left; // before send_result counts; −1: no limit
    uint32_t random;
    struct buf said;         // "hello declare0 batch1 …"
    struct buf asked;        // "ack3 allow rewind2 …"
    struct buf told;         // events
    struct wire_hello hello; // the last one
    struct wire_heartbeat heartbeat;
    size_t batch_len;
    struct buf body;
};

int stage_setup(void **state); // *state is the struct stage
int stage_teardown(void **state);
struct wire_incarnation stage_incarnation(uint8_t n);

// What was said, asked and told since the last look must be this; it is then forgotten.
void stage_expect(struct stage *s, const char *said, const char *asked, const char *told);
void stage_forget(struct stage *s);

// The collector's words.
void stage_hear(struct stage *s, const struct wire_message *m);
void stage_welcome(struct stage *s, uint64_t last, uint32_t declares, uint64_t credit);
void stage_ack(struct stage *s, uint64_t sequence, uint64_t credit);
void stage_ack_repeat(struct stage *s, uint64_t repeat, uint64_t sequence, uint64_t credit);
void stage_refuse(struct stage *s, enum wire_refuse_reason reason);

void stage_pass(struct stage *s, int64_t us); // time, and a tick
void stage_spool_is(struct stage *s, uint64_t acknowledged, uint64_t sendable, uint64_t written);
// Connected and welcomed without credit, everything up to `written` sendable; forgets how.
void stage_start(struct stage *s, uint64_t acknowledged, uint64_t written);

#endif
