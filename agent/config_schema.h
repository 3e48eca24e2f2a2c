// agent.yaml as libcyaml reads it: texts only. Meaning is given to them by config.c.
#ifndef ESEP_AGENT_CONFIG_SCHEMA_H
#define ESEP_AGENT_CONFIG_SCHEMA_H

#include "base/config.h"

struct agent_yaml_series {
    char *name, *column, *kpi, *dimension, *unit, *currency, *step, *period, *counter, *wrap; // NULL: absent
};

struct agent_yaml_source {
    char *name, *kind, *every, *timeout, *class, *path, *separator, *decimal, *encoding, *time_column,
        *published_column, *whole;
    char **command;
    unsigned command_count;
    struct agent_yaml_series *series;
    unsigned series_count;
};

struct agent_yaml_collector {
    char *endpoint, *key;
};

struct agent_yaml_spool {
    char *max_bytes, *max_age;
};

struct agent_yaml {
    struct agent_yaml_collector collector;
    struct agent_yaml_spool spool;
    char *state, *log_level;
    struct agent_yaml_source *sources;
    unsigned sources_count;
};

extern const cyaml_schema_value_t agent_yaml_schema;

#endif
