// The uplink's events as lines of the log.
#ifndef ESEP_AGENT_UPLINK_LOG_H
#define ESEP_AGENT_UPLINK_LOG_H

#include "agent/uplink_core.h"

// key: this agent's public key, for whom it must be admitted by.
void uplink_log(const char *endpoint, const char *key, const struct uplink_event *e);

#endif
