// YAML → struct through libcyaml. An unknown key, a wrong type or a bad value is an error as
// file:line:column: path: text. A module describes its struct with CYAML_* macros, loads it here, then checks
// meaning and reports through config_error, which finds the line and column of a path itself.
#ifndef ESEP_BASE_CONFIG_H
#define ESEP_BASE_CONFIG_H

#include "base/err.h"
#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

#define CONFIG_MAX_BYTES (4u << 20)

// *out is allocated by libcyaml: config_free it with the same schema. NOT_FOUND, TOO_BIG, INVALID; diag has
// the place.
enum err config_load(const char *path, const cyaml_schema_value_t *schema, void **out,
                     struct diag *d) MUST_USE;
void config_free(const cyaml_schema_value_t *schema, void *data);

// Reports a bad value: "agent.yaml:12:9: sources[1].every: must be …". yaml_path as in the example; when it
// is absent from the file (a default), its nearest parent's place is given. Returns ERR_INVALID.
enum err config_error(struct diag *d, const char *file, const char *yaml_path, const char *fmt, ...)
    PRINTF(4, 5);
// The same at the at'th byte of the value, where that stands on one line (else at its beginning).
enum err config_error_within(struct diag *d, const char *file, const char *yaml_path, size_t at,
                             const char *fmt, ...) PRINTF(5, 6);
#ifdef __clang_analyzer__ // see base/err.h
#define config_error(d, file, yaml_path, ...)                                                                \
    (config_error((d), (file), (yaml_path), __VA_ARGS__), ERR_INVALID)
#define config_error_within(d, file, yaml_path, at, ...)                                                     \
    (config_error_within((d), (file), (yaml_path), (at), __VA_ARGS__), ERR_INVALID)
#endif

// "10s" "5m" "1h" "7d" "250ms" → milliseconds; "64MiB" "16KiB" "1GiB" "4096" → bytes. INVALID.
enum err config_parse_duration_ms(const char *text, int64_t *out) MUST_USE;
enum err config_parse_bytes(const char *text, uint64_t *out) MUST_USE;

#endif
