// The socket file behind an ipc:// endpoint, looked at without ZeroMQ, which tells nobody whether anybody
// listens.
#ifndef ESEP_NET_LOCAL_H
#define ESEP_NET_LOCAL_H

#include "base/err.h"
#include <sys/un.h>

// INVALID: not an ipc:// path; TOO_BIG: longer than a socket's address can be (107 bytes).
enum err local_address(const char *endpoint, struct sockaddr_un *out, struct diag *d) MUST_USE;
// ERR_OK: somebody listens. NOT_FOUND: no such file. CLOSED: a file that nobody listens on. EXISTS: the file
// is no socket. DENIED: this user may not connect.
enum err local_probe(const struct sockaddr_un *address, struct diag *d) MUST_USE;

#endif
