// Totals over residents and computed KPIs as the pages, the API and the graphs ask for them: series that
// nobody stores, in the form of the board's rows. Sums over a park are for those who may see all of it; a
// resident's computed KPI for those who may see that resident. Threads: any.
#ifndef ESEP_DASHBOARDS_COMPUTED_H
#define ESEP_DASHBOARDS_COMPUTED_H

#include "dashboards/as_of.h"
#include "dashboards/board.h"
#include "store/totals.h"

#define COMPUTED_SPANS_MAX 20000

// As board_load_one, of what board_load_one does not find: row->computed is set, row->series has no id.
// NOT_FOUND: there is none that the viewer may see.
enum err computed_load_one(struct site *s, const struct readers *store, const char *name,
                           struct board_row *out, struct diag *d) MUST_USE;
// Those of a park (resident "": totals and every resident's; "all": totals; else one's), without their newest
// figures. To be freed as a board.
enum err computed_load(struct site *s, const struct readers *store, const struct park *park,
                       const char *resident, struct board *out, struct diag *d) MUST_USE;
// Adds to the board, by name, those of the parks and residents in it, and with park (and resident) named
// those of them alone.
enum err computed_join(struct site *s, const struct readers *store, const char *park, const char *resident,
                       struct board *b, struct diag *d) MUST_USE;

// Where totals of a park (as it is now) are read.
struct totals_place computed_place(struct site *s, const struct readers *store, const struct park *now);

struct computed {
    size_t count;
    struct span *spans;              // owned, as is
    struct kpi_total *figures;       // what each comes to
    const struct currency *currency; // NULL: not money
    bool converted;
    bool then; // counted by the profile that was known then, not by that of now
};
// The spans of the kind that touch the days from ≤ day < to. to: the currency asked for, NULL: none. TOO_BIG.
enum err computed_read(struct site *s, const struct readers *store, const struct board_row *row,
                       enum span_kind kind, int32_t from, int32_t to, const struct as_of *as_of,
                       const struct currency *currency, struct computed *out, struct diag *d) MUST_USE;
// One span, the newest that any part has a figure in; at most a few seconds old. NOT_FOUND: no figure yet.
enum err computed_newest(struct site *s, const struct readers *store, const struct board_row *row,
                         const struct as_of *as_of, struct computed *out, struct diag *d) MUST_USE;
void computed_free(struct computed *c);
// The kind of span its parts are reported for.
enum span_kind computed_native(const struct board_row *row);
// Since when there are figures; today where there are none.
int32_t computed_first_day(struct site *s, const struct readers *store, const struct board_row *row);

#endif
