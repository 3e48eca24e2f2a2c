// The messages of enrolment and rotation. Part of wire/message.h.
#ifndef ESEP_WIRE_MESSAGE_IDENTITY_H
#define ESEP_WIRE_MESSAGE_IDENTITY_H

#include "wire/limits.h"
#include <stdint.h>

struct wire_enrol {
    uint32_t protocol;
    const char *version;
    uint8_t secret[WIRE_SECRET_BYTES];
};

struct wire_enrolled {
    const char *resident;
    const char *endpoint;
    int64_t clock_us;
};

struct wire_rotate {
    uint8_t key[WIRE_KEY_BYTES];
};

#endif
