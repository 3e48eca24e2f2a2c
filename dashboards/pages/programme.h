// A park's programmes with their figures, its projects by stage, and a resident's project.
#ifndef ESEP_DASHBOARDS_PAGES_PROGRAMME_H
#define ESEP_DASHBOARDS_PAGES_PROGRAMME_H

#include "dashboards/pages/page.h"
#include "dashboards/programmes.h"

// The section of a park's page; nothing where there is no programme. within: the span asked for.
void programme_put_all(struct page *p, const struct programme_source *s, struct span within);

// ---- project.c
// The histogram over residents; nothing where there is none to be seen.
void project_put_histogram(struct page *p, const struct programme_source *s);
// A resident's project: its stage, and a bar for each stage.
void project_put_bars(struct page *p, const struct board *b, const char *resident);

#endif
