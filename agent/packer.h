// Figures → finished batches: one class after the other, each filled up to the message limit, with rising
// sequences.
#ifndef ESEP_AGENT_PACKER_H
#define ESEP_AGENT_PACKER_H

#include "agent/spool.h"

struct packer;

enum err packer_create(struct packer **out) MUST_USE;
void packer_destroy(struct packer *p);
// Begins anew: the first batch gets sequence `first`.
void packer_begin(struct packer *p, const struct wire_incarnation *incarnation, uint64_t first);
// note may be NULL. Another class than the one before closes the batch. NOMEM, INVALID (the codec refused the
// sample).
enum err packer_add(struct packer *p, enum wire_class class, const struct wire_sample *s,
                    const struct wire_note *note) MUST_USE;
// Closes the last batch. The rows are borrowed until the next begin.
enum err packer_finish(struct packer *p, const struct spool_row **rows, size_t *count) MUST_USE;

#endif
