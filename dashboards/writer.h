// Writing JSON piece by piece into a bounded buffer. Own code for one reason: every number must come out as
// the shortest decimal that reads back bit-equal, and money as its exact decimal, which a tree of doubles
// cannot keep. Commas are put by the writer; nesting is at most 16 deep.
#ifndef ESEP_DASHBOARDS_WRITER_H
#define ESEP_DASHBOARDS_WRITER_H

#include "base/buf.h"
#include "base/figure.h"
#include <stdbool.h>
#include <stdint.h>

struct writer {
    struct buf *out;
    int depth;
    bool used[17]; // something stands before at this depth
};

void writer_init(struct writer *j, struct buf *out);
// name is NULL inside arrays (and at the top).
void writer_object(struct writer *j, const char *name);
void writer_array(struct writer *j, const char *name);
void writer_end_object(struct writer *j);
void writer_end_array(struct writer *j);
void writer_text(struct writer *j, const char *name, const char *text);         // NULL writes null
void writer_text_or_null(struct writer *j, const char *name, const char *text); // "" writes null
void writer_integer(struct writer *j, const char *name, int64_t v);
void writer_bool(struct writer *j, const char *name, bool v);
void writer_null(struct writer *j, const char *name);
void writer_figure(struct writer *j, const char *name, struct figure f);   // missing: null
void writer_decimal(struct writer *j, const char *name, const char *text); // a number's text; "": null
void writer_figure_scaled(struct writer *j, const char *name, struct figure f, int decimals);
void writer_time(struct writer *j, const char *name,
                 int64_t us); // RFC 3339 with microseconds where there are any; 0: null
// A field as RFC 4180 wants it: quoted when it has a comma, quote, CR or LF, or starts like a spreadsheet
// formula.
void csv_text(struct buf *out, const char *text);

#endif
