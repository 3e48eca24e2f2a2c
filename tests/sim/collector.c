// The collector's process: what the threads of ingest, committer and observer do is done here by three actors
// with a time of their own. Between a commit and its acknowledgement, or an item's arrival and its commit,
// anything may happen.
#include "base/fs.h"
#include "tests/sim/world.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_US     (500 * US_PER_MS)
#define IDLE_US     (2 * US_PER_S)
#define RETRY_US    (500 * US_PER_MS)
#define CONNECTIONS 32

// ---- life
// ---------------------------------------------------------------------------------------------------------------------

void collector_create(struct world *w)
{
    struct collector *c = &w->collector;
    snprintf(c->folder, sizeof c->folder, "%s/collector", w->folder);
    c->machine = virtual_disk_add_machine(w->disk, c->folder);
    fake_clock_init(&c->clock, SIM_START_S * US_PER_S);
    c->budget_bytes = world_chance(w, 300) ? (uint64_t)world_between(w, 2000, 40000) : 1u << 20;
    c->max_items = world_chance(w, 300) ? (size_t)world_between(w, 1, 8) : COMMITTER_GROUP_MAX;
    c->boot_us = w->now_us;
}

static enum err send_to_agent(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    return link_send_down(ctx, peer, bytes, len);
}

static enum err admit(void *ctx, const struct ledger_agent *a)
{
    return admission_add(ctx, a);
}

static enum err admit_all(struct world *w, struct diag *d)
{
    struct collector *c = &w->collector;
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < w->agent_count; i++) {
        struct ledger_agent added;
        char resident[32];
        snprintf(resident, sizeof resident, "park/res%d", w->agents[i].identity);
        e = ledger_agent_add(c->ledger, resident, w->agents[i].key, &added, d);
        if (e == ERR_EXISTS)
            e = ERR_OK;
    }
    return e == ERR_OK ? ledger_agents(c->ledger, admit, c->admission, d) : e;
}

// What ledger.head says of the position; 0: no head.
static uint64_t head_position(const struct collector *c)
{
    char path[SIM_PATH + 16], text[256] = "";
    snprintf(path, sizeof path, "%s/%s", c->folder, LEDGER_HEAD);
    FILE *in = fopen(path, "r");
    if (!in)
        return 0;
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    const char *position = strstr(text, "\nposition ");
    return position ? strtoull(position + strlen("\nposition "), NULL, 10) : 0;
}

static enum err open_ledger(struct world *w, struct diag *d)
{
    struct collector *c = &w->collector;
    char head[SIM_PATH + 16];
    enum err e = ledger_open(c->folder, &c->clock.clock, &c->ledger, d);
    if (e == ERR_OK && head_position(c) > ledger_position(c->ledger))
        world_fail(w, FATE_LOST, "a ledger that is shorter than its head says was opened");
    if (e != ERR_CORRUPT || !c->head_may_refuse)
        return e;
    world_event(w, "collector refuses the copy: %.100s", d->text);
    snprintf(head, sizeof head, "%s/%s", c->folder, LEDGER_HEAD);
    (void)unlink(head); // as it says
    c->head_may_refuse = false;
    return ledger_open(c->folder, &c->clock.clock, &c->ledger, d);
}

static enum err open_parts(struct world *w, struct diag *d)
{
    struct collector *c = &w->collector;
    collector_counters_init(&c->counters);
    enum err e = open_ledger(w, d);
    if (e == ERR_OK)
        e = admission_create(&c->admission);
    if (e == ERR_OK)
        e = admit_all(w, d);
    if (e == ERR_OK)
        e = reader_open(c->folder, &c->committer_reader, d);
    if (e == ERR_OK)
        e = reader_open(c->folder, &c->observer_reader, d);
    const struct committer_options co = {.ledger = c->ledger,
                                         .reader = c->committer_reader,
                                         .catalogue = w->catalogue,
                                         .clock = &c->clock.clock,
                                         .counters = &c->counters,
                                         .admission = c->admission};
    if (e == ERR_OK)
        e = committer_create(&co, &c->committer, d);
    const struct ingest_options io = {.clock = &c->clock.clock,
                                      .admission = c->admission,
                                      .counters = &c->counters,
                                      .budget_bytes = c->budget_bytes,
                                      .max_items = c->max_items,
                                      .max_connections = CONNECTIONS,
                                      .send = send_to_agent,
                                      .send_ctx = w};
    return e == ERR_OK ? ingest_create(&io, &c->ingest) : e;
}

