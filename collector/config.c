// The file's shape is checked by the schema, its meaning here; every complaint carries file:line:column.
#include "collector/config.h"
#include "base/config.h"
#include "collector/config_rates_file.h"
#include "kpi/series.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct retention_file {
    char *raw, *settle;
};

struct quota_file {
    char *resident;
    uint32_t series, samples_per_s;
};

struct file {
    struct quota_file *quota;
    struct quota_file *quotas;
    unsigned quotas_count;
    struct retention_file *retention;
    struct collector_rates_file *rates;
    char *endpoint, *advertise, *enrol, *next_endpoint, *state, *catalogue, *parks, *log_level, *budget,
        *min_free;
};

#define QUOTAS_MAX          10000
#define QUOTA_SERIES_USUAL  10000
#define QUOTA_SAMPLES_PER_S 100000

#define REQUIRED (CYAML_FLAG_POINTER)
#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

static const cyaml_schema_field_t retention_fields[] = {
    CYAML_FIELD_STRING_PTR("raw", REQUIRED, struct retention_file, raw, 1, 31),
    CYAML_FIELD_STRING_PTR("settle", OPTIONAL, struct retention_file, settle, 1, 31),
    CYAML_FIELD_END,
};
static const cyaml_schema_field_t quota_fields[] = {
    CYAML_FIELD_STRING_PTR("resident", OPTIONAL, struct quota_file, resident, 1, 127),
    CYAML_FIELD_UINT("series", CYAML_FLAG_DEFAULT, struct quota_file, series),
    CYAML_FIELD_UINT("samples_per_s", CYAML_FLAG_DEFAULT, struct quota_file, samples_per_s),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t quota_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct quota_file, quota_fields)};
static const cyaml_schema_field_t file_fields[] = {
    CYAML_FIELD_STRING_PTR("endpoint", REQUIRED, struct file, endpoint, 1, 255),
    CYAML_FIELD_STRING_PTR("advertise", OPTIONAL, struct file, advertise, 1, 255),
    CYAML_FIELD_STRING_PTR("next_endpoint", OPTIONAL, struct file, next_endpoint, 1, 255),
    CYAML_FIELD_STRING_PTR("enrol", OPTIONAL, struct file, enrol, 1, 255),
    CYAML_FIELD_STRING_PTR("state", REQUIRED, struct file, state, 1, 255),
    CYAML_FIELD_STRING_PTR("catalogue", REQUIRED, struct file, catalogue, 1, 1023),
    CYAML_FIELD_STRING_PTR("parks", REQUIRED, struct file, parks, 1, 1023),
    CYAML_FIELD_STRING_PTR("log_level", OPTIONAL, struct file, log_level, 0, 15),
    CYAML_FIELD_STRING_PTR("budget", OPTIONAL, struct file, budget, 1, 31),
    CYAML_FIELD_STRING_PTR("min_free", OPTIONAL, struct file, min_free, 1, 31),
    CYAML_FIELD_MAPPING_PTR("quota", OPTIONAL, struct file, quota, quota_fields),
    CYAML_FIELD_SEQUENCE("quotas", OPTIONAL, struct file, quotas, &quota_value, 0, QUOTAS_MAX),
    CYAML_FIELD_MAPPING_PTR("retention", OPTIONAL, struct file, retention, retention_fields),
    CYAML_FIELD_MAPPING_PTR("rates", OPTIONAL, struct file, rates, collector_rates_fields),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t file_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct file, file_fields)};

static enum err parse_level(const char *path, const char *text, enum log_level *out, struct diag *d)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    *out = LOG_INFO;
    if (!text)
        return ERR_OK;
    for (int i = 0; i < 4; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = (enum log_level)i;
            return ERR_OK;
        }
    }
    return config_error(d, path, "log_level", "'%s' is not one of debug, info, warn, error", text);
}

static enum err parse_bytes(const char *path, const char *key, const char *text, uint64_t absent,
                            uint64_t low, uint64_t high, uint64_t *out, struct diag *d)
{
    *out = absent;
    if (!text)
        return ERR_OK;
    uint64_t v;
    if (config_parse_bytes(text, &v) != ERR_OK)
        return config_error(d, path, key, "'%s' is not a size such as 64MiB", text);
    if (v < low || v > high)
        return config_error(d, path, key, "'%s' is outside %lluMiB to %lluMiB", text,
                            (unsigned long long)(low >> 20), (unsigned long long)(high >> 20));
    *out = v;
    return ERR_OK;
}

enum { DAY_S = 86400, RAW_DAYS_MIN = 40, RAW_DAYS_MAX = 36500, SETTLE_DAYS = 7 };

static enum err parse_days(const char *path, const char *key, const char *text, int64_t low_s, int64_t *out,
                           struct diag *d)
{
    int64_t ms;
    if (config_parse_duration_ms(text, &ms) != ERR_OK)
        return config_error(d, path, key, "'%s' is not a time such as 400d", text);
    if (ms / 1000 < low_s || ms / 1000 > (int64_t)RAW_DAYS_MAX * DAY_S)
        return config_error(d, path, key, "'%s' is outside %lldd to %dd", text, (long long)(low_s / DAY_S),
                            RAW_DAYS_MAX);
    *out = ms / 1000;
    return ERR_OK;
}

// Not under 40 days: round-robin files show 35 days finer than by the hour, and what is dropped can't be
// drawn so any more.
static enum err parse_retention(const char *path, const struct retention_file *f, struct collector_config *c,
                                struct diag *d)
{
    c->retain_settle_s = (int64_t)SETTLE_DAYS * DAY_S;
    if (!f || strcmp(f->raw, "forever") == 0)
        return ERR_OK;
    enum err e =
        parse_days(path, "retention.raw", f->raw, (int64_t)RAW_DAYS_MIN * DAY_S, &c->retain_raw_s, d);
    if (e == ERR_OK && f->settle)
        e = parse_days(path, "retention.settle", f->settle, 0, &c->retain_settle_s, d);
    return e;
}

