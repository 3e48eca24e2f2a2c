// The delivered parks, row by row: the table below is the published list with its doubts, written apart from
// the files.
#include "kpi/money.h"
#include "kpi/park.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
    const char *park, *id;
    enum statement_kind kind;
    const char *kpi, *dimension, *resident;
    const char *value; // as statement_value_text prints it
    const char *unit, *currency, *per;
    const char *at, *at_end, *due, *due_or;
    bool cumulative, index;
    const char *at_text, *due_text; // a part of it; "" when there must be none
    const char *assumed, *scope, *note;
    const char *part_of, *source;
};

#define NO_TARGET .due = "", .due_or = "", .due_text = ""
#define NO_PLACE  .dimension = "", .resident = ""
#define NO_PERIOD .per = ""
#define NO_DOUBT  .assumed = "", .scope = ""
#define NO_AT     .at = "", .at_end = "", .at_text = ""
#define AT(when)  .at = (when), .at_end = "", .at_text = ""
#define WHOLE     .part_of = ""
#define PLAIN(u)  .unit = (u), .currency = ""
#define MONEY(c)  .unit = "money", .currency = (c)
#define CAPACITY(product, who)                                                                               \
    .kind = STATEMENT_CAPACITY, .kpi = "cap_nominal", .dimension = (product), .resident = (who)
#define EXCHANGE .at = "2023-06-08", .at_end = "2023-06-09", .at_text = ""