static void drop_items(struct item **items, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        item_destroy(items[i]);
    *count = 0;
}

static void close_parts(struct collector *c)
{
    drop_items(c->to_committer, &c->to_committer_count);
    drop_items(c->in_hand, &c->in_hand_count);
    drop_items(c->to_ingest, &c->to_ingest_count);
    ingest_destroy(c->ingest);
    committer_destroy(c->committer);
    observations_close(c->observations);
    reader_close(c->observer_reader);
    reader_close(c->committer_reader);
    admission_destroy(c->admission);
    ledger_close(c->ledger);
    c->ingest = NULL;
    c->committer = NULL;
    c->observations = NULL;
    c->observer_reader = c->committer_reader = NULL;
    c->admission = NULL;
    c->ledger = NULL;
    c->running = c->disk_full = false;
}

void collector_boot(struct world *w)
{
    struct collector *c = &w->collector;
    struct diag d = {""};
    c->boot_us = SIM_NEVER;
    enum err e = open_parts(w, &d);
    bool dead = virtual_disk_is_dead(w->disk, c->machine);
    world_event(w, "collector boots: %s", dead ? "and dies" : err_name(e));
    if (e == ERR_OK && !dead) {
        c->running = true;
        c->head_may_refuse = false;
        c->head_position = UINT64_MAX;
        c->ingest_us = c->committer_us = c->observer_us = w->now_us;
        check_reopened(w);
        return;
    }
    if (!dead && e != ERR_FULL && e != ERR_IO && e != ERR_AGAIN)
        world_fail(w, FATE_LOST, "the collector can't start: %s", d.text);
    collector_die(w, false);
}

void collector_die(struct world *w, bool power_cut)
{
    struct collector *c = &w->collector;
    world_event(w, "collector is gone%s", power_cut ? " with its power" : "");
    virtual_disk_kill(w->disk, c->machine);
    links_collector_gone(w, !power_cut);
    close_parts(c);
    virtual_disk_boot(w->disk, c->machine, power_cut);
    c->boot_us = w->now_us + world_between(w, 100, 20000) * US_PER_MS;
}

void collector_stop(struct world *w)
{
    struct collector *c = &w->collector;
    struct diag d = {""};
    if (!c->running)
        return;
    world_event(w, "collector is stopped");
    if (ledger_store_head(c->ledger, &d) != ERR_OK)
        world_event(w, "no head: %s", d.text);
    collector_die(w, false);
}

void collector_free(struct world *w)
{
    close_parts(&w->collector);
}

// ---- ingest
// -----------------------------------------------------------------------------------------------------------------

bool collector_receive(struct world *w, const struct link *l, const void *bytes, size_t len)
{
    struct collector *c = &w->collector;
    struct mq_message m = {.bytes = (void *)(uintptr_t)bytes, .len = len};
    struct item *item = NULL;
    if (!ingest_has_room(c->ingest) || c->to_committer_count == COMMITTER_GROUP_MAX)
        return false;
    m.peer.len = sizeof l->serial;
    memcpy(m.peer.id, &l->serial, sizeof l->serial);
    snprintf(m.token, sizeof m.token, "%s", l->token);
    enum err e = ingest_receive(c->ingest, &m, &item);
    if (e != ERR_OK)
        world_fail(w, FATE_OTHER, "ingest: %s", err_name(e));
    if (!item)
        return true;
    c->to_committer[c->to_committer_count++] = item;
    int64_t soon = w->now_us + world_between(w, 0, 20) * US_PER_MS;
    c->committer_us = c->committer_us < soon ? c->committer_us : soon;
    return true;
}

