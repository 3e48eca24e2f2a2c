// What config.c and config_csv.c share: the words for a mistake and its place.
#ifndef ESEP_AGENT_CONFIG_INTERNAL_H
#define ESEP_AGENT_CONFIG_INTERNAL_H

#include "agent/config.h"
#include "agent/config_schema.h"

// Where the check is, for messages.
struct place {
    const char *file;
    char path[64]; // "sources[1].series[2]", "" at the top
    struct diag *d;
};

// All return INVALID with the place, or OK where there is nothing to say.
enum err agent_config_bad(const struct place *p, const char *key, const char *fmt, ...) PRINTF(3, 4);
enum err agent_config_need(const struct place *p, const char *key, const char *value, const char *why);
enum err agent_config_refuse(const struct place *p, const char *key, const void *value, const char *why);

// The settings that only a csv source has; s has its kind, class and rhythm.
enum err agent_config_read_csv(const struct place *p, const struct agent_yaml_source *y,
                               struct agent_source *s);

#endif
