// Tables of reports are small and people edit them anywhere: so the whole file is read whenever anything
// about it has changed, and compared with what was reported before. What is new or differs is reported; a
// cell that is empty now, or a row gone from between others, becomes a report that is missing. Rows before
// the first or after the last one of the file are not taken as gone (a file may hold just the last months),
// nor is anything while the file has rows that can't be read.
//
// A period that stands in the file twice has the last of its values (a file may be a growing list of
// corrections). A last line without its end is waited for until the file has been left alone for a minute:
// many programs never write that line end.
#include "agent/sources/csv_cells.h"
#include "agent/sources/csv_file.h"
#include "agent/sources/csv_internal.h"
#include "agent/sources/csv_release.h"
#include "agent/sources/figures.h"
#include "agent/sources/reported.h"
#include "base/crypto.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PRINT_KEY       "table"
#define RELEASE_KEY     "release"
#define YOUNG_US        (2 * US_PER_S)
#define PARTIAL_WAIT_MS 60000
#define GONE_REASON     "no longer in the source"

struct print { // how the file looked when it was read; no padding: stored as it is
    uint64_t dev, ino;
    int64_t size, mtime_s, mtime_ns, ctime_s, ctime_ns;
    uint8_t config_hash[CSV_HASH_BYTES]; // another mapping of columns: read again
};

struct csv_table {
    const struct agent_source *config;
    const struct source_env *env;
    struct csv_file file;
    bool loaded;
    struct print print, spooled; // of what is being given; of what is in the spool
    bool partial;                // the last line had no end
    struct print partial_print;
    struct mono partial_since;
    const char *path;                  // the configuration's, or the release's
    struct csv_release done;           // of a folder of releases: in the spool
    struct csv_release_choice release; // and the one that is read
    int64_t published_us;              // what the rows say at the latest, or the release; 0: nothing
    struct csv_cells cells;            // empty between readings
    struct csv_cell *changes;          // by day and series
    size_t change_count, change_next;
    int32_t first_day, last_day; // of the file's rows
    bool unreadable;             // rows could not be read
};

static void forget_reading(struct csv_table *t)
{
    csv_file_close(&t->file);
    csv_cells_free(&t->cells);
    free(t->changes);
    t->changes = NULL;
    t->change_count = t->change_next = 0;
    t->first_day = INT32_MAX;
    t->last_day = INT32_MIN;
    t->unreadable = false;
    t->published_us = 0;
}

enum err csv_table_create(const struct agent_source *config, const struct source_env *env,
                          struct csv_table **out)
{
    struct csv_table *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->config = config;
    t->env = env;
    t->path = config->path;
    csv_file_init(&t->file, config);
    forget_reading(t);
    *out = t;
    return ERR_OK;
}

void csv_table_destroy(struct csv_table *t)
{
    if (!t)
        return;
    forget_reading(t);
    free(t);
}

// ---- has it changed?

static void hash_config(const struct agent_source *c, uint8_t out[CSV_HASH_BYTES])
{
    struct buf text;
    buf_init(&text, 4u << 20);
    (void)buf_printf(&text, "%c%c%s|%s\n", c->separator, c->decimal, c->encoding ? c->encoding : "",
                     c->time_column);
    if (c->published_column || c->whole || c->releases)
        (void)buf_printf(&text, "%s|%d|%s\n", c->published_column ? c->published_column : "", c->whole,
                         c->releases ? c->path : "");
    for (size_t i = 0; i < c->series_count; i++)
        (void)buf_printf(&text, "%s|%s|%s|%s|%d\n", c->series[i].name, c->series[i].declared,
                         c->series[i].unit, c->series[i].currency, (int)c->series[i].period);
    csv_hash(buf_str(&text), text.len, out);
    buf_deinit(&text);
}

static void print_of(const struct csv_table *t, const struct stat *st, struct print *out)
{
    *out = (struct print){.dev = (uint64_t)st->st_dev,
                          .ino = (uint64_t)st->st_ino,
                          .size = st->st_size,
                          .mtime_s = st->st_mtim.tv_sec,
                          .mtime_ns = st->st_mtim.tv_nsec,
                          .ctime_s = st->st_ctim.tv_sec,
                          .ctime_ns = st->st_ctim.tv_nsec};
    hash_config(t->config, out->config_hash);
}