// From here on the agent may be told that everything up to the sequence is on disk.
static void note_claim(struct world *w, const struct item_message *m)
{
    const struct link *l = link_of(w, &m->peer);
    struct wire_message message;
    struct diag d = {""};
    const struct wire_incarnation *i;
    if (!l || (m->outcome.kind != OUTCOME_ACK && m->outcome.kind != OUTCOME_WELCOME))
        return;
    if (wire_decode(w->arena, m->bytes, m->len, &message, &d) != ERR_OK)
        return;
    i = message.type == WIRE_HELLO ? &message.hello.incarnation
        : message.type == WIRE_GAP ? &message.gap.incarnation
                                   : &message.batch.incarnation;
    struct told_life *life = told_life(l->agent, i);
    if (life && m->outcome.kind == OUTCOME_ACK && m->outcome.sequence > life->claimed)
        life->claimed = m->outcome.sequence;
    world_event(w, "%s is told %" PRIu64, l->agent->name, m->outcome.sequence);
}

static void ingest_turn(struct world *w)
{
    struct collector *c = &w->collector;
    struct mono now = clock_mono(&c->clock.clock);
    for (size_t i = 0; i < c->to_ingest_count; i++) {
        note_claim(w, &c->to_ingest[i]->message);
        ingest_finish(c->ingest, c->to_ingest[i]);
    }
    c->to_ingest_count = 0;
    if (mono_diff_ms(now, c->ticked) >= TICK_US / US_PER_MS) {
        c->ticked = now;
        ingest_tick(c->ingest, c->disk_full || collector_gauge(&c->counters, GAUGE_CLOCK_BEHIND_S) > 0);
    }
    c->ingest_us = w->now_us + TICK_US;
}

// ---- committer
// --------------------------------------------------------------------------------------------------------------

static void gather(struct collector *c)
{
    while (c->to_committer_count > 0 && c->in_hand_count < COMMITTER_GROUP_MAX) {
        size_t room = COMMITTER_GROUP_MAX - c->in_hand_count;
        size_t n = c->to_committer_count < room ? c->to_committer_count : room;
        memcpy(c->in_hand + c->in_hand_count, c->to_committer, n * sizeof c->in_hand[0]);
        memmove(c->to_committer, c->to_committer + n,
                (c->to_committer_count - n) * sizeof c->to_committer[0]);
        c->in_hand_count += n;
        c->to_committer_count -= n;
    }
}

// Nothing is taken in while the clock is behind; sooner or later an operator says that it is right.
static enum err operator_looks(struct world *w)
{
    struct collector *c = &w->collector;
    if (!committer_clock_behind(c->committer) || (w->now_us < w->quiet_us && !world_chance(w, 50)))
        return ERR_OK;
    struct item *item = item_create(ITEM_CLOCK, NULL);
    if (!item)
        return ERR_NOMEM;
    snprintf(item->admin->confirmation.author, sizeof item->admin->confirmation.author, "operator");
    enum err e = committer_admin(c->committer, item);
    world_event(w, "the clock is confirmed: %s", err_name(item->admin->result));
    item_destroy(item);
    c->observer_us = w->now_us + world_between(w, 0, 3000) * US_PER_MS; // a row without a message
    return e;
}

static enum err each_second(struct world *w, struct diag *d)
{
    struct collector *c = &w->collector;
    struct mono now = clock_mono(&c->clock.clock);
    enum err e = ERR_OK;
    if (mono_diff_ms(now, c->head_stored) < 1000)
        return ERR_OK;
    c->head_stored = now;
    if ((e = operator_looks(w)) != ERR_OK)
        return e;
    if (ledger_position(c->ledger) != c->head_position) {
        e = ledger_store_head(c->ledger, d);
        if (e == ERR_OK)
            c->head_position = ledger_position(c->ledger);
        e = e == ERR_FULL ? ERR_OK : e;
    }
    if (e == ERR_OK && world_chance(w, 100)) { // the log has grown
        e = ledger_checkpoint(c->ledger, d);
        e = e == ERR_FULL || e == ERR_AGAIN ? ERR_OK : e;
    }
    return e;
}

