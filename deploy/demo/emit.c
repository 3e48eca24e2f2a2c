// Files only grow: a second run of the demo adds the rows since the first, as an enterprise's export would.
// Each file is appended with one write, so the agent never sees half a row that we could avoid.
#include "deploy/demo/emit.h"
#include "base/buf.h"
#include "base/fs.h"
#include "kpi/series.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX_BYTES (256u << 20)

struct table { // one CSV file
    const char *file;
    const char *time_column;
    enum period_kind period; // PERIOD_NONE: machine
};
static const struct table tables[] = {{"daily.csv", "day", PERIOD_DAY},
                                      {"monthly.csv", "month", PERIOD_MONTH},
                                      {"machine.csv", "time", PERIOD_NONE}};

static bool in_table(const struct table *t, const struct profile_series *s)
{
    return s->model != MODEL_PUBLISHED && s->period == t->period;
}

static uint32_t table_step(const struct world *w, const struct table *t)
{
    const struct profile_resident *r = world_resident(w);
    for (uint32_t i = 0; i < r->series_count; i++) {
        if (in_table(t, &r->series[i])) {
            return t->period == PERIOD_NONE ? r->series[i].step_s : 1;
        }
    }
    return 0; // the resident has no such series
}

static void time_text(const struct table *t, int64_t time, char out[32])
{
    if (t->period == PERIOD_NONE) {
        snprintf(out, 32, "%" PRId64, time);
    } else {
        period_text((struct period){t->period, (int32_t)time}, out);
    }
}

// The last time in the file; *there false when it has no row yet. The file is read as its reader would read
// it.
static enum err last_time(const struct table *t, const char *path, bool *there, int64_t *last, struct diag *d)
{
    char *text = NULL;
    size_t len = 0;
    *there = false;
    enum err e = fs_read_file(path, FILE_MAX_BYTES, &text, &len, d);
    if (e == ERR_NOT_FOUND) {
        return ERR_OK;
    }
    if (e != ERR_OK) {
        return e;
    }
    if (len > 0 && text[len - 1] == '\n') {
        text[len - 1] = '\0';
        char *line = strrchr(text, '\n');
        struct period p;
        char *end = line ? strchr(line, ',') : NULL;
        if (end) {
            *end = '\0';
            *there = t->period == PERIOD_NONE || period_parse(line + 1, &p) == ERR_OK;
            *last = t->period == PERIOD_NONE ? strtoll(line + 1, NULL, 10) : *there ? p.start : 0;
        }
    }
    free(text);
    return ERR_OK;
}

static enum err append_to_file(const char *path, const struct buf *b, struct diag *d)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0) {
        return diag_errno(d, errno, "open %s", path);
    }
    enum err e = ERR_OK;
    for (size_t done = 0; done < b->len && e == ERR_OK;) {
        ssize_t n = write(fd, b->data + done, b->len - done);
        if (n < 0 && errno != EINTR) {
            e = diag_errno(d, errno, "write %s", path);
        }
        done += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return e;
}

static void add_header(const struct world *w, const struct table *t, struct buf *b)
{
    const struct profile_resident *r = world_resident(w);
    (void)buf_text(b, t->time_column);
    for (uint32_t i = 0; i < r->series_count; i++) {
        char name[SERIES_NAME_MAX + 1];
        profile_series_text(&r->series[i], name);
        if (in_table(t, &r->series[i])) {
            (void)buf_printf(b, ",%s", name);
        }
    }
    (void)buf_text(b, "\n");
}

static uint64_t add_row(struct world *w, const struct table *t, int64_t time, struct buf *b)
{
    const struct profile_resident *r = world_resident(w);
    uint64_t figures = 0;
    char text[FIGURE_TEXT];
    time_text(t, time, text);
    (void)buf_text(b, text);
    for (uint32_t i = 0; i < r->series_count; i++) {
        const struct profile_series *s = &r->series[i];
        if (!in_table(t, s)) {
            continue;
        }
        struct figure f = world_figure(w, s, time);
        figure_text_scaled(f, profile_decimals(s), text);
        (void)buf_printf(b, ",%s", text);
        figures += f.kind != FIGURE_MISSING;
    }
    (void)buf_text(b, "\n");
    return figures;
}

