// A park's total of two periods, like for like, on the total's page.
#ifndef ESEP_DASHBOARDS_PAGES_ALIKE_H
#define ESEP_DASHBOARDS_PAGES_ALIKE_H

#include "dashboards/alike.h"
#include "dashboards/pages/page.h"

// The form, and where it was asked for the answer; nothing for what is no total of a park.
void alike_put(struct page *p, const struct board_row *row, const struct alike_question *q,
               const struct as_of *as_of, const struct currency *currency);

#endif
