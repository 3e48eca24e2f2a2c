// What the collector says that the resident owes: kept as it came, shown by `esep-agent status`.
#ifndef ESEP_AGENT_OWED_H
#define ESEP_AGENT_OWED_H

#include "base/err.h"
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OWED_FILE "obligations" // in the state folder: the last Obligations message

// Keeps the message, durably. IO, FULL: the one before stays.
enum err owed_keep(const char *state, const void *bytes, size_t len, struct diag *d) MUST_USE;

// For people, late ones first; nothing when the collector has never said anything. What was open when it was
// said and is late by now is shown as late.
void owed_print(const char *state, int64_t now_us, FILE *out);
// An object, or NULL when nothing was ever said (or out of memory).
json_t *owed_json(const char *state, int64_t now_us);

#endif
