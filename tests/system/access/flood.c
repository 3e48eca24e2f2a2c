// A crowd of hostile peers, as cheap as an attacker would have it: one thread, one epoll, ZMTP and CurveZMQ
// by hand with one short-term key for all (the collector can't tell), so that the machine's time goes to the
// collector and not to this.
//   flood PORT SERVER_KEY_HEX handshakes RATE SECONDS        new connections a second, each with an unknown
//   key flood PORT SERVER_KEY_HEX silent COUNT RATE SECONDS      so many open at a time, opened at that rate;
//   they greet and
//                                                            never go on
//   flood PORT SERVER_KEY_HEX peers KEYS HELLO DECLARE BATCH SECONDS
//         KEYS: 64 bytes a peer, public and secret; the others: messages in which 16 times 0xEE is the
//         incarnation and, where 0x10 FF FF FF 7F follows, that the sequence. Each says Hello, declares, and,
//         once all are in, sends batch after batch, whatever credit it has.
// Ends after SECONDS (of peers: of sending) with one line of counts in JSON. Used by floods.py.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX 17000
#define KEY         32
#define ALL_IN_S    90 // none speaks before all are in; if they are not by then, there is no flood
enum mode { HANDSHAKES, SILENT, PEERS };
enum state { FREE, CONNECTING, GREETED, HELLO_SENT, INITIATED, IN, TALKING };

struct peer {
    int fd, number;
    enum state state;
    uint64_t nonce;
    uint32_t sequence;
    uint8_t shared[KEY]; // with the server's key of this connection
    uint8_t in[512];     // the frame that is being read
    size_t have;
    uint8_t *out; // what is being written
    size_t out_len, out_at;
    double opened;
};

struct text {
    uint8_t bytes[MESSAGE_MAX];
    size_t len;
};

static struct {
    enum mode mode;
    uint16_t port;
    uint8_t server[KEY], public_key[KEY], secret_key[KEY], shared[KEY]; // short-term, with the server's own
    uint8_t stranger[2][KEY];
    uint8_t *keys;
    struct text hello, declare, batch;
    int epoll;
    struct peer *peers;
    int count, open;
    uint64_t started, in, refused, closed, failed, messages, bytes;
    bool talk; // all are in, or half of the time is over
} f;

