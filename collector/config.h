// collector.yaml, checked. See collector.example.yaml.
#ifndef ESEP_COLLECTOR_CONFIG_H
#define ESEP_COLLECTOR_CONFIG_H

#include "base/err.h"
#include "base/log.h"
#include "collector/config_rates.h"
#include "collector/quota.h"
#include <stdint.h>

#define COLLECTOR_CONFIG_DEFAULT "/etc/esep/collector.yaml"

struct collector_config {
    char *endpoint;
    char *advertise;     // the endpoint as agents reach it; NULL: as it is
    char *next_endpoint; // where the next key is served beside the present one; NULL: nowhere
    char *enrol;         // where invited agents enrol, "off": nowhere; NULL: the port after the endpoint's
    char *state;
    char *catalogue; // file
    char *parks;     // folder
    enum log_level log_level;
    uint64_t budget_bytes;   // memory for what is received and not yet committed, over all agents
    uint64_t min_free_bytes; // below this no credit is given
    int64_t retain_raw_s;    // raw measurements are kept so long; 0: for ever
    struct quotas quotas;
    struct collector_rates rates;
    int64_t retain_settle_s; // a month stays open until nothing of it was received for so long
};

// NOT_FOUND, INVALID with file:line:column. The files that it names are not opened here.
enum err collector_config_load(const char *path, struct collector_config *out, struct diag *d) MUST_USE;
void collector_config_deinit(struct collector_config *c);

#endif
