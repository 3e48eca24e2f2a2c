// as_of= on a park's page: the profile, the figures and the rates as they were known by a moment.
#ifndef ESEP_DASHBOARDS_PAGES_THEN_H
#define ESEP_DASHBOARDS_PAGES_THEN_H

#include "dashboards/as_of.h"
#include "dashboards/pages/page.h"

struct then {
    struct as_of as_of;
    const struct park *park; // the profile of then, or of now
    struct park *owned;
};

// Reads as_of and by, takes the profile of then, turns the board into that of then and the page's moment into
// the one asked for. INVALID: the exchange holds the error. then_end in any case.
enum err then_begin(struct page *p, const struct park *now, struct board *b, struct then *out) MUST_USE;
void then_end(struct then *t);
// The form that asks for another moment, and, where one is asked for, which; path is the page's own.
void then_put(struct page *p, const struct then *t, const char *path);

#endif
