#include "base/fs.h"
#include "tests/support/site_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EVIL "<script>alert(1)</script>\" onmouseover='x' &"

static const char *const pages[] = {"/",
                                    "/parks/yashnabad",
                                    "/parks/aztm",
                                    "/parks/yashnabad/fridge-plant",
                                    "/parks/penza/rosstat",
                                    "/series/yashnabad/fridge-plant/out_units/fridges",
                                    "/series/penza/rosstat/kep/indpro_yoy",
                                    "/series/yashnabad/fridge-plant/inv"};
static const char *const codes[] = {"en", "ru", "kk", "uz", "ky"};
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

// Every element that is opened is closed, in order: what browsers forgive, readers' aids may not.
static void check_nesting(const char *page, const char *html)
{
    static const char *const alone[] = {"meta",   "link",    "img",      "input",   "br",
                                        "source", "polygon", "polyline", "!doctype"};
    char open[64][16];
    int depth = 0;
    for (const char *s = html; (s = strchr(s, '<')); s++) {
        char name[16];
        bool closing = s[1] == '/';
        size_t n = strcspn(s + 1 + closing, " />\n");
        snprintf(name, sizeof name, "%.*s", (int)(n < 15 ? n : 15), s + 1 + closing);
        for (char *c = name; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        bool single = false;
        for (size_t i = 0; i < sizeof alone / sizeof *alone; i++)
            single |= strcmp(alone[i], name) == 0;
        if (single)
            continue;
        if (!closing) {
            assert_true(depth < 64);
            memcpy(open[depth++], name, sizeof name);
        } else if (depth == 0 || strcmp(open[--depth], name) != 0) {
            fail_msg("%s: </%s> closes <%s> near %.80s", page, name, depth >= 0 ? open[depth] : "", s);
        }
    }
    assert_int_equal(depth, 0);
}

static void every_page_in_every_language_is_whole_and_says_its_language(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        for (size_t l = 0; l < 5; l++) {
            char target[200], lang[40];
            snprintf(target, sizeof target, "%s?lang=%s", pages[i], codes[l]);
            snprintf(lang, sizeof lang, "<html lang=\"%s\">", codes[l]);
            if (site_fixture_get(&f, target) != 200)
                fail_msg("%s: %d", target, f.x.status);
            assert_true(site_fixture_has(&f, lang));
            assert_true(site_fixture_has(&f, "href=\"#content\""));
            assert_true(site_fixture_has(&f, "<main id=\"content\""));
            check_nesting(target, site_fixture_body(&f));
        }
    }
}

static void links_keep_the_language_that_was_asked_for_and_the_switcher_keeps_the_page(void **state)
{
    (void)state;
    site_fixture_get(&f, "/series/yashnabad/fridge-plant/out_units/fridges?range=week&lang=kk");
    assert_true(site_fixture_has(&f, "href=\"/parks/yashnabad?lang=kk\""));
    assert_true(site_fixture_has(&f, "out_units/fridges?range=month&amp;lang=kk\""));
    assert_true(site_fixture_has(
        &f, "href=\"/series/yashnabad/fridge-plant/out_units/fridges?range=week&amp;lang=ru\""));
    assert_true(site_fixture_has(&f, "name=\"lang\" value=\"kk\""));
    site_fixture_get(&f, "/parks/yashnabad");
    assert_true(site_fixture_has(&f, "href=\"/parks/yashnabad/fridge-plant\""));
}

static void every_download_of_points_is_one_that_the_api_answers(void **state)
{
    static const char *const ranges[] = {"day", "week", "month", "year", "all"};
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        char target[160], address[300];
        snprintf(target, sizeof target, "/series/yashnabad/fridge-plant/out_units/fridges?range=%s&lang=en",
                 ranges[i]);
        assert_int_equal(site_fixture_get(&f, target), 200);
        assert_int_equal(site_fixture_has(&f, ">CSV, every "), i > 0 && i < 4); // the whole is two days
        const char *at = strstr(site_fixture_body(&f), "/api/v1/query");
        assert_non_null(at);
        int len = (int)strcspn(at, "\"");
        snprintf(address, sizeof address, "%.*s", len, at);
        for (char *amp; (amp = strstr(address, "&amp;"));)
            memmove(amp + 1, amp + 5, strlen(amp + 5) + 1);
        if (site_fixture_get(&f, address) != 200)
            fail_msg("%s", address);
    }
}

static void the_browsers_language_is_used_when_none_is_asked_for(void **state)
{
    (void)state;
    exchange_deinit(&f.x);
    exchange_init(&f.x);
    snprintf(f.x.method, sizeof f.x.method, "GET");
    snprintf(f.x.target, sizeof f.x.target, "/");
    snprintf(f.x.accept_language, sizeof f.x.accept_language, "uz-UZ,uz;q=0.9,ru;q=0.8");
    router_answer(f.site, &f.x);
    assert_true(site_fixture_has(&f, "<html lang=\"uz\">"));
    assert_true(f.x.vary_language);
}

static void graphs_say_in_words_what_they_draw_and_the_newest_value(void **state)
{
    (void)state;
    site_fixture_get(&f, "/series/penza/rosstat/kep/indpro_yoy");
    assert_true(site_fixture_has(&f, "alt=\"Graph of Industrial output, per cent of the same month a year "
                                     "before, All. Newest value: 101%, 2013-12.\""));
}

