// Everything a worker gets is made here from validated parts. The cache's key covers the file's own header
// (librrd writes the time of the last update there), its identity and the whole request, so a stale image
// cannot be served; times relative to now are rounded up to what one pixel shows, so that a page opened twice
// finds its graphs.

#include "dashboards/graph.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "dashboards/as_of.h"
#include "dashboards/computed.h"
#include "dashboards/i18n.h"
#include "dashboards/money.h"
#include "dashboards/params.h"
#include "dashboards/plan.h"
#include "dashboards/render_message.h"
#include "store/rrd.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 4096

struct format {
    const char *ending, *content_type;
    enum rrd_graph_format format;
};
static const struct format formats[] = {{"png", "image/png", RRD_GRAPH_PNG},
                                        {"svg", "image/svg+xml", RRD_GRAPH_SVG},
                                        {"pdf", "application/pdf", RRD_GRAPH_PDF}};

// Takes the ending off the last part; NULL when it is none of ours.
static const struct format *split_ending(char *part)
{
    char *dot = strrchr(part, '.');
    for (size_t i = 0; dot && i < sizeof formats / sizeof *formats; i++) {
        if (strcmp(dot + 1, formats[i].ending) == 0) {
            *dot = '\0';
            return &formats[i];
        }
    }
    return NULL;
}

bool graph_is_hourly(const struct board_row *r)
{
    return r->series.class == WIRE_MEASUREMENT && board_is_flow(r) && r->series.step_s > 0;
}

double graph_scale(const struct board_row *r)
{
    double scale = graph_is_hourly(r) ? 3600.0 / r->series.step_s : 1;
    for (int i = measure_decimals(&r->measure); i > 0; i--)
        scale /= 10;
    return scale;
}

void graph_unit(char out[SHOW_TEXT], const struct board_row *r, enum lang lang)
{
    char unit[SHOW_TEXT], filled[I18N_MAX];
    show_unit(unit, &r->measure, lang);
    i18n_fill(filled, lang, T_PER_HOUR, unit, NULL, NULL);
    snprintf(out, SHOW_TEXT, "%.*s", SHOW_TEXT - 1, graph_is_hourly(r) ? filled : unit);
}

// Cut, where too long, between characters.
static void set_text(char out[RENDER_TEXT_MAX], const char *text)
{
    size_t n = strnlen(text, RENDER_TEXT_MAX - 1);
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(out, text, n);
    out[n] = '\0';
}

// Copies all it needs of the park.
static void set_target(const struct board_row *r, enum lang lang, struct render_job *job)
{
    char filled[I18N_MAX];
    const struct statement *st;
    double target = 0;
    bool pro_rata;
    job->plan_count = (uint16_t)graph_path(r, &st, job->plan, &pro_rata);
    job->has_target = job->plan_count > 0 || graph_target(r, &st, &target, &pro_rata);
    if (!job->has_target)
        return;
    job->target = target;
    i18n_fill(filled, lang, T_PRO_RATA, st->names.text[lang], NULL, NULL);
    set_text(job->target_legend, pro_rata ? filled : st->names.text[lang]);
}

static void set_texts(const struct board_row *r, enum lang lang, struct render_job *job)
{
    char title[SHOW_TEXT], all[2 * SHOW_TEXT], unit[SHOW_TEXT];
    board_title(title, r, lang);
    set_text(job->legend, title);
    snprintf(all, sizeof all, "%s \xe2\x80\x93 %s", board_owner(r, lang), title);
    set_text(job->title, all);
    graph_unit(unit, r, lang);
    set_text(job->unit, unit);
    static const enum text words[] = {T_WORD_THOUSAND, T_WORD_MILLION, T_WORD_BILLION};
    for (int i = 0; i < 3; i++)
        snprintf(job->magnitudes[i], RENDER_WORD_MAX, "%s", i18n_text(lang, words[i]));
    if (r->simulated)
        set_text(job->note, i18n_text(lang, T_NOTE_SIMULATED));
    set_text(job->time_zone, r->series.class == WIRE_REPORT || !r->park ? "UTC" : r->park->time_zone);
}

