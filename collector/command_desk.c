// report, close, reopen, closures, clock: what an operator says to the desk. All changes are the running
// collector's: what a figure replaces is known to it alone.
#include "collector/commands.h"
#include "kpi/park.h"
#include "kpi/series.h"
#include "store/reader_closures.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 9000 }; // observations are waited for twice

static int usage(const char *text)
{
    fprintf(stderr, "esep-collector: %s\n", text);
    return EXIT_USAGE;
}

static void add_text(json_t *o, const char *key, const char *text)
{
    if (text)
        json_object_set_new(o, key, json_string(text)); // not UTF-8: left out, and missed by the collector
}

static bool is_utf8(const char *text)
{
    json_t *s = text ? json_string(text) : NULL;
    json_decref(s);
    return !text || s;
}

static enum err ask(const struct collector_config *c, json_t *request, json_t **reply, struct diag *d)
{
    enum err e = request ? collector_ask(c, request, ANSWER_MS, reply, d) : ERR_NOMEM;
    json_decref(request);
    if (e == ERR_CLOSED)
        (void)diag_fail(d, e, "no collector runs on %s: start it first", c->state);
    return e;
}

// ---- report
static json_t *request_of(const struct command_line *line)
{
    char author[64];
    collector_author(author);
    json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:b, s:b}", "command", "report", "series", line->words[0],
                          "value", line->words[1], "revise", line->revise, "confidential", line->confidential,
                          "correct_closed", 1);
    add_text(o, "period", line->period);
    add_text(o, "currency", line->currency);
    add_text(o, "unit", line->unit);
    add_text(o, "status", line->status);
    add_text(o, "reason", line->reason);
    add_text(o, "published", line->published);
    add_text(o, "request", line->request);
    add_text(o, "author", line->author ? line->author : author);
    return o;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

static void print_report(const json_t *o)
{
    const json_t *revision = json_object_get(o, "revision");
    const char *value = text_of(o, "value"), *currency = text_of(o, "currency");
    printf("%s of %s: %s%s%s", text_of(o, "series"), text_of(o, "period"), value[0] ? value : "missing",
           value[0] && currency[0] ? " " : "", value[0] ? currency : "");
    if (json_is_integer(revision))
        printf(", revision %" JSON_INTEGER_FORMAT, json_integer_value(revision));
    printf(", position %" JSON_INTEGER_FORMAT "%s%s%s\n", json_integer_value(json_object_get(o, "position")),
           json_is_true(json_object_get(o, "after_closure")) ? ", after the closure" : "",
           json_is_true(json_object_get(o, "repeated")) ? ", stored before" : "",
           json_is_true(json_object_get(o, "unchanged")) ? ", known so already: nothing stored" : "");
}

static void print_json(json_t *o)
{
    json_object_del(o, "ok");
    char *text = json_dumps(o, JSON_COMPACT);
    puts(text ? text : "null");
    free(text);
}

int collector_command_report(const struct command_line *line, const struct collector_config *c)
{
    struct diag d = {0};
    json_t *reply = NULL;
    struct series_name name;
    if (!line->period)
        return usage("report: --period is missing: 2026-03-14, 2026-03, 2026-Q1 or 2026");
    if (line->revise && !(line->reason && line->reason[0]))
        return usage("report: --revise needs --reason: why is the figure another one now?");
    if (!is_utf8(line->reason) || !is_utf8(line->author) || !is_utf8(line->words[0]) ||
        !is_utf8(line->words[1]))
        return usage("report: texts must be UTF-8");
    if (series_parse(line->words[0], &name) == ERR_OK)
        collector_warn_unknown(c, &name);
    enum err e = ask(c, request_of(line), &reply, &d);
    if (e == ERR_OK && line->json)
        print_json(reply);
    else if (e == ERR_OK)
        print_report(reply);
    json_decref(reply);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}

// ---- close, reopen
static enum err check_park(const struct collector_config *c, const char *park, struct diag *d)
{
    struct catalogue *catalogue = NULL;
    struct parks parks = {0};
    enum err e = catalogue_load(c->catalogue, &catalogue, d);
    if (e == ERR_OK)
        e = parks_load(c->parks, catalogue, &parks, d);
    if (e == ERR_OK && !parks_find(&parks, park))
        e = diag_fail(d, ERR_NOT_FOUND, "no file in %s describes the park '%s'", c->parks, park);
    parks_free(&parks);
    catalogue_free(catalogue);
    return e;
}