static void a_revision_shows_what_was_said_before_and_why(void **state)
{
    (void)state;
    site_fixture_get(&f, "/series/penza/rosstat/kep/indpro_yoy");
    assert_true(site_fixture_has(&f, "earlier figure: 104.1%"));
    assert_true(site_fixture_has(&f, "&lt;b&gt;late &amp; corrected&lt;/b&gt;"));
    assert_true(site_fixture_has(&f, "provisional"));
    assert_true(site_fixture_has(&f, ">57.49999999999999<"));
}

static void a_hole_in_the_figures_is_shown_as_a_hole(void **state)
{
    (void)state;
    site_fixture_get(&f, "/series/yashnabad/fridge-plant/out_units/fridges?from=1772300000&to=1772320600");
    assert_true(site_fixture_has(&f, "<tr class=\"gap\">"));
    site_fixture_get(&f, "/series/yashnabad/fridge-plant/out_units/fridges?from=2020-01-01&to=2020-01-02");
    assert_true(site_fixture_has(&f, "There are no values in this range."));
}

static void simulated_figures_are_marked_everywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        site_fixture_get(&f, pages[i]);
        bool real = strstr(pages[i], "rosstat") != NULL;
        assert_int_equal(site_fixture_has(&f, "badge simulated"), !real);
    }
}

static void doubts_of_published_figures_are_written_out(void **state)
{
    (void)state;
    site_fixture_get(&f, "/parks/aztm");
    assert_true(site_fixture_has(&f, "no due date published"));
    assert_true(site_fixture_has(&f, "credited by the source to: the nation"));
    assert_true(site_fixture_has(&f, "<span class=\"doubt\">about</span>"));
    assert_true(site_fixture_has(&f, "<span class=\"doubt\">at least</span>"));
    site_fixture_get(&f, "/parks/yashnabad");
    assert_true(site_fixture_has(&f, "not published"));
    assert_true(site_fixture_has(&f, "assumed: a year: the text states no period"));
    site_fixture_get(&f, "/parks/almaty-iz");
    assert_true(site_fixture_has(&f, "×2 (index 100 → 200)"));
    site_fixture_get(&f, "/parks/penza");
    assert_true(site_fixture_has(&f, "never counted as its own"));
}

static void copy_park(const char *folder, const char *name)
{
    static const char yaml[] =
        "code: aztm\ncurrency: KZT\ntime_zone: Asia/Almaty\nnames: {en: '%s'}\ncity: {en: '%s'}\nabout: {en: "
        "'%s'}\n"
        "residents:\n  - {code: rolling-mill, names: {en: '%s'}, about: {en: '%s'}, simulated: true}\n"
        "statements:\n  - {id: s, kind: target, names: {en: '%s'}, kpi: jobs_hq, value: 5, cumulative: true, "
        "due: unknown, "
        "due_text: '%s', assumed: '%s', note: '%s', source: '%s'}\n"
        "programmes:\n  - {id: p, kind: stages, names: {en: '%s'}, stages: [{en: '%s'}], note: '%s', source: "
        "'%s'}\n";
    char path[STORE_PATH + 32], text[8000], evil[200];
    size_t n = 0;
    for (const char *c = EVIL; *c; c++) { // a quote is doubled in YAML
        if (*c == '\'')
            evil[n++] = '\'';
        evil[n++] = *c;
    }
    evil[n] = '\0';
#define E evil
    snprintf(text, sizeof text, yaml, E, E, E, E, E, E, E, E, E, E, E, E, E, E);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(fs_replace_file(path, text, strlen(text), 0600, NULL), ERR_OK);
}

static void hostile_names_are_only_text(void **state)
{
    (void)state;
    struct site_fixture evil;
    char folder[STORE_PATH];
    static const char *const targets[] = {"/",
                                          "/parks/aztm",
                                          "/parks/aztm/rolling-mill",
                                          "/series/aztm/rolling-mill/jobs_hq",
                                          "/nowhere/%3Cscript%3Ealert(1)%3C/script%3E",
                                          "/?%3Cscript%3Ealert(1)=1",
                                          "/?lang=%22%3E%3Cscript%3Ealert(1)",
                                          "/parks/aztm?range=%22%20onmouseover='x'"};
    store_temp_folder(folder);
    copy_park(folder, "aztm.yaml");
    site_fixture_open(&evil, true, NULL, folder, NULL);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        site_fixture_get(&evil, targets[i]);
        if (site_fixture_has(&evil, "<script>") || site_fixture_has(&evil, "\" onmouseover") ||
            site_fixture_has(&evil, "' &\""))
            fail_msg("%s: %s", targets[i], site_fixture_body(&evil));
        check_nesting(targets[i], site_fixture_body(&evil));
    }
    site_fixture_close(&evil);
    store_remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_in_every_language_is_whole_and_says_its_language),
        cmocka_unit_test(links_keep_the_language_that_was_asked_for_and_the_switcher_keeps_the_page),
        cmocka_unit_test(every_download_of_points_is_one_that_the_api_answers),
        cmocka_unit_test(the_browsers_language_is_used_when_none_is_asked_for),
        cmocka_unit_test(graphs_say_in_words_what_they_draw_and_the_newest_value),
        cmocka_unit_test(a_revision_shows_what_was_said_before_and_why),
        cmocka_unit_test(a_hole_in_the_figures_is_shown_as_a_hole),
        cmocka_unit_test(simulated_figures_are_marked_everywhere),
        cmocka_unit_test(doubts_of_published_figures_are_written_out),
        cmocka_unit_test(hostile_names_are_only_text),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
