// Where the collector may be reached, and with which key: as agent.yaml has it, and as the collector has
// announced for a change of its key. What was announced is kept in the state folder, durably.
#ifndef ESEP_AGENT_COLLECTORS_H
#define ESEP_AGENT_COLLECTORS_H

#include "agent/config.h"

#define COLLECTORS_MAX  3
#define COLLECTORS_FILE "collector.next" // in the state folder: port and key

struct collector_place {
    char endpoint[WIRE_ENDPOINT_MAX + 8];
    uint8_t key[KEY_BYTES];
};
// In the order they are tried: the next key at its port, the next key at the usual endpoint (it may have
// taken over), then what agent.yaml says. At least that one.
size_t collectors_known(const struct agent_config *c, struct collector_place out[COLLECTORS_MAX]);
// *changed: it was not known yet.
enum err collectors_note_next(const struct agent_config *c, uint16_t port, const uint8_t key[KEY_BYTES],
                              bool *changed, struct diag *d) MUST_USE;

#endif
