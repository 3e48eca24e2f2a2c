// The one place where threads meet: a bounded queue of pointers, many producers, one consumer.
// Ownership of an item moves with it. An eventfd is readable while items wait, for use in a poll set.
#ifndef ESEP_BASE_QUEUE_H
#define ESEP_BASE_QUEUE_H

#include "base/err.h"
#include <stddef.h>

struct queue;

enum err queue_create(size_t max_items, struct queue **out) MUST_USE;
// The items left are handed to drop (may be NULL).
void queue_destroy(struct queue *q, void (*drop)(void *item));
// FULL: the item stays the caller's. CLOSED after queue_close. Never blocks.
enum err queue_give(struct queue *q, void *item) MUST_USE;
// AGAIN when nothing came within timeout_ms (0: do not wait, -1: no limit); CLOSED when closed and empty.
enum err queue_take(struct queue *q, int timeout_ms, void **out) MUST_USE;
// No more items are accepted; the consumer drains what is there and then gets CLOSED. Idempotent.
void queue_close(struct queue *q);
size_t queue_depth(struct queue *q);
// Readable while the queue is not empty or is closed; owned by the queue; poll it, never read it.
int queue_fd(struct queue *q);

#endif