// The first time of a table, and the end: the first one that is not over yet.
static void table_range(struct world *w, const struct table *t, uint32_t step, const struct history *h,
                        int64_t *first, int64_t *end)
{
    if (t->period == PERIOD_NONE) {
        *first = (h->started_s - (int64_t)h->machine_hours * 3600) / step * step;
        *end = h->to_s / step * step + step;
        return;
    }
    struct period p = period_containing(PERIOD_MONTH, world_local_day(w, h->started_s));
    for (int i = 0; i < h->report_months; i++) {
        p = period_previous(p);
    }
    *first = p.start;
    *end = period_containing(t->period, world_local_day(w, h->to_s)).start;
}

static enum err write_table(struct world *w, const struct table *t, const struct history *h,
                            uint64_t *figures, struct diag *d)
{
    uint32_t step = table_step(w, t);
    char path[512];
    if (step == 0) {
        return ERR_OK;
    }
    enum err e = fs_join(path, sizeof path, h->dir, t->file);
    int64_t at = 0, end = 0, last = 0;
    bool there = false;
    if (e == ERR_OK) {
        e = last_time(t, path, &there, &last, d);
    }
    if (e != ERR_OK) {
        return e;
    }
    table_range(w, t, step, h, &at, &end);
    last = there ? last : at - 1;
    if (t->period == PERIOD_NONE && last < h->after_s) {
        last = h->after_s;
    }
    struct buf b;
    buf_init(&b, FILE_MAX_BYTES);
    if (!there) {
        add_header(w, t, &b);
    }
    while (at < end) {
        bool silent = t->period == PERIOD_NONE && world_silent(w, at);
        if (at > last && !silent) {
            *figures += add_row(w, t, at, &b);
        }
        at = t->period == PERIOD_NONE ? at + step : period_end((struct period){t->period, (int32_t)at});
    }
    e = b.failed != ERR_OK ? diag_fail(d, b.failed, "%s would be too large", path)
                           : append_to_file(path, &b, d);
    buf_deinit(&b);
    return e;
}

enum err emit_history(struct world *w, const struct history *h, uint64_t *figures, struct diag *d)
{
    *figures = 0;
    enum err e = fs_make_dirs(h->dir, 0750, d);
    for (size_t i = 0; i < sizeof tables / sizeof *tables && e == ERR_OK; i++) {
        e = write_table(w, &tables[i], h, figures, d);
    }
    return e;
}

void emit_machine(struct world *w, int64_t from_s, int64_t to_s, FILE *out)
{
    const struct profile_resident *r = world_resident(w);
    for (int64_t t = from_s + 1; t <= to_s; t++) {
        for (uint32_t i = 0; i < r->series_count; i++) {
            const struct profile_series *s = &r->series[i];
            if (s->step_s == 0 || t % s->step_s != 0) {
                continue;
            }
            char name[SERIES_NAME_MAX + 1], text[FIGURE_TEXT];
            profile_series_text(s, name);
            figure_text_scaled(world_figure(w, s, t), profile_decimals(s), text);
            if (text[0]) {
                fprintf(out, "%s %s %" PRId64 "\n", name, text, t);
            }
        }
    }
}

static const struct profile_series *find_series(const struct world *w, const char *name)
{
    const struct profile_resident *r = world_resident(w);
    for (uint32_t i = 0; i < r->series_count; i++) {
        char text[SERIES_NAME_MAX + 1];
        profile_series_text(&r->series[i], text);
        if (strcmp(text, name) == 0) {
            return &r->series[i];
        }
    }
    return NULL;
}

