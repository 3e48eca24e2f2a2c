// The process that forks graph workers, and the worker's own loop. Nothing here runs in the dashboard's
// process but render_server_start.
#ifndef ESEP_DASHBOARDS_RENDER_SERVER_H
#define ESEP_DASHBOARDS_RENDER_SERVER_H

#include "dashboards/render.h"

// Forks the server. *fd: the caller's end; closing it ends the server and its workers.
enum err render_server_start(const struct render_options *o, int *fd, pid_t *pid, struct diag *d) MUST_USE;
// Asks it for a new worker. *worker_fd is the caller's. CLOSED: the server has gone.
enum err render_server_spawn(int fd, pid_t *pid, int *worker_fd) MUST_USE;
// Kills and reaps a worker it forked; others' ids are ignored.
void render_server_kill(int fd, pid_t pid);

// A worker: warms up, says one empty message, then draws until its socket closes. Returns the exit status.
int render_worker_run(const struct render_options *o, int fd);

#endif