static enum err check_endpoint(const char *path, const char *key, const char *endpoint, struct diag *d)
{
    if (strncmp(endpoint, "tcp://", 6) != 0 || !strrchr(endpoint + 6, ':'))
        return config_error(d, path, key, "'%s' is not tcp://address:port", endpoint);
    const char *port = strrchr(endpoint, ':') + 1;
    char *end;
    long n = strtol(port, &end, 10);
    if (strcmp(port, "*") != 0 && (*port < '0' || *port > '9' || *end || n > 65535))
        return config_error(d, path, key, "'%s': '%s' is not a port (0 to 65535)", endpoint, port);
    return ERR_OK;
}

static enum err check_addresses(const char *path, const struct file *f, struct diag *d)
{
    enum err e = check_endpoint(path, "endpoint", f->endpoint, d);
    if (e == ERR_OK && f->advertise) {
        e = check_endpoint(path, "advertise", f->advertise, d);
        if (e == ERR_OK && (strtol(strrchr(f->advertise, ':') + 1, NULL, 10) == 0 ||
                            strchr(f->advertise, '*') || strncmp(f->advertise, "tcp://0.0.0.0:", 14) == 0))
            e = config_error(d, path, "advertise",
                             "'%s' is nowhere to connect to: tcp://HOST:PORT as agents reach it",
                             f->advertise);
    }
    if (e == ERR_OK && f->next_endpoint)
        e = check_endpoint(path, "next_endpoint", f->next_endpoint, d);
    if (e == ERR_OK && f->enrol && strcmp(f->enrol, "off") != 0)
        e = check_endpoint(path, "enrol", f->enrol, d);
    return e;
}

static enum err check_state(const char *path, const char *state, struct diag *d)
{
    // The control socket's path must fit into a sockaddr_un (108 bytes).
    if (strlen(state) > 90)
        return config_error(d, path, "state",
                            "the folder's path is longer than 90 bytes, too long for its socket");
    return ERR_OK;
}

static enum err take_quotas(const char *path, const struct file *f, struct quotas *out, struct diag *d)
{
    struct series_name name;
    char key[64];
    struct quotas q = {.usual = {QUOTA_SERIES_USUAL, QUOTA_SAMPLES_PER_S}};
    if (f->quota && f->quota->resident)
        return config_error(d, path, "quota.resident",
                            "does not belong here: quota is for all, quotas for single ones");
    if (f->quota)
        q.usual = (struct quota){f->quota->series, f->quota->samples_per_s};
    if (f->quotas_count && !(q.of = calloc(f->quotas_count, sizeof *q.of)))
        return diag_fail(d, ERR_NOMEM, "out of memory");
    for (; q.count < f->quotas_count; q.count++) {
        const struct quota_file *one = &f->quotas[q.count];
        struct quota_of *of = &q.of[q.count];
        if (!one->resident || series_parse_resident(one->resident, &name) != ERR_OK) {
            snprintf(key, sizeof key, "quotas[%zu].resident", q.count);
            free(q.of);
            return config_error(d, path, key, "'%s' is not park/resident",
                                one->resident ? one->resident : "");
        }
        memcpy(of->resident, one->resident, strlen(one->resident) + 1);
        of->quota = (struct quota){one->series, one->samples_per_s};
    }
    *out = q;
    return ERR_OK;
}

static char *taken(char **from)
{
    char *text = *from;
    *from = NULL;
    return text;
}

enum err collector_config_load(const char *path, struct collector_config *out, struct diag *d)
{
    struct file *f = NULL;
    struct collector_config c = {0};
    enum err e = config_load(path, &file_schema, (void **)&f, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "%s: there is no such file; write it, or name another with --config FILE",
                         path);
    if (e != ERR_OK)
        return e;
    if ((e = check_addresses(path, f, d)) != ERR_OK || (e = check_state(path, f->state, d)) != ERR_OK ||
        (e = parse_level(path, f->log_level, &c.log_level, d)) != ERR_OK ||
        (e = parse_bytes(path, "budget", f->budget, 128u << 20, 1u << 20, UINT64_C(64) << 30, &c.budget_bytes,
                         d)) != ERR_OK ||
        (e = parse_bytes(path, "min_free", f->min_free, 256u << 20, 0, UINT64_C(1) << 50, &c.min_free_bytes,
                         d)) != ERR_OK ||
        (e = parse_retention(path, f->retention, &c, d)) != ERR_OK ||
        (e = collector_rates_check(path, f->rates, &c.rates, d)) != ERR_OK ||
        (e = take_quotas(path, f, &c.quotas, d)) != ERR_OK)
        goto out;
    c.endpoint = taken(&f->endpoint);
    c.advertise = taken(&f->advertise);
    c.enrol = taken(&f->enrol);
    c.next_endpoint = taken(&f->next_endpoint);
    c.state = taken(&f->state);
    c.catalogue = taken(&f->catalogue);
    c.parks = taken(&f->parks);
    *out = c;
out:
    if (e != ERR_OK)
        collector_rates_deinit(&c.rates);
    config_free(&file_schema, f);
    return e;
}

void collector_config_deinit(struct collector_config *c)
{
    free(c->quotas.of);
    free(c->endpoint);
    free(c->advertise);
    free(c->enrol);
    free(c->next_endpoint);
    free(c->state);
    free(c->catalogue);
    free(c->parks);
    collector_rates_deinit(&c->rates);
    memset(c, 0, sizeof *c);
}