static int close_or_open(const struct command_line *line, const struct collector_config *c, bool reopen)
{
    struct diag d = {0};
    json_t *reply = NULL;
    char author[64];
    if (!line->period || !line->reason || !line->reason[0])
        return usage(!line->period ? "--period is missing: 2026-03, 2026-Q1, 2026 …"
                                   : "--reason is missing: it is shown beside the closure");
    if (!is_utf8(line->reason))
        return usage("--reason must be UTF-8");
    enum err e = check_park(c, line->words[0], &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    collector_author(author);
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "command", "close", "park", line->words[0],
                          "period", line->period, "reason", line->reason, "author", author, "reopen", reopen);
    add_text(o, "kpi", line->kpi);
    e = ask(c, o, &reply, &d);
    if (e == ERR_OK)
        printf("%s %s of %s%s%s, since %s, position %" JSON_INTEGER_FORMAT "\n", reopen ? "opened" : "closed",
               line->period, line->words[0], line->kpi ? " for " : "", line->kpi ? line->kpi : "",
               text_of(reply, "since"), json_integer_value(json_object_get(reply, "position")));
    json_decref(reply);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}

int collector_command_close(const struct command_line *line, const struct collector_config *c)
{
    return close_or_open(line, c, false);
}

int collector_command_reopen(const struct command_line *line, const struct collector_config *c)
{
    return close_or_open(line, c, true);
}

// ---- closures
static void print_closure(const struct closure *k, bool json, bool first)
{
    char period[PERIOD_TEXT], since[WALL_TEXT];
    period_text(k->period, period);
    wall_text((struct wall){k->received_us}, since);
    if (!json) {
        printf("%s  %-7s %-10s %s%s%s  by %s: %s\n", since, k->reopens ? "opened" : "closed", period, k->park,
               k->kpi[0] ? "/" : "", k->kpi, k->author, k->reason);
        return;
    }
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "park", k->park, "kpi", k->kpi,
                          "period", period, "state", k->reopens ? "open" : "closed", "reason", k->reason,
                          "author", k->author, "received", since, "position", (json_int_t)k->position);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    printf("%s\n  %s", first ? "" : ",", text ? text : "null");
    free(text);
    json_decref(o);
}

int collector_command_closures(const struct command_line *line, const struct collector_config *c)
{
    struct diag d = {0};
    struct reader *r = NULL;
    struct closure_book *book = NULL;
    uint64_t sequence = 0;
    size_t shown = 0;
    enum err e = reader_open(c->state, &r, &d);
    if (e == ERR_OK)
        e = closure_book_create(&book);
    if (e == ERR_OK)
        e = reader_closures(r, &sequence, book, &d);
    if (e == ERR_OK && line->json)
        putchar('[');
    for (size_t i = 0; e == ERR_OK && i < closure_book_count(book); i++) {
        const struct closure *k = closure_book_at(book, i);
        if (line->word_count && strcmp(line->words[0], k->park) != 0)
            continue;
        print_closure(k, line->json, shown == 0);
        shown++;
    }
    if (e == ERR_OK && line->json)
        puts("\n]");
    else if (e == ERR_OK)
        printf("%zu closings and openings\n", shown);
    closure_book_destroy(book);
    reader_close(r);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}

// ---- clock
int collector_command_clock(const struct command_line *line, const struct collector_config *c)
{
    struct diag d = {0};
    json_t *reply = NULL;
    char author[64];
    if (!line->confirm)
        return usage("clock: --confirm says that the clock is right although the ledger's last row is later");
    collector_author(author);
    enum err e = ask(c, json_pack("{s:s, s:s}", "command", "clock", "author", author), &reply, &d);
    if (e == ERR_OK)
        printf("confirmed: the clock was %" JSON_INTEGER_FORMAT " s behind the ledger's last row\n",
               json_integer_value(json_object_get(reply, "behind_s")));
    json_decref(reply);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}
