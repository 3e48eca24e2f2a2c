// See fuzz_store.h.
#include "tests/fuzz/fuzz_store.h"
#include "store/observations.h"
#include "tests/fuzz/fuzz.h"
#include "wire/codec.h"
#include <sys/stat.h>

static const struct ledger_series series[FUZZ_STORE_SERIES] = {
    {.name = "aztm/rolling-mill/out_units/rolls", .unit = "piece", .class = WIRE_MEASUREMENT, .step_s = 10},
    {.name = "aztm/rolling-mill/energy_kwh", .unit = "kwh", .class = WIRE_MEASUREMENT, .step_s = 3600},
    {.name = "aztm/rolling-mill/jobs_total", .unit = "person", .class = WIRE_REPORT, .period = 2},
    {.name = "aztm/rolling-mill/inv", .unit = "money", .currency = "KZT", .class = WIRE_REPORT, .period = 2},
    {.name = "aztm/rolling-mill/out_value",
     .unit = "money",
     .currency = "KZT",
     .class = WIRE_REPORT,
     .period = 4},
    {.name = "aztm/rolling-mill/apt_s", .unit = "second", .class = WIRE_MEASUREMENT, .step_s = 60},
    {.name = "aztm/rolling-mill/local_content", .unit = "percent", .class = WIRE_REPORT, .period = 1},
};

struct maker {
    struct ledger *ledger;
    struct wire_builder *builder;
    struct buf body, verdict;
    int64_t stream_id, key_id;
    struct wire_incarnation incarnation;
    uint64_t sequence;
};

const struct ledger_series *fuzz_store_series(size_t i)
{
    return &series[i % FUZZ_STORE_SERIES];
}

static void add_agent(struct maker *m, const char *resident, uint8_t seed, size_t declares)
{
    uint8_t key[KEY_BYTES];
    struct ledger_agent agent;
    struct ledger_stream stream;
    struct ledger_series made;
    int64_t received_us;
    memset(key, seed, sizeof key);
    memset(&m->incarnation, seed, sizeof m->incarnation);
    FUZZ_CHECK(ledger_agent_add(m->ledger, resident, key, &agent, NULL) == ERR_OK);
    FUZZ_CHECK(ledger_begin(m->ledger, &received_us, NULL) == ERR_OK);
    FUZZ_CHECK(ledger_stream_open(m->ledger, agent.agent_id, &m->incarnation, &stream, NULL) == ERR_OK);
    for (uint32_t i = 0; i < declares; i++)
        FUZZ_CHECK(ledger_declare(m->ledger, stream.stream_id, i, &series[i], &made, NULL) == ERR_OK);
    FUZZ_CHECK(ledger_commit(m->ledger, NULL) == ERR_OK);
    m->stream_id = stream.stream_id;
    m->key_id = agent.key_id;
    m->sequence = 0;
}

static void append(struct maker *m, struct ledger_row *row)
{
    struct wire_receipt receipt;
    int64_t received_us;
    row->stream_id = m->stream_id;
    row->key_id = m->key_id;
    row->sequence = m->sequence + 1;
    if (!row->gap)
        row->last_sequence = row->sequence;
    row->body = m->body.data;
    row->body_len = m->body.len;
    FUZZ_CHECK(ledger_begin(m->ledger, &received_us, NULL) == ERR_OK);
    FUZZ_CHECK(ledger_append(m->ledger, row, &receipt, NULL) == ERR_OK);
    FUZZ_CHECK(ledger_commit(m->ledger, NULL) == ERR_OK);
    m->sequence = row->last_sequence;
}

