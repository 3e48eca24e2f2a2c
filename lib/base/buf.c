// Everything built piece by piece from outside data goes through here, so no growth is without a limit. The
// error is sticky: a writer of a hundred fields checks once, and a text with a hole in it can't be taken for
// a whole one.
#include "base/buf.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max = max_bytes};
}

void buf_deinit(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = ERR_OK;
    if (b->data)
        b->data[0] = '\0';
}

// Room for `more` bytes and the NUL after them.
static enum err reserve(struct buf *b, size_t more)
{
    if (b->failed)
        return b->failed;
    if (more > b->max - b->len || b->max == SIZE_MAX)
        return b->failed = ERR_TOO_BIG;
    size_t need = b->len + more + 1;
    if (need <= b->cap)
        return ERR_OK;
    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    char *data = realloc(b->data, cap);
    if (!data)
        return b->failed = ERR_NOMEM;
    b->data = data;
    b->cap = cap;
    return ERR_OK;
}

enum err buf_append(struct buf *b, const void *bytes, size_t len)
{
    enum err e = reserve(b, len);
    if (e)
        return e;
    if (len > 0)
        memcpy(b->data + b->len, bytes, len);
    b->len += len;
    b->data[b->len] = '\0';
    return ERR_OK;
}

enum err buf_text(struct buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

enum err buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    enum err e = wanted < 0 ? (b->failed = ERR_NOMEM) : reserve(b, (size_t)wanted);
    if (!e) {
        (void)vsnprintf(b->data + b->len, (size_t)wanted + 1, fmt, again);
        b->len += (size_t)wanted;
    }
    va_end(again);
    return e;
}

const char *buf_str(const struct buf *b)
{
    return b->data ? b->data : "";
}

char *buf_take(struct buf *b, size_t *len)
{
    if (b->failed)
        return NULL;
    char *data = b->data ? b->data : calloc(1, 1);
    if (!data)
        return NULL;
    if (len)
        *len = b->len;
    *b = (struct buf){.max = b->max};
    return data;
}