enum err emit_expected(struct world *w, const char *series, int64_t from, int64_t to, FILE *out,
                       struct diag *d)
{
    const struct profile_series *s = find_series(w, series);
    if (!s || s->model == MODEL_PUBLISHED) {
        return diag_fail(d, ERR_NOT_FOUND, "no simulated series '%s'", series);
    }
    struct table t = {.period = s->period};
    int64_t step = s->step_s;
    int64_t at = step ? from / step * step : period_containing(s->period, (int32_t)from).start;
    while (at < to) {
        char when[32], text[FIGURE_TEXT];
        struct figure f = world_figure(w, s, at);
        if (f.kind != FIGURE_MISSING && at >= from) {
            time_text(&t, at, when);
            figure_text_scaled(f, profile_decimals(s), text);
            fprintf(out, "%s %s\n", when, text);
        }
        at = step ? at + step : period_end((struct period){s->period, (int32_t)at});
    }
    return ERR_OK;
}

static void config_series(const struct profile_series *s, const char *name_key, FILE *out)
{
    char name[SERIES_NAME_MAX + 1];
    profile_series_text(s, name);
    fprintf(out, "      - {%s: \"%s\", kpi: %s", name_key, s->column ? s->column : name, s->kpi);
    if (s->dimension) {
        fprintf(out, ", dimension: %s", s->dimension);
    }
    fprintf(out, ", unit: \"%s\"", s->unit);
    if (s->currency) {
        fprintf(out, ", currency: %s", s->currency);
    }
    if (s->step_s) {
        fprintf(out, ", step: %" PRIu32 "s}\n", s->step_s);
    } else {
        fprintf(out, ", period: %s}\n", period_kind_name(s->period));
    }
}

static void config_csv(const struct world *w, const struct table *t, const char *name, const char *path,
                       FILE *out)
{
    const struct profile_resident *r = world_resident(w);
    fprintf(
        out,
        "  - name: %s\n    kind: csv\n    path: \"%s\"\n    every: 2s\n    class: %s\n    time_column: %s\n"
        "    series:\n",
        name, path, t->period == PERIOD_NONE ? "measurement" : "report", t->time_column);
    for (uint32_t i = 0; i < r->series_count; i++) {
        if (r->series[i].period == t->period) {
            config_series(&r->series[i], "column", out);
        }
    }
}

static void config_live(const struct world *w, const struct agent_setup *a, uint32_t step, FILE *out)
{
    const struct profile_resident *r = world_resident(w);
    fprintf(out,
            "  - name: live\n    kind: exec\n    command: [\"%s\", \"live\", \"%s\", \"--profile\", \"%s\", "
            "\"--gate\", "
            "\"%s\"]\n    every: %" PRIu32 "s\n    timeout: 5s\n    class: measurement\n    series:\n",
            a->program, a->name, a->profile, a->gate, step);
    for (uint32_t i = 0; i < r->series_count; i++) {
        if (r->series[i].step_s) {
            config_series(&r->series[i], "name", out);
        }
    }
}

static void config_published(const struct world *w, const struct agent_setup *a, FILE *out)
{
    const struct table month = {.time_column = "month", .period = PERIOD_MONTH};
    const char *slash = strrchr(a->profile, '/');
    char path[512];
    snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - a->profile) + 1 : 0, a->profile,
             world_resident(w)->published);
    config_csv(w, &month, "published", path, out);
}

void emit_agent_config(const struct world *w, const struct agent_setup *a, FILE *out)
{
    fprintf(out, "# %s: written by the demo, again at each start\n", a->name);
    fprintf(out, "collector:\n  endpoint: %s\n  key: \"%s\"\nstate: \"%s\"\nsources:\n", a->endpoint, a->key,
            a->state);
    if (world_resident(w)->published) {
        config_published(w, a, out);
        return;
    }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        uint32_t step = table_step(w, &tables[i]);
        char path[512], name[16];
        if (step == 0 || fs_join(path, sizeof path, a->dir, tables[i].file) != ERR_OK) {
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)strcspn(tables[i].file, "."), tables[i].file);
        config_csv(w, &tables[i], name, path, out);
        if (tables[i].period == PERIOD_NONE) {
            config_live(w, a, step, out);
        }
    }
}
