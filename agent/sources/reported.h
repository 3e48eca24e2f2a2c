// The value last reported of each period, kept among the source's positions, so that a figure is sent when it
// is new or changed and not each time it is read.
#ifndef ESEP_AGENT_SOURCES_REPORTED_H
#define ESEP_AGENT_SOURCES_REPORTED_H

#include "agent/harvest.h"
#include "agent/source.h"

#define REPORTED_PREFIX    "v/"
#define REPORTED_BY_HAND   "h/" // what a person reported of the same, in place of the prefix
#define REPORTED_KEY_MAX   256
#define REPORTED_BYTES_MAX 9

// What a value was reported as is part of the key: with another unit, currency or period it counts as new.
void reported_key(const struct agent_series *s, int32_t day, char out[REPORTED_KEY_MAX]);
size_t reported_encode(struct figure value, uint8_t out[REPORTED_BYTES_MAX]);
enum err reported_decode(const void *bytes, size_t len, struct figure *out) MUST_USE; // CORRUPT

// Adds the sample and its position unless the same value was reported before (counted as skipped).
enum err reported_add_changed(const struct source_env *env, const char *source, const struct agent_series *s,
                              const struct harvest_sample *sample, const char *where,
                              struct harvest *h) MUST_USE;
// Adds the sample and its position.
enum err reported_add(const struct agent_series *s, const struct harvest_sample *sample, const char *where,
                      struct harvest *h) MUST_USE;

#endif