static const struct row published[] = {
    {"aztm", "jobs-hq", STATEMENT_TARGET, "jobs_hq", NO_PLACE, .value = ">= 2000", PLAIN("person"), NO_PERIOD,
     NO_AT, .due = "", .due_or = "", .due_text = "", .cumulative = true, NO_DOUBT, .note = "no due date",
     WHOLE, .source = "2023"},
    {"aztm", "private-investment", STATEMENT_TARGET, "inv_private", NO_PLACE, .value = "about 100000000.00",
     MONEY("USD"), NO_PERIOD, NO_AT, .due = "", .due_or = "", .due_text = "", .cumulative = true,
     .assumed = "", .scope = "nation's manufacturing", .note = "no due date", WHOLE, .source = "2023"},
    {"aztm", "agreement-parties", STATEMENT_EVENT, "", NO_PLACE, .value = "3", PLAIN("unit"), NO_PERIOD,
     AT("2023-01-13"), NO_TARGET, NO_DOUBT, .note = "AZTM, Karlskrona and AUES", WHOLE, .source = "2023"},
    {"aztm", "design-bureau", STATEMENT_EVENT, "", NO_PLACE, .value = "1", PLAIN("unit"), NO_PERIOD,
     AT("2023-01-13"), NO_TARGET, NO_DOUBT, .note = "", WHOLE, .source = "2023"},

    {"almaty-iz", "enterprises-to-launch", STATEMENT_TARGET, "res_launched", NO_PLACE, .value = "9",
     PLAIN("unit"), NO_PERIOD, NO_AT, .due = "2023", .due_or = "", .due_text = "end of the year",
     .cumulative = true, .assumed = "the year", .scope = "", .note = "", WHOLE, .source = "not given"},
    {"almaty-iz", "enterprises-in-all", STATEMENT_TARGET, "res_launched", NO_PLACE, .value = "28",
     PLAIN("unit"), NO_PERIOD, NO_AT, .due = "2025", .due_or = "", .due_text = "by 2025", .cumulative = true,
     NO_DOUBT, .note = "", WHOLE, .source = "not given"},
    {"almaty-iz", "jobs", STATEMENT_TARGET, "jobs_created", NO_PLACE, .value = "2522", PLAIN("person"),
     NO_PERIOD, NO_AT, .due = "2025", .due_or = "", .due_text = "with the 28", .cumulative = true,
     .assumed = "the due date", .scope = "", .note = "90 an enterprise", WHOLE, .source = "not given"},
    {"almaty-iz", "applications", STATEMENT_FACT, "apps_received", NO_PLACE, .value = "200", PLAIN("index"),
     NO_PERIOD, .at = "", .at_end = "", .at_text = "pandemic", NO_TARGET, .index = true, NO_DOUBT,
     .note = "×2", WHOLE, .source = "not given"},

    {"yashnabad", "plants", STATEMENT_FACT, "res_launched", NO_PLACE, .value = "6", PLAIN("unit"), NO_PERIOD,
     AT("2021-03"), NO_TARGET, .cumulative = true, NO_DOUBT, .note = "", WHOLE, .source = "2021-03"},
    {"yashnabad", "capacity-fridges", CAPACITY("fridges", "fridge-plant"), .value = "1000000", PLAIN("piece"),
     .per = "year", AT("2021-03"), NO_TARGET, NO_DOUBT, .note = "", WHOLE, .source = "2021-03"},
    {"yashnabad", "capacity-cooling", CAPACITY("cooling", "cooling-plant"), .value = "about 80000",
     PLAIN("piece"), .per = "year", AT("2021-03"), NO_TARGET, .assumed = "no period", .scope = "", .note = "",
     WHOLE, .source = "2021-03"},
    {"yashnabad", "capacity-lifts", CAPACITY("lifts", "lift-plant"), .value = "2500", PLAIN("piece"),
     .per = "year", AT("2021-03"), NO_TARGET, NO_DOUBT, .note = "6.8 a day", WHOLE, .source = "2021-03"},
    {"yashnabad", "output-pumps", STATEMENT_FACT, "out_units", "pumps", "pump-plant", .value = "about 550000",
     PLAIN("piece"), .per = "year", AT("2021-03"), NO_TARGET, NO_DOUBT, .note = "not capacity", WHOLE,
     .source = "2021-03"},
    {"yashnabad", "capacity-moulds", CAPACITY("moulds", "mould-plant"), .value = "200", PLAIN("piece"),
     .per = "year", AT("2021-03"), NO_TARGET, NO_DOUBT, .note = "", WHOLE, .source = "2021-03"},
    {"yashnabad", "capacity-gas-meters", CAPACITY("gas-meters", "gas-meter-plant"), .value = "unknown",
     PLAIN("piece"), NO_PERIOD, AT("2021-03"), NO_TARGET, NO_DOUBT, .note = "not published", WHOLE,
     .source = "2021-03"},
    {"yashnabad", "it-directions", STATEMENT_FACT, "", NO_PLACE, .value = "5", PLAIN("unit"), NO_PERIOD,
     AT("2021-03"), NO_TARGET, NO_DOUBT, .note = "IT, fintech, e-commerce, e-learning, biotech", WHOLE,
     .source = "2021-03"},
    {"yashnabad", "uz-participants", STATEMENT_FACT, "", NO_PLACE, .value = "8033", PLAIN("unit"), NO_PERIOD,
     AT("2025-10"), NO_TARGET, .assumed = "", .scope = "whole of Uzbekistan", .note = "", WHOLE,
     .source = "2025-10"},

    {"astana-hub", "raised-2018", STATEMENT_FACT, "inv_raised", NO_PLACE, .value = "17000000000.00",
     MONEY("KZT"), NO_PERIOD, AT("2018"), NO_TARGET, .assumed = "", .scope = "whole IT ecosystem", .note = "",
     WHOLE, .source = "2019-02"},
    {"astana-hub", "accelerated", STATEMENT_FACT, "accel_companies", NO_PLACE, .value = "150", PLAIN("unit"),
     NO_PERIOD, AT("2019-02"), NO_TARGET, .cumulative = true, NO_DOUBT, .note = "", WHOLE,
     .source = "2019-02"},
    {"astana-hub", "raised-biometrics", STATEMENT_FACT, "inv_raised", "", "biometrics",
     .value = "130000000.00", MONEY("KZT"), NO_PERIOD, AT("2018"), NO_TARGET, .assumed = "tenge", .scope = "",
     .note = "", .part_of = "raised-2018", .source = "2019-02"},
    {"astana-hub", "raised-smart-zapravka", STATEMENT_FACT, "inv_raised", NO_PLACE, .value = "> 37000000.00",
     MONEY("KZT"), NO_PERIOD, AT("2018"), NO_TARGET, NO_DOUBT, .note = "", .part_of = "raised-2018",
     .source = "2019-02"},
    {"astana-hub", "raise-plan", STATEMENT_TARGET, "inv_raised", NO_PLACE, .value = "200000000.00",
     MONEY("USD"), NO_PERIOD, NO_AT, .due = "2022", .due_or = "2021", .due_text = "until 2022",
     .cumulative = true, .assumed = "end of 2021", .scope = "", .note = "in tenge", WHOLE,
     .source = "2019-02"},

    {"penza", "share", STATEMENT_FACT, "mkt_share", NO_PLACE, .value = "25", PLAIN("percent"), NO_PERIOD,
     AT("2023-06"), NO_TARGET, NO_DOUBT, .note = "national denominator", WHOLE, .source = "2023-06"},
    {"penza", "exchange-orders", STATEMENT_EVENT, "order_intake", NO_PLACE, .value = "> 1000000000.00",
     MONEY("RUB"), NO_PERIOD, EXCHANGE, NO_TARGET, .assumed = "", .scope = "the whole exchange", .note = "",
     WHOLE, .source = "2023-06"},
    {"penza", "exchange-participants", STATEMENT_EVENT, "", NO_PLACE, .value = "> 1000", PLAIN("unit"),
     NO_PERIOD, EXCHANGE, NO_TARGET, .assumed = "", .scope = "the whole exchange", .note = "annotation",
     WHOLE, .source = "2023-06"},
    {"penza", "partner-cities", STATEMENT_EVENT, "", NO_PLACE, .value = "6", PLAIN("unit"), NO_PERIOD,
     EXCHANGE, NO_TARGET, NO_DOUBT, .note = "annotation", WHOLE, .source = "2023-06"},
};

