// The ZAP handler (ZeroMQ RFC 27): decides which CURVE keys get in. It fails closed: any doubt, any other
// mechanism, any malformed request is a 400. A client's own metadata never reaches the User-Id, which is the
// token returned here.
#ifndef ESEP_NET_ZAP_H
#define ESEP_NET_ZAP_H

#include "net/mq.h"

// Called in the handler's thread for each handshake; must not block. Fills token (at most 63 printable
// characters) and returns true to let the key in.
typedef bool (*zap_decide)(void *ctx, const uint8_t public_key[KEY_BYTES], char token[64]);

struct zap;
// Bound and answering when this returns.
enum err zap_start(struct mq *mq, zap_decide decide, void *ctx, struct zap **out, struct diag *d) MUST_USE;
// False: it hangs and is left behind after 5 s, with the context: end the program. NULL: true.
bool zap_stop(struct zap *z);
// False once the handler's thread has died, or has not moved for ZAP_PATIENCE_MS while this was asked several
// times: nobody gets in then, and the collector must stop. Asked by one thread, about each second.
#define ZAP_PATIENCE_MS 15000
bool zap_alive(struct zap *z);

enum zap_refusal { ZAP_REFUSED_KEY, ZAP_REFUSED_MECHANISM, ZAP_REFUSED_MALFORMED };
// Called in the handler's thread after each refusal; must not block. address: as libzmq states it; key: NULL
// unless it is ZAP_REFUSED_KEY.
typedef void (*zap_refused)(void *ctx, enum zap_refusal why, const char *address, const uint8_t *key);
// Before anybody can knock.
void zap_watch(struct zap *z, zap_refused refused, void *ctx);

struct zap_counters {
    uint64_t accepted, refused_key, refused_mechanism, refused_malformed;
};
void zap_counters(const struct zap *z, struct zap_counters *out);

#endif
