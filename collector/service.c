// The order of a start is the order of trust: nothing listens before the ledger has been checked and the keys
// are known, and the socket is bound only after ZAP answers, because CURVE without ZAP lets everybody in.
#include "collector/service.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "base/log.h"
#include "collector/duties.h"
#include "collector/plans.h"
#include "collector/state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { DESCRIPTORS_MIN = 128 }; // what the process needs for itself, twice

void service_fail(struct service *s, const char *thread, enum err e, const char *text)
{
    log_error("collector_failed", F_TEXT("thread", thread), F_TEXT("error", err_name(e)),
              F_TEXT("reason", text));
    atomic_store(&s->failed, true);
}

bool service_healthy(struct service *s)
{
    if (!atomic_load(&s->failed) && !zap_alive(s->zap))
        service_fail(
            s, "zap", ERR_CLOSED,
            "the handler that decides which keys get in has died or hangs: nobody gets in; start the "
            "collector again");
    return !atomic_load(&s->failed);
}

// Each agent is a descriptor, and libzmq does not survive the lack of one.
static enum err raise_descriptor_limit(struct diag *d)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) != 0)
        return diag_errno(d, errno, "the limit of open files");
    rlim_t wanted = r.rlim_max == RLIM_INFINITY || r.rlim_max > 65536 ? 65536 : r.rlim_max;
    if (wanted < DESCRIPTORS_MIN)
        return diag_fail(d, ERR_INVALID,
                         "only %u files may be open: raise the limit to %d and one for each agent "
                         "(LimitNOFILE, ulimit -Hn)",
                         (unsigned)wanted, DESCRIPTORS_MIN);
    if (r.rlim_cur >= wanted)
        return ERR_OK;
    r.rlim_cur = wanted;
    return setrlimit(RLIMIT_NOFILE, &r) == 0 ? ERR_OK : diag_errno(d, errno, "the limit of open files");
}

static enum err admit_known(void *ctx, const struct ledger_agent *a)
{
    return admission_add(ctx, a);
}

// Without its head a ledger that lost its last rows looks whole: the operator must know, and from now on
// there is one, a kill within the first second included.
static enum err look_at_head(struct service *s, struct diag *d)
{
    const char *counter = collector_counter_info(COUNTER_LEDGER_HEADS_MISSING)->name;
    if (ledger_head_missing(s->ledger)) {
        collector_gauge_set(&s->counters, GAUGE_HEAD_MISSING, 1);
        log_error("ledger_head_missing", F_INT("position", ledger_position(s->ledger)),
                  F_TEXT("meaning",
                         "a ledger.head says how far the ledger went; without it, rows lost from the "
                         "end are not noticed"),
                  F_TEXT("way_out", "was it removed, or an older copy restored? compare with the agents: "
                                    "esep-collector status shows ledger_behind, verify checks the chains"));
        enum err e = ledger_count(s->ledger, counter, 0, 1);
        if (e != ERR_OK)
            return diag_fail(d, e, "the ledger can't be written: %s", err_text(e));
    }
    return ledger_store_head(s->ledger, d);
}

// A file too long for the ledger is said and does not keep a park from working.
static enum err record_plans(struct service *s, struct diag *d)
{
    struct reader *reader = NULL;
    struct diag why = {""};
    size_t added = 0;
    enum err e = reader_open(s->config->state, &reader, d);
    if (e != ERR_OK)
        return e;
    e = plans_record(s->ledger, reader, s->config->catalogue, &s->parks, &added, &why);
    reader_close(reader);
    if (e == ERR_TOO_BIG)
        log_error("plan_not_recorded", F_TEXT("reason", why.text),
                  F_TEXT("meaning", "what it says can't be asked for by a moment in the past"));
    else if (e != ERR_OK)
        return diag_fail(d, e, "%s", why.text);
    if (added > 0)
        log_info("plans_recorded", F_INT("documents", added));
    return ERR_OK;
}

static enum err open_state(struct service *s, struct diag *d)
{
    enum err e = collector_state_prepare(s->config->state, d);
    if (e == ERR_OK)
        e = collector_state_lock(s->config->state, &s->lock_fd, d);
    if (e == ERR_OK)
        e = catalogue_load(s->config->catalogue, &s->catalogue, d);
    if (e == ERR_OK)
        e = parks_load(s->config->parks, s->catalogue, &s->parks, d);
    if (e == ERR_OK)
        e = ledger_open(s->config->state, s->clock, &s->ledger, d);
    if (e == ERR_OK)
        e = look_at_head(s, d);
    if (e == ERR_OK)
        e = record_plans(s, d);
    if (e == ERR_OK)
        e = admission_create(&s->admission);
    if (e == ERR_OK)
        e = audit_tally_create(s->clock, &s->tally);
    if (e == ERR_OK)
        e = duties_create(&s->parks, s->clock, &s->duties, d);
    if (e == ERR_OK)
        e = ledger_agents(s->ledger, admit_known, s->admission, d);
    return e;
}