struct fixture {
    struct catalogue *catalogue;
    struct parks parks;
};

static int setup(void **state)
{
    static struct fixture f;
    struct diag d = {0};

    if (catalogue_load("deploy/catalogue.yaml", &f.catalogue, &d) != ERR_OK ||
        parks_load("deploy/parks", f.catalogue, &f.parks, &d) != ERR_OK)
        fail_msg("%s", d.text);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    parks_free(&f->parks);
    catalogue_free(f->catalogue);
    return 0;
}

static void expect_text(const struct row *r, const char *what, const char *have, const char *want)
{
    if (strcmp(have, want) != 0)
        fail_msg("%s/%s: %s is \"%s\", not \"%s\"", r->park, r->id, what, have, want);
}

static void expect_words(const struct row *r, const char *what, const char *have, const char *part)
{
    if (part[0] == '\0' ? have[0] != '\0' : strstr(have, part) == NULL)
        fail_msg("%s/%s: %s is \"%s\", without \"%s\"", r->park, r->id, what, have, part);
}

static void expect_row(const struct row *r, const struct statement *s)
{
    char value[STATEMENT_VALUE_TEXT];

    statement_value_text(s, value);
    expect_text(r, "kind", statement_kind_name(s->kind), statement_kind_name(r->kind));
    expect_text(r, "kpi", s->kpi, r->kpi);
    expect_text(r, "dimension", s->dimension, r->dimension);
    expect_text(r, "resident", s->resident, r->resident);
    expect_text(r, "value", value, r->value);
    expect_text(r, "unit", s->unit, r->unit);
    expect_text(r, "currency", s->currency, r->currency);
    expect_text(r, "per", s->per, r->per);
    expect_text(r, "at", s->at, r->at);
    expect_text(r, "at_end", s->at_end, r->at_end);
    expect_words(r, "at_text", s->at_text, r->at_text);
    expect_text(r, "due", s->due, r->due);
    expect_text(r, "due_or", s->due_or, r->due_or);
    expect_words(r, "due_text", s->due_text, r->due_text);
    expect_words(r, "assumed", s->assumed, r->assumed);
    expect_words(r, "scope", s->scope, r->scope);
    expect_text(r, "part_of", s->part_of, r->part_of);
    expect_words(r, "note", s->note, r->note);
    expect_words(r, "source", s->source, r->source);
    assert_int_equal(s->cumulative, r->cumulative);
    assert_int_equal(s->base.kind, r->index ? FIGURE_INTEGER : FIGURE_MISSING);
    assert_true(!r->index || s->base.integer == 100);
}

