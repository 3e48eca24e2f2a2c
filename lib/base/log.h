// Log lines in logfmt on stderr: ts=… level=info event=batch_refused agent=almaty-iz/acme seq=12 reason="…"
// Only the loop that decides logs, once; libraries return errors instead. Values from outside are quoted and
// escaped. Threads: any; one line is one write.
#ifndef ESEP_BASE_LOG_H
#define ESEP_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
    const char *key;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_REAL } kind;
    const char *text; // borrowed; NULL prints ""
    int64_t integer;
    double real;
};

#define F_TEXT(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_TEXT, .text = (v)})
#define F_INT(k, v)  ((struct log_field){.key = (k), .kind = LOG_FIELD_INT, .integer = (int64_t)(v)})
#define F_REAL(k, v) ((struct log_field){.key = (k), .kind = LOG_FIELD_REAL, .real = (v)})

void log_set_level(enum log_level lowest);
void log_fields(enum log_level level, const char *event, const struct log_field *fields, int count);

// log_info("listening", F_TEXT("endpoint", e), F_INT("peers", 3)); at least one field.
#define log_event(level, event, ...)                                                                         \
    log_fields((level), (event), (const struct log_field[]){__VA_ARGS__},                                    \
               (int)(sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))
#define log_debug(event, ...) log_event(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...)  log_event(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...)  log_event(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_event(LOG_ERROR, event, __VA_ARGS__)

#endif
