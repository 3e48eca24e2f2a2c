// Which answers are believed; what is in force on a day is in convert_test.
#include "kpi/rate_book.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct rates answer(int32_t asked, int32_t answered, const char *usd)
{
    struct rates r = {.bank = BANK_KZ, .asked = asked, .answered = answered, .count = 1};
    assert_int_equal(rate_parse("USD", "1", usd, '.', &r.list[0], NULL), ERR_OK);
    return r;
}

// Judges, takes in what follows from it, and says how many were freed.
static size_t judge(struct rate_book *b, struct rates *r)
{
    struct rates freed[RATE_BOOK_FREED];
    size_t count;
    rate_book_judge(b, r, freed, &count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rate_book_take(b, &freed[i]), ERR_OK);
    assert_int_equal(rate_book_take(b, r), ERR_OK);
    return count;
}

static enum rates_state judged(struct rate_book *b, int32_t asked, int32_t answered, const char *usd)
{
    struct rates r = answer(asked, answered, usd);
    judge(b, &r);
    return r.state;
}

static struct rate_book *book(void)
{
    struct rate_book *b = NULL;
    assert_int_equal(rate_book_create(&b), ERR_OK);
    return b;
}

static void a_quarter_more_is_held_and_the_day_before_goes_on(void **state)
{
    (void)state;
    struct rate_book *b = book();
    assert_int_equal(judged(b, 100, 100, "400"), RATES_ACCEPTED);
    assert_int_equal(judged(b, 101, 101, "500"), RATES_HELD);
    assert_string_equal(rate_book_asked(b, BANK_KZ, 101)->jumped, "USD");
    assert_int_equal(rate_book_held(b, BANK_KZ), 1);
    assert_null(rate_book_on(b, BANK_KZ, 101)); // not known until something is believed again
    assert_int_equal(judged(b, 102, 102, "401"), RATES_ACCEPTED);
    assert_int_equal(rate_book_on(b, BANK_KZ, 101)->answered, 100);
    assert_int_equal(rate_book_held(b, BANK_KZ), 1); // still to be looked at
    rate_book_destroy(b);
}

static void a_bank_that_repeats_itself_is_believed(void **state)
{
    (void)state;
    struct rate_book *b = book();
    assert_int_equal(judged(b, 100, 100, "400"), RATES_ACCEPTED);
    assert_int_equal(judged(b, 101, 101, "500"), RATES_HELD);
    assert_int_equal(judged(b, 102, 101, "500"), RATES_HELD); // only carried forward: no new word
    struct rates r = answer(103, 103, "505");
    assert_int_equal(judge(b, &r), 2);
    assert_int_equal(r.state, RATES_ACCEPTED);
    assert_int_equal(rate_book_asked(b, BANK_KZ, 101)->state, RATES_CONFIRMED);
    assert_int_equal(rate_book_asked(b, BANK_KZ, 102)->state, RATES_CONFIRMED);
    assert_int_equal(rate_book_held(b, BANK_KZ), 0);
    assert_int_equal(judged(b, 104, 103, "505"), RATES_ACCEPTED);
    rate_book_destroy(b);
}

static void another_jump_does_not_confirm_the_first(void **state)
{
    (void)state;
    struct rate_book *b = book();
    assert_int_equal(judged(b, 100, 100, "400"), RATES_ACCEPTED);
    assert_int_equal(judged(b, 101, 101, "4000"), RATES_HELD);
    assert_int_equal(judged(b, 102, 102, "40"), RATES_HELD);
    assert_int_equal(rate_book_held(b, BANK_KZ), 2);
    rate_book_destroy(b);
}

static void what_is_carried_from_a_confirmed_day_is_believed(void **state)
{
    (void)state;
    struct rate_book *b = book();
    struct rates r = answer(101, 101, "500");
    assert_int_equal(judged(b, 100, 100, "400"), RATES_ACCEPTED);
    r.state = RATES_CONFIRMED; // by a person
    assert_int_equal(rate_book_take(b, &r), ERR_OK);
    assert_int_equal(judged(b, 102, 101, "500"), RATES_ACCEPTED);
    rate_book_destroy(b);
}

static void an_older_answer_is_compared_with_the_later_one(void **state)
{
    (void)state;
    struct rate_book *b = book();
    assert_int_equal(judged(b, 100, 100, "400"), RATES_ACCEPTED);
    assert_int_equal(judged(b, 90, 90, "600"), RATES_HELD);
    assert_int_equal(judged(b, 90, 90, "410"), RATES_ACCEPTED); // asked again, answered otherwise
    assert_int_equal(judged(b, 58, 58, "600"), RATES_ACCEPTED); // nothing within 31 days
    assert_int_equal(rate_book_count(b, BANK_KZ), 3);
    assert_int_equal(rate_book_at(b, BANK_KZ, 0)->asked, 58);
    rate_book_destroy(b);
}

static void banks_do_not_mix(void **state)
{
    (void)state;
    struct rate_book *b = book();
    struct rates ru = answer(101, 101, "90");
    ru.bank = BANK_RU;
    assert_int_equal(judged(b, 100, 100, "400"), RATES_ACCEPTED);
    judge(b, &ru);
    assert_int_equal(ru.state, RATES_ACCEPTED);
    assert_null(rate_book_asked(b, BANK_KZ, 101));
    rate_book_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quarter_more_is_held_and_the_day_before_goes_on),
        cmocka_unit_test(a_bank_that_repeats_itself_is_believed),
        cmocka_unit_test(another_jump_does_not_confirm_the_first),
        cmocka_unit_test(what_is_carried_from_a_confirmed_day_is_believed),
        cmocka_unit_test(an_older_answer_is_compared_with_the_later_one),
        cmocka_unit_test(banks_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
