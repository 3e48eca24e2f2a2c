// A book for all threads: there are few closings and many questions, so each question copies its answer under
// a lock that is held for a walk over the book.
#include "dashboards/closings.h"
#include "store/reader_closures.h"
#include <pthread.h>
#include <stdlib.h>

struct closings {
    pthread_mutex_t lock;
    struct closure_book *book;
    uint64_t sequence; // looked at up to here
    uint64_t edition;  // of the ledger that they are of
};

enum err closings_create(struct closings **out)
{
    struct closings *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    if (closure_book_create(&c->book) != ERR_OK) {
        free(c);
        return ERR_NOMEM;
    }
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return ERR_OK;
}

void closings_destroy(struct closings *c)
{
    if (!c)
        return;
    pthread_mutex_destroy(&c->lock);
    closure_book_destroy(c->book);
    free(c);
}

// Those of another ledger say nothing of this one.
static enum err begin_anew(struct closings *c, uint64_t edition)
{
    struct closure_book *book = NULL;
    enum err e = closure_book_create(&book);
    if (e != ERR_OK)
        return e;
    closure_book_destroy(c->book);
    c->book = book;
    c->sequence = 0;
    c->edition = edition;
    return ERR_OK;
}

enum err closings_refresh(struct site *s, const struct readers *r, struct diag *d)
{
    struct closings *c = s->closings;
    pthread_mutex_lock(&c->lock);
    enum err e = c->edition == r->edition ? ERR_OK : begin_anew(c, r->edition);
    if (e == ERR_OK)
        e = reader_closures(r->reader, &c->sequence, c->book, d);
    pthread_mutex_unlock(&c->lock);
    return e;
}

bool closings_find(struct site *s, const struct board_row *row, int32_t day, int64_t as_of_us,
                   uint64_t before, struct closure *out)
{
    struct closings *c = s->closings;
    if (row->series.class != WIRE_REPORT)
        return false;
    pthread_mutex_lock(&c->lock);
    const struct closure *found =
        closure_of(c->book, row->series.name, (enum period_kind)row->series.period, day, as_of_us, before);
    if (found)
        *out = *found;
    pthread_mutex_unlock(&c->lock);
    return found != NULL;
}

bool closings_of(struct site *s, const struct board_row *row, int32_t day, const struct as_of *as_of,
                 struct closure *out)
{
    return closings_find(s, row, day, as_of->by_published ? 0 : as_of->us, 0, out);
}
