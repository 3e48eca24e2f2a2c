// One array a bank, sorted by the day asked for: answers come in rising order but for imports, and five years
// of a bank are under two thousand. Days are looked up by halving.
#include "kpi/rate_book.h"
#include <stdlib.h>
#include <string.h>

#define COMPARE_DAYS 31

struct shelf {
    struct rates *rates;
    size_t count, capacity;
};

struct rate_book {
    struct shelf shelves[BANKS];
};

enum err rate_book_create(struct rate_book **out)
{
    struct rate_book *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    *out = b;
    return ERR_OK;
}

void rate_book_destroy(struct rate_book *b)
{
    if (!b)
        return;
    for (int i = 0; i < BANKS; i++)
        free(b->shelves[i].rates);
    free(b);
}

// The first one asked for on the day or later.
static size_t place(const struct shelf *s, int32_t day)
{
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->rates[middle].asked < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum err grow(struct shelf *s)
{
    size_t capacity = s->capacity ? 2 * s->capacity : 64;
    struct rates *grown = realloc(s->rates, capacity * sizeof *grown);
    if (!grown)
        return ERR_NOMEM;
    s->rates = grown;
    s->capacity = capacity;
    return ERR_OK;
}

enum err rate_book_take(struct rate_book *b, const struct rates *r)
{
    struct shelf *s = &b->shelves[r->bank];
    const struct rates copy = *r; // may be one of the shelf's own
    size_t at = place(s, r->asked);
    if (at < s->count && s->rates[at].asked == r->asked) {
        s->rates[at] = copy;
        return ERR_OK;
    }
    if (s->count == s->capacity && grow(s) != ERR_OK)
        return ERR_NOMEM;
    memmove(s->rates + at + 1, s->rates + at, (s->count - at) * sizeof *s->rates);
    s->rates[at] = copy;
    s->count++;
    return ERR_OK;
}

size_t rate_book_count(const struct rate_book *b, enum bank bank)
{
    return b->shelves[bank].count;
}

const struct rates *rate_book_at(const struct rate_book *b, enum bank bank, size_t i)
{
    return &b->shelves[bank].rates[i];
}

const struct rates *rate_book_asked(const struct rate_book *b, enum bank bank, int32_t day)
{
    const struct shelf *s = &b->shelves[bank];
    size_t at = place(s, day);
    return at < s->count && s->rates[at].asked == day ? &s->rates[at] : NULL;
}

size_t rate_book_held(const struct rate_book *b, enum bank bank)
{
    size_t held = 0;
    for (size_t i = 0; i < b->shelves[bank].count; i++)
        held += b->shelves[bank].rates[i].state == RATES_HELD;
    return held;
}

// ---- in force
// ----------------------------------------------------------------------------------------------------------

const struct rates *rate_book_on(const struct rate_book *b, enum bank bank, int32_t day)
{
    const struct shelf *s = &b->shelves[bank];
    size_t at = place(s, day), later = at;
    while (later < s->count && s->rates[later].state == RATES_HELD)
        later++;
    if (later == s->count)
        return NULL;
    if (s->rates[later].answered <= day) // asked for on that day, or said to be still those of before it
        return &s->rates[later];
    while (at > 0 && s->rates[at - 1].state == RATES_HELD)
        at--;
    if (at == 0 || day - s->rates[at - 1].answered > RATES_STALE_MAX)
        return NULL;
    return &s->rates[at - 1];
}

// ---- believed
// ----------------------------------------------------------------------------------------------------------

// The nearest answer that is believed, to a question of another day: before it, else after it; NULL: none
// within reach. What is carried forward finds its original.
static const struct rates *neighbour(const struct shelf *s, const struct rates *r)
{
    size_t at = place(s, r->asked);
    for (size_t i = at; i-- > 0 && r->answered - s->rates[i].answered <= COMPARE_DAYS;)
        if (s->rates[i].state != RATES_HELD && s->rates[i].answered <= r->answered)
            return &s->rates[i];
    for (size_t i = at; i < s->count && s->rates[i].answered - r->answered <= COMPARE_DAYS; i++)
        if (s->rates[i].state != RATES_HELD && s->rates[i].asked > r->asked)
            return &s->rates[i];
    return NULL;
}

static size_t said_before(const struct shelf *s, const struct rates *r, struct rates freed[RATE_BOOK_FREED])
{
    size_t count = 0;
    for (size_t i = place(s, r->asked); i-- > 0 && r->answered - s->rates[i].answered <= COMPARE_DAYS;) {
        const struct rates *held = &s->rates[i];
        if (held->state != RATES_HELD || held->answered >= r->answered || rates_jump(held, r))
            continue;
        if (count == RATE_BOOK_FREED)
            break;
        freed[count] = *held;
        freed[count++].state = RATES_CONFIRMED;
    }
    return count;
}

void rate_book_judge(const struct rate_book *b, struct rates *r, struct rates freed[RATE_BOOK_FREED],
                     size_t *count)
{
    const struct shelf *s = &b->shelves[r->bank];
    const struct rates *other = neighbour(s, r);
    const char *jumped = other ? rates_jump(other, r) : NULL;
    *count = 0;
    r->state = RATES_ACCEPTED;
    r->jumped[0] = '\0';
    if (!jumped || (*count = said_before(s, r, freed)) > 0)
        return;
    r->state = RATES_HELD;
    memcpy(r->jumped, jumped, sizeof r->jumped);
}
