// One graph is one rrd_graph_v call whose argv is built here from numbers and escaped texts. Steps are drawn
// as steps (no slopes) and unknown values as holes: the picture claims no more than the file holds. Printed
// numbers (the summary) come from the caller as text, exact; librrd formats only the axis. Colours: a blue
// of 5.2:1 on white for the data, a dark orange of 4.6:1, dashed as well, for the target; greys for the rest;
// on the dark ground light ones of more than 7:1.
#include "store/rrd_graph.h"
#include "store/rrd.h"
#include "store/rrd_lock.h"
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <rrd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ARGS_MAX 96
#define TEXT_MAX 1024

static const char *const STYLE[] = {
    "--border",
    "0",
    "--grid-dash",
    "1:0",
    "--font",
    "DEFAULT:9:DejaVu Sans",
    "--font",
    "TITLE:12:DejaVu Sans Bold",
    "--font",
    "AXIS:8:DejaVu Sans",
    "--font",
    "UNIT:9:DejaVu Sans",
    "--font",
    "LEGEND:9:DejaVu Sans",
    "--disable-rrdtool-tag",
    "--tabwidth",
    "20",
};

static const struct palette {
    const char *line, *area, *goal;
    const char *frame[10];
} LIGHT = {"#2563EB",
           "#2563EB2E",
           "#B45309",
           {"BACK#FFFFFF", "CANVAS#FFFFFF", "SHADEA#FFFFFF", "SHADEB#FFFFFF", "GRID#EEF0F3", "MGRID#D9DDE3",
            "FONT#1F2937", "AXIS#9CA3AF", "FRAME#9CA3AF", "ARROW#FFFFFF00"}},
  DARK = {"#7DB1FF",
          "#7DB1FF33",
          "#F5A524",
          {"BACK#161D27", "CANVAS#161D27", "SHADEA#161D27", "SHADEB#161D27", "GRID#232C39", "MGRID#364253",
           "FONT#DCE3EC", "AXIS#74839A", "FRAME#74839A", "ARROW#161D2700"}};

struct args {
    char *argv[ARGS_MAX + 1];
    int count;
    enum err failed;
};

static void push(struct args *a, const char *fmt, ...) PRINTF(2, 3);
static void push(struct args *a, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list list;
    va_start(list, fmt);
    int len = vsnprintf(text, sizeof text, fmt, list);
    va_end(list);
    if (len < 0 || (size_t)len >= sizeof text || a->count == ARGS_MAX) {
        a->failed = ERR_TOO_BIG;
        return;
    }
    char *copy = strdup(text);
    if (!copy)
        a->failed = ERR_NOMEM;
    else
        a->argv[a->count++] = copy;
}

static void free_args(struct args *a)
{
    for (int i = 0; i < a->count; i++)
        free(a->argv[i]);
}

// Texts in options of their own: nothing is special there but control characters.
static void plain(const char *text, char out[TEXT_MAX])
{
    size_t n = 0;
    for (const char *c = text ? text : ""; *c && n + 1 < TEXT_MAX; c++)
        out[n++] = (unsigned char)*c < ' ' ? ' ' : *c;
    out[n] = '\0';
}

// Texts inside LINE and COMMENT: ':' ends a field unless escaped; a backslash begins an alignment code and
// cannot be escaped, so a set minus, which looks the same, stands in for it.
static void escaped(const char *text, char out[TEXT_MAX])
{
    static const char set_minus[] = "\xe2\x88\x96";
    size_t n = 0;
    for (const char *c = text ? text : ""; *c && n + sizeof set_minus < TEXT_MAX; c++) {
        if (*c == '\\') {
            memcpy(out + n, set_minus, sizeof set_minus - 1);
            n += sizeof set_minus - 1;
            continue;
        }
        if (*c == ':')
            out[n++] = '\\';
        out[n++] = (unsigned char)*c < ' ' ? ' ' : *c;
    }
    out[n] = '\0';
}

