// TCP neither doubles nor reorders, but reconnections do both to what rides on it; here each message is on
// its own, which is harsher than any real network and finds what depends on order.
#include "tests/flow/network.h"
#include "tests/support/cmocka.h"
#include <stdlib.h>
#include <string.h>

#define BASE_DELAY_US 500

void network_init(struct network *n, const struct fake_clock *clock, uint64_t seed, struct weather w)
{
    *n = (struct network){.clock = clock, .random = {seed}, .weather = w, .connection = 1};
}

void network_deinit(struct network *n)
{
    network_cut(n);
    free(n->packets);
    n->packets = NULL;
}

static bool happens(struct network *n, uint32_t in_a_thousand)
{
    return random_below(&n->random, 1000) < in_a_thousand;
}

static void put(struct network *n, enum direction d, const void *bytes, size_t len)
{
    if (n->count == n->cap) {
        n->cap = n->cap ? 2 * n->cap : 64;
        n->packets = realloc(n->packets, n->cap * sizeof *n->packets);
        assert_non_null(n->packets);
    }
    int64_t late_us = 0;
    if (happens(n, n->weather.late)) {
        late_us = (int64_t)random_below(&n->random, (uint64_t)n->weather.late_max_ms + 1) * US_PER_MS;
    }
    void *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    n->packets[n->count++] = (struct packet){.direction = d,
                                             .connection = n->connection,
                                             .due_us = n->clock->mono_us + BASE_DELAY_US + late_us,
                                             .order = n->sent++,
                                             .len = len,
                                             .bytes = copy};
}

void network_send(struct network *n, enum direction d, const void *bytes, size_t len)
{
    if (happens(n, n->weather.lost)) {
        n->lost++;
        return;
    }
    put(n, d, bytes, len);
    if (happens(n, n->weather.doubled)) {
        n->doubled++;
        put(n, d, bytes, len);
    }
}

static size_t earliest(const struct network *n)
{
    size_t best = 0;
    for (size_t i = 1; i < n->count; i++) {
        const struct packet *a = &n->packets[i], *b = &n->packets[best];
        if (a->due_us < b->due_us || (a->due_us == b->due_us && a->order < b->order)) {
            best = i;
        }
    }
    return best;
}

bool network_take(struct network *n, struct packet *out)
{
    size_t i = n->count ? earliest(n) : 0;
    if (n->count == 0 || n->packets[i].due_us > n->clock->mono_us) {
        return false;
    }
    *out = n->packets[i];
    n->packets[i] = n->packets[--n->count];
    n->delivered++;
    return true;
}

void network_cut(struct network *n)
{
    for (size_t i = 0; i < n->count; i++) {
        free(n->packets[i].bytes);
    }
    n->lost += n->count;
    n->count = 0;
    n->connection++;
}

int64_t network_wait_us(const struct network *n)
{
    if (n->count == 0) {
        return INT64_MAX;
    }
    int64_t wait = n->packets[earliest(n)].due_us - n->clock->mono_us;
    return wait > 0 ? wait : 0;
}
