// The collector's inside as hostile agents see it: the input is a script of messages from four connections
// with two keys, commits, time, full queues, revocations. Whatever they say, every answer is a message of
// esep.proto, nothing is acknowledged that is not in the ledger, the ledger verifies, and the counters add up
// to what its streams say.
#include "base/log.h"
#include "collector/committer.h"
#include "collector/ingest.h"
#include "collector/rrd_writer.h"
#include "collector/status.h"
#include "store/observations.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store.h"
#include "wire/codec.h"
#include <sys/stat.h>

#define PEERS     4
#define AGENTS    2 // peers 0 and 1 have the first key, 2 and 3 the second
#define ITEMS_MAX 64

struct peer {
    struct wire_incarnation incarnation;
    uint64_t acknowledged; // as the collector said
    uint64_t pending;      // sent since
    uint32_t declared;
};

struct core {
    char state[FUZZ_PATH];
    struct fake_clock clock;
    struct counters counters;
    struct ledger *ledger;
    struct reader *reader;
    struct admission *admission;
    struct ingest *ingest;
    struct committer *committer;
    struct observations *observations;
    struct rrd_writer *rrd;
    struct observations_reader *rrd_observations;
    struct reader *rrd_reader;
    char tokens[AGENTS + 1][ADMISSION_TOKEN];
    struct peer peers[PEERS];
    struct item *items[ITEMS_MAX];
    size_t item_count;
    enum err send_result;
    uint8_t last[WIRE_MESSAGE_MAX_BYTES]; // the message before, to be sent again
    size_t last_len;
};

static struct wire_arena *arena;
static struct catalogue *catalogue;

// ---- what comes back

static enum err on_send(void *ctx, const struct mq_peer *peer, const void *bytes, size_t len)
{
    struct core *c = ctx;
    struct wire_message m;
    FUZZ_CHECK(wire_decode(arena, bytes, len, &m, NULL) == ERR_OK);
    FUZZ_CHECK(peer->len == 4 && peer->id[0] < PEERS);
    struct peer *p = &c->peers[peer->id[0]];
    switch (m.type) {
    case WIRE_WELCOME:
        p->acknowledged = m.welcome.last_sequence;
        p->declared = m.welcome.declares_known;
        p->pending = 0;
        break;
    case WIRE_ACK:
        p->acknowledged = m.ack.sequence;
        p->pending = 0;
        FUZZ_CHECK(m.ack.receipt.position <= ledger_position(c->ledger));
        break;
    case WIRE_NEED_DECLARE:
        p->declared = m.need_declare_from;
        break;
    default:
        FUZZ_CHECK(m.type == WIRE_REJECT || m.type == WIRE_REFUSE || m.type == WIRE_ROTATED);
        break;
    }
    return c->send_result;
}

// ---- what is sent

static void receive(struct core *c, uint8_t from, const void *bytes, size_t len)
{
    struct mq_message m = {.peer = {.id = {from % PEERS}, .len = 4}, .len = len};
    struct item *item = NULL;
    uint8_t *exact = malloc(len + 1); // so that a byte read past the end is seen
    FUZZ_CHECK(exact);
    if (len > 0)
        memcpy(exact, bytes, len);
    m.bytes = exact;
    memcpy(m.token, c->tokens[from & 0x80 ? AGENTS : from % PEERS / 2], sizeof m.token);
    FUZZ_CHECK(ingest_receive(c->ingest, &m, &item) == ERR_OK);
    free(exact);
    if (!item)
        return;
    if (c->item_count == ITEMS_MAX)
        ingest_abandon(c->ingest, item);
    else
        c->items[c->item_count++] = item;
}

static void send(struct core *c, uint8_t from, const struct wire_message *m)
{
    struct buf out;
    buf_init(&out, WIRE_MESSAGE_MAX_BYTES);
    if (wire_encode(m, &out) == ERR_OK) {
        memcpy(c->last, out.data, out.len);
        c->last_len = out.len;
        receive(c, from, out.data, out.len);
    }
    buf_deinit(&out);
}