static bool has_text(const char *text)
{
    return text && text[0];
}

// ---- what is drawn
// --------------------------------------------------------------------------------------------------

struct range {
    double scale;
    double highest; // of the drawn values, without sign
};

static enum err widen(void *ctx, int64_t time, double value)
{
    struct range *r = ctx;
    (void)time;
    if (!isnan(value) && fabs(value * r->scale) > r->highest)
        r->highest = fabs(value * r->scale);
    return ERR_OK;
}

// How many zeros the axis leaves out, so that its labels stay short without SI letters that nobody reads on
// money.
static enum err find_zeros(const struct rrd_graph *g, int *zeros, struct diag *d)
{
    struct range r = {.scale = g->scale,
                      .highest = g->has_target && !has_text(g->plan) ? fabs(g->target) : 0};
    struct range plan = {.scale = 1};
    int64_t step = (g->to - g->from) / g->width;
    uint32_t wanted = step < 1 ? 1 : step > 86400 ? 86400 : (uint32_t)step;
    enum err e = rrd_file_fetch(g->path, "AVERAGE", g->from, g->to, &wanted, widen, &r, d);
    wanted = 1;
    if (e == ERR_OK && has_text(g->plan))
        e = rrd_file_fetch(g->plan, "AVERAGE", g->from, g->to, &wanted, widen, &plan, d);
    if (e != ERR_OK)
        return e;
    if (plan.highest > r.highest)
        r.highest = plan.highest;
    *zeros = r.highest >= 2e9 ? 9 : r.highest >= 2e6 ? 6 : r.highest >= 1e5 ? 3 : 0;
    return ERR_OK;
}

static const char *magnitude(const struct rrd_graph *g, int zeros)
{
    static const char *const english[] = {"thousand", "million", "billion"};
    int i = zeros / 3 - 1;
    return has_text(g->magnitudes[i]) ? g->magnitudes[i] : english[i];
}

// Labels of digits only, the same in every language: hours, days, months or years, as many as have room.
static void push_time_grid(struct args *a, const struct rrd_graph *g)
{
    static const struct {
        int64_t label_s; // from one label to the next
        int pixels;      // a label and the room beside it
        const char *grid;
    } grids[] = {
        {300, 52, "MINUTE:1:MINUTE:5:MINUTE:5:0:%H:%M"},
        {900, 52, "MINUTE:5:MINUTE:15:MINUTE:15:0:%H:%M"},
        {3600, 52, "MINUTE:15:HOUR:1:HOUR:1:0:%H:%M"},
        {7200, 52, "MINUTE:30:HOUR:2:HOUR:2:0:%H:%M"},
        {14400, 52, "HOUR:1:HOUR:4:HOUR:4:0:%H:%M"},
        {21600, 100, "HOUR:2:HOUR:6:HOUR:6:0:%m-%d %H:%M"},
        {43200, 100, "HOUR:6:HOUR:12:HOUR:12:0:%m-%d %H:%M"},
        {86400, 56, "HOUR:12:DAY:1:DAY:1:0:%m-%d"},
        {172800, 56, "DAY:1:DAY:2:DAY:2:0:%m-%d"},
        {604800, 56, "DAY:1:WEEK:1:WEEK:1:0:%m-%d"},
        {1209600, 56, "DAY:2:WEEK:2:WEEK:2:0:%m-%d"},
        {2678400, 66, "WEEK:1:MONTH:1:MONTH:1:0:%Y-%m"},
        {5356800, 66, "MONTH:1:MONTH:2:MONTH:2:0:%Y-%m"},
        {8035200, 66, "MONTH:1:MONTH:3:MONTH:3:0:%Y-%m"},
        {16070400, 66, "MONTH:1:MONTH:6:MONTH:6:0:%Y-%m"},
        {31622400, 48, "MONTH:3:YEAR:1:YEAR:1:0:%Y"},
        {63244800, 48, "MONTH:6:YEAR:2:YEAR:2:0:%Y"},
        {158112000, 48, "YEAR:1:YEAR:5:YEAR:5:0:%Y"},
        {316224000, 48, "YEAR:2:YEAR:10:YEAR:10:0:%Y"},
    };
    size_t i = 0;
    double pixel_s = (double)(g->to - g->from) / g->width;
    while (i + 1 < sizeof grids / sizeof grids[0] && (double)grids[i].label_s < pixel_s * grids[i].pixels)
        i++;
    push(a, "--x-grid");
    push(a, "%s", grids[i].grid);
}

