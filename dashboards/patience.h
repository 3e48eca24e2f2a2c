// How long a client may hold a connection, and how many bytes of answers may wait for their readers. The HTTP
// library ends only connections on which nothing happens at all: with a byte now and then a client would hold
// one, and the memory of an answer that it does not read, for as long as it likes. Threads: any.
#ifndef ESEP_DASHBOARDS_PATIENCE_H
#define ESEP_DASHBOARDS_PATIENCE_H

#include "base/clock.h"
#include "base/err.h"
#include "dashboards/metrics.h"
#include <stdbool.h>
#include <stddef.h>

#define PATIENCE_ASK_S        60          // from the connection, or the last answer, until a request is whole
#define PATIENCE_READ_S       30          // to take an answer, and
#define PATIENCE_READ_BYTES_S (32u << 10) // a second more for each so many bytes
#define PATIENCE_BYTES        (256u << 20) // of answers that are on their way, all together
#define PATIENCE_SHARE        4            // the part of them that one address may have
#define PATIENCE_SMALL        (64u << 10)  // an answer of so many bytes is always sent

struct patience;
struct patience_place; // one connection

// For so many connections. The clock and the metrics must outlive it.
enum err patience_create(size_t places, const struct clock *clock, struct metrics *metrics,
                         struct patience **out) MUST_USE;
// A thread of its own looks each second, until patience_destroy. IO: it could not be started.
enum err patience_watch(struct patience *p, struct diag *d) MUST_USE;
void patience_destroy(struct patience *p); // NULL is allowed

// The descriptor stays the caller's, and open until patience_end. NULL when there is no place left: the other
// calls take that, and no time is counted.
struct patience_place *patience_begin(struct patience *p, int fd);
// The request is whole: what the answer's making takes is not the client's time.
void patience_asked(struct patience *p, struct patience_place *at);
// The answer goes out. False: too much waits for readers already, of this address or of all, and it must not.
bool patience_answered(struct patience *p, struct patience_place *at, const char *address,
                       size_t len) MUST_USE;
// The answer is with the client, or will never be.
void patience_done(struct patience *p, struct patience_place *at);
void patience_end(struct patience *p, struct patience_place *at);

// Shuts every connection down whose time is over; how many.
size_t patience_look(struct patience *p);

#endif