static enum err create_meeting_points(struct service *s)
{
    enum err e = queue_create(COLLECTOR_ITEMS_MAX + 16, &s->to_committer);
    if (e == ERR_OK) // every item let out may come back at once, and control's besides
        e = queue_create(COLLECTOR_ITEMS_MAX + 16, &s->to_ingest);
    if (e == ERR_OK)
        e = queue_create(16, &s->to_observer);
    if (e == ERR_OK)
        e = queue_create(16, &s->to_rrd);
    if (e == ERR_OK)
        e = queue_create(64, &s->to_control);
    if (e == ERR_OK)
        e = queue_create(16, &s->to_retention);
    if (e == ERR_OK)
        e = queue_create(64, &s->to_door);
    if (e == ERR_OK)
        e = queue_create(16, &s->to_rates);
    if (e == ERR_OK)
        e = cursor_create(ledger_position(s->ledger), &s->committed);
    if (e == ERR_OK)
        e = cursor_create(0, &s->rrd_landed);
    if (e == ERR_OK)
        e = cursor_create(0, &s->observed);
    return e;
}

static void note_refused(void *ctx, enum zap_refusal why, const char *address, const uint8_t *key)
{
    static const char *const texts[] = {[ZAP_REFUSED_KEY] = "this key is not admitted",
                                        [ZAP_REFUSED_MECHANISM] = "not CURVE",
                                        [ZAP_REFUSED_MALFORMED] = "a malformed request"};
    char who[80], object[KEY_TEXT + 8] = "";
    snprintf(who, sizeof who, "address:%s", address);
    if (key) {
        memcpy(object, "key ", 4);
        crypto_key_text(key, object + 4);
    }
    audit_tally_note(ctx, AUDIT_HANDSHAKE, AUDIT_REFUSED, who, object, 1, texts[why]);
}

// The next key's socket, where there is such a key; with the endpoint alone nothing happens.
static enum err open_next(struct service *s, struct diag *d)
{
    struct mq_router_options o = {.endpoint = s->config->next_endpoint,
                                  .max_message_bytes = WIRE_MESSAGE_MAX_BYTES};
    enum err e = collector_state_next_key(s->config->state, o.secret_key, d);
    if (e == ERR_OK) {
        crypto_public_key(o.secret_key, s->next_key.key);
        e = mq_router_bind(s->mq, &o, &s->next, d);
    }
    crypto_wipe(o.secret_key, sizeof o.secret_key);
    if (e == ERR_NOT_FOUND) {
        log_warn("no_next_key",
                 F_TEXT("way_out", "next_endpoint is set: make the key with keygen --next, or remove it"));
        return ERR_OK;
    }
    if (e == ERR_OK) {
        s->next_key.port = (uint16_t)strtoul(strrchr(mq_endpoint(s->next), ':') + 1, NULL, 10);
        log_info("listening_with_next_key", F_TEXT("endpoint", mq_endpoint(s->next)));
    }
    return e;
}

static enum err open_sockets(struct service *s, struct diag *d)
{
    char endpoint[160];
    struct mq_router_options o = {.endpoint = s->config->endpoint,
                                  .max_message_bytes = WIRE_MESSAGE_MAX_BYTES};
    enum err e = collector_state_key(s->config->state, o.secret_key, d);
    if (e == ERR_OK)
        e = collector_state_control_endpoint(s->config->state, endpoint, sizeof endpoint, d);
    if (e == ERR_OK)
        e = mq_create(&s->mq, d);
    if (e == ERR_OK)
        e = zap_start(s->mq, admission_decide, s->admission, &s->zap, d);
    if (e == ERR_OK)
        zap_watch(s->zap, note_refused, s->tally);
    if (e == ERR_OK)
        e = mq_router_bind(s->mq, &o, &s->router, d);
    if (e == ERR_OK && s->config->next_endpoint)
        e = open_next(s, d);
    if (e == ERR_OK)
        e = mq_reply_bind(s->mq, endpoint, &s->reply, d);
    crypto_wipe(o.secret_key, sizeof o.secret_key);
    return e;
}

