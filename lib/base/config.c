// libcyaml keeps a module's schema to a table and does the conversion; what it can't say well (places,
// unknown words) is checked before it in config_document.c. Its flags: CYAML_CFG_NO_ALIAS, because resolving
// aliases lets a file of a kilobyte ask for gigabytes; unknown keys are errors because
// CYAML_CFG_IGNORE_UNKNOWN_KEYS is not set; matching is case-sensitive because CYAML_CFG_CASE_INSENSITIVE is
// not set.
#include "base/config.h"
#include "base/config_document.h"
#include "base/config_schema.h"
#include "base/fs.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What libcyaml says through its log: a message, then where it was, innermost first.
struct report {
    char message[200];
    char path[256];
};

static void prepend(struct report *r, const char *step)
{
    char rest[sizeof r->path];
    memcpy(rest, r->path, sizeof rest);
    const char *dot = rest[0] && rest[0] != '[' ? "." : "";
    if (snprintf(r->path, sizeof r->path, "%s%s%s", step, dot, rest) >= (int)sizeof r->path)
        memcpy(r->path, rest, sizeof rest); // too deep to write out: the inner part is the telling one
}

// "  in mapping field 'every' (line: 4, column: 12)", "  in sequence entry '2' (line: …": entries are counted
// from 1.
static void take_step(struct report *r, const char *line)
{
    const char *name = strchr(line, '\'');
    const char *end = name ? strstr(name + 1, "' (line:") : NULL;
    if (!end)
        return;
    char step[128];
    if (strncmp(line, "  in sequence entry", 19) == 0) {
        unsigned long entry = strtoul(name + 1, NULL, 10);
        (void)snprintf(step, sizeof step, "[%lu]", entry > 0 ? entry - 1 : 0);
    } else {
        (void)snprintf(step, sizeof step, "%.*s", (int)(end - name - 1), name + 1);
    }
    prepend(r, step);
}

static void on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args) PRINTF(3, 0);
static void on_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
    struct report *r = ctx;
    char line[300];
    (void)level;
    (void)vsnprintf(line, sizeof line, fmt, args);
    line[strcspn(line, "\n")] = '\0';
    const char *text = strncmp(line, "Load: ", 6) == 0 ? line + 6 : line;
    if (strncmp(text, "  in ", 5) == 0)
        take_step(r, text);
    else if (!r->message[0] && strcmp(text, "Backtrace:") != 0)
        (void)snprintf(r->message, sizeof r->message, "%.*s", (int)sizeof r->message - 1, text);
}

static cyaml_config_t settings(struct report *r)
{
    return (cyaml_config_t){
        .log_fn = on_log,
        .log_ctx = r,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
}

static enum err load_failed(cyaml_err_t result, struct config_document *doc, struct report *r, struct diag *d)
{
    switch (result) {
    case CYAML_ERR_OOM:
        return diag_fail(d, ERR_NOMEM, "%s: %s", doc->file, err_text(ERR_NOMEM));
    case CYAML_ERR_INVALID_DATA_SIZE:
    case CYAML_ERR_TOP_LEVEL_NON_PTR:
    case CYAML_ERR_BAD_TYPE_IN_SCHEMA:
    case CYAML_ERR_BAD_MIN_MAX_SCHEMA:
    case CYAML_ERR_BAD_PARAM_SEQ_COUNT:
    case CYAML_ERR_BAD_BITVAL_IN_SCHEMA:
    case CYAML_ERR_SEQUENCE_IN_SEQUENCE:
        return diag_fail(d, ERR_INTERNAL, "%s: the program's own schema is wrong: %s", doc->file,
                         cyaml_strerror(result));
    default:
        break;
    }
    const char *text = r->message[0] ? r->message : cyaml_strerror(result);
    return config_complain(d, doc->file, config_document_find(doc, r->path), r->path, text);
}

enum err config_load(const char *path, const cyaml_schema_value_t *schema, void **out, struct diag *d)
{
    struct config_document doc;
    char *text = NULL;
    size_t len = 0;
    enum err e = fs_read_file(path, CONFIG_MAX_BYTES, &text, &len, d);
    if (e)
        return e;
    e = config_document_open(&doc, path, text, len, d);
    if (e)
        goto out_text;
    e = config_schema_check(&doc, schema, d);
    if (e)
        goto out_doc;
    struct report report = {0};
    cyaml_config_t config = settings(&report);
    cyaml_data_t *data = NULL;
    cyaml_err_t result = cyaml_load_data((const uint8_t *)text, len, &config, schema, &data, NULL);
    if (result != CYAML_OK)
        e = load_failed(result, &doc, &report, d);
    else if (!data)
        e = config_complain(d, path, (struct config_place){1, 1}, "", "the file is empty");
    else
        *out = data;
out_doc:
    config_document_close(&doc);
out_text:
    free(text);
    return e;
}

void config_free(const cyaml_schema_value_t *schema, void *data)
{
    struct report report = {0};
    cyaml_config_t config = settings(&report);
    if (data)
        (void)cyaml_free(&config, schema, data, 0);
}

// The file is read again: this happens once, on the way out, and spares every struct a place for each value.
static enum err complain(struct diag *d, const char *file, const char *yaml_path, size_t at, const char *text)
{
    struct config_place place = {1, 1};
    struct config_document doc;
    char *yaml = NULL;
    size_t len = 0;
    if (fs_read_file(file, CONFIG_MAX_BYTES, &yaml, &len, NULL) == ERR_OK) {
        if (config_document_open(&doc, file, yaml, len, NULL) == ERR_OK) {
            place = at > 0 ? config_document_find_within(&doc, yaml_path, at)
                           : config_document_find(&doc, yaml_path);
            config_document_close(&doc);
        }
        free(yaml);
    }
    return config_complain(d, file, place, yaml_path, text);
}

enum err(config_error)(struct diag *d, const char *file, const char *yaml_path, const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return complain(d, file, yaml_path, 0, text);
}

enum err(config_error_within)(struct diag *d, const char *file, const char *yaml_path, size_t at,
                              const char *fmt, ...)
{
    char text[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return complain(d, file, yaml_path, at, text);
}

// ---- units
// ---------------------------------------------------------------------------------------------------------

struct unit {
    const char *name;
    uint64_t factor;
};

static enum err parse_with_unit(const char *text, const struct unit *units, uint64_t max, uint64_t *out)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t value = 0;
    if (digits == 0)
        return ERR_INVALID;
    for (size_t i = 0; i < digits; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (value > (max - digit) / 10)
            return ERR_INVALID;
        value = value * 10 + digit;
    }
    for (const struct unit *u = units; u->name; u++) {
        if (strcmp(u->name, text + digits) != 0)
            continue;
        if (value > max / u->factor)
            return ERR_INVALID;
        *out = value * u->factor;
        return ERR_OK;
    }
    return ERR_INVALID;
}

enum err config_parse_duration_ms(const char *text, int64_t *out)
{
    static const struct unit units[] = {{"ms", 1},      {"s", 1000},     {"m", 60000},
                                        {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    uint64_t value = 0;
    enum err e = parse_with_unit(text, units, INT64_MAX, &value);
    if (!e)
        *out = (int64_t)value;
    return e;
}

enum err config_parse_bytes(const char *text, uint64_t *out)
{
    static const struct unit units[] = {{"", 1},
                                        {"KiB", UINT64_C(1) << 10},
                                        {"MiB", UINT64_C(1) << 20},
                                        {"GiB", UINT64_C(1) << 30},
                                        {"TiB", UINT64_C(1) << 40},
                                        {NULL, 0}};
    return parse_with_unit(text, units, UINT64_MAX, out);
}
