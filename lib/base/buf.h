// A growing byte buffer with a maximum set at creation, always NUL-terminated for printing.
// After the first failed append the buffer keeps failing (sticky), so a writer may check once at the end.
// Threads: one at a time.
#ifndef ESEP_BASE_BUF_H
#define ESEP_BASE_BUF_H

#include "base/err.h"
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; // owned; NULL until the first append
    size_t len; // without the NUL
    size_t cap;
    size_t max;
    enum err failed; // ERR_OK, ERR_NOMEM or ERR_TOO_BIG
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_deinit(struct buf *b);
void buf_reset(struct buf *b); // empty, memory kept, error cleared
enum err buf_append(struct buf *b, const void *bytes, size_t len);
enum err buf_text(struct buf *b, const char *text);
enum err buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
// The bytes as a NUL-terminated string, "" when empty; valid until the next call on b.
const char *buf_str(const struct buf *b);
// Moves the bytes out (malloc'ed, NUL-terminated, the caller frees); b is empty afterwards. NULL if b has
// failed.
char *buf_take(struct buf *b, size_t *len);

#endif
