// A growing file is read on from the stored offset. Whether it still is the file the offset belongs to is
// seen by its inode, its size, its header and the hash of the row read last; if it is not, it is read from
// the start, and rows at or before the newest time reported are passed over (counted), because a rotated or
// rewritten log repeats them. A time that can't have been yet (a typing error; a clock that ran ahead) is no
// such time: by it every row until then would pass for a repeat. Where one is forgotten, rows may be sent
// again: the collector counts them as repeats.
//
// A line that is too long may not have its end yet: the offset then lies within it, and what follows is
// passed over up to that end, for it might look like a row.
//
// The file stays open between looks: when another takes its name (rotation), what was added to the old one
// since the last look is read first. Offset and figures go into one spool transaction, so neither a crash nor
// a full disk loses or repeats a row.
#include "agent/sources/counters.h"
#include "agent/sources/csv_file.h"
#include "agent/sources/csv_internal.h"
#include "agent/sources/figures.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MARK_VERSION 1
#define MARK_KEY     "log"

struct mark {         // no padding: stored as it is, on the machine that reads it
    uint32_t version; // 0: nothing was read yet
    uint32_t row_len;
    uint64_t dev, ino;
    int64_t offset;
    uint64_t line;
    int64_t row_offset; // of the row read last
    uint8_t row_hash[CSV_HASH_BYTES];
    uint8_t header_hash[CSV_HASH_BYTES];
    int64_t newest_s;     // of the rows reported
    int64_t skip_until_s; // rows up to here were reported from the file before
};

struct csv_log {
    const struct agent_source *config;
    const struct source_env *env;
    struct csv_file file;
    struct counters *counters;
    struct mark mark, spooled;
    bool loaded;
    int64_t seen_size; // when the row read last was checked
    struct timespec seen_mtime;
};

enum err csv_log_create(const struct agent_source *config, const struct source_env *env, struct csv_log **out)
{
    struct csv_log *l = calloc(1, sizeof *l);
    if (!l)
        return ERR_NOMEM;
    l->config = config;
    l->env = env;
    csv_file_init(&l->file, config);
    if (counters_create(config, env, false, &l->counters) != ERR_OK) {
        free(l);
        return ERR_NOMEM;
    }
    *out = l;
    return ERR_OK;
}

void csv_log_destroy(struct csv_log *l)
{
    if (!l)
        return;
    csv_file_close(&l->file);
    counters_destroy(l->counters);
    free(l);
}

static enum err load(struct csv_log *l)
{
    size_t len = 0;
    struct mark m = {0};
    if (l->loaded)
        return ERR_OK;
    enum err e = l->env->get(l->env->ctx, l->config->name, MARK_KEY, &m, sizeof m, &len);
    if (e != ERR_OK && e != ERR_NOT_FOUND && e != ERR_TOO_BIG)
        return e;
    if (e != ERR_OK || len != sizeof m || m.version != MARK_VERSION)
        m = (struct mark){.newest_s = INT64_MIN, .skip_until_s = INT64_MIN};
    l->mark = l->spooled = m;
    l->loaded = true;
    return ERR_OK;
}

// ---- is it still the same file?

static bool last_row_is_there(const struct csv_log *l)
{
    const struct mark *m = &l->mark;
    uint8_t hash[CSV_HASH_BYTES];
    if (m->row_len == 0)
        return true;
    if (m->row_len > CSV_RECORD_MAX)
        return false;
    char *bytes = malloc(m->row_len);
    bool same = bytes && pread(l->file.fd, bytes, m->row_len, m->row_offset) == (ssize_t)m->row_len;
    if (same) {
        csv_hash(bytes, m->row_len, hash);
        same = memcmp(hash, m->row_hash, sizeof hash) == 0;
    }
    free(bytes);
    return same;
}

static bool changed_since_seen(struct csv_log *l, const struct stat *st)
{
    bool same = l->seen_size == st->st_size && l->seen_mtime.tv_sec == st->st_mtim.tv_sec &&
                l->seen_mtime.tv_nsec == st->st_mtim.tv_nsec;
    l->seen_size = st->st_size;
    l->seen_mtime = st->st_mtim;
    return !same;
}

