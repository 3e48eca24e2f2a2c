// What the control socket can be asked about central banks' rates: to store a document, to believe what is
// held.
#include "collector/control_internal.h"
#include "kpi/period.h"
#include <string.h>

static enum err parse_confirmed(const json_t *o, struct rates_request *r, struct diag *d)
{
    char bank[8], day[16];
    struct period p;
    enum err e = control_parse_text(o, "confirm", true, bank, sizeof bank, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "day", true, day, sizeof day, d);
    if (e != ERR_OK)
        return e;
    if (bank_parse(bank, &r->rates.bank) != ERR_OK)
        return diag_fail(d, ERR_INVALID, "'%s' is none of the banks kz, uz, ru, kg", bank);
    if (period_parse(day, &p) != ERR_OK || p.kind != PERIOD_DAY)
        return diag_fail(d, ERR_INVALID, "'%s' is not a day like 2026-03-14", day);
    r->rates.asked = p.start;
    return ERR_OK;
}

enum err control_parse_rates(const json_t *o, struct rates_request *r, struct diag *d)
{
    char document[RATES_DOCUMENT_MAX + 1];
    enum err e = control_parse_text(o, "author", true, r->author, sizeof r->author, d);
    r->confirm = json_object_get(o, "confirm") != NULL;
    if (e == ERR_OK && r->confirm)
        return parse_confirmed(o, r, d);
    if (e == ERR_OK)
        e = control_parse_text(o, "document", true, document, sizeof document, d);
    return e == ERR_OK ? rates_read(document, strlen(document), &r->rates, d) : e;
}

json_t *control_rates(struct control *c, const struct control_request *r)
{
    struct item *item = item_create(ITEM_RATES, c->inbox);
    if (item) {
        item->admin->rates = r->rates;
        memcpy(item->admin->rates.who, c->who, sizeof c->who);
    }
    if (!(item = control_ask(c, c->to_committer, item, CONTROL_ANSWER_MS)))
        return control_failure(control_no_answer);
    const struct rates_request *done = &item->admin->rates;
    return control_reply(item, json_pack("{s:b, s:b, s:b, s:s, s:I}", "ok", 1, "known", done->known, "held",
                                         done->rates.state == RATES_HELD, "jumped", done->rates.jumped,
                                         "freed", (json_int_t)done->freed));
}