static void push_frame(struct args *a, const struct rrd_graph *g, int zeros)
{
    static const char *const formats[] = {
        [RRD_GRAPH_PNG] = "PNG", [RRD_GRAPH_SVG] = "SVG", [RRD_GRAPH_PDF] = "PDF"};
    char text[TEXT_MAX];
    push(a, "graphv");
    push(a, "-");
    push(a, "--imgformat");
    push(a, "%s", formats[g->format]);
    push(a, "--start");
    push(a, "%" PRId64, g->from);
    push(a, "--end");
    push(a, "%" PRId64, g->to);
    push(a, "--width");
    push(a, "%d", g->width);
    push(a, "--height");
    push(a, "%d", g->height);
    if (!g->bare) {
        push(a, "--title");
        plain(g->title, text);
        push(a, "%s", text);
    }
    push(a, "--vertical-label");
    plain(g->unit, text);
    if (zeros > 0)
        push(a, "%s%s%s", text, text[0] ? ", " : "", magnitude(g, zeros));
    else
        push(a, "%s", text);
    push(a, "--units-exponent");
    push(a, "0");
    if (g->from_zero) {
        push(a, "--lower-limit");
        push(a, "0");
    }
    push_time_grid(a, g);
    // An empty second axis keeps room at the right, where the last label of the time axis would be cut.
    push(a, "--right-axis");
    push(a, "1:0");
    push(a, "--right-axis-formatter");
    push(a, "timestamp");
    push(a, "--right-axis-format");
    push(a, " ");
    for (size_t i = 0; i < sizeof STYLE / sizeof STYLE[0]; i++)
        push(a, "%s", STYLE[i]);
    const struct palette *colors = g->dark ? &DARK : &LIGHT;
    for (size_t i = 0; i < sizeof colors->frame / sizeof colors->frame[0]; i++) {
        push(a, "--color");
        push(a, "%s", colors->frame[i]);
    }
    if (g->bare)
        push(a, "--no-legend");
}

static void push_comment(struct args *a, const char *comment)
{
    char text[TEXT_MAX];
    if (!has_text(comment))
        return;
    escaped(comment, text);
    push(a, "COMMENT:%s\\l", text);
}

static void push_data(struct args *a, const struct rrd_graph *g, int zeros)
{
    char text[TEXT_MAX];
    const double divisor = pow(10, zeros);
    const struct palette *colors = g->dark ? &DARK : &LIGHT;
    escaped(g->path, text);
    push(a, "DEF:stored=%s:v:AVERAGE", text);
    push(a, "CDEF:drawn=stored,%.17g,*,%.17g,/", g->scale, divisor);
    if (g->filled)
        push(a, "AREA:drawn%s", colors->area);
    escaped(g->legend, text);
    push(a, "LINE1.6:drawn%s: %s%s", colors->line, text, g->has_target ? "   " : "\\l");
    if (g->has_target && has_text(g->plan)) {
        escaped(g->plan, text);
        push(a, "DEF:planned=%s:v:AVERAGE", text);
        push(a, "CDEF:plan=planned,%.17g,/", divisor);
        escaped(g->target_legend, text);
        push(a, "LINE1.4:plan%s: %s\\l:dashes=7,4", colors->goal, text);
    } else if (g->has_target) {
        escaped(g->target_legend, text);
        push(a, "LINE1.4:%.17g%s: %s\\l:dashes=7,4", g->target / divisor, colors->goal, text);
    }
    push_comment(a, g->summary);
    push_comment(a, g->note);
}

