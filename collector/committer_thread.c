// The shell around the committer: takes all that has queued up, commits it, hands it back; each second the
// head, the free space, the size of the WAL. A full disk is waited out with the items in hand; an I/O error
// ends the process, because a file whose sync has failed once can't be trusted by trying again.
#include "base/fs.h"
#include "base/log.h"
#include "collector/service.h"
#include "store/reader.h"
#include <unistd.h>

enum { TICK_MS = 1000, RETRY_MS = 500, CHECKPOINT_BYTES = 64 << 20 };
// So much that came during one commit says that the next ones will not catch up by themselves: agents wait.
enum { PRESSED_ITEMS = 64, PRESSED_BYTES = 256 << 10 };

struct shell {
    struct service *s;
    struct committer *committer;
    struct item *items[COMMITTER_GROUP_MAX];
    size_t count;
    struct item *admin; // taken behind the items: comes after them
    struct mono ticked;
    uint64_t head_position, head_audited;
    uint64_t checkpointed_at; // size of the WAL then
    bool disk_full;
};

// ---- space --------------------------------------------------------------------------------------
static void set_space(struct shell *sh, uint64_t free_bytes)
{
    static const char *const names[] = {"enough", "low", "none"};
    struct service *s = sh->s;
    int64_t before = collector_gauge(&s->counters, GAUGE_SPACE), now = SPACE_ENOUGH;
    if (sh->disk_full)
        now = SPACE_NONE;
    else if (free_bytes < s->config->min_free_bytes)
        now = SPACE_LOW;
    if (now == before)
        return;
    collector_gauge_set(&s->counters, GAUGE_SPACE, now);
    log_event(now == SPACE_ENOUGH ? LOG_INFO : LOG_ERROR, "space", F_TEXT("space", names[now]),
              F_INT("free_bytes", free_bytes), F_INT("min_free_bytes", s->config->min_free_bytes));
}

static void look_at_space(struct shell *sh)
{
    uint64_t free_bytes = 0;
    struct diag d = {0};
    if (fs_free_bytes(sh->s->config->state, &free_bytes, &d) != ERR_OK) {
        log_warn("free_space_unknown", F_TEXT("reason", d.text));
        return;
    }
    collector_gauge_set(&sh->s->counters, GAUGE_FREE_BYTES, (int64_t)free_bytes);
    set_space(sh, free_bytes);
}

// ---- each second --------------------------------------------------------------------------------
static enum err store_head(struct shell *sh, struct diag *d)
{
    uint64_t position = ledger_position(sh->s->ledger), audited = audit_position(sh->s->ledger);
    if (position == sh->head_position && audited == sh->head_audited)
        return ERR_OK;
    enum err e = ledger_store_head(sh->s->ledger, d);
    if (e == ERR_OK) {
        sh->head_position = position;
        sh->head_audited = audited;
    }
    return e == ERR_FULL ? ERR_OK : e; // the head of a second ago still holds
}

static enum err checkpoint(struct shell *sh, struct diag *d)
{
    uint64_t wal = ledger_wal_bytes(sh->s->ledger);
    collector_gauge_set(&sh->s->counters, GAUGE_WAL_BYTES, (int64_t)wal);
    if (wal < CHECKPOINT_BYTES)
        return ERR_OK;
    enum err e = ledger_checkpoint(sh->s->ledger, d);
    return e == ERR_FULL || e == ERR_AGAIN ? ERR_OK : e;
}

static enum err tick(struct shell *sh, struct diag *d)
{
    struct mono now = clock_mono(sh->s->clock);
    if (mono_diff_ms(now, sh->ticked) < TICK_MS)
        return ERR_OK;
    sh->ticked = now;
    look_at_space(sh);
    (void)committer_clock_behind(sh->committer);
    enum err e = committer_audit(sh->committer, false, d);
    if (e == ERR_FULL || e == ERR_NOMEM || e == ERR_AGAIN) // kept and counted until there is room
        e = ERR_OK;
    if (e == ERR_OK)
        e = store_head(sh, d);
    return e == ERR_OK ? checkpoint(sh, d) : e;
}

// ---- groups -------------------------------------------------------------------------------------
static enum err gather_some(struct shell *sh, int wait_ms, size_t *bytes)
{
    void *p;
    enum err e = queue_take(sh->s->to_committer, wait_ms, &p);
    while (e == ERR_OK) {
        struct item *item = p;
        if (item->kind != ITEM_MESSAGE) {
            sh->admin = item;
            return ERR_OK;
        }
        *bytes += item_bytes(item);
        sh->items[sh->count++] = item;
        if (sh->count == COMMITTER_GROUP_MAX)
            return ERR_OK;
        e = queue_take(sh->s->to_committer, 0, &p);
    }
    return sh->count > 0 ? ERR_OK : e;
}

static enum err gather(struct shell *sh)
{
    size_t bytes = 0;
    enum err e = gather_some(sh, 0, &bytes);
    collector_gauge_set(&sh->s->counters, GAUGE_PRESSED,
                        sh->count >= PRESSED_ITEMS || bytes >= PRESSED_BYTES);
    return e == ERR_AGAIN ? gather_some(sh, TICK_MS, &bytes) : e;
}