static void hello(struct core *c, uint8_t from, struct fuzz_input *in)
{
    struct peer *p = &c->peers[from % PEERS];
    uint8_t number = fuzz_u8(in) % 4;
    struct wire_message m = {
        .type = WIRE_HELLO,
        .hello = {.protocol = fuzz_u8(in) == 255 ? 2 : WIRE_PROTOCOL, .version = "0.1.0"}};
    memset(&p->incarnation, number + 1, sizeof p->incarnation);
    m.hello.incarnation = p->incarnation;
    m.hello.clock_us = fuzz_number(in, FUZZ_EPOCH_US);
    m.hello.declares = (uint32_t)fuzz_number(in, p->declared);
    m.hello.last_written = (uint64_t)fuzz_number(in, (int64_t)p->acknowledged);
    m.hello.last_acknowledged = (uint64_t)fuzz_number(in, (int64_t)p->acknowledged);
    m.hello.last_receipt.position = (uint64_t)fuzz_number(in, 0);
    send(c, from, &m);
}

static void declare(struct core *c, uint8_t from, struct fuzz_input *in)
{
    struct peer *p = &c->peers[from % PEERS];
    uint8_t which = fuzz_u8(in);
    const struct ledger_series *s = fuzz_store_series(which);
    char *series = which & 0x80 ? fuzz_text(in, 140) : strdup(strchr(strchr(s->name, '/') + 1, '/') + 1);
    FUZZ_CHECK(series);
    struct wire_message m = {.type = WIRE_DECLARE,
                             .declare = {.incarnation = p->incarnation,
                                         .number = p->declared,
                                         .series = series,
                                         .unit = s->unit,
                                         .currency = s->currency,
                                         .class = s->class,
                                         .step_s = s->step_s,
                                         .period = s->period}};
    uint8_t wrong = fuzz_u8(in);
    if (wrong == 1)
        m.declare.number = (uint32_t)fuzz_number(in, p->declared);
    else if (wrong == 2)
        m.declare.currency = "USD";
    else if (wrong == 3)
        m.declare.period = fuzz_u8(in);
    else if (wrong == 4)
        m.declare.step_s = fuzz_u16(in);
    else
        p->declared++;
    send(c, from, &m);
    free(series);
}

static uint64_t next_sequence(struct peer *p, struct fuzz_input *in)
{
    uint8_t wrong = fuzz_u8(in);
    if (wrong >= 224)
        return (uint64_t)fuzz_number(in, (int64_t)p->acknowledged);
    return p->acknowledged + ++p->pending;
}

static struct figure figure(struct fuzz_input *in)
{
    struct figure f = figure_missing();
    uint8_t how = fuzz_u8(in);
    enum err e = how % 4 == 0   ? ERR_OK
                 : how % 4 == 1 ? figure_from_real(fuzz_real(in), &f)
                                : figure_from_integer(how % 4 == 2 ? how : fuzz_number(in, 1000), &f);
    return e == ERR_OK ? f : figure_missing();
}

static void batch(struct core *c, uint8_t from, struct fuzz_input *in)
{
    struct peer *p = &c->peers[from % PEERS];
    struct wire_sample samples[32];
    struct wire_note note = {.reason = "түзету", .author = "", .currency = ""};
    uint8_t how = fuzz_u8(in);
    struct wire_message m = {
        .type = WIRE_BATCH,
        .batch = {.incarnation = p->incarnation,
                  .sequence = next_sequence(p, in),
                  .class = how & 1 ? WIRE_REPORT : WIRE_MEASUREMENT,
                  .declares = how & 2 ? (uint32_t)fuzz_number(in, p->declared) : p->declared,
                  .samples = samples,
                  .notes = &note}};
    m.batch.count = fuzz_u8(in) % 32;
    int64_t now_s = clock_wall(&c->clock.clock).us / US_PER_S,
            time = how & 1 ? now_s / 86400 : now_s - now_s % 3600;
    for (size_t i = 0; i < m.batch.count; i++) {
        uint8_t series = fuzz_u8(in);
        int64_t later = (how & 1 ? -28 : 10) * (series >> 4 & 7);
        time = series & 0x80 ? fuzz_number(in, time) : (int64_t)((uint64_t)time + (uint64_t)later);
        samples[i] = (struct wire_sample){.series = series & 15, .time = time, .value = figure(in)};
    }
    if (how & 4) {
        m.batch.note_count = 1;
        note.index = fuzz_u8(in) % 32;
        note.status = (enum wire_status)(fuzz_u8(in) % 4);
        note.currency = how & 8 ? "USD" : "";
        note.published_us = fuzz_number(in, 0);
    }
    send(c, from, &m);
}

