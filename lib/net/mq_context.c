// A context, and the socket of its ZAP handler.
//
// With CURVE and no ZAP handler libzmq 4.3 lets every key in. So the handler's bound socket belongs to the
// context for the context's whole life: a handshake that nobody answers waits and fails. A ROUTER is bound
// (mq.c) only while a handler answers, so it cannot be forgotten either.
#include "net/mq_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

// ---- errors

enum err mq_errno(struct diag *d, int errnum, const char *what, const char *endpoint)
{
    enum err e = ERR_IO;
    const char *advice = "";
    switch (errnum) {
    case EADDRINUSE:
        e = ERR_EXISTS;
        advice = ": another program listens there, stop it or choose another port";
        break;
    case EADDRNOTAVAIL:
    case ENODEV:
        e = ERR_NOT_FOUND;
        advice = ": this machine has no such address";
        break;
    case ENOENT:
        e = ERR_NOT_FOUND;
        advice = ": make its folder first";
        break;
    case EACCES:
    case EPERM:
        e = ERR_DENIED;
        break;
    case EINVAL:
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO:
        e = ERR_INVALID;
        advice = ": write it as tcp://address:port";
        break;
    case ENOMEM:
        e = ERR_NOMEM;
        break;
    case EMFILE:
    case ENFILE:
        e = ERR_FULL;
        advice = ": raise the limit of open files";
        break;
    default:
        break;
    }
    return diag_fail(d, e, "%s %s: %s%s", what, endpoint, zmq_strerror(errnum), advice);
}

// ---- contexts

enum err mq_create(struct mq **out, struct diag *d)
{
    if (!zmq_has("curve"))
        return diag_fail(d, ERR_UNSUPPORTED, "this libzmq was built without CURVE: install Debian's libzmq5");
    struct mq *mq = calloc(1, sizeof(*mq));
    void *context = mq ? zmq_ctx_new() : NULL;
    if (!context || zmq_ctx_set(context, ZMQ_BLOCKY, 0) != 0) {
        if (context)
            zmq_ctx_term(context);
        free(mq);
        return diag_fail(d, ERR_NOMEM, "no memory for a ZeroMQ context");
    }
    mq->context = context;
    atomic_init(&mq->zap_answering, false);
    atomic_init(&mq->open_sockets, 0);
    atomic_init(&mq->opened, 0);
    *out = mq;
    return ERR_OK;
}

void mq_destroy(struct mq *mq)
{
    if (!mq)
        return;
    if (atomic_load(&mq->open_sockets) > 0 || mq->zap_lent) {
        zmq_ctx_shutdown(
            mq->context); // a bug of the caller: zmq_ctx_term would wait for ever, so leak instead
        return;
    }
    if (mq->zap)
        zmq_close(mq->zap);
    zmq_ctx_term(mq->context);
    free(mq);
}

void mq_break(struct mq *mq)
{
    zmq_ctx_shutdown(mq->context);
}

enum err mq_zap_lend(struct mq *mq, void **socket, struct diag *d)
{
    if (mq->zap_lent)
        return diag_fail(d, ERR_EXISTS, "this context has a ZAP handler already");
    if (!mq->zap) {
        void *s = zmq_socket(mq->context, ZMQ_REP);
        if (!s)
            return mq_errno(d, errno, "opening", ZAP_ENDPOINT);
        const int linger_ms = 0;
        if (zmq_setsockopt(s, ZMQ_LINGER, &linger_ms, sizeof(linger_ms)) != 0 ||
            zmq_bind(s, ZAP_ENDPOINT) != 0) {
            enum err e = mq_errno(d, errno, "binding", ZAP_ENDPOINT);
            zmq_close(s);
            return e;
        }
        mq->zap = s;
    }
    mq->zap_lent = true;
    *socket = mq->zap;
    return ERR_OK;
}

void mq_zap_return(struct mq *mq)
{
    mq->zap_lent = false;
}

void mq_zap_answering(struct mq *mq, bool answering)
{
    atomic_store(&mq->zap_answering, answering);
}
