// A YAML document against a libcyaml schema. Inside base/config.h, which is what other modules include.
#ifndef ESEP_BASE_CONFIG_SCHEMA_H
#define ESEP_BASE_CONFIG_SCHEMA_H

#include "base/config_document.h"
#include "base/err.h"
#include <cyaml/cyaml.h>

// Every key known to the schema, none missing that is required, lists and mappings where the schema has them,
// true or false, numbers and the words of an enum as they are meant. Ranges and lengths are libcyaml's.
// INVALID; diag has the place.
enum err config_schema_check(struct config_document *doc, const cyaml_schema_value_t *schema,
                             struct diag *d) MUST_USE;

#endif