static void gap(struct core *c, uint8_t from, struct fuzz_input *in)
{
    struct peer *p = &c->peers[from % PEERS];
    uint64_t first = next_sequence(p, in), last = first + fuzz_u8(in);
    struct wire_message m = {
        .type = WIRE_GAP,
        .gap = {p->incarnation, first, last, (uint64_t)fuzz_number(in, 100), 0, 0, WIRE_GAP_QUOTA_AGE}};
    if (fuzz_u8(in) >= 224)
        m.gap.last = (uint64_t)fuzz_number(in, (int64_t)first);
    p->pending += m.gap.last - first; // may wrap around: then so it is
    m.gap.from_s = fuzz_number(in, FUZZ_EPOCH_S);
    m.gap.to_s = fuzz_number(in, FUZZ_EPOCH_S);
    send(c, from, &m);
}

static void heartbeat(struct core *c, uint8_t from, struct fuzz_input *in)
{
    struct wire_message m = {.type = WIRE_HEARTBEAT};
    m.heartbeat.clock_us = fuzz_number(in, FUZZ_EPOCH_US);
    fuzz_take(in, &m.heartbeat.counters, sizeof m.heartbeat.counters);
    send(c, from, &m);
}

// ---- what the collector does

static void commit(struct core *c)
{
    struct diag d = {""};
    if (c->item_count == 0)
        return;
    enum err e = committer_run(c->committer, c->items, c->item_count, &d);
    if (e != ERR_OK)
        fprintf(stderr, "%s: %s\n", err_name(e), d.text);
    FUZZ_CHECK(e == ERR_OK);
    for (size_t i = 0; i < c->item_count; i++)
        ingest_finish(c->ingest, c->items[i]);
    c->item_count = 0;
}

static void change_keys(struct core *c, struct fuzz_input *in)
{
    uint8_t what = fuzz_u8(in);
    struct item *item = item_create(what & 1 ? ITEM_REVOKE : ITEM_ADMIT, NULL);
    FUZZ_CHECK(item);
    if (what & 1) {
        item->admin->agent.key_id = fuzz_number(in, 1);
    } else {
        memset(item->admin->agent.public_key, what >> 1 & 3, KEY_BYTES);
        snprintf(item->admin->agent.resident, sizeof item->admin->agent.resident, "%s",
                 what & 0x80 ? "aztm/foundry" : "aztm/rolling-mill");
    }
    FUZZ_CHECK(committer_admin(c->committer, item) == ERR_OK);
    item_destroy(item);
}

static void observe(struct core *c)
{
    struct diag d = {""};
    size_t rows = 0;
    enum err e = observations_advance(c->observations, c->reader, 100, &rows, &d);
    if (e != ERR_OK)
        fprintf(stderr, "%s: %s\n", err_name(e), d.text);
    FUZZ_CHECK(e == ERR_OK);
}

// Opened when first asked for: it makes files.
static void land(struct core *c)
{
    struct diag d = {""};
    size_t did = 1;
    observe(c);
    if (!c->rrd) {
        FUZZ_CHECK(reader_open(c->state, &c->rrd_reader, &d) == ERR_OK);
        FUZZ_CHECK(observations_reader_open(c->state, &c->rrd_observations, &d) == ERR_OK);
        const struct rrd_writer_options o = {c->state, c->rrd_reader, c->rrd_observations, &c->clock.clock,
                                             &c->counters};
        FUZZ_CHECK(rrd_writer_open(&o, &c->rrd, &d) == ERR_OK);
    }
    for (int i = 0; i < 8 && did > 0; i++) {
        enum err e = rrd_writer_step(c->rrd, &did, &d);
        if (e != ERR_OK)
            fprintf(stderr, "%s: %s\n", err_name(e), d.text);
        FUZZ_CHECK(e == ERR_OK);
    }
}

