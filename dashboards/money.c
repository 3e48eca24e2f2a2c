// One reading of `currency` for the API, the pages and the graphs, as as_of.c is of `as_of`.
#include "dashboards/money.h"
#include "dashboards/params.h"
#include <stdio.h>
#include <string.h>

const char *const money_codes[] = {"KZT", "USD", "UZS", "RUB", "KGS", NULL};

enum err money_choose(struct exchange *x, const struct board_row *row, const struct currency **out)
{
    size_t choice = 0;
    *out = NULL;
    if (!exchange_param(x, "currency"))
        return ERR_OK;
    if (params_choice(x, "currency", money_codes, &choice))
        return ERR_INVALID;
    if (!row->measure.currency)
        return exchange_fail_param(x, "currency", "%s is no money", row->series.name);
    *out = currency_find(money_codes[choice]);
    return ERR_OK;
}

enum err money_open(struct exchange *x, const struct readers *store, const struct board_row *row,
                    int64_t as_of_us, struct money *out)
{
    const struct currency *to = NULL;
    struct diag d = {""};
    *out = (struct money){0};
    if (money_choose(x, row, &to))
        return ERR_INVALID;
    enum err e = to ? observations_rate_book(store->observations, as_of_us, &out->book, &d) : ERR_OK;
    if (e != ERR_OK)
        return exchange_fail_err(x, e, d.text);
    out->to = to;
    return ERR_OK;
}

void money_close(struct money *m)
{
    rate_book_destroy(m->book);
    *m = (struct money){0};
}

void money_address(const struct money *m, char out[MONEY_ADDRESS])
{
    snprintf(out, MONEY_ADDRESS, "%s%s", m->to ? "&currency=" : "", m->to ? m->to->code : "");
}

void money_measure(const struct money *m, struct board_row *row)
{
    if (!m->to)
        return;
    row->measure.currency = m->to;
    row->measure.currency_code = m->to->code;
}

static struct money_figure convert(const struct money *m, const struct board_row *row,
                                   const struct currency *from, struct period p, struct figure value)
{
    struct money_figure f = {.value = value, .currency = from};
    const char *park = row->park ? row->park->currency : "";
    if (!m->to || !from || value.kind == FIGURE_MISSING)
        return f;
    f.currency = m->to;
    enum err e = conversion_of(m->book, park, from->code, m->to->code, board_is_flow(row), p, &f.by);
    if (e == ERR_OK)
        e = conversion_apply(&f.by, value, from, m->to, &f.value);
    if (e == ERR_OK) {
        f.converted = !f.by.same;
        return f;
    }
    f.value = figure_missing();
    f.lacking = true;
    f.too_large = e == ERR_TOO_BIG;
    return f;
}

struct money_figure money_report(const struct money *m, const struct board_row *row, const char *currency,
                                 int32_t period_start, struct figure value)
{
    const struct currency *from = currency_find(*currency ? currency : row->series.currency);
    return convert(m, row, from, (struct period){(enum period_kind)row->series.period, period_start}, value);
}

struct money_figure money_measured(const struct money *m, const struct board_row *row, const struct zone *z,
                                   int64_t time_s, struct figure value)
{
    int64_t local = time_s - 1 + (z ? zone_offset(z, time_s - 1) : 0);
    int64_t day = local / 86400 - (local % 86400 < 0);
    return convert(m, row, currency_find(row->series.currency), (struct period){PERIOD_DAY, (int32_t)day},
                   value);
}

void money_put_rate(struct writer *j, const struct money_figure *f)
{
    char text[RATE_TEXT], day[PERIOD_TEXT];
    if (!f->converted) {
        writer_text(j, "rate", NULL);
        return;
    }
    conversion_text(&f->by, text);
    period_text((struct period){PERIOD_DAY, f->by.rated}, day);
    writer_object(j, "rate");
    writer_text(j, "bank", bank_info(f->by.bank)->code);
    writer_text(j, "value", text);
    writer_text(j, "of", day);
    writer_integer(j, "days", f->by.days);
    writer_integer(j, "carried", f->by.carried);
    writer_end_object(j);
}
