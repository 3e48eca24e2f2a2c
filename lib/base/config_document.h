// The YAML file as libyaml's document, so that every message can name line and column. Part of
// base/config.h's inside: other modules include that.
#ifndef ESEP_BASE_CONFIG_DOCUMENT_H
#define ESEP_BASE_CONFIG_DOCUMENT_H

#include "base/err.h"
#include <stddef.h>
#include <yaml.h>

struct config_place { // both from 1
    size_t line;
    size_t column;
};

struct config_document {
    const char *file; // borrowed, for messages
    yaml_document_t yaml;
};

// Exactly one document, well-formed, within bounds (depth, nodes), without aliases, repeated keys and NUL
// characters. text need not outlive the call. INVALID, NOMEM; diag has the place. Close it when this returned
// OK.
enum err config_document_open(struct config_document *doc, const char *file, const char *text, size_t len,
                              struct diag *d) MUST_USE;
void config_document_close(struct config_document *doc);

// Where the value of "a[1].b" begins, or its nearest parent's.
struct config_place config_document_find(struct config_document *doc, const char *yaml_path);

// The same, at bytes into a value of plain characters that stands on one line; else where it begins.
struct config_place config_document_find_within(struct config_document *doc, const char *yaml_path,
                                                size_t at);

struct config_place config_place_of(yaml_mark_t mark);
// The text of a node that is known to be a scalar; every key of an open document is.
const char *config_word(const yaml_node_t *node);

// "file:line:column: path: text"; an empty path is left out. Returns ERR_INVALID.
enum err config_complain(struct diag *d, const char *file, struct config_place at, const char *yaml_path,
                         const char *text);

#endif
