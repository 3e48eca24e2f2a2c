// The running agent's ear for `esep-agent report`: a local socket in its state folder. One request and one
// answer a connection. Never blocks the thread that serves it.
#ifndef ESEP_AGENT_REPORT_SOCKET_H
#define ESEP_AGENT_REPORT_SOCKET_H

#include "agent/report.h"
#include <poll.h>

#define REPORT_SOCKET_FILE "report.sock" // in the state folder
#define REPORT_SOCKET_FDS  5             // to wait on, at most

struct report_socket;
// The caller holds the state folder's lock: a socket file that is there belongs to nobody any more. EXISTS:
// something else is in its place; TOO_BIG: the path is too long for a socket.
enum err report_socket_open(const char *state, struct report_socket **out, struct diag *d) MUST_USE;
void report_socket_close(struct report_socket *s);                                 // removes the file
int report_socket_fds(const struct report_socket *s, struct pollfd *out, int max); // NULL: 0
// Answers what has arrived. An error of the spool that ends a round comes back, after it was answered.
enum err report_socket_serve(struct report_socket *s, struct sampler *sampler, struct diag *d) MUST_USE;

// The command's side. CLOSED: nobody listens, or the other end went away before it had read the request;
// TIMEOUT; else the running agent's own answer.
enum err report_socket_ask(const char *state, const char *request, int timeout_ms,
                           char said[REPORT_ANSWER_MAX], struct diag *d) MUST_USE;

#endif
