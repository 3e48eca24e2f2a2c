// One allocation a message: thousands are on the way at once under load.
#include "collector/item.h"
#include <stdlib.h>
#include <string.h>

struct item *item_message_create(const void *bytes, size_t len)
{
    struct item *item = calloc(1, sizeof *item + len);
    if (!item)
        return NULL;
    item->kind = ITEM_MESSAGE;
    item->message.bytes = item + 1;
    item->message.len = len;
    memcpy(item->message.bytes, bytes, len);
    return item;
}

struct item *item_create(enum item_kind kind, struct queue *reply_to)
{
    bool snapshot = kind == ITEM_SNAPSHOT;
    struct item *item = calloc(1, sizeof *item + (snapshot ? sizeof *item->snapshot : sizeof *item->admin));
    if (!item)
        return NULL;
    item->kind = kind;
    item->reply_to = reply_to;
    if (snapshot)
        item->snapshot = (struct snapshot *)(item + 1);
    else
        item->admin = (struct item_admin *)(item + 1);
    return item;
}

void outcome_reset(struct outcome *o)
{
    free(o->text);
    free(o->reject);
    *o = (struct outcome){0};
}

void item_destroy(struct item *item)
{
    if (!item)
        return;
    if (item->kind == ITEM_MESSAGE)
        outcome_reset(&item->message.outcome);
    else if (item->kind == ITEM_SNAPSHOT)
        free(item->snapshot->agents);
    else
        retain_job_destroy(item->admin->job);
    free(item);
}

void item_drop(void *item)
{
    item_destroy(item);
}

size_t item_bytes(const struct item *item)
{
    return sizeof *item + (item->kind == ITEM_MESSAGE ? item->message.len : 0);
}