// Before the threads: afterwards the ledger is the committer's.
static void say_listening(struct service *s)
{
    log_info("listening", F_TEXT("endpoint", mq_endpoint(s->router)),
             F_INT("agents", admission_count(s->admission)), F_INT("position", ledger_position(s->ledger)),
             F_TEXT("version", ESEP_VERSION));
}

static enum err start_threads(struct service *s, struct diag *d)
{
    static const struct {
        const char *name; // as `top -H` shows it
        void *(*run)(void *);
    } threads[SERVICE_THREADS] = {
        {"committer", committer_thread}, {"observer", observer_thread}, {"rrd", rrd_thread},
        {"control", control_thread},     {"ingest", ingest_thread},     {"retention", retention_thread},
        {"door", door_thread},           {"rates", rates_thread}};
    for (size_t i = 0; i < SERVICE_THREADS; i++) {
        int failed = pthread_create(&s->threads[i], NULL, threads[i].run, s);
        if (failed)
            return diag_errno(d, failed, "a thread can't be started");
        pthread_setname_np(s->threads[i], threads[i].name);
        s->thread_count++;
    }
    return ERR_OK;
}

static void free_parts(struct service *s)
{
    mq_close(s->router);
    mq_close(s->next);
    mq_close(s->reply);
    if (!zap_stop(s->zap))
        log_error("zap_handler_left", F_TEXT("meaning", "it hangs, and can only end with the program"));
    mq_destroy(s->mq);
    queue_destroy(s->to_committer, item_drop);
    queue_destroy(s->to_ingest, item_drop);
    queue_destroy(s->to_observer, item_drop);
    queue_destroy(s->to_rrd, item_drop);
    queue_destroy(s->to_control, item_drop);
    queue_destroy(s->to_retention, item_drop);
    queue_destroy(s->to_door, item_drop);
    queue_destroy(s->to_rates, item_drop);
    cursor_destroy(s->committed);
    cursor_destroy(s->rrd_landed);
    cursor_destroy(s->observed);
    admission_destroy(s->admission);
    audit_tally_destroy(s->tally);
    duties_destroy(s->duties);
    ledger_close(s->ledger);
    parks_free(&s->parks);
    catalogue_free(s->catalogue);
    if (s->lock_fd >= 0)
        fs_unlock(s->lock_fd);
    free(s);
}

enum err service_start(const struct collector_config *config, const struct clock *clock, struct service **out,
                       struct diag *d)
{
    struct service *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    s->config = config;
    s->clock = clock;
    s->lock_fd = -1;
    collector_counters_init(&s->counters);
    collector_gauge_set(&s->counters, GAUGE_STARTED_US, clock_wall(clock).us);
    enum err e = raise_descriptor_limit(d);
    if (e == ERR_OK)
        e = open_state(s, d);
    if (e == ERR_OK)
        e = create_meeting_points(s);
    if (e == ERR_OK && (e = open_sockets(s, d)) == ERR_FULL)
        e = ERR_IO; // of descriptors: no disk that gets room by itself
    if (e == ERR_OK)
        say_listening(s);
    if (e == ERR_OK && (e = start_threads(s, d)) != ERR_OK) {
        service_stop(s);
        return e;
    }
    if (e != ERR_OK) {
        free_parts(s);
        return e;
    }
    *out = s;
    return ERR_OK;
}

void service_stop(struct service *s)
{
    // ingest closes the committer's queue, the committer ingest's; with ingest missing nobody would
    atomic_store(&s->stop_ingest, true);
    if (s->thread_count < 5)
        queue_close(s->to_committer);
    atomic_store(&s->stop_door, true);
    cursor_wake(s->committed);
    for (int i = 5; i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
    if (s->thread_count > 0)
        pthread_join(s->threads[0], NULL);
    if (s->thread_count > 4)
        pthread_join(s->threads[4], NULL);
    atomic_store(&s->stop_projections, true);
    cursor_wake(s->committed);
    for (int i = 1; i < 3 && i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
    atomic_store(&s->stop_control, true);
    if (s->thread_count > 3)
        pthread_join(s->threads[3], NULL);
    log_info("stopped", F_INT("position", cursor_position(s->committed)),
             F_INT("rrd", cursor_position(s->rrd_landed)),
             F_INT("observations", cursor_position(s->observed)));
    free_parts(s);
}
