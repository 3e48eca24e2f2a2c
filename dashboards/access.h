// Who may see what, decided here and nowhere else. Enterprises of one park are rivals: whatever is shown,
// listed, counted, summed or named is asked about here first, and what is not allowed in the table of
// access.c is refused. Pure: no store, no clock.
#ifndef ESEP_DASHBOARDS_ACCESS_H
#define ESEP_DASHBOARDS_ACCESS_H

#include "kpi/park.h"
#include "kpi/series.h"
#include <stdbool.h>

#define ACCESS_NAME_MAX 64 // of a user or token

enum role {
    ROLE_PUBLIC,   // anybody: what a park marks as public
    ROLE_RESIDENT, // its own series and agents; reports its figures
    ROLE_ANALYST,  // a park
    ROLE_OPERATOR, // a park, with its agents; reports any of its figures
    ROLE_AUDITOR,  // reads all
    ROLE_ADMIN,    // reads and reports all
    ROLE_COUNT
};
const char *role_name(enum role r); // "resident"
// One that a user can have: all but public. INVALID.
enum err role_parse(const char *text, enum role *out) MUST_USE;

struct scope {
    enum role role;
    char park[SERIES_PART_MAX + 1];     // of a resident, analyst or operator
    char resident[SERIES_PART_MAX + 1]; // of a resident
};
// "resident:park/resident", "analyst:park", "operator:park", "auditor", "admin". INVALID.
enum err scope_parse(const char *text, struct scope *out) MUST_USE;
#define SCOPE_TEXT (16 + 2 * SERIES_PART_MAX)
void scope_text(const struct scope *s, char out[SCOPE_TEXT]);

enum viewer_kind {
    VIEWER_NOBODY,  // not logged in
    VIEWER_LOCAL,   // there are no users: only this machine can ask, and reads all
    VIEWER_SESSION, // by cookie
    VIEWER_TOKEN    // by bearer token
};
struct viewer { // {0}: sees nothing but what is public, and without parks not even that
    enum viewer_kind kind;
    struct scope scope;
    const struct parks *parks; // borrowed: the marks
    char name[ACCESS_NAME_MAX + 1];
};

enum sight {
    SIGHT_PARK,        // its name and profile
    SIGHT_RESIDENT,    // its name, that it exists, its series and figures
    SIGHT_INSIDE,      // what it keeps to itself where it is public: confidential figures, authors, reasons
    SIGHT_SUMS,        // what is computed from the figures of all residents of a park
    SIGHT_AGENT,       // a resident's agents: state and counters
    SIGHT_OBLIGATIONS, // what a resident owes: when it reports, and whether in time
    SIGHT_SYSTEM,      // what the programs say of themselves, which adds up what all parks do
    SIGHT_COUNT
};
// park and resident: codes, "" where the question has none; they need not exist.
bool access_may(const struct viewer *v, enum sight what, const char *park, const char *resident);
enum deed {             // what changes something: never by nobody, and never where there are no users
    DEED_REPORT,        // a figure of a resident, or its correction
    DEED_REPORT_CLOSED, // the same of a closed period, with a reason
    DEED_COUNT
};
// Of totals (resident "all") nobody.
bool access_may_do(const struct viewer *v, enum deed what, const char *park, const char *resident);
// A series: of a resident, or the totals of resident "all".
bool access_may_series(const struct viewer *v, const char *park, const char *resident);
// A published figure: what a public park says is public, although it may speak of a resident that is not.
bool access_may_statement(const struct viewer *v, const struct park *p, const struct statement *st);
// A product's or column's name: a rival's products are not to be told from it.
bool access_may_dimension(const struct viewer *v, const struct park *p, const char *code);

// NULL: there is none, or it may not be seen, which nobody can tell apart.
const struct park *access_park(const struct viewer *v, const char *code);

// What an address is about; each route declares one, and is asked for before its handler is called.
enum access_class {
    ACCESS_OPEN = 1, // nothing of parks in it: the same for everybody
    ACCESS_ROWS,     // answers anybody, row by row what they may see
    ACCESS_MEMBERS,  // answers who is known, row by row what they may see
    ACCESS_PARK,     // its first part is a park
    ACCESS_RESIDENT, // its first parts are a park and a resident
    ACCESS_SERIES,   // its parameter `series` begins with a park and a resident
    ACCESS_REPORT    // its first parts are a park and a resident that figures are reported of
};
bool access_route(const struct viewer *v, enum access_class class, const char *park, const char *resident);

// The beginnings of all series' names that may be seen, by name, none within another: what is listed is
// looked for there only, so that not even the time it takes tells of others. 0 or more; TOO_BIG never.
struct access_prefixes {
    size_t count;
    char (*at)[2 * SERIES_PART_MAX + 3]; // owned; "park/", "park/resident/", or one ""
};
enum err access_prefixes(const struct viewer *v, struct access_prefixes *out) MUST_USE;
void access_prefixes_free(struct access_prefixes *p);

#endif