static void hand_back(struct world *w)
{
    struct collector *c = &w->collector;
    size_t room = COMMITTER_GROUP_MAX - c->to_ingest_count;
    size_t n = c->in_hand_count < room ? c->in_hand_count : room;
    memcpy(c->to_ingest + c->to_ingest_count, c->in_hand, n * sizeof c->in_hand[0]);
    memmove(c->in_hand, c->in_hand + n, (c->in_hand_count - n) * sizeof c->in_hand[0]);
    c->to_ingest_count += n;
    c->in_hand_count -= n;
    int64_t soon = w->now_us + world_between(w, 0, 20) * US_PER_MS;
    c->ingest_us = c->ingest_us < soon ? c->ingest_us : soon;
    c->observer_us = w->now_us + world_between(w, 0, 3000) * US_PER_MS;
}

static void committer_turn(struct world *w)
{
    struct collector *c = &w->collector;
    struct diag d = {""};
    enum err e = ERR_OK;
    gather(c);
    c->committer_us = w->now_us + IDLE_US;
    if (c->in_hand_count > 0) {
        e = committer_run(c->committer, c->in_hand, c->in_hand_count, &d);
        world_event(w, "collector commits %zu: %s, position %" PRIu64, c->in_hand_count, err_name(e),
                    ledger_position(c->ledger));
        c->disk_full = e == ERR_FULL;
        if (e == ERR_FULL)
            c->committer_us = w->now_us + RETRY_US;
        else if (e == ERR_OK)
            hand_back(w);
    }
    if (e == ERR_OK || e == ERR_FULL)
        e = each_second(w, &d);
    bool dead = virtual_disk_is_dead(w->disk, c->machine);
    if (e == ERR_OK && !dead)
        return;
    if (!dead && e != ERR_IO)
        world_fail(w, FATE_OTHER, "the committer ended: %s: %s", err_name(e), d.text);
    collector_die(w, dead && c->power_cut);
}

// ---- observer
// ---------------------------------------------------------------------------------------------------------------

static enum err observe(struct world *w, size_t *rows, struct diag *d)
{
    struct collector *c = &w->collector;
    uint64_t position;
    int64_t received_us;
    bool first = !c->observations;
    enum err e = first ? observations_open(c->folder, &c->observations, d) : ERR_OK;
    if (e == ERR_OK && first) {
        e = reader_head(c->observer_reader, &position, &received_us, d);
        if (e == ERR_OK && observations_cursor(c->observations) > position)
            e = observations_reset(c->observations, d);
    }
    size_t max = world_chance(w, 500) ? 2000 : (size_t)world_between(w, 1, 20);
    return e == ERR_OK ? observations_advance(c->observations, c->observer_reader, max, rows, d) : e;
}

static void observer_turn(struct world *w)
{
    struct collector *c = &w->collector;
    struct diag d = {""};
    size_t rows = 0;
    enum err e = observe(w, &rows, &d);
    c->observer_us = rows > 0 ? w->now_us + US_PER_MS : SIM_NEVER; // until there is more
    if (virtual_disk_is_dead(w->disk, c->machine)) {
        collector_die(w, c->power_cut);
    } else if (e != ERR_OK) {
        world_event(w, "observer: %s: %.100s", err_name(e), d.text);
        if (e == ERR_CORRUPT || e == ERR_INTERNAL)
            world_fail(w, FATE_OTHER, "the observer: %s", d.text);
        if (e == ERR_IO) {
            observations_close(c->observations);
            c->observations = NULL;
        }
        c->observer_us = w->now_us + US_PER_S;
    }
}

// ---- time
// -------------------------------------------------------------------------------------------------------------------

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t collector_due_us(const struct world *w)
{
    const struct collector *c = &w->collector;
    int64_t due = c->running ? least(c->ingest_us, least(c->committer_us, c->observer_us)) : c->boot_us;
    return due > c->stalled_until_us ? due : c->stalled_until_us;
}

void collector_step(struct world *w)
{
    struct collector *c = &w->collector;
    if (!c->running) {
        collector_boot(w);
        return;
    }
    if (c->ingest_us <= w->now_us)
        ingest_turn(w);
    if (c->committer_us <= w->now_us)
        committer_turn(w);
    if (c->running && c->observer_us <= w->now_us)
        observer_turn(w);
}