static enum err set_range(struct site *s, struct exchange *x, const struct board_row *r,
                          struct render_job *job)
{
    bool report = r->series.class == WIRE_REPORT;
    const struct zone *z = report || !r->park ? NULL : site_zone(s, r->park);
    int64_t now = site_now_us(s) / US_PER_S, step = report ? 86400 : r->series.step_s, end = now;
    if (report && r->has_latest && board_latest_end_s(r) < now)
        end = board_latest_end_s(r);
    job->to = end;
    job->from = end - (report ? 2 * 365 : 1) * INT64_C(86400);
    if (params_time(x, "from", now, z, &job->from) || params_time(x, "to", now, z, &job->to))
        return ERR_INVALID;
    if (job->from >= job->to)
        return exchange_fail_param(x, "from",
                                   "must be before `to` (by default now, or the end of the newest report)");
    int64_t pixel = (job->to - job->from) / job->width, quantum = pixel > step ? pixel : step;
    job->to = (job->to + quantum - 1) / quantum * quantum;
    job->from = job->from / quantum * quantum;
    return ERR_OK;
}

// What was known is said on the image itself: pictures get separated from their pages.
static void say_as_of(struct site *s, const struct board_row *r, enum lang lang, const struct as_of *a,
                      struct render_job *job)
{
    char when[SHOW_TEXT], said[I18N_MAX], all[I18N_MAX + RENDER_TEXT_MAX + 8];
    const struct zone *z = r->park ? site_zone(s, r->park) : NULL;
    show_moment(when, (a->us ? a->us : site_now_us(s)) / US_PER_S, z);
    i18n_fill(said, lang, a->by_published ? T_AS_PUBLISHED_BY : T_AS_KNOWN_BY, when, NULL, NULL);
    snprintf(all, sizeof all, "%s%s%s", said, *job->note ? " · " : "", job->note);
    set_text(job->note, all);
}

// The figures of then beside the plan of then.
static enum err set_as_of(struct site *s, struct exchange *x, const struct readers *store,
                          const struct board_row *r, enum lang lang, struct render_job *job)
{
    struct as_of a;
    struct board_row then;
    struct park *owned = NULL;
    struct diag d = {""};
    const struct zone *z = r->park ? site_zone(s, r->park) : NULL;
    enum err e = as_of_parse(x, site_now_us(s) / US_PER_S, z, &a);
    if (e)
        return e;
    if (a.asked && r->series.class != WIRE_REPORT)
        return exchange_fail_param(x, exchange_param(x, "as_of") ? "as_of" : "by",
                                   "%s is measured: only reports have revisions", r->series.name);
    job->vintage = a.asked;
    job->by_published = a.by_published;
    job->as_of_us = a.us;
    if (a.asked)
        say_as_of(s, r, lang, &a, job);
    if ((e = plan_row(s, store, r, &a, &then, &owned, &d)) != ERR_OK)
        return exchange_fail_err(x, e, d.text);
    set_target(&then, lang, job);
    park_free(owned);
    return ERR_OK;
}

// Like what was known then, it is drawn from exact points, and the image itself says so.
static void set_money(const struct readers *store, const struct board_row *r, enum lang lang,
                      struct render_job *job)
{
    char said[I18N_MAX], all[I18N_MAX + RENDER_TEXT_MAX + 8];
    uint64_t position = 0;
    job->vintage = true;
    job->flow = board_is_flow(r);
    snprintf(job->currency, sizeof job->currency, "%s", r->measure.currency_code);
    snprintf(job->park_currency, sizeof job->park_currency, "%s", r->park ? r->park->currency : "");
    if (observations_rates_position(store->observations, &position, NULL) == ERR_OK)
        job->rates_position = (int64_t)position;
    i18n_fill(said, lang, T_CONVERTED, r->measure.currency_code, NULL, NULL);
    snprintf(all, sizeof all, "%s%s%s", said, *job->note ? " · " : "", job->note);
    set_text(job->note, all);
}

