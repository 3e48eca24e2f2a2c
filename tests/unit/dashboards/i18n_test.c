#include "dashboards/i18n.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned placeholders(const char *text)
{
    unsigned found = 0;
    for (const char *s = text; (s = strchr(s, '{')); s++) {
        if (s[1] < '0' || s[1] > '3' || s[2] != '}')
            return 0xff;
        found |= 1u << (s[1] - '0');
    }
    return found;
}

static void every_text_is_there_in_every_language_with_the_same_placeholders(void **state)
{
    (void)state;
    for (int t = 0; t < T_COUNT; t++) {
        unsigned wanted = placeholders(i18n_text(LANG_EN, (enum text)t));
        for (int l = 0; l < LANG_COUNT; l++) {
            const char *text = i18n_text((enum lang)l, (enum text)t);
            if (!text || !*text || placeholders(text) != wanted)
                fail_msg("text %d in %s: %s", t, lang_code((enum lang)l), text ? text : "absent");
        }
    }
}

static void kazakh_and_kyrgyz_texts_are_not_russian_ones_left_over(void **state)
{
    (void)state;
    int same = 0;
    for (int t = 0; t < T_COUNT; t++) {
        const char *ru = i18n_text(LANG_RU, (enum text)t);
        for (const char *s = i18n_text(LANG_UZ, (enum text)t); *s; s++)
            if ((unsigned char)*s == 0xd0 || (unsigned char)*s == 0xd1)
                fail_msg("Uzbek in Latin letters: %s", i18n_text(LANG_UZ, (enum text)t));
        same += strlen(ru) > 40 && (strcmp(ru, i18n_text(LANG_KK, (enum text)t)) == 0 ||
                                    strcmp(ru, i18n_text(LANG_KY, (enum text)t)) == 0);
    }
    assert_int_equal(same, 0);
}

static void i18n_fill_puts_values_where_they_belong_and_cuts_what_is_too_long(void **state)
{
    (void)state;
    char out[I18N_MAX], big[2 * I18N_MAX];
    i18n_fill(out, LANG_EN, T_REPORTING, "3", "7", NULL);
    assert_string_equal(out, "residents reporting: 3 of 7");
    i18n_fill(out, LANG_KK, T_REPORTING, "3", "7", NULL);
    assert_string_equal(out, "дерек беріп тұрған резиденттер: 7 ішінен 3");
    i18n_fill(out, LANG_EN, T_ASSUMED, "{0} %s %n", NULL, NULL);
    assert_string_equal(out, "assumed: {0} %s %n");
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    i18n_fill(out, LANG_EN, T_ASSUMED, big, big, big);
    assert_int_equal(strlen(out), I18N_MAX - 1);
}

static void i18n_accept_chooses_the_best_of_ours(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum lang wanted;
    } cases[] = {{"", LANG_EN},
                 {"ru", LANG_RU},
                 {"ru-RU,ru;q=0.9,en;q=0.8", LANG_RU},
                 {"de,fr;q=0.9", LANG_EN},
                 {"de, kk;q=0.5, ru;q=0.4", LANG_KK},
                 {"en;q=0.1, uz;q=0.25", LANG_UZ},
                 {"KY-kg", LANG_KY},
                 {"ru;q=0", LANG_EN},
                 {";;;,,,q=", LANG_EN},
                 {"russian", LANG_EN},
                 {"kk;q=1.0, ru;q=0.999", LANG_KK},
                 {"*", LANG_EN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (i18n_accept(cases[i].header) != cases[i].wanted)
            fail_msg("%s: %s", cases[i].header, lang_code(i18n_accept(cases[i].header)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_is_there_in_every_language_with_the_same_placeholders),
        cmocka_unit_test(kazakh_and_kyrgyz_texts_are_not_russian_ones_left_over),
        cmocka_unit_test(i18n_fill_puts_values_where_they_belong_and_cuts_what_is_too_long),
        cmocka_unit_test(i18n_accept_chooses_the_best_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
