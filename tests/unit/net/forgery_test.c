// A peer with an admitted key and a client of its own making, which says in its metadata that it is somebody
// else. libzmq's own client can't do that in a stable build, so this speaks ZMTP 3.0 and CurveZMQ (RFC 23,
// 26) by hand.
#include <sodium.h>

#include "tests/support/peers.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COOKIE_BYTES 96

struct forger {
    int fd;
    uint64_t nonce;
    uint8_t public_key[KEY_BYTES], secret_key[KEY_BYTES]; // of this connection
    uint8_t server[KEY_BYTES];                            // the server's, of this connection
    uint8_t cookie[COOKIE_BYTES];
};

static void write_all(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void read_all(int fd, void *bytes, size_t len)
{
    assert_int_equal(recv(fd, bytes, len, MSG_WAITALL), (ssize_t)len);
}

static void connect_to(struct forger *f, const char *endpoint)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    address.sin_port = htons((uint16_t)strtoul(strrchr(endpoint, ':') + 1, NULL, 10));
    const struct timeval wait = {.tv_sec = PEERS_WAIT_MS / 1000};
    f->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(f->fd >= 0);
    assert_int_equal(setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
    assert_int_equal(connect(f->fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    uint8_t greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0, 'C', 'U', 'R', 'V', 'E'};
    write_all(f->fd, greeting, sizeof(greeting));
    read_all(f->fd, greeting, sizeof(greeting));
    assert_memory_equal(greeting + 12, "CURVE", 5);
}

static void send_frame(struct forger *f, uint8_t flags, const uint8_t *bytes, size_t len)
{
    uint8_t head[9] = {flags | 2, 0, 0, 0, 0, 0, 0, (uint8_t)(len >> 8), (uint8_t)len};
    write_all(f->fd, head, sizeof(head));
    write_all(f->fd, bytes, len);
}

static size_t read_frame(struct forger *f, uint8_t *bytes, size_t max)
{
    uint8_t head[9];
    read_all(f->fd, head, 2);
    size_t len = head[1];
    if (head[0] & 2) {
        read_all(f->fd, head + 2, 7);
        len = (size_t)head[7] << 8 | head[8];
    }
    assert_true(len <= max);
    read_all(f->fd, bytes, len);
    return len;
}

// Prefix of 16 and a counter, or of 8 and 16 random bytes: 24 in all.
static void short_nonce(struct forger *f, const char *prefix, uint8_t nonce[24])
{
    memcpy(nonce, prefix, 16);
    f->nonce++;
    for (int i = 0; i < 8; i++)
        nonce[16 + i] = (uint8_t)(f->nonce >> (56 - 8 * i));
}

static void say_hello(struct forger *f, const uint8_t server_key[KEY_BYTES])
{
    uint8_t hello[200] = "\x05HELLO\x01", nonce[24];
    const uint8_t zeros[64] = {0};
    crypto_keypair(f->public_key, f->secret_key);
    short_nonce(f, "CurveZMQHELLO---", nonce);
    memcpy(hello + 80, f->public_key, KEY_BYTES);
    memcpy(hello + 112, nonce + 16, 8);
    assert_int_equal(crypto_box_easy(hello + 120, zeros, sizeof(zeros), nonce, server_key, f->secret_key), 0);
    send_frame(f, 4, hello, sizeof(hello));
}

static void hear_welcome(struct forger *f, const uint8_t server_key[KEY_BYTES])
{
    uint8_t welcome[512], nonce[24] = "WELCOME-", plain[128];
    assert_int_equal(read_frame(f, welcome, sizeof(welcome)), 168);
    memcpy(nonce + 8, welcome + 8, 16);
    assert_int_equal(crypto_box_open_easy(plain, welcome + 24, 144, nonce, server_key, f->secret_key), 0);
    memcpy(f->server, plain, KEY_BYTES);
    memcpy(f->cookie, plain + KEY_BYTES, COOKIE_BYTES);
}

static size_t put_property(uint8_t *out, const char *name, const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    out[0] = (uint8_t)name_len;
    memcpy(out + 1, name, name_len);
    memcpy(out + 1 + name_len, (const uint8_t[]){0, 0, 0, (uint8_t)value_len}, 4);
    memcpy(out + 5 + name_len, value, value_len);
    return 5 + name_len + value_len;
}

static void initiate(struct forger *f, const struct key_pair *keys, const uint8_t server_key[KEY_BYTES])
{
    uint8_t plain[512], vouch[64], nonce[24] = "VOUCH---", out[1024] = "\x08INITIATE";
    crypto_random(nonce + 8, 16);
    memcpy(vouch, f->public_key, KEY_BYTES);
    memcpy(vouch + KEY_BYTES, server_key, KEY_BYTES);
    memcpy(plain, keys->public_key, KEY_BYTES);
    memcpy(plain + 32, nonce + 8, 16);
    assert_int_equal(crypto_box_easy(plain + 48, vouch, sizeof(vouch), nonce, f->server, keys->secret_key),
                     0);
    size_t len = 128;
    len += put_property(plain + len, "Socket-Type", "DEALER");
    len += put_property(plain + len, "Identity", "");
    len += put_property(plain + len, "User-Id", "token-of-the-rival");
    len += put_property(plain + len, "X-User-Id", "token-of-the-rival");
    len += put_property(plain + len, "user-id", "token-of-the-rival");
    memcpy(out + 9, f->cookie, COOKIE_BYTES);
    short_nonce(f, "CurveZMQINITIATE", nonce);
    memcpy(out + 105, nonce + 16, 8);
    assert_int_equal(crypto_box_easy(out + 113, plain, len, nonce, f->server, f->secret_key), 0);
    send_frame(f, 4, out, 113 + len + crypto_box_MACBYTES);
}

static void hear_ready(struct forger *f)
{
    uint8_t ready[512];
    assert_true(read_frame(f, ready, sizeof(ready)) > 6);
    assert_memory_equal(ready, "\x05READY", 6);
}

static void send_message(struct forger *f, const char *text)
{
    uint8_t plain[256] = {0}, nonce[24], out[512] = "\x07MESSAGE";
    memcpy(plain + 1, text, strlen(text));
    short_nonce(f, "CurveZMQMESSAGEC", nonce);
    memcpy(out + 8, nonce + 16, 8);
    assert_int_equal(crypto_box_easy(out + 16, plain, 1 + strlen(text), nonce, f->server, f->secret_key), 0);
    send_frame(f, 0, out, 16 + 1 + strlen(text) + crypto_box_MACBYTES);
}

static void peer_that_claims_another_user_id_keeps_its_own_token(void **state)
{
    (void)state;
    struct server server;
    struct forger f = {0};
    struct mq_message m;
    server_open(&server, "token-of-acme");
    connect_to(&f, mq_endpoint(server.router));
    say_hello(&f, server.keys.public_key);
    hear_welcome(&f, server.keys.public_key);
    initiate(&f, &server.known, server.keys.public_key);
    hear_ready(&f);
    for (int i = 0; i < 3; i++) {
        send_message(&f, "a batch");
        assert_int_equal(peers_receive(server.router, NULL, &m), ERR_OK);
        assert_int_equal(m.len, 7);
        assert_memory_equal(m.bytes, "a batch", 7);
        assert_string_equal(m.token, "token-of-acme");
    }
    close(f.fd);
    server_close(&server);
}

static void peer_that_signs_with_a_key_it_does_not_hold_gets_nowhere(void **state)
{
    (void)state;
    struct server server;
    struct forger f = {0};
    struct mq_message m;
    struct key_pair mixed;
    server_open(&server, "token-of-acme");
    crypto_keypair(mixed.public_key, mixed.secret_key);
    memcpy(mixed.public_key, server.known.public_key, KEY_BYTES); // claims the known key
    connect_to(&f, mq_endpoint(server.router));
    say_hello(&f, server.keys.public_key);
    hear_welcome(&f, server.keys.public_key);
    initiate(&f, &mixed, server.keys.public_key);
    uint8_t byte;
    assert_int_equal(recv(f.fd, &byte, 1, 0), 0); // the connection is closed without a word
    struct zap_counters n;
    zap_counters(server.zap, &n);
    assert_int_equal(n.accepted, 0);
    assert_int_equal(mq_receive(server.router, &m), ERR_AGAIN);
    close(f.fd);
    server_close(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peer_that_claims_another_user_id_keeps_its_own_token),
        cmocka_unit_test(peer_that_signs_with_a_key_it_does_not_hold_gets_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