static void every_published_row_is_there_with_its_doubt(void **state)
{
    const struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(published); i++) {
        const struct park *p = parks_find(&f->parks, published[i].park);
        const struct statement *s = p != NULL ? park_statement(p, published[i].id) : NULL;
        if (s == NULL) {
            fail_msg("%s/%s is not there", published[i].park, published[i].id);
            break;
        }
        expect_row(&published[i], s);
    }
}

static void no_row_is_there_that_was_not_published(void **state)
{
    const struct fixture *f = *state;
    size_t count = 0;

    for (size_t i = 0; i < f->parks.count; i++)
        count += f->parks.parks[i]->statement_count;
    assert_int_equal(count, COUNT(published));
}

static void the_exchanges_orders_are_never_credited_to_penza(void **state)
{
    const struct fixture *f = *state;
    const struct park *penza = parks_find(&f->parks, "penza");
    const struct statement *orders = park_statement(penza, "exchange-orders");
    struct figure huge = figure_missing();
    bool reached = true;

    assert_int_equal(figure_from_integer(INT64_C(200000000000), &huge), ERR_OK);
    assert_false(statement_counts(orders));
    assert_int_equal(target_attainment(orders, huge, &reached).kind, FIGURE_MISSING);
    assert_false(reached);
    for (size_t i = 0; i < penza->statement_count; i++)
        assert_true(strcmp(penza->statements[i].kpi, "order_intake") != 0 || &penza->statements[i] == orders);
}

static void figures_of_others_and_parts_do_not_count(void **state)
{
    const struct fixture *f = *state;
    static const char *const not_counted[][2] = {
        {"aztm", "private-investment"},          {"yashnabad", "uz-participants"},
        {"astana-hub", "raised-2018"},           {"astana-hub", "raised-biometrics"},
        {"astana-hub", "raised-smart-zapravka"}, {"penza", "exchange-orders"},
        {"penza", "exchange-participants"},
    };
    size_t count = 0;

    for (size_t i = 0; i < f->parks.count; i++) {
        for (size_t k = 0; k < f->parks.parks[i]->statement_count; k++)
            count += !statement_counts(&f->parks.parks[i]->statements[k]);
    }
    assert_int_equal(count, COUNT(not_counted));
    for (size_t i = 0; i < COUNT(not_counted); i++)
        assert_false(
            statement_counts(park_statement(parks_find(&f->parks, not_counted[i][0]), not_counted[i][1])));
}

static void parks_come_in_order_with_their_zones(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *code, *zone, *currency;
        size_t least_residents;
    } table[] = {
        {"almaty-iz", "Asia/Almaty", "KZT", 9},   {"astana-hub", "Asia/Almaty", "KZT", 5},
        {"aztm", "Asia/Almaty", "KZT", 4},        {"penza", "Europe/Moscow", "RUB", 5},
        {"yashnabad", "Asia/Tashkent", "UZS", 6},
    };
    size_t residents = 0;

    assert_int_equal(f->parks.count, COUNT(table));
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct park *p = f->parks.parks[i];
        assert_string_equal(p->code, table[i].code);
        assert_string_equal(p->time_zone, table[i].zone);
        assert_string_equal(p->currency, table[i].currency);
        assert_true(p->resident_count >= table[i].least_residents);
        residents += p->resident_count;
    }
    assert_true(residents >= 26);
    assert_null(parks_find(&f->parks, "absent"));
}

