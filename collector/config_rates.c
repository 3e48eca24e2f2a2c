// Nothing is asked unless the file says so: a collector does not speak to the world by itself.
#include "collector/config_rates.h"
#include "collector/config_rates_file.h"
#include "kpi/feed.h"
#include "kpi/period.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)

enum { HOUR_DEFAULT = 12, HOUR_MAX = 17 };

static const cyaml_schema_field_t bank_fields[] = {
    CYAML_FIELD_STRING_PTR("bank", CYAML_FLAG_POINTER, struct collector_rates_bank_file, bank, 1, 15),
    CYAML_FIELD_STRING_PTR("url", OPTIONAL, struct collector_rates_bank_file, url, 1, FEED_URL_MAX - 1),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t bank_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct collector_rates_bank_file, bank_fields)};
const cyaml_schema_field_t collector_rates_fields[] = {
    CYAML_FIELD_STRING_PTR("hour", OPTIONAL, struct collector_rates_file, hour, 1, 15),
    CYAML_FIELD_STRING_PTR("since", OPTIONAL, struct collector_rates_file, since, 1, 15),
    CYAML_FIELD_SEQUENCE("banks", CYAML_FLAG_POINTER, struct collector_rates_file, banks, &bank_schema, 1,
                         BANKS),
    CYAML_FIELD_END,
};

static enum err parse_hour(const char *path, const char *text, int *out, struct diag *d)
{
    char *end = NULL;
    *out = HOUR_DEFAULT;
    if (!text)
        return ERR_OK;
    long hour = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || hour > HOUR_MAX)
        return config_error(d, path, "rates.hour",
                            "'%s' is not an hour of UTC from 0 to %d (later it is the next day at the banks)",
                            text, HOUR_MAX);
    *out = (int)hour;
    return ERR_OK;
}

static enum err parse_since(const char *path, const char *text, int32_t *out, struct diag *d)
{
    struct period p;
    *out = COLLECTOR_RATES_FROM_NOW;
    if (!text)
        return ERR_OK;
    if (period_parse(text, &p) != ERR_OK || p.kind != PERIOD_DAY || p.start < 0)
        return config_error(d, path, "rates.since", "'%s' is not a day like 2026-03-14", text);
    *out = p.start;
    return ERR_OK;
}

static enum err take_bank(const char *path, const struct collector_rates_bank_file *f, unsigned i,
                          struct collector_rates *out, struct diag *d)
{
    char place[48], url[FEED_URL_MAX];
    struct diag why = {""};
    enum bank bank;
    snprintf(place, sizeof place, "rates.banks[%u].bank", i);
    if (bank_parse(f->bank, &bank) != ERR_OK)
        return config_error(d, path, place, "'%s' is none of kz, uz, ru, kg", f->bank);
    if (out->url[bank])
        return config_error(d, path, place, "'%s' is there twice", f->bank);
    const char *template = f->url ? f->url : bank_info(bank)->url;
    snprintf(place, sizeof place, "rates.banks[%u].url", i);
    if (strncmp(template, "http://", 7) != 0 && strncmp(template, "https://", 8) != 0)
        return config_error(d, path, place, "'%s' is not an http:// or https:// address", template);
    if (feed_url(template, 0, url, &why) != ERR_OK)
        return config_error(d, path, place, "%s", why.text);
    char *copy = strdup(template);
    out->url[bank] = copy;
    return copy ? ERR_OK : diag_fail(d, ERR_NOMEM, "out of memory");
}

enum err collector_rates_check(const char *path, const struct collector_rates_file *f,
                               struct collector_rates *out, struct diag *d)
{
    *out = (struct collector_rates){.since = COLLECTOR_RATES_FROM_NOW};
    if (!f)
        return ERR_OK;
    enum err e = parse_hour(path, f->hour, &out->hour, d);
    if (e == ERR_OK)
        e = parse_since(path, f->since, &out->since, d);
    for (unsigned i = 0; e == ERR_OK && i < f->banks_count; i++)
        e = take_bank(path, &f->banks[i], i, out, d);
    if (e != ERR_OK)
        collector_rates_deinit(out);
    return e;
}

void collector_rates_deinit(struct collector_rates *r)
{
    for (int b = 0; b < BANKS; b++) {
        free(r->url[b]);
        r->url[b] = NULL;
    }
}
