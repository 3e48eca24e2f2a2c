// A CSV file as records: where one begins and ends (RFC 4180: a quoted field may hold separators and line
// ends), and one record as fields. Bounded: 64 KiB a record, 1,024 fields.
#ifndef ESEP_AGENT_SOURCES_CSV_READER_H
#define ESEP_AGENT_SOURCES_CSV_READER_H

#include "base/err.h"
#include <iconv.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CSV_RECORD_MAX (64u << 10)
#define CSV_FIELDS_MAX 1024

// ---- records of a file

struct csv_reader {
    int fd; // borrowed
    char separator;
    char *buf;         // owned
    size_t start, end; // unread bytes of buf
    int64_t offset;    // of buf[start] in the file
    uint64_t line;     // of buf[start], from 1
    bool ended;        // the file had no more when last read
    bool skipping;     // inside a record that is too long
};

struct csv_raw {
    const char *bytes; // borrowed until the next call; without the line end
    size_t len;
    int64_t offset; // of its first byte
    int64_t next;   // offset after its line end
    uint64_t line;
};

enum csv_next {
    CSV_RECORD,
    CSV_TOO_LONG, // passed over up to its line's end; raw has its place only
    CSV_PARTIAL,  // the last one, without a line end; reading again gives it again
    CSV_END,
    CSV_FAILED, // errno
};

enum err csv_reader_init(struct csv_reader *r, int fd, char separator, int64_t offset,
                         uint64_t line) MUST_USE;
void csv_reader_deinit(struct csv_reader *r);
enum csv_next csv_reader_next(struct csv_reader *r, struct csv_raw *out);

// ---- fields of a record

struct csv_field {
    const char *text; // UTF-8, unquoted
    uint32_t line;    // of the file
    uint32_t column;  // characters from 1
};

struct csv_record {
    char *text; // owned; the fields point into it
    size_t cap;
    struct csv_field *fields; // owned
    size_t count, field_cap;
};

void csv_record_init(struct csv_record *r);
void csv_record_deinit(struct csv_record *r);
// convert: from the file's encoding to UTF-8, or (iconv_t)−1 when it is UTF-8 already.
// INVALID with "LINE:COLUMN: what" in diag; NOMEM.
enum err csv_record_read(struct csv_record *r, const struct csv_raw *raw, char separator, iconv_t convert,
                         struct diag *d) MUST_USE;
bool csv_record_blank(const struct csv_record *r); // nothing but blanks in any field

#endif
