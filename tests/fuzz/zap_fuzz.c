// The handshake's questions, frame by frame, as another thread of libzmq might ask them: the handler is
// compiled in here with the socket calls led to the input. Nobody but the one admitted key may ever get in,
// and only by the form of RFC 27.
#include "tests/fuzz/fuzz.h"
#include <zmq.h>

static struct fuzz_input frames;
static int frames_left; // frames of the request still to come
static bool asked;      // the request was taken
static char reply[6][300];
static size_t reply_len[6], reply_count;

static int fuzz_recv(void *socket, void *out, size_t size, int flags)
{
    (void)socket;
    (void)flags;
    size_t len = fuzz_u8(&frames);
    if (len == UINT8_MAX)
        len += fuzz_u8(&frames);
    const uint8_t *at = fuzz_bytes(&frames, &len);
    memcpy(out, at, len < size ? len : size);
    frames_left--;
    return (int)len;
}

static int fuzz_getsockopt(void *socket, int option, void *out, size_t *size)
{
    int flag = frames_left > 0;
    (void)socket;
    (void)option;
    *size = sizeof flag;
    memcpy(out, &flag, sizeof flag);
    return 0;
}

static int fuzz_send(void *socket, const void *bytes, size_t len, int flags)
{
    (void)socket;
    FUZZ_CHECK(reply_count < 6 && len < sizeof reply[0]);
    memcpy(reply[reply_count], bytes, len);
    reply_len[reply_count++] = len;
    FUZZ_CHECK(((flags & ZMQ_SNDMORE) != 0) == (reply_count < 6));
    asked = true;
    return (int)len;
}

#define zmq_recv       fuzz_recv
#define zmq_getsockopt fuzz_getsockopt
#define zmq_send       fuzz_send
#include "net/zap.c"
#undef zmq_recv
#undef zmq_getsockopt
#undef zmq_send

static bool decide(void *ctx, const uint8_t public_key[KEY_BYTES], char token[64])
{
    (void)ctx;
    for (size_t i = 0; i < KEY_BYTES; i++)
        if (public_key[i] != 'k')
            return false;
    memcpy(token, "the-token", sizeof "the-token");
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct zap z;
    struct zap_counters before, after;
    z.decide = decide;
    frames = (struct fuzz_input){bytes, len};
    frames_left = fuzz_u8(&frames) % 12 + 1;
    asked = false;
    reply_count = 0;
    zap_counters(&z, &before);
    FUZZ_CHECK(answer_one(&z) && asked && reply_count == 6);
    zap_counters(&z, &after);
    bool in = memcmp(reply[2], "200", 3) == 0;
    FUZZ_CHECK(in || memcmp(reply[2], "400", 3) == 0);
    FUZZ_CHECK((after.accepted - before.accepted) == (uint64_t)in);
    FUZZ_CHECK(reply_len[4] == (in ? strlen("the-token") : 0));
    return 0;
}
