// A confirmation holds for the row that was the newest when it was given: rows that follow are received at
// that same moment (received never goes back) until the clock has passed it, and from then on the newest row
// is the measure again. Meanwhile the measure is the clock itself, as it was confirmed or later, so that a
// second step back is noticed too.
#include "collector/clock_guard.h"
#include "base/log.h"
#include "store/audit.h"
#include "store/ledger_keep.h"
#include "store/reader_control.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCUMENT_MAX 120

// "name digits\n" at *at, which moves behind it.
static bool take_line(const char **at, const char *name, int64_t *out)
{
    size_t len = strlen(name), digits;
    if (strncmp(*at, name, len) != 0)
        return false;
    *at += len;
    digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 18 || (*at)[digits] != '\n')
        return false;
    *out = strtoll(*at, NULL, 10);
    *at += digits + 1;
    return true;
}

enum err clock_document_read(const void *document, size_t len, int64_t *last_us, int64_t *at_us)
{
    static const char head[] = "clock 1\n";
    char text[DOCUMENT_MAX + 1];
    const char *at = text + sizeof head - 1;
    int64_t confirmed = 0, last = 0;
    if (len > DOCUMENT_MAX || len < sizeof head)
        return ERR_INVALID;
    memcpy(text, document, len);
    text[len] = '\0';
    if (strncmp(text, head, sizeof head - 1) != 0 || !take_line(&at, "confirmed_us ", &confirmed) ||
        !take_line(&at, "last_received_us ", &last) || at != text + len || confirmed == 0 || last == 0)
        return ERR_INVALID;
    *at_us = confirmed;
    *last_us = last;
    return ERR_OK;
}

static enum err take(void *ctx, const struct reader_row *row, const struct wire_control *c)
{
    struct clock_guard *g = ctx;
    int64_t last_us, at_us;
    (void)row;
    // What does not read confirms nothing.
    if (strcmp(c->kind, CLOCK_KIND) == 0 &&
        clock_document_read(c->document, c->document_len, &last_us, &at_us) == ERR_OK) {
        g->confirmed_last_us = last_us;
        g->confirmed_at_us = at_us;
    }
    return ERR_OK;
}

enum err clock_guard_init(struct clock_guard *g, struct reader *r, struct diag *d)
{
    uint64_t sequence = 0;
    return r ? reader_controls(r, &sequence, take, g, d) : ERR_OK;
}

static int64_t behind_us(struct clock_guard *g)
{
    int64_t now_us = clock_wall(g->clock).us, last_us = ledger_received_us(g->ledger);
    if (last_us == 0 || last_us != g->confirmed_last_us)
        return last_us - now_us;
    int64_t behind = g->confirmed_at_us - now_us;
    if (behind < 0)
        g->confirmed_at_us = now_us;
    return behind;
}

static void say(const struct clock_guard *g)
{
    char now[WALL_TEXT], last[WALL_TEXT];
    wall_text(clock_wall(g->clock), now);
    wall_text((struct wall){ledger_received_us(g->ledger)}, last);
    if (g->behind_s)
        log_error("clock_behind", F_TEXT("clock", now), F_TEXT("last_received", last),
                  F_INT("seconds", g->behind_s),
                  F_TEXT("meaning", "no figure is taken in; agents keep theirs and send them later"),
                  F_TEXT("way_out",
                         "set the clock right; or, when it is right and the ledger's last rows were "
                         "ahead: esep-collector clock --confirm"));
    else
        log_info("clock_taken", F_TEXT("clock", now), F_TEXT("last_received", last));
}

bool clock_guard_look(struct clock_guard *g)
{
    int64_t us = behind_us(g);
    int64_t seconds = us > CLOCK_BEHIND_MAX_S * US_PER_S ? us / US_PER_S : 0;
    bool changed = (seconds != 0) != (g->behind_s != 0);
    g->behind_s = seconds;
    collector_gauge_set(g->counters, GAUGE_CLOCK_BEHIND_S, seconds);
    if (changed)
        say(g);
    return seconds != 0;
}

struct confirming {
    struct clock_guard *guard;
    struct clock_confirmation *r;
    int64_t last_us, at_us;
};

static enum err change(struct ledger *l, void *ctx, struct audit_entry *entry, struct diag *d)
{
    struct confirming *x = ctx;
    char document[DOCUMENT_MAX + 1], now[WALL_TEXT], last[WALL_TEXT], detail[200];
    struct wire_receipt receipt;
    if (!clock_guard_look(x->guard))
        return diag_fail(d, ERR_CONFLICT, "the clock is not behind: there is nothing to confirm");
    x->r->behind_s = x->guard->behind_s;
    x->last_us = ledger_received_us(l);
    x->at_us = clock_wall(x->guard->clock).us;
    int n =
        snprintf(document, sizeof document,
                 "clock 1\nconfirmed_us %" PRId64 "\nlast_received_us %" PRId64 "\n", x->at_us, x->last_us);
    wall_text((struct wall){x->at_us}, now);
    wall_text((struct wall){x->last_us}, last);
    snprintf(detail, sizeof detail, "%s is right, the ledger's last row of %s was ahead, author %.63s", now,
             last, x->r->author);
    audit_entry_detail(entry, detail);
    return ledger_add_control(l, CLOCK_KIND, document, (size_t)n, x->r->author, &receipt, d);
}

enum err clock_guard_confirm(struct clock_guard *g, struct clock_confirmation *r, struct diag *d)
{
    struct confirming x = {.guard = g, .r = r};
    struct audit_entry entry;
    audit_entry_set(&entry, AUDIT_CONTROL, AUDIT_DONE, r->who, CLOCK_KIND, "%s", "");
    enum err e = audit_changed(g->ledger, &entry, change, &x, d);
    collector_count(g->counters, COUNTER_AUDIT_ENTRIES, e == ERR_OK || e == ERR_CONFLICT ? 1 : 0);
    if (e != ERR_OK)
        return e;
    g->confirmed_last_us = x.last_us;
    g->confirmed_at_us = x.at_us;
    clock_guard_look(g);
    return ERR_OK;
}
