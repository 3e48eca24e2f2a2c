// A worker's life: draw one throw-away graph, so that fonts are loaded before anybody waits for them; then
// one message in, one image out, until the other end closes.

#include "base/clock.h"
#include "dashboards/render_message.h"
#include "dashboards/render_server.h"
#include "dashboards/render_vintage.h"
#include "store/rrd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum err draw(const struct render_options *o, const char *path, const char *plan,
                     const struct render_job *j, struct buf *out, struct diag *d)
{
    struct rrd_graph g = {.format = j->format,
                          .path = path,
                          .from = j->from,
                          .to = j->to,
                          .width = j->width,
                          .height = j->height,
                          .title = j->title,
                          .unit = j->unit,
                          .legend = j->legend,
                          .scale = j->scale,
                          .filled = j->filled,
                          .has_target = j->has_target,
                          .target = j->target,
                          .plan = plan,
                          .target_legend = j->target_legend,
                          .note = j->note,
                          .from_zero = j->from_zero,
                          .dark = j->dark,
                          .bare = j->bare,
                          .magnitudes = {j->magnitudes[0], j->magnitudes[1], j->magnitudes[2]},
                          .time_zone = j->time_zone};
    return o->draw ? o->draw(&g, out, d) : rrd_graph_draw(&g, out, d);
}

static void warm_up(const struct render_options *o)
{
    char path[RRD_PATH_MAX];
    struct ledger_series s = {.class = WIRE_MEASUREMENT, .step_s = 10};
    struct render_job j = {.width = 300,
                           .height = 100,
                           .scale = 1,
                           .from = 1700000000,
                           .to = 1700000600,
                           .title = "warm-up әғқңөұүһіў 0123456789",
                           .unit = "1",
                           .time_zone = "UTC"};
    struct diag d;
    struct buf image;
    int n = snprintf(path, sizeof path, "%s/esep-warm-%ld.rrd", o->scratch, (long)getpid());
    if (o->draw || n < 0 || (size_t)n >= sizeof path)
        return;
    buf_init(&image, RENDER_IMAGE_MAX);
    // A failure here only means that the first real graph is slower.
    if (!rrd_file_create(path, &s, 1700000000, false, &d)) {
        for (int format = RRD_GRAPH_PNG; format <= RRD_GRAPH_SVG; format++) {
            j.format = (enum rrd_graph_format)format;
            if (draw(o, path, NULL, &j, &image, &d))
                break;
        }
    }
    unlink(path);
    buf_deinit(&image);
}

// The planned path as a file of its own, whose name is put out; "" where there is none.
static enum err write_plan(const struct render_options *o, const struct render_job *job,
                           char out[RRD_PATH_MAX], struct diag *d)
{
    if (!job->has_target || job->plan_count == 0)
        return ERR_OK;
    int n = snprintf(out, RRD_PATH_MAX, "%s/esep-plan-%ld.rrd", o->scratch, (long)getpid());
    if (n < 0 || n >= RRD_PATH_MAX) {
        out[0] = '\0';
        return diag_fail(d, ERR_TOO_BIG, "%s: path too long", o->scratch);
    }
    return rrd_plan_write(out, job->plan, job->plan_count, job->from, job->to, job->width, d);
}

// One byte of enum err, then the image or the reason.
static enum err respond(const struct render_options *o, int fd, const struct buf *request)
{
    struct render_job job;
    struct diag d = {""};
    struct buf image, reply;
    char path[RRD_PATH_MAX], plan[RRD_PATH_MAX] = "";
    buf_init(&image, RENDER_IMAGE_MAX);
    buf_init(&reply, RENDER_IMAGE_MAX + 1);
    enum err e = render_job_decode(request->data, request->len, &job);
    bool vintage = !e && (job.vintage || job.computed);
    if (vintage)
        e = render_vintage_file(o->state, o->scratch, &job, path, &d);
    else if (!e)
        e = rrd_path(o->state, job.series_id, path);
    if (!e)
        e = write_plan(o, &job, plan, &d);
    if (!e)
        e = draw(o, path, plan, &job, &image, &d);
    if (vintage)
        unlink(path);
    if (*plan)
        unlink(plan);
    char code = (char)e;
    buf_append(&reply, &code, 1);
    if (e)
        buf_text(&reply, *d.text ? d.text : err_text(e));
    else
        buf_append(&reply, image.data, image.len);
    enum err sent = reply.failed ? reply.failed : render_send(fd, reply.data, reply.len, 10000);
    buf_deinit(&image);
    buf_deinit(&reply);
    return sent;
}

int render_worker_run(const struct render_options *o, int fd)
{
    struct buf request;
    buf_init(&request, RENDER_REQUEST_MAX);
    unsetenv("RRDCACHED_ADDRESS");
    warm_up(o);
    enum err e = render_send(fd, "", 0, 1000);
    while (!e) {
        buf_reset(&request);
        e = render_receive(fd, &request, RENDER_REQUEST_MAX, -1);
        if (!e)
            e = respond(o, fd, &request);
    }
    buf_deinit(&request);
    return 0;
}
