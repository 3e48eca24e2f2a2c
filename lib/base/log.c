// logfmt because both grep and a log collector read it. A line is put together in one bounded buffer and
// leaves in one write(2), so lines of several threads and processes never mix. Values come from outside:
// whatever could break a line, a field or a terminal is quoted or escaped. The lowest level is the one piece
// of process-wide state in the library: it's set once, from the config, and passing it to everything that
// logs would tell nobody anything.
#include "base/log.h"
#include "base/clock.h"
#include "base/figure.h"
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 4096
static const char cut_mark[] = " truncated=true\n";

static _Atomic int lowest_level = LOG_INFO;

struct line {
    char data[LINE_BYTES];
    size_t len;
    bool cut; // something did not fit: nothing more is added
};

void log_set_level(enum log_level lowest)
{
    atomic_store_explicit(&lowest_level, (int)lowest, memory_order_relaxed);
}

// All or nothing, so that a cut never falls inside an escape or a character.
static bool put(struct line *l, const char *bytes, size_t len)
{
    if (l->cut || len > sizeof l->data - sizeof cut_mark - l->len) {
        l->cut = true;
        return false;
    }
    memcpy(l->data + l->len, bytes, len);
    l->len += len;
    return true;
}

static void put_text(struct line *l, const char *text)
{
    (void)put(l, text, strlen(text));
}

static bool is_plain(const char *text)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@+,-";
    return *text != '\0' && text[strspn(text, safe)] == '\0';
}

// The length of the well-formed, printable UTF-8 character at p (C1 control characters steer terminals: not
// printable).
static size_t printable_character(const unsigned char *p)
{
    if (p[0] < 0x80)
        return p[0] >= 0x20 && p[0] != 0x7F ? 1 : 0;
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xC0) != 0x80) // a NUL ends it as well
            return 0;
    bool control = p[0] == 0xC2 && p[1] < 0xA0;
    bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    bool outside = (p[0] == 0xED && p[1] >= 0xA0) || (p[0] == 0xF4 && p[1] >= 0x90);
    return control || overlong || outside ? 0 : len;
}

static bool put_escaped(struct line *l, unsigned char c)
{
    char text[8];
    const char *known = c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
    if (known)
        return put(l, known, 2);
    int len = snprintf(text, sizeof text, "\\x%02x", (unsigned)c);
    return put(l, text, (size_t)len);
}

static void put_quoted(struct line *l, const char *text)
{
    bool fits = put(l, "\"", 1);
    if (!fits)
        return;
    for (const unsigned char *p = (const unsigned char *)text; *p && fits;) {
        size_t len = printable_character(p);
        if (len == 0) {
            fits = put_escaped(l, *p++);
        } else if (*p == '"' || *p == '\\') {
            char pair[2] = {'\\', (char)*p++};
            fits = put(l, pair, sizeof pair);
        } else {
            fits = put(l, (const char *)p, len);
            p += len;
        }
    }
    // cut_mark's own NUL keeps one byte free, so that a value that was cut is closed all the same.
    if (!fits || !put(l, "\"", 1))
        l->data[l->len++] = '"';
}

static void put_value(struct line *l, const char *text)
{
    if (is_plain(text))
        put_text(l, text);
    else
        put_quoted(l, text);
}

static void put_field(struct line *l, const struct log_field *f)
{
    char text[FIGURE_TEXT];
    struct figure figure;
    size_t start = l->len;
    put_text(l, " ");
    put_text(l, f->key);
    put_text(l, "=");
    if (l->cut) {
        l->len = start;
        return;
    }
    switch (f->kind) {
    case LOG_FIELD_TEXT:
        put_value(l, f->text ? f->text : "");
        return;
    case LOG_FIELD_INT:
        (void)snprintf(text, sizeof text, "%" PRId64, f->integer);
        put_text(l, text);
        return;
    case LOG_FIELD_REAL:
    default:
        if (figure_from_real(f->real, &figure))
            (void)snprintf(text, sizeof text, f->real > 0 ? "inf" : f->real < 0 ? "-inf" : "nan");
        else
            figure_text(figure, text);
        put_text(l, text);
    }
}

static void put_head(struct line *l, enum log_level level, const char *event)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    struct wall now = clock_wall(clock_system());
    char ts[WALL_TEXT];
    wall_text(now, ts);
    char head[64];
    int len = snprintf(head, sizeof head, "ts=%.19s.%03uZ level=%s event=", ts,
                       (unsigned)(now.us % US_PER_S / US_PER_MS) % 1000U, names[(unsigned)level & 3U]);
    (void)put(l, head, (size_t)len);
    put_value(l, event ? event : "");
}

// One write; only what a signal or a slow reader interrupted is written again. A log that can't be written is
// lost: there is nowhere left to say so.
static void write_line(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, bytes, len);
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields, int count)
{
    if ((int)level < atomic_load_explicit(&lowest_level, memory_order_relaxed))
        return;
    int saved = errno;
    struct line l;
    l.len = 0;
    l.cut = false;
    put_head(&l, level, event);
    for (int i = 0; i < count; i++)
        put_field(&l, &fields[i]);
    const char *end = l.cut ? cut_mark : "\n";
    size_t end_len = strlen(end);
    memcpy(l.data + l.len, end, end_len);
    write_line(l.data, l.len + end_len);
    errno = saved;
}
