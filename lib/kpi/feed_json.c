// Uzbekistan: an array of objects in which every value is a text. Jansson bounds the depth by itself; the
// size is bounded by the caller.
#include "kpi/feed_internal.h"
#include <jansson.h>

#define ITEMS_MAX 1000

static enum err take_item(struct feed *f, const json_t *item, struct diag *d)
{
    const char *currency = json_string_value(json_object_get(item, "Ccy"));
    const char *quant = json_string_value(json_object_get(item, "Nominal"));
    const char *value = json_string_value(json_object_get(item, "Rate"));
    const char *date = json_string_value(json_object_get(item, "Date"));
    if (!currency || !quant || !value || !date)
        return diag_fail(d, ERR_INVALID, "an entry lacks Ccy, Nominal, Rate or Date as texts");
    size_t before = f->rates.count;
    enum err e = feed_take(f, currency, quant, value, '.', d);
    if (e != ERR_OK || f->rates.count == before) // other currencies may be set less often
        return e;
    return feed_take_date(f, date, d);
}

enum err feed_json(struct feed *f, const void *body, size_t len, struct diag *d)
{
    json_error_t error;
    json_t *root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return diag_fail(d, ERR_INVALID, "not JSON: line %d: %.120s", error.line, error.text);
    size_t count = json_array_size(root);
    enum err e = ERR_OK;
    if (!json_is_array(root))
        e = diag_fail(d, ERR_INVALID, "not an array of rates");
    else if (count == 0)
        e = diag_fail(d, ERR_NOT_FOUND, "an empty array: it has none for that day");
    else if (count > ITEMS_MAX)
        e = diag_fail(d, ERR_INVALID, "more than %d entries", ITEMS_MAX);
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        e = take_item(f, json_array_get(root, i), d);
    json_decref(root);
    return e;
}
