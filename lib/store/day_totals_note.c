// What an advance leaves for later: which UTC days of a series have figures that no total has seen. UTC days,
// because every writer must note them and not every one knows the parks' zones.
#include "store/day_totals_internal.h"
#include "store/rollup.h"
#include <stdio.h>
#include <string.h>

void day_totals_park(const char *series, char out[PARK_BYTES])
{
    snprintf(out, PARK_BYTES, "%.*s", (int)strcspn(series, "/"), series);
}

enum err day_totals_note(struct observations *o, int64_t series_id, int64_t day)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_NOTE_WAITING];
    db_bind_int(s, 1, series_id);
    db_bind_int(s, 2, day);
    return db_run(s);
}

enum err day_totals_note_rollup(struct observations *o, const struct wire_rollup *r)
{
    int64_t before = INT64_MIN;
    enum err e = ERR_OK;
    for (size_t i = 0; i < r->count && e == ERR_OK; i++) {
        int64_t day = day_totals_noted(rollup_cell_end(r, &r->cells[i]));
        if (day != before)
            e = day_totals_note(o, (int64_t)r->series, day);
        before = day;
    }
    return e;
}

enum err day_totals_note_rolled(struct observations *o, int64_t rolled_until_s)
{
    if (rolled_until_s <= o->rolled_until_s)
        return ERR_OK;
    struct db_stmt *s = o->statements[OBSERVATIONS_NOTE_ROLLED];
    db_bind_int(s, 1, day_of(rolled_until_s));
    enum err e = db_run(s);
    if (e == ERR_OK)
        o->rolled_until_s = rolled_until_s;
    return e;
}
