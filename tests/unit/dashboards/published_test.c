// Everything published of the five parks is on its park's page and in the API, with its doubt and its source.
// One entry for each line of the list that the profiles were made from; a line that has several figures has
// several entries.
#include "dashboards/i18n.h"
#include "tests/support/cmocka.h"
#include "tests/support/site_fixture.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AZTM "press text, 2023 (agreement of 2023-01-13)"
#define ZONE "press text, between 2019 and 2023 (date not given)"
#define TECH "press text, 2021-03"
#define HUB  "press text, 2019-02"
#define TOOL "press text, 2023-06"

struct row {
    const char *park, *id;
    enum text kind;
    const char *figure;   // exact, with its unit; NULL: not known
    enum text doubts[4];  // words of the page, 0 (the site's name) for none: in every language
    const char *words[5]; // of the profile, as they stand
    const char *json[6];  // of the entry
    const char *source;
};

static const struct row rows[] = {
    {"aztm",
     "jobs-hq",
     T_TARGET,
     "2,000 people",
     {T_AT_LEAST, T_NO_DUE, T_CUMULATIVE},
     {0},
     {"\"comparator\":\">=\"", "\"value\":2000", "\"due\":null"},
     AZTM},
    {"aztm",
     "private-investment",
     T_TARGET,
     "100,000,000.00 USD",
     {T_ABOUT, T_NO_DUE, T_WHY_SCOPE},
     {"the nation&#39;s manufacturing, not the park alone"},
     {"\"about\":true", "\"minor\":10000000000", "\"currency\":\"USD\"", "\"due\":null",
      "\"scope\":\"the nation's manufacturing, not the park alone\"", "credited to others than the park"},
     AZTM},
    {"aztm",
     "agreement-parties",
     T_EVENT,
     "3 units",
     {0},
     {"2023-01-13", "AZTM, Karlskrona and AUES"},
     {"\"value\":3", "\"at\":\"2023-01-13\"", "\"kind\":\"event\""},
     AZTM},
    {"aztm",
     "design-bureau",
     T_EVENT,
     "1 units",
     {0},
     {"2023-01-13"},
     {"\"value\":1", "\"at\":\"2023-01-13\""},
     AZTM},
    {"almaty-iz",
     "enterprises-to-launch",
     T_TARGET,
     "9 units",
     {0},
     {"2023", "end of the year", "the year: the text does not state it"},
     {"\"value\":9", "\"due_text\":\"end of the year\"", "\"assumed\":\"the year:"},
     ZONE},
    {"almaty-iz",
     "enterprises-in-all",
     T_TARGET,
     "28 units",
     {0},
     {"2025", "by 2025"},
     {"\"value\":28", "\"due\":\"2025\""},
     ZONE},
    {"almaty-iz",
     "jobs",
     T_TARGET,
     "2,522 people",
     {0},
     {"with the 28 enterprises", "about 90 an enterprise"},
     {"\"value\":2522", "\"due_text\":\"with the 28 enterprises\"", "\"assumed\":\"the due date"},
     ZONE},
    {"almaty-iz",
     "applications",
     T_PUBLISHED,
     "×2 (index 100 → 200)",
     {T_WHY_INDEX},
     {"the pandemic", "a ratio without a base"},
     {"\"value\":200", "\"base\":100", "\"unit\":\"index\"", "\"at\":null", "\"at_text\":\"the pandemic\""},
     ZONE},
    {"yashnabad",
     "plants",
     T_PUBLISHED,
     "6 units",
     {T_CUMULATIVE},
     {"2021-03"},
     {"\"value\":6", "\"at\":\"2021-03\""},
     TECH},
    {"yashnabad",
     "capacity-fridges",
     T_CAPACITY,
     "1,000,000 pieces",
     {T_PER_YEAR},
     {"2021-03"},
     {"\"value\":1000000", "\"per\":\"year\"", "\"dimension\":\"fridges\""},
     TECH},
    {"yashnabad",
     "capacity-cooling",
     T_CAPACITY,
     "80,000 pieces",
     {T_ABOUT, T_PER_YEAR},
     {"a year: the text states no period"},
     {"\"value\":80000", "\"about\":true", "\"assumed\":\"a year"},
     TECH},
    {"yashnabad",
     "capacity-lifts",
     T_CAPACITY,
     "2,500 pieces",
     {T_PER_YEAR},
     {"6.8 a day: a daily step is noisy"},
     {"\"value\":2500", "\"per\":\"year\""},
     TECH},
    {"yashnabad",
     "output-pumps",
     T_PUBLISHED,
     "550,000 pieces",
     {T_ABOUT, T_PER_YEAR},
     {"output, not capacity"},
     {"\"value\":550000", "\"about\":true", "\"kind\":\"fact\"", "\"kpi\":\"out_units\""},
     TECH},
    {"yashnabad",
     "capacity-moulds",
     T_CAPACITY,
     "200 pieces",
     {T_PER_YEAR},
     {0},
     {"\"value\":200", "\"per\":\"year\""},
     TECH},
    {"yashnabad",
     "capacity-gas-meters",
     T_CAPACITY,
     NULL,
     {T_NOT_PUBLISHED},
     {"the plant is named, its capacity is not published"},
     {"\"value\":null"},
     TECH},
    {"yashnabad",
     "it-directions",
     T_PUBLISHED,
     "5 units",
     {0},
     {"IT, fintech, e-commerce, e-learning, biotech"},
     {"\"value\":5"},
     TECH},
    {"yashnabad",
     "uz-participants",
     T_PUBLISHED,
     "8,033 units",
     {T_WHY_SCOPE},
     {"2025-10", "the whole of Uzbekistan; given for scale"},
     {"\"value\":8033", "\"scope\":\"the whole"},
     "public figure, 2025-10"},
    {"astana-hub",
     "raised-2018",
     T_PUBLISHED,
     "17,000,000,000.00 KZT",
     {T_WHY_SCOPE},
     {"2018", "the headline credits the Hub, the quote Astana&#39;s whole IT ecosystem"},
     {"\"minor\":1700000000000", "\"at\":\"2018\"", "\"scope\":\"the headline"},
     HUB},
    {"astana-hub",
     "accelerated",
     T_PUBLISHED,
     "150 units",
     {T_CUMULATIVE},
     {"2019-02"},
     {"\"value\":150", "\"cumulative\":true"},
     HUB},
    {"astana-hub",
     "raised-biometrics",
     T_PUBLISHED,
     "130,000,000.00 KZT",
     {T_WHY_PART},
     {"tenge, as the sum it is part of", "contained in: Funding raised in 2018"},
     {"\"minor\":13000000000", "\"part_of\":\"raised-2018\"", "\"assumed\":\"tenge"},
     HUB},
    {"astana-hub",
     "raised-smart-zapravka",
     T_PUBLISHED,
     "37,000,000.00 KZT",
     {T_MORE_THAN, T_WHY_PART},
     {"contained in: Funding raised in 2018"},
     {"\"minor\":3700000000", "\"comparator\":\">\"", "\"part_of\":\"raised-2018\""},
     HUB},
    {"astana-hub",
     "raise-plan",
     T_TARGET,
     "200,000,000.00 USD",
     {T_CUMULATIVE},
     {"2022, or 2021", "until 2022", "in US dollars, while the fact beside it is in tenge"},
     {"\"currency\":\"USD\"", "\"due\":\"2022\"", "\"due_or\":\"2021\"", "\"due_text\":\"until 2022\""},
     HUB},
    {"penza",
     "share",
     T_PUBLISHED,
     "25%",
     {0},
     {"every fourth", "national denominator", "2023-06"},
     {"\"value\":25", "\"unit\":\"percent\""},
     TOOL},
    {"penza",
     "exchange-orders",
     T_EVENT,
     "1,000,000,000.00 RUB",
     {T_MORE_THAN, T_WHY_SCOPE},
     {"2023-06-08 – 2023-06-09", "the whole exchange; nothing of it is credited to Penza"},
     {"\"comparator\":\">\"", "\"minor\":100000000000", "\"at_end\":\"2023-06-09\"", "\"scope\":\"the whole"},
     TOOL},
    {"penza",
     "exchange-participants",
     T_EVENT,
     "1,000 units",
     {T_MORE_THAN, T_WHY_SCOPE},
     {"2023-06-08 – 2023-06-09", "an event, an annotation"},
     {"\"comparator\":\">\"", "\"value\":1000"},
     TOOL},
    {"penza", "partner-cities", T_EVENT, "6 units", {0}, {"2023-06-08 – 2023-06-09"}, {"\"value\":6"}, TOOL},
};

