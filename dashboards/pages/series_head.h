// The head of a series' page: where it stands, what it is called, and its newest figure.
#ifndef ESEP_DASHBOARDS_PAGES_SERIES_HEAD_H
#define ESEP_DASHBOARDS_PAGES_SERIES_HEAD_H

#include "dashboards/board.h"
#include "dashboards/pages/page.h"

// of_now false: the page is of another moment or currency, where the newest figure of now would be a
// stranger; the values on it say what was.
void series_head_put(struct page *p, const struct board_row *r, bool of_now);

#endif
