// What both ways of reading a CSV source share: the open file, its header, and a row's cells as figures.
#ifndef ESEP_AGENT_SOURCES_CSV_FILE_H
#define ESEP_AGENT_SOURCES_CSV_FILE_H

#include "agent/harvest.h"
#include "agent/source.h"
#include "agent/sources/csv_reader.h"
#include <sys/stat.h>

#define CSV_HASH_BYTES 16
#define CSV_NO_COLUMN  SIZE_MAX       // the header is wrong about it
#define CSV_ABSENT     (SIZE_MAX - 1) // a good header does not have it

struct csv_file {
    const struct agent_source *config; // borrowed
    const char *path;                  // borrowed; the configuration's unless set before each opening
    int fd;                            // −1: not open
    iconv_t convert;                   // (iconv_t)−1: none
    size_t time_column;
    size_t published_column; // where the configuration names one
    size_t *columns;         // owned: of each series; or one of the two above
    size_t header_count;
    uint8_t header_hash[CSV_HASH_BYTES];
    int64_t first_offset; // of the first row
    uint64_t first_line;
};

void csv_file_init(struct csv_file *f, const struct agent_source *config);
// Opens the path and reads the header. Everything that is wrong is an error in h; false: nothing can be read.
bool csv_file_open(struct csv_file *f, struct harvest *h);
void csv_file_close(struct csv_file *f);
bool csv_file_has(const struct csv_file *f, size_t series); // a column of its own

// The row's fields, or false: blank (passed over) or wrong (counted in h).
bool csv_file_row(struct csv_file *f, const struct csv_raw *raw, struct csv_record *record,
                  struct harvest *h);
// "path:line:column: column "header"" of a field, for messages.
void csv_file_place(const struct csv_file *f, const struct csv_field *field, const char *header, char *out,
                    size_t out_size);

void csv_hash(const void *bytes, size_t len, uint8_t out[CSV_HASH_BYTES]);

#endif