static enum err load_release(struct csv_table *t)
{
    char text[CSV_RELEASE_BYTES];
    size_t len = 0;
    if (!t->config->releases)
        return ERR_OK;
    enum err e = t->env->get(t->env->ctx, t->config->name, RELEASE_KEY, text, sizeof text, &len);
    return e == ERR_OK ? csv_release_decode(text, len, &t->done) : e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err load(struct csv_table *t)
{
    size_t len = 0;
    if (t->loaded)
        return ERR_OK;
    enum err e = load_release(t);
    if (e != ERR_OK)
        return e;
    e = t->env->get(t->env->ctx, t->config->name, PRINT_KEY, &t->spooled, sizeof t->spooled, &len);
    if (e != ERR_OK && e != ERR_NOT_FOUND && e != ERR_TOO_BIG)
        return e;
    if (e != ERR_OK || len != sizeof t->spooled)
        t->spooled = (struct print){0};
    t->loaded = true;
    return ERR_OK;
}

static bool same_print(const struct print *a, const struct print *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

// Where everything that is not in the file is gone, one that is being written is left alone. (A clock that is
// behind the file's is no reason to wait.)
static bool is_young(const struct csv_table *t, const struct timespec *written)
{
    int64_t written_us = (int64_t)written->tv_sec * US_PER_S + written->tv_nsec / 1000;
    int64_t age_us = clock_wall(t->env->clock).us - written_us;
    return age_us >= 0 && age_us < YOUNG_US;
}

// The file as it is now has to be read. *whole: its last line counts although it has no end.
static bool has_changed(struct csv_table *t, const struct stat *st, bool *whole)
{
    struct print now;
    print_of(t, st, &now);
    *whole = false;
    if (t->partial && same_print(&now, &t->partial_print)) {
        *whole = mono_diff_ms(clock_mono(t->env->clock), t->partial_since) >= PARTIAL_WAIT_MS;
        return *whole;
    }
    if (t->config->whole && is_young(t, &st->st_mtim))
        return false;
    return t->release.next || !same_print(&now, &t->spooled);
}

// ---- what was reported before

struct known_visit {
    struct csv_table *table;
    uint32_t series;
};

static enum err note_known(void *ctx, const char *key, const void *bytes, size_t len)
{
    const struct known_visit *v = ctx;
    const char *slash = strrchr(key, '/');
    struct csv_cell *c = NULL;
    struct figure known;
    if (!slash || reported_decode(bytes, len, &known) != ERR_OK)
        return ERR_OK; // it is reported once more
    enum err e = csv_cells_find(&v->table->cells, v->series, (int32_t)strtol(slash + 1, NULL, 10), &c);
    if (e == ERR_OK) {
        c->has_known = true;
        c->known = known;
    }
    return e;
}

// Whether the file says anything about the series, be it by not having its column.
static bool states(const struct csv_table *t, uint32_t series)
{
    return csv_file_has(&t->file, series) || (t->config->whole && t->file.columns[series] == CSV_ABSENT);
}

static enum err load_known(struct csv_table *t)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < t->config->series_count; i++) {
        char key[REPORTED_KEY_MAX];
        struct known_visit v = {.table = t, .series = (uint32_t)i};
        if (!states(t, (uint32_t)i))
            continue;
        reported_key(&t->config->series[i], 0, key);
        *(strrchr(key, '/') + 1) = '\0';
        e = t->env->each(t->env->ctx, t->config->name, key, note_known, &v);
    }
    return e;
}

// ---- reading

static enum err read_cell(struct csv_table *t, size_t series, const struct csv_record *record,
                          int64_t published_us, struct harvest *h)
{
    char where[300];
    const struct agent_series *s = &t->config->series[series];
    const struct csv_field *at = &record->fields[t->file.time_column];
    const struct csv_field *field = &record->fields[t->file.columns[series]];
    struct diag d = {""};
    struct figure value = figure_missing();
    struct csv_cell *c = NULL;
    int64_t day = 0;
    bool nothing = false;
    if (figures_report_time(at->text, s->period, &day, &d) != ERR_OK) {
        csv_file_place(&t->file, at, t->config->time_column, where, sizeof where);
        harvest_error(h, "%s: %s: %s", where, s->declared, d.text);
        t->unreadable = true;
        return ERR_OK;
    }
    enum err e = csv_cells_find(&t->cells, (uint32_t)series, (int32_t)day, &c);
    if (e != ERR_OK)
        return e;
    t->first_day = day < t->first_day ? (int32_t)day : t->first_day;
    t->last_day = day > t->last_day ? (int32_t)day : t->last_day;
    if (figures_value(field->text, t->config->decimal, s, &value, &nothing, &d) != ERR_OK) {
        csv_file_place(&t->file, field, s->name, where, sizeof where);
        harvest_error(h, "%s: %s", where, d.text);
        c->seen = c->seen == CSV_SEEN_VALUE ? CSV_SEEN_VALUE : CSV_SEEN_WRONG;
    } else if (nothing) {
        c->published_us = c->seen == CSV_NOT_SEEN ? published_us : c->published_us;
        c->seen = c->seen == CSV_NOT_SEEN ? CSV_SEEN_EMPTY : c->seen;
    } else {
        c->seen = CSV_SEEN_VALUE;
        c->published_us = published_us;
        c->value = value;
    }
    return ERR_OK;
}

