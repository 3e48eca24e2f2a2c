// The control thread says what is known of a period, the committer stores what a person says in its place. In
// between an agent's figure may have been committed: without a look at those rows a report would replace what
// nobody has seen, or be called the same as what is no longer there.
#include "collector/committer.h"
#include "collector/desk_state.h"

// The group that was being committed at the look, the one that was gathered in front of the report, and as
// much again: with fewer, under load every report would be told to try again for ever.
#define ROWS_MAX (4 * (size_t)COMMITTER_GROUP_MAX)

struct since {
    struct desk *desk;
    const struct desk_report *r;
    bool found;
    struct diag *d;
};

static enum err take_sample(void *ctx, const struct reader_sample *s)
{
    struct since *x = ctx;
    x->found = x->found || (s->series->series_id == x->r->known.series_id && s->time == x->r->period.start);
    return ERR_OK;
}

static enum err take_row(void *ctx, const struct reader_row *row)
{
    struct since *x = ctx;
    return row->class == WIRE_MEASUREMENT ? ERR_OK
                                          : reader_samples(x->desk->o.reader, row, take_sample, x, x->d);
}

enum err desk_check_seen(struct desk *s, const struct desk_report *r, struct diag *d)
{
    struct since x = {.desk = s, .r = r, .d = d};
    uint64_t last = 0, position = ledger_position(s->o.ledger);
    if (!r->looked || r->seen >= position)
        return ERR_OK;
    enum err e = reader_rows(s->o.reader, r->seen, ROWS_MAX, take_row, &x, &last, d);
    if (e == ERR_OK && (x.found || last < position))
        e = diag_fail(d, ERR_AGAIN, "another figure of this period has just come: try again");
    return e;
}
