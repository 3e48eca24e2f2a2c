// Writing HTML so that forgetting to escape is not possible: the format is markup, every %s in it is escaped.
// Also JSON and CSV text. Conversions: %s %d %u %ld %lu %zu %%. A failed append sticks to the buffer.
#ifndef ESEP_DASHBOARDS_HTML_H
#define ESEP_DASHBOARDS_HTML_H

#include "base/buf.h"
#include <stdarg.h>

// & < > " ' become references; the result is safe in text and in quoted attributes.
void html_text(struct buf *b, const char *text);
void html_put(struct buf *b, const char *markup, ...) PRINTF(2, 3);
void html_vput(struct buf *b, const char *markup, va_list args) __attribute__((format(printf, 2, 0)));
// Percent-encodes all but letters, digits and - . _ ~ /
void html_url(struct buf *b, const char *text);

#endif