static void tell(struct core *c)
{
    struct snapshot snapshot;
    struct diag d;
    json_t *json = NULL;
    struct buf text;
    FUZZ_CHECK(ingest_snapshot(c->ingest, &snapshot) == ERR_OK);
    const struct status_input in = {"running", c->reader, &c->counters, &snapshot, 0, 0, 0};
    FUZZ_CHECK(collector_status_json(&in, &json, &d) == ERR_OK);
    buf_init(&text, 1u << 20);
    collector_status_print(json, &text);
    FUZZ_CHECK(text.failed == ERR_OK);
    buf_deinit(&text);
    json_decref(json);
    free(snapshot.agents);
}

static void pass_time(struct core *c, struct fuzz_input *in)
{
    static const int64_t seconds[] = {0, 1, 5, 30, 61, 100, 3600, 86400};
    uint8_t how = fuzz_u8(in);
    fake_clock_advance_us(&c->clock, seconds[how & 7] * US_PER_S);
    if (how & 0x40)
        fake_clock_step_us(&c->clock, how & 8 ? 7200 * US_PER_S : -7200 * US_PER_S);
    ingest_tick(c->ingest, how & 0x80);
}

static void raw(struct core *c, uint8_t from, struct fuzz_input *in)
{
    size_t len = fuzz_u8(in);
    if (len >= 240)
        len = fuzz_u16(in);
    const uint8_t *at = fuzz_bytes(in, &len);
    receive(c, from, at, len);
}

static void step(struct core *c, struct fuzz_input *in)
{
    static const enum err results[] = {ERR_OK, ERR_AGAIN, ERR_CLOSED, ERR_OK};
    uint8_t what = fuzz_u8(in), from = what >> 4 & 3;
    switch (what & 15) {
    case 0:
        raw(c, fuzz_u8(in), in);
        break;
    case 1:
        hello(c, from, in);
        break;
    case 2:
        declare(c, from, in);
        break;
    case 3:
    case 4:
        batch(c, from, in);
        break;
    case 5:
        gap(c, from, in);
        break;
    case 6:
        heartbeat(c, from, in);
        break;
    case 7:
    case 8:
        commit(c);
        break;
    case 9:
        pass_time(c, in);
        break;
    case 10:
        c->send_result = results[from];
        break;
    case 11:
        while (c->item_count > 0)
            ingest_abandon(c->ingest, c->items[--c->item_count]);
        break;
    case 12:
        change_keys(c, in);
        break;
    case 13:
        receive(c, from, c->last, c->last_len);
        break;
    case 14:
        from == 0 ? land(c) : observe(c);
        break;
    default:
        tell(c);
        break;
    }
}

// ---- setting up and looking at what is left

static void make_template(void)
{
    static const char *const residents[AGENTS] = {"aztm/rolling-mill", "penza/rosstat"};
    char state[FUZZ_PATH];
    struct fake_clock clock;
    struct ledger *l;
    uint8_t key[KEY_BYTES];
    struct ledger_agent agent;
    fuzz_path("template", state);
    FUZZ_CHECK(crypto_init() == ERR_OK && mkdir(state, 0700) == 0);
    fake_clock_init(&clock, FUZZ_EPOCH_US);
    FUZZ_CHECK(ledger_open(state, &clock.clock, &l, NULL) == ERR_OK);
    for (uint8_t i = 0; i < AGENTS; i++) {
        memset(key, i + 1, sizeof key);
        FUZZ_CHECK(ledger_agent_add(l, residents[i], key, &agent, NULL) == ERR_OK);
    }
    FUZZ_CHECK(ledger_store_head(l, NULL) == ERR_OK);
    ledger_close(l);
}

static enum err on_agent(void *ctx, const struct ledger_agent *a)
{
    return admission_add(ctx, a);
}

static void open_state(struct core *c)
{
    static const char *const files[] = {LEDGER_FILE, LEDGER_HEAD};
    char name[64], from[FUZZ_PATH], to[FUZZ_PATH];
    fuzz_path("state", c->state);
    fuzz_remove(c->state);
    FUZZ_CHECK(mkdir(c->state, 0700) == 0);
    for (size_t i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "template/%s", files[i]);
        fuzz_path(name, from);
        snprintf(name, sizeof name, "state/%s", files[i]);
        fuzz_path(name, to);
        fuzz_copy(from, to);
    }
    fake_clock_init(&c->clock, FUZZ_EPOCH_US);
    FUZZ_CHECK(ledger_open(c->state, &c->clock.clock, &c->ledger, NULL) == ERR_OK);
    FUZZ_CHECK(reader_open(c->state, &c->reader, NULL) == ERR_OK);
    FUZZ_CHECK(observations_open(c->state, &c->observations, NULL) == ERR_OK);
}

