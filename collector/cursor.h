// How far something has come, as one number that only rises: the committed position, a projection's position.
// One thread publishes, any may look or wait.
#ifndef ESEP_COLLECTOR_CURSOR_H
#define ESEP_COLLECTOR_CURSOR_H

#include "base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct cursor;
enum err cursor_create(uint64_t position, struct cursor **out) MUST_USE;
void cursor_destroy(struct cursor *c);
// A lower position than the present one sets it back (a projection that starts again).
void cursor_publish(struct cursor *c, uint64_t position);
uint64_t cursor_position(struct cursor *c);
// Waits until the position is at least `reached`, at most timeout_ms; false: not reached. Also returns early,
// with what is true then, after cursor_wake.
bool cursor_wait(struct cursor *c, uint64_t reached, int timeout_ms);
void cursor_wake(struct cursor *c);

#endif
