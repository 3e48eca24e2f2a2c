// Asking a running collector to do something: one JSON object each way over its local control socket.
#ifndef ESEP_NET_CONTROL_H
#define ESEP_NET_CONTROL_H

#include "base/err.h"

// Sends request (JSON text) to ipc://<state>/control and waits. *reply is malloc'ed JSON text, the caller
// frees. CLOSED: nothing is listening (diag says which state folder and how to start it); TIMEOUT.
enum err control_call(const char *state, const char *request, int timeout_ms, char **reply,
                      struct diag *d) MUST_USE;

#endif
