// Both sides come in rising periods, so they are laid beside each other like two decks: for each series that
// somebody owes, one query reads what is known of it from the first period owed on. A series that reports
// other periods than the rule asks for (or is measured) answers nothing of it.
#include "store/owed.h"
#include "kpi/series.h"
#include <stdlib.h>
#include <string.h>

const char *owed_state_name(enum owed_state s)
{
    static const char *const names[] = {"open", "late", "done"};
    return (unsigned)s < sizeof names / sizeof *names ? names[s] : "";
}

bool owed_in_time(const struct owed_item *i)
{
    return i->received_us != 0 && (!i->owed.has_due || i->received_us < i->owed.late_s * US_PER_S);
}

void owed_add(struct owed_sum *sum, const struct owed_item *i)
{
    sum->owed++;
    sum->done += i->state == OWED_DONE;
    sum->late += i->state == OWED_LATE;
    sum->answered += i->answered;
    sum->due += i->due_passed;
    sum->in_time += i->due_passed && owed_in_time(i);
}

// ---- what is known of one series

struct known { // of one period
    int32_t start;
    int64_t received_us; // of the first figure
    bool has_figure;     // the revision known then
};

struct reading {
    struct observations_reader *observations;
    struct reader *reader;
    const struct owed_query *query;
    owed_visit visit;
    void *ctx;
    struct diag *diag;
    const struct obligation *rule; // whose series is read
    const char *resident;
    struct known *known;
    size_t count, capacity, at;
    size_t items;
};

static struct known *known_of(struct reading *r, int32_t start)
{
    if (r->count > 0 && r->known[r->count - 1].start == start)
        return &r->known[r->count - 1];
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 64;
        struct known *grown = realloc(r->known, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        r->known = grown;
        r->capacity = capacity;
    }
    r->known[r->count] = (struct known){.start = start};
    return &r->known[r->count++];
}

static enum err take_revision(void *ctx, const struct observation *o)
{
    struct reading *r = ctx;
    if (o->received_us > r->query->as_of_us)
        return ERR_OK;
    struct known *k = known_of(r, o->period_start);
    if (!k)
        return ERR_NOMEM;
    k->has_figure = o->status != WIRE_MISSING && o->value.kind != FIGURE_MISSING;
    if (k->has_figure && k->received_us == 0)
        k->received_us = o->received_us;
    return ERR_OK;
}

static enum err find_series(struct reading *r, const struct ledger_series **out)
{
    struct series_name name = {0};
    char text[SERIES_NAME_MAX + 1];
    struct diag ignored;
    memcpy(name.park, r->query->park->code, strlen(r->query->park->code) + 1);
    memcpy(name.resident, r->resident, strlen(r->resident) + 1);
    memcpy(name.kpi, r->rule->kpi->code, strlen(r->rule->kpi->code) + 1);
    memcpy(name.dimension, r->rule->dimension, strlen(r->rule->dimension) + 1);
    series_text(&name, text);
    enum err e = reader_series_by_name(r->reader, text, out, &ignored);
    return e == ERR_OK || e == ERR_NOT_FOUND ? e : diag_fail(r->diag, e, "%s", ignored.text);
}

static enum err read_series(struct reading *r, const struct obligation_owed *first)
{
    const struct ledger_series *s = NULL;
    r->rule = first->rule;
    r->resident = first->resident;
    r->count = r->at = 0;
    enum err e = find_series(r, &s);
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    if (e != ERR_OK || s->class != WIRE_REPORT || s->period != (uint32_t)first->rule->period)
        return e;
    const struct observation_query q = {
        .series_id = s->series_id, .from = first->period.start, .to = CIVIL_DAY_MAX, .all_revisions = true};
    return observations_query(r->observations, &q, take_revision, r, r->diag);
}

// ---- both beside each other

static struct owed_item judge(const struct reading *r, const struct obligation_owed *owed,
                              const struct known *k)
{
    const int64_t now_us = r->query->as_of_us;
    struct owed_item i = {.owed = *owed, .received_us = k ? k->received_us : 0};
    i.due_passed = owed->has_due && now_us >= owed->late_s * US_PER_S;
    i.answered = k && !k->has_figure;
    i.state = k && k->has_figure ? OWED_DONE : i.due_passed ? OWED_LATE : OWED_OPEN;
    if (i.state == OWED_LATE)
        i.late_us = now_us - owed->due_s * US_PER_S;
    else if (i.state == OWED_DONE && !owed_in_time(&i))
        i.late_us = i.received_us - owed->due_s * US_PER_S;
    return i;
}

static enum err take_owed(void *ctx, const struct obligation_owed *owed)
{
    struct reading *r = ctx;
    enum err e = ERR_OK;
    if (r->items == r->query->max_items)
        return diag_fail(r->diag, ERR_TOO_BIG,
                         "more than %zu reports are owed: ask for one period, or resident",
                         r->query->max_items);
    r->items++;
    if (owed->rule != r->rule || owed->resident != r->resident)
        e = read_series(r, owed);
    if (e != ERR_OK)
        return e;
    while (r->at < r->count && r->known[r->at].start < owed->period.start)
        r->at++;
    bool found = r->at < r->count && r->known[r->at].start == owed->period.start;
    const struct owed_item item = judge(r, owed, found ? &r->known[r->at] : NULL);
    return r->visit(r->ctx, &item);
}

enum err owed_read(struct observations_reader *o, struct reader *r, const struct owed_query *q,
                   owed_visit visit, void *ctx, struct diag *d)
{
    struct reading reading = {
        .observations = o, .reader = r, .query = q, .visit = visit, .ctx = ctx, .diag = d};
    int64_t now_s = q->as_of_us / US_PER_S - (q->as_of_us % US_PER_S < 0);
    const struct obligation_query owed = {.resident = q->resident, .within = q->within, .now_s = now_s};
    enum err e = obligation_each(q->park, q->zone, &owed, take_owed, &reading);
    free(reading.known);
    return e;
}
