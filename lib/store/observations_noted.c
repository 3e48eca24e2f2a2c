// What an advance collects in memory: the newest figure of each series, and for each stream the runs of
// sequences in which samples of a day lie. A day's runs are kept apart when more than RUN_HOLE sequences lie
// between them, so that one late sample does not make a reader scan the weeks between.
#include "store/day_totals_internal.h"
#include <stdlib.h>
#include <string.h>

#define RUN_HOLE 64

int64_t day_of(int64_t time_s)
{
    return time_s / DAY_S - (time_s % DAY_S < 0);
}

void figure_bind(struct db_stmt *s, int i, struct figure f)
{
    if (f.kind == FIGURE_INTEGER)
        db_bind_int(s, i, f.integer);
    else if (f.kind == FIGURE_REAL)
        db_bind_real(s, i, f.real);
    else
        db_bind_null(s, i);
}

bool figure_column(struct db_stmt *s, int column, struct figure *out)
{
    *out = figure_missing();
    if (db_is_null(s, column))
        return true;
    if (db_is_integer(s, column))
        return figure_from_integer(db_int(s, column), out) == ERR_OK;
    return figure_from_real(db_real(s, column), out) == ERR_OK;
}

// ---- latest
// ---------------------------------------------------------------------------------------------------------

static enum err load_latest(struct observations *o, int64_t series_id, struct observations_latest_entry *out)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_LOAD_LATEST];
    bool row = false;
    db_bind_int(s, 1, series_id);
    enum err e = db_step(s, &row);
    if (e != ERR_OK)
        return e;
    out->latest.series_id = series_id;
    out->latest.time = INT64_MIN;
    if (row) {
        out->latest.time = db_int(s, 0);
        if (!figure_column(s, 1, &out->latest.value))
            e = ERR_CORRUPT;
        out->latest.received_us = db_int(s, 2);
        out->latest.position = (uint64_t)db_int(s, 3);
        out->index = (uint32_t)db_int(s, 4);
    }
    db_reset(s);
    return e;
}

static enum err latest_entry(struct observations *o, int64_t series_id,
                             struct observations_latest_entry **out)
{
    struct observations_latest_entry *entry = id_table_get(&o->latest, series_id);
    if (!entry) {
        if (!(entry = calloc(1, sizeof *entry)))
            return ERR_NOMEM;
        entry->waiting_end_s = INT64_MIN + DAY_S;
        enum err e = load_latest(o, series_id, entry);
        if (e == ERR_OK)
            e = id_table_put(&o->latest, series_id, entry);
        if (e != ERR_OK) {
            free(entry);
            return e;
        }
    }
    *out = entry;
    return ERR_OK;
}

static void put_latest(struct observations *o, struct observations_latest_entry *entry,
                       const struct reader_sample *s)
{
    entry->latest.time = s->time;
    entry->latest.value = s->note ? reader_own_value(s) : s->value;
    entry->latest.received_us = s->received_us;
    entry->latest.position = s->position;
    entry->index = s->index;
    if (!entry->dirty) {
        entry->dirty = true;
        entry->next_dirty = o->dirty_latest;
        o->dirty_latest = entry;
    }
}

static enum err note_waiting(struct observations *o, struct observations_latest_entry *entry,
                             const struct reader_sample *s)
{
    if (s->time <= entry->waiting_end_s && s->time > entry->waiting_end_s - DAY_S)
        return ERR_OK;
    int64_t day = day_totals_noted(s->time);
    entry->waiting_end_s = (day + 1) * DAY_S;
    return day_totals_note(o, s->series->series_id, day);
}

enum err observations_note_latest(struct observations *o, const struct reader_sample *s)
{
    struct observations_latest_entry *entry = id_table_get(&o->latest, s->series->series_id);
    enum err e = entry ? ERR_OK : latest_entry(o, s->series->series_id, &entry);
    if (e == ERR_OK && s->time >= entry->latest.time)
        put_latest(o, entry, s);
    return e == ERR_OK && s->series->class == WIRE_MEASUREMENT ? note_waiting(o, entry, s) : e;
}

enum err observations_note_older(struct observations *o, const struct reader_sample *s)
{
    struct observations_latest_entry *entry = NULL;
    enum err e = latest_entry(o, s->series->series_id, &entry);
    if (e == ERR_OK && s->time > entry->latest.time)
        put_latest(o, entry, s);
    return e;
}

static enum err save_latest(struct observations *o, const struct observations_latest_entry *entry)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_SAVE_LATEST];
    db_bind_int(s, 1, entry->latest.series_id);
    db_bind_int(s, 2, entry->latest.time);
    figure_bind(s, 3, entry->latest.value);
    db_bind_int(s, 4, entry->latest.received_us);
    db_bind_int(s, 5, (int64_t)entry->latest.position);
    db_bind_int(s, 6, entry->index);
    return db_run(s);
}

