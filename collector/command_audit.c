// audit: the log is read from the files, always whole: what is printed may be a part, what is verified is
// everything. Also how the other commands leave an entry.
#include "base/fs.h"
#include "collector/commands.h"
#include "collector/state.h"
#include "collector/when.h"
#include "store/audit.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 5000, ENTRIES_A_READ = 1000, ENDS_TRIED = 1000 };

// ---- entries of other commands -------------------------------------------------------------------
void collector_command_who(char out[COMMAND_WHO])
{
    const char *sudo = getenv("SUDO_UID");
    const char *digits = sudo && sudo[0] && strspn(sudo, "0123456789") == strlen(sudo) ? sudo : NULL;
    if (getuid() == 0 && digits && strlen(digits) < 12)
        snprintf(out, COMMAND_WHO, "uid:0 for uid:%s", digits);
    else
        snprintf(out, COMMAND_WHO, "uid:%u", (unsigned)getuid());
}

static enum err record_online(const struct collector_config *c, enum audit_event event, const char *object,
                              const char *detail, struct diag *d)
{
    json_t *reply = NULL;
    json_t *request =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "command", "audit", "event", audit_event_code(event),
                  "outcome", "done", "object", object, "detail", detail);
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, d);
    json_decref(request);
    json_decref(reply);
    return e;
}

static enum err record_offline(const struct collector_config *c, enum audit_event event, const char *object,
                               const char *detail, struct diag *d)
{
    struct ledger *l = NULL;
    struct audit_entry entry;
    char who[COMMAND_WHO];
    int lock = -1;
    collector_command_who(who);
    audit_entry_set(&entry, event, AUDIT_DONE, who, object, "%s", detail);
    enum err e = collector_state_lock(c->state, &lock, d);
    if (e == ERR_OK)
        e = ledger_open(c->state, clock_system(), &l, d);
    if (e == ERR_OK)
        e = audit_store(l, &entry, 1, d);
    if (e == ERR_OK && !ledger_head_missing(l)) // that alarm is for the next start
        e = ledger_store_head(l, d);
    ledger_close(l);
    if (lock >= 0)
        fs_unlock(lock);
    return e;
}

enum err collector_command_record(const struct collector_config *c, enum audit_event event,
                                  const char *object, const char *detail, struct diag *d)
{
    enum err e = record_online(c, event, object, detail, d);
    return e == ERR_CLOSED ? record_offline(c, event, object, detail, d) : e;
}

// ---- printing -----------------------------------------------------------------------------------
struct printing {
    bool json;
    int64_t from_s, to_s;   // [from, to)
    enum audit_event event; // AUDIT_EVENTS: all
    uint64_t read, shown, damaged;
};

static const char *outcome_name(const struct audit_entry *e)
{
    return e->outcome == AUDIT_DONE ? "done" : "refused";
}

// Entries are received in rising order, so the moment can be shown to the microsecond.
static void moment_text(int64_t us, char out[WALL_TEXT + 8])
{
    char second[WALL_TEXT];
    wall_text((struct wall){us}, second);
    snprintf(out, WALL_TEXT + 8, "%.19s.%06dZ", second, (int)(us % US_PER_S));
}

static void print_damage(const char *text)
{
    fprintf(stderr, "damaged: %s\n", text);
}

static void print_json(struct printing *p, const struct audit_entry *e, bool whole)
{
    char at[WALL_TEXT + 8], since[WALL_TEXT + 8];
    moment_text(e->received_us, at);
    moment_text(e->since_us, since);
    json_t *o = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:b}", "position",
                          (json_int_t)e->position, "received", at, "since", since, "who", e->who, "event",
                          audit_event_code(e->event), "object", e->object, "outcome", outcome_name(e),
                          "count", (json_int_t)e->count, "detail", e->detail, "damaged", whole ? 0 : 1);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL; // no text when a damaged one is no UTF-8
    printf("%s\n  %s", p->shown ? "," : "", text ? text : "{\"damaged\":true}");
    free(text);
    json_decref(o);
}

