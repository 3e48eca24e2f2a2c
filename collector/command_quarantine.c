// quarantine: the list is read from the files; a release is the committer's, or goes under its lock.
#include "base/fs.h"
#include "collector/commands.h"
#include "collector/release.h"
#include "collector/state.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include "store/reader_keep.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000, ROWS_A_READ = 500 };

// ---- list ---------------------------------------------------------------------------------------
struct listing {
    const struct command_line *line;
    uint64_t count;
};

static bool is_wanted(const struct listing *l, const struct reader_quarantined *q)
{
    const char *agent = l->line->agent;
    char id[24];
    snprintf(id, sizeof id, "%" PRId64, q->agent_id);
    return (q->released != 0) == l->line->released &&
           (!agent || strcmp(agent, q->resident) == 0 || strcmp(agent, id) == 0);
}

static void time_text(const struct reader_quarantined *q, char out[32])
{
    const struct period p = {.kind = q->series ? (enum period_kind)q->series->period : PERIOD_DAY,
                             .start = (int32_t)q->time};
    if (q->class == WIRE_REPORT && period_valid(p))
        period_text(p, out);
    else if (q->class == WIRE_REPORT)
        snprintf(out, 32, "day %" PRId64, q->time);
    else
        wall_text((struct wall){q->time * US_PER_S}, out);
}

static void value_text(const struct reader_quarantined *q, char out[FIGURE_TEXT])
{
    const char *code = q->note && q->note->currency[0] ? q->note->currency
                       : q->series                     ? q->series->currency
                                                       : "";
    const struct currency *currency = code[0] ? currency_find(code) : NULL;
    if (currency && q->value.kind == FIGURE_INTEGER)
        money_text(q->value, currency, out);
    else
        figure_text(q->value, out);
    if (q->value.kind == FIGURE_MISSING)
        snprintf(out, FIGURE_TEXT, "%s", q->no_figure ? "no figure" : "unknown");
}

static void print_json(struct listing *l, const struct reader_quarantined *q)
{
    char time[32], value[FIGURE_TEXT], received[WALL_TEXT];
    time_text(q, time);
    value_text(q, value);
    wall_text((struct wall){q->received_us}, received);
    json_t *o = json_pack(
        "{s:I, s:I, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s}", "position", (json_int_t)q->position,
        "index", (json_int_t)q->index, "agent", q->resident, "agent_id", (json_int_t)q->agent_id, "sequence",
        (json_int_t)q->sequence, "series", q->series ? q->series->name : "", "time", time, "value", value,
        "reason", wire_reason_name(q->reason), "text", wire_reason_text(q->reason), "received", received);
    json_object_set_new(o, "number", json_integer(q->number));
    json_object_set_new(o, "received_us", json_integer(q->received_us));
    json_object_set_new(o, "released", q->released ? json_integer((json_int_t)q->released) : json_null());
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    printf("%s\n  %s", l->count ? "," : "", text ? text : "null");
    free(text);
    json_decref(o);
}

static void print_text(const struct reader_quarantined *q)
{
    char time[32], value[FIGURE_TEXT], received[WALL_TEXT], series[300];
    time_text(q, time);
    value_text(q, value);
    wall_text((struct wall){q->received_us}, received);
    if (q->series)
        snprintf(series, sizeof series, "%s", q->series->name);
    else
        snprintf(series, sizeof series, "%s number %" PRIu32, q->resident, q->number);
    printf("%" PRIu64 ":%-5" PRIu32 " %-20s  sequence %-8" PRIu64 " %s  %s = %s  %s: %s", q->position,
           q->index, received, q->sequence, series, time, value, wire_reason_name(q->reason),
           wire_reason_text(q->reason));
    if (q->released)
        printf("  (released at %" PRIu64 ")", q->released);
    putchar('\n');
}

static enum err print_one(void *ctx, const struct reader_quarantined *q)
{
    struct listing *l = ctx;
    if (!is_wanted(l, q))
        return ERR_OK;
    if (l->line->json)
        print_json(l, q);
    else
        print_text(q);
    l->count++;
    return ERR_OK;
}

static enum err print_all(struct reader *r, struct listing *l, struct diag *d)
{
    uint64_t after = 0, last = 0;
    enum err e;
    do {
        after = last;
        e = reader_quarantine(r, after, ROWS_A_READ, print_one, l, &last, d);
    } while (e == ERR_OK && last != after);
    return e;
}

