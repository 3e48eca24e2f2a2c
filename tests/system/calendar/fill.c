// Writes a ledger as a collector would have over years, with the moments of receipt that a plan gives:
// nothing of the projections is made here, the real programs do that. check.py writes the plan.
//   fill STATE <PLAN
// Lines, in rising order of receipt (seconds), words parted by blanks:
//   resident PARK/RESIDENT                              the next one, from 0
//   series RESIDENT NAME UNIT CURRENCY|- m|r STEP|PERIOD   its next series, from 0
//   rates RECEIVED KIND BYTES                            and the document on the lines that follow
//   s RECEIVED RESIDENT SERIES TIME VALUE|- [CURRENCY|- [PUBLISHED]]     a report or a measurement
//   run RECEIVED RESIDENT SERIES FROM TO A B M D         measurements of every step in FROM < time <= TO:
//                       n = time / step; (n A + B) mod M, over D where D is not 1; unknown where n mod 997 is
//                       0
#include "base/buf.h"
#include "base/clock.h"
#include "store/ledger_keep.h"
#include "wire/codec.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESIDENTS_MAX 100
#define SERIES_MAX    16
#define LINE_MAX_     1000
#define BATCH_SAMPLES 1500

struct member {
    int64_t stream_id, key_id;
    struct wire_incarnation incarnation;
    char name[128];
    uint64_t sequence;
    uint32_t declared;
    struct {
        enum wire_class class;
        uint32_t step_s;
    } series[SERIES_MAX];
};

struct filling {
    struct fake_clock clock;
    struct ledger *ledger;
    struct wire_builder *builder;
    struct buf body;
    struct member members[RESIDENTS_MAX];
    char *rest;                  // of the line
    size_t count, line, pending; // pending: samples in the builder, of `open`
    struct member *open;
    enum wire_class class;
    bool in_transaction;
    uint64_t rows, samples;
};

static struct filling filling;

static void die(const char *what, const struct diag *d)
{
    fprintf(stderr, "fill: line %zu: %s%s%s\n", filling.line, what, d ? ": " : "", d ? d->text : "");
    exit(1);
}

static void must(enum err e, const char *what, const struct diag *d)
{
    if (e != ERR_OK)
        die(what, d && d->text[0] ? d : NULL);
}

static void flush(struct filling *f)
{
    struct diag d = {""};
    struct wire_receipt receipt;
    struct member *m = f->open;
    if (f->pending == 0)
        return;
    buf_reset(&f->body);
    must(wire_builder_finish(f->builder, &m->incarnation, m->sequence + 1, &f->body), "a batch", NULL);
    const struct ledger_row row = {.stream_id = m->stream_id,
                                   .key_id = m->key_id,
                                   .class = f->class,
                                   .sequence = m->sequence + 1,
                                   .last_sequence = m->sequence + 1,
                                   .samples = (uint32_t)f->pending,
                                   .body = f->body.data,
                                   .body_len = f->body.len};
    must(ledger_append(f->ledger, &row, &receipt, &d), "a row", &d);
    m->sequence++;
    f->rows++;
    f->samples += f->pending;
    f->pending = 0;
}

static void commit(struct filling *f)
{
    struct diag d = {""};
    flush(f);
    if (f->in_transaction)
        must(ledger_commit(f->ledger, &d), "a commit", &d);
    f->in_transaction = false;
}

// A transaction has one moment of receipt.
static void receive_at(struct filling *f, int64_t received_s)
{
    struct diag d = {""};
    int64_t at_us = received_s * US_PER_S, now_us = clock_wall(&f->clock.clock).us;
    if (at_us < now_us)
        die("received before the line above it", NULL);
    if (at_us > now_us) {
        commit(f);
        fake_clock_advance_us(&f->clock, at_us - now_us);
    }
    if (!f->in_transaction)
        must(ledger_begin(f->ledger, &at_us, &d), "a transaction", &d);
    f->in_transaction = true;
}

static void put(struct filling *f, struct member *m, enum wire_class class, const struct wire_sample *s,
                const struct wire_note *note)
{
    if (f->open != m || f->class != class || f->pending == BATCH_SAMPLES)
        flush(f);
    for (int tries = 0; tries < 2; tries++) {
        if (f->pending == 0) {
            f->open = m;
            f->class = class;
            wire_builder_reset(f->builder, class, WIRE_MESSAGE_MAX_BYTES);
        }
        enum err e = wire_builder_add(f->builder, s, note);
        if (e == ERR_OK) {
            f->pending++;
            return;
        }
        if (e != ERR_FULL)
            break;
        flush(f);
    }
    die("a sample that no batch takes", NULL);
}

// ---- the plan

// The line's next word, "" at its end.
static const char *word(struct filling *f)
{
    char *at = f->rest + strspn(f->rest, " \n"), *end = at + strcspn(at, " \n");
    f->rest = *end ? end + 1 : end;
    *end = '\0';
    return at;
}

static int64_t number(struct filling *f)
{
    const char *text = word(f);
    char *end;
    long long v = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0')
        die("not a number", NULL);
    return v;
}

static struct member *member(struct filling *f)
{
    int64_t i = number(f);
    if (i < 0 || (uint64_t)i >= f->count)
        die("there is no such resident", NULL);
    return &f->members[i];
}