static void only_rosstat_is_real_and_public(void **state)
{
    const struct fixture *f = *state;

    for (size_t i = 0; i < f->parks.count; i++) {
        const struct park *p = f->parks.parks[i];
        for (size_t k = 0; k < p->resident_count; k++) {
            const struct resident *r = &p->residents[k];
            bool rosstat = strcmp(p->code, "penza") == 0 && strcmp(r->code, "rosstat") == 0;
            assert_int_equal(r->simulated, !rosstat);
            assert_int_equal(r->is_public, rosstat);
        }
    }
    const struct resident *rosstat = park_resident(parks_find(&f->parks, "penza"), "rosstat");
    assert_string_equal(rosstat->source, "Rosstat, Short-term economic indicators, release 2013-12");
    assert_non_null(strstr(rosstat->about.text[LANG_EN], "Not an enterprise"));
}

static void expect_translated(const char *park, const struct names *n)
{
    for (unsigned l = LANG_RU; l < LANG_COUNT; l++) {
        if (n->text[l] == n->text[LANG_EN])
            fail_msg("%s: \"%s\" is not there in %s", park, n->text[LANG_EN], lang_code((enum lang)l));
    }
}

static void the_parks_speak_five_languages(void **state)
{
    const struct fixture *f = *state;

    for (size_t i = 0; i < f->parks.count; i++) {
        const struct park *p = f->parks.parks[i];
        expect_translated(p->code, &p->names);
        expect_translated(p->code, &p->city);
        expect_translated(p->code, &p->about);
        for (size_t k = 0; k < p->dimension_count; k++)
            expect_translated(p->code, &p->dimensions[k].names);
        for (size_t k = 0; k < p->resident_count; k++) {
            expect_translated(p->code, &p->residents[k].names);
            expect_translated(p->code, &p->residents[k].about);
        }
        for (size_t k = 0; k < p->statement_count; k++)
            expect_translated(p->code, &p->statements[k].names);
        for (size_t k = 0; k < p->programme_count; k++) {
            expect_translated(p->code, &p->programmes[k].names);
            for (size_t s = 0; s < p->programmes[k].stage_count; s++)
                expect_translated(p->code, &p->programmes[k].stages[s]);
        }
    }
}

static void programmes_have_their_stages(void **state)
{
    const struct fixture *f = *state;
    static const struct {
        const char *park, *id;
        enum programme_kind kind;
        size_t stages;
        bool overlap;
    } table[] = {
        {"aztm", "training-aues", PROGRAMME_FUNNEL, 3, false},
        {"aztm", "modernisation", PROGRAMME_STAGES, 3, false},
        {"aztm", "facilities", PROGRAMME_REGISTER, 5, false},
        {"almaty-iz", "project-stages", PROGRAMME_STAGES, 3, true},
        {"yashnabad", "it-park", PROGRAMME_FUNNEL, 4, false},
        {"yashnabad", "it-park-directions", PROGRAMME_REGISTER, 5, false},
        {"yashnabad", "it-city", PROGRAMME_STAGES, 1, false},
        {"astana-hub", "acceleration", PROGRAMME_FUNNEL, 4, false},
    };

    for (size_t i = 0; i < COUNT(table); i++) {
        const struct park *p = parks_find(&f->parks, table[i].park);
        const struct programme *found = NULL;
        for (size_t k = 0; k < p->programme_count; k++) {
            if (strcmp(p->programmes[k].id, table[i].id) == 0)
                found = &p->programmes[k];
        }
        if (found == NULL) {
            fail_msg("%s has no programme %s", table[i].park, table[i].id);
            break;
        }
        assert_int_equal(found->kind, table[i].kind);
        assert_int_equal(found->stage_count, table[i].stages);
        assert_int_equal(found->overlap, table[i].overlap);
    }
    assert_string_equal(programme_kind_name(PROGRAMME_REGISTER), "register");
    assert_string_equal(programme_kind_name((enum programme_kind)99), "");
}

