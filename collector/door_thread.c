// The shell around the door. It opens with the first invitation and at every later start of a collector that
// has ever invited anybody: who never invites has no door. Handshakes, their cost and their connections stay
// in a context of their own, so that whatever happens here, the agents' socket is not asked.
#include "base/log.h"
#include "collector/door.h"
#include "collector/service.h"
#include "collector/state.h"
#include "store/reader.h"
#include <stdio.h>
#include <string.h>

enum { POLL_MS = 200, REOPEN_TRIES = 50, RECEIVE_AT_ONCE = 64 };

struct porch {
    struct service *s;
    struct door *door; // NULL: never opened
    struct mq *mq;
    struct zap *zap;
    struct mq_socket *router; // NULL: closed, perhaps just now
    char bound[ADDRESS_TEXT]; // where it is opened again
    uint8_t public_key[KEY_BYTES];
};

static enum err send_to_peer(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct porch *p = ctx;
    return p->router ? mq_send(p->router, peer, bytes, len) : ERR_CLOSED;
}

// ---- opening ------------------------------------------------------------------------------------
static enum err bind_router(struct porch *p, struct diag *d)
{
    struct mq_router_options o = {.endpoint = p->bound, .max_message_bytes = DOOR_MESSAGE_MAX_BYTES};
    enum err e = collector_state_key(p->s->config->state, o.secret_key, d);
    if (e == ERR_OK) {
        crypto_public_key(o.secret_key, p->public_key);
        e = mq_router_bind(p->mq, &o, &p->router, d);
    }
    crypto_wipe(o.secret_key, sizeof o.secret_key);
    if (e == ERR_OK) {
        snprintf(p->bound, sizeof p->bound, "%s", mq_endpoint(p->router));
        door_opened(p->door);
    }
    return e;
}

static void close_all(struct porch *p)
{
    mq_close(p->router);
    if (!zap_stop(p->zap))
        log_error("zap_handler_left", F_TEXT("meaning", "it hangs, and can only end with the program"));
    mq_destroy(p->mq);
    door_destroy(p->door);
    p->router = NULL;
    p->zap = NULL;
    p->mq = NULL;
    p->door = NULL;
}

static enum err open_door(struct porch *p, struct diag *d)
{
    struct door_options o = {.clock = p->s->clock,
                             .counters = &p->s->counters,
                             .reply_to = p->s->to_door,
                             .send = send_to_peer,
                             .send_ctx = p};
    enum err e = address_door(p->s->config, p->bound, d);
    if (e == ERR_OK)
        e = address_public(p->s->config, mq_endpoint(p->s->router), o.endpoint, d);
    if (e == ERR_OK && (e = door_create(&o, &p->door)) != ERR_OK)
        e = diag_fail(d, e, "out of memory");
    if (e == ERR_OK)
        e = mq_create(&p->mq, d);
    if (e == ERR_OK)
        e = zap_start(p->mq, door_decide, p->door, &p->zap, d);
    if (e == ERR_OK)
        e = bind_router(p, d);
    if (e == ERR_OK)
        log_info("door_open", F_TEXT("endpoint", p->bound), F_TEXT("agents_go_to", o.endpoint));
    else
        close_all(p);
    return e;
}

// libzmq closes a listener behind our back, so the same port may be taken for a moment.
static void open_again(struct porch *p)
{
    struct diag d = {""};
    mq_close(p->router);
    p->router = NULL;
    enum err e = ERR_EXISTS;
    for (int i = 0; e == ERR_EXISTS && i < REOPEN_TRIES; i++) {
        if (i > 0)
            cursor_wait(p->s->committed, UINT64_MAX, 20);
        e = bind_router(p, &d);
    }
    if (e != ERR_OK) {
        log_error("door_not_reopened", F_TEXT("reason", d.text),
                  F_TEXT("way_out", "it is tried again with the next invitation"));
        close_all(p);
    }
}

// ---- the loop -----------------------------------------------------------------------------------
static void answer_control(struct porch *p, struct item *item)
{
    struct item_admin *a = item->admin;
    a->result = p->door ? ERR_OK : open_door(p, &a->diag);
    if (a->result == ERR_OK)
        a->result = address_door_public(p->s->config, p->bound, a->door, &a->diag);
    memcpy(a->collector_key, p->public_key, KEY_BYTES);
    if (queue_give(item->reply_to, item) != ERR_OK)
        item_destroy(item);
}

static void take_back(struct porch *p)
{
    void *it;
    while (queue_take(p->s->to_door, 0, &it) == ERR_OK) {
        struct item *item = it;
        if (item->kind == ITEM_DOOR)
            answer_control(p, item);
        else if (p->door)
            door_finish(p->door, item);
        else
            item_destroy(item);
    }
}

static void receive(struct porch *p)
{
    for (int i = 0; i < RECEIVE_AT_ONCE; i++) {
        struct mq_message m;
        struct item *item = NULL;
        enum err e = mq_receive(p->router, &m);
        if (e == ERR_INVALID)
            collector_count(&p->s->counters, COUNTER_ENROLMENTS_MALFORMED, 1);
        else if (e != ERR_OK)
            return;
        else if (door_receive(p->door, &m, &item) != ERR_OK)
            collector_count(&p->s->counters, COUNTER_ENROLMENTS_DROPPED, 1);
        if (item && queue_give(p->s->to_committer, item) != ERR_OK) {
            item->admin->result = ERR_FULL;
            door_finish(p->door, item);
        }
    }
}

static void run(struct porch *p)
{
    while (!atomic_load(&p->s->stop_door)) {
        struct mq_poll_item items[2] = {{.fd = queue_fd(p->s->to_door)}, {.socket = p->router, .fd = -1}};
        (void)!mq_poll(items, p->router ? 2 : 1, POLL_MS);
        take_back(p);
        if (p->router)
            receive(p);
        if (p->door && door_wants_reopening(p->door))
            open_again(p);
    }
}

static enum err note_invite(void *ctx, const struct ledger_invite *i)
{
    (void)i;
    *(bool *)ctx = true;
    return ERR_OK;
}

static bool has_ever_invited(const struct service *s)
{
    struct reader *r = NULL;
    bool any = false;
    if (reader_open(s->config->state, &r, NULL) == ERR_OK &&
        reader_invites(r, note_invite, &any, NULL) != ERR_OK)
        any = false;
    reader_close(r);
    return any;
}

// What is wrong with the door is no reason to stop the collector: agents that are known don't need it.
void *door_thread(void *service)
{
    struct porch p = {.s = service};
    struct diag d = {""};
    if (has_ever_invited(p.s) && open_door(&p, &d) != ERR_OK)
        log_error("door_not_open", F_TEXT("reason", d.text),
                  F_TEXT("way_out",
                         "agents that are known are not concerned; it is tried again with the next "
                         "invitation"));
    run(&p);
    close_all(&p);
    return NULL;
}