static enum err make_job(struct site *s, struct exchange *x, const struct readers *store,
                         const struct board_row *r, const struct format *f, struct render_job *job)
{
    static const char *const themes[] = {"light", "dark", NULL};
    static const char *const bares[] = {"0", "1", NULL};
    static const char *const codes[] = {"en", "ru", "kk", "uz", "ky", NULL};
    int64_t width = 800, height = 240;
    size_t theme = 0, lang = LANG_EN, bare = 0;
    memset(job, 0, sizeof *job);
    if (params_integer(x, "width", 100, 2400, &width) || params_integer(x, "height", 40, 1200, &height) ||
        params_choice(x, "theme", themes, &theme) || params_choice(x, "bare", bares, &bare) ||
        params_choice(x, "lang", codes, &lang))
        return ERR_INVALID;
    job->series_id = r->series.series_id;
    job->format = f->format;
    job->width = (int32_t)width;
    job->height = (int32_t)height;
    job->dark = theme == 1;
    job->filled = board_is_flow(r);
    job->scale = graph_scale(r);
    job->from_zero = board_is_flow(r);
    job->bare = bare == 1;
    set_texts(r, (enum lang)lang, job);
    return set_as_of(s, x, store, r, (enum lang)lang, job) ? ERR_INVALID : set_range(s, x, r, job);
}

static enum err digest_request(const struct render_job *job, const struct hash_part file[2],
                               uint8_t key[HASH_BYTES])
{
    struct buf request;
    buf_init(&request, RENDER_REQUEST_MAX);
    enum err e = render_job_encode(job, &request);
    if (e == ERR_OK)
        crypto_digest((const struct hash_part[]){file[0], file[1], {request.data, request.len}}, 3, key);
    buf_deinit(&request);
    return e;
}