static void die(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double number(const char *text)
{
    char *end = NULL;
    double v = strtod(text, &end);
    if (end == text || *end || v < 0 || v > 1e6) {
        fprintf(stderr, "flood: '%s' is no number\n", text);
        exit(2);
    }
    return v;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void put_be64(uint8_t *at, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void nonce_of(struct peer *p, const char *prefix, uint8_t out[24])
{
    memcpy(out, prefix, 16);
    put_be64(out + 16, ++p->nonce);
}

// ---- out
static void want(const struct peer *p)
{
    struct epoll_event e = {
        .events = EPOLLIN | (p->out_at < p->out_len || (p->state == TALKING && f.talk) ? EPOLLOUT : 0u),
        .data.u32 = (uint32_t)p->number};
    epoll_ctl(f.epoll, EPOLL_CTL_MOD, p->fd, &e);
}

static void forget(struct peer *p)
{
    const struct linger reset = {.l_onoff = 1};
    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset); // no TIME_WAIT: there would be too many
    close(p->fd);
    p->state = FREE;
    f.open--;
}

static uint8_t *room(struct peer *p, size_t more)
{
    if (p->out_at == p->out_len)
        p->out_at = p->out_len = 0;
    if (p->out_len + more > 2 * MESSAGE_MAX)
        return NULL;
    uint8_t *at = p->out + p->out_len;
    p->out_len += more;
    return at;
}

static void put_frame(struct peer *p, uint8_t flags, const uint8_t *body, size_t len)
{
    uint8_t *at = room(p, len + 9);
    if (!at)
        return;
    at[0] = flags | 2;
    put_be64(at + 1, len);
    memcpy(at + 9, body, len);
}

// False: gone.
static bool flush(struct peer *p)
{
    while (p->out_at < p->out_len) {
        ssize_t n = send(p->fd, p->out + p->out_at, p->out_len - p->out_at, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return true;
        if (n < 0)
            return false;
        p->out_at += (size_t)n;
        f.bytes += (uint64_t)n;
    }
    return true;
}

// ---- the handshake
static void greet(struct peer *p)
{
    uint8_t *at = p->out; // nothing has been written yet
    p->out_len = 64;
    memset(at, 0, 64);
    at[0] = 0xff;
    at[9] = 0x7f;
    at[10] = 3;
    memcpy(at + 12, "CURVE", 5);
    p->state = GREETED;
}

static void say_hello(struct peer *p)
{
    uint8_t hello[200] = "\x05HELLO\x01", nonce[24];
    const uint8_t zeros[64] = {0};
    nonce_of(p, "CurveZMQHELLO---", nonce);
    memcpy(hello + 80, f.public_key, KEY);
    memcpy(hello + 112, nonce + 16, 8);
    crypto_box_easy_afternm(hello + 120, zeros, sizeof zeros, nonce, f.shared);
    put_frame(p, 4, hello, sizeof hello);
    p->state = HELLO_SENT;
}

static bool initiate(struct peer *p, const uint8_t *welcome)
{
    static const uint8_t properties[] = "\x0bSocket-Type\0\0\0\x06"
                                        "DEALER\x08Identity\0\0\0"; // the last zero is its own
    uint8_t nonce[24] = "WELCOME-", opened[128], vouch[64], plain[256], out[512] = "\x08INITIATE";
    const uint8_t *public_key = f.mode == PEERS ? f.keys + (size_t)p->number * 64 : f.stranger[0];
    const uint8_t *secret_key = f.mode == PEERS ? public_key + KEY : f.stranger[1];
    memcpy(nonce + 8, welcome + 8, 16);
    if (crypto_box_open_easy_afternm(opened, welcome + 24, 144, nonce, f.shared) != 0 ||
        crypto_box_beforenm(p->shared, opened, f.secret_key) != 0)
        return false;
    memcpy(nonce, "VOUCH---", 8);
    randombytes_buf(nonce + 8, 16);
    memcpy(vouch, f.public_key, KEY);
    memcpy(vouch + KEY, f.server, KEY);
    memcpy(plain, public_key, KEY);
    memcpy(plain + 32, nonce + 8, 16);
    if (crypto_box_easy(plain + 48, vouch, sizeof vouch, nonce, opened, secret_key) != 0)
        return false;
    memcpy(plain + 128, properties, sizeof properties);
    size_t len = 128 + sizeof properties;
    memcpy(out + 9, opened + KEY, 96);
    nonce_of(p, "CurveZMQINITIATE", nonce);
    memcpy(out + 105, nonce + 16, 8);
    crypto_box_easy_afternm(out + 113, plain, len, nonce, p->shared);
    put_frame(p, 4, out, 113 + len + crypto_box_MACBYTES);
    p->state = INITIATED;
    return true;
}

// ---- talking
// Four bytes of varint, however small the number.
static void number_next(struct peer *p, uint8_t *at)
{
    static const uint8_t mark[] = {0x10, 0xFF, 0xFF, 0xFF, 0x7F};
    if (memcmp(at, mark, sizeof mark) != 0)
        return;
    p->sequence++;
    for (int i = 0; i < 4; i++)
        at[1 + i] = (uint8_t)((p->sequence >> (7 * i) & 0x7F) | (i < 3 ? 0x80 : 0));
}

static void say(struct peer *p, const struct text *t)
{
    static uint8_t plain[MESSAGE_MAX], cipher[MESSAGE_MAX + 100];
    uint8_t nonce[24], incarnation[16] = {0};
    static const uint8_t mark[16] = {0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE,
                                     0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE};
    if (p->out_len > MESSAGE_MAX && p->out_at < p->out_len)
        return;
    memcpy(incarnation, &p->number, sizeof p->number);
    memcpy(incarnation + 8, f.public_key, 8); // of this run
    plain[0] = 0;
    memcpy(plain + 1, t->bytes, t->len);
    uint8_t *at = memmem(plain + 1, t->len < 64 ? t->len : 64, mark, sizeof mark);
    if (at) {
        memcpy(at, incarnation, sizeof incarnation);
        number_next(p, at + sizeof incarnation);
    }
    nonce_of(p, "CurveZMQMESSAGEC", nonce);
    memcpy(cipher, "\x07MESSAGE", 8);
    memcpy(cipher + 8, nonce + 16, 8);
    crypto_box_easy_afternm(cipher + 16, plain, t->len + 1, nonce, p->shared);
    put_frame(p, 0, cipher, 16 + t->len + 1 + crypto_box_MACBYTES);
    f.messages++;
}

// One whole frame, or the greeting. False: hang up.
static bool take(struct peer *p, const uint8_t *body, size_t len)
{
    switch (p->state) {
    case GREETED:
        if (f.mode != SILENT)
            say_hello(p);
        return true;
    case HELLO_SENT:
        return len == 168 && memcmp(body, "\x07WELCOME", 8) == 0 && initiate(p, body);
    case INITIATED:
        if (len < 6 || memcmp(body, "\x05READY", 6) != 0) {
            f.refused++;
            return false;
        }
        f.in++;
        p->state = IN;
        say(p, &f.hello);
        return true;
    case IN:
        if (len > 8 && memcmp(body, "\x07MESSAGE", 8) == 0) { // the Welcome
            p->state = TALKING;
            say(p, &f.declare);
        }
        return true;
    default:
        return true;
    }
}

static size_t frame_bytes(const struct peer *p, size_t *head)
{
    *head = 0;
    if (p->state == GREETED)
        return 64;
    *head = p->have > 0 && p->in[0] & 2 ? 9 : 2;
    if (p->have < *head)
        return *head;
    return *head == 2 ? 2 + (size_t)p->in[1] : 9 + ((size_t)p->in[7] << 8 | p->in[8]);
}

static bool read_some(struct peer *p)
{
    static uint8_t waste[65536];
    if (p->state == TALKING) { // acknowledgements and credit: who cares
        ssize_t n = recv(p->fd, waste, sizeof waste, 0);
        return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
    }
    for (;;) {
        size_t head, whole = frame_bytes(p, &head);
        if (whole > sizeof p->in)
            return false;
        if (p->have == whole && (head == 0 || whole > head || p->have >= head)) {
            bool was_head =
                head > 0 && whole == head && p->have == head && (head == 2 ? p->in[1] : p->in[8]) != 0;
            if (!was_head) {
                p->have = 0;
                if (!take(p, p->in + head, whole - head))
                    return false;
                continue;
            }
        }
        ssize_t n = recv(p->fd, p->in + p->have, whole - p->have, 0);
        if (n == 0)
            return false;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        p->have += (size_t)n;
    }
}

// ---- connections
static void open_one(struct peer *p)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(f.port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_in from = {.sin_family = AF_INET};
    const int one = 1;
    uint8_t *out = p->out;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    from.sin_addr.s_addr = htonl(0x7f000000u + 0x100u * (1 + (uint32_t)(f.started / 16000) % 100) + 7);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
        die("bind");
    *p = (struct peer){.fd = fd, .number = p->number, .state = CONNECTING, .out = out, .opened = now_s()};
    f.started++;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
        f.failed++;
        close(fd);
        p->state = FREE;
        return;
    }
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.u32 = (uint32_t)p->number};
    if (epoll_ctl(f.epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl");
    f.open++;
}

static void serve(struct peer *p, uint32_t events)
{
    bool good = true;
    if (p->state == FREE)
        return;
    if (p->state == CONNECTING) {
        int error = 0;
        socklen_t len = sizeof error;
        getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error) {
            f.failed++;
            forget(p);
            return;
        }
        greet(p);
    }
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        good = read_some(p);
    if (good && p->state == TALKING && f.talk)
        say(p, &f.batch);
    if (good)
        good = flush(p);
    if (!good) {
        f.closed++;
        forget(p);
        return;
    }
    want(p);
}

// Opens what is due: so many a second, or up to the number.
static void open_due(double begun, double rate)
{
    static int next;
    double elapsed = now_s() - begun;
    uint64_t due = f.mode == PEERS ? f.started + (uint64_t)(f.count - f.open) : (uint64_t)(elapsed * rate);
    for (int i = 0; i < 200 && f.started < due && f.open < f.count; i++) {
        for (int looked = 0; looked < f.count && f.peers[next].state != FREE; looked++)
            next = (next + 1) % f.count;
        open_one(&f.peers[next]);
        next = (next + 1) % f.count;
    }
}

static void talk_all(void)
{
    f.talk = true;
    for (int i = 0; i < f.count; i++)
        if (f.peers[i].state == TALKING)
            want(&f.peers[i]);
}

static void run(double rate, double seconds)
{
    struct epoll_event events[256];
    double begun = now_s(), until = begun + (f.mode == PEERS ? ALL_IN_S : seconds);
    while (now_s() < until) {
        open_due(begun, rate);
        if (f.mode == PEERS && !f.talk && f.in >= (uint64_t)f.count) {
            talk_all();
            until = now_s() + seconds;
        }
        int n = epoll_wait(f.epoll, events, 256, 2);
        for (int i = 0; i < n; i++)
            serve(&f.peers[events[i].data.u32], events[i].events);
    }
    printf("{\"seconds\": %.1f, \"started\": %llu, \"in\": %llu, \"refused\": %llu, \"closed\": %llu, "
           "\"failed\": %llu,"
           " \"open\": %d, \"messages\": %llu, \"bytes\": %llu}\n",
           now_s() - begun, (unsigned long long)f.started, (unsigned long long)f.in,
           (unsigned long long)f.refused, (unsigned long long)f.closed, (unsigned long long)f.failed, f.open,
           (unsigned long long)f.messages, (unsigned long long)f.bytes);
}

static void load(const char *path, struct text *t)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        die(path);
    t->len = fread(t->bytes, 1, sizeof t->bytes - 100, in);
    fclose(in);
}

static int load_keys(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (!in || !(f.keys = malloc(64 * 65536)))
        die(path);
    size_t len = fread(f.keys, 1, 64 * 65536, in);
    fclose(in);
    return (int)(len / 64);
}

int main(int argc, char **argv)
{
    struct rlimit r;
    size_t len;
    if (argc < (argc > 3 && strcmp(argv[3], "silent") == 0 ? 7 : 6) || sodium_init() < 0 ||
        sodium_hex2bin(f.server, KEY, argv[2], strlen(argv[2]), NULL, &len, NULL) != 0) {
        fprintf(stderr, "flood: see its source\n");
        return 2;
    }
    f.port = (uint16_t)number(argv[1]);
    f.mode = strcmp(argv[3], "handshakes") == 0 ? HANDSHAKES
             : strcmp(argv[3], "silent") == 0   ? SILENT
                                                : PEERS;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    crypto_box_keypair(f.public_key, f.secret_key);
    crypto_box_keypair(f.stranger[0], f.stranger[1]);
    if (crypto_box_beforenm(f.shared, f.server, f.secret_key) != 0)
        return 2;
    double amount = f.mode == PEERS ? 0 : number(argv[4]);
    if (f.mode == PEERS) {
        if (argc != 9)
            return 2;
        f.count = load_keys(argv[4]);
        load(argv[5], &f.hello);
        load(argv[6], &f.declare);
        load(argv[7], &f.batch);
    } else {
        f.count = f.mode == SILENT ? (int)amount : 4000; // handshakes under way at a time
    }
    f.epoll = epoll_create1(EPOLL_CLOEXEC);
    f.peers = calloc((size_t)f.count, sizeof *f.peers);
    for (int i = 0; i < f.count; i++) {
        f.peers[i].number = i;
        if (!(f.peers[i].out = malloc(2 * MESSAGE_MAX)))
            die("memory");
    }
    run(f.mode == SILENT ? number(argv[5]) : amount, number(argv[argc - 1]));
    return 0;
}
