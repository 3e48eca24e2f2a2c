// A collector without threads or sockets: ingest and committer over a real ledger in a folder of its own,
// with a clock that moves only when told. What the agent would get is kept and can be looked at.
#ifndef ESEP_TESTS_COLLECTOR_BENCH_H
#define ESEP_TESTS_COLLECTOR_BENCH_H

#include "collector/committer.h"
#include "collector/ingest.h"
#include "store/reader.h"
#include "tests/support/folder.h"
#include "wire/codec.h"

#define BENCH_NOW_S INT64_C(1767225600) // 2026-01-01T00:00:00Z

struct bench_reply {
    struct mq_peer peer;
    size_t len;
    unsigned char bytes[WIRE_MESSAGE_MAX_BYTES];
};

struct bench {
    struct test_folder folder;
    struct fake_clock clock;
    struct catalogue *catalogue;
    struct ledger *ledger;
    struct reader *reader;
    struct admission *admission;
    struct counters counters;
    struct audit_tally *tally;
    struct ingest *ingest;
    struct committer *committer;
    struct ledger_agent agent; // park "almaty-iz", resident "acme"
    char token[ADMISSION_TOKEN];
    struct mq_peer peer;
    struct wire_incarnation incarnation;
    struct bench_reply replies[64];
    size_t reply_count;
    int shut_fd;                 // the last connection that ingest closed: 100 + its peer's first byte
    const struct quotas *quotas; // NULL: none; taken at bench_restart
    struct duties *duties;       // the same
    enum err send_result;        // what the transport answers
    struct wire_arena *arena;
    struct wire_builder *builder;
    struct buf out;
};

// Setup and teardown for cmocka: *state is the struct bench.
int bench_setup(void **state);
int bench_teardown(void **state);
// Closes and opens everything again, as a restart does.
void bench_restart(struct bench *b);
// Admits one more key; token for its messages.
void bench_admit(struct bench *b, const char *resident, struct ledger_agent *agent,
                 char token[ADMISSION_TOKEN]);

// Bytes from a peer through ingest and, when it hands them over, the committer, as a group of one.
void bench_receive(struct bench *b, const struct mq_peer *peer, const char *token, const void *bytes,
                   size_t len);
// The same up to the committer: the item that ingest hands over, or NULL.
struct item *bench_ingest(struct bench *b, const struct mq_peer *peer, const char *token, const void *bytes,
                          size_t len);
void bench_send(struct bench *b, const struct wire_message *m);
// Forgets the replies so far.
void bench_clear(struct bench *b);
// The i-th reply decoded; it must be of that type. Valid until the next call.
struct wire_message bench_reply(struct bench *b, size_t i, enum wire_type type);

// Hello of the bench's agent, which must be welcomed; clears the replies.
void bench_hello(struct bench *b);
struct wire_message bench_hello_message(const struct bench *b);
// Declares a measurement of 10 s (class measurement) or a monthly report; must be accepted.
void bench_declare(struct bench *b, uint32_t number, const char *series, const char *unit,
                   enum wire_class class);
struct wire_message bench_declare_message(const struct bench *b, uint32_t number, const char *series,
                                          const char *unit, enum wire_class class);
struct wire_sample bench_sample(uint32_t series, int64_t time, int64_t value);
// A batch of samples; the replies are kept.
void bench_batch(struct bench *b, uint64_t sequence, enum wire_class class, const struct wire_sample *samples,
                 size_t count);
// Its bytes, in b->out.
void bench_build(struct bench *b, uint64_t sequence, enum wire_class class, const struct wire_sample *samples,
                 const struct wire_note *note, size_t count);

uint64_t bench_counted(const struct bench *b, enum collector_counter id);

#endif
