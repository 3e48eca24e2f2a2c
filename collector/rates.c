// An answer and what it confirms are one transaction. The book follows only after the commit; after a failure
// it is read again from the ledger, because it may be anywhere in between.
#include "collector/rates.h"
#include "base/log.h"
#include "kpi/period.h"
#include "store/audit.h"
#include "store/ledger_keep.h"
#include "store/reader_control.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rates_desk {
    struct ledger *ledger;
    struct reader *reader;
    struct counters *counters;
    struct rate_book *book;
    uint64_t sequence; // of the ledger's documents that are in the book
};

static void set_gauge(struct rates_desk *s)
{
    size_t held = 0;
    for (int b = 0; b < BANKS; b++)
        held += rate_book_held(s->book, (enum bank)b);
    collector_gauge_set(s->counters, GAUGE_RATES_HELD, (int64_t)held);
}

static enum err read_book(struct rates_desk *s, struct diag *d)
{
    if (!s->book && rate_book_create(&s->book) != ERR_OK)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    enum err e = reader_rates(s->reader, &s->sequence, s->book, d);
    if (e == ERR_OK)
        set_gauge(s);
    return e;
}

enum err rates_desk_create(struct ledger *l, struct reader *r, struct counters *counters,
                           struct rates_desk **out, struct diag *d)
{
    struct rates_desk *s = calloc(1, sizeof *s);
    if (!s)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    s->ledger = l;
    s->reader = r;
    s->counters = counters;
    enum err e = read_book(s, d);
    if (e != ERR_OK)
        rates_desk_destroy(s);
    else
        *out = s;
    return e;
}

void rates_desk_destroy(struct rates_desk *s)
{
    if (!s)
        return;
    rate_book_destroy(s->book);
    free(s);
}

// ---- what will be stored
// ------------------------------------------------------------------------------------------------

struct taking {
    struct rates_desk *desk;
    struct rates_request *r;
    struct rates freed[RATE_BOOK_FREED];
    size_t count;
    struct diag *d;
};

static enum err choose_confirmed(struct taking *t)
{
    const struct rates *asked = &t->r->rates,
                       *known = rate_book_asked(t->desk->book, asked->bank, asked->asked);
    char day[PERIOD_TEXT];
    period_text((struct period){PERIOD_DAY, asked->asked}, day);
    if (!known || known->state == RATES_ACCEPTED)
        return diag_fail(t->d, ERR_NOT_FOUND,
                         "no rates of %s for %s are held back; esep-collector rates lists them",
                         bank_info(asked->bank)->name, day);
    t->r->known = known->state == RATES_CONFIRMED;
    t->r->rates = *known;
    t->r->rates.state = RATES_CONFIRMED;
    return ERR_OK;
}

static enum err choose(struct taking *t)
{
    struct rates_request *r = t->r;
    r->known = false;
    r->freed = 0;
    if (r->confirm)
        return choose_confirmed(t);
    const struct rates *known = rate_book_asked(t->desk->book, r->rates.bank, r->rates.asked);
    if (known && rates_same(known, &r->rates)) {
        r->rates = *known;
        r->known = true;
        return ERR_OK;
    }
    rate_book_judge(t->desk->book, &r->rates, t->freed, &t->count);
    return ERR_OK;
}

// ---- the transaction
// ----------------------------------------------------------------------------------------------------

static enum err append(const struct taking *t, const struct rates *r)
{
    struct wire_receipt receipt;
    struct buf text;
    char kind[16];
    snprintf(kind, sizeof kind, "rates/%s", bank_info(r->bank)->code);
    buf_init(&text, RATES_DOCUMENT_MAX);
    enum err e = rates_write(r, &text);
    if (e != ERR_OK)
        e = diag_fail(t->d, e, "rates can't be written down");
    else
        e = ledger_add_control(t->desk->ledger, kind, text.data, text.len, t->r->author, &receipt, t->d);
    buf_deinit(&text);
    return e;
}

