// A spool whose rows say anything at all, and the file's bytes with them. Opening it gives the spool or sets
// it aside; reading gives what was put in or an error, never other bytes; and going on (writing,
// acknowledging, going back, beginning anew) may fail but not crash.
#include "agent/spool.h"
#include "agent/spool_reader.h"
#include "tests/fuzz/fuzz_db.h"
#include <dirent.h>
#include <sys/stat.h>

#define ROWS      6
#define ROW_BYTES 300

static const struct spool_options options = {.max_bytes = 1u << 20,
                                             .max_age_us = 86400 * US_PER_S,
                                             .tail_bytes = 1u << 20,
                                             .tail_age_us = 86400 * US_PER_S};
static const struct wire_declare declares[] = {
    {.series = "out_units/rolls", .unit = "piece", .currency = "", .class = WIRE_MEASUREMENT, .step_s = 10},
    {.series = "inv", .unit = "money", .currency = "KZT", .class = WIRE_REPORT, .period = 2},
};

static void make_body(uint64_t sequence, uint8_t body[ROW_BYTES])
{
    for (size_t i = 0; i < ROW_BYTES; i++)
        body[i] = (uint8_t)(sequence * 31 + i);
}

static enum err append(struct spool *s, struct diag *d)
{
    uint8_t body[ROW_BYTES];
    uint64_t next = spool_peek(s)->last_written + 1;
    struct spool_row row = {.sequence = next, .class = WIRE_MEASUREMENT, .body = body, .len = sizeof body};
    row.samples = 5;
    row.from_s = row.to_s = INT64_C(1772366400);
    make_body(next, body);
    const struct spool_position positions[] = {{"machines", "log", "position", 8},
                                               {"machines", "v/a", "x", 1}};
    const struct spool_change change = {.rows = &row,
                                        .row_count = 1,
                                        .positions = positions,
                                        .position_count = 2,
                                        .sampled = 5,
                                        .source_errors = 1};
    return spool_append(s, &change, d);
}

static void make_template(const char *folder)
{
    struct fake_clock clock;
    struct spool *s;
    struct spool_opened opened;
    uint32_t numbers[2];
    const struct wire_receipt receipt = {2, {7}};
    FUZZ_CHECK(crypto_init() == ERR_OK && mkdir(folder, 0700) == 0);
    fake_clock_init(&clock, INT64_C(1772366400000000));
    FUZZ_CHECK(spool_open(folder, &options, &clock.clock, &s, &opened, NULL) == ERR_OK);
    FUZZ_CHECK(spool_declare(s, declares, 2, numbers, NULL) == ERR_OK);
    for (int i = 0; i < ROWS; i++)
        FUZZ_CHECK(append(s, NULL) == ERR_OK);
    FUZZ_CHECK(spool_allow(s, true, NULL) == ERR_OK && spool_allow(s, false, NULL) == ERR_OK);
    FUZZ_CHECK(spool_acknowledge(s, 2, &receipt, NULL) == ERR_OK);
    spool_close(s);
}

static enum err on_position(void *ctx, const char *key, const void *bytes, size_t len)
{
    (void)ctx;
    FUZZ_CHECK(key && bytes && len > 0);
    return ERR_OK;
}

// honest: the spool was opened as it is, so what it gives is what was put in.
static void read_all(const char *folder, bool honest)
{
    struct spool_reader *r;
    struct spool_state state;
    struct spool_message m;
    struct wire_declare w;
    struct diag d;
    uint8_t bytes[16], body[ROW_BYTES];
    size_t len = 0;
    if (spool_reader_open(folder, &r, &d) != ERR_OK)
        return;
    bool known = spool_reader_state(r, &state, &d) == ERR_OK;
    for (uint64_t i = 0; i < ROWS + 2; i++) {
        make_body(i, body);
        if (spool_reader_message(r, i, &m, &d) == ERR_OK && honest)
            FUZZ_CHECK(!m.gap && m.last == i && m.len == ROW_BYTES && memcmp(m.bytes, body, ROW_BYTES) == 0);
    }
    for (uint32_t i = 0; i < 4; i++)
        if (spool_reader_declare(r, i, &w, &d) == ERR_OK && honest)
            FUZZ_CHECK(i < 2 && strcmp(w.series, declares[i].series) == 0 && w.class == declares[i].class);
    if (known && honest)
        FUZZ_CHECK(state.last_written == ROWS && state.last_acknowledged == 2 && state.declares == 2);
    if (spool_reader_position(r, "machines", "log", bytes, sizeof bytes, &len) == ERR_OK && honest)
        FUZZ_CHECK(len == 8 && memcmp(bytes, "position", 8) == 0);
    (void)spool_reader_position_each(r, "machines", "", on_position, NULL);
    spool_reader_close(r);
}

static void go_on(struct spool *s, const struct clock *clock)
{
    struct diag d;
    uint32_t numbers[2];
    uint8_t bytes[16];
    size_t len;
    const struct wire_receipt receipt = {4, {9}};
    (void)clock;
    (void)spool_position_get(s, "machines", "v/a", bytes, sizeof bytes, &len);
    (void)spool_position_each(s, "machines", "v/", on_position, NULL);
    (void)spool_declare(s, declares, 2, numbers, &d);
    (void)append(s, &d);
    (void)spool_allow(s, true, &d);
    (void)spool_acknowledge(s, 4, &receipt, &d);
    (void)spool_rewind(s, 1, &d);
    (void)append(s, &d);
    (void)spool_renew(s, &d);
    (void)append(s, &d);
    FUZZ_CHECK(spool_peek(s)->last_acknowledged <= spool_peek(s)->last_written);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static bool ready;
    char folder[FUZZ_PATH], file[FUZZ_PATH], template[FUZZ_PATH], kept[FUZZ_PATH];
    struct fake_clock clock;
    struct spool *s = NULL;
    struct spool_opened opened;
    struct diag d = {""};
    struct fuzz_input in = {bytes, len};
    fuzz_path("template", template);
    fuzz_path("template/" SPOOL_FILE, kept);
    fuzz_path("state", folder);
    fuzz_path("state/" SPOOL_FILE, file);
    if (!ready) {
        make_template(template);
        fuzz_db_loosen(kept);
        ready = true;
    }
    fuzz_remove(folder);
    FUZZ_CHECK(mkdir(folder, 0700) == 0);
    fuzz_copy(kept, file);
    fuzz_db_damage(file, &in);
    fake_clock_init(&clock, INT64_C(1772366460000000));
    enum err e = spool_open(folder, &options, &clock.clock, &s, &opened, &d);
    if (e != ERR_OK) {
        FUZZ_CHECK(d.text[0]);
        return 0;
    }
    FUZZ_CHECK(len > 0 || (!opened.damaged && !opened.fresh));
    FUZZ_CHECK(!opened.damaged || (opened.aside[0] && opened.reason[0]));
    read_all(folder, !opened.damaged && !opened.fresh);
    go_on(s, &clock.clock);
    spool_close(s);
    return 0;
}