// ---- drawing
// --------------------------------------------------------------------------------------------------------

static enum err take_image(const rrd_info_t *info, struct buf *out, struct diag *d)
{
    for (const rrd_info_t *i = info; i; i = i->next)
        if (i->type == RD_I_BLO && strcmp(i->key, "image") == 0) {
            enum err e = buf_append(out, i->value.u_blo.ptr, i->value.u_blo.size);
            return e == ERR_OK ? e : diag_fail(d, e, "graph: %s", err_text(e));
        }
    return diag_fail(d, ERR_INTERNAL, "graph: librrd gave no image");
}

static enum err draw(struct args *a, const char *path, struct buf *out, struct diag *d)
{
    rrd_info_t *info = NULL;
    a->argv[a->count] = NULL;
    for (int i = 0; i < RRD_LOCK_TRIES; i++) {
        rrd_clear_error();
        info = rrd_graph_v(a->count, a->argv);
        if (info || !rrd_error_is_lock())
            break;
        rrd_lock_wait();
    }
    if (info) {
        enum err e = take_image(info, out, d);
        rrd_info_free(info);
        return e;
    }
    enum err e = diag_fail(d, rrd_error_is_lock() ? ERR_AGAIN : ERR_INVALID, "%s: cannot draw: %s", path,
                           rrd_get_error());
    rrd_clear_error();
    return e;
}

static enum err check(const struct rrd_graph *g, struct diag *d)
{
    if (g->width < 100 || g->width > 4000 || g->height < 40 || g->height > 2000)
        return diag_fail(d, ERR_INVALID, "a graph of %d × %d is outside 100..4000 × 40..2000", g->width,
                         g->height);
    if (g->from < 0 || g->from >= g->to)
        return diag_fail(d, ERR_INVALID, "a graph from %" PRId64 " to %" PRId64 " has no time span", g->from,
                         g->to);
    if (!isfinite(g->scale) || g->scale == 0 || (g->has_target && !isfinite(g->target)))
        return diag_fail(d, ERR_INVALID, "a graph's scale and target must be finite numbers");
    // librrd passes file names through a format, and unescapes no backslash.
    if (strpbrk(g->path, "%\\") || (has_text(g->plan) && strpbrk(g->plan, "%\\")))
        return diag_fail(d, ERR_INVALID, "%s: a path with a per cent sign or a backslash cannot be drawn",
                         g->path);
    return rrd_file_check(g->path, d);
}

static enum err build_and_draw(const struct rrd_graph *g, struct buf *out, struct diag *d)
{
    struct args a = {.failed = ERR_OK};
    int zeros = 0;
    enum err e = find_zeros(g, &zeros, d);
    if (e != ERR_OK)
        return e;
    push_frame(&a, g, zeros);
    push_data(&a, g, zeros);
    e = a.failed == ERR_OK ? draw(&a, g->path, out, d)
                           : diag_fail(d, a.failed, "graph: its texts are too long");
    free_args(&a);
    return e;
}

enum err rrd_graph_draw(const struct rrd_graph *g, struct buf *out, struct diag *d)
{
    enum err e = check(g, d);
    if (e != ERR_OK)
        return e;
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return diag_fail(d, ERR_NOMEM, "graph: %s", err_text(ERR_NOMEM));
    unsetenv("RRDCACHED_ADDRESS");
    setenv("TZ", has_text(g->time_zone) ? g->time_zone : "UTC", 1);
    tzset();
    locale_t before = uselocale(c);
    e = build_and_draw(g, out, d);
    uselocale(before);
    freelocale(c);
    return e;
}
