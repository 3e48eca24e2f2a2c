// A bank is asked for each day that is not stored yet, once the hour of that day has come. A day
// of the past that it can't or won't answer in its form is left out (days between are carried forward, and
// shown as that); for today it is asked again. A bank that can't be reached loses no day.
#include "collector/rates_agent.h"
#include "base/log.h"
#include "kpi/feed.h"
#include "kpi/period.h"
#include "store/reader_control.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400, HOUR_S = 3600 };

struct questioned { // of one bank
    int32_t from;   // days before are done with; INT32_MIN: not known yet
    int64_t not_before_s;
};

struct rates_agent {
    struct rates_agent_options o;
    struct rate_book *book;
    uint64_t sequence;
    struct questioned banks[BANKS];
};

enum err rates_agent_create(const struct rates_agent_options *o, struct rates_agent **out, struct diag *d)
{
    struct rates_agent *a = calloc(1, sizeof *a);
    if (!a)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    a->o = *o;
    for (int b = 0; b < BANKS; b++)
        a->banks[b].from = INT32_MIN;
    enum err e = rate_book_create(&a->book);
    if (e == ERR_OK)
        e = reader_rates(o->reader, &a->sequence, a->book, d);
    if (e != ERR_OK)
        rates_agent_destroy(a);
    else
        *out = a;
    return e;
}

void rates_agent_destroy(struct rates_agent *a)
{
    if (!a)
        return;
    rate_book_destroy(a->book);
    free(a);
}

// ---- which
// ---------------------------------------------------------------------------------------------------------------

static int64_t now_s(const struct rates_agent *a)
{
    return clock_wall(a->o.clock).us / US_PER_S;
}

// The day to begin with: where nothing else is said, the one after the last that is stored, else today.
static int32_t first_day(const struct rates_agent *a, enum bank b, int32_t today)
{
    size_t count = rate_book_count(a->book, b);
    if (a->o.config->since != COLLECTOR_RATES_FROM_NOW)
        return a->o.config->since;
    return count > 0 ? rate_book_at(a->book, b, count - 1)->asked + 1 : today;
}

// The next day to ask for, whether or not it has come: days that are stored are passed over. A bank that
// takes no date is asked once each day whatever is stored, since what it gives may be tomorrow's already.
static int32_t next_day(struct rates_agent *a, enum bank b, int32_t today)
{
    int32_t *from = &a->banks[b].from;
    if (!bank_info(b)->dated)
        return *from = *from < today ? today : *from;
    if (*from == INT32_MIN)
        *from = first_day(a, b, today);
    while (rate_book_asked(a->book, b, *from))
        (*from)++;
    return *from;
}

static bool is_due(struct rates_agent *a, enum bank b, int64_t now, int32_t *day)
{
    int32_t today = (int32_t)(now / DAY_S);
    if (!a->o.config->url[b] || now < a->banks[b].not_before_s)
        return false;
    *day = next_day(a, b, today);
    return *day < today || (*day == today && now % DAY_S >= (int64_t)a->o.config->hour * HOUR_S);
}

// ---- one question
// --------------------------------------------------------------------------------------------------------

static bool is_ours(enum err e) // nothing that a bank can be blamed for
{
    return e == ERR_NOMEM || e == ERR_FULL || e == ERR_INTERNAL;
}

static void say_failed(struct rates_agent *a, enum bank b, int32_t day, enum err e, const struct diag *d)
{
    char text[PERIOD_TEXT];
    period_text((struct period){PERIOD_DAY, day}, text);
    collector_count(a->o.counters, COUNTER_RATES_REFUSED, 1);
    log_warn("rates_refused", F_TEXT("bank", bank_info(b)->code), F_TEXT("day", text),
             F_TEXT("error", err_name(e)), F_TEXT("reason", d->text));
}

// What was answered and is no answer won't become one for a day of the past.
static void put_off(struct rates_agent *a, enum bank b, int32_t day, enum err e)
{
    bool answered = e == ERR_INVALID || e == ERR_NOT_FOUND || e == ERR_TOO_BIG;
    if (answered && day < now_s(a) / DAY_S)
        a->banks[b].from = day + 1;
    else
        a->banks[b].not_before_s = now_s(a) + RATES_RETRY_S;
}

static enum err question(struct rates_agent *a, enum bank b, int32_t day, struct rates *out, struct diag *d)
{
    char url[FEED_URL_MAX], *body = NULL;
    size_t len = 0;
    enum err e = feed_url(a->o.config->url[b], day, url, d);
    if (e == ERR_OK)
        e = a->o.fetch(a->o.ctx, url, FEED_MAX_BYTES, &body, &len, d);
    if (e == ERR_OK)
        e = feed_parse(b, day, body, len, out, d);
    free(body);
    return e;
}

enum err rates_agent_step(struct rates_agent *a, bool *asked, struct diag *d)
{
    struct rates_request r = {.author = "rates"};
    enum bank bank = BANKS;
    int32_t day = INT32_MAX, its;
    *asked = false;
    for (int b = 0; b < BANKS; b++) {
        if (is_due(a, (enum bank)b, now_s(a), &its) && its < day) {
            bank = (enum bank)b;
            day = its;
        }
    }
    if (bank == BANKS)
        return ERR_OK;
    *asked = true;
    collector_count(a->o.counters, COUNTER_RATES_ASKED, 1);
    enum err e = question(a, bank, day, &r.rates, d);
    if (e != ERR_OK && !is_ours(e)) {
        say_failed(a, bank, day, e, d);
        put_off(a, bank, day, e);
        return ERR_OK;
    }
    if (e == ERR_OK)
        e = a->o.submit(a->o.ctx, &r, d);
    if (e == ERR_OK)
        e = reader_rates(a->o.reader, &a->sequence, a->book, d);
    if (e == ERR_OK)
        a->banks[bank].from = day + 1;
    else
        a->banks[bank].not_before_s = now_s(a) + RATES_RETRY_S;
    return e;
}