struct programme_row {
    const char *park, *id;
    enum text kind;
    const char *words[10];
    const char *source;
};
static const struct programme_row programmes[] = {
    {"aztm",
     "training-aues",
     T_PROGRAMME_FUNNEL,
     {"Training at AUES with job placement", "Training", "Graduation", "Job placement",
      "assumed: the stage of graduation"},
     AZTM},
    {"aztm",
     "modernisation",
     T_PROGRAMME_STAGES,
     {"eco standards", "Plants modernised", "Premises freed", "Premises in new use", "assumed:"},
     AZTM},
    {"aztm",
     "facilities",
     T_PROGRAMME_REGISTER,
     {"Colleges", "Laboratories", "Hubs", "Coworking spaces", "Dormitories",
      "no number of facilities was published"},
     AZTM},
    {"almaty-iz",
     "project-stages",
     T_PROGRAMME_STAGES,
     {"Utilities", "Equipment commissioning", "Finishing and landscaping", "stages may overlap"},
     ZONE},
    {"yashnabad", "it-park", T_PROGRAMME_FUNNEL, {"incubation", "Acceleration", "assumed:"}, TECH},
    {"yashnabad",
     "it-park-directions",
     T_PROGRAMME_REGISTER,
     {"IT</li>", "Fintech", "E-commerce", "E-learning", "Biotech"},
     TECH},
    {"yashnabad", "it-city", T_PROGRAMME_STAGES, {"IT city", "Planned", "no date was published"}, TECH},
    {"astana-hub", "acceleration", T_PROGRAMME_FUNNEL, {"Acceleration of start-ups", "assumed:"}, HUB},
};
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct site_fixture f;

