// verify: the whole audit, or one receipt. Read only; a collector may run meanwhile.
#include "base/crypto.h"
#include "collector/commands.h"
#include "collector/control.h"
#include "store/reader_keep.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOW_MS = 200, HOLD_MS = 2000 };

// ---- progress -----------------------------------------------------------------------------------
void collector_progress_init(struct command_progress *p)
{
    *p = (struct command_progress){.begun = clock_mono(clock_system()), .shown = isatty(STDERR_FILENO) != 0};
    p->shown_at = p->begun;
}

void collector_progress_show(struct command_progress *p, const char *what, uint64_t done, uint64_t total)
{
    struct mono now = clock_mono(clock_system());
    if (!p->shown || total == 0 || mono_diff_ms(now, p->shown_at) < SHOW_MS)
        return;
    p->shown_at = now;
    int64_t took_ms = mono_diff_ms(now, p->begun);
    uint64_t left = total > done ? total - done : 0;
    uint64_t left_s = done ? (uint64_t)took_ms * left / done / 1000 : 0;
    fprintf(stderr, "\r%s %" PRIu64 " of %" PRIu64 ", %" PRIu64 " s left   ", what, done, total, left_s);
}

void collector_progress_end(const struct command_progress *p)
{
    if (p->shown && mono_diff_ms(p->shown_at, p->begun) > 0)
        fputc('\n', stderr);
}

// ---- a receipt ----------------------------------------------------------------------------------
static bool parse_receipt(const char *text, struct wire_receipt *out)
{
    char *end = NULL;
    unsigned long long position = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != ':' || position == 0 || position > INT64_MAX ||
        crypto_unhex(end + 1, out->chain, WIRE_CHAIN_BYTES) != ERR_OK)
        return false;
    out->position = position;
    return true;
}

static int print_receipt(const struct wire_receipt *r, const struct reader_receipt_found *f)
{
    char when[WALL_TEXT];
    wall_text((struct wall){f->received_us}, when);
    switch (f->state) {
    case RECEIPT_PRESENT:
        if (f->seal)
            printf("present: position %" PRIu64 " is the end of rows dropped by retention (seal at %" PRIu64
                   ")\n",
                   r->position, f->seal);
        else
            printf("present: position %" PRIu64 ", agent %" PRId64 ", sequences %" PRIu64 "..%" PRIu64
                   ", received %s\n",
                   r->position, f->agent_id, f->sequence, f->last_sequence, when);
        return EXIT_DONE;
    case RECEIPT_SEALED:
        printf("sealed: position %" PRIu64 " was rolled up and dropped by retention (seal at %" PRIu64
               "); its own hash can't be compared any more\n",
               r->position, f->seal);
        return EXIT_DONE;
    case RECEIPT_ABSENT:
        printf("absent: the ledger ends at position %" PRIu64 ", before %" PRIu64
               ": rows are lost, or it is an older copy\n",
               f->position, r->position);
        return EXIT_FAILED;
    case RECEIPT_CONTRADICTED:
        printf("contradicted: another row is at position %" PRIu64 " (agent %" PRId64 ", sequence %" PRIu64
               ", received %s)\n",
               r->position, f->agent_id, f->sequence, when);
        return EXIT_FAILED;
    }
    return EXIT_INTERNAL;
}

static int verify_receipt(struct reader *reader, const char *text)
{
    struct wire_receipt receipt;
    struct reader_receipt_found found;
    struct diag d = {0};
    if (!parse_receipt(text, &receipt)) {
        fprintf(stderr,
                "esep-collector: --receipt: '%.100s' is not POSITION:HASH (64 hexadecimal digits), as "
                "esep-agent status prints it\n",
                text);
        return EXIT_USAGE;
    }
    enum err e = reader_find_receipt(reader, &receipt, &found, &d);
    return e == ERR_OK ? print_receipt(&receipt, &found) : collector_complain(e, &d);
}

// ---- the whole ledger ---------------------------------------------------------------------------
static void print_damage(void *ctx, const char *text)
{
    (void)ctx;
    printf("damaged: %s\n", text);
}

struct watch {
    struct command_progress progress;
    const struct collector_config *config;
    struct mono held_at;
    bool held;
};

// Rows that are dropped under the walk make it begin again, so a collector that runs is asked to wait with
// that. One that does not run drops nothing.
static void hold(struct watch *w, int seconds)
{
    struct diag d = {0};
    json_t *reply = NULL, *request = json_pack("{s:s, s:i}", "command", "hold", "seconds", seconds);
    w->held = collector_ask(w->config, request, HOLD_MS, &reply, &d) == ERR_OK;
    w->held_at = clock_mono(clock_system());
    json_decref(request);
    json_decref(reply);
}

static void show(void *ctx, uint64_t position, uint64_t last)
{
    struct watch *w = ctx;
    if (mono_diff_ms(clock_mono(clock_system()), w->held_at) > COLLECTOR_HOLD_S * 1000 / 3)
        hold(w, COLLECTOR_HOLD_S);
    collector_progress_show(&w->progress, "verified", position, last);
}

static void print_chains(const struct reader_verified *v)
{
    static const char *const names[] = {"declare", "measurement", "report", "control", "audit"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char head[HEX_TEXT(HASH_BYTES)];
        crypto_hex(v->class[i].head, HASH_BYTES, head);
        printf("%-12s rows=%" PRIu64 " position=%" PRIu64 " head=%s\n", names[i], v->class[i].rows,
               v->class[i].position, head);
    }
    if (v->seals || v->releases)
        printf("retention    rollups=%" PRIu64 " seals=%" PRIu64 " dropped_rows=%" PRIu64 " releases=%" PRIu64
               "\n",
               v->rollups, v->seals, v->sealed_rows, v->releases);
    printf("rows=%" PRIu64 " damaged=%" PRIu64 "\n", v->rows, v->damaged);
}

static int verify_all(struct reader *reader, const struct collector_config *c)
{
    struct reader_verified v = {0};
    struct watch w = {.config = c};
    struct diag d = {0};
    hold(&w, COLLECTOR_HOLD_S);
    collector_progress_init(&w.progress);
    enum err e = reader_verify_watched(reader, print_damage, show, &w, &v, &d);
    collector_progress_end(&w.progress);
    if (w.held)
        hold(&w, 0);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    print_chains(&v);
    return v.damaged ? EXIT_FAILED : EXIT_DONE;
}

int collector_command_verify(const struct command_line *line, const struct collector_config *c)
{
    struct reader *reader = NULL;
    struct diag d = {0};
    enum err e = reader_open(c->state, &reader, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    int code = line->receipt ? verify_receipt(reader, line->receipt) : verify_all(reader, c);
    reader_close(reader);
    return code;
}