static enum err audit(const struct taking *t)
{
    static const char *const what[] = {"imported", "imported and held back", "confirmed"};
    const struct rates *r = &t->r->rates;
    struct audit_entry entry;
    char day[PERIOD_TEXT], object[32];
    if (!t->r->who[0])
        return ERR_OK;
    period_text((struct period){PERIOD_DAY, r->asked}, day);
    snprintf(object, sizeof object, "rates/%s", bank_info(r->bank)->code);
    audit_entry_set(&entry, AUDIT_CONTROL, AUDIT_DONE, t->r->who, object, "%s: %s, author %s", day,
                    what[r->state], t->r->author);
    return audit_append(t->desk->ledger, &entry, t->d);
}

static enum err count(const struct taking *t, enum collector_counter id, uint64_t add)
{
    return add ? ledger_count(t->desk->ledger, collector_counter_info(id)->name, 0, add) : ERR_OK;
}

static uint64_t held(const struct taking *t)
{
    return t->r->rates.state == RATES_HELD;
}

// Banks publish tomorrow's rates today, and a day begins first 14 hours ahead of UTC.
static enum err check_day(const struct taking *t, int64_t received_us)
{
    const struct rates *r = &t->r->rates;
    int64_t today = (received_us / US_PER_S + 14 * 3600) / 86400;
    int32_t newest = r->asked > r->answered ? r->asked : r->answered;
    char day[PERIOD_TEXT];
    if (newest <= today + 1)
        return ERR_OK;
    period_text((struct period){PERIOD_DAY, newest}, day);
    return diag_fail(t->d, ERR_INVALID,
                     "rates of %s dated %s are of the future: a bank's newest are tomorrow's (is the date "
                     "right, and this machine's clock?)",
                     bank_info(r->bank)->name, day);
}

static enum err write_all(struct taking *t)
{
    int64_t received_us;
    enum err e = ledger_begin(t->desk->ledger, &received_us, t->d);
    if (e != ERR_OK)
        return e;
    if (!t->r->confirm)
        e = check_day(t, received_us);
    for (size_t i = 0; e == ERR_OK && i < t->count; i++)
        e = append(t, &t->freed[i]);
    if (e == ERR_OK)
        e = append(t, &t->r->rates);
    if (e == ERR_OK)
        e = audit(t);
    if (e == ERR_OK)
        e = count(t, COUNTER_RATES_STORED, 1 + t->count);
    if (e == ERR_OK)
        e = count(t, COUNTER_RATES_HELD_BACK, held(t));
    if (e == ERR_OK)
        e = ledger_commit(t->desk->ledger, t->d);
    if (e != ERR_OK)
        ledger_rollback(t->desk->ledger);
    return e;
}

static void say(const struct taking *t)
{
    const struct rates *r = &t->r->rates;
    char asked[PERIOD_TEXT], answered[PERIOD_TEXT];
    period_text((struct period){PERIOD_DAY, r->asked}, asked);
    period_text((struct period){PERIOD_DAY, r->answered}, answered);
    if (r->state == RATES_HELD)
        log_error("rates_held", F_TEXT("bank", bank_info(r->bank)->code), F_TEXT("day", asked),
                  F_TEXT("currency", r->jumped),
                  F_TEXT("meaning",
                         "it differs by more than a fifth from the rates before: not used until confirmed"),
                  F_TEXT("way_out",
                         "esep-collector rates confirm BANK DAY, or wait: the bank's next answer confirms "
                         "it if it says the same"));
    else
        log_info("rates_stored", F_TEXT("bank", bank_info(r->bank)->code), F_TEXT("day", asked),
                 F_TEXT("answered", answered), F_INT("rates", r->count), F_INT("confirmed", t->count),
                 F_TEXT("author", t->r->author));
}

enum err rates_desk_take(struct rates_desk *s, struct rates_request *r, struct diag *d)
{
    struct taking t = {.desk = s, .r = r, .d = d};
    enum err e = choose(&t);
    if (e != ERR_OK || r->known)
        return e;
    if ((e = write_all(&t)) != ERR_OK)
        return e;
    collector_count(s->counters, COUNTER_RATES_STORED, 1 + t.count);
    collector_count(s->counters, COUNTER_RATES_HELD_BACK, held(&t));
    r->freed = t.count;
    say(&t);
    return read_book(s, d);
}