static bool continues(struct csv_log *l, const struct stat *st)
{
    const struct mark *m = &l->mark;
    if (figures_is_ahead(l->env->clock, m->skip_until_s)) // rows were taken for repeats that are none
        return false;
    return m->version == MARK_VERSION && m->dev == (uint64_t)st->st_dev && m->ino == (uint64_t)st->st_ino &&
           st->st_size >= m->offset && memcmp(m->header_hash, l->file.header_hash, CSV_HASH_BYTES) == 0 &&
           last_row_is_there(l);
}

static void begin_file(struct csv_log *l, const struct stat *st)
{
    struct mark *m = &l->mark;
    if (figures_is_ahead(l->env->clock, m->newest_s))
        m->newest_s = INT64_MIN;
    *m = (struct mark){.version = MARK_VERSION,
                       .dev = (uint64_t)st->st_dev,
                       .ino = (uint64_t)st->st_ino,
                       .offset = l->file.first_offset,
                       .line = l->file.first_line,
                       .newest_s = m->newest_s,
                       .skip_until_s = m->newest_s};
    memcpy(m->header_hash, l->file.header_hash, CSV_HASH_BYTES);
}

static bool open_file(struct csv_log *l, struct harvest *h)
{
    struct stat st;
    if (!csv_file_open(&l->file, h))
        return false;
    if (fstat(l->file.fd, &st) != 0) {
        harvest_error(h, "%s: %s", l->config->path, strerror(errno));
        csv_file_close(&l->file);
        return false;
    }
    (void)changed_since_seen(l, &st);
    if (!continues(l, &st))
        begin_file(l, &st);
    return true;
}

// The open file was cut or rewritten in place: it is opened anew, header and all.
static bool still_good(struct csv_log *l)
{
    struct stat st;
    if (fstat(l->file.fd, &st) != 0 || st.st_size < l->mark.offset)
        return false;
    return !changed_since_seen(l, &st) || last_row_is_there(l);
}

// Another file has the name now.
static bool was_renamed(const struct csv_log *l)
{
    struct stat named, opened;
    return stat(l->config->path, &named) == 0 && fstat(l->file.fd, &opened) == 0 &&
           (named.st_dev != opened.st_dev || named.st_ino != opened.st_ino);
}

// ---- rows

static enum err add_cells(struct csv_log *l, const struct csv_record *record, int64_t time, struct harvest *h)
{
    char where[300];
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < l->config->series_count; i++) {
        if (!csv_file_has(&l->file, i))
            continue;
        const struct agent_series *s = &l->config->series[i];
        const struct csv_field *field = &record->fields[l->file.columns[i]];
        struct harvest_sample sample = {.series = (uint32_t)i, .time = time};
        struct diag d = {""};
        bool nothing = false;
        csv_file_place(&l->file, field, s->name, where, sizeof where);
        if (figures_value(field->text, l->config->decimal, s, &sample.value, &nothing, &d) != ERR_OK)
            harvest_error(h, "%s: %s", where, d.text);
        else if (!nothing)
            e = s->counter ? counters_add(l->counters, &sample, where, h) : harvest_add(h, s, &sample, where);
    }
    return e;
}

static enum err read_row(struct csv_log *l, const struct csv_raw *raw, struct csv_record *record,
                         struct harvest *h)
{
    char where[300];
    struct diag d = {""};
    int64_t time = 0;
    if (!csv_file_row(&l->file, raw, record, h))
        return ERR_OK;
    const struct csv_field *field = &record->fields[l->file.time_column];
    if (figures_measurement_time(field->text, &time, &d) != ERR_OK) {
        csv_file_place(&l->file, field, l->config->time_column, where, sizeof where);
        harvest_error(h, "%s: %s", where, d.text);
        return ERR_OK;
    }
    if (time <= l->mark.skip_until_s && !figures_is_ahead(l->env->clock, l->mark.skip_until_s)) {
        h->skipped++;
        return ERR_OK;
    }
    size_t before = h->count;
    enum err e = add_cells(l, record, time, h);
    if (h->count > before && time > l->mark.newest_s && !figures_is_ahead(l->env->clock, time))
        l->mark.newest_s = time;
    return e;
}