static void print_text(const struct audit_entry *e, bool whole)
{
    char at[WALL_TEXT + 8], times[64] = "";
    moment_text(e->received_us, at);
    if (e->count > 1)
        snprintf(times, sizeof times, "  %" PRIu64 " times in %" PRId64 " s", e->count,
                 (e->received_us - e->since_us + US_PER_S - 1) / US_PER_S);
    printf("%-6" PRIu64 " %s  %-7s %-11s %-20s %s%s  %s%s\n", e->position, at, outcome_name(e),
           audit_event_code(e->event), e->who, e->object[0] ? e->object : "-", times, e->detail,
           whole ? "" : "  DAMAGED");
}

static enum err print_entry(void *ctx, const struct audit_entry *e, bool whole)
{
    struct printing *p = ctx;
    char text[160];
    if (!whole) {
        snprintf(text, sizeof text,
                 "entry %" PRIu64 " does not match its chain hash (it was changed, or entries before it are "
                 "missing)",
                 e->position);
        print_damage(text);
        p->damaged++;
    }
    p->read++;
    bool wanted = e->received_us >= p->from_s * US_PER_S && e->received_us / US_PER_S < p->to_s &&
                  (p->event == AUDIT_EVENTS || p->event == e->event);
    if (!wanted && whole)
        return ERR_OK;
    if (p->json)
        print_json(p, e, whole);
    else
        print_text(e, whole);
    p->shown++;
    return ERR_OK;
}

// To the end, which may move while a collector writes.
static enum err print_all(struct reader *r, struct printing *p, struct audit_walk *walk, struct diag *d)
{
    bool ended = false;
    enum err e = ERR_AGAIN;
    for (int i = 0; i < ENDS_TRIED && e == ERR_AGAIN; i++) {
        size_t count = 1;
        for (e = ERR_OK; e == ERR_OK && count > 0;)
            e = audit_read(r, walk, ENTRIES_A_READ, print_entry, p, &count, d);
        if (e == ERR_OK)
            e = audit_read_end(r, walk, &ended, d);
    }
    if (e == ERR_OK && !ended) {
        print_damage(d->text);
        p->damaged++;
    }
    return e;
}

static int parse(const struct command_line *line, struct printing *p)
{
    const struct wall now = clock_wall(clock_system());
    const char *bad = NULL;
    if (line->from && collector_when(line->from, now, false, &p->from_s) != ERR_OK)
        bad = line->from;
    if (line->to && collector_when(line->to, now, true, &p->to_s) != ERR_OK)
        bad = line->to;
    if (bad) {
        fprintf(stderr, "esep-collector: '%.100s' is no moment; see esep-collector --help\n", bad);
        return EXIT_USAGE;
    }
    if (!line->event || audit_event_find(line->event, &p->event) == ERR_OK)
        return EXIT_DONE;
    fprintf(stderr, "esep-collector: there is no event '%.100s'; there are\n", line->event);
    for (int i = 0; i < AUDIT_EVENTS; i++)
        fprintf(stderr, "  %-12s %s\n", audit_event_code((enum audit_event)i),
                audit_event_prose((enum audit_event)i));
    return EXIT_USAGE;
}

static void print_sums(const struct printing *p, const struct audit_walk *walk)
{
    char head[HEX_TEXT(HASH_BYTES)];
    crypto_hex(walk->chain, HASH_BYTES, head);
    if (p->json)
        printf("\n], \"entries\": %" PRIu64 ", \"shown\": %" PRIu64 ", \"damaged\": %" PRIu64
               ", \"head\": \"%s\"}\n",
               p->read, p->shown, p->damaged, head);
    else
        printf("entries=%" PRIu64 " shown=%" PRIu64 " damaged=%" PRIu64 " head=%s\n", p->read, p->shown,
               p->damaged, head);
}

int collector_command_audit(const struct command_line *line, const struct collector_config *c)
{
    struct printing p = {
        .json = line->json, .from_s = INT64_MIN / US_PER_S, .to_s = INT64_MAX, .event = AUDIT_EVENTS};
    struct audit_walk walk = {0};
    struct reader *reader = NULL;
    struct diag d = {0};
    int code = parse(line, &p);
    if (code != EXIT_DONE)
        return code;
    enum err e = reader_open(c->state, &reader, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    if (p.json)
        fputs("{\"log\": [", stdout);
    e = print_all(reader, &p, &walk, &d);
    reader_close(reader);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    print_sums(&p, &walk);
    return p.damaged ? EXIT_FAILED : EXIT_DONE;
}
