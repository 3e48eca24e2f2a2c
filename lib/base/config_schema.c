// libcyaml takes any word for true, 010 for eight, lets "nan" be a figure, and names neither the known keys
// nor the place of a missing one. This walks the document beside the schema and refuses all that; libcyaml
// then converts.
#include "base/config_schema.h"
#include "base/buf.h"
#include "base/figure.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MAX_PATH 256

struct walk {
    struct config_document *doc;
    struct diag *diag;
    char path[MAX_PATH]; // of the node looked at
};

static enum err check_value(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node);

static enum err refuse(struct walk *w, const yaml_node_t *node, const char *text)
{
    return config_complain(w->diag, w->doc->file, config_place_of(node->start_mark), w->path, text);
}

// Refuses with "text: first, second, third".
static enum err refuse_listing(struct walk *w, const yaml_node_t *node, struct buf *text)
{
    enum err e = refuse(w, node, buf_str(text));
    buf_deinit(text);
    return e;
}

static enum err unknown_key(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *key)
{
    struct buf text;
    buf_init(&text, 400);
    (void)buf_text(&text, "unknown key; known here:");
    for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key; f++)
        (void)buf_printf(&text, "%s %s", f == schema->mapping.fields ? "" : ",", f->key);
    return refuse_listing(w, key, &text);
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_value_t *schema, const char *key)
{
    for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key; f++)
        if (strcmp(f->key, key) == 0)
            return f;
    return NULL;
}

static bool has_key(struct walk *w, const yaml_node_t *mapping, const char *key)
{
    for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++)
        if (strcmp(config_word(yaml_document_get_node(&w->doc->yaml, p->key)), key) == 0)
            return true;
    return false;
}

static enum err check_mapping(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    size_t len = strlen(w->path);
    if (node->type != YAML_MAPPING_NODE)
        return refuse(w, node, "a mapping (key: value) is wanted here");
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(&w->doc->yaml, p->key);
        const cyaml_schema_field_t *field = field_of(schema, config_word(key));
        (void)snprintf(w->path + len, sizeof w->path - len, "%s%s", len ? "." : "", config_word(key));
        enum err e = field ? check_value(w, &field->value, yaml_document_get_node(&w->doc->yaml, p->value))
                           : unknown_key(w, schema, key);
        if (e)
            return e;
        w->path[len] = '\0';
    }
    for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key; f++) {
        if ((f->value.flags & CYAML_FLAG_OPTIONAL) || has_key(w, node, f->key))
            continue;
        (void)snprintf(w->path + len, sizeof w->path - len, "%s%s", len ? "." : "", f->key);
        return refuse(w, node, "missing: it must be given");
    }
    return ERR_OK;
}

static enum err check_sequence(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    size_t len = strlen(w->path);
    if (node->type != YAML_SEQUENCE_NODE)
        return refuse(w, node, "a list is wanted here");
    char text[100];
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (count < schema->sequence.min || count > schema->sequence.max) {
        (void)snprintf(
            text, sizeof text, "%zu entries: %s %u are wanted", count,
            count < schema->sequence.min ? "at least" : "at most",
            (unsigned)(count < schema->sequence.min ? schema->sequence.min : schema->sequence.max));
        return refuse(w, node, text);
    }
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(w->path + len, sizeof w->path - len, "[%zu]", i);
        const yaml_node_t *item = yaml_document_get_node(&w->doc->yaml, node->data.sequence.items.start[i]);
        enum err e = check_value(w, schema->sequence.entry, item);
        if (e)
            return e;
    }
    w->path[len] = '\0';
    return ERR_OK;
}

static enum err check_bool(struct walk *w, const yaml_node_t *node)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(config_word(node), words[i]) == 0)
            return ERR_OK;
    return refuse(w, node, "true or false is wanted here");
}

static enum err check_enum(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    const cyaml_strval_t *known = schema->enumeration.strings;
    struct buf text;
    buf_init(&text, 400);
    (void)buf_text(&text, "must be one of");
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        (void)buf_printf(&text, "%s %s", i ? "," : "", known[i].str);
        if (strcmp(config_word(node), known[i].str) == 0) {
            buf_deinit(&text);
            return ERR_OK;
        }
    }
    return refuse_listing(w, node, &text);
}

// libcyaml would read 010 as eight, 0x1F as a number and "nan" as a figure.
static enum err check_number(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    struct figure ignored;
    const char *text = config_word(node);
    const char *digits = text + (*text == '-');
    if (schema->type == CYAML_FLOAT)
        return figure_parse(text, &ignored) ? refuse(w, node, "a decimal number is wanted here") : ERR_OK;
    bool whole = *digits && digits[strspn(digits, "0123456789")] == '\0' && (*digits != '0' || !digits[1]);
    return whole ? ERR_OK : refuse(w, node, "a whole number is wanted here");
}

static bool is_null(const yaml_node_t *node)
{
    const char *text = node->type == YAML_SCALAR_NODE ? config_word(node) : NULL;
    return text && (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
}

static enum err check_scalar(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE)
        return refuse(w, node, "a single value is wanted here");
    switch (schema->type) {
    case CYAML_BOOL:
        return check_bool(w, node);
    case CYAML_ENUM:
        return check_enum(w, schema, node);
    case CYAML_INT:
    case CYAML_UINT:
    case CYAML_FLOAT:
        return check_number(w, schema, node);
    default:
        return ERR_OK;
    }
}

static enum err check_value(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node)
{
    bool may_be_null = (schema->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL;
    if (may_be_null && is_null(node))
        return ERR_OK;
    switch (schema->type) {
    case CYAML_MAPPING:
        return check_mapping(w, schema, node);
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED:
        return check_sequence(w, schema, node);
    case CYAML_FLAGS:
    case CYAML_BITFIELD:
    case CYAML_IGNORE:
        return ERR_OK; // libcyaml's own
    default:
        return check_scalar(w, schema, node);
    }
}
enum err config_schema_check(struct config_document *doc, const cyaml_schema_value_t *schema, struct diag *d)
{
    struct walk w = {.doc = doc, .diag = d};
    return check_value(&w, schema, yaml_document_get_root_node(&doc->yaml));
}