static void move_mark(struct csv_log *l, const struct csv_reader *reader, const struct csv_raw *raw)
{
    l->mark.offset = reader->offset;
    l->mark.line = reader->line;
    l->mark.row_offset = raw->offset;
    l->mark.row_len = (uint32_t)raw->len;
    csv_hash(raw->bytes, raw->len, l->mark.row_hash);
}

// Every other offset follows a line end.
static bool is_within_line(const struct csv_log *l)
{
    char before = '\n';
    return l->mark.offset > l->file.first_offset && pread(l->file.fd, &before, 1, l->mark.offset - 1) == 1 &&
           before != '\n';
}

static void move_within_line(struct csv_log *l, const struct csv_reader *reader)
{
    l->mark.offset = reader->offset;
    l->mark.row_len = 0;
}

static enum err read_rows(struct csv_log *l, struct csv_reader *reader, size_t max, struct harvest *h)
{
    struct csv_record record;
    struct csv_raw raw;
    enum err e = ERR_OK;
    csv_record_init(&record);
    for (size_t rows = 0; e == ERR_OK; rows++) {
        if (rows >= max || h->count >= max) {
            h->more = true;
            break;
        }
        enum csv_next next = csv_reader_next(reader, &raw);
        if (next == CSV_END && reader->skipping)
            move_within_line(l, reader);
        if (next == CSV_END || next == CSV_PARTIAL) // a line that is still being written is waited for
            break;
        if (next == CSV_FAILED) {
            harvest_error(h, "%s: read: %s", l->config->path, strerror(errno));
            break;
        }
        if (next == CSV_TOO_LONG) {
            harvest_error(h, "%s:%llu:1: longer than %u bytes, or a quote in it is not closed",
                          l->config->path, (unsigned long long)raw.line, CSV_RECORD_MAX);
            raw.len = 0;
        } else {
            e = read_row(l, &raw, &record, h);
        }
        move_mark(l, reader, &raw);
    }
    csv_record_deinit(&record);
    return e;
}

static enum err read_file(struct csv_log *l, size_t max, struct harvest *h)
{
    struct csv_reader reader;
    struct stat st;
    if (fstat(l->file.fd, &st) == 0 && st.st_size == l->mark.offset)
        return ERR_OK; // nothing new: no buffer for it
    enum err e = csv_reader_init(&reader, l->file.fd, l->config->separator, l->mark.offset, l->mark.line);
    if (e != ERR_OK)
        return e;
    reader.skipping = is_within_line(l);
    e = read_rows(l, &reader, max, h);
    csv_reader_deinit(&reader);
    return e;
}

enum err csv_log_take(struct csv_log *l, size_t max_samples, struct harvest *h)
{
    enum err e = load(l);
    if (e != ERR_OK)
        return e;
    if (l->file.fd >= 0 && !still_good(l))
        csv_file_close(&l->file);
    if (l->file.fd >= 0 && was_renamed(l)) {
        e = read_file(l, max_samples, h); // the rest of the old one, until nothing of it is left
        if (e != ERR_OK || h->count > 0 || h->more)
            goto out;
        csv_file_close(&l->file);
    }
    if (l->file.fd < 0 && !open_file(l, h))
        return ERR_OK;
    e = read_file(l, max_samples, h);
out:
    if (e == ERR_OK && memcmp(&l->mark, &l->spooled, sizeof l->mark) != 0)
        e = harvest_position(h, MARK_KEY, &l->mark, sizeof l->mark);
    return e == ERR_OK ? counters_positions(l->counters, h) : e;
}

void csv_log_settled(struct csv_log *l, bool spooled)
{
    counters_settled(l->counters, spooled);
    if (spooled) {
        l->spooled = l->mark;
        return;
    }
    // Back to a position that is not in the file now open: it is begun anew.
    if (l->spooled.version != l->mark.version || l->spooled.dev != l->mark.dev ||
        l->spooled.ino != l->mark.ino)
        csv_file_close(&l->file);
    l->mark = l->spooled;
}
