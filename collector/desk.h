// The built-in agent `desk`: a person's report, judged exactly as an agent's and committed as a batch of its
// own with the person as author; and the closings of periods, which say what is a correction from then on.
// Used by the committer.
#ifndef ESEP_COLLECTOR_DESK_H
#define ESEP_COLLECTOR_DESK_H

#include "base/clock.h"
#include "collector/counters.h"
#include "collector/quota.h"
#include "kpi/catalogue.h"
#include "kpi/closure.h"
#include "kpi/park.h"
#include "store/reader.h"

#define DESK_REQUEST_MAX 64 // what a program calls its request, so that it is stored once

struct desk_current {
    bool known; // there is a figure, or a word that it is missing
    struct figure value;
    char currency[WIRE_CURRENCY_LEN + 1];
    enum wire_status status;
    bool confidential;
    uint32_t revision;
    uint64_t position;
};

struct desk_report { // one figure of one period, by a person
    char series[256];
    struct period period;
    char value[FIGURE_TEXT + 8];          // decimal text, money in major units; "" or "-": missing
    char unit[WIRE_UNIT_MAX + 1];         // of a series that is new, where the catalogue says "any"
    char currency[WIRE_CURRENCY_LEN + 1]; // "": the series' own
    enum wire_status status;
    bool confidential;
    char reason[WIRE_REASON_MAX + 1];
    int64_t published_us; // 0: when it is received
    char author[WIRE_AUTHOR_MAX + 1];
    char who[128];                      // as the audit log names them
    bool may_correct_closed;            // this person may, with a reason
    char request[DESK_REQUEST_MAX + 1]; // "": none
    bool revise;                        // a figure that is there already is to be replaced
    struct desk_current current;        // what is known of the period when it is asked
    bool looked;                        // whether that was looked up; false: nothing is known
    uint64_t seen;                      // and up to which position of the ledger, 0 in a new one
    // out
    struct figure figure;
    struct ledger_series known; // the series, also when it is new
    uint64_t position;
    bool repeated;  // the same request was stored before: nothing was written
    bool unchanged; // the figure is known so already: nothing was written
    bool after_closure;
    const char *field; // what is wrong: "series", "period", "value", "currency", "reason" …; NULL: nothing
};

struct closing_request {
    struct closure closure; // park, kpi, period, reopens, reason, author in; received and position out
    char who[128];
};

struct desk;
struct desk_options {
    struct ledger *ledger; // borrowed, as everything here
    struct reader *reader;
    const struct catalogue *catalogue;
    const struct clock *clock;
    struct counters *counters;
    const struct quotas *quotas; // NULL: none
    const struct parks *parks;   // whose days end when; NULL: all in UTC
};
enum err desk_create(const struct desk_options *o, struct desk **out, struct diag *d) MUST_USE;
void desk_destroy(struct desk *s);
// A closing that was committed and could not be read back then is read now. Before agents' reports are
// judged; an error means that they can't be. NULL desk: OK. The two below do it themselves.
enum err desk_catch_up(struct desk *s, struct diag *d) MUST_USE;
// What is closed now; for the committer to judge agents' reports by. NULL desk: nothing is.
const struct closure_book *desk_closures(const struct desk *s);
// One transaction with the figure, its request and its line in the audit log; what is refused leaves a line
// too. INVALID, DENIED (closed, or not theirs), CONFLICT (there is a figure and revise is not set; or the
// request's name was used for something else): nothing was stored, the diag is for the person. AGAIN: another
// figure of the period came after `seen`: look again. Else as ledger_commit.
enum err desk_take_report(struct desk *s, struct desk_report *r, struct diag *d) MUST_USE;
// CONFLICT: it is closed, or open, already.
enum err desk_take_closing(struct desk *s, struct closing_request *r, struct diag *d) MUST_USE;

#endif
