// The shell around ingest: one poll over the agents' socket and the queue of what comes back, never longer
// than a second. When the memory for received messages is used up the socket is not read, only polled, so
// that libzmq can still free what dead peers have left behind.
#include "base/log.h"
#include "collector/service.h"

enum { POLL_MS = 200, FULL_POLL_MS = 50, RECEIVE_AT_ONCE = 512, TICK_MS = 500 };

static enum err send_to_peer(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct service *s = ctx;
    if (peer->len != INGEST_NEXT_LEN)
        return mq_send(s->router, peer, bytes, len);
    struct mq_peer own = *peer; // as its socket knows it
    own.len--;
    return s->next ? mq_send(s->next, &own, bytes, len) : ERR_CLOSED;
}

static void shut(void *ctx, int fd)
{
    (void)ctx;
    mq_shut(fd);
}

static void take_snapshot(struct ingest *in, struct item *item)
{
    if (ingest_snapshot(in, item->snapshot) != ERR_OK || queue_give(item->reply_to, item) != ERR_OK)
        item_destroy(item);
}

// False when the committer has ended.
static bool take_back(struct service *s, struct ingest *in)
{
    void *p;
    enum err e;
    while ((e = queue_take(s->to_ingest, 0, &p)) == ERR_OK) {
        struct item *item = p;
        if (item->kind == ITEM_MESSAGE)
            ingest_finish(in, item);
        else
            take_snapshot(in, item);
    }
    return e != ERR_CLOSED;
}

static enum err receive(struct service *s, struct ingest *in, struct mq_socket *from)
{
    for (int i = 0; i < RECEIVE_AT_ONCE && ingest_has_room(in); i++) {
        struct mq_message m;
        struct item *item = NULL;
        enum err e = mq_receive(from, &m);
        if (from == s->next && m.peer.len == INGEST_NEXT_LEN - 1)
            m.peer.id[m.peer.len++] = 1; // of another socket: never the other one's peer
        if (e == ERR_AGAIN)
            return ERR_OK;
        if (e == ERR_INVALID) {
            ingest_dropped(in, &m);
            continue;
        }
        if (e != ERR_OK)
            return e;
        e = ingest_receive(in, &m, &item);
        if (e != ERR_OK)
            log_error("message_dropped", F_TEXT("error", err_name(e)));
        if (item && queue_give(s->to_committer, item) != ERR_OK)
            ingest_abandon(in, item);
    }
    return ERR_OK;
}

// What the ZAP handler refused is noted by itself, with address and key; of the rest libzmq does not say who
// it was.
static void note_failed(struct service *s, const struct mq_events *events)
{
    static const char *const texts[MQ_FAILURES] = {
        [MQ_FAILED_MECHANISM] = "not CURVE",
        [MQ_FAILED_KEY] = "another server's key, or a key that the peer does not hold",
        [MQ_FAILED_PROTOCOL] = "a broken protocol",
        [MQ_FAILED_UNFINISHED] = "hung up, or not finished in time",
        [MQ_FAILED_OLD] = "an old protocol (ZMTP 1.0 or 2.0)"};
    for (int i = 0; i < MQ_FAILURES; i++) {
        uint64_t more = events->failed_by[i] - s->handshakes_noted[i];
        audit_tally_note(s->tally, AUDIT_HANDSHAKE, AUDIT_REFUSED, "address:unknown", texts[i], more, "");
        s->handshakes_noted[i] = events->failed_by[i];
    }
}

static void events_of_both(struct service *s, struct mq_events *out)
{
    struct mq_events next;
    mq_events(s->router, out);
    if (!s->next)
        return;
    mq_events(s->next, &next);
    out->handshake_failed += next.handshake_failed;
    out->accept_failed += next.accept_failed;
    out->accept_paused += next.accept_paused;
    for (int i = 0; i < MQ_FAILURES; i++)
        out->failed_by[i] += next.failed_by[i];
}

