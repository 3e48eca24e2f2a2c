// rates: what the ledger has, what a file has, what a person confirms. A change goes through the running
// collector when there is one, else under its lock.
#include "base/fs.h"
#include "collector/commands.h"
#include "collector/rates.h"
#include "collector/state.h"
#include "kpi/feed.h"
#include "kpi/period.h"
#include "store/reader_control.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000, FILE_MAX_BYTES = 16 << 20 };

// ---- the list
// -----------------------------------------------------------------------------------------------------------
struct entry {
    struct rates rates;
    uint64_t position;
    int64_t received_us;
    char author[WIRE_AUTHOR_MAX + 1];
};

struct entries {
    struct entry *at;
    size_t count, capacity;
    struct diag *d;
};

static enum err add(void *ctx, const struct reader_row *row, const struct wire_control *c)
{
    struct entries *l = ctx;
    struct entry e = {.position = row->position, .received_us = row->received_us};
    bool is = false;
    enum err failed = reader_rates_of(row, c, &is, &e.rates, l->d);
    if (failed != ERR_OK || !is)
        return failed;
    snprintf(e.author, sizeof e.author, "%s", c->author);
    if (l->count == l->capacity) {
        size_t capacity = l->capacity ? 2 * l->capacity : 256;
        struct entry *grown = realloc(l->at, capacity * sizeof *grown);
        if (!grown)
            return diag_fail(l->d, ERR_NOMEM, "out of memory");
        l->at = grown;
        l->capacity = capacity;
    }
    l->at[l->count++] = e;
    return ERR_OK;
}

static int compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->rates.asked != y->rates.asked)
        return x->rates.asked < y->rates.asked ? -1 : 1;
    if (x->rates.bank != y->rates.bank)
        return x->rates.bank < y->rates.bank ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static const char *state_name(enum rates_state s)
{
    return s == RATES_HELD ? "held" : s == RATES_CONFIRMED ? "confirmed" : "accepted";
}

static void day_text(int32_t day, char out[PERIOD_TEXT])
{
    period_text((struct period){PERIOD_DAY, day}, out);
}

static void print_text(const struct entry *e)
{
    char asked[PERIOD_TEXT], answered[PERIOD_TEXT], text[RATE_TEXT];
    const struct rates *r = &e->rates;
    day_text(r->asked, asked);
    day_text(r->answered, answered);
    printf("%s %s %-9s of %s%s", asked, bank_info(r->bank)->code, state_name(r->state), answered,
           rates_carried(r) ? " (carried)" : "          ");
    for (size_t i = 0; i < r->count; i++) {
        rate_text(&r->list[i], text);
        printf("  %s", r->list[i].currency);
        if (r->list[i].quant != 1)
            printf("(%" PRIu32 ")", r->list[i].quant);
        printf(" %s", text);
    }
    puts("");
}

static void print_json(const struct entry *e, bool first)
{
    char asked[PERIOD_TEXT], answered[PERIOD_TEXT], text[RATE_TEXT], received[WALL_TEXT];
    const struct rates *r = &e->rates;
    day_text(r->asked, asked);
    day_text(r->answered, answered);
    wall_text((struct wall){e->received_us}, received);
    json_t *list = json_array();
    for (size_t i = 0; i < r->count; i++) {
        rate_text(&r->list[i], text);
        json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "currency", r->list[i].currency, "quant",
                                              (json_int_t)r->list[i].quant, "rate", text));
    }
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s, s:I, s:o}", "bank", bank_info(r->bank)->code,
                  "currency", bank_info(r->bank)->currency, "day", asked, "answered", answered, "carried",
                  rates_carried(r), "state", state_name(r->state), "jumped", r->jumped, "author", e->author,
                  "received", received, "position", (json_int_t)e->position, "rates", list);
    char *line = json_dumps(o, JSON_COMPACT);
    printf("%s%s", first ? "" : ",\n", line ? line : "null");
    free(line);
    json_decref(o);
}

static enum err parse_days(const struct command_line *line, int32_t *from, int32_t *to, struct diag *d)
{
    struct period p;
    *from = CIVIL_DAY_MIN;
    *to = CIVIL_DAY_MAX;
    if (line->from && period_parse(line->from, &p) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "--from: '%s' is not a day or a longer period like 2026-03",
                         line->from);
    if (line->from)
        *from = p.start;
    if (line->to && period_parse(line->to, &p) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "--to: '%s' is not a day or a longer period like 2026-03", line->to);
    if (line->to)
        *to = period_end(p);
    return ERR_OK;
}

