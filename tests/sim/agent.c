// An agent's process: what agent/run.c and agent/uplink.c do with threads, a queue and a socket is done here
// by two actors with a time of their own, so that chance decides who comes first. When its disk dies within a
// call, the process has been killed there; what the call did to memory afterwards is forgotten with it.
#include "tests/sim/world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVE_MAX 64

static const char collector_key_text[] = "sim";

// ---- what the uplink asks for
// -----------------------------------------------------------------------------------------------

static enum err io_send(void *ctx, const void *bytes, size_t len)
{
    struct agent *a = ctx;
    return a->link ? link_send_up(a->world, a->link, bytes, len) : ERR_CLOSED;
}

static void io_transport(void *ctx, enum uplink_transport what)
{
    struct agent *a = ctx;
    if (a->link)
        link_close_by_agent(a->world, a->link, true);
    a->link = NULL;
    if (what == UPLINK_OPEN)
        a->link = link_open(a->world, a);
    a->link_up_told = a->link_lost = false;
}

static enum err io_message(void *ctx, uint64_t first, struct spool_message *out, struct diag *d)
{
    struct agent *a = ctx;
    struct spool_state now;
    enum err e = spool_reader_message(a->reader, first, out, d);
    if (e == ERR_NOT_FOUND && spool_reader_state(a->reader, &now, NULL) == ERR_OK &&
        now.generation != a->generation)
        return ERR_AGAIN; // renumbered meanwhile
    return e;
}

static enum err io_declare(void *ctx, uint32_t number, struct wire_declare *out, struct diag *d)
{
    return spool_reader_declare(((struct agent *)ctx)->reader, number, out, d);
}

static void ask(struct agent *a, const struct sampler_request *r)
{
    if (a->request_count == SIM_REQUESTS) {
        world_fail(a->world, FATE_OTHER, "%s: more requests than the sampler takes", a->name);
        return;
    }
    a->requests[a->request_count++] = *r;
    if (a->sampler_us > a->world->now_us + 20 * US_PER_MS)
        a->sampler_us = a->world->now_us + world_between(a->world, 0, 20) * US_PER_MS;
}

static void io_acknowledged(void *ctx, uint64_t sequence, const struct wire_receipt *receipt)
{
    ask(ctx, &(struct sampler_request){.type = SAMPLER_ACKNOWLEDGE,
                                       .sequence = sequence,
                                       .receipt = *receipt,
                                       .generation = ((struct agent *)ctx)->generation});
}

static void io_allow(void *ctx, bool sending)
{
    struct agent *a = ctx;
    ask(a, &(struct sampler_request){
               .type = SAMPLER_ALLOW, .sending = sending, .declares_known = a->declares_known});
}

static void io_known(void *ctx, uint32_t declares)
{
    ((struct agent *)ctx)->declares_known = declares;
}

static void io_rewind(void *ctx, uint64_t last)
{
    ask(ctx, &(struct sampler_request){
                 .type = SAMPLER_REWIND, .sequence = last, .generation = ((struct agent *)ctx)->generation});
}

static void io_renew(void *ctx)
{
    ask(ctx,
        &(struct sampler_request){.type = SAMPLER_RENEW, .generation = ((struct agent *)ctx)->generation});
}

static uint32_t io_random(void *ctx, uint32_t below)
{
    return (uint32_t)world_random(((struct agent *)ctx)->world, below);
}

static void judge_refusal(struct agent *a, const struct uplink_event *e)
{
    bool never = e->refuse == WIRE_REFUSE_BAD_PROTOCOL || e->refuse == WIRE_REFUSE_BAD_MESSAGE ||
                 e->refuse == WIRE_REFUSE_REVOKED || e->refuse == WIRE_REFUSE_DECLARE_CONFLICT ||
                 e->refuse == WIRE_REFUSE_DECLARE_INVALID || e->refuse == WIRE_REFUSE_OVER_QUOTA;
    bool copies = e->refuse == WIRE_REFUSE_OTHER_BODY && !a->may_renew;
    if (e->refuse == WIRE_REFUSE_DECLARE_CONFLICT && strstr(e->text, "the next one is"))
        never = false; // an earlier one was lost on the way: Hello settles it
    if (never || copies)
        world_fail(a->world, FATE_OTHER, "%s was refused: %s: %s", a->name,
                   wire_refuse_reason_name(e->refuse), e->text);
}

