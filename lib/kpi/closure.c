// Words are kept as they came and asked from the last one back: there are few (a park closes a month once),
// and any state of the past is an answer of the same question with a smaller moment.
#include "kpi/closure.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char document_head[] = "closure 1\n";

// ---- the document

static bool is_line(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    return true;
}

enum err closure_write(const struct closure *c, struct buf *out)
{
    char period[PERIOD_TEXT];
    if (!period_valid(c->period) || !is_line(c->reason) || (c->kpi[0] && !series_part_valid(c->kpi)))
        return ERR_INVALID;
    period_text(c->period, period);
    buf_printf(out, "%speriod %s\nstate %s\n", document_head, period, c->reopens ? "open" : "closed");
    if (c->kpi[0])
        buf_printf(out, "kpi %s\n", c->kpi);
    if (c->reason[0])
        buf_printf(out, "reason %s\n", c->reason);
    return out->failed ? ERR_TOO_BIG : ERR_OK;
}

static enum err take_line(const char *name, const char *value, struct closure *c, struct diag *d)
{
    if (strcmp(name, "period") == 0 && period_parse(value, &c->period) == ERR_OK)
        return ERR_OK;
    if (strcmp(name, "state") == 0 && (strcmp(value, "open") == 0 || strcmp(value, "closed") == 0)) {
        c->reopens = strcmp(value, "open") == 0;
        return ERR_OK;
    }
    if (strcmp(name, "kpi") == 0 && series_part_valid(value) && !c->kpi[0]) {
        memcpy(c->kpi, value, strlen(value) + 1);
        return ERR_OK;
    }
    if (strcmp(name, "reason") == 0 && strlen(value) <= CLOSURE_REASON_MAX && !c->reason[0]) {
        memcpy(c->reason, value, strlen(value) + 1);
        return ERR_OK;
    }
    return diag_fail(d, ERR_INVALID, "not a line of a closure: %.20s %.40s", name, value);
}

enum err closure_read(const void *document, size_t len, struct closure *out, struct diag *d)
{
    char text[CLOSURE_DOCUMENT_MAX + 1], *rest = NULL;
    struct closure c = {.period = {PERIOD_NONE, 0}};
    const size_t head = sizeof document_head - 1;
    if (len >= sizeof text || len < head || memcmp(document, document_head, head) != 0 ||
        memchr(document, '\0', len))
        return diag_fail(d, ERR_INVALID, "not a closure");
    memcpy(text, (const char *)document + head, len - head);
    text[len - head] = '\0';
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char *value = strchr(line, ' ');
        if (!value)
            return diag_fail(d, ERR_INVALID, "not a line of a closure: %.40s", line);
        *value++ = '\0';
        enum err e = take_line(line, value, &c, d);
        if (e != ERR_OK)
            return e;
    }
    if (c.period.kind == PERIOD_NONE)
        return diag_fail(d, ERR_INVALID, "a closure without a period");
    *out = c;
    return ERR_OK;
}

// ---- the book

struct closure_book {
    struct closure *at;
    int32_t *ends; // of their periods: each report of an agent is asked about
    size_t count, capacity;
};

enum err closure_book_create(struct closure_book **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? ERR_OK : ERR_NOMEM;
}

void closure_book_destroy(struct closure_book *b)
{
    if (!b)
        return;
    free(b->at);
    free(b->ends);
    free(b);
}

enum err closure_book_take(struct closure_book *b, const struct closure *c)
{
    if (b->count == CLOSURES_MAX)
        return ERR_FULL;
    if (b->count == b->capacity) {
        size_t capacity = b->capacity ? 2 * b->capacity : 16;
        struct closure *grown = realloc(b->at, capacity * sizeof *grown);
        if (!grown)
            return ERR_NOMEM;
        b->at = grown;
        int32_t *ends = realloc(b->ends, capacity * sizeof *ends);
        if (!ends)
            return ERR_NOMEM;
        b->ends = ends;
        b->capacity = capacity;
    }
    b->ends[b->count] = period_end(c->period);
    b->at[b->count++] = *c;
    return ERR_OK;
}

size_t closure_book_count(const struct closure_book *b)
{
    return b->count;
}

const struct closure *closure_book_at(const struct closure_book *b, size_t i)
{
    return &b->at[i];
}

static bool covers(const struct closure *c, int32_t end, const struct closure_question *q, int32_t q_end)
{
    return c->period.start <= q->period.start && q_end <= end && strcmp(c->park, q->park) == 0 &&
           (!c->kpi[0] || strcmp(c->kpi, q->kpi) == 0);
}

const struct closure *closure_book_find(const struct closure_book *b, const struct closure_question *q)
{
    const int32_t end = period_end(q->period);
    for (size_t i = b->count; i-- > 0;) {
        const struct closure *c = &b->at[i];
        bool known =
            (!q->as_of_us || c->received_us <= q->as_of_us) && (!q->before || c->position < q->before);
        if (known && covers(c, b->ends[i], q, end))
            return c->reopens ? NULL : c;
    }
    return NULL;
}

const struct closure *closure_of(const struct closure_book *b, const char *series, enum period_kind kind,
                                 int64_t day, int64_t as_of_us, uint64_t before)
{
    struct series_name name;
    const struct period period = {kind, (int32_t)day};
    if (!b || b->count == 0 || day < INT32_MIN || day > INT32_MAX || !period_valid(period) ||
        series_parse(series, &name) != ERR_OK)
        return NULL;
    const struct closure_question q = {name.park, name.kpi, period, as_of_us, before};
    return closure_book_find(b, &q);
}
