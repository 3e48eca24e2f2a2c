#include "tests/support/rivals.h"
#include "base/fs.h"
#include "kpi/closure.h"
#include "kpi/period.h"
#include "store/ledger_keep.h"
#include "store/observations.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// A name in all languages, so that whichever is shown is found.
#define NAMED(word) "{en: " word "-en, ru: " word "-ru, kk: " word "-kk, uz: " word "-uz, ky: " word "-ky}\n"

static const struct enterprise {
    unsigned bit;
    const char *park, *code, *profile, *dimension;
    const char *canaries[6];
    int64_t figure; // the others are made of it
} enterprises[] = {
    {WITH_ALFA,
     "twin",
     "alfa",
     "  - code: alfa\n    names: " NAMED("kanaralfa") "    about: " NAMED(
         "makesalfa") "    simulated: true\n",
     "alfa-goods",
     {"kanaralfa", "makesalfa", "goodsalfa", "73105", NULL},
     7310581},
    {WITH_BETA,
     "twin",
     "beta",
     "  - code: beta\n    names: " NAMED("kanarbeta") "    about: " NAMED(
         "makesbeta") "    simulated: true\n",
     "beta-goods",
     {"kanarbeta", "makesbeta", "goodsbeta", "49206", NULL},
     4920637},
    {WITH_GHOST, "twin", "ghost", "", "", {"38197", NULL}, 3819711},
    {WITH_OFFICE,
     "twin",
     "office",
     "  - code: office\n    names: " NAMED("anoffice") "    about: " NAMED(
         "publishes") "    simulated: false\n    public: true\n    source: a release\n",
     "",
     {"anoffice", "22222", NULL},
     2222222},
    {WITH_GAMMA,
     "silo",
     "gamma",
     "  - code: gamma\n    names: " NAMED("kanargamma") "    about: " NAMED(
         "makesgamma") "    simulated: true\n",
     "gamma-goods",
     {"kanargamma", "makesgamma", "goodsgamma", "kanarsilo", "61803", NULL},
     6180339},
};
#define ENTERPRISES (sizeof enterprises / sizeof *enterprises)

static const char *const inside[] = {"83672", "kanarauthor", "kanarreason", "kanarclosed", NULL};

static struct rivals *worlds[4]; // found by their state's folder: the collector of each is asked by it

const char *const *rivals_canaries(unsigned of)
{
    for (size_t i = 0; i < ENTERPRISES; i++)
        if (enterprises[i].bit == of)
            return enterprises[i].canaries;
    if (of != WITH_INSIDE)
        fail_msg("nobody is %u", of);
    return inside;
}

// ---- profiles
// -----------------------------------------------------------------------------------------------------------
static void put_park(const struct rivals *w, const char *code, const char *head, const char *statements)
{
    char path[STORE_PATH + 20];
    struct buf b;
    bool any = false;
    buf_init(&b, 1 << 16);
    buf_text(&b, head);
    // what a public statement speaks of is there whether its maker is or not
    buf_text(&b, "dimensions:\n  - code: cold-boxes\n    names: {en: Cold boxes}\n");
    for (size_t i = 0; i < ENTERPRISES; i++) {
        const struct enterprise *e = &enterprises[i];
        if ((w->with & e->bit) && strcmp(e->park, code) == 0 && *e->dimension)
            buf_printf(&b, "  - code: %s\n    names: {en: goods%s}\n", e->dimension, e->code);
    }
    for (size_t i = 0; i < ENTERPRISES; i++) {
        const struct enterprise *e = &enterprises[i];
        if ((w->with & e->bit) && strcmp(e->park, code) == 0 && *e->profile) {
            buf_printf(&b, "%s%s", any ? "" : "residents:\n", e->profile);
            any = true;
        }
    }
    buf_text(&b, statements);
    snprintf(path, sizeof path, "%s/%s.yaml", w->parks, code);
    assert_int_equal(fs_replace_file(path, b.data, b.len, 0600, NULL), ERR_OK);
    buf_deinit(&b);
}

