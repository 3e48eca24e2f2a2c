// rebuild: through the running collector, or under its lock.
#include "base/fs.h"
#include "collector/commands.h"
#include "collector/rrd_writer.h"
#include "collector/state.h"
#include "store/observations.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MS = 10000, POLL_MS = 200, ROWS_MAX = 4096 };

// ---- rebuild, with a collector that runs --------------------------------------------------------
static enum err wait_until_clean(const struct collector_config *c, uint64_t total, struct diag *d)
{
    struct command_progress p;
    uint64_t dirty = total;
    enum err e = ERR_OK;
    collector_progress_init(&p);
    while (e == ERR_OK && dirty > 0) {
        json_t *status = NULL;
        bool running = true;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
        e = collector_fetch_status(c, &status, &running, d);
        if (e == ERR_OK && !running)
            e = diag_fail(d, ERR_CLOSED,
                          "the collector has stopped; it goes on rebuilding at its next start");
        dirty = (uint64_t)json_integer_value(json_object_get(status, "rrd_dirty"));
        json_decref(status);
        collector_progress_show(&p, "rebuilt", total > dirty ? total - dirty : 0, total);
    }
    collector_progress_end(&p);
    return e;
}

static enum err rebuild_online(const struct collector_config *c, const char *series, uint64_t *count,
                               struct diag *d)
{
    json_t *reply = NULL;
    json_t *request = series ? json_pack("{s:s, s:s}", "command", "rebuild", "series", series)
                             : json_pack("{s:s}", "command", "rebuild");
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, d);
    json_decref(request);
    if (e != ERR_OK)
        return e;
    *count = (uint64_t)json_integer_value(json_object_get(reply, "series"));
    json_decref(reply);
    return wait_until_clean(c, *count, d);
}

// ---- rebuild, with the lock ---------------------------------------------------------------------
struct offline {
    int lock;
    struct ledger *ledger; // opened once, so that what a crash left is put in order
    struct reader *reader;
    struct observations *observations;
    struct observations_reader *observed;
    struct rrd_writer *writer;
    struct counters counters;
};

static enum err observe_all(struct offline *o, bool anew, struct diag *d)
{
    struct command_progress p;
    size_t rows = 1;
    enum err e = anew ? observations_reset(o->observations, d) : ERR_OK;
    collector_progress_init(&p);
    while (e == ERR_OK && rows > 0) {
        e = observations_advance(o->observations, o->reader, ROWS_MAX, &rows, d);
        collector_progress_show(&p, "read", observations_cursor(o->observations), ledger_position(o->ledger));
    }
    collector_progress_end(&p);
    return e;
}

static enum err write_all(struct offline *o, const char *series, uint64_t *count, struct diag *d)
{
    struct command_progress p;
    size_t did = 1;
    enum err e = rrd_writer_rebuild(o->writer, series ? series : "", count, d);
    collector_progress_init(&p);
    while (e == ERR_OK && did > 0) {
        e = rrd_writer_step(o->writer, &did, d);
        rrd_writer_hurry(o->writer);
        size_t dirty = rrd_writer_dirty(o->writer);
        collector_progress_show(&p, "rebuilt", *count > dirty ? *count - dirty : 0, *count);
    }
    collector_progress_end(&p);
    if (e == ERR_OK && rrd_writer_dirty(o->writer) > 0)
        e = diag_fail(d, ERR_IO, "%zu series could not be rebuilt; the log above says why",
                      rrd_writer_dirty(o->writer));
    enum err stored = rrd_writer_stop(o->writer, true, e == ERR_OK ? d : NULL);
    return e == ERR_OK ? stored : e;
}

static enum err open_offline(struct offline *o, const struct collector_config *c, struct diag *d)
{
    enum err e = collector_state_lock(c->state, &o->lock, d);
    if (e == ERR_OK)
        e = ledger_open(c->state, clock_system(), &o->ledger, d);
    if (e == ERR_OK)
        e = reader_open(c->state, &o->reader, d);
    if (e == ERR_OK)
        e = observations_open(c->state, &o->observations, d);
    return e;
}

static enum err open_writer(struct offline *o, const struct collector_config *c, struct diag *d)
{
    enum err e = observations_reader_open(c->state, &o->observed, d);
    struct rrd_writer_options options = {.state = c->state,
                                         .reader = o->reader,
                                         .observations = o->observed,
                                         .clock = clock_system(),
                                         .counters = &o->counters};
    return e == ERR_OK ? rrd_writer_open(&options, &o->writer, d) : e;
}

static enum err record(struct offline *o, const char *series, uint64_t count, struct diag *d)
{
    struct audit_entry entry;
    char who[COMMAND_WHO];
    collector_command_who(who);
    audit_entry_set(&entry, AUDIT_REBUILD, AUDIT_DONE, who, series ? series : "", "%llu series",
                    (unsigned long long)count);
    enum err e = audit_store(o->ledger, &entry, 1, d);
    if (e == ERR_OK && !ledger_head_missing(o->ledger)) // that alarm is for the next start
        e = ledger_store_head(o->ledger, d);
    return e;
}

static enum err rebuild_offline(const struct collector_config *c, const char *series, uint64_t *count,
                                struct diag *d)
{
    struct offline o = {.lock = -1};
    collector_counters_init(&o.counters);
    enum err e = open_offline(&o, c, d);
    if (e == ERR_OK)
        e = observe_all(&o, !series, d);
    if (e == ERR_OK)
        e = open_writer(&o, c, d);
    if (e == ERR_OK)
        e = write_all(&o, series, count, d);
    if (e == ERR_OK)
        e = record(&o, series, *count, d);
    rrd_writer_close(o.writer);
    observations_reader_close(o.observed);
    observations_close(o.observations);
    reader_close(o.reader);
    ledger_close(o.ledger);
    if (o.lock >= 0)
        fs_unlock(o.lock);
    return e;
}

int collector_command_rebuild(const struct command_line *line, const struct collector_config *c)
{
    const char *series = line->word_count ? line->words[0] : NULL;
    struct diag d = {0};
    uint64_t count = 0;
    enum err e = rebuild_online(c, series, &count, &d);
    if (e == ERR_CLOSED && count == 0)
        e = rebuild_offline(c, series, &count, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    printf("rebuilt %llu series\n", (unsigned long long)count);
    return EXIT_DONE;
}
