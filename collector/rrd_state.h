// What the parts of the RRD writer share: rrd_writer.c reads and decides, rrd_land.c writes, rrd_rebuild.c
// (with rrd_make.c) rebuilds, rrd_recover.c starts and stores.
#ifndef ESEP_COLLECTOR_RRD_STATE_H
#define ESEP_COLLECTOR_RRD_STATE_H

#include "collector/rrd_series.h"
#include "collector/rrd_writer.h"

struct rrd_list {
    struct rrd_series **items;
    size_t count, capacity;
};

struct rrd_turn {
    enum wire_class class;
    int64_t agent_id, series_id;
};

struct rrd_writer {
    struct rrd_writer_options o;
    char *state;
    struct rrd_cursor *cursor;
    struct rrd_table *table;
    uint64_t position;  // rows read
    uint64_t step_from; // the first row of this step
    uint64_t mark_from; // the first row that series marked in a walk may lack
    uint64_t replay_to; // where the ledger was at the start
    uint8_t chain[HASH_BYTES];
    uint64_t stored_position;
    struct mono stored_at, patrolled_at;
    struct mono logged_at;   // of the last complaint about a file
    bool changed;            // anything since the cursor was stored
    bool forget;             // the stored series are of another life
    struct rrd_list touched; // with values, in this step
    struct rrd_list dirty;
    struct rrd_turn turn; // of the series that was rebuilt last
    size_t group;         // so many are rebuilt together
    size_t points_max;    // with so many points in memory; 0: as many as usual
    uint64_t room_bytes;  // and in so many bytes of new files; 0: as the disk has room
    size_t bytes;         // that the touched series' values hold
    struct {              // the last step that wrote
        int64_t ms;       // writing
        size_t rows, visits, values;
    } last;
    size_t patrol_at, header_at;
    bool had_files;     // there were some when it was opened
    uint64_t surprises; // files whose modification time was not ours
    bool times_lie;     // too many of them: this file system's times say nothing
};

enum err rrd_list_add(struct rrd_list *list, struct rrd_series *s) MUST_USE; // NOMEM
// Of the table, found or made; with room among the dirty, so that to mark it later can't fail. NOMEM.
enum err rrd_find(struct rrd_writer *w, int64_t series_id, struct rrd_series **out) MUST_USE;
// Fills info; NOT_FOUND when the ledger does not know the series.
enum err rrd_know(struct rrd_writer *w, struct rrd_series *s, struct diag *d) MUST_USE;
// The file lacks what ledger row `from` says; the rebuild must have seen rows up to `needed`.
enum err rrd_mark_dirty(struct rrd_writer *w, struct rrd_series *s, uint64_t from, uint64_t needed) MUST_USE;
// A reader_series_visit: marks with mark_from, at once.
enum err rrd_mark_named(void *ctx, const struct ledger_series *info) MUST_USE;
// At most one line in five seconds: a full disk would otherwise write one for each file.
void rrd_complain(struct rrd_writer *w, const struct rrd_series *s, enum err e, const char *text);
// Remembers how the file looks after our own write.
void rrd_note_file(struct rrd_series *s, const char *path);

// Looks whether the file is there and as it was left; else the series becomes dirty.
enum err rrd_check(struct rrd_writer *w, struct rrd_series *s) MUST_USE;
// The same, and that the file's header is whole and says the time of our last write: finds what left the
// file's times alone.
enum err rrd_check_header(struct rrd_writer *w, struct rrd_series *s) MUST_USE;
// Writes the series' values, or marks it dirty. Errors other than NOMEM end in a dirty series.
enum err rrd_land(struct rrd_writer *w, struct rrd_series *s) MUST_USE;
// Makes new files of what is dirty and due, as far as the observer has seen enough, for some 200 ms. *done:
// how many are dirty no more. What fails for one series is said and tried again later.
enum err rrd_rebuild_due(struct rrd_writer *w, size_t *done, struct diag *d) MUST_USE;
// Syncs the files, then stores the cursor.
enum err rrd_store(struct rrd_writer *w, bool clean, struct diag *d) MUST_USE;

#endif
