// What the collector tells an agent that its resident owes. Part of wire/message.h.
#ifndef ESEP_WIRE_MESSAGE_OWED_H
#define ESEP_WIRE_MESSAGE_OWED_H

#include "wire/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_owed_state { WIRE_OWED_OPEN = 1, WIRE_OWED_LATE = 2, WIRE_OWED_DONE = 3 };

struct wire_owed {
    const char *series; // "kpi" or "kpi/dimension"
    uint32_t period;    // esep.proto's Period
    int32_t start;      // its first civil day
    enum wire_owed_state state;
    bool answered;   // "missing" was said
    bool has_due;    // else the next two are 0: no date is set
    int32_t due_day; // the last civil day that is in time, by the park's calendar
    int64_t late_s;  // from this moment on it is late
};

struct wire_obligations {
    int64_t as_of_us;    // the collector's clock
    uint64_t open, late; // of all that is owed, also where it is not listed
    size_t count;
    const struct wire_owed *owed; // late ones first, then open ones, each by date
};

#endif
