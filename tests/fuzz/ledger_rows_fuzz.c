// A ledger whose rows say anything at all. Reading it, walking its chains, making observations of it and
// opening it for writing may refuse, but not crash; and when opening and verify find nothing wrong, every
// accepted sample and every watermark must be what it was.
#include "store/observations.h"
#include "store/reader.h"
#include "tests/fuzz/fuzz_db.h"
#include "tests/fuzz/fuzz_store.h"
#include <sys/stat.h>
#include <unistd.h>

struct seen { // a running hash over everything that acknowledged figures mean
    uint8_t hash[HASH_BYTES];
    struct reader *reader;
    struct diag d;
};

static void add(struct seen *s, const void *bytes, size_t len)
{
    const struct hash_part parts[] = {{s->hash, sizeof s->hash}, {bytes, len}};
    crypto_digest(parts, 2, s->hash);
}

static void add_text(struct seen *s, const char *text)
{
    add(s, text, strlen(text));
}

static enum err on_sample(void *ctx, const struct reader_sample *sample)
{
    struct seen *s = ctx;
    char value[FIGURE_TEXT];
    figure_text(sample->value, value);
    add_text(s, sample->series->name);
    add_text(s, sample->series->unit);
    add_text(s, sample->series->currency);
    add(s, &sample->series->step_s, sizeof sample->series->step_s);
    add(s, &sample->series->period, sizeof sample->series->period);
    add(s, &sample->time, sizeof sample->time);
    add_text(s, value);
    if (sample->note) {
        add_text(s, sample->note->reason);
        add_text(s, sample->note->author);
        add_text(s, sample->note->currency);
    }
    return ERR_OK;
}

static enum err on_row(void *ctx, const struct reader_row *row)
{
    struct seen *s = ctx;
    add(s, &row->position, sizeof row->position);
    add(s, &row->sequence, sizeof row->sequence);
    add(s, &row->received_us, sizeof row->received_us);
    return reader_samples(s->reader, row, on_sample, s, &s->d);
}

static enum err on_any_row(void *ctx, const struct reader_row *row)
{
    struct seen *s = ctx;
    (void)reader_samples(s->reader, row, on_sample, s, &s->d);
    return ERR_OK;
}

static enum err on_stream(void *ctx, const struct reader_stream *stream)
{
    struct seen *s = ctx;
    if (stream->stream.last_sequence == 0) // nothing was acknowledged in it
        return ERR_OK;
    add(s, &stream->stream.last_sequence, sizeof stream->stream.last_sequence);
    add(s, &stream->stream.accepted, sizeof stream->stream.accepted);
    add(s, &stream->stream.quarantined, sizeof stream->stream.quarantined);
    add_text(s, "stream");
    return ERR_OK;
}

static enum err on_series(void *ctx, const struct ledger_series *series)
{
    add_text(ctx, series->name);
    return ERR_OK;
}

static enum err on_counter(void *ctx, const char *name, int64_t agent_id, uint64_t value)
{
    (void)ctx;
    (void)agent_id;
    (void)value;
    FUZZ_CHECK(name);
    return ERR_OK;
}

static enum err on_agent(void *ctx, const struct ledger_agent *a)
{
    (void)ctx;
    FUZZ_CHECK(strlen(a->resident) < sizeof a->resident);
    return ERR_OK;
}

static void on_damage(void *ctx, const char *text)
{
    (void)ctx;
    FUZZ_CHECK(text && text[0]);
}

// True when everything could be read.
static bool read_all(const char *state, uint8_t hash[HASH_BYTES], bool *clean)
{
    struct seen s = {{0}, NULL, {""}};
    struct reader_verified v = {0};
    uint64_t last, position;
    int64_t received_us;
    if (reader_open(state, &s.reader, &s.d) != ERR_OK)
        return false;
    bool whole = reader_rows(s.reader, 0, 1000, on_row, &s, &last, &s.d) == ERR_OK;
    whole = reader_streams(s.reader, on_stream, &s, &s.d) == ERR_OK && whole;
    memcpy(hash, s.hash, HASH_BYTES);
    (void)reader_rows(s.reader, 1, 2, on_any_row, &s, &last, &s.d);
    (void)reader_stream_rows(s.reader, 1, 1, 100, on_any_row, &s, &s.d);
    (void)reader_series_list(s.reader, "aztm/", on_series, &s, &s.d);
    (void)reader_counters(s.reader, on_counter, &s, &s.d);
    (void)reader_agents(s.reader, on_agent, &s, &s.d);
    (void)reader_head(s.reader, &position, &received_us, &s.d);
    *clean = reader_verify(s.reader, on_damage, &s, &v, &s.d) == ERR_OK && v.damaged == 0;
    reader_close(s.reader);
    return whole;
}