static void open_core(struct core *c)
{
    uint8_t key[KEY_BYTES];
    open_state(c);
    collector_counters_init(&c->counters);
    FUZZ_CHECK(admission_create(&c->admission) == ERR_OK);
    FUZZ_CHECK(ledger_agents(c->ledger, on_agent, c->admission, NULL) == ERR_OK);
    for (uint8_t i = 0; i < AGENTS; i++) {
        memset(key, i + 1, sizeof key);
        FUZZ_CHECK(admission_decide(c->admission, key, c->tokens[i]));
    }
    snprintf(c->tokens[AGENTS], sizeof c->tokens[0], "a-token-of-nobody");
    const struct ingest_options in = {.clock = &c->clock.clock,
                                      .admission = c->admission,
                                      .counters = &c->counters,
                                      .budget_bytes = 1u << 20,
                                      .max_items = ITEMS_MAX,
                                      .max_connections = PEERS,
                                      .send = on_send,
                                      .send_ctx = c};
    FUZZ_CHECK(ingest_create(&in, &c->ingest) == ERR_OK);
    const struct committer_options co = {.ledger = c->ledger,
                                         .reader = c->reader,
                                         .catalogue = catalogue,
                                         .clock = &c->clock.clock,
                                         .counters = &c->counters,
                                         .admission = c->admission};
    FUZZ_CHECK(committer_create(&co, &c->committer, NULL) == ERR_OK);
}

struct sums {
    uint64_t accepted, quarantined, gap;
};

static enum err add_stream(void *ctx, const struct reader_stream *s)
{
    struct sums *sums = ctx;
    sums->accepted += s->stream.accepted;
    sums->quarantined += s->stream.quarantined;
    sums->gap += s->stream.gap;
    return ERR_OK;
}

static void on_damage(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "verify: %s\n", text);
}

static void look(struct core *c)
{
    struct reader_verified v;
    struct sums sums = {0};
    FUZZ_CHECK(ledger_store_head(c->ledger, NULL) == ERR_OK);
    FUZZ_CHECK(reader_verify(c->reader, on_damage, NULL, &v, NULL) == ERR_OK && v.damaged == 0);
    FUZZ_CHECK(reader_streams(c->reader, add_stream, &sums, NULL) == ERR_OK);
    FUZZ_CHECK(sums.accepted == collector_counted(&c->counters, COUNTER_SAMPLES_ACCEPTED));
    FUZZ_CHECK(sums.quarantined == collector_counted(&c->counters, COUNTER_SAMPLES_QUARANTINED));
    FUZZ_CHECK(sums.gap == collector_counted(&c->counters, COUNTER_SAMPLES_GAP));
    observe(c);
}

static void close_core(struct core *c)
{
    struct diag d;
    struct ledger *again;
    if (c->rrd)
        FUZZ_CHECK(rrd_writer_stop(c->rrd, true, &d) == ERR_OK);
    rrd_writer_close(c->rrd);
    observations_reader_close(c->rrd_observations);
    reader_close(c->rrd_reader);
    committer_destroy(c->committer);
    ingest_destroy(c->ingest);
    admission_destroy(c->admission);
    observations_close(c->observations);
    reader_close(c->reader);
    ledger_close(c->ledger);
    FUZZ_CHECK(ledger_open(c->state, &c->clock.clock, &again, &d) == ERR_OK);
    ledger_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct core c;
    struct fuzz_input in = {bytes, len};
    if (!arena) {
        log_set_level((enum log_level)(LOG_ERROR + 1)); // every second message is worth a line
        FUZZ_CHECK(wire_arena_create(&arena) == ERR_OK);
        FUZZ_CHECK(catalogue_load("deploy/catalogue.yaml", &catalogue, NULL) == ERR_OK);
        make_template();
    }
    memset(&c, 0, sizeof c);
    open_core(&c);
    for (int i = 0; i < 200 && in.left > 0; i++)
        step(&c, &in);
    commit(&c);
    look(&c);
    close_core(&c);
    return 0;
}
