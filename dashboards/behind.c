#include "dashboards/behind.h"

struct first {
    int64_t received_us;
};

static enum err take_first(void *ctx, const struct reader_row *row)
{
    struct first *first = ctx;
    first->received_us = row->received_us;
    return ERR_OK;
}

// What can't be read is told by who reads it next.
bool behind_is(const struct readers *store, int64_t now_us)
{
    uint64_t head = 0, read = 0, last;
    int64_t newest_us;
    struct first first = {now_us};
    if (reader_head(store->reader, &head, &newest_us, NULL) != ERR_OK ||
        observations_reader_cursor(store->observations, &read, NULL) != ERR_OK || read >= head ||
        reader_rows(store->reader, read, 1, take_first, &first, &last, NULL) != ERR_OK)
        return false;
    return now_us - first.received_us >= BEHIND_SAID_S * US_PER_S;
}
