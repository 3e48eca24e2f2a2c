// Records are found in the file's own bytes: in UTF-8 and windows-1251 alike, separators, quotes and line
// ends are single ASCII bytes that are part of nothing else. So offsets are the file's, and only whole
// records are converted.
//
// A quote opens only at the start of a field; anywhere else it is a character (5" pipe). A quote that is
// never closed would swallow the rest of the file: it ends at the bound of a record, is reported there, and
// reading goes on with the next line.
#include "agent/sources/csv_reader.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES (CSV_RECORD_MAX + 2)
#define UTF8_GROWTH  3 // bytes of UTF-8 for one of a single-byte encoding

enum err csv_reader_init(struct csv_reader *r, int fd, char separator, int64_t offset, uint64_t line)
{
    char *buf = malloc(BUFFER_BYTES);
    if (!buf)
        return ERR_NOMEM;
    *r = (struct csv_reader){.fd = fd, .separator = separator, .buf = buf, .offset = offset, .line = line};
    return ERR_OK;
}

void csv_reader_deinit(struct csv_reader *r)
{
    free(r->buf);
    r->buf = NULL;
}

// Index of the line end that ends the record at start, or end when it is not there yet. *lines counts those
// inside quotes.
static size_t find_end(const struct csv_reader *r, uint64_t *lines)
{
    bool quoted = false, field_start = true;
    *lines = 0;
    for (size_t i = r->start; i < r->end; i++) {
        char c = r->buf[i];
        if (quoted) {
            if (c == '"' && i + 1 < r->end && r->buf[i + 1] == '"')
                i++;
            else if (c == '"')
                quoted = false;
            else if (c == '\n')
                ++*lines;
        } else if (c == '\n') {
            return i;
        } else {
            quoted = c == '"' && field_start;
            field_start = c == r->separator;
        }
        if (quoted)
            field_start = false;
    }
    return r->end;
}

static void advance(struct csv_reader *r, size_t bytes, uint64_t lines)
{
    r->start += bytes;
    r->offset += (int64_t)bytes;
    r->line += lines;
}

// False: an error in errno.
static bool fill(struct csv_reader *r)
{
    memmove(r->buf, r->buf + r->start, r->end - r->start);
    r->end -= r->start;
    r->start = 0;
    while (r->end < BUFFER_BYTES) {
        ssize_t n = pread(r->fd, r->buf + r->end, BUFFER_BYTES - r->end, r->offset + (int64_t)r->end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0) {
            r->ended = true;
            return true;
        }
        r->end += (size_t)n;
    }
    return true;
}

static void set_place(const struct csv_reader *r, struct csv_raw *out)
{
    *out =
        (struct csv_raw){.bytes = r->buf + r->start, .offset = r->offset, .next = r->offset, .line = r->line};
}

// Passes over the rest of the line that is too long. True when its end was found.
static bool skip_line(struct csv_reader *r)
{
    const char *nl = memchr(r->buf + r->start, '\n', r->end - r->start);
    if (nl) {
        advance(r, (size_t)(nl - (r->buf + r->start)) + 1, 1);
        r->skipping = false;
        return true;
    }
    advance(r, r->end - r->start, 0);
    return false;
}

static enum csv_next give(struct csv_reader *r, size_t end, uint64_t lines, struct csv_raw *out)
{
    set_place(r, out);
    out->len = end - r->start;
    if (out->len > 0 && out->bytes[out->len - 1] == '\r')
        out->len--;
    advance(r, end - r->start + 1, lines + 1);
    out->next = r->offset;
    return CSV_RECORD;
}

// The record at start has no end in a full buffer, or its quote is not closed before the file's end.
static enum csv_next too_long(struct csv_reader *r, struct csv_raw *out)
{
    set_place(r, out);
    r->skipping = true;
    if (skip_line(r))
        out->next = r->offset;
    return CSV_TOO_LONG;
}

enum csv_next csv_reader_next(struct csv_reader *r, struct csv_raw *out)
{
    for (;;) {
        if (r->skipping && r->start < r->end && !skip_line(r))
            continue;
        uint64_t lines = 0;
        size_t end = r->skipping ? r->end : find_end(r, &lines);
        if (end < r->end && end - r->start <= CSV_RECORD_MAX)
            return give(r, end, lines, out);
        if (!r->skipping && r->end - r->start > CSV_RECORD_MAX)
            return too_long(r, out);
        if (r->ended) {
            set_place(r, out);
            out->len = r->end - r->start;
            return out->len > 0 ? CSV_PARTIAL : CSV_END;
        }
        if (!fill(r))
            return CSV_FAILED;
    }
}

// ---- fields