static int list(const struct command_line *line, const struct collector_config *c)
{
    struct listing l = {.line = line};
    struct reader *r = NULL;
    struct diag d = {0};
    enum err e = reader_open(c->state, &r, &d);
    if (e == ERR_OK && line->json)
        putchar('[');
    if (e == ERR_OK)
        e = print_all(r, &l, &d);
    reader_close(r);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    if (line->json)
        puts("\n]");
    else
        printf("%" PRIu64 " %s\n", l.count, line->released ? "released" : "held");
    return EXIT_DONE;
}

// ---- release ------------------------------------------------------------------------------------
static bool parse_place(const char *text, struct release_request *r)
{
    char *end = NULL;
    errno = 0;
    r->position = strtoull(text, &end, 10);
    r->index = RELEASE_ALL;
    if (errno || text[0] < '0' || text[0] > '9' || r->position == 0 || r->position > INT64_MAX)
        return false;
    if (*end == '\0')
        return true;
    if (*end != ':' || end[1] < '0' || end[1] > '9')
        return false;
    r->index = strtoll(end + 1, &end, 10);
    return !errno && *end == '\0';
}

static enum err release_online(const struct collector_config *c, struct release_request *r, struct diag *d)
{
    json_t *reply = NULL;
    json_t *request = json_pack("{s:s, s:I, s:s}", "command", "release", "position", (json_int_t)r->position,
                                "author", r->author);
    if (request && r->reason[0])
        json_object_set_new(request, "reason", json_string(r->reason));
    if (request && r->index != RELEASE_ALL)
        json_object_set_new(request, "index", json_integer(r->index));
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, d);
    json_decref(request);
    if (e == ERR_OK) {
        r->released = (uint64_t)json_integer_value(json_object_get(reply, "released"));
        r->already = (uint64_t)json_integer_value(json_object_get(reply, "already"));
        r->held = (uint64_t)json_integer_value(json_object_get(reply, "held"));
    }
    json_decref(reply);
    return e;
}

static enum err release_offline(const struct collector_config *c, struct release_request *r, struct diag *d)
{
    struct counters counters;
    struct committer *committer = NULL;
    struct committer_options o = {.clock = clock_system(), .counters = &counters};
    int lock = -1;
    collector_counters_init(&counters);
    collector_command_who(r->who);
    enum err e = collector_state_lock(c->state, &lock, d);
    if (e == ERR_OK)
        e = ledger_open(c->state, clock_system(), &o.ledger, d);
    if (e == ERR_OK)
        e = reader_open(c->state, &o.reader, d);
    if (e == ERR_OK)
        e = committer_create(&o, &committer, d);
    if (e == ERR_OK)
        e = committer_release(committer, r, d);
    if (e == ERR_OK)
        e = ledger_store_head(o.ledger, d);
    committer_destroy(committer);
    reader_close(o.reader);
    ledger_close(o.ledger);
    if (lock >= 0)
        fs_unlock(lock);
    return e;
}

static int release(const struct command_line *line, const struct collector_config *c)
{
    struct release_request r = {0};
    struct diag d = {0};
    if (line->word_count != 2 || !parse_place(line->words[1], &r)) {
        fprintf(stderr, "esep-collector: quarantine release takes POSITION or POSITION:INDEX, as the list "
                        "shows them\n");
        return EXIT_USAGE;
    }
    if (line->reason && strlen(line->reason) > WIRE_REASON_MAX) {
        fprintf(stderr, "esep-collector: --reason has more than %d bytes\n", WIRE_REASON_MAX);
        return EXIT_USAGE;
    }
    snprintf(r.reason, sizeof r.reason, "%s", line->reason ? line->reason : "");
    collector_author(r.author);
    enum err e = release_online(c, &r, &d);
    if (e == ERR_CLOSED)
        e = release_offline(c, &r, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    printf("released %" PRIu64 ", released before %" PRIu64 ", can't be released %" PRIu64 "\n", r.released,
           r.already, r.held);
    return r.released + r.already > 0 ? EXIT_DONE : EXIT_FAILED;
}

int collector_command_quarantine(const struct command_line *line, const struct collector_config *c)
{
    const char *what = line->word_count ? line->words[0] : "list";
    if (strcmp(what, "list") == 0 && line->word_count <= 1)
        return list(line, c);
    if (strcmp(what, "release") == 0)
        return release(line, c);
    fprintf(stderr, "esep-collector: quarantine %s: there are list and release\n", what);
    return EXIT_USAGE;
}