// What all owe, and what one alone does, which the others must not be able to tell.
static void put_rules(const struct rivals *w, char *text, size_t size)
{
    size_t len = strlen(text);
    len += (size_t)snprintf(
        text + len, size - len,
        "obligations:\n  - {kpi: jobs_total, residents: [all], period: month, due: {days: 10}, "
        "from: 2025-12, assumed: by us}\n");
    if (w->with & WITH_ALFA)
        len += (size_t)snprintf(
            text + len, size - len,
            "  - {kpi: inv, residents: [alfa], period: month, due: {days: 10}, from: 2025-11, "
            "assumed: kanaralfa}\n");
    if (w->with & WITH_BETA)
        (void)snprintf(
            text + len, size - len,
            "  - {kpi: inv, residents: [beta], period: month, due: {unknown: true}, from: 2025-10, "
            "assumed: kanarbeta}\n");
}

static void put_parks(const struct rivals *w)
{
    const char *beta = w->with & WITH_BETA ? "resident: beta, " : "";
    char statements[5000];
    snprintf(
        statements, sizeof statements,
        "statements:\n"
        "  - {id: jobs, kind: target, names: {en: Jobs}, kpi: jobs_total, value: \">= 2000\", due: 2027, "
        "source: a text}\n"
        "  - {id: boxes, kind: capacity, names: {en: Cold boxes}, kpi: cap_nominal, dimension: "
        "cold-boxes, %svalue: 5000, per: year, at: 2021, source: a text}\n"
        "programmes:\n"
        "  - {id: staff, kind: register, names: {en: Staff}, stages: [{en: All}, {en: One}], "
        "steps: [{kpi: jobs_total}, {%skpi: jobs_total}], source: a text}\n"
        "  - {id: goods, kind: register, names: {en: Goods}, stages: [{en: Made}], "
        "steps: [{%s%skpi: jobs_total}], source: a text}\n",
        beta, beta, beta, w->with & WITH_BETA ? "dimension: beta-goods, " : "");
    put_rules(w, statements, sizeof statements);
    put_park(w, "twin",
             "code: twin\nnames: {en: Twin park}\ncity: {en: Almaty}\nabout: {en: Two rivals}\n"
             "time_zone: Asia/Almaty\ncurrency: KZT\npublic: true\n",
             statements);
    if (w->with & WITH_GAMMA)
        put_park(
            w, "silo",
            "code: silo\nnames: {en: kanarsilo}\ncity: {en: kanarsilo}\nabout: {en: kanarsilo}\n"
            "time_zone: Asia/Almaty\ncurrency: KZT\n",
            "statements:\n  - {id: jobs, kind: target, names: {en: kanarsilo}, kpi: jobs_total, value: "
            "\">= 61803\", due: 2027, source: kanarsilo}\nprogrammes:\n  - {id: p, kind: stages, names: "
            "{en: kanarsilo}, stages: [{en: kanarsilo}], source: kanarsilo}\n"
            "obligations:\n  - {kpi: inv, residents: [all], period: month, due: {days: 1}, from: 2025-12, "
            "assumed: kanarsilo}\n");
}

// ---- figures
// ------------------------------------------------------------------------------------------------------------
static void declare(struct store *s, const struct store_stream *t, uint32_t number,
                    const struct enterprise *e, const char *kpi, const char *unit, enum wire_class class)
{
    struct ledger_series wanted = {.class = class}, made;
    snprintf(wanted.name, sizeof wanted.name, "%s/%s/%s%s%s", e->park, e->code, kpi,
             number == 2 && *e->dimension ? "/" : "", number == 2 ? e->dimension : "");
    snprintf(wanted.unit, sizeof wanted.unit, "%s", unit);
    if (strcmp(unit, "money") == 0)
        snprintf(wanted.currency, sizeof wanted.currency, "KZT");
    wanted.step_s = class == WIRE_MEASUREMENT ? 60 : 0;
    wanted.period = class == WIRE_REPORT ? PERIOD_MONTH : 0;
    store_begin(s);
    if (ledger_declare(s->ledger, t->stream_id, number, &wanted, &made, &s->diag))
        fail_msg("%s: %s", wanted.name, s->diag.text);
    store_commit(s);
}

