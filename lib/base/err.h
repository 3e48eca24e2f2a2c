// Results. Every call that can fail returns enum err and must be looked at; the person-readable detail
// travels beside it in a struct diag, filled once, where the failure is understood best.
#ifndef ESEP_BASE_ERR_H
#define ESEP_BASE_ERR_H

#include <stddef.h>

#define MUST_USE     __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

// One list makes the enum, the names and the texts.
#define ERR_LIST(X)                                                                                          \
    X(OK, "ok", "done")                                                                                      \
    X(NOMEM, "nomem", "out of memory")                                                                       \
    X(IO, "io", "input/output error: what was written may not be on disk")                                   \
    X(FULL, "full", "no room: disk, quota or a bounded buffer is full")                                      \
    X(AGAIN, "again", "not now: try again")                                                                  \
    X(TIMEOUT, "timeout", "no answer in time")                                                               \
    X(CLOSED, "closed", "the other side has gone or is stopping")                                            \
    X(INVALID, "invalid", "malformed or out of range")                                                       \
    X(TOO_BIG, "too-big", "larger than its limit")                                                           \
    X(NOT_FOUND, "not-found", "no such thing")                                                               \
    X(EXISTS, "exists", "already there")                                                                     \
    X(DENIED, "denied", "not allowed")                                                                       \
    X(CONFLICT, "conflict", "contradicts what is already known")                                             \
    X(CORRUPT, "corrupt", "stored data is damaged")                                                          \
    X(UNSUPPORTED, "unsupported", "this build or version can't")                                             \
    X(INTERNAL, "internal", "a bug in this program")

enum err {
#define X(id, name, text) ERR_##id,
    ERR_LIST(X)
#undef X
};

// Static strings; any value is accepted. "again" / "not now: try again".
const char *err_name(enum err e);
const char *err_text(enum err e);

// errno → enum err: ENOSPC and EDQUOT FULL, ENOENT NOT_FOUND, EEXIST EXISTS, EACCES/EPERM DENIED,
// EAGAIN/EINTR AGAIN, ENOMEM NOMEM, everything else IO.
enum err err_from_errno(int errnum);

// What went wrong, for a person: names the thing and the way out. The caller's storage; "" when nothing is
// known.
struct diag {
    char text[600];
};

// Sets the text (truncated to fit) and returns e, so that a failure is one line: return diag_fail(d, ERR_IO,
// "…"); d may be NULL.
enum err diag_fail(struct diag *d, enum err e, const char *fmt, ...) PRINTF(3, 4);
// The same with ": <strerror(errnum)>" appended; the result is err_from_errno(errnum).
enum err diag_errno(struct diag *d, int errnum, const char *fmt, ...) PRINTF(3, 4);

#ifdef __clang_analyzer__
// The analyzer reads one file at a time: this tells it that a failure reported is never ERR_OK.
#define diag_fail(d, e, ...)       (diag_fail((d), (e), __VA_ARGS__), (e))
#define diag_errno(d, errnum, ...) (diag_errno((d), (errnum), __VA_ARGS__), ERR_IO)
#endif

#endif