static void io_event(void *ctx, const struct uplink_event *e)
{
    static const char *const names[] = {"connected", "no answer", "key unknown", "lost",
                                        "silent",    "behind",    "ahead",       "other body",
                                        "refused",   "rejected",  "bad message", "unreadable"};
    struct agent *a = ctx;
    struct world *w = a->world;
    world_event(w, "%s: %s %llu %llu %s", a->name, names[e->type], (unsigned long long)e->sequence,
                (unsigned long long)e->number, e->text);
    switch (e->type) {
    case UPLINK_COLLECTOR_BEHIND:
        if (!w->collector.restored)
            world_fail(w, FATE_LOST, "%s: the collector has %llu of %llu acknowledged", a->name,
                       (unsigned long long)e->number, (unsigned long long)e->sequence);
        break;
    case UPLINK_COLLECTOR_AHEAD:
    case UPLINK_OTHER_BODY:
        if (!a->may_renew)
            world_fail(w, FATE_OTHER, "%s takes itself for a copy: %s", a->name, names[e->type]);
        break;
    case UPLINK_REFUSED:
        judge_refusal(a, e);
        break;
    case UPLINK_BAD_MESSAGE:
        world_fail(w, FATE_OTHER, "%s: bad message: %s", a->name, e->text);
        break;
    case UPLINK_SPOOL_UNREADABLE:
        world_fail(w, FATE_OTHER, "%s: its spool can't be read: %s", a->name, e->text);
        break;
    default:
        break;
    }
}

// ---- life
// ---------------------------------------------------------------------------------------------------------------------

static void on_changed(void *ctx)
{
    struct agent *a = ctx;
    int64_t soon = a->world->now_us + world_between(a->world, 0, 5) * US_PER_MS;
    a->uplink_us = a->uplink_us < soon ? a->uplink_us : soon;
}

void agent_create(struct world *w, int index)
{
    struct agent *a = &w->agents[index];
    a->world = w;
    a->index = a->identity = index;
    snprintf(a->name, sizeof a->name, "agent%d", index);
    snprintf(a->folder, sizeof a->folder, "%s/agent%d", w->folder, index);
    a->machine = virtual_disk_add_machine(w->disk, a->folder);
    fake_clock_init(&a->clock, SIM_START_S * US_PER_S + world_between(w, -5, 5) * US_PER_S);
    crypto_random(a->key, sizeof a->key);
    sim_feeds_make(w, a);
    bool small = world_chance(w, 250), short_tail = world_chance(w, 400);
    a->spool_options = (struct spool_options){
        .max_bytes = small ? (uint64_t)world_between(w, 2000, 6000) : 1u << 20,
        .max_age_us = world_chance(w, 100) ? 60 * US_PER_S : INT64_C(30) * 86400 * US_PER_S,
        .tail_bytes = short_tail ? (uint64_t)world_between(w, 0, 3000) : SPOOL_TAIL_BYTES,
        .tail_age_us = world_chance(w, 100) ? 30 * US_PER_S : SPOOL_TAIL_US};
    a->boot_us = w->now_us + world_between(w, 0, 5000) * US_PER_MS;
}

void agent_clone(struct world *w, const struct agent *from, struct agent *to)
{
    int index = (int)(to - w->agents);
    *to = (struct agent){.world = w,
                         .index = index,
                         .identity = from->identity,
                         .spool_options = from->spool_options,
                         .feed_count = from->feed_count,
                         .may_renew = true};
    fake_clock_init(&to->clock, clock_wall(&from->clock.clock).us);
    memcpy(to->key, from->key, sizeof to->key);
    memcpy(to->feeds, from->feeds, sizeof to->feeds);
    snprintf(to->name, sizeof to->name, "agent%d", index);
    snprintf(to->folder, sizeof to->folder, "%s/agent%d", w->folder, index);
    to->machine = virtual_disk_add_machine(w->disk, to->folder);
    copy_folder(from->folder, to->folder);
    to->boot_us = w->now_us + world_between(w, 0, 20000) * US_PER_MS;
    w->agents[from->index].may_renew = true;
}

static void configure(struct agent *a)
{
    for (size_t i = 0; i < a->feed_count; i++) {
        a->feeds[i].agent = a;
        a->feeds[i].config.name = a->feeds[i].name;
        a->feeds[i].config.series = a->feeds[i].series;
        a->feeds[i].config.path = (const char *)&a->feeds[i]; // how a source finds its feed
        a->sources[i] = a->feeds[i].config;
    }
    a->config = (struct agent_config){.file = "sim",
                                      .endpoint = collector_key_text,
                                      .state = a->folder,
                                      .spool_max_bytes = a->spool_options.max_bytes,
                                      .spool_max_age_us = a->spool_options.max_age_us,
                                      .source_count = a->feed_count,
                                      .sources = a->sources};
}

