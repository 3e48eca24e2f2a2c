// libcyaml turns YAML into structs but says "line 3, column 5" of whatever it read last, takes any word for
// true and resolves aliases in full. So the file is read with libyaml first: once as events, which refuses
// what could grow without bound before anything is built, then as a document whose nodes know their places.
#include "base/config_document.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_NODES 200000

enum err config_complain(struct diag *d, const char *file, struct config_place at, const char *yaml_path,
                         const char *text)
{
    return diag_fail(d, ERR_INVALID, "%s:%zu:%zu: %s%s%s", file, at.line, at.column, yaml_path,
                     *yaml_path ? ": " : "", text);
}

struct config_place config_place_of(yaml_mark_t mark)
{
    return (struct config_place){mark.line + 1, mark.column + 1};
}

struct source {
    const char *file;
    const char *text;
    size_t len;
};

// ---- first reading: events
// -----------------------------------------------------------------------------------------

// Below the characters (a broken encoding, a control character) libyaml knows only the byte.
static struct config_place place_of_byte(const char *text, size_t offset)
{
    struct config_place place = {1, 1};
    for (size_t i = 0; i < offset; i++) {
        bool newline = text[i] == '\n';
        place.line += newline ? 1 : 0;
        place.column = newline ? 1 : place.column + 1;
    }
    return place;
}

static enum err parser_failed(const yaml_parser_t *parser, const struct source *s, struct diag *d)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return diag_fail(d, ERR_NOMEM, "%s: %s", s->file, err_text(ERR_NOMEM));
    char text[200];
    (void)snprintf(text, sizeof text, "not YAML: %s%s%s", parser->problem ? parser->problem : "unreadable",
                   parser->context ? ", " : "", parser->context ? parser->context : "");
    struct config_place place = config_place_of(parser->problem_mark);
    if (parser->error == YAML_READER_ERROR)
        place = place_of_byte(s->text, parser->problem_offset < s->len ? parser->problem_offset : s->len);
    return config_complain(d, s->file, place, "", text);
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

static enum err parser_open(yaml_parser_t *parser, const struct source *s, struct diag *d)
{
    if (!yaml_parser_initialize(parser))
        return diag_fail(d, ERR_NOMEM, "%s: %s", s->file, err_text(ERR_NOMEM));
    yaml_parser_set_input_string(parser, (const unsigned char *)s->text, s->len);
    return ERR_OK;
}

static enum err check_events(const struct source *s, struct diag *d)
{
    yaml_parser_t parser;
    enum err e = parser_open(&parser, s, d);
    if (e)
        return e;
    struct census census = {0};
    for (bool end = false; !e && !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            e = parser_failed(&parser, s, d);
            break;
        }
        end = event.type == YAML_STREAM_END_EVENT;
        const char *refusal = event_refusal(&event, &census);
        if (refusal)
            e = config_complain(d, s->file, config_place_of(event.start_mark), "", refusal);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    if (!e && census.documents == 0)
        e = config_complain(d, s->file, (struct config_place){1, 1}, "", "the file is empty");
    return e;
}

// ---- second reading: the document
// ----------------------------------------------------------------------------------

static const char *scalar_text(const yaml_node_t *node)
{
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

const char *config_word(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static int by_text(const void *a, const void *b)
{
    const yaml_node_t *const *left = a, *const *right = b;
    int order = strcmp(config_word(*left), config_word(*right));
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
            e = config_complain(d, doc->file, config_place_of(keys[i]->start_mark), "",
                                "a key must be one word");
    }
    if (!e)
        qsort(keys, count, sizeof *keys, by_text);
    for (size_t i = 1; i < count && !e; i++)
        if (strcmp(config_word(keys[i - 1]), config_word(keys[i])) == 0)
            e = config_complain(d, doc->file, config_place_of(keys[i]->start_mark), config_word(keys[i]),
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
    const struct source source = {file, text, len};
    yaml_parser_t parser;
    enum err e = check_events(&source, d);
    if (!e)
        e = parser_open(&parser, &source, d);
    if (e)
        return e;
    doc->file = file;
    if (!yaml_parser_load(&parser, &doc->yaml)) {
        e = parser_failed(&parser, &source, d);
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

static const yaml_node_t *find(struct config_document *doc, const char *yaml_path)
{
    const yaml_node_t *node = yaml_document_get_root_node(&doc->yaml), *found = node;
    while (node) {
        found = node;
        if (*yaml_path == '.')
            yaml_path++;
        int child = 0;
        if (*yaml_path && node->type == YAML_MAPPING_NODE)
            child = child_by_key(doc, node, &yaml_path);
        else if (*yaml_path == '[' && node->type == YAML_SEQUENCE_NODE)
            child = child_by_index(node, &yaml_path);
        node = child ? yaml_document_get_node(&doc->yaml, child) : NULL;
    }
    return found;
}

struct config_place config_document_find(struct config_document *doc, const char *yaml_path)
{
    const yaml_node_t *node = find(doc, yaml_path);
    return node ? config_place_of(node->start_mark) : (struct config_place){1, 1};
}

struct config_place config_document_find_within(struct config_document *doc, const char *yaml_path, size_t at)
{
    const yaml_node_t *node = find(doc, yaml_path);
    struct config_place place = config_document_find(doc, yaml_path);
    if (!node || node->type != YAML_SCALAR_NODE || node->start_mark.line != node->end_mark.line)
        return place;
    bool quoted = node->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    place.column += at + quoted;
    return place;
}