static void observe(const char *state)
{
    struct observations *o;
    struct reader *r;
    struct diag d;
    size_t rows = 0;
    if (reader_open(state, &r, &d) != ERR_OK)
        return;
    if (observations_open(state, &o, &d) == ERR_OK) {
        for (int i = 0; i < 4 && observations_advance(o, r, 2, &rows, &d) == ERR_OK && rows > 0; i++)
            FUZZ_CHECK(rows <= 2);
        observations_close(o);
    }
    reader_close(r);
}

// Goes on writing where it thinks it is.
static bool write_on(const char *state)
{
    static struct fake_clock clock;
    struct ledger *l;
    struct diag d;
    struct ledger_stream stream;
    struct ledger_series made;
    const struct ledger_series *declared;
    struct wire_receipt receipt;
    struct wire_incarnation incarnation;
    int64_t received_us;
    memset(&incarnation, 1, sizeof incarnation);
    fake_clock_init(&clock, FUZZ_EPOCH_US + 3600 * US_PER_S);
    if (ledger_open(state, &clock.clock, &l, &d) != ERR_OK)
        return false;
    (void)ledger_agents(l, on_agent, NULL, &d);
    if (ledger_begin(l, &received_us, &d) == ERR_OK) {
        if (ledger_stream_open(l, 1, &incarnation, &stream, &d) == ERR_OK) {
            struct ledger_row row = {
                .stream_id = stream.stream_id, .key_id = 1, .class = WIRE_REPORT, .samples = 1};
            row.sequence = row.last_sequence = stream.last_sequence + 1;
            row.body = "body";
            row.body_len = 4;
            (void)ledger_repeat(l, stream.stream_id, 2, "body", 4);
            (void)ledger_declared(l, stream.stream_id, 2, &declared);
            (void)ledger_declare(l, stream.stream_id, stream.declares, fuzz_store_series(1), &made, &d);
            (void)ledger_append(l, &row, &receipt, &d);
        }
        (void)ledger_count(l, "batches_stored", 0, 1);
        if (ledger_commit(l, &d) != ERR_OK)
            ledger_rollback(l);
    }
    (void)ledger_store_head(l, &d);
    ledger_close(l);
    return true;
}

static void renew(const char *state)
{
    static const char *const files[] = {"ledger.sqlite", "ledger.head"};
    char from[FUZZ_PATH], to[FUZZ_PATH + 20], source[FUZZ_PATH];
    fuzz_remove(state);
    FUZZ_CHECK(mkdir(state, 0700) == 0);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(from, sizeof from, "template/%s", files[i]);
        fuzz_path(from, source);
        snprintf(to, sizeof to, "%s/%s", state, files[i]);
        fuzz_copy(source, to);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static bool ready;
    static uint8_t honest[HASH_BYTES];
    char state[FUZZ_PATH], ledger[FUZZ_PATH];
    uint8_t hash[HASH_BYTES];
    bool clean = false;
    struct fuzz_input in = {bytes, len};
    fuzz_path("state", state);
    fuzz_path("state/ledger.sqlite", ledger);
    if (!ready) {
        char template[FUZZ_PATH];
        fuzz_store_make("template");
        fuzz_path("template/ledger.sqlite", template);
        fuzz_db_loosen(template);
        renew(state);
        FUZZ_CHECK(read_all(state, honest, &clean) && clean);
        ready = true;
    }
    renew(state);
    fuzz_db_damage(ledger, &in);
    bool whole = read_all(state, hash, &clean);
    observe(state);
    bool opened = write_on(state);
    if (whole && clean && opened)
        FUZZ_CHECK(memcmp(hash, honest, HASH_BYTES) == 0);
    return 0;
}