static void add_batch(struct maker *m, enum wire_class class, const struct wire_sample *samples, size_t count,
                      const struct wire_note *note, uint32_t refused)
{
    struct ledger_row row = {.class = class, .samples = (uint32_t)count};
    const struct wire_refusal refusal = {1, WIRE_REASON_FUTURE};
    buf_reset(&m->body);
    buf_reset(&m->verdict);
    wire_builder_reset(m->builder, class, WIRE_MESSAGE_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(wire_builder_add(m->builder, &samples[i], i == 0 ? note : NULL) == ERR_OK);
    FUZZ_CHECK(wire_builder_finish(m->builder, &m->incarnation, m->sequence + 1, &m->body) == ERR_OK);
    if (refused) {
        const struct wire_message reject = {
            .type = WIRE_REJECT, .reject = {.sequence = m->sequence + 1, .count = 1, .refusals = &refusal}};
        FUZZ_CHECK(wire_encode(&reject, &m->verdict) == ERR_OK);
        row.refused = 1;
        row.verdict = m->verdict.data;
        row.verdict_len = m->verdict.len;
    }
    append(m, &row);
}

static void add_measurements(struct maker *m, int64_t from_s, uint32_t refused)
{
    struct wire_sample samples[8];
    for (int i = 0; i < 8; i++) {
        samples[i] = (struct wire_sample){.series = i < 6 ? 0 : 1, .time = from_s + i * 10};
        if (i == 3)
            samples[i].value = (struct figure){.kind = FIGURE_REAL, .real = 0.25};
        else if (i != 5)
            samples[i].value = (struct figure){.kind = FIGURE_INTEGER, .integer = 100 + i};
    }
    samples[6].time = samples[7].time - 3600 - samples[7].time % 3600;
    samples[7].time = samples[6].time + 3600;
    add_batch(m, WIRE_MEASUREMENT, samples, 8, NULL, refused);
}

static void add_reports(struct maker *m, int64_t value)
{
    const struct wire_note note = {.status = WIRE_PROVISIONAL,
                                   .confidential = true,
                                   .reason = "түзету",
                                   .author = "desk",
                                   .currency = "",
                                   .published_us = FUZZ_EPOCH_US - 86400 * US_PER_S};
    const struct wire_sample samples[] = {
        {.series = 2, .time = 20454, .value = {.kind = FIGURE_INTEGER, .integer = value}}, // 2026-01-01
        {.series = 3, .time = 20454, .value = {.kind = FIGURE_INTEGER, .integer = 100 * value}},
        {.series = 3, .time = 20485}, // 2026-02-01, missing
        {.series = 4, .time = 20454, .value = {.kind = FIGURE_INTEGER, .integer = 7}},
        {.series = 6, .time = 20500, .value = {.kind = FIGURE_REAL, .real = 99.5}},
    };
    add_batch(m, WIRE_REPORT, samples, 5, &note, 0);
}

static void add_gap(struct maker *m)
{
    const struct wire_message gap = {.type = WIRE_GAP,
                                     .gap = {m->incarnation, m->sequence + 1, m->sequence + 3, 40,
                                             FUZZ_EPOCH_S - 60, FUZZ_EPOCH_S, WIRE_GAP_QUOTA_AGE}};
    struct ledger_row row = {
        .class = WIRE_MEASUREMENT, .gap = true, .samples = 40, .last_sequence = m->sequence + 3};
    buf_reset(&m->body);
    FUZZ_CHECK(wire_encode(&gap, &m->body) == ERR_OK);
    append(m, &row);
}

static void fill(struct maker *m, struct fake_clock *clock)
{
    add_agent(m, "aztm/rolling-mill", 1, FUZZ_STORE_SERIES);
    add_measurements(m, FUZZ_EPOCH_S - 86400, 0);
    add_reports(m, 412);
    fake_clock_advance_us(clock, 60 * US_PER_S);
    add_measurements(m, FUZZ_EPOCH_S - 600, 1);
    add_gap(m);
    add_reports(m, 413);
    add_agent(m, "penza/rosstat", 2, 0);
    add_agent(m, "aztm/rolling-mill", 3, 0);
    FUZZ_CHECK(ledger_count(m->ledger, "batches_stored", 0, 5) == ERR_OK);
}

void fuzz_store_make(const char *name)
{
    char state[FUZZ_PATH];
    struct fake_clock clock;
    struct maker m = {0};
    struct observations *o;
    struct reader *r;
    size_t rows;
    fuzz_path(name, state);
    FUZZ_CHECK(crypto_init() == ERR_OK && mkdir(state, 0700) == 0);
    fake_clock_init(&clock, FUZZ_EPOCH_US);
    buf_init(&m.body, WIRE_MESSAGE_MAX_BYTES);
    buf_init(&m.verdict, WIRE_MESSAGE_MAX_BYTES);
    FUZZ_CHECK(wire_builder_create(&m.builder) == ERR_OK);
    FUZZ_CHECK(ledger_open(state, &clock.clock, &m.ledger, NULL) == ERR_OK);
    fill(&m, &clock);
    FUZZ_CHECK(ledger_store_head(m.ledger, NULL) == ERR_OK);
    FUZZ_CHECK(reader_open(state, &r, NULL) == ERR_OK && observations_open(state, &o, NULL) == ERR_OK);
    FUZZ_CHECK(observations_advance(o, r, 100, &rows, NULL) == ERR_OK && rows == 5);
    observations_close(o);
    reader_close(r);
    ledger_close(m.ledger);
    wire_builder_destroy(m.builder);
    buf_deinit(&m.body);
    buf_deinit(&m.verdict);
}