// ---- folders
// ---------------------------------------------------------------------------------------------------------

static const char bare[] = "code: bare\nnames: {en: Bare}\ncity: {en: Bishkek}\nabout: {en: New}\n"
                           "time_zone: Asia/Bishkek\ncurrency: KGS\n";

static void a_folder_with_one_code_twice_is_refused(void **state)
{
    const struct fixture *f = *state;
    char folder[TEMP_YAML_PATH];
    char path[TEMP_YAML_PATH];
    struct parks parks = {0};
    struct diag d = {0};

    temp_folder_create(folder);
    temp_yaml_write(folder, "b.yaml", bare, NULL, NULL, path);
    temp_yaml_write(folder, "a.yaml", bare, NULL, NULL, path);
    assert_int_equal(parks_load(folder, f->catalogue, &parks, &d), ERR_EXISTS);
    assert_non_null(strstr(d.text, "b.yaml: another file has the park \"bare\" already"));
    assert_null(parks.parks);
    temp_folder_remove(folder);
}

static void a_folder_with_one_bad_file_names_it(void **state)
{
    const struct fixture *f = *state;
    char folder[TEMP_YAML_PATH];
    char path[TEMP_YAML_PATH];
    struct parks parks = {0};
    struct diag d = {0};

    temp_folder_create(folder);
    temp_yaml_write(folder, "a.yaml", bare, NULL, NULL, path);
    temp_yaml_write(folder, "b.yaml", bare, "currency: KGS", "currency: som", path);
    assert_int_equal(parks_load(folder, f->catalogue, &parks, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "/b.yaml:6:11: currency: "));
    temp_folder_remove(folder);
}

static void a_folder_takes_only_files_named_yaml(void **state)
{
    const struct fixture *f = *state;
    char folder[TEMP_YAML_PATH];
    char path[TEMP_YAML_PATH];
    struct parks parks = {0};
    struct diag d = {0};

    temp_folder_create(folder);
    temp_yaml_write(folder, "README.md", "# not a park", NULL, NULL, path);
    temp_yaml_write(folder, ".hidden.yaml", "nonsense", NULL, NULL, path);
    temp_yaml_write(folder, "a.yaml~", "nonsense", NULL, NULL, path);
    assert_int_equal(parks_load(folder, f->catalogue, &parks, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, "no park in it"));
    temp_yaml_write(folder, "a.yaml", bare, NULL, NULL, path);
    assert_int_equal(parks_load(folder, f->catalogue, &parks, &d), ERR_OK);
    assert_int_equal(parks.count, 1);
    parks_free(&parks);
    temp_folder_remove(folder);
}

static void a_folder_that_is_not_there_is_not_found(void **state)
{
    const struct fixture *f = *state;
    struct parks parks = {0};
    struct diag d = {0};

    assert_int_equal(parks_load("/nonexistent/parks", f->catalogue, &parks, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, "/nonexistent/parks"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_row_is_there_with_its_doubt),
        cmocka_unit_test(no_row_is_there_that_was_not_published),
        cmocka_unit_test(the_exchanges_orders_are_never_credited_to_penza),
        cmocka_unit_test(figures_of_others_and_parts_do_not_count),
        cmocka_unit_test(parks_come_in_order_with_their_zones),
        cmocka_unit_test(only_rosstat_is_real_and_public),
        cmocka_unit_test(the_parks_speak_five_languages),
        cmocka_unit_test(programmes_have_their_stages),
        cmocka_unit_test(a_folder_with_one_code_twice_is_refused),
        cmocka_unit_test(a_folder_with_one_bad_file_names_it),
        cmocka_unit_test(a_folder_takes_only_files_named_yaml),
        cmocka_unit_test(a_folder_that_is_not_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
