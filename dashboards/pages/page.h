// What all pages share: language, frame, links that keep the language, and how a figure, a badge, a moment is
// marked up.
#ifndef ESEP_DASHBOARDS_PAGES_PAGE_H
#define ESEP_DASHBOARDS_PAGES_PAGE_H

#include "dashboards/board.h"
#include "dashboards/exchange.h"
#include "dashboards/html.h"
#include "dashboards/i18n.h"
#include "dashboards/site.h"
#include "kpi/convert.h"

struct page {
    struct site *site;
    struct exchange *x;
    struct buf *out;
    enum lang lang;
    bool lang_asked; // by ?lang=: links carry it on
    int64_t now_us;
    bool has_store; // false: no collector has written anything yet
    bool collector_runs;
    bool plain; // without figures: nothing in it changes by itself
    struct readers store;
};

struct crumb {
    const char *href; // NULL: the page itself
    const char *text;
};

// Finds the language, asks the collector to land what it has,
// opens the stores. INVALID: the exchange holds the error. A ledger that cannot be read is 503; one that is
// not there is no error.
enum err page_begin(struct site *s, struct exchange *x, struct page *out) MUST_USE;
// The same for a page without figures: language only.
enum err page_begin_plain(struct site *s, struct exchange *x, struct page *out) MUST_USE;
// Everything down to <main>; crumbs after the parks' one. title is plain text.
void page_head(struct page *p, const char *title, const struct crumb *crumbs, size_t count);
void page_foot(struct page *p);

const char *page_text(const struct page *p, enum text t);
// A text with values filled in, escaped into the page.
void page_fill(struct page *p, enum text t, const char *a, const char *b, const char *c);
// href="…" with the language kept; the path is built from the format, whose %s are escaped; a
// #anchor may end it.
void page_href(struct page *p, const char *path, ...) PRINTF(2, 3);
// &amp;lang=xx or ?lang=xx where it has to be carried on.
void page_lang(struct page *p, char separator);
// <time> with the exact moment behind "12 s ago".
void page_ago(struct page *p, int64_t us);
// <data> with the exact value behind a short or an exact text; unknown is marked as such.
void page_figure(struct page *p, struct figure f, const struct measure *m, bool brief);
// The same of a sum, to the last digit also where no figure holds it.
void page_sum(struct page *p, struct figure f, const struct huge *h, const struct measure *m, bool brief);
// What money was converted by: rate, days, bank, days carried forward.
void page_rate(struct page *p, const struct conversion *c);
const char *page_bank(const struct page *p, enum bank bank); // its name
void page_badge_simulated(struct page *p);
// The graph of a series as <picture>: light and dark. range: "-1d", "2024-01-01" …; to may be NULL.
struct page_graph {
    const struct board_row *row;
    const char *range_name; // in words, for the alternative text
    const char *from, *to;  // as the graph address takes them; NULL: its defaults
    int width, height;
    bool lazy;
    const struct board_row *planned; // what its line is of, where that is not the row; NULL: the row
    const char *more;                // "&name=value…" for its address; NULL: none
    int64_t newest_us; // when the newest of what it shows was received; 0: when the newest figure was
};
void page_graph(struct page *p, const struct page_graph *g);
const char *page_resident_name(const struct page *p, const struct board_row *r);

#endif
