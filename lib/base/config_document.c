// libcyaml turns YAML into structs but says "line 3, column 5" of whatever it read last, takes any word for
// true and resolves aliases in full. So the file is read with libyaml first: once as events, which refuses
// what could grow without bound before anything is built, then as a document whose nodes know their places.
#include "base/config_document.h"
#include "base/buf.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_NODES 200000
#define MAX_PATH  256

enum err config_complain(struct diag *d, const char *file, struct config_place at, const char *yaml_path,
                         const char *text)
{
    return diag_fail(d, ERR_INVALID, "%s:%zu:%zu: %s%s%s", file, at.line, at.column, yaml_path,
                     *yaml_path ? ": " : "", text);
}

static struct config_place place_of(yaml_mark_t mark)
{
    return (struct config_place){mark.line + 1, mark.column + 1};
}

// ---- first reading: events
// -----------------------------------------------------------------------------------------

static enum err parser_failed(const yaml_parser_t *parser, const char *file, struct diag *d)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return diag_fail(d, ERR_NOMEM, "%s: %s", file, err_text(ERR_NOMEM));
    char text[200];
    (void)snprintf(text, sizeof text, "not YAML: %s%s%s", parser->problem ? parser->problem : "unreadable",
                   parser->context ? ", " : "", parser->context ? parser->context : "");
    return config_complain(d, file, place_of(parser->problem_mark), "", text);
}

struct census {
    int depth;
    int nodes;
    int documents;
};

static const char *event_refusal(const yaml_event_t *event, struct census *c)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return "an alias (*name) can't be used here: write the value out";
    case YAML_DOCUMENT_START_EVENT:
        return ++c->documents > 1 ? "a second document (---) begins here: keep one in a file" : NULL;
    case YAML_SCALAR_EVENT:
        if (memchr(event->data.scalar.value, '\0', event->data.scalar.length))
            return "a NUL character can't be used here";
        break;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        if (++c->depth > MAX_DEPTH)
            return "nested too deep";
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        c->depth--;
        return NULL;
    default:
        return NULL;
    }
    return ++c->nodes > MAX_NODES ? "too many values for one file" : NULL;
}

static enum err check_events(const char *file, const char *text, size_t len, struct diag *d)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return diag_fail(d, ERR_NOMEM, "%s: %s", file, err_text(ERR_NOMEM));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    struct census census = {0};
    enum err e = ERR_OK;
    for (bool end = false; !e && !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            e = parser_failed(&parser, file, d);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        const char *refusal = event_refusal(&event, &census);
        if (refusal)
            e = config_complain(d, file, place_of(event.start_mark), "", refusal);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!e && census.documents == 0)
        e = config_complain(d, file, (struct config_place){1, 1}, "", "the file is empty");
    return e;
}

// ---- second reading: the document
// ----------------------------------------------------------------------------------