// What an image depends on: the file's identity and header, and the request; a total's request has all its
// points in it.
static enum err make_key(struct site *s, const struct render_job *job, uint8_t key[HASH_BYTES],
                         struct diag *d)
{
    char path[RRD_PATH_MAX], header[HEADER_BYTES];
    struct stat st = {0};
    if (job->computed)
        return digest_request(job, (const struct hash_part[]){{"", 0}, {"", 0}}, key);
    enum err e = rrd_path(s->config->state, job->series_id, path);
    if (e)
        return e;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : pread(fd, header, sizeof header, 0);
    bool ok = n >= 0 && fstat(fd, &st) == 0;
    if (fd >= 0)
        close(fd);
    if (!ok)
        return diag_fail(d, ERR_NOT_FOUND, "%s", path);
    int64_t identity[4] = {(int64_t)st.st_ino, (int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
                           (int64_t)st.st_mtim.tv_nsec};
    return digest_request(job, (const struct hash_part[]){{header, (size_t)n}, {identity, sizeof identity}},
                          key);
}

static void send_drawn(struct site *s, struct exchange *x, const struct render_job *job,
                       const uint8_t key[HASH_BYTES])
{
    char *bytes;
    size_t len;
    struct diag d = {""};
    x->blob = cache_find(s->cache, key);
    if (!x->blob) {
        enum err e = s->render ? render_draw(s->render, job, &bytes, &len, &d)
                               : diag_fail(&d, ERR_CLOSED, "no graph workers are running");
        metrics_add(s->metrics, e ? METRIC_GRAPHS_FAILED : METRIC_GRAPHS_DRAWN, 1);
        if (e) {
            exchange_fail_err(x, e == ERR_INVALID ? ERR_INTERNAL : e, d.text);
            return;
        }
        x->blob = blob_create(bytes, len);
        if (!x->blob) {
            exchange_fail_err(x, ERR_NOMEM, NULL);
            return;
        }
        cache_put(s->cache, key, x->blob);
    }
    x->status = 200;
}

// The row as if it were of the currency asked for. A measured one's file is in its own.
static enum err choose_money(struct exchange *x, struct board_row *r, bool *converted)
{
    const struct currency *to = NULL;
    if (money_choose(x, r, &to))
        return ERR_INVALID;
    *converted = to && strcmp(to->code, r->series.currency) != 0;
    if (*converted && r->series.class != WIRE_REPORT)
        return exchange_fail_param(
            x, "currency", "%s is measured: only reports are drawn in another currency", r->series.name);
    if (to) {
        const struct money m = {.to = to};
        money_measure(&m, r);
    }
    return ERR_OK;
}

// A total's points, exact, in the order of time; what is missing is there too, as a hole in the line.
static enum err put_points(struct site *s, const struct readers *store, const struct board_row *r,
                           struct render_job *job, struct buf *out, struct diag *d)
{
    const struct as_of as_of = {
        .asked = job->vintage, .by_published = job->by_published, .us = job->as_of_us};
    struct computed c = {0};
    int32_t from = (int32_t)(job->from / 86400) - 366, to = (int32_t)((job->to + 86399) / 86400);
    enum err e = computed_read(s, store, r, computed_native(r), from < 0 ? 0 : from, to, &as_of,
                               *r->measure.currency_code ? r->measure.currency : NULL, &c, d);
    for (size_t i = 0; i < c.count; i++)
        render_point_put(out, c.spans[i].first, figure_to_real(c.figures[i].value));
    job->computed = true;
    job->period = (uint8_t)r->series.period;
    job->point_count = c.count;
    job->points = (const uint8_t *)out->data;
    computed_free(&c);
    return e ? e : out->failed;
}

static void respond(struct site *s, struct exchange *x, const struct readers *store, struct board_row *r,
                    const struct format *f)
{
    struct render_job job;
    uint8_t key[HASH_BYTES];
    struct diag d = {""};
    bool converted = false;
    size_t lang = LANG_EN;
    enum err e = ERR_OK;
    struct buf points;
    static const char *const codes[] = {"en", "ru", "kk", "uz", "ky", NULL};
    if (choose_money(x, r, &converted) || make_job(s, x, store, r, f, &job) ||
        params_choice(x, "lang", codes, &lang))
        return;
    if (converted)
        set_money(store, r, (enum lang)lang, &job);
    buf_init(&points, RENDER_POINTS_MAX * RENDER_POINT_BYTES);
    if (r->computed)
        e = put_points(s, store, r, &job, &points, &d);
    if (e == ERR_OK)
        e = make_key(s, &job, key, &d);
    if (e == ERR_NOT_FOUND)
        exchange_fail(x, 404, "this series has no round-robin file yet: its first figures have not landed");
    else if (e)
        exchange_fail_err(x, e, d.text);
    else {
        x->content_type = f->content_type;
        x->drawing = f->format == RRD_GRAPH_SVG;
        x->cache_control = "no-cache";
        if (!exchange_fresh(x, key, sizeof key))
            send_drawn(s, x, &job, key);
    }
    buf_deinit(&points);
}

void graph_image(struct site *s, struct exchange *x)
{
    char name[SERIES_NAME_MAX + 1], last[EXCHANGE_PART_MAX];
    struct series_name parsed;
    struct readers store = {0};
    struct board_row row;
    struct diag d = {""};
    int64_t version;
    snprintf(last, sizeof last, "%s", x->parts[x->part_count - 1]);
    const struct format *f = split_ending(last);
    if (!f) {
        exchange_fail(x, 404, "a graph's address ends in .png, .svg or .pdf");
        return;
    }
    if (params_integer(x, "v", 0, 999999999999, &version))
        return;
    int n = x->part_count == 3
                ? snprintf(name, sizeof name, "%s/%s/%s", x->parts[0], x->parts[1], last)
                : snprintf(name, sizeof name, "%s/%s/%s/%s", x->parts[0], x->parts[1], x->parts[2], last);
    if (n >= (int)sizeof name || series_parse(name, &parsed)) {
        exchange_fail(x, 404, "'%.200s' is not a series' name", name);
        return;
    }
    flush_now(s->flush);
    enum err e = site_store(s, &x->viewer, &store, &d);
    if (!e)
        e = board_load_one(s, &store, name, &row, &d);
    if (e == ERR_NOT_FOUND && store.viewer)
        e = computed_load_one(s, &store, name, &row, &d);
    if (e == ERR_NOT_FOUND)
        exchange_fail(x, 404, "%s: no such series", name);
    else if (e)
        exchange_fail_err(x, e, d.text);
    else
        respond(s, x, &store, &row, f);
}
