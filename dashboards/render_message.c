// Fields are written one by one, not as a struct's memory: nothing depends on padding, and the worker checks
// each of them again although the other end is ours.

#include "dashboards/render_message.h"
#include "kpi/period.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void put(struct buf *b, uint64_t v, size_t bytes)
{
    unsigned char le[8];
    for (size_t i = 0; i < bytes; i++)
        le[i] = (unsigned char)(v >> (8 * i));
    buf_append(b, le, bytes);
}

static void put_real(struct buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put(b, bits, 8);
}

static void put_text(struct buf *b, const char *text, size_t size)
{
    size_t len = strnlen(text, size - 1);
    put(b, len, 2);
    buf_append(b, text, len);
}

static uint64_t flags_of(const struct render_job *job)
{
    return (uint64_t)(job->filled | job->has_target << 1 | job->dark << 2 | job->bare << 3 |
                      job->from_zero << 4 | job->vintage << 5 | job->by_published << 6 | job->flow << 7 |
                      job->computed << 8);
}

enum err render_job_encode(const struct render_job *job, struct buf *out)
{
    put(out, (uint64_t)job->series_id, 8);
    put(out, (uint64_t)job->format, 1);
    put(out, (uint64_t)job->from, 8);
    put(out, (uint64_t)job->to, 8);
    put(out, (uint64_t)job->width, 4);
    put(out, (uint64_t)job->height, 4);
    put_real(out, job->scale);
    put_real(out, job->target);
    put(out, flags_of(job), 2);
    put(out, (uint64_t)job->as_of_us, 8);
    put(out, (uint64_t)job->rates_position, 8);
    put_text(out, job->currency, sizeof job->currency);
    put_text(out, job->park_currency, sizeof job->park_currency);
    put_text(out, job->title, RENDER_TEXT_MAX);
    put_text(out, job->unit, RENDER_TEXT_MAX);
    put_text(out, job->legend, RENDER_TEXT_MAX);
    put_text(out, job->target_legend, RENDER_TEXT_MAX);
    put_text(out, job->note, RENDER_TEXT_MAX);
    put_text(out, job->time_zone, RENDER_TEXT_MAX);
    for (int i = 0; i < 3; i++)
        put_text(out, job->magnitudes[i], RENDER_WORD_MAX);
    put(out, job->plan_count, 2);
    for (uint16_t i = 0; i < job->plan_count; i++) {
        put(out, (uint64_t)job->plan[i].time, 8);
        put(out, isnan(job->plan[i].value) ? 1u : 0u, 1);
        put_real(out, isnan(job->plan[i].value) ? 0 : job->plan[i].value);
    }
    put(out, job->period, 1);
    put(out, job->point_count, 4);
    if (job->point_count > 0)
        buf_append(out, job->points, job->point_count * RENDER_POINT_BYTES);
    return out->failed;
}

struct cursor {
    const unsigned char *at, *end;
    bool failed;
};

