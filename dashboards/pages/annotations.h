// What happened in the park while a graph's figures were made: its events, beside the graph.
#ifndef ESEP_DASHBOARDS_PAGES_ANNOTATIONS_H
#define ESEP_DASHBOARDS_PAGES_ANNOTATIONS_H

#include "dashboards/pages/page.h"

// The graph, and under it the events of its park (that of what is planned) on days of from_s ≤ moment < to_s
// that the viewer may see, each with its figure, its doubts and a link to its row on the park's page.
void annotations_put_graph(struct page *p, const struct page_graph *g, int64_t from_s, int64_t to_s);

#endif
