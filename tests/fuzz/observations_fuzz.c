// An observations file whose rows say anything at all, beside an honest ledger. Every way of asking it may
// refuse, but not crash, and never gives an observation that no message could carry.
#include "store/observations.h"
#include "tests/fuzz/fuzz_db.h"
#include "tests/fuzz/fuzz_store.h"
#include <math.h>
#include <sys/stat.h>

static enum err on_observation(void *ctx, const struct observation *o)
{
    (void)ctx;
    FUZZ_CHECK(strlen(o->currency) <= WIRE_CURRENCY_LEN && o->reason && o->author);
    FUZZ_CHECK(o->value.kind != FIGURE_REAL || isfinite(o->value.real));
    FUZZ_CHECK(o->value.kind != FIGURE_INTEGER ||
               (o->value.integer <= FIGURE_INTEGER_MAX && o->value.integer >= -FIGURE_INTEGER_MAX));
    return ERR_OK;
}

static enum err on_point(void *ctx, const struct point *p)
{
    int64_t *last = ctx;
    FUZZ_CHECK(p->time > *last);
    *last = p->time;
    return ERR_OK;
}

static void query(struct observations_reader *o, struct reader *r, int64_t series_id, struct fuzz_input *in)
{
    const struct ledger_series *s;
    struct latest latest;
    struct diag d;
    int32_t day;
    struct observation_query q = {.series_id = series_id, .from = INT32_MIN, .to = INT32_MAX};
    q.all_revisions = series_id & 1;
    q.by_published = fuzz_u8(in) & 1;
    q.as_of_us = fuzz_number(in, FUZZ_EPOCH_US);
    int64_t last = FUZZ_EPOCH_S - 90000, from = last;
    (void)observations_query(o, &q, on_observation, NULL, &d);
    (void)observations_latest(o, series_id, &latest, &d);
    if (reader_series(r, series_id, &s, &d) != ERR_OK)
        return;
    (void)observations_first_day(o, r, s, &day, &d);
    (void)points_read(o, r, s, from, FUZZ_EPOCH_S + 60, 100, on_point, &last, &d);
}

static void look(const char *state, struct fuzz_input *in)
{
    struct observations_reader *o;
    struct observations *writer;
    struct reader *r;
    struct diag d;
    uint64_t position;
    size_t rows = 0;
    FUZZ_CHECK(reader_open(state, &r, &d) == ERR_OK);
    if (observations_reader_open(state, &o, &d) == ERR_OK) {
        (void)observations_reader_cursor(o, &position, &d);
        for (int64_t id = 0; id <= FUZZ_STORE_SERIES + 1; id++)
            query(o, r, id, in);
        observations_reader_close(o);
    }
    if (observations_open(state, &writer, &d) == ERR_OK) {
        for (int i = 0; i < 4 && observations_advance(writer, r, 3, &rows, &d) == ERR_OK && rows > 0; i++)
            FUZZ_CHECK(rows <= 3);
        (void)observations_cursor(writer);
        observations_close(writer);
    }
    reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static bool ready;
    char state[FUZZ_PATH], file[FUZZ_PATH], kept[FUZZ_PATH], beside[FUZZ_PATH];
    struct fuzz_input in = {bytes, len};
    fuzz_path("state", state);
    fuzz_path("state/observations.sqlite", file);
    fuzz_path("kept.sqlite", kept);
    if (!ready) {
        fuzz_store_make("state");
        fuzz_db_loosen(file);
        fuzz_copy(file, kept);
        ready = true;
    }
    fuzz_copy(kept, file);
    for (int i = 0; i < 2; i++) {
        snprintf(beside, sizeof beside, "%.300s%s", file, i ? "-shm" : "-wal");
        remove(beside);
    }
    fuzz_db_damage(file, &in);
    look(state, &in);
    return 0;
}
