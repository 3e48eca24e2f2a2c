// What the dashboard and a graph worker say to each other: a length of four bytes, little-endian, then that
// many bytes.
#ifndef ESEP_DASHBOARDS_RENDER_MESSAGE_H
#define ESEP_DASHBOARDS_RENDER_MESSAGE_H

#include "base/buf.h"
#include "base/clock.h"
#include "dashboards/render.h"

#define RENDER_HEAD_MAX    8192
#define RENDER_REQUEST_MAX (RENDER_HEAD_MAX + RENDER_POINTS_MAX * RENDER_POINT_BYTES)

enum err render_job_encode(const struct render_job *job, struct buf *out) MUST_USE;
// INVALID when bytes are missing or left over, a text is not terminated, or a number is out of range. Points
// are borrowed from bytes.
enum err render_job_decode(const void *bytes, size_t len, struct render_job *out) MUST_USE;

// A point of a total: the civil day its period starts, and its value (NaN: missing).
void render_point_put(struct buf *out, int32_t day, double value);
void render_point_at(const struct render_job *job, size_t i, int32_t *day, double *value);

// Whole message or nothing before the deadline (monotonic, milliseconds from now; -1: none). CLOSED, TIMEOUT,
// TOO_BIG.
enum err render_send(int fd, const void *bytes, size_t len, int timeout_ms) MUST_USE;
enum err render_receive(int fd, struct buf *out, size_t max, int timeout_ms) MUST_USE; // appended to out

#endif
