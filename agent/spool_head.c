// SQLite takes a damaged log (-wal) for one that ends earlier: the spool is then valid and older than it was,
// and what it had gathered last is gone without a word. So how far it had come is noted beside it after each
// commit. The note is not synced: the commit before it is, so it can only lag behind, never run ahead; after
// a power cut it may be old, or torn, and then says nothing. What it proves it proves for certain.
//
// In a sector of its own it also holds how far the collector has acknowledged, written as soon as that is
// known: a transaction, and so a sync, for that alone would cost as much as the batch did. The tables follow
// with the next batch. A kill loses nothing of it; after a power cut the agent may say less than was
// acknowledged, sends that again, and is told that it is a repeat.
#include "agent/spool_internal.h"
#include "base/crypto.h"
#include "base/fs.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEAD_VERSION 1
#define NOTE_AT      512 // a sector that is torn takes only one of the two along

struct head { // no padding: stored as it is, on the machine that reads it
    uint64_t version, generation, last_written, last_acknowledged, sampled;
    uint8_t incarnation[WIRE_INCARNATION_BYTES];
    uint8_t hash[SPOOL_HASH_BYTES];
};

struct note { // no padding either
    uint64_t generation, acknowledged, position;
    uint8_t chain[WIRE_CHAIN_BYTES];
    uint8_t incarnation[WIRE_INCARNATION_BYTES];
    uint8_t hash[SPOOL_HASH_BYTES];
};

static void hash_bytes(const void *bytes, size_t len, uint8_t out[SPOOL_HASH_BYTES])
{
    uint8_t whole[HASH_BYTES];
    crypto_digest(&(struct hash_part){bytes, len}, 1, whole);
    memcpy(out, whole, SPOOL_HASH_BYTES);
}

static void hash_head(const struct head *h, uint8_t out[SPOOL_HASH_BYTES])
{
    hash_bytes(h, offsetof(struct head, hash), out);
}

enum err spool_head_open(struct spool *s, const char *state_folder, struct diag *d)
{
    char path[PATH_MAX];
    enum err e = fs_join(path, sizeof path, state_folder, SPOOL_HEAD_FILE);
    if (e != ERR_OK)
        return diag_fail(d, e, "%s: the path is too long", state_folder);
    s->head = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    return s->head >= 0 ? ERR_OK : diag_errno(d, errno, "%s", path);
}

void spool_head_close(struct spool *s)
{
    if (s->head >= 0)
        close(s->head);
    s->head = -1;
}

void spool_head_write(const struct spool *s)
{
    const struct spool_state *st = &s->meta.state;
    struct head h = {.version = HEAD_VERSION,
                     .generation = st->generation,
                     .last_written = st->last_written,
                     .last_acknowledged = st->last_acknowledged,
                     .sampled = st->counters.sampled};
    memcpy(h.incarnation, st->incarnation.bytes, sizeof h.incarnation);
    hash_head(&h, h.hash);
    if (s->head >= 0 && pwrite(s->head, &h, sizeof h, 0) < 0)
        return; // it lags behind then, which it may
}

static bool read_head(const struct spool *s, struct head *out)
{
    uint8_t hash[SPOOL_HASH_BYTES];
    if (s->head < 0 || pread(s->head, out, sizeof *out, 0) != (ssize_t)sizeof *out)
        return false;
    hash_head(out, hash);
    return out->version == HEAD_VERSION && memcmp(hash, out->hash, sizeof hash) == 0;
}

bool spool_head_is_ahead(const struct spool *s, bool fresh, char *reason, size_t reason_size)
{
    const struct spool_state *st = &s->meta.state;
    struct head h;
    if (!read_head(s, &h))
        return false;
    bool same = memcmp(h.incarnation, st->incarnation.bytes, sizeof h.incarnation) == 0;
    if (fresh || !same) {
        snprintf(reason, reason_size, "the spool that was here had %llu batches and is gone",
                 (unsigned long long)h.last_written);
        return fresh || h.generation >= st->generation;
    }
    snprintf(reason, reason_size,
             "the spool ends at batch %llu, acknowledged %llu; it had come to %llu, %llu",
             (unsigned long long)st->last_written, (unsigned long long)st->last_acknowledged,
             (unsigned long long)h.last_written, (unsigned long long)h.last_acknowledged);
    if (h.generation != st->generation)
        return h.generation > st->generation;
    return h.last_written > st->last_written || h.last_acknowledged > st->last_acknowledged ||
           h.sampled > st->counters.sampled;
}

// ---- what was acknowledged

bool spool_note_acknowledged(struct spool *s, uint64_t sequence, const struct wire_receipt *receipt)
{
    const struct spool_state *st = &s->meta.state;
    struct note n = {.generation = st->generation, .acknowledged = sequence, .position = receipt->position};
    memcpy(n.chain, receipt->chain, sizeof n.chain);
    memcpy(n.incarnation, st->incarnation.bytes, sizeof n.incarnation);
    hash_bytes(&n, offsetof(struct note, hash), n.hash);
    return s->head >= 0 && pwrite(s->head, &n, sizeof n, NOTE_AT) == (ssize_t)sizeof n;
}

bool spool_head_noted(int head, const struct spool_state *st, uint64_t *sequence,
                      struct wire_receipt *receipt)
{
    struct note n;
    uint8_t hash[SPOOL_HASH_BYTES];
    if (head < 0 || pread(head, &n, sizeof n, NOTE_AT) != (ssize_t)sizeof n)
        return false;
    hash_bytes(&n, offsetof(struct note, hash), hash);
    if (memcmp(hash, n.hash, sizeof hash) != 0 || n.generation != st->generation ||
        memcmp(n.incarnation, st->incarnation.bytes, sizeof n.incarnation) != 0)
        return false;
    *sequence = n.acknowledged;
    *receipt = (struct wire_receipt){.position = n.position};
    memcpy(receipt->chain, n.chain, sizeof receipt->chain);
    return n.acknowledged > st->last_acknowledged && n.acknowledged <= st->last_written;
}