static void add_resident(struct filling *f)
{
    struct diag d = {""};
    struct ledger_agent agent;
    struct ledger_stream stream;
    uint8_t key[KEY_BYTES] = {7};
    if (f->count == RESIDENTS_MAX)
        die("too many residents", NULL);
    struct member *m = &f->members[f->count++];
    snprintf(m->name, sizeof m->name, "%s", word(f));
    key[1] = (uint8_t)f->count;
    memcpy(m->incarnation.bytes, key, sizeof m->incarnation.bytes);
    must(ledger_agent_add(f->ledger, m->name, key, &agent, &d), "a resident", &d);
    receive_at(f, clock_wall(&f->clock.clock).us / US_PER_S);
    must(ledger_stream_open(f->ledger, agent.agent_id, &m->incarnation, &stream, &d), "a stream", &d);
    m->stream_id = stream.stream_id;
    m->key_id = agent.key_id;
}

static const char *currency_word(const char *text)
{
    return strcmp(text, "-") == 0 ? "" : text;
}

static void add_series(struct filling *f)
{
    struct diag d = {""};
    struct ledger_series wanted = {.name = ""}, made;
    struct member *m = member(f);
    if (m->declared == SERIES_MAX)
        die("too many series", NULL);
    snprintf(wanted.name, sizeof wanted.name, "%s/%s", m->name, word(f));
    snprintf(wanted.unit, sizeof wanted.unit, "%s", word(f));
    snprintf(wanted.currency, sizeof wanted.currency, "%s", currency_word(word(f)));
    bool measured = strcmp(word(f), "m") == 0;
    uint32_t rhythm = (uint32_t)number(f);
    wanted.class = measured ? WIRE_MEASUREMENT : WIRE_REPORT;
    wanted.step_s = measured ? rhythm : 0;
    wanted.period = measured ? 0 : rhythm;
    receive_at(f, clock_wall(&f->clock.clock).us / US_PER_S);
    must(ledger_declare(f->ledger, m->stream_id, m->declared, &wanted, &made, &d), "a series", &d);
    m->series[m->declared].class = wanted.class;
    m->series[m->declared++].step_s = wanted.step_s;
}

static void add_rates(struct filling *f)
{
    struct diag d = {""};
    struct wire_receipt receipt;
    char kind[32], document[4096];
    int64_t received_s = number(f);
    snprintf(kind, sizeof kind, "%s", word(f));
    size_t bytes = (size_t)number(f);
    if (bytes > sizeof document || fread(document, 1, bytes, stdin) != bytes)
        die("a document that is cut short", NULL);
    receive_at(f, received_s);
    flush(f);
    must(ledger_add_control(f->ledger, kind, document, bytes, "rates", &receipt, &d), "rates", &d);
}

static uint32_t series_of(struct filling *f, const struct member *m)
{
    int64_t i = number(f);
    if (i < 0 || i >= m->declared)
        die("there is no such series", NULL);
    return (uint32_t)i;
}

static void add_sample(struct filling *f)
{
    struct wire_note note = {.reason = "", .author = "", .currency = ""};
    struct wire_sample s = {.value = figure_missing()};
    int64_t received_s = number(f);
    struct member *m = member(f);
    s.series = series_of(f, m);
    s.time = number(f);
    const char *value = word(f);
    if (strcmp(value, "-") != 0)
        must(figure_parse(value, &s.value), "a value", NULL);
    note.currency = currency_word(word(f));
    if (*f->rest)
        note.published_us = number(f) * US_PER_S;
    receive_at(f, received_s);
    put(f, m, m->series[s.series].class, &s, *note.currency || note.published_us ? &note : NULL);
}

static void add_run(struct filling *f)
{
    int64_t received_s = number(f);
    struct member *m = member(f);
    struct wire_sample s = {.series = series_of(f, m)};
    int64_t from = number(f), to = number(f), a = number(f), b = number(f), modulo = number(f),
            divisor = number(f);
    if (modulo <= 0 || divisor <= 0)
        die("a divisor is not above 0", NULL);
    int64_t step = m->series[s.series].step_s;
    receive_at(f, received_s);
    for (s.time = from + step; s.time <= to; s.time += step) {
        int64_t n = s.time / step;
        enum err e = ERR_OK;
        if (n % 997 == 0)
            s.value = figure_missing();
        else
            e = figure_from_real((double)((n * a + b) % modulo) / (double)divisor, &s.value);
        must(e, "a value", NULL);
        put(f, m, WIRE_MEASUREMENT, &s, NULL);
    }
}

static void take(struct filling *f, char *line)
{
    static const struct {
        const char *word;
        void (*act)(struct filling *f);
    } words[] = {{"resident", add_resident},
                 {"series", add_series},
                 {"rates", add_rates},
                 {"s", add_sample},
                 {"run", add_run}};
    f->rest = line;
    const char *first = word(f);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(first, words[i].word) == 0) {
            words[i].act(f);
            return;
        }
    die("not understood", NULL);
}

int main(int argc, char **argv)
{
    struct filling *f = &filling;
    struct diag d = {""};
    char line[LINE_MAX_];
    if (argc != 2) {
        fprintf(stderr, "usage: fill STATE <PLAN\n");
        return 2;
    }
    fake_clock_init(&f->clock, INT64_C(1546300800) * US_PER_S); // 2019-01-01
    buf_init(&f->body, WIRE_MESSAGE_MAX_BYTES);
    must(wire_builder_create(&f->builder), "memory", NULL);
    must(ledger_open(argv[1], &f->clock.clock, &f->ledger, &d), "the ledger", &d);
    while (fgets(line, sizeof line, stdin)) {
        f->line++;
        take(f, line);
    }
    commit(f);
    must(ledger_store_head(f->ledger, &d), "the head", &d);
    ledger_close(f->ledger);
    wire_builder_destroy(f->builder);
    buf_deinit(&f->body);
    printf("rows=%" PRIu64 " samples=%" PRIu64 "\n", f->rows, f->samples);
    return 0;
}
