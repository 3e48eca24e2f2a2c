// What is known of each series now: the ledger's series joined with their newest figure, catalogue, profile
// and the answer to "does it still speak?".
#ifndef ESEP_DASHBOARDS_BOARD_H
#define ESEP_DASHBOARDS_BOARD_H

#include "dashboards/show.h"
#include "dashboards/site.h"
#include "kpi/period.h"
#include "kpi/series.h"
#include "kpi/tally.h"

struct board_row {
    struct ledger_series series; // a copy
    struct series_name name;
    const struct park *park;         // NULL: no profile
    const struct resident *resident; // NULL: not in the profile
    const struct kpi *kpi;           // NULL: not in the catalogue
    struct measure measure;
    bool simulated;
    bool computed; // a total or a computed KPI (computed.h): made when asked, series has no id
    bool has_latest;
    struct latest latest;
    struct huge huge; // beside latest, of a total
};

struct board {
    size_t count;
    struct board_row *rows; // owned, ordered by name
};

// The series whose name starts with prefix ("aztm/", "aztm/acme/", "" for all), of those that the stores'
// viewer may see. At most BOARD_MAX (TOO_BIG beyond).
#define BOARD_MAX 400000
enum err board_load(struct site *s, const struct readers *store, const char *prefix, struct board *out,
                    struct diag *d) MUST_USE;
// One series by its full name. NOT_FOUND: there is none that the viewer may see.
enum err board_load_one(struct site *s, const struct readers *store, const char *name, struct board_row *out,
                        struct diag *d) MUST_USE;
void board_free(struct board *b);
// What catalogue and profile say of row->series and row->name; row is else filled by the caller.
void board_join(struct site *s, struct board_row *row);

// End of the newest figure: of a measurement its time, of a report the first moment after its period (UTC
// civil days).
int64_t board_latest_end_s(const struct board_row *r);
// The civil day after the one in which it ends: of a measurement in the zone, the park's own.
int32_t board_latest_end_day(const struct board_row *r, const struct zone *z);
// Whether its newest figure came when it should have: a measurement within five steps (at least 60 s); a
// report received less than its period and 31 days ago.
bool board_is_fresh(const struct board_row *r, int64_t now_us);
// The topic a row is shown under.
enum kpi_topic board_topic(const struct board_row *r);
bool board_is_flow(const struct board_row *r);
// Whose it is: the resident's name; of a total the park's.
const char *board_owner(const struct board_row *r, enum lang lang);
// The name people read: the KPI's and the dimension's.
void board_title(char out[SHOW_TEXT], const struct board_row *r, enum lang lang);
// "2026-03" or the local moment of the newest figure.
void board_latest_when(char out[SHOW_TEXT], const struct board_row *r, const struct zone *z);

#endif
