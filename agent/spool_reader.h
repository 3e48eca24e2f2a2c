// The spool as others see it: the uplink, which sends from it, and commands. Reads what is committed, so what
// it shows is on the disk. Threads: one a reader; the writer goes on beside it.
#ifndef ESEP_AGENT_SPOOL_READER_H
#define ESEP_AGENT_SPOOL_READER_H

#include "agent/spool.h"

struct spool_reader;

// NOT_FOUND: there is no spool yet. CORRUPT.
enum err spool_reader_open(const char *state_folder, struct spool_reader **out, struct diag *d) MUST_USE;
void spool_reader_close(struct spool_reader *r);

// With what spool_note_acknowledged has noted.
enum err spool_reader_state(struct spool_reader *r, struct spool_state *out, struct diag *d) MUST_USE;

struct spool_message { // a Batch or a Gap, as it is to be sent
    uint64_t first, last;
    bool gap;
    const void *bytes; // borrowed until the next call
    size_t len;
};
// The message that begins with that sequence. NOT_FOUND: none begins there, or it is no longer kept. CORRUPT.
enum err spool_reader_message(struct spool_reader *r, uint64_t first, struct spool_message *out,
                              struct diag *d) MUST_USE;
// Texts are borrowed until the next call; the incarnation is left empty.
enum err spool_reader_declare(struct spool_reader *r, uint32_t number, struct wire_declare *out,
                              struct diag *d) MUST_USE;
enum err spool_reader_position(struct spool_reader *r, const char *source, const char *key, void *out,
                               size_t cap, size_t *len) MUST_USE;
enum err spool_reader_position_each(struct spool_reader *r, const char *source, const char *prefix,
                                    position_visit visit, void *ctx) MUST_USE;

#endif