// Of each bank and day the newest: what counts.
static void print_all(const struct entries *l, int32_t from, int32_t to, bool json)
{
    size_t shown = 0, held = 0;
    if (json)
        fputs("[", stdout);
    for (size_t i = 0; i < l->count; i++) {
        const struct entry *e = &l->at[i];
        bool replaced = i + 1 < l->count && l->at[i + 1].rates.asked == e->rates.asked &&
                        l->at[i + 1].rates.bank == e->rates.bank;
        if (replaced || e->rates.asked < from || e->rates.asked >= to)
            continue;
        held += e->rates.state == RATES_HELD;
        if (json)
            print_json(e, shown == 0);
        else
            print_text(e);
        shown++;
    }
    if (json)
        puts("]");
    else
        printf("%zu answers, %zu held back\n", shown, held);
}

static int list(const struct command_line *line, const struct collector_config *c)
{
    struct diag d = {0};
    struct reader *r = NULL;
    struct entries l = {.d = &d};
    uint64_t sequence = 0;
    int32_t from, to;
    enum err e = parse_days(line, &from, &to, &d);
    if (e != ERR_OK) {
        (void)collector_complain(e, &d);
        return EXIT_USAGE;
    }
    e = reader_open(c->state, &r, &d);
    if (e == ERR_OK)
        e = reader_controls(r, &sequence, add, &l, &d);
    if (e == ERR_OK) {
        if (l.count > 0)
            qsort(l.at, l.count, sizeof *l.at, compare);
        print_all(&l, from, to, line->json);
    }
    reader_close(r);
    free(l.at);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}

// ---- changes
// ------------------------------------------------------------------------------------------------------------
struct changing { // by the running collector, or by ourselves
    const struct collector_config *c;
    bool offline;
    int lock;
    struct ledger *ledger;
    struct reader *reader;
    struct rates_desk *desk;
    struct counters counters;
    size_t stored, known, held, freed;
};

static json_t *request_of(const struct rates_request *r)
{
    char day[PERIOD_TEXT];
    struct buf text;
    json_t *o = NULL;
    buf_init(&text, RATES_DOCUMENT_MAX);
    day_text(r->rates.asked, day);
    if (r->confirm)
        o = json_pack("{s:s, s:s, s:s, s:s}", "command", "rates", "confirm", bank_info(r->rates.bank)->code,
                      "day", day, "author", r->author);
    else if (rates_write(&r->rates, &text) == ERR_OK)
        o = json_pack("{s:s, s:s, s:s}", "command", "rates", "document", buf_str(&text), "author", r->author);
    buf_deinit(&text);
    return o;
}

static enum err change_online(const struct changing *x, struct rates_request *r, struct diag *d)
{
    json_t *reply = NULL, *request = request_of(r);
    enum err e = request ? collector_ask(x->c, request, ANSWER_MS, &reply, d) : ERR_NOMEM;
    json_decref(request);
    if (e == ERR_OK) {
        r->known = json_is_true(json_object_get(reply, "known"));
        r->rates.state = json_is_true(json_object_get(reply, "held")) ? RATES_HELD : RATES_ACCEPTED;
        snprintf(r->rates.jumped, sizeof r->rates.jumped, "%s",
                 json_string_value(json_object_get(reply, "jumped")));
        r->freed = (size_t)json_integer_value(json_object_get(reply, "freed"));
    }
    json_decref(reply);
    return e;
}

static enum err go_offline(struct changing *x, struct diag *d)
{
    collector_counters_init(&x->counters);
    enum err e = collector_state_prepare(x->c->state, d);
    if (e == ERR_OK)
        e = collector_state_lock(x->c->state, &x->lock, d);
    if (e == ERR_OK)
        e = ledger_open(x->c->state, clock_system(), &x->ledger, d);
    if (e == ERR_OK)
        e = reader_open(x->c->state, &x->reader, d);
    if (e == ERR_OK)
        e = rates_desk_create(x->ledger, x->reader, &x->counters, &x->desk, d);
    x->offline = e == ERR_OK;
    return e;
}

static void say_held(const struct rates_request *r)
{
    char day[PERIOD_TEXT];
    day_text(r->rates.asked, day);
    fprintf(stderr,
            "esep-collector: warning: rates of %s for %s are held back: %s changed by more than a fifth; "
            "`rates confirm %s %s` believes them\n",
            bank_info(r->rates.bank)->name, day, r->rates.jumped, bank_info(r->rates.bank)->code, day);
}