static void close_parts(struct agent *a)
{
    uplink_core_destroy(a->uplink);
    sampler_destroy(a->sampler);
    spool_reader_close(a->reader);
    spool_close(a->spool);
    a->uplink = NULL;
    a->sampler = NULL;
    a->reader = NULL;
    a->spool = NULL;
    struct packet *next;
    for (struct packet *p = a->inbox; p; p = next) {
        next = p->next;
        free(p);
    }
    a->inbox = NULL;
    a->inbox_last = &a->inbox;
    a->request_count = 0;
    a->link_told = (struct uplink_link){0};
    a->declares_known = 0;
    a->running = false;
}

static enum err open_parts(struct agent *a, struct diag *d)
{
    struct spool_opened opened = {0};
    const struct sampler_options o = {
        .config = &a->config, .clock = &a->clock.clock, .changed = on_changed, .ctx = a};
    const struct uplink_io io = {.ctx = a,
                                 .send = io_send,
                                 .transport = io_transport,
                                 .message = io_message,
                                 .declare = io_declare,
                                 .acknowledged = io_acknowledged,
                                 .allow = io_allow,
                                 .known = io_known,
                                 .rewind = io_rewind,
                                 .renew = io_renew,
                                 .random = io_random,
                                 .event = io_event};
    struct sampler_options with_spool = o;
    enum err e = spool_open(a->folder, &a->spool_options, &a->clock.clock, &a->spool, &opened, d);
    if (opened.damaged)
        world_fail(a->world, FATE_LOST, "%s: the spool was set aside: %s", a->name, opened.reason);
    with_spool.spool = a->spool;
    if (e == ERR_OK)
        e = sampler_create(&with_spool, &a->sampler, d);
    if (e == ERR_OK)
        e = spool_reader_open(a->folder, &a->reader, d);
    if (e == ERR_OK)
        e = uplink_core_create(&a->clock.clock, &io, "sim", &a->uplink);
    return e;
}

void agent_boot(struct agent *a)
{
    struct world *w = a->world;
    struct diag d = {""};
    a->boot_us = SIM_NEVER;
    configure(a);
    enum err e = open_parts(a, &d);
    bool dead = virtual_disk_is_dead(w->disk, a->machine);
    world_event(w, "%s boots: %s", a->name, dead ? "and dies" : err_name(e));
    if (e == ERR_OK && !dead) {
        a->running = true;
        a->inbox_last = &a->inbox;
        told_again(a);
        a->generation = spool_peek(a->spool)->generation;
        uplink_core_spool(a->uplink, spool_peek(a->spool));
        a->link = link_open(w, a);
        a->link_up_told = a->link_lost = false;
        a->sampler_us = a->uplink_us = w->now_us;
        return;
    }
    if (!dead && e != ERR_FULL && e != ERR_IO && e != ERR_AGAIN)
        world_fail(w, FATE_OTHER, "%s can't start: %s", a->name, d.text);
    agent_die(a, false);
}

// In the middle of whatever it did. What it was about to put into the spool is there as a whole or not at
// all.
void agent_die(struct agent *a, bool power_cut)
{
    struct world *w = a->world;
    world_event(w, "%s is gone%s", a->name, power_cut ? " with its power" : "");
    virtual_disk_kill(w->disk, a->machine);
    a->in_doubt += a->taken + a->unsettled;
    a->certain += a->settled - a->settled_before; // not written down any more
    a->settled_before = a->settled;
    a->taken = a->unsettled = a->unsettled_once = 0;
    if (a->link)
        link_close_by_agent(w, a->link, !power_cut);
    a->link = NULL;
    close_parts(a);
    virtual_disk_boot(w->disk, a->machine, power_cut);
    a->boot_us = a->off ? SIM_NEVER : w->now_us + world_between(w, 100, 20000) * US_PER_MS;
}

static void account_unsettled(struct agent *a)
{
    a->refused += a->unsettled_once;
    a->unsettled = a->unsettled_once = 0;
}

void agent_stop(struct agent *a)
{
    struct diag d = {""};
    if (!a->running)
        return;
    world_event(a->world, "%s is stopped", a->name);
    sampler_stop(a->sampler, 0);
    if (sampler_settle(a->sampler, &d) == ERR_OK && !virtual_disk_is_dead(a->world->disk, a->machine))
        told_record(a);
    account_unsettled(a);
    agent_die(a, false);
}

void agent_free(struct agent *a)
{
    if (a->running)
        close_parts(a);
    told_free(a);
}

