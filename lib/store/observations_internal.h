// Shared by observations*.c and points.c only.
#ifndef ESEP_STORE_OBSERVATIONS_INTERNAL_H
#define ESEP_STORE_OBSERVATIONS_INTERNAL_H

#include "store/observations.h"
#include "store/reader_internal.h"

#define OBSERVATIONS_SCHEMA "5"
#define DAY_S               86400

enum observations_statement {
    OBSERVATIONS_CURRENT,
    OBSERVATIONS_PUBLISHED,
    OBSERVATIONS_INSERT,
    OBSERVATIONS_LOAD_LATEST,
    OBSERVATIONS_SAVE_LATEST,
    OBSERVATIONS_LOAD_SPAN,
    OBSERVATIONS_SAVE_SPAN,
    OBSERVATIONS_SAVE_SEEN,
    OBSERVATIONS_SAVE_CURSOR,
    OBSERVATIONS_DROP_SPANS,
    OBSERVATIONS_INSERT_RATES,
    OBSERVATIONS_NOTE_WAITING,
    OBSERVATIONS_NOTE_ROLLED,
    OBSERVATIONS_STATEMENTS
};

// What an advance changes is collected in memory and written once at its end: thousands of batches touch the
// same few hundred series.
struct observations_latest_entry {
    struct latest latest;
    uint32_t index; // in the batch at latest.position
    // Of a measurement: the end of the day that was noted last (day_totals), so that most figures cost no
    // look-up.
    int64_t waiting_end_s;
    bool dirty;
    struct observations_latest_entry *next_dirty;
};

#define OPEN_SPANS 8
struct observations_stream { // the runs of sequences that hold one day's samples
    int64_t stream_id;
    uint64_t seen; // last sequence read
    struct observations_span {
        int64_t day;
        uint64_t first, last; // 0: not used
        bool dirty;
    } spans[OPEN_SPANS];
    unsigned next_span; // replaced next
    bool dirty;
    struct observations_stream *next_dirty;
};

struct observations {
    struct db *db;
    struct db_stmt *statements[OBSERVATIONS_STATEMENTS];
    uint64_t cursor, repeats;
    uint8_t cursor_chain[HASH_BYTES]; // of the row at the cursor
    uint8_t ledger_id[LEDGER_ID_BYTES];
    bool checked;                 // the cursor is of this ledger
    bool renewed;                 // the file was damaged and made anew
    int64_t rolled_until_s;       // as day_totals know it
    observations_revised revised; // NULL: nobody is told
    void *revised_ctx;
    struct id_table latest, streams;
    struct observations_latest_entry *dirty_latest;
    struct observations_stream *dirty_streams;
};

static inline enum err observations_fail(struct observations *o, enum err e, const char *what, struct diag *d)
{
    (void)diag_fail(d, e, OBSERVATIONS_FILE ": %s: %s", what, e == ERR_NOMEM ? err_text(e) : db_error(o->db));
    return e;
}
enum err observations_schema_open(const char *state, struct observations *o, struct diag *d) MUST_USE;
void observations_forget(struct observations *o); // the memory, after a rollback

// A sample's part in what is collected.
enum err observations_note_latest(struct observations *o, const struct reader_sample *s) MUST_USE;
// The same where an equal time is the same figure.
enum err observations_note_older(struct observations *o, const struct reader_sample *s) MUST_USE;
enum err observations_note_day(struct observations *o, int64_t stream_id, uint64_t sequence,
                               int64_t day) MUST_USE;
enum err observations_note_seen(struct observations *o, int64_t stream_id, uint64_t last_sequence) MUST_USE;
enum err observations_write_noted(struct observations *o) MUST_USE;

// A control document's part in the projection, of the kinds that have one.
enum err observations_take_control(struct observations *o, struct reader *r, const struct reader_row *row,
                                   struct diag *d) MUST_USE;

void figure_bind(struct db_stmt *s, int i, struct figure f);
// False: damaged, no message could have carried it.
bool figure_column(struct db_stmt *s, int column, struct figure *out);
int64_t day_of(int64_t time_s);

#define OBSERVATIONS_KEPT 8 // statements of a reader that are prepared once
struct observations_reader {
    char *path;
    struct db *db;          // NULL: to be opened again
    uint64_t device, inode; // of the open file: another one takes its place when it is made anew
    struct observations_prepared {
        char *sql; // NULL: a free place
        struct db_stmt *statement;
    } kept[OBSERVATIONS_KEPT];
    unsigned next_kept; // replaced next
};
// Prepares sql on the file that is there now, inside a read transaction that observations_reader_end ends.
// The statement stays the reader's.
enum err observations_reader_begin(struct observations_reader *o, const char *sql, struct db_stmt **out,
                                   struct diag *d) MUST_USE;
void observations_reader_end(struct observations_reader *o, struct db_stmt *s);

#endif
