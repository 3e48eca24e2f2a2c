// The files of web/ that browsers fetch, built into the program: a fixed table, nothing is ever read from a
// path.
#ifndef ESEP_DASHBOARDS_ASSETS_H
#define ESEP_DASHBOARDS_ASSETS_H

#include "dashboards/exchange.h"
#include "dashboards/site.h"

void assets_file(struct site *s, struct exchange *x);   // /static/{file}
void assets_robots(struct site *s, struct exchange *x); // /robots.txt

#endif
