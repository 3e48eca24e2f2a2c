// A figure that a person reports, on its way to the collector's desk: what was written is understood here, in
// the terms of its series, and what the collector says is made an answer for whoever asked.
#ifndef ESEP_DASHBOARDS_DESK_H
#define ESEP_DASHBOARDS_DESK_H

#include "dashboards/board.h"
#include "dashboards/exchange.h"
#include "kpi/closure.h"
#include "kpi/entry.h"

struct desk_entry { // what somebody wrote: fields of a form or members of a JSON object, "" where nothing
    const char *series, *period, *value, *currency, *unit, *status, *reason, *published, *request;
    bool missing, confidential, revise;
};

enum desk_field { // at which something is wrong
    DESK_FINE,
    DESK_SERIES,
    DESK_PERIOD,
    DESK_VALUE,
    DESK_CURRENCY,
    DESK_STATUS,
    DESK_REASON,
    DESK_PUBLISHED,
    DESK_REVISE,
    DESK_OTHER
};
const char *desk_field_name(enum desk_field f); // "value"; of DESK_OTHER "" and of DESK_FINE too

struct desk_known { // of the period, before the report
    bool known;
    struct figure value;
    char currency[WIRE_CURRENCY_LEN + 1];
    uint32_t revision;
    int64_t received_us;
    char author[WIRE_AUTHOR_MAX + 1];
    bool closed;
    struct closure closure;
};

struct desk_reading {     // what was understood
    struct board_row row; // of a series that is new: what the catalogue says of it
    bool is_new;          // nobody has declared it yet
    struct period period;
    struct figure value;             // minor units of `measure`
    struct measure measure;          // in the currency that was written
    char canonical[FIGURE_TEXT + 8]; // as the collector takes it; "-" for missing
    struct desk_known before;
    bool may_closed; // the asker may correct a closed period
    // what is wrong
    enum desk_field field;
    enum entry_fault fault;            // of the value
    const char *why;                   // static English; NULL where nothing is wrong, and with `beyond`
    char beyond[2 * FIGURE_TEXT + 32]; // "must be from 0 to 100" of a value past its KPI's bounds; else ""
};

// Its name as people read it. The name of a rival's product is not to be had by beginning a series of it.
void desk_title(char out[SHOW_TEXT], const struct desk_reading *r, const struct viewer *v, enum lang lang);

// The series alone, and the period where it reads: for the form before anything was written. NOT_FOUND: no
// such series, KPI or resident; nothing may be reported of it.
enum err desk_find(struct site *s, struct exchange *x, const struct readers *store, const char *series,
                   struct desk_reading *out, struct diag *d) MUST_USE;
// Reads what was written; what is wrong with it is in out->field and is no error.
enum err desk_read(struct site *s, struct exchange *x, const struct readers *store,
                   const struct desk_entry *w, struct desk_reading *out, struct diag *d) MUST_USE;
// What is known of out->period.
enum err desk_look_up(struct site *s, const struct readers *store, struct desk_reading *out,
                      struct diag *d) MUST_USE;

struct desk_answer {
    bool stored;
    uint64_t position;
    int64_t revision; // -1: not known yet
    bool repeated, unchanged, after_closure;
    int status;            // of HTTP where it was refused
    enum desk_field field; // as above
    char text[700];        // why, in English
};
// Asks the collector; a refusal is an answer.
void desk_send(struct site *s, const struct exchange *x, const struct desk_entry *w,
               const struct desk_reading *reading, struct desk_answer *out);

#endif
