// Writing JSON piece by piece into a bounded buffer. Own code for one reason: every number must come out as the shortest
// decimal that reads back bit-equal, and money as its exact decimal, which a tree of doubles cannot keep.
// Commas are put by the writer; nesting is at most 16 deep.
#ifndef ESEP_DASHBOARDS_JSON_H
#define ESEP_DASHBOARDS_JSON_H

#include "base/buf.h"
#include "base/figure.h"
#include <stdbool.h>
#include <stdint.h>

struct json {
    struct buf *out;
    int depth;
    bool used[17]; // something stands before at this depth
};

void json_init(struct json *j, struct buf *out);
// name is NULL inside arrays (and at the top).
void json_object(struct json *j, const char *name);
void json_array(struct json *j, const char *name);
void json_end_object(struct json *j);
void json_end_array(struct json *j);
void json_text(struct json *j, const char *name, const char *text); // NULL writes null
void json_text_or_null(struct json *j, const char *name, const char *text); // "" writes null
void json_integer(struct json *j, const char *name, int64_t v);
void json_bool(struct json *j, const char *name, bool v);
void json_null(struct json *j, const char *name);
void json_figure(struct json *j, const char *name, struct figure f);            // missing: null
void json_figure_scaled(struct json *j, const char *name, struct figure f, int decimals);
void json_time(struct json *j, const char *name, int64_t us); // RFC 3339 with microseconds where there are any; 0: null
// A field as RFC 4180 wants it: quoted when it has a comma, quote, CR or LF, or starts like a spreadsheet formula.
void csv_text(struct buf *out, const char *text);

#endif
