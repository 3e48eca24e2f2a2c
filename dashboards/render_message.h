// What the dashboard and a graph worker say to each other: a length of four bytes, little-endian, then that
// many bytes.
#ifndef ESEP_DASHBOARDS_RENDER_MESSAGE_H
#define ESEP_DASHBOARDS_RENDER_MESSAGE_H

#include "base/buf.h"
#include "base/clock.h"
#include "dashboards/render.h"

#define RENDER_REQUEST_MAX 8192

enum err render_job_encode(const struct render_job *job, struct buf *out) MUST_USE;
// INVALID when bytes are missing or left over, a text is not terminated, or a number is out of range.
enum err render_job_decode(const void *bytes, size_t len, struct render_job *out) MUST_USE;

// Whole message or nothing before the deadline (monotonic, milliseconds from now; -1: none). CLOSED, TIMEOUT,
// TOO_BIG.
enum err render_send(int fd, const void *bytes, size_t len, int timeout_ms) MUST_USE;
enum err render_receive(int fd, struct buf *out, size_t max, int timeout_ms) MUST_USE; // appended to out

#endif
