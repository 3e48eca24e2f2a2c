// The header decides what a row means, so its hash is part of a stored position: another header, another
// file.
#include "agent/sources/csv_file.h"
#include "base/crypto.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOM_BYTES 3

void csv_hash(const void *bytes, size_t len, uint8_t out[CSV_HASH_BYTES])
{
    uint8_t whole[HASH_BYTES];
    crypto_digest(&(struct hash_part){bytes, len}, 1, whole);
    memcpy(out, whole, CSV_HASH_BYTES);
}

void csv_file_init(struct csv_file *f, const struct agent_source *config)
{
    *f = (struct csv_file){.config = config, .path = config->path, .fd = -1, .convert = (iconv_t)-1};
}

bool csv_file_has(const struct csv_file *f, size_t series)
{
    return f->columns[series] < CSV_ABSENT;
}

void csv_file_close(struct csv_file *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->convert != (iconv_t)-1)
        iconv_close(f->convert);
    free(f->columns);
    csv_file_init(f, f->config);
}

void csv_file_place(const struct csv_file *f, const struct csv_field *field, const char *header, char *out,
                    size_t out_size)
{
    snprintf(out, out_size, "%s:%u:%u: column \"%s\"", f->path, field->line, field->column, header);
}

static bool open_path(struct csv_file *f, struct harvest *h)
{
    const char *path = f->path;
    struct stat st;
    f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe under that name must not hang the agent
    if (f->fd < 0) {
        harvest_error(h, "%s: %s", path, strerror(errno));
        return false;
    }
    if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        harvest_error(h, "%s: is not a regular file", path);
        return false;
    }
    if (f->config->encoding) {
        f->convert = iconv_open("UTF-8", f->config->encoding);
        if (f->convert == (iconv_t)-1) {
            harvest_error(h, "%s: this system's iconv has no %s", path, f->config->encoding);
            return false;
        }
    }
    return true;
}

// Where the text begins, after a byte order mark. False: it is not a text this can read.
static bool find_text(struct csv_file *f, struct harvest *h)
{
    unsigned char mark[BOM_BYTES] = {0};
    ssize_t n = pread(f->fd, mark, BOM_BYTES, 0);
    if (n >= 2 && ((mark[0] == 0xff && mark[1] == 0xfe) || (mark[0] == 0xfe && mark[1] == 0xff))) {
        harvest_error(h, "%s:1:1: is in UTF-16: save it as UTF-8", f->path);
        return false;
    }
    f->first_offset = n == 3 && mark[0] == 0xef && mark[1] == 0xbb && mark[2] == 0xbf ? BOM_BYTES : 0;
    return true;
}

static size_t find_column(const struct csv_record *header, const char *name, size_t *count)
{
    size_t found = CSV_NO_COLUMN;
    *count = 0;
    for (size_t i = 0; i < header->count; i++)
        if (strcmp(header->fields[i].text, name) == 0) {
            found = i;
            ++*count;
        }
    return found;
}

static void list_columns(const struct csv_record *header, char *out, size_t out_size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < header->count && used + 1 < out_size; i++) {
        int n = snprintf(out + used, out_size - used, "%s\"%s\"", i ? ", " : "", header->fields[i].text);
        used += n > 0 ? (size_t)n : 0;
    }
}

static bool is_in_another_encoding(const struct csv_file *f, const struct csv_record *header)
{
    for (size_t i = 0; !f->config->encoding && i < header->count; i++)
        if (!harvest_is_utf8(header->fields[i].text))
            return true;
    return false;
}

static size_t want_column(const struct csv_file *f, const struct csv_record *header, const char *name,
                          struct harvest *h)
{
    char there[240];
    size_t count = 0, at = find_column(header, name, &count);
    if (count == 1)
        return at;
    list_columns(header, there, sizeof there);
    if (count == 0 && is_in_another_encoding(f, header))
        harvest_error(h, "%s:%u:1: no column \"%s\": the header is not UTF-8; is it encoding: windows-1251?",
                      f->path, header->fields[0].line, name);
    else if (count == 0)
        harvest_error(h, "%s:%u:1: no column \"%s\"; there are %s", f->path, header->fields[0].line, name,
                      there);
    else
        harvest_error(h, "%s:%u:%u: %zu columns are called \"%s\"", f->path, header->fields[at].line,
                      header->fields[at].column, count, name);
    return count == 0 && !is_in_another_encoding(f, header) ? CSV_ABSENT : CSV_NO_COLUMN;
}

static bool map_columns(struct csv_file *f, const struct csv_record *header, struct harvest *h)
{
    f->columns = malloc(f->config->series_count * sizeof *f->columns);
    if (!f->columns) {
        harvest_error(h, "%s: out of memory", f->path);
        return false;
    }
    f->header_count = header->count;
    f->time_column = want_column(f, header, f->config->time_column, h);
    f->published_column =
        f->config->published_column ? want_column(f, header, f->config->published_column, h) : CSV_NO_COLUMN;
    if (f->time_column >= CSV_ABSENT || (f->config->published_column && f->published_column >= CSV_ABSENT))
        return false;
    bool any = false;
    for (size_t i = 0; i < f->config->series_count; i++) {
        f->columns[i] = want_column(f, header, f->config->series[i].name, h);
        any = any || csv_file_has(f, i);
    }
    return any;
}

static bool read_header(struct csv_file *f, struct csv_reader *reader, struct harvest *h)
{
    struct csv_raw raw;
    struct csv_record header;
    struct diag d = {""};
    csv_record_init(&header);
    enum csv_next next = csv_reader_next(reader, &raw);
    bool ok = next == CSV_RECORD; // without its line end it is still being written
    if (next == CSV_TOO_LONG) {
        harvest_error(h, "%s:1:1: the header is longer than %u bytes, or a quote in it is not closed",
                      f->path, CSV_RECORD_MAX);
    } else if (!ok) {
        harvest_error(h, "%s:1:1: no header line yet", f->path);
    } else if (csv_record_read(&header, &raw, f->config->separator, f->convert, &d) != ERR_OK) {
        harvest_error(h, "%s:%s", f->path, d.text);
        ok = false;
    } else {
        ok = map_columns(f, &header, h);
        csv_hash(raw.bytes, raw.len, f->header_hash);
        f->first_offset = raw.next;
        f->first_line = reader->line;
    }
    csv_record_deinit(&header);
    return ok;
}

bool csv_file_open(struct csv_file *f, struct harvest *h)
{
    struct csv_reader reader;
    bool ok = open_path(f, h) && find_text(f, h);
    if (ok && csv_reader_init(&reader, f->fd, f->config->separator, f->first_offset, 1) == ERR_OK) {
        ok = read_header(f, &reader, h);
        csv_reader_deinit(&reader);
    }
    if (!ok)
        csv_file_close(f);
    return ok;
}

bool csv_file_row(struct csv_file *f, const struct csv_raw *raw, struct csv_record *record, struct harvest *h)
{
    struct diag d = {""};
    if (csv_record_read(record, raw, f->config->separator, f->convert, &d) != ERR_OK) {
        harvest_error(h, "%s:%s", f->path, d.text[0] ? d.text : "out of memory");
        return false;
    }
    if (csv_record_blank(record))
        return false;
    if (record->count != f->header_count) {
        harvest_error(h, "%s:%llu:1: %zu columns, but the header has %zu", f->path,
                      (unsigned long long)raw->line, record->count, f->header_count);
        return false;
    }
    return true;
}
