// Two sources as a configuration would give them, one of each class, and what must hold of what they bring.
#ifndef ESEP_TESTS_FUZZ_SOURCES_H
#define ESEP_TESTS_FUZZ_SOURCES_H

#include "agent/harvest.h"

// Filled in for a CSV file at path, or for an exec source when path is NULL.
void fuzz_source(struct agent_source *out, const char *path, enum wire_class class);
// Every sample is one that the collector would not refuse for its form, and every error has its words.
void fuzz_source_check(const struct agent_source *source, const struct harvest *h);

#endif