static void copy_events(struct service *s)
{
    struct mq_events events;
    struct zap_counters z;
    events_of_both(s, &events);
    zap_counters(s->zap, &z);
    note_failed(s, &events);
    collector_count_set(&s->counters, COUNTER_HANDSHAKES_FAILED,
                        events.handshake_failed + events.failed_by[MQ_FAILED_OLD]);
    collector_count_set(&s->counters, COUNTER_ACCEPTS_FAILED, events.accept_failed);
    if (events.accept_paused > collector_counted(&s->counters, COUNTER_ACCEPTS_PAUSED))
        log_error("too_many_connections",
                  F_TEXT("way_out", "no new connection is taken for a second: raise the limit of open files "
                                    "(LimitNOFILE), or find who opens them"));
    collector_count_set(&s->counters, COUNTER_ACCEPTS_PAUSED, events.accept_paused);
    collector_count_set(&s->counters, COUNTER_HANDSHAKES_ACCEPTED, z.accepted);
    collector_count_set(&s->counters, COUNTER_HANDSHAKES_REFUSED_KEY, z.refused_key);
    collector_count_set(&s->counters, COUNTER_HANDSHAKES_REFUSED_MECHANISM, z.refused_mechanism);
    collector_count_set(&s->counters, COUNTER_HANDSHAKES_REFUSED_MALFORMED, z.refused_malformed);
}

static enum err wait_for_work(struct service *s, bool room)
{
    struct mq_poll_item items[3] = {
        {.fd = queue_fd(s->to_ingest)}, {.socket = s->router}, {.socket = s->next, .fd = -1}};
    int sockets = s->next ? 2 : 1;
    enum err e = mq_poll(items, room ? 1 + sockets : 1, room ? POLL_MS : FULL_POLL_MS);
    if (!room && (e == ERR_OK || e == ERR_AGAIN))
        e = mq_poll(items + 1, sockets, 0);
    return e == ERR_AGAIN ? ERR_OK : e;
}

static void run(struct service *s, struct ingest *in)
{
    struct mono ticked = clock_mono(s->clock);
    bool closing = false, open = true;
    while (open) {
        if (!closing && (atomic_load(&s->stop_ingest) || atomic_load(&s->failed))) {
            closing = true;
            queue_close(s->to_committer);
        }
        enum err e = wait_for_work(s, !closing && ingest_has_room(in));
        open = take_back(s, in);
        if (e == ERR_OK && !closing)
            e = receive(s, in, s->router);
        if (e == ERR_OK && !closing && s->next)
            e = receive(s, in, s->next);
        if (e != ERR_OK && !closing)
            service_fail(s, "ingest", e, "the agents' socket can't be read");
        struct mono now = clock_mono(s->clock);
        if (mono_diff_ms(now, ticked) >= TICK_MS) {
            ticked = now;
            ingest_tick(in, collector_gauge(&s->counters, GAUGE_SPACE) != SPACE_ENOUGH ||
                                collector_gauge(&s->counters, GAUGE_CLOCK_BEHIND_S) > 0);
            copy_events(s);
        }
    }
}

void *ingest_thread(void *service)
{
    struct service *s = service;
    struct ingest *in = NULL;
    struct ingest_options o = {.clock = s->clock,
                               .admission = s->admission,
                               .counters = &s->counters,
                               .tally = s->tally,
                               .budget_bytes = s->config->budget_bytes,
                               .max_items = COLLECTOR_ITEMS_MAX,
                               .max_connections = COLLECTOR_CONNECTIONS_MAX,
                               .quotas = &s->config->quotas,
                               .duties = s->duties,
                               .next = s->next_key,
                               .send = send_to_peer,
                               .shut = shut,
                               .send_ctx = s};
    enum err e = ingest_create(&o, &in);
    if (e == ERR_OK) {
        run(s, in);
    } else {
        service_fail(s, "ingest", e, "it can't start");
        queue_close(s->to_committer);
    }
    ingest_destroy(in);
    return NULL;
}
