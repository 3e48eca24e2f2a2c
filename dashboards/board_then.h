// The board as it was known by a moment: each series' newest figure of then, the park and its residents as
// the profile of then says.
#ifndef ESEP_DASHBOARDS_BOARD_THEN_H
#define ESEP_DASHBOARDS_BOARD_THEN_H

#include "dashboards/as_of.h"
#include "dashboards/board.h"

// Rewrites b's rows, which were loaded as of now and for one viewer; series of which nothing was known by
// then are left out. then: the profile of then, borrowed (or of now, where `as_of` asks for what was
// published). Nothing is done where nothing was asked for.
enum err board_then(const struct readers *store, const struct as_of *as_of, const struct park *then,
                    struct board *b, struct diag *d) MUST_USE;

#endif
