// The two ways of reading a CSV source, by its class. A growing log of measurements is read on from where it
// was left; a table of reports is read whole whenever it has changed, and only what changed is reported.
#ifndef ESEP_AGENT_SOURCES_CSV_INTERNAL_H
#define ESEP_AGENT_SOURCES_CSV_INTERNAL_H

#include "agent/source.h"

struct csv_log;
enum err csv_log_create(const struct agent_source *config, const struct source_env *env,
                        struct csv_log **out) MUST_USE;
void csv_log_destroy(struct csv_log *l);
enum err csv_log_take(struct csv_log *l, size_t max_samples, struct harvest *h) MUST_USE;
void csv_log_settled(struct csv_log *l, bool spooled);

struct csv_table;
enum err csv_table_create(const struct agent_source *config, const struct source_env *env,
                          struct csv_table **out) MUST_USE;
void csv_table_destroy(struct csv_table *t);
enum err csv_table_take(struct csv_table *t, size_t max_samples, struct harvest *h) MUST_USE;
void csv_table_settled(struct csv_table *t, bool spooled);

#endif
