// Any text as a park's profile, against the delivered catalogue. Every figure of one that loads reads back
// from its own text.
#include "kpi/money.h"
#include "kpi/park.h"
#include "kpi/period.h"
#include "tests/fuzz/fuzz.h"

#define OWED_BY_DAY 20800 // 2026-12-13

static void look_at_names(const struct names *n)
{
    for (int l = 0; l < LANG_COUNT; l++)
        FUZZ_CHECK(n->text[l]);
}

static void look_at_date(const char *text)
{
    struct period p;
    FUZZ_CHECK(text && (!text[0] || period_parse(text, &p) == ERR_OK));
}

static void look_at_statement(const struct park *p, const struct statement *st)
{
    char text[STATEMENT_VALUE_TEXT], again[STATEMENT_VALUE_TEXT];
    struct statement back = *st;
    bool reached = false;
    const struct currency *money = currency_find(st->currency);
    FUZZ_CHECK(park_statement(p, st->id) == st);
    FUZZ_CHECK(comparator_text(st->comparator) && statement_kind_name(st->kind));
    FUZZ_CHECK(!st->resident[0] || park_resident(p, st->resident));
    look_at_names(&st->names);
    look_at_date(st->at);
    look_at_date(st->at_end);
    look_at_date(st->due);
    look_at_date(st->due_or);
    statement_value_text(st, text);
    FUZZ_CHECK(statement_parse_value(text, money ? money->decimals : 0, &back) == ERR_OK);
    statement_value_text(&back, again);
    FUZZ_CHECK(strcmp(text, again) == 0);
    target_attainment(st, st->value, &reached);
    FUZZ_CHECK(!statement_counts(st) || !st->scope[0]);
}

struct owed_seen {
    const struct park *park;
    int count;
};

// The first few that are owed: each has ended, binds who belongs, and is late no sooner than due.
static enum err look_at_owed(void *ctx, const struct obligation_owed *o)
{
    struct owed_seen *seen = ctx;
    FUZZ_CHECK(park_resident(seen->park, o->resident) && obligation_binds(o->rule, o->resident));
    FUZZ_CHECK(period_valid(o->period) && o->period.kind == o->rule->period);
    FUZZ_CHECK(o->period.start >= o->rule->from.start && period_end(o->period) <= OWED_BY_DAY);
    FUZZ_CHECK(!o->has_due || (o->due_day >= period_end(o->period) - 1 && o->late_s >= o->due_s));
    return ++seen->count < 100 ? ERR_OK : ERR_FULL;
}

static void look_at_obligations(const struct park *p)
{
    struct owed_seen seen = {.park = p};
    const struct obligation_query q = {.now_s = OWED_BY_DAY * INT64_C(86400)};
    enum err e = obligation_each(p, NULL, &q, look_at_owed, &seen);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_FULL && seen.count == 100));
}

static void look_at(const struct park *p)
{
    look_at_obligations(p);
    look_at_names(&p->names);
    FUZZ_CHECK(currency_find(p->currency));
    for (size_t i = 0; i < p->resident_count; i++)
        FUZZ_CHECK(park_resident(p, p->residents[i].code) == &p->residents[i]);
    for (size_t i = 0; i < p->dimension_count; i++)
        FUZZ_CHECK(park_dimension(p, p->dimensions[i].code) == &p->dimensions[i]);
    for (size_t i = 0; i < p->statement_count; i++)
        look_at_statement(p, &p->statements[i]);
    for (size_t i = 0; i < p->programme_count; i++) {
        FUZZ_CHECK(programme_kind_name(p->programmes[i].kind));
        for (size_t k = 0; k < p->programmes[i].stage_count; k++)
            look_at_names(&p->programmes[i].stages[k]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct catalogue *catalogue;
    char path[FUZZ_PATH];
    struct park *p = NULL;
    struct diag d = {""};
    FUZZ_CHECK(catalogue || catalogue_load("deploy/catalogue.yaml", &catalogue, &d) == ERR_OK);
    fuzz_path("park.yaml", path);
    fuzz_write(path, bytes, len);
    enum err e = park_load(path, catalogue, &p, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && strncmp(d.text, path, strlen(path)) == 0));
    if (e == ERR_OK)
        look_at(p);
    park_free(p);
    return 0;
}
