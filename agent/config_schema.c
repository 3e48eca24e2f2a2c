// Everything is read as text, so that a wrong duration or number is reported by us, in our words and with its
// place, and an unknown key by libcyaml. Sizes here are generous bounds against a hostile file; config.c sets
// the real ones.
#include "agent/config_schema.h"
#include "agent/config.h"

#define TEXT_MAX    4095
#define COMMAND_MAX 64

#define TEXT(key, type, member) CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, TEXT_MAX)
#define TEXT_OPTIONAL(key, type, member)                                                                     \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 0, TEXT_MAX)

static const cyaml_schema_value_t argument = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, TEXT_MAX)};

static const cyaml_schema_field_t series_fields[] = {
    TEXT_OPTIONAL("name", struct agent_yaml_series, name),
    TEXT_OPTIONAL("column", struct agent_yaml_series, column),
    TEXT("kpi", struct agent_yaml_series, kpi),
    TEXT_OPTIONAL("dimension", struct agent_yaml_series, dimension),
    TEXT("unit", struct agent_yaml_series, unit),
    TEXT_OPTIONAL("currency", struct agent_yaml_series, currency),
    TEXT_OPTIONAL("step", struct agent_yaml_series, step),
    TEXT_OPTIONAL("period", struct agent_yaml_series, period),
    TEXT_OPTIONAL("counter", struct agent_yaml_series, counter),
    TEXT_OPTIONAL("wrap", struct agent_yaml_series, wrap),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t series_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct agent_yaml_series, series_fields),
};

static const cyaml_schema_field_t source_fields[] = {
    TEXT("name", struct agent_yaml_source, name),
    TEXT("kind", struct agent_yaml_source, kind),
    TEXT_OPTIONAL("every", struct agent_yaml_source, every),
    TEXT_OPTIONAL("timeout", struct agent_yaml_source, timeout),
    TEXT("class", struct agent_yaml_source, class),
    TEXT_OPTIONAL("path", struct agent_yaml_source, path),
    TEXT_OPTIONAL("separator", struct agent_yaml_source, separator),
    TEXT_OPTIONAL("decimal", struct agent_yaml_source, decimal),
    TEXT_OPTIONAL("encoding", struct agent_yaml_source, encoding),
    TEXT_OPTIONAL("time_column", struct agent_yaml_source, time_column),
    TEXT_OPTIONAL("published_column", struct agent_yaml_source, published_column),
    TEXT_OPTIONAL("whole", struct agent_yaml_source, whole),
    CYAML_FIELD_SEQUENCE_COUNT("command", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct agent_yaml_source,
                               command, command_count, &argument, 1, COMMAND_MAX),
    CYAML_FIELD_SEQUENCE_COUNT("series", CYAML_FLAG_POINTER, struct agent_yaml_source, series, series_count,
                               &series_value, 1, AGENT_SERIES_MAX),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t source_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct agent_yaml_source, source_fields),
};

static const cyaml_schema_field_t collector_fields[] = {
    TEXT("endpoint", struct agent_yaml_collector, endpoint),
    TEXT("key", struct agent_yaml_collector, key),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t spool_fields[] = {
    TEXT_OPTIONAL("max_bytes", struct agent_yaml_spool, max_bytes),
    TEXT_OPTIONAL("max_age", struct agent_yaml_spool, max_age),
    CYAML_FIELD_END,
};

static const cyaml_schema_field_t agent_fields[] = {
    CYAML_FIELD_MAPPING("collector", CYAML_FLAG_DEFAULT, struct agent_yaml, collector, collector_fields),
    CYAML_FIELD_MAPPING("spool", CYAML_FLAG_OPTIONAL, struct agent_yaml, spool, spool_fields),
    TEXT("state", struct agent_yaml, state),
    TEXT_OPTIONAL("log_level", struct agent_yaml, log_level),
    CYAML_FIELD_SEQUENCE_COUNT("sources", CYAML_FLAG_POINTER, struct agent_yaml, sources, sources_count,
                               &source_value, 1, AGENT_SOURCES_MAX),
    CYAML_FIELD_END,
};

const cyaml_schema_value_t agent_yaml_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct agent_yaml, agent_fields),
};
