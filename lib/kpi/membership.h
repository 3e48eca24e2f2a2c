// Who belongs to a park, and since when. A figure of a time outside it is kept and shown with its resident
// and never counted as the park's. Pure; days are civil days of the park, spans are from ≤ day < to.
#ifndef ESEP_KPI_MEMBERSHIP_H
#define ESEP_KPI_MEMBERSHIP_H

#include "kpi/catalogue.h"
#include "kpi/period.h"

#define MEMBERSHIP_ALWAYS CIVIL_DAY_MIN       // no day of joining is stated
#define MEMBERSHIP_STILL  (CIVIL_DAY_MAX + 1) // it has not left

struct membership {
    int32_t joined;          // the first day
    int32_t left;            // the first day that is none any more
    const char *merged_into; // code; "": none. Else `left` is the merger's day: from it on the other one's
                             // figures contain this one's
};

// A member for ever: what a profile that says nothing means.
#define MEMBERSHIP_DEFAULT                                                                                   \
    {                                                                                                        \
        .joined = MEMBERSHIP_ALWAYS, .left = MEMBERSHIP_STILL, .merged_into = ""                             \
    }

struct days {
    int32_t from, to;
};

enum membership_part { MEMBER_NEVER, MEMBER_PARTLY, MEMBER_THROUGHOUT };

bool membership_on(const struct membership *m, int32_t day);
enum membership_part membership_over(const struct membership *m, struct days span);

// Whether a figure of these days counts as the park's. An amount (flow) counts when the resident belonged on
// each of them: a period is never cut, and nothing made elsewhere is credited. A stock (level) counts when it
// belonged on the last of them, which it is a figure of. A computed KPI is made of parts that are asked for
// themselves; by itself it counts as a flow does.
bool membership_counts(const struct membership *m, enum kpi_kind kind, struct days figure);
// The days of a span whose figures count for a sum (flow), or among which the newest figure is looked for
// (level). False: none, the resident is no part of the total. Cut a span that is not over yet at today first.
bool membership_clip(const struct membership *m, enum kpi_kind kind, struct days *span) MUST_USE;

// Like for like: in[i] says whether park->residents[i] is in the totals of both spans: it belonged throughout
// both, or it merged, before the later one ended, with one that did (then both count, each while it
// belonged). One that took a newcomer in is left out with it, since its later figures contain what was not
// there before. in holds resident_count entries.
struct park;
void membership_alike(const struct park *park, struct days a, struct days b, bool in[]);
// The resident whose figures contain this one's on that day: itself, or what it merged into by then. NULL:
// there is no such resident.
struct resident;
const struct resident *membership_successor(const struct park *park, const char *code, int32_t day);

#endif