static int setup(void **state)
{
    (void)state;
    site_fixture_open(&f, true, NULL, NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    site_fixture_close(&f);
    return 0;
}

static char *copy(const char *from, const char *to)
{
    char *text = calloc(1, (size_t)(to - from) + 1);
    assert_non_null(text);
    memcpy(text, from, (size_t)(to - from));
    return text;
}

// What stands on a park's page from `begin` to the next `end`; to be freed.
static char *part_of_page(const char *park, enum lang lang, const char *begin, const char *end)
{
    char target[100];
    snprintf(target, sizeof target, "/parks/%s?lang=%s", park, lang_code(lang));
    if (site_fixture_get(&f, target) != 200)
        fail_msg("%s: %d", target, f.x.status);
    const char *from = strstr(site_fixture_body(&f), begin);
    const char *to = from ? strstr(from + 1, end) : NULL;
    if (!to)
        fail_msg("%s has no %s", target, begin);
    return from && to ? copy(from, to) : NULL;
}

static char *row_of_page(const struct row *r, enum lang lang)
{
    char begin[100];
    snprintf(begin, sizeof begin, "<tr id=\"s-%s\">", r->id);
    return part_of_page(r->park, lang, begin, "</tr>");
}

static void expect_text(const char *part, const char *text, const char *park, const char *id)
{
    if (!strstr(part, text))
        fail_msg("%s/%s does not say \"%s\": %s", park, id, text, part);
}

// A figure and its unit stand on one line: there is no breakable space between.
static void expect_figure(const char *part, const struct row *r)
{
    char text[100];
    const char *unit = strncmp(r->figure, "×", strlen("×")) != 0 ? strrchr(r->figure, ' ') : NULL;
    if (unit)
        snprintf(text, sizeof text, "title=\"%.*s\xc2\xa0%s\"", (int)(unit - r->figure), r->figure, unit + 1);
    else
        snprintf(text, sizeof text, "%s", r->figure);
    expect_text(part, text, r->park, r->id);
}

static void every_published_figure_is_on_its_parks_page_with_its_doubt_and_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *r = &rows[i];
        char *part = row_of_page(r, LANG_EN), kind[100], source[200];
        snprintf(kind, sizeof kind, "\">%s</span></td>", i18n_text(LANG_EN, r->kind));
        snprintf(source, sizeof source, "Source: %s<", r->source);
        expect_text(part, kind, r->park, r->id);
        expect_text(part, source, r->park, r->id);
        if (r->figure) {
            expect_figure(part, r);
        } else {
            assert_null(strstr(part, "<data")); // unknown is no number
        }
        for (size_t k = 0; k < COUNT(r->words) && r->words[k]; k++)
            expect_text(part, r->words[k], r->park, r->id);
        free(part);
    }
}

