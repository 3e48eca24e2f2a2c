#include "tests/support/store_fixture.h"
#include "base/fs.h"
#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_MAX_BYTES (64u << 20)

void store_temp_folder(char path[STORE_PATH])
{
    const char *base = getenv("TMPDIR");
    snprintf(path, STORE_PATH, "%s/esep-store-XXXXXX", base && base[0] ? base : "/tmp");
    assert_non_null(mkdtemp(path));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void store_remove_folder(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

void store_path(const struct store *s, const char *name, char out[STORE_PATH])
{
    assert_int_equal(fs_join(out, STORE_PATH, s->folder, name), ERR_OK);
}

static void open_ledger(struct store *s)
{
    enum err e = ledger_open(s->folder, &s->clock.clock, &s->ledger, &s->diag);
    if (e != ERR_OK)
        fail_msg("ledger_open: %s: %s", err_name(e), s->diag.text);
}

void store_create(struct store *s)
{
    memset(s, 0, sizeof *s);
    assert_int_equal(crypto_init(), ERR_OK);
    store_temp_folder(s->folder);
    fake_clock_init(&s->clock, STORE_EPOCH * US_PER_S);
    buf_init(&s->body, WIRE_MESSAGE_MAX_BYTES);
    assert_int_equal(wire_builder_create(&s->builder), ERR_OK);
    open_ledger(s);
}

void store_destroy(struct store *s)
{
    ledger_close(s->ledger);
    wire_builder_destroy(s->builder);
    buf_deinit(&s->body);
    store_remove_folder(s->folder);
}

void store_reopen(struct store *s)
{
    ledger_close(s->ledger);
    s->ledger = NULL;
    open_ledger(s);
}

static void copy_files(const char *from_folder, const char *to_folder)
{
    DIR *folder = opendir(from_folder);
    assert_non_null(folder);
    for (const struct dirent *f; (f = readdir(folder)) != NULL;) {
        char from[STORE_PATH];
        char to[STORE_PATH];
        char *bytes = NULL;
        size_t len = 0;
        if (f->d_type != DT_REG)
            continue;
        assert_int_equal(fs_join(from, sizeof from, from_folder, f->d_name), ERR_OK);
        assert_int_equal(fs_join(to, sizeof to, to_folder, f->d_name), ERR_OK);
        assert_int_equal(fs_read_file(from, FILE_MAX_BYTES, &bytes, &len, NULL), ERR_OK);
        assert_int_equal(fs_replace_file(to, bytes, len, 0640, NULL), ERR_OK);
        free(bytes);
    }
    closedir(folder);
}

void store_copy(const struct store *s, const char *to_folder)
{
    copy_files(s->folder, to_folder);
}

void store_restore(const struct store *s, const char *from_folder)
{
    copy_files(from_folder, s->folder);
}

struct store_stream store_agent(struct store *s, const char *resident, uint8_t seed)
{
    uint8_t key[KEY_BYTES];
    struct ledger_agent agent;
    struct ledger_stream stream;
    struct store_stream out = {0};
    memset(key, seed, sizeof key);
    memset(out.incarnation.bytes, seed, sizeof out.incarnation.bytes);
    assert_int_equal(ledger_agent_add(s->ledger, resident, key, &agent, &s->diag), ERR_OK);
    store_begin(s);
    assert_int_equal(ledger_stream_open(s->ledger, agent.agent_id, &out.incarnation, &stream, &s->diag),
                     ERR_OK);
    store_commit(s);
    out.stream_id = stream.stream_id;
    out.agent_id = agent.agent_id;
    out.key_id = agent.key_id;
    return out;
}

struct ledger_series store_series(const char *name, enum wire_class class, uint32_t step_s, uint32_t period)
{
    struct ledger_series wanted = {.class = class, .step_s = step_s, .period = period};
    snprintf(wanted.name, sizeof wanted.name, "%s", name);
    snprintf(wanted.unit, sizeof wanted.unit, "piece");
    return wanted;
}

int64_t store_declare(struct store *s, const struct store_stream *stream, uint32_t number, const char *name,
                      enum wire_class class, uint32_t step_s, uint32_t period)
{
    struct ledger_series wanted = store_series(name, class, step_s, period);
    struct ledger_series made;
    int64_t received_us = 0;
    bool own = ledger_begin(s->ledger, &received_us, NULL) == ERR_OK;
    enum err e = ledger_declare(s->ledger, stream->stream_id, number, &wanted, &made, &s->diag);
    if (e != ERR_OK)
        fail_msg("ledger_declare: %s: %s", err_name(e), s->diag.text);
    if (own)
        store_commit(s);
    return made.series_id;
}

void store_begin(struct store *s)
{
    int64_t received_us = 0;
    assert_int_equal(ledger_begin(s->ledger, &received_us, &s->diag), ERR_OK);
}

void store_commit(struct store *s)
{
    enum err e = ledger_commit(s->ledger, &s->diag);
    if (e != ERR_OK)
        fail_msg("ledger_commit: %s: %s", err_name(e), s->diag.text);
}

static void build(struct store *s, const struct store_stream *stream, enum wire_class class,
                  const struct wire_sample *samples, const struct wire_note *notes, size_t count)
{
    buf_reset(&s->body);
    wire_builder_reset(s->builder, class, WIRE_MESSAGE_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        const struct wire_note *note = NULL;
        if (notes && (notes[i].status || notes[i].confidential || notes[i].reason || notes[i].currency ||
                      notes[i].published_us))
            note = &notes[i];
        assert_int_equal(wire_builder_add(s->builder, &samples[i], note), ERR_OK);
    }
    assert_int_equal(wire_builder_finish(s->builder, &stream->incarnation, stream->sequence + 1, &s->body),
                     ERR_OK);
}

struct wire_receipt store_append(struct store *s, struct store_stream *stream, enum wire_class class,
                                 const struct wire_sample *samples, const struct wire_note *notes,
                                 size_t count, const struct wire_refusal *refused, size_t refused_count)
{
    struct buf verdict;
    struct wire_receipt receipt;
    build(s, stream, class, samples, notes, count);
    buf_init(&verdict, WIRE_MESSAGE_MAX_BYTES);
    if (refused_count) {
        const struct wire_message m = {
            .type = WIRE_REJECT,
            .reject = {.sequence = stream->sequence + 1, .count = refused_count, .refusals = refused}};
        assert_int_equal(wire_encode(&m, &verdict), ERR_OK);
    }
    const struct ledger_row row = {
        .stream_id = stream->stream_id,
        .key_id = stream->key_id,
        .class = class,
        .sequence = stream->sequence + 1,
        .last_sequence = stream->sequence + 1,
        .samples = (uint32_t)count,
        .refused = (uint32_t)refused_count,
        .body = s->body.data,
        .body_len = s->body.len,
        .verdict = verdict.data,
        .verdict_len = verdict.len,
    };
    enum err e = ledger_append(s->ledger, &row, &receipt, &s->diag);
    if (e != ERR_OK)
        fail_msg("ledger_append: %s: %s", err_name(e), s->diag.text);
    stream->sequence++;
    buf_deinit(&verdict);
    return receipt;
}

struct wire_receipt store_one(struct store *s, struct store_stream *stream, enum wire_class class,
                              uint32_t number, int64_t time, struct figure value)
{
    const struct wire_sample sample = {.series = number, .time = time, .value = value};
    store_begin(s);
    struct wire_receipt receipt = store_append(s, stream, class, &sample, NULL, 1, NULL, 0);
    store_commit(s);
    return receipt;
}

struct wire_receipt store_gap(struct store *s, struct store_stream *stream, uint64_t last, uint32_t samples)
{
    struct wire_receipt receipt;
    const struct wire_message m = {.type = WIRE_GAP,
                                   .gap = {.incarnation = stream->incarnation,
                                           .first = stream->sequence + 1,
                                           .last = last,
                                           .samples = samples,
                                           .from_s = STORE_EPOCH,
                                           .to_s = STORE_EPOCH + 60,
                                           .reason = WIRE_GAP_QUOTA_AGE}};
    buf_reset(&s->body);
    assert_int_equal(wire_encode(&m, &s->body), ERR_OK);
    const struct ledger_row row = {
        .stream_id = stream->stream_id,
        .key_id = stream->key_id,
        .class = WIRE_MEASUREMENT,
        .sequence = stream->sequence + 1,
        .last_sequence = last,
        .gap = true,
        .samples = samples,
        .body = s->body.data,
        .body_len = s->body.len,
    };
    assert_int_equal(ledger_append(s->ledger, &row, &receipt, &s->diag), ERR_OK);
    stream->sequence = last;
    return receipt;
}

struct figure store_integer(int64_t v)
{
    struct figure f;
    assert_int_equal(figure_from_integer(v, &f), ERR_OK);
    return f;
}

struct figure store_real(double v)
{
    struct figure f;
    assert_int_equal(figure_from_real(v, &f), ERR_OK);
    return f;
}
