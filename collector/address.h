// Where agents reach this collector, as an invitation and its answer state it: from the configuration, and
// from what was really bound where the configuration leaves the port open. No I/O.
#ifndef ESEP_COLLECTOR_ADDRESS_H
#define ESEP_COLLECTOR_ADDRESS_H

#include "collector/config.h"

#define ADDRESS_TEXT 300

// "tcp://host:port" for agents. bound: what the socket says of itself, NULL: nothing runs. INVALID with a
// diag that names the setting: the endpoint is a wildcard and nothing is advertised, or its port is not
// fixed.
enum err address_public(const struct collector_config *c, const char *bound, char out[ADDRESS_TEXT],
                        struct diag *d) MUST_USE;
// What the door binds: `enrol`, or the port after the endpoint's. UNSUPPORTED: `enrol: off`.
enum err address_door(const struct collector_config *c, char out[ADDRESS_TEXT], struct diag *d) MUST_USE;
// "host:port" of the door for an invitation. bound as above, of the door.
enum err address_door_public(const struct collector_config *c, const char *bound, char out[ADDRESS_TEXT],
                             struct diag *d) MUST_USE;

#endif