static void doubts_are_said_in_every_language(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            char *part = row_of_page(&rows[i], (enum lang)lang);
            for (size_t k = 0; k < COUNT(rows[i].doubts) && rows[i].doubts[k]; k++)
                expect_text(part, i18n_text((enum lang)lang, rows[i].doubts[k]), rows[i].park, rows[i].id);
            free(part);
        }
    }
}

static void every_published_figure_is_in_the_api_with_its_doubt_and_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char target[100], source[200];
        size_t at;
        json_t *one, *found = NULL;
        snprintf(target, sizeof target, "/api/v1/parks/%s", rows[i].park);
        assert_int_equal(site_fixture_get(&f, target), 200);
        json_t *park = json_loads(site_fixture_body(&f), 0, NULL);
        json_array_foreach(json_object_get(park, "statements"), at, one)
        {
            if (strcmp(json_string_value(json_object_get(one, "id")), rows[i].id) == 0)
                found = one;
        }
        if (!found)
            fail_msg("%s has no %s", target, rows[i].id);
        char *text = json_dumps(found, JSON_COMPACT);
        snprintf(source, sizeof source, "\"source\":\"%s\"", rows[i].source);
        expect_text(text, source, rows[i].park, rows[i].id);
        for (size_t k = 0; k < COUNT(rows[i].json) && rows[i].json[k]; k++)
            expect_text(text, rows[i].json[k], rows[i].park, rows[i].id);
        free(text);
        json_decref(park);
    }
}

static void every_programme_is_on_its_parks_page_with_its_stages_and_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(programmes); i++) {
        const struct programme_row *r = &programmes[i];
        char begin[100], source[200];
        snprintf(begin, sizeof begin, " id=\"p-%s\">", r->id);
        snprintf(source, sizeof source, "Source: %s<", r->source);
        char *part = part_of_page(r->park, LANG_EN, begin, "</ul></li>");
        expect_text(part, i18n_text(LANG_EN, r->kind), r->park, r->id);
        expect_text(part, source, r->park, r->id);
        for (size_t k = 0; k < COUNT(r->words) && r->words[k]; k++)
            expect_text(part, r->words[k], r->park, r->id);
        free(part);
    }
}

static void events_are_annotations_beside_graphs_of_their_days(void **state)
{
    static const char page[] = "/series/penza/rosstat/kep/indpro_yoy?lang=en&from=";
    char target[120];
    (void)state;
    snprintf(target, sizeof target, "%s2023-06-09&to=2023-07-01", page);
    assert_int_equal(site_fixture_get(&f, target), 200);
    assert_true(site_fixture_has(&f, "Events of the park in this range"));
    assert_true(site_fixture_has(&f, "href=\"/parks/penza?lang=en#s-exchange-participants\""));
    assert_true(site_fixture_has(&f, "<span class=\"doubt\">more than</span> <data value=\"1000\""));
    assert_true(site_fixture_has(&f, "credited by the source to: the whole exchange; nothing of it is"));
    assert_true(site_fixture_has(&f, "#s-partner-cities\""));
    snprintf(target, sizeof target, "%s2023-06-10&to=2023-07-01", page);
    assert_int_equal(site_fixture_get(&f, target), 200);
    assert_false(site_fixture_has(&f, "Events of the park in this range"));
}

// The list above must grow with the profiles, or it proves nothing of what was added.
static void nothing_in_a_delivered_profile_is_left_out_of_these_lists(void **state)
{
    (void)state;
    size_t statements = 0, listed = 0;
    for (size_t i = 0; i < f.site->parks.count; i++) {
        statements += f.site->parks.parks[i]->statement_count;
        listed += f.site->parks.parks[i]->programme_count;
    }
    assert_int_equal(f.site->parks.count, 5);
    assert_int_equal(statements, COUNT(rows));
    assert_int_equal(listed, COUNT(programmes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_figure_is_on_its_parks_page_with_its_doubt_and_source),
        cmocka_unit_test(doubts_are_said_in_every_language),
        cmocka_unit_test(every_published_figure_is_in_the_api_with_its_doubt_and_source),
        cmocka_unit_test(every_programme_is_on_its_parks_page_with_its_stages_and_source),
        cmocka_unit_test(events_are_annotations_beside_graphs_of_their_days),
        cmocka_unit_test(nothing_in_a_delivered_profile_is_left_out_of_these_lists),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