static enum err change(struct changing *x, struct rates_request *r, struct diag *d)
{
    enum err e = x->offline ? ERR_CLOSED : change_online(x, r, d);
    if (e == ERR_CLOSED) {
        e = x->offline ? ERR_OK : go_offline(x, d);
        collector_command_who(r->who);
        if (e == ERR_OK)
            e = rates_desk_take(x->desk, r, d);
    }
    if (e != ERR_OK)
        return e;
    x->known += r->known;
    x->stored += !r->known;
    x->freed += r->freed;
    x->held += r->rates.state == RATES_HELD;
    if (r->rates.state == RATES_HELD)
        say_held(r);
    return ERR_OK;
}

static enum err finish(struct changing *x, enum err e, struct diag *d)
{
    if (e == ERR_OK && x->offline && !ledger_head_missing(x->ledger)) // that alarm is for the next start
        e = ledger_store_head(x->ledger, d);
    rates_desk_destroy(x->desk);
    reader_close(x->reader);
    ledger_close(x->ledger);
    if (x->lock >= 0)
        fs_unlock(x->lock);
    return e;
}

// ---- import
// -------------------------------------------------------------------------------------------------------------
static const char document_head[] = "rates 1\n";

static enum err import_documents(struct changing *x, const char *text, struct rates_request *r,
                                 struct diag *d)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && *text) {
        const char *next = strstr(text + 1, document_head);
        size_t len = next ? (size_t)(next - text) : strlen(text);
        e = rates_read(text, len, &r->rates, d);
        if (e == ERR_OK)
            e = change(x, r, d);
        text += len;
    }
    return e;
}

static enum err import_file(struct changing *x, const char *path, struct diag *d)
{
    struct rates_request r = {.confirm = false};
    struct diag why = {""};
    char *body = NULL;
    size_t len = 0;
    collector_author(r.author);
    enum err e = fs_read_file(path, FILE_MAX_BYTES, &body, &len, d);
    if (e != ERR_OK)
        return e;
    if (strncmp(body, document_head, strlen(document_head)) == 0) {
        e = import_documents(x, body, &r, &why);
    } else {
        e = feed_parse(feed_guess(body, len), FEED_ANY_DAY, body, len, &r.rates, &why);
        if (e == ERR_OK)
            e = change(x, &r, &why);
    }
    free(body);
    return e == ERR_OK ? e : diag_fail(d, e, "%s: %s", path, why.text);
}

static int import_all(const struct command_line *line, const struct collector_config *c)
{
    struct changing x = {.c = c, .lock = -1};
    struct diag d = {0};
    enum err e = ERR_OK;
    for (int i = 1; e == ERR_OK && i < line->word_count; i++)
        e = import_file(&x, line->words[i], &d);
    e = finish(&x, e, &d);
    printf("stored %zu, known before %zu, held back %zu, confirmed by them %zu\n", x.stored, x.known, x.held,
           x.freed);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}

static int confirm(const struct command_line *line, const struct collector_config *c)
{
    struct rates_request r = {.confirm = true};
    struct changing x = {.c = c, .lock = -1};
    struct diag d = {0};
    struct period p;
    if (bank_parse(line->words[1], &r.rates.bank) != ERR_OK || period_parse(line->words[2], &p) != ERR_OK ||
        p.kind != PERIOD_DAY) {
        fprintf(stderr,
                "esep-collector: rates confirm takes a bank (kz, uz, ru, kg) and a day like 2026-03-14\n");
        return EXIT_USAGE;
    }
    r.rates.asked = p.start;
    collector_author(r.author);
    enum err e = change(&x, &r, &d);
    e = finish(&x, e, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    puts(x.known ? "confirmed before" : "confirmed");
    return EXIT_DONE;
}

int collector_command_rates(const struct command_line *line, const struct collector_config *c)
{
    const char *what = line->word_count ? line->words[0] : "list";
    if (strcmp(what, "list") == 0 && line->word_count <= 1)
        return list(line, c);
    if (strcmp(what, "import") == 0 && line->word_count >= 2)
        return import_all(line, c);
    if (strcmp(what, "confirm") == 0 && line->word_count == 3)
        return confirm(line, c);
    fprintf(stderr, "esep-collector: rates %s: there are list, import FILE... and confirm BANK DAY\n", what);
    return EXIT_USAGE;
}