void csv_record_init(struct csv_record *r)
{
    *r = (struct csv_record){0};
}

void csv_record_deinit(struct csv_record *r)
{
    free(r->text);
    free(r->fields);
    csv_record_init(r);
}

static enum err reserve(struct csv_record *r, size_t bytes)
{
    if (bytes <= r->cap)
        return ERR_OK;
    char *text = realloc(r->text, bytes);
    if (!text)
        return ERR_NOMEM;
    r->text = text;
    r->cap = bytes;
    return ERR_OK;
}

static enum err add_field(struct csv_record *r, const char *text, uint32_t line, uint32_t column,
                          struct diag *d)
{
    if (r->count == CSV_FIELDS_MAX)
        return diag_fail(d, ERR_INVALID, "%u:%u: more than %d columns", line, column, CSV_FIELDS_MAX);
    if (r->count == r->field_cap) {
        size_t cap = r->field_cap ? r->field_cap * 2 : 16;
        struct csv_field *fields = realloc(r->fields, cap * sizeof *fields);
        if (!fields)
            return ERR_NOMEM;
        r->fields = fields;
        r->field_cap = cap;
    }
    r->fields[r->count++] = (struct csv_field){.text = text, .line = line, .column = column};
    return ERR_OK;
}

// Copies the record as UTF-8 into r->text.
static enum err to_utf8(struct csv_record *r, const struct csv_raw *raw, iconv_t convert, struct diag *d)
{
    enum err e = reserve(r, raw->len * UTF8_GROWTH + 1);
    if (e != ERR_OK)
        return e;
    if (memchr(raw->bytes, '\0', raw->len))
        return diag_fail(d, ERR_INVALID,
                         "%llu:1: holds a NUL byte: is it a text file in UTF-8 or windows-1251?",
                         (unsigned long long)raw->line);
    if (convert == (iconv_t)-1) {
        memcpy(r->text, raw->bytes, raw->len);
        r->text[raw->len] = '\0';
        return ERR_OK;
    }
    char *in = (char *)(uintptr_t)raw->bytes, *out = r->text;
    size_t in_left = raw->len, out_left = r->cap - 1;
    iconv(convert, NULL, NULL, NULL, NULL);
    if (iconv(convert, &in, &in_left, &out, &out_left) == (size_t)-1)
        return diag_fail(d, ERR_INVALID, "%llu:%zu: byte 0x%02x is not a character of the file's encoding",
                         (unsigned long long)raw->line, raw->len - in_left + 1, (unsigned char)*in);
    *out = '\0';
    return ERR_OK;
}

struct cursor {
    char *in;
    char *out; // unquoted text is written over what has been read
    uint32_t line, column;
};

static void step(struct cursor *c)
{
    if (*c->in == '\n') {
        c->line++;
        c->column = 1;
    } else if (((unsigned char)*c->in & 0xc0) != 0x80) {
        c->column++;
    }
    c->in++;
}

static enum err read_quoted(struct cursor *c, char separator, struct diag *d)
{
    uint32_t line = c->line, column = c->column;
    for (step(c);; step(c)) {
        if (*c->in == '\0')
            return diag_fail(d, ERR_INVALID, "%u:%u: this quote is not closed", line, column);
        if (*c->in == '"') {
            step(c);
            if (*c->in != '"')
                break;
        }
        *c->out++ = *c->in;
    }
    if (*c->in != '\0' && *c->in != separator)
        return diag_fail(d, ERR_INVALID, "%u:%u: text after the closing quote", c->line, c->column);
    return ERR_OK;
}

static enum err split(struct csv_record *r, uint32_t line, char separator, struct diag *d)
{
    struct cursor c = {.in = r->text, .out = r->text, .line = line, .column = 1};
    for (;;) {
        enum err e = add_field(r, c.out, c.line, c.column, d);
        if (e == ERR_OK && *c.in == '"')
            e = read_quoted(&c, separator, d);
        if (e != ERR_OK)
            return e;
        while (*c.in && *c.in != separator) {
            *c.out++ = *c.in;
            step(&c);
        }
        bool last = *c.in == '\0';
        if (!last)
            step(&c);
        *c.out++ = '\0';
        if (last)
            return ERR_OK;
    }
}

enum err csv_record_read(struct csv_record *r, const struct csv_raw *raw, char separator, iconv_t convert,
                         struct diag *d)
{
    r->count = 0;
    enum err e = to_utf8(r, raw, convert, d);
    return e == ERR_OK ? split(r, (uint32_t)raw->line, separator, d) : e;
}

bool csv_record_blank(const struct csv_record *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->fields[i].text[strspn(r->fields[i].text, " \t")])
            return false;
    return true;
}