// ---- days and sequences
// ---------------------------------------------------------------------------------------------

static enum err stream_entry(struct observations *o, int64_t stream_id, struct observations_stream **out)
{
    struct observations_stream *stream = id_table_get(&o->streams, stream_id);
    if (!stream) {
        if (!(stream = calloc(1, sizeof *stream)))
            return ERR_NOMEM;
        stream->stream_id = stream_id;
        enum err e = id_table_put(&o->streams, stream_id, stream);
        if (e != ERR_OK) {
            free(stream);
            return e;
        }
    }
    if (!stream->dirty) {
        stream->dirty = true;
        stream->next_dirty = o->dirty_streams;
        o->dirty_streams = stream;
    }
    *out = stream;
    return ERR_OK;
}

static enum err save_span(struct observations *o, int64_t stream_id, struct observations_span *span)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_SAVE_SPAN];
    if (!span->dirty)
        return ERR_OK;
    db_bind_int(s, 1, stream_id);
    db_bind_int(s, 2, span->day);
    db_bind_int(s, 3, (int64_t)span->first);
    db_bind_int(s, 4, (int64_t)span->last);
    span->dirty = false;
    return db_run(s);
}

static enum err load_span(struct observations *o, int64_t stream_id, struct observations_span *span)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_LOAD_SPAN];
    bool row = false;
    db_bind_int(s, 1, stream_id);
    db_bind_int(s, 2, span->day);
    enum err e = db_step(s, &row);
    if (e == ERR_OK && row) {
        span->first = (uint64_t)db_int(s, 0);
        span->last = (uint64_t)db_int(s, 1);
    }
    db_reset(s);
    return e;
}

static enum err open_span(struct observations *o, struct observations_stream *stream, int64_t day,
                          struct observations_span **out)
{
    for (unsigned i = 0; i < OPEN_SPANS; i++)
        if (stream->spans[i].first != 0 && stream->spans[i].day == day) {
            *out = &stream->spans[i];
            return ERR_OK;
        }
    struct observations_span *span = &stream->spans[stream->next_span];
    stream->next_span = (stream->next_span + 1) % OPEN_SPANS;
    enum err e = save_span(o, stream->stream_id, span);
    if (e != ERR_OK)
        return e;
    *span = (struct observations_span){.day = day};
    *out = span;
    return load_span(o, stream->stream_id, span);
}

enum err observations_note_day(struct observations *o, int64_t stream_id, uint64_t sequence, int64_t day)
{
    struct observations_stream *stream = NULL;
    struct observations_span *span = NULL;
    enum err e = stream_entry(o, stream_id, &stream);
    if (e == ERR_OK)
        e = open_span(o, stream, day, &span);
    if (e != ERR_OK)
        return e;
    if (span->first == 0 || sequence > span->last + RUN_HOLE) {
        if ((e = save_span(o, stream_id, span)) != ERR_OK)
            return e;
        span->first = sequence;
    }
    span->last = sequence;
    span->dirty = true;
    return ERR_OK;
}

enum err observations_note_seen(struct observations *o, int64_t stream_id, uint64_t last_sequence)
{
    struct observations_stream *stream = NULL;
    enum err e = stream_entry(o, stream_id, &stream);
    if (e == ERR_OK)
        stream->seen = last_sequence;
    return e;
}

static enum err save_stream(struct observations *o, struct observations_stream *stream)
{
    struct db_stmt *s = o->statements[OBSERVATIONS_SAVE_SEEN];
    db_bind_int(s, 1, stream->stream_id);
    db_bind_int(s, 2, (int64_t)stream->seen);
    enum err e = db_run(s);
    for (unsigned i = 0; e == ERR_OK && i < OPEN_SPANS; i++)
        e = save_span(o, stream->stream_id, &stream->spans[i]);
    return e;
}

// ---- writing
// --------------------------------------------------------------------------------------------------------

enum err observations_write_noted(struct observations *o)
{
    enum err e = ERR_OK;
    for (; e == ERR_OK && o->dirty_latest; o->dirty_latest = o->dirty_latest->next_dirty) {
        e = save_latest(o, o->dirty_latest);
        o->dirty_latest->dirty = false;
    }
    for (; e == ERR_OK && o->dirty_streams; o->dirty_streams = o->dirty_streams->next_dirty) {
        e = save_stream(o, o->dirty_streams);
        o->dirty_streams->dirty = false;
    }
    return e;
}

void observations_forget(struct observations *o)
{
    id_table_deinit(&o->latest, free);
    id_table_deinit(&o->streams, free);
    o->dirty_latest = NULL;
    o->dirty_streams = NULL;
}
