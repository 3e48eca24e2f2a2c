// What residents' figures say about a park's programmes and projects: counts for a span of the park's
// calendar and since the beginning. Only figures of a time at which the resident belonged to the park count;
// what is not known is never zero; sums over a park are for those who may see all of it.
#ifndef ESEP_DASHBOARDS_PROGRAMMES_H
#define ESEP_DASHBOARDS_PROGRAMMES_H

#include "dashboards/as_of.h"
#include "dashboards/board.h"
#include "kpi/calendar.h"
#include "kpi/project.h"

struct programme_source {
    struct site *site;
    const struct readers *store; // its reader NULL: nothing is stored yet
    const struct viewer *viewer;
    const struct park *park;
    const struct board *board; // of the park, what the viewer may see; with as_of that of then (board_then)
    struct as_of as_of;        // {0}: now
    uint64_t points_max;       // of measurements to be read for a programme; 0: POINTS_READ_MAX
};

enum step_why {
    STEP_KNOWN,
    STEP_UNBOUND, // no figure is collected for it
    STEP_NONE,    // nobody has reported it for these days
    STEP_HIDDEN,  // computed of figures that the viewer may not see
    STEP_TOO_BIG, // more measurements would have to be added up than one answer may
    STEP_FAILED
};

struct step_count {
    enum step_why why;
    struct figure value;       // known when why is STEP_KNOWN
    unsigned contributors, of; // residents: with a figure, with a series of it
    uint64_t missing;          // reports that are not there
    uint64_t outside;          // residents whose figures are partly of a time outside the park: left out
    bool simulated;            // any of them
    unsigned in_work;          // of a project stage: residents at work on it; value counts who completed it
};

struct programme_counts {
    size_t count;     // steps; 0: no figures are bound to it
    int32_t from_day; // `ever` begins here: the first day that anything was reported for
    struct step_count *ever, *within;
    struct funnel_step *ever_funnel, *within_funnel;
};
// *out is to be freed. within: the span asked for. ERR_NOMEM alone fails; what cannot be read is a
// STEP_FAILED.
enum err programmes_count(const struct programme_source *s, const struct programme *g, struct span within,
                          struct programme_counts *out) MUST_USE;
void programmes_counts_free(struct programme_counts *c);
// The parameter `period` (2026, 2026-Q1, 2026-03, FY2026), if it is given. INVALID: the exchange holds the
// 400.
enum err programmes_check_period(const struct park *park, struct exchange *x) MUST_USE;
// The same as a span; without it (NULL) the calendar year of the newest figure of any programme.
struct span programmes_period(const struct programme_source *s, const char *text);

// The project of one resident from its newest figures. False: it reports neither stage nor parts of one.
bool programmes_project(const struct board *b, const char *resident, struct project *out);
// Histogram over the park's members of today that have a project. False: not to be seen, or there is none.
bool programmes_projects(const struct programme_source *s, struct project_counts *out, bool *simulated);

#endif