// ---- the sampler's turn
// -------------------------------------------------------------------------------------------------------

static enum err run_sampler(struct agent *a, struct diag *d)
{
    a->settled_before = a->settled;
    enum err e = sampler_step(a->sampler, d);
    if (e == ERR_OK && !virtual_disk_is_dead(a->world->disk, a->machine))
        account_unsettled(a);
    for (size_t i = 0; e == ERR_OK && i < a->request_count; i++)
        e = sampler_request(a->sampler, &a->requests[i], d);
    if (e == ERR_OK)
        a->request_count = 0;
    return e;
}

static void sampler_turn(struct agent *a)
{
    struct world *w = a->world;
    struct diag d = {""};
    enum err e = run_sampler(a, &d);
    bool dead = virtual_disk_is_dead(w->disk, a->machine);
    if (dead || e != ERR_OK) {
        if (!dead && e != ERR_IO)
            world_fail(w, FATE_OTHER, "%s: its sampler ended: %s: %s", a->name, err_name(e), d.text);
        agent_die(a, dead && a->power_cut);
        return;
    }
    told_record(a);
    a->settled_before = a->settled;
    check_counters(a);
    int64_t ms = sampler_wait_ms(a->sampler);
    a->sampler_us =
        w->now_us + (ms > 0 ? ms : 1) * US_PER_MS + world_between(w, 0, ms >= 1000 ? 1500 : 3) * US_PER_MS;
}

// ---- the uplink's turn
// --------------------------------------------------------------------------------------------------------

static void look_at_link(struct agent *a)
{
    if (!a->link)
        return;
    if (a->link_lost) {
        a->link_lost = false;
        uplink_core_disconnected(a->uplink);
    } else if (a->link->at_agent == END_UP && !a->link_up_told) {
        a->link_up_told = true;
        uplink_core_connected(a->uplink);
    }
}

static void receive(struct agent *a)
{
    for (int i = 0; i < RECEIVE_MAX && a->inbox; i++) {
        struct packet *p = a->inbox;
        a->inbox = p->next;
        if (!a->inbox)
            a->inbox_last = &a->inbox;
        if (a->link)
            uplink_core_message(a->uplink, p->bytes, p->len);
        free(p);
    }
}

void agent_deliver(struct agent *a, struct packet *p)
{
    p->next = NULL;
    if (!a->running) {
        free(p);
        return;
    }
    *a->inbox_last = p;
    a->inbox_last = &p->next;
    a->uplink_us = a->uplink_us < a->world->now_us ? a->uplink_us : a->world->now_us;
}

static void tell_link(struct agent *a)
{
    const struct uplink_link *now = uplink_core_link(a->uplink);
    if (uplink_link_same(now, &a->link_told))
        return;
    a->link_told = *now;
    ask(a, &(struct sampler_request){.type = SAMPLER_LINK, .link = *now});
}

static void uplink_turn(struct agent *a)
{
    struct world *w = a->world;
    struct spool_state state;
    struct diag d = {""};
    look_at_link(a);
    if (spool_reader_state(a->reader, &state, &d) == ERR_OK) {
        a->generation = state.generation;
        uplink_core_spool(a->uplink, &state);
    }
    receive(a);
    uplink_core_tick(a->uplink);
    tell_link(a);
    if (a->inbox)
        a->uplink_us = w->now_us;
    else
        a->uplink_us =
            w->now_us + uplink_core_wait_ms(a->uplink) * US_PER_MS + world_between(w, 1, 20) * US_PER_MS;
}

// ---- time
// ---------------------------------------------------------------------------------------------------------------------

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t agent_due_us(const struct agent *a)
{
    if (a->off)
        return SIM_NEVER;
    int64_t due = a->running ? least(a->sampler_us, a->uplink_us) : a->boot_us;
    return due > a->stalled_until_us ? due : a->stalled_until_us;
}

void agent_step(struct agent *a)
{
    int64_t now = a->world->now_us;
    if (!a->running) {
        agent_boot(a);
        return;
    }
    if (a->sampler_us <= now)
        sampler_turn(a);
    if (a->running && a->uplink_us <= now)
        uplink_turn(a);
}

bool agent_is_done(const struct agent *a)
{
    if (a->off)
        return true;
    if (!a->running || !uplink_core_link(a->uplink)->connected)
        return false;
    const struct spool_state *st = spool_peek(a->spool);
    return uplink_core_done(a->uplink) && st->last_acknowledged == st->last_written &&
           st->counters.spooled == 0 && a->taken == 0 && a->request_count == 0;
}