static const char *scalar_text(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

// Of a node that is known to be a scalar.
static const char *word(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static int by_text(const void *a, const void *b)
{
    const yaml_node_t *const *left = a, *const *right = b;
    int order = strcmp(word(*left), word(*right));
    if (order)
        return order;
    size_t i = (*left)->start_mark.index, j = (*right)->start_mark.index;
    return (i > j) - (i < j);
}

static enum err check_keys(struct config_document *doc, const yaml_node_t *mapping, struct diag *d)
{
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
    size_t count = (size_t)(mapping->data.mapping.pairs.top - pair);
    const yaml_node_t **keys = calloc(count + 1, sizeof *keys);
    if (!keys)
        return diag_fail(d, ERR_NOMEM, "%s: %s", doc->file, err_text(ERR_NOMEM));
    enum err e = ERR_OK;
    for (size_t i = 0; i < count && !e; i++) {
        keys[i] = yaml_document_get_node(&doc->yaml, pair[i].key);
        if (!scalar_text(keys[i]))
            e = config_complain(d, doc->file, place_of(keys[i]->start_mark), "", "a key must be one word");
    }
    if (!e)
        qsort(keys, count, sizeof *keys, by_text);
    for (size_t i = 1; i < count && !e; i++)
        if (strcmp(word(keys[i - 1]), word(keys[i])) == 0)
            e = config_complain(d, doc->file, place_of(keys[i]->start_mark), word(keys[i]),
                                "this key is here twice");
    free(keys);
    return e;
}

// The nodes stand in one table: no walk is needed to see each mapping.
static enum err check_nodes(struct config_document *doc, struct diag *d)
{
    for (const yaml_node_t *node = doc->yaml.nodes.start; node < doc->yaml.nodes.top; node++) {
        enum err e = node->type == YAML_MAPPING_NODE ? check_keys(doc, node, d) : ERR_OK;
        if (e)
            return e;
    }
    return ERR_OK;
}

enum err config_document_open(struct config_document *doc, const char *file, const char *text, size_t len,
                              struct diag *d)
{
    enum err e = check_events(file, text, len, d);
    if (e)
        return e;
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return diag_fail(d, ERR_NOMEM, "%s: %s", file, err_text(ERR_NOMEM));
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    doc->file = file;
    if (!yaml_parser_load(&parser, &doc->yaml)) {
        e = parser_failed(&parser, file, d);
    } else {
        e = check_nodes(doc, d);
        if (e)
            yaml_document_delete(&doc->yaml);
    }
    yaml_parser_delete(&parser);
    return e;
}

void config_document_close(struct config_document *doc)
{
    yaml_document_delete(&doc->yaml);
}

// ---- finding a path
// ------------------------------------------------------------------------------------------------

// Keys may hold dots: the longest key that is followed by the path's end, '.' or '[' is the one that is
// meant.
static int child_by_key(struct config_document *doc, const yaml_node_t *mapping, const char **path)
{
    int found = 0;
    size_t longest = 0;
    for (yaml_node_pair_t *p = mapping->data.mapping.pairs.start; p < mapping->data.mapping.pairs.top; p++) {
        const char *key = scalar_text(yaml_document_get_node(&doc->yaml, p->key));
        size_t len = key ? strlen(key) : 0;
        bool fits = len > 0 && strncmp(*path, key, len) == 0 && strchr(".[", (*path)[len]);
        if (fits && len > longest) {
            longest = len;
            found = p->value;
        }
    }
    *path += longest;
    return found;
}

static int child_by_index(const yaml_node_t *sequence, const char **path)
{
    char *end = NULL;
    unsigned long index = strtoul(*path + 1, &end, 10);
    size_t count = (size_t)(sequence->data.sequence.items.top - sequence->data.sequence.items.start);
    if (end == *path + 1 || *end != ']' || index >= count)
        return 0;
    *path = end + 1;
    return sequence->data.sequence.items.start[index];
}

struct config_place config_document_find(struct config_document *doc, const char *yaml_path)
{
    const yaml_node_t *node = yaml_document_get_root_node(&doc->yaml);
    struct config_place place = {1, 1};
    while (node) {
        place = place_of(node->start_mark);
        if (*yaml_path == '.')
            yaml_path++;
        int child = 0;
        if (*yaml_path && node->type == YAML_MAPPING_NODE)
            child = child_by_key(doc, node, &yaml_path);
        else if (*yaml_path == '[' && node->type == YAML_SEQUENCE_NODE)
            child = child_by_index(node, &yaml_path);
        node = child ? yaml_document_get_node(&doc->yaml, child) : NULL;
    }
    return place;
}

// ---- the document against the schema
// -------------------------------------------------------------------------------

struct walk {
    struct config_document *doc;
    struct diag *diag;
    char path[MAX_PATH]; // of the node looked at
};

static enum err check_value(struct walk *w, const cyaml_schema_value_t *schema, const yaml_node_t *node);

static enum err refuse(struct walk *w, const yaml_node_t *node, const char *text)
{
    return config_complain(w->diag, w->doc->file, place_of(node->start_mark), w->path, text);
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
        if (strcmp(word(yaml_document_get_node(&w->doc->yaml, p->key)), key) == 0)
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
        const cyaml_schema_field_t *field = field_of(schema, word(key));
        (void)snprintf(w->path + len, sizeof w->path - len, "%s%s", len ? "." : "", word(key));
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
        if (strcmp(word(node), words[i]) == 0)
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
        if (strcmp(word(node), known[i].str) == 0) {
            buf_deinit(&text);
            return ERR_OK;
        }
    }
    return refuse_listing(w, node, &text);
}

static bool is_null(const yaml_node_t *node)
{
    const char *text = scalar_text(node);
    return text && (!*text || strcmp(text, "~") == 0 || strcmp(text, "null") == 0);
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
        break;
    }
    if (node->type != YAML_SCALAR_NODE)
        return refuse(w, node, "a single value is wanted here");
    if (schema->type == CYAML_BOOL)
        return check_bool(w, node);
    return schema->type == CYAML_ENUM ? check_enum(w, schema, node) : ERR_OK;
}

enum err config_document_check(struct config_document *doc, const cyaml_schema_value_t *schema,
                               struct diag *d)
{
    struct walk w = {.doc = doc, .diag = d};
    return check_value(&w, schema, yaml_document_get_root_node(&doc->yaml));
}