static uint64_t take(struct cursor *c, size_t bytes)
{
    uint64_t v = 0;
    if (c->failed || (size_t)(c->end - c->at) < bytes) {
        c->failed = true;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        v |= (uint64_t)c->at[i] << (8 * i);
    c->at += bytes;
    return v;
}

static double take_real(struct cursor *c)
{
    uint64_t bits = take(c, 8);
    double v;
    memcpy(&v, &bits, sizeof v);
    c->failed |= !isfinite(v);
    return v;
}

static void take_text(struct cursor *c, char *out, size_t size)
{
    size_t len = (size_t)take(c, 2);
    if (c->failed || len >= size || (size_t)(c->end - c->at) < len || memchr(c->at, 0, len)) {
        c->failed = true;
        return;
    }
    memcpy(out, c->at, len);
    out[len] = '\0';
    c->at += len;
}

static void take_plan(struct cursor *c, struct render_job *j)
{
    j->plan_count = (uint16_t)take(c, 2);
    c->failed |= j->plan_count > PATH_POINTS_MAX;
    for (uint16_t i = 0; i < j->plan_count && !c->failed; i++) {
        j->plan[i].time = (int64_t)take(c, 8);
        bool ends = take(c, 1) != 0;
        j->plan[i].value = take_real(c);
        if (ends)
            j->plan[i].value = NAN;
        c->failed |= i > 0 && j->plan[i].time < j->plan[i - 1].time;
    }
}

void render_point_put(struct buf *out, int32_t day, double value)
{
    put(out, (uint32_t)day, 4);
    put_real(out, value);
}

void render_point_at(const struct render_job *job, size_t i, int32_t *day, double *value)
{
    const uint8_t *at = job->points + i * RENDER_POINT_BYTES;
    struct cursor c = {at, at + RENDER_POINT_BYTES, false};
    *day = (int32_t)(uint32_t)take(&c, 4);
    *value = take_real(&c); // NaN is allowed here
}

static void take_points(struct cursor *c, struct render_job *j)
{
    j->period = (uint8_t)take(c, 1);
    j->point_count = (size_t)take(c, 4);
    size_t bytes = j->point_count * RENDER_POINT_BYTES;
    if (c->failed || j->point_count > RENDER_POINTS_MAX || (size_t)(c->end - c->at) != bytes ||
        j->period > PERIOD_YEAR) {
        c->failed = true;
        return;
    }
    j->points = bytes > 0 ? c->at : NULL;
    c->at += bytes;
}

static bool in_range(const struct render_job *j)
{
    return j->series_id >= 0 && j->format <= RRD_GRAPH_PDF && j->from < j->to && j->width >= 10 &&
           j->width <= 4000 && j->height >= 10 && j->height <= 4000 && j->scale > 0 && j->as_of_us >= 0;
}

enum err render_job_decode(const void *bytes, size_t len, struct render_job *out)
{
    struct cursor c = {bytes, (const unsigned char *)bytes + len, false};
    struct render_job j = {0};
    j.series_id = (int64_t)take(&c, 8);
    j.format = (enum rrd_graph_format)take(&c, 1);
    j.from = (int64_t)take(&c, 8);
    j.to = (int64_t)take(&c, 8);
    j.width = (int32_t)take(&c, 4);
    j.height = (int32_t)take(&c, 4);
    j.scale = take_real(&c);
    j.target = take_real(&c);
    uint64_t flags = take(&c, 2);
    j.filled = flags & 1;
    j.has_target = flags & 2;
    j.dark = flags & 4;
    j.bare = flags & 8;
    j.from_zero = flags & 16;
    j.vintage = flags & 32;
    j.by_published = flags & 64;
    j.flow = flags & 128;
    j.computed = flags & 256;
    j.as_of_us = (int64_t)take(&c, 8);
    j.rates_position = (int64_t)take(&c, 8);
    take_text(&c, j.currency, sizeof j.currency);
    take_text(&c, j.park_currency, sizeof j.park_currency);
    take_text(&c, j.title, RENDER_TEXT_MAX);
    take_text(&c, j.unit, RENDER_TEXT_MAX);
    take_text(&c, j.legend, RENDER_TEXT_MAX);
    take_text(&c, j.target_legend, RENDER_TEXT_MAX);
    take_text(&c, j.note, RENDER_TEXT_MAX);
    take_text(&c, j.time_zone, RENDER_TEXT_MAX);
    for (int i = 0; i < 3; i++)
        take_text(&c, j.magnitudes[i], RENDER_WORD_MAX);
    take_plan(&c, &j);
    take_points(&c, &j);
    if (c.failed || c.at != c.end || flags > 511 || !in_range(&j))
        return ERR_INVALID;
    *out = j;
    return ERR_OK;
}

// Waits for events on fd until the deadline.
static enum err wait_for(int fd, short events, struct mono start, int timeout_ms)
{
    for (;;) {
        int64_t left = timeout_ms < 0 ? -1 : timeout_ms - mono_diff_ms(clock_mono(clock_system()), start);
        if (timeout_ms >= 0 && left <= 0)
            return ERR_TIMEOUT;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, (int)left);
        if (n > 0)
            return ERR_OK;
        if (n < 0 && errno != EINTR)
            return err_from_errno(errno);
    }
}

static enum err transfer(int fd, char *bytes, size_t len, bool sending, struct mono start, int timeout_ms)
{
    while (len > 0) {
        enum err e = wait_for(fd, sending ? POLLOUT : POLLIN, start, timeout_ms);
        if (e)
            return e;
        ssize_t n =
            sending ? send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT) : recv(fd, bytes, len, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return ERR_CLOSED;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return ERR_OK;
}

enum err render_send(int fd, const void *bytes, size_t len, int timeout_ms)
{
    struct mono start = clock_mono(clock_system());
    struct buf message;
    buf_init(&message, len + 4);
    put(&message, len, 4);
    buf_append(&message, bytes, len);
    enum err e = message.failed;
    if (!e)
        e = transfer(fd, message.data, message.len, true, start, timeout_ms);
    buf_deinit(&message);
    return e;
}

enum err render_receive(int fd, struct buf *out, size_t max, int timeout_ms)
{
    struct mono start = clock_mono(clock_system());
    unsigned char le[4];
    enum err e = transfer(fd, (char *)le, 4, false, start, timeout_ms);
    if (e)
        return e;
    size_t left = (size_t)le[0] | (size_t)le[1] << 8 | (size_t)le[2] << 16 | (size_t)le[3] << 24;
    if (left > max)
        return ERR_TOO_BIG;
    while (left > 0 && !e) {
        char chunk[65536];
        size_t n = left < sizeof chunk ? left : sizeof chunk;
        e = transfer(fd, chunk, n, false, start, timeout_ms);
        if (!e)
            e = buf_append(out, chunk, n);
        left -= n;
    }
    return e;
}
