#include "tests/flow/stored.h"
#include "tests/support/cmocka.h"
#include <stdlib.h>
#include <string.h>

struct reading {
    struct reader *reader;
    struct stored *out;
};

static enum err visit_sample(void *ctx, const struct reader_sample *s)
{
    struct stored *out = ctx;
    if (strcmp(s->series->name, out->series) != 0)
        return ERR_OK;
    if (out->count == out->cap) {
        out->cap = out->cap ? 2 * out->cap : 1024;
        out->samples = realloc(out->samples, out->cap * sizeof *out->samples);
        assert_non_null(out->samples);
    }
    out->samples[out->count++] =
        (struct stored_sample){.time = s->time, .value = s->value, .position = s->position};
    return ERR_OK;
}

static enum err visit_row(void *ctx, const struct reader_row *row)
{
    struct reading *r = ctx;
    struct diag d = {""};
    return row->gap ? ERR_OK : reader_samples(r->reader, row, visit_sample, r->out, &d);
}

void stored_read(const char *state, const char *series, struct stored *out)
{
    struct diag d = {""};
    struct reading r = {.out = out};
    uint64_t after = 0, last = 0;
    *out = (struct stored){.series = series};
    assert_int_equal(reader_open(state, &r.reader, &d), ERR_OK);
    do {
        after = last;
        if (reader_rows(r.reader, after, 1000, visit_row, &r, &last, &d) != ERR_OK)
            fail_msg("the ledger after row %llu: %s", (unsigned long long)after, d.text);
    } while (last > after);
    reader_close(r.reader);
}

void stored_free(struct stored *s)
{
    free(s->samples);
}