// When the row was published. False: it is not to be used. An empty cell says nothing.
static bool read_published(struct csv_table *t, const struct csv_record *record, int64_t *us,
                           struct harvest *h)
{
    char where[300];
    struct diag d = {""};
    *us = t->config->releases ? t->published_us : 0;
    if (!t->config->published_column)
        return true;
    const struct csv_field *field = &record->fields[t->file.published_column];
    if (!*field->text)
        return true;
    if (figures_published(field->text, us, &d) == ERR_OK) {
        t->published_us = *us > t->published_us ? *us : t->published_us;
        return true;
    }
    csv_file_place(&t->file, field, t->config->published_column, where, sizeof where);
    harvest_error(h, "%s: %s", where, d.text);
    return false;
}

static enum err read_row(struct csv_table *t, const struct csv_raw *raw, struct csv_record *record,
                         struct harvest *h)
{
    uint64_t errors = h->errors;
    int64_t published_us = 0;
    enum err e = ERR_OK;
    if (!csv_file_row(&t->file, raw, record, h) || !read_published(t, record, &published_us, h)) {
        t->unreadable = t->unreadable || h->errors > errors;
        return ERR_OK;
    }
    for (size_t i = 0; e == ERR_OK && i < t->config->series_count; i++)
        if (csv_file_has(&t->file, i))
            e = read_cell(t, i, record, published_us, h);
    if (e == ERR_FULL) {
        harvest_error(h, "%s:%llu:1: more than %d figures: split the file", t->path,
                      (unsigned long long)raw->line, CSV_CELLS_MAX);
        t->unreadable = true;
    }
    return e;
}

// The look stored with it (size −1) matches no file, so that a restart reads the file again too.
static void note_partial(struct csv_table *t)
{
    t->partial = true;
    t->partial_print = t->print;
    t->partial_since = clock_mono(t->env->clock);
    t->print.size = -1;
}

static enum err read_rows(struct csv_table *t, struct csv_reader *reader, bool whole, struct harvest *h)
{
    struct csv_record record;
    struct csv_raw raw;
    enum err e = ERR_OK;
    enum csv_next next;
    csv_record_init(&record);
    t->partial = false;
    while (e == ERR_OK && (next = csv_reader_next(reader, &raw)) != CSV_END) {
        if (next == CSV_FAILED) {
            harvest_error(h, "%s: read: %s", t->path, strerror(errno));
            t->unreadable = true;
            break;
        }
        if (next == CSV_TOO_LONG) {
            harvest_error(h, "%s:%llu:1: longer than %u bytes, or a quote in it is not closed", t->path,
                          (unsigned long long)raw.line, CSV_RECORD_MAX);
            t->unreadable = true;
            continue;
        }
        if (next == CSV_PARTIAL && !whole)
            note_partial(t);
        if (next == CSV_RECORD || whole)
            e = read_row(t, &raw, &record, h);
        if (next == CSV_PARTIAL)
            break;
    }
    csv_record_deinit(&record);
    return e == ERR_FULL ? ERR_OK : e;
}

// ---- what differs

static bool is_gone(const struct csv_table *t, const struct csv_cell *c)
{
    if (!c->has_known || c->known.kind == FIGURE_MISSING || !states(t, c->series))
        return false;
    if (c->seen == CSV_SEEN_EMPTY)
        return true;
    bool within = c->day > t->first_day && c->day < t->last_day;
    return c->seen == CSV_NOT_SEEN && !t->unreadable && !t->partial && t->first_day <= t->last_day &&
           (within || t->config->whole);
}

static bool is_changed(const struct csv_table *t, const struct csv_cell *c)
{
    if (c->seen == CSV_SEEN_VALUE)
        return !c->has_known || !figure_equal(c->known, c->value);
    return is_gone(t, c);
}

static int by_day(const void *a, const void *b)
{
    const struct csv_cell *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return x->series < y->series ? -1 : x->series > y->series;
}

