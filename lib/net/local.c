// A plain connect() answers at once what a ZeroMQ socket would leave to a timeout: is anybody there? And
// libzmq removes whatever is at a path before it binds, so somebody must look first whether that is a dead
// socket or a person's file.
#include "net/local.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum err local_address(const char *endpoint, struct sockaddr_un *out, struct diag *d)
{
    static const char scheme[] = "ipc://";
    size_t skip = strlen(scheme);
    if (strncmp(endpoint, scheme, skip) != 0 || !endpoint[skip])
        return diag_fail(d, ERR_INVALID, "%s: a control socket is an ipc:// path", endpoint);
    size_t len = strlen(endpoint + skip);
    if (len >= sizeof(out->sun_path))
        return diag_fail(d, ERR_TOO_BIG,
                         "%s: the path has %zu bytes, a socket's may have %zu: choose a shorter state folder",
                         endpoint, len, sizeof(out->sun_path) - 1);
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(out->sun_path, endpoint + skip, len + 1);
    return ERR_OK;
}

enum err local_probe(const struct sockaddr_un *address, struct diag *d)
{
    struct stat st;
    if (lstat(address->sun_path, &st) != 0)
        return diag_errno(d, errno, "%s", address->sun_path);
    if (!S_ISSOCK(st.st_mode))
        return diag_fail(d, ERR_EXISTS, "%s is in the way: it is not a socket; move it", address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return diag_errno(d, errno, "opening a local socket");
    int failed = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : errno;
    close(fd);
    switch (failed) {
    case 0:
    case EAGAIN: // so many are waiting that the queue is full
        return ERR_OK;
    case ECONNREFUSED:
        return diag_fail(d, ERR_CLOSED, "%s: nobody listens there any more", address->sun_path);
    default:
        return diag_errno(d, failed, "%s", address->sun_path);
    }
}
