// How published figures and computed facts look: a tile (name, fact, target, progress), the words of a
// statement with all its doubts, and small trend lines.
#ifndef ESEP_DASHBOARDS_PAGES_TILE_H
#define ESEP_DASHBOARDS_PAGES_TILE_H

#include "dashboards/facts_source.h"
#include "dashboards/outlook.h"
#include "dashboards/pages/page.h"

// "at least 2,000 people", "about 80,000 pieces a year", "not published".
void tile_statement_value(struct page *p, const struct statement *st);
enum text tile_kind(enum statement_kind k);
// Due or holding date, or that none was published; the text as published beside it.
void tile_statement_when(struct page *p, const struct statement *st);
// Assumptions, scope, notes, source: everything a reader must know beside the figure.
void tile_statement_doubts(struct page *p, const struct park *park, const struct statement *st);
// The fact or why there is none, per cent with a progress bar, how it was computed, how many contribute, and
// the target's outlook.
void tile_fact(struct page *p, const struct statement *st, const struct fact *f, const struct outlook *o);
// A whole tile; its heading leads to the statement's row on the park's page. brief: of the outlook only what
// matters most.
void tile_put(struct page *p, const struct park *park, const struct statement *st, const struct fact *f,
              const struct outlook *o, bool brief);
// A key figure of the park: no target.
void tile_put_key(struct page *p, const char *title, const struct fact *f);

// A trend line of the row's last day or last periods as inline SVG with an alternative text. False, and
// nothing is put, when there are fewer than two values, or (unless flat_too) all are the same.
bool tile_trend(struct page *p, const struct board_row *r, int width, int height, bool flat_too);

#endif
