// Keys, tokens and who they are.
#include "base/crypto.h"
#include "collector/admission.h"
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct ledger_agent agent(int64_t id)
{
    struct ledger_agent a = {.agent_id = id, .key_id = id + 100, .resident = "penza/rosstat"};
    memset(a.public_key, (int)id, sizeof a.public_key);
    return a;
}

static void an_admitted_key_has_a_token_that_names_its_agent(void **state)
{
    struct admission *a;
    char token[ADMISSION_TOKEN] = "";
    struct admitted who;
    struct ledger_agent one = agent(1), two = agent(2);
    (void)state;
    assert_int_equal(admission_create(&a), ERR_OK);
    assert_int_equal(admission_add(a, &one), ERR_OK);
    assert_int_equal(admission_add(a, &two), ERR_OK);
    assert_int_equal(admission_add(a, &two), ERR_OK);
    assert_int_equal(admission_count(a), 2);
    assert_true(admission_decide(a, two.public_key, token));
    assert_int_equal(strlen(token), 32);
    assert_true(admission_lookup(a, token, &who));
    assert_int_equal(who.agent_id, 2);
    assert_int_equal(who.key_id, 102);
    assert_string_equal(who.resident, "penza/rosstat");
    admission_destroy(a);
}

static void unknown_keys_and_tokens_find_nothing(void **state)
{
    struct admission *a;
    char token[ADMISSION_TOKEN] = "untouched";
    struct admitted who;
    struct ledger_agent one = agent(1), two = agent(2);
    (void)state;
    assert_int_equal(admission_create(&a), ERR_OK);
    assert_false(admission_decide(a, one.public_key, token));
    assert_int_equal(admission_add(a, &one), ERR_OK);
    assert_false(admission_decide(a, two.public_key, token));
    assert_string_equal(token, "untouched");
    assert_false(admission_lookup(a, "", &who));
    assert_false(admission_lookup(a, "00000000000000000000000000000000", &who));
    assert_false(admission_lookup(a, "a name longer than any token could ever be, in full", &who));
    admission_destroy(a);
}

static void a_removed_key_loses_its_token_at_once(void **state)
{
    struct admission *a;
    char token[ADMISSION_TOKEN] = "";
    struct admitted who;
    struct ledger_agent one = agent(1), two = agent(2);
    (void)state;
    assert_int_equal(admission_create(&a), ERR_OK);
    assert_int_equal(admission_add(a, &one), ERR_OK);
    assert_int_equal(admission_add(a, &two), ERR_OK);
    assert_true(admission_decide(a, one.public_key, token));
    assert_int_equal(admission_remove(a, one.key_id), ERR_OK);
    assert_false(admission_lookup(a, token, &who));
    assert_false(admission_decide(a, one.public_key, token));
    assert_true(admission_decide(a, two.public_key, token));
    assert_int_equal(admission_remove(a, one.key_id), ERR_NOT_FOUND);
    admission_destroy(a);
}

static void a_revoked_agent_is_not_let_in(void **state)
{
    struct admission *a;
    char token[ADMISSION_TOKEN] = "";
    struct ledger_agent one = agent(1);
    (void)state;
    one.revoked_us = 5;
    assert_int_equal(admission_create(&a), ERR_OK);
    assert_int_equal(admission_add(a, &one), ERR_OK);
    assert_false(admission_decide(a, one.public_key, token));
    admission_destroy(a);
}

struct reading {
    struct admission *a;
    _Atomic bool stop;
    char token[ADMISSION_TOKEN];
};

static void *read_on(void *ctx)
{
    struct reading *r = ctx;
    struct admitted who;
    while (!atomic_load(&r->stop)) {
        if (!admission_lookup(r->a, r->token, &who) || who.agent_id != 1)
            return ctx;
    }
    return NULL;
}

static void lookups_go_on_while_keys_come_and_go(void **state)
{
    struct reading r = {0};
    struct ledger_agent one = agent(1);
    pthread_t thread;
    void *failed;
    (void)state;
    assert_int_equal(admission_create(&r.a), ERR_OK);
    assert_int_equal(admission_add(r.a, &one), ERR_OK);
    assert_true(admission_decide(r.a, one.public_key, r.token));
    assert_int_equal(pthread_create(&thread, NULL, read_on, &r), 0);
    for (int64_t i = 2; i < 200; i++) {
        struct ledger_agent more = agent(i);
        assert_int_equal(admission_add(r.a, &more), ERR_OK);
        if (i % 2)
            assert_int_equal(admission_remove(r.a, more.key_id), ERR_OK);
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(admission_count(r.a), 100);
    admission_destroy(r.a);
}

static struct ledger_agent one_of_many(int64_t id)
{
    struct ledger_agent a = agent(id);
    memcpy(a.public_key, &id, sizeof id);
    return a;
}

static void thousands_of_keys_each_find_their_own_agent(void **state)
{
    enum { MANY = 3000 };
    struct admission *a;
    struct admitted first = {0};
    (void)state;
    assert_int_equal(admission_create(&a), ERR_OK);
    for (int64_t i = 1; i <= MANY; i++) {
        struct ledger_agent it = one_of_many(i);
        assert_int_equal(admission_add(a, &it), ERR_OK);
    }
    assert_int_equal(admission_other_key(a, 7, 0), 107);
    for (int64_t i = 3; i <= MANY; i += 3)
        assert_int_equal(admission_remove(a, i + 100), ERR_OK);
    assert_int_equal(admission_count(a), MANY - MANY / 3);
    for (int64_t i = 1; i <= MANY; i++) {
        struct ledger_agent it = one_of_many(i);
        char token[ADMISSION_TOKEN] = "";
        struct admitted who = {0};
        assert_int_equal(admission_decide(a, it.public_key, token), i % 3 != 0);
        assert_int_equal(admission_lookup(a, token, &who), i % 3 != 0);
        assert_int_equal(who.agent_id, i % 3 ? i : 0);
        first = i == 1 ? who : first;
        const struct admitted before = {.agent_id = i, .key_id = i + 100}; // looked up before any was removed
        assert_int_equal(admission_holds(a, &before), i % 3 != 0);
    }
    assert_true(admission_holds(a, &first));
    admission_destroy(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admitted_key_has_a_token_that_names_its_agent),
        cmocka_unit_test(unknown_keys_and_tokens_find_nothing),
        cmocka_unit_test(a_removed_key_loses_its_token_at_once),
        cmocka_unit_test(a_revoked_agent_is_not_let_in),
        cmocka_unit_test(lookups_go_on_while_keys_come_and_go),
        cmocka_unit_test(thousands_of_keys_each_find_their_own_agent),
    };
    if (crypto_init() != ERR_OK)
        return 1;
    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
