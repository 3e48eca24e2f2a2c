// Who of a park's residents speaks, and the park's key figures.
#ifndef ESEP_DASHBOARDS_PAGES_PEOPLE_H
#define ESEP_DASHBOARDS_PAGES_PEOPLE_H

#include "dashboards/facts.h"
#include "dashboards/pages/page.h"

// The residents that the viewer may see: of the profile, in its order, then those that send figures and are
// not in it, by code.
struct roster_entry {
    const char *code;                // borrowed from the profile or the board
    const struct resident *resident; // NULL: not in the profile
};
struct roster {
    size_t count;
    struct roster_entry *at; // owned
};
enum err roster_make(const struct viewer *v, const struct park *park, const struct board *b,
                     struct roster *out) MUST_USE;
void roster_free(struct roster *r);

struct people {
    size_t of, reporting; // residents of today that the viewer may see
    int64_t newest_us;
};
// today: the park's civil day.
void people_count(const struct roster *r, const struct board *b, int64_t now_us, int32_t today,
                  struct people *out);
// "3 of 5 residents are reporting · 12 s ago", with a dot; nothing when there are none to be seen.
void people_put_state(struct page *p, const struct people *people);

struct person { // one resident
    size_t series;
    bool reporting;
    int64_t newest_us;
};
// How well a series' line stands for its resident.
int people_rank(const struct board_row *r);
// The resident's series that stands for it best, or the next best after `after`; NULL: none is left.
const struct board_row *people_next(const struct board *b, const char *resident,
                                    const struct board_row *after);
struct person people_of(const struct board *b, const char *resident, int64_t now_us);

// Tiles of jobs in all, output value, investment … that residents report; at most `most`. only_known leaves
// out the rest.
void people_put_keys(struct page *p, const struct fact_source *f, size_t most, bool only_known);

#endif