static void put_confidential(struct store *s, struct store_stream *t, const struct enterprise *e,
                             unsigned with, int32_t period_start)
{
    const struct wire_sample figure = {
        .series = 4, .time = period_start, .value = store_integer(with & WITH_INSIDE ? 8367291 : 4040404)};
    const struct wire_note note = {.confidential = true, .reason = "", .author = "", .currency = ""};
    declare(s, t, 4, e, "taxes_paid", "money", WIRE_REPORT);
    store_begin(s);
    store_append(s, t, WIRE_REPORT, &figure, &note, 1, NULL, 0);
    store_commit(s);
}

static void close_oldest(struct store *s, unsigned with, struct period p)
{
    struct closure c = {.kpi = "jobs_total", .period = p};
    struct wire_receipt receipt;
    struct buf text;
    snprintf(c.reason, sizeof c.reason, "%s", with & WITH_INSIDE ? "kanarclosed" : "audited");
    buf_init(&text, CLOSURE_DOCUMENT_MAX);
    assert_int_equal(closure_write(&c, &text), ERR_OK);
    store_begin(s);
    assert_int_equal(
        ledger_add_control(s->ledger, CLOSURE_KIND "twin", text.data, text.len, "bek", &receipt, NULL),
        ERR_OK);
    store_commit(s);
    buf_deinit(&text);
}

static void put_figures(struct store *s, const struct enterprise *e, unsigned with)
{
    bool said = e->bit == WITH_OFFICE && (with & WITH_INSIDE);
    char resident[80];
    snprintf(resident, sizeof resident, "%s/%s", e->park, e->code);
    struct store_stream t = store_agent(s, resident, (uint8_t)e->bit);
    declare(s, &t, 0, e, "jobs_total", "person", WIRE_REPORT);
    declare(s, &t, 1, e, "inv", "money", WIRE_REPORT);
    declare(s, &t, 2, e, "out_units", "piece", WIRE_MEASUREMENT);
    declare(s, &t, 3, e, "out_value", "money", WIRE_REPORT);
    struct period p = period_containing(PERIOD_MONTH, (int32_t)(STORE_EPOCH / 86400));
    for (int i = 0; i < 4; i++) {
        p = period_previous(p);
        store_one(s, &t, WIRE_REPORT, 0, p.start, store_integer(e->figure + i));
        store_one(s, &t, WIRE_REPORT, 1, p.start, store_integer(e->figure * 100));
        // what comes to the figure a head: so that a computed KPI is told apart as well
        store_one(s, &t, WIRE_REPORT, 3, p.start, store_integer(e->figure * (e->figure + i)));
    }
    // a correction, which pages tell the history of
    const struct wire_sample again = {.series = 0, .time = p.start, .value = store_integer(e->figure + 9)};
    const struct wire_note note = {.reason = said ? "kanarreason" : "counted again",
                                   .author = said ? "kanarauthor" : "",
                                   .currency = ""};
    store_begin(s);
    store_append(s, &t, WIRE_REPORT, &again, &note, 1, NULL, 0);
    store_commit(s);
    if (e->bit == WITH_OFFICE) {
        put_confidential(s, &t, e, with, p.start);
        close_oldest(s, with, p);
    }
    for (int i = 20; i > 0; i--)
        store_one(s, &t, WIRE_MEASUREMENT, 2, STORE_EPOCH - i * 60, store_integer(e->figure / 100 + i % 3));
}

static void observe(struct store *s)
{
    struct observations *o = NULL;
    struct reader *r = NULL;
    size_t rows = 1;
    assert_int_equal(observations_open(s->folder, &o, &s->diag), ERR_OK);
    assert_int_equal(reader_open(s->folder, &r, &s->diag), ERR_OK);
    while (rows > 0)
        assert_int_equal(observations_advance(o, r, 1000, &rows, &s->diag), ERR_OK);
    reader_close(r);
    observations_close(o);
}

