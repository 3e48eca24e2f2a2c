// A body in JSON becomes the same fields as a form's, so that handlers know one kind of thing. A number with
// a fraction is refused: a parser would hand it over as a double, and a figure is kept to its last digit.

#include "dashboards/exchange.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is no text is written as one, and kept beside the object.
static const char *text_of(json_t *texts, const json_t *v)
{
    char number[32];
    if (json_is_string(v))
        return json_string_value(v);
    if (json_is_boolean(v))
        return json_is_true(v) ? "1" : "";
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    json_t *text = json_string(number);
    return json_array_append_new(texts, text) == 0 ? json_string_value(text) : NULL;
}

static enum err take(struct exchange *x, json_t *texts, const char *name, const json_t *v)
{
    if (json_is_null(v))
        return ERR_OK;
    if (!json_is_string(v) && !json_is_boolean(v) && !json_is_integer(v))
        return exchange_fail_param(x, exchange_text_clean(name) ? name : "?",
                                   json_is_real(v)
                                       ? "must be a text, like \"1250000.50\", so that no digit is lost"
                                       : "must be a text, a whole number, true, false or null");
    const char *text = text_of(texts, v);
    if (!text || x->field_count == EXCHANGE_FIELDS_MAX || !exchange_text_clean(name) ||
        !exchange_text_clean(text))
        return exchange_fail(x, 400, "the body has too many members, or text with control characters");
    x->fields[x->field_count++] = (struct exchange_param){name, text};
    return ERR_OK;
}

enum err exchange_parse_json(struct exchange *x)
{
    json_error_t why;
    const char *name;
    json_t *v, *texts = json_array();
    json_t *o = json_loadb(x->form ? x->form : "", x->form_len, JSON_REJECT_DUPLICATES, &why);
    enum err e = ERR_OK;
    if (!o || !texts)
        e = exchange_fail(x, 400, "the body is not JSON: %s, at byte %d", why.text, why.position);
    else if (!json_is_object(o))
        e = exchange_fail(x, 400, "the body is not a JSON object");
    json_object_foreach(e == ERR_OK ? o : NULL, name, v)
    {
        if ((e = take(x, texts, name, v)) != ERR_OK)
            break;
    }
    x->json = json_pack("[o?, o?]", o, texts);
    if (!x->json && e == ERR_OK)
        e = exchange_fail(x, 500, "out of memory");
    return e;
}

void exchange_forget_json(struct exchange *x)
{
    json_decref(x->json);
    x->json = NULL;
}