static void give_back(struct shell *sh)
{
    for (size_t i = 0; i < sh->count; i++) {
        if (queue_give(sh->s->to_ingest, sh->items[i]) != ERR_OK)
            item_destroy(sh->items[i]);
    }
    sh->count = 0;
}

static void answer_admin(struct shell *sh, bool asked)
{
    if (sh->admin && !asked)
        sh->admin->admin->result =
            diag_fail(&sh->admin->admin->diag, ERR_CLOSED, "the collector is stopping");
    if (sh->admin && queue_give(sh->admin->reply_to, sh->admin) != ERR_OK)
        item_destroy(sh->admin);
    sh->admin = NULL;
}

// Until the items are committed; FULL only when the process stops meanwhile.
static enum err commit(struct shell *sh, struct diag *d)
{
    for (;;) {
        enum err e = committer_run(sh->committer, sh->items, sh->count, d);
        bool full = e == ERR_FULL || e == ERR_NOMEM;
        if (full)
            collector_count(&sh->s->counters, COUNTER_COMMITS_NO_SPACE, 1);
        if (full != sh->disk_full) {
            sh->disk_full = full;
            look_at_space(sh);
        }
        if (!full && e != ERR_AGAIN)
            return e;
        if (e == ERR_AGAIN)
            log_warn("commit_put_off", F_TEXT("reason", d->text));
        if (atomic_load(&sh->s->stop_ingest))
            return ERR_FULL;
        cursor_wait(sh->s->committed, UINT64_MAX, RETRY_MS); // a pause that a stop can end
        enum err t = tick(sh, d);
        if (t != ERR_OK)
            return t;
    }
}

static enum err run_group(struct shell *sh, struct diag *d)
{
    enum err e = sh->count > 0 ? commit(sh, d) : ERR_OK;
    bool asked = false;
    if (e == ERR_OK) {
        cursor_publish(sh->s->committed, ledger_position(sh->s->ledger));
        asked = true;
        if (sh->admin)
            e = committer_admin(sh->committer, sh->admin);
        if (e != ERR_OK)
            *d = sh->admin->admin->diag;
        cursor_publish(sh->s->committed, ledger_position(sh->s->ledger));
    }
    give_back(sh); // without an outcome when it failed: then nothing is said
    answer_admin(sh, asked);
    return e;
}

static enum err store_event(struct shell *sh, enum audit_event event, struct diag *d)
{
    struct audit_entry entry;
    audit_entry_set(&entry, event, AUDIT_DONE, "system", "", "version %s, uid %u", ESEP_VERSION,
                    (unsigned)getuid());
    enum err e = audit_store(sh->s->ledger, &entry, 1, d);
    collector_count(&sh->s->counters, COUNTER_AUDIT_ENTRIES, e == ERR_OK ? 1 : 0);
    return e;
}

// On a full disk too the collector runs: it waits for space, and its start is said when there is some.
static enum err begin(struct shell *sh, struct diag *d)
{
    enum err e = store_event(sh, AUDIT_START, d);
    if (e != ERR_FULL && e != ERR_NOMEM)
        return e;
    audit_tally_note(sh->s->tally, AUDIT_START, AUDIT_DONE, "system", "", 1, "without space at first");
    return ERR_OK;
}

static void run(struct shell *sh)
{
    struct diag d = {0};
    enum err e = begin(sh, &d);
    while (e == ERR_OK && !atomic_load(&sh->s->failed)) {
        e = gather(sh);
        if (e == ERR_CLOSED)
            break;
        e = e == ERR_AGAIN ? ERR_OK : run_group(sh, &d);
        if (e == ERR_OK)
            e = tick(sh, &d);
    }
    if (e == ERR_CLOSED && (e = committer_audit(sh->committer, true, &d)) == ERR_OK)
        e = store_event(sh, AUDIT_STOP, &d);
    if (e == ERR_OK)
        e = store_head(sh, &d);
    if (e != ERR_OK && e != ERR_FULL && e != ERR_NOMEM)
        service_fail(sh->s, "committer", e, d.text);
}

void *committer_thread(void *service)
{
    struct service *s = service;
    struct shell sh = {.s = s};
    struct reader *reader = NULL;
    struct diag d = {0};
    struct committer_options o = {.ledger = s->ledger,
                                  .catalogue = s->catalogue,
                                  .clock = s->clock,
                                  .counters = &s->counters,
                                  .admission = s->admission,
                                  .quotas = &s->config->quotas,
                                  .tally = s->tally,
                                  .parks = &s->parks};
    enum err e = reader_open(s->config->state, &reader, &d);
    o.reader = reader;
    if (e == ERR_OK)
        e = committer_create(&o, &sh.committer, &d);
    if (e == ERR_OK) {
        look_at_space(&sh);
        (void)committer_clock_behind(sh.committer);
        run(&sh);
    } else {
        service_fail(s, "committer", e, d.text);
    }
    queue_close(s->to_ingest);
    committer_destroy(sh.committer);
    reader_close(reader);
    return NULL;
}
