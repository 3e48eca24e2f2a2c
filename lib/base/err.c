// One list in the header makes everything here, so a result can't have a name without a text. A diag is plain
// storage of the caller's: reporting a failure allocates nothing and can't fail itself.
#include "base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_entry {
    const char *name;
    const char *text;
};

static const struct err_entry entries[] = {
#define X(id, name, text) [ERR_##id] = {name, text},
    ERR_LIST(X)
#undef X
};

static const struct err_entry *entry_of(enum err e)
{
    static const struct err_entry unknown = {"unknown", "an unknown result"};
    size_t index = (size_t)e;
    return index < sizeof entries / sizeof entries[0] ? &entries[index] : &unknown;
}

const char *err_name(enum err e)
{
    return entry_of(e)->name;
}

const char *err_text(enum err e)
{
    return entry_of(e)->text;
}

enum err err_from_errno(int errnum)
{
    switch (errnum) {
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case ENOENT:
        return ERR_NOT_FOUND;
    case EEXIST:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    case EAGAIN:
    case EINTR:
        return ERR_AGAIN;
    case ENOMEM:
        return ERR_NOMEM;
    default:
        return ERR_IO;
    }
}

// A text cut in the middle of a UTF-8 character would be refused by everything that prints JSON: drop the
// broken tail.
static void trim_broken_tail(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t wanted = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (len - (start - 1) < wanted)
        text[start - 1] = '\0';
}

static void set_text(struct diag *d, const char *fmt, va_list args) PRINTF(2, 0);
static void set_text(struct diag *d, const char *fmt, va_list args)
{
    int wanted = vsnprintf(d->text, sizeof d->text, fmt, args);
    if (wanted < 0)
        d->text[0] = '\0';
    else if ((size_t)wanted >= sizeof d->text)
        trim_broken_tail(d->text, sizeof d->text - 1);
}

enum err(diag_fail)(struct diag *d, enum err e, const char *fmt, ...)
{
    if (!d)
        return e;
    va_list args;
    va_start(args, fmt);
    set_text(d, fmt, args);
    va_end(args);
    return e;
}

enum err(diag_errno)(struct diag *d, int errnum, const char *fmt, ...)
{
    if (!d)
        return err_from_errno(errnum);
    va_list args;
    va_start(args, fmt);
    set_text(d, fmt, args);
    va_end(args);
    char reason[128];
    const char *text = strerror_r(errnum, reason, sizeof reason);
    size_t len = strlen(d->text);
    size_t need = strlen(text) + 3;
    // The reason matters more than the end of a long name: cut the name for it.
    if (len + need > sizeof d->text) {
        len = sizeof d->text - need;
        d->text[len] = '\0';
        trim_broken_tail(d->text, len);
        len = strlen(d->text);
    }
    (void)snprintf(d->text + len, sizeof d->text - len, ": %s", text);
    return err_from_errno(errnum);
}