// ---- the collector
// ------------------------------------------------------------------------------------------------------
static json_t *status_of(const struct rivals *w)
{
    json_t *agents = json_array();
    for (size_t i = 0; i < ENTERPRISES; i++) {
        const struct enterprise *e = &enterprises[i];
        char resident[80];
        snprintf(resident, sizeof resident, "%s/%s", e->park, e->code);
        if (w->with & e->bit)
            json_array_append_new(
                agents, json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:s, s:I, s:{s:I, s:I}}", "resident",
                                  resident, "connected", 1, "agent_id", (json_int_t)json_array_size(agents),
                                  "key_id", (json_int_t)json_array_size(agents), "accepted",
                                  (json_int_t)e->figure, "last_received_us", (json_int_t)e->figure, "version",
                                  "1", "batches", (json_int_t)e->figure, "counters", "sampled",
                                  (json_int_t)e->figure, "spooled", (json_int_t)1));
    }
    json_int_t connected = (json_int_t)json_array_size(agents);
    return json_pack("{s:b, s:s, s:I, s:[{s:s, s:s, s:s, s:I}], s:{s:{s:I}}, s:o}", "ok", 1, "state",
                     "running", "connected", connected, "metrics", "name", "samples", "kind", "counter",
                     "prose", "Samples", "value", connected * 1000, "cursors", "rrd", "lag", connected,
                     "agents", agents);
}

static enum err collector(const char *state, const char *request, int timeout_ms, char **reply,
                          struct diag *d)
{
    (void)timeout_ms;
    (void)d;
    for (size_t i = 0; i < 4; i++) {
        if (!worlds[i] || strcmp(worlds[i]->store.folder, state) != 0)
            continue;
        if (strstr(request, "\"audit\""))
            snprintf(worlds[i]->audited, sizeof worlds[i]->audited, "%s", request);
        if (strstr(request, "\"command\":\"report\"")) {
            snprintf(worlds[i]->reported, sizeof worlds[i]->reported, "%s", request);
            *reply = strdup(worlds[i]->answer[0] ? worlds[i]->answer : "{\"ok\":true}");
            return *reply ? ERR_OK : ERR_NOMEM;
        }
        json_t *o =
            strstr(request, "\"command\":\"status\"") ? status_of(worlds[i]) : json_pack("{s:b}", "ok", 1);
        *reply = json_dumps(o, 0);
        json_decref(o);
        return *reply ? ERR_OK : ERR_NOMEM;
    }
    return ERR_CLOSED;
}

// ---- the world
// ----------------------------------------------------------------------------------------------------------
void rivals_open(struct rivals *w, unsigned with, char *users)
{
    static char catalogue[] = "deploy/catalogue.yaml";
    struct diag d = {""};
    memset(w, 0, sizeof *w);
    w->with = with;
    store_create(&w->store);
    store_temp_folder(w->parks);
    put_parks(w);
    for (size_t i = 0; i < ENTERPRISES; i++)
        if (with & enterprises[i].bit)
            put_figures(&w->store, &enterprises[i], with);
    observe(&w->store);
    w->config.state = w->store.folder;
    w->config.catalogue = catalogue;
    w->config.parks = w->parks;
    w->config.users = users;
    size_t free_place = 0;
    while (worlds[free_place])
        free_place++;
    worlds[free_place] = w;
    if (site_open(&w->config, &w->store.clock.clock, NULL, collector, &w->site, &d))
        fail_msg("%s", d.text);
    exchange_init(&w->x);
}

void rivals_close(struct rivals *w)
{
    for (size_t i = 0; i < 4; i++)
        if (worlds[i] == w)
            worlds[i] = NULL;
    exchange_deinit(&w->x);
    site_close(w->site);
    store_destroy(&w->store);
    store_remove_folder(w->parks);
}

int rivals_ask(struct rivals *w, const char *method, const char *target, const char *authorization,
               const char *etag)
{
    exchange_deinit(&w->x);
    exchange_init(&w->x);
    snprintf(w->x.method, sizeof w->x.method, "%s", method);
    snprintf(w->x.target, sizeof w->x.target, "%s", target);
    snprintf(w->x.authorization, sizeof w->x.authorization, "%s", authorization);
    snprintf(w->x.if_none_match, sizeof w->x.if_none_match, "%s", etag);
    snprintf(w->x.address, sizeof w->x.address, "10.0.0.7");
    router_answer(w->site, &w->x);
    return w->x.status;
}