static enum err find_changes(struct csv_table *t)
{
    size_t count = 0;
    for (size_t i = 0; i < t->cells.cap; i++)
        count += t->cells.at[i].used && is_changed(t, &t->cells.at[i]);
    t->changes = malloc((count ? count : 1) * sizeof *t->changes);
    if (!t->changes)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->cells.cap; i++)
        if (t->cells.at[i].used && is_changed(t, &t->cells.at[i]))
            t->changes[t->change_count++] = t->cells.at[i];
    csv_cells_free(&t->cells);
    qsort(t->changes, t->change_count, sizeof *t->changes, by_day);
    return ERR_OK;
}

static enum err read_table(struct csv_table *t, bool whole, struct harvest *h)
{
    struct csv_reader reader;
    enum err e = load_known(t);
    if (e == ERR_FULL)
        e = ERR_OK; // said when the file itself is read
    if (e == ERR_OK)
        e = csv_reader_init(&reader, t->file.fd, t->config->separator, t->file.first_offset,
                            t->file.first_line);
    if (e != ERR_OK)
        return e;
    e = read_rows(t, &reader, whole, h);
    csv_reader_deinit(&reader);
    return e == ERR_OK ? find_changes(t) : e;
}

static bool choose_release(struct csv_table *t, struct harvest *h)
{
    t->path = t->release.path;
    return csv_release_choose(t->config->path, &t->done, &t->release, h);
}

// Sets t->changes when the file has to be, and could be, read.
static enum err look(struct csv_table *t, struct harvest *h)
{
    struct stat st;
    bool whole = false;
    if (t->config->releases && !choose_release(t, h))
        return ERR_OK;
    if (stat(t->path, &st) != 0) {
        harvest_error(h, "%s: %s", t->path, strerror(errno));
        return ERR_OK;
    }
    if (!has_changed(t, &st, &whole))
        return ERR_OK;
    forget_reading(t);
    t->file.path = t->path;
    if (t->config->releases)
        t->published_us = csv_release_published_us(&t->release.release);
    if (!csv_file_open(&t->file, h))
        return ERR_OK;
    if (fstat(t->file.fd, &st) != 0)
        return ERR_OK;
    print_of(t, &st, &t->print);
    enum err e = read_table(t, whole, h);
    if (is_young(t, &st.st_ctim)) // written again in the same tick of the kernel's clock it looks the same
        t->print.size = -1;
    if (e != ERR_OK)
        forget_reading(t);
    return e;
}

// ---- giving

static enum err give_change(struct csv_table *t, const struct csv_cell *c, struct harvest *h)
{
    bool gone = c->seen != CSV_SEEN_VALUE;
    struct harvest_sample sample = {.series = c->series,
                                    .time = c->day,
                                    .value = gone ? figure_missing() : c->value,
                                    .reason = gone ? GONE_REASON : NULL,
                                    .published_us = c->published_us};
    if (gone && sample.published_us == 0)
        sample.published_us = t->published_us;
    return reported_add(&t->config->series[c->series], &sample, t->path, h);
}

// A release whose last line has no end is not done: it is read once more.
static enum err give_release(const struct csv_table *t, struct harvest *h)
{
    char text[CSV_RELEASE_BYTES];
    if (t->partial)
        return ERR_OK;
    h->more = t->release.more;
    return harvest_position(h, RELEASE_KEY, text, csv_release_encode(&t->release.release, text));
}

static enum err give(struct csv_table *t, size_t max, struct harvest *h)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && t->change_next < t->change_count && h->count < max)
        e = give_change(t, &t->changes[t->change_next++], h);
    h->more = t->change_next < t->change_count;
    if (e == ERR_OK && !h->more && !same_print(&t->print, &t->spooled))
        e = harvest_position(h, PRINT_KEY, &t->print, sizeof t->print);
    return e == ERR_OK && !h->more && t->config->releases ? give_release(t, h) : e;
}

enum err csv_table_take(struct csv_table *t, size_t max_samples, struct harvest *h)
{
    enum err e = load(t);
    if (e == ERR_OK && !t->changes)
        e = look(t, h);
    if (e == ERR_OK && t->changes)
        e = give(t, max_samples, h);
    return e;
}

void csv_table_settled(struct csv_table *t, bool spooled)
{
    if (!t->changes)
        return;
    if (spooled && t->change_next < t->change_count)
        return;
    if (spooled)
        t->spooled = t->print;
    if (spooled && t->config->releases && !t->partial)
        t->done = t->release.release;
    forget_reading(t);
}
