// Invitations, further keys, owners: what is stored, what is refused, and that nothing is half done.
#include "store/ledger_identity.h"
#include "store/reader.h"
#include "tests/support/store_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static int setup(void **state)
{
    struct store *s = malloc(sizeof *s);
    store_create(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    store_destroy(*state);
    free(*state);
    return 0;
}

static const uint8_t *bytes_of(uint8_t seed)
{
    static uint8_t bytes[4][HASH_BYTES];
    static unsigned next;
    uint8_t *b = bytes[next++ % 4];
    memset(b, seed, HASH_BYTES);
    return b;
}

static struct ledger_invite invite_for(struct store *s, const char *resident, int64_t agent_id, uint8_t hash)
{
    struct ledger_invite i = {.agent_id = agent_id, .author = "root", .expires_us = 1};
    strcpy(i.resident, resident);
    assert_int_equal(ledger_invite_add(s->ledger, bytes_of(hash), &i, &s->diag), ERR_OK);
    return i;
}

static void an_invitation_is_kept_by_its_hash_across_a_restart(void **state)
{
    struct store *s = *state;
    struct ledger_invite found, made = invite_for(s, "penza/rosstat", 0, 1);
    assert_int_equal(made.made_us, clock_wall(&s->clock.clock).us);
    store_reopen(s);
    assert_int_equal(ledger_invite_find(s->ledger, bytes_of(1), &found, &s->diag), ERR_OK);
    assert_int_equal(found.invite_id, made.invite_id);
    assert_string_equal(found.resident, "penza/rosstat");
    assert_string_equal(found.author, "root");
    assert_int_equal(ledger_invite_find(s->ledger, bytes_of(2), &found, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(ledger_invite_add(s->ledger, bytes_of(1), &made, &s->diag), ERR_EXISTS);
    strcpy(made.resident, "no-slash");
    assert_int_equal(ledger_invite_add(s->ledger, bytes_of(3), &made, &s->diag), ERR_INVALID);
    strcpy(made.resident, "penza/all"); // whoever had it would write the park's totals
    assert_int_equal(ledger_invite_add(s->ledger, bytes_of(3), &made, &s->diag), ERR_INVALID);
}

static void using_one_makes_an_agent_once(void **state)
{
    struct store *s = *state;
    struct ledger_invite i = invite_for(s, "penza/rosstat", 0, 1);
    struct ledger_agent a;
    assert_int_equal(ledger_invite_use(s->ledger, i.invite_id, bytes_of(7), &a, &s->diag), ERR_OK);
    assert_string_equal(a.resident, "penza/rosstat");
    assert_int_equal(ledger_invite_use(s->ledger, i.invite_id, bytes_of(8), &a, &s->diag), ERR_CONFLICT);
    assert_int_equal(ledger_invite_find(s->ledger, bytes_of(1), &i, &s->diag), ERR_OK);
    assert_int_equal(i.key_id, a.key_id);
    assert_true(i.used_us > 0);
    assert_int_equal(ledger_invite_withdraw(s->ledger, i.invite_id, &s->diag), ERR_NOT_FOUND);
}

static void a_key_of_another_resident_or_a_revoked_one_spends_nothing(void **state)
{
    struct store *s = *state;
    struct store_stream other = store_agent(s, "penza/other", 40);
    struct ledger_invite i = invite_for(s, "penza/rosstat", 0, 1),
                         second = invite_for(s, "penza/rosstat", 0, 2);
    struct ledger_agent a, b;
    assert_int_equal(ledger_key_add(s->ledger, other.agent_id, bytes_of(7), &a, &s->diag), ERR_OK);
    assert_int_equal(ledger_invite_use(s->ledger, i.invite_id, bytes_of(7), &b, &s->diag), ERR_CONFLICT);
    assert_int_equal(ledger_invite_use(s->ledger, i.invite_id, bytes_of(8), &b, &s->diag), ERR_OK);
    assert_int_equal(ledger_agent_revoke(s->ledger, b.key_id, &s->diag), ERR_OK);
    assert_int_equal(ledger_invite_use(s->ledger, second.invite_id, bytes_of(8), &b, &s->diag), ERR_DENIED);
    assert_int_equal(ledger_invite_find(s->ledger, bytes_of(2), &second, &s->diag), ERR_OK);
    assert_int_equal(second.used_us, 0);
}

static void a_withdrawn_one_is_of_no_use(void **state)
{
    struct store *s = *state;
    struct ledger_invite i = invite_for(s, "penza/rosstat", 0, 1);
    struct ledger_agent a;
    assert_int_equal(ledger_invite_withdraw(s->ledger, i.invite_id, &s->diag), ERR_OK);
    assert_int_equal(ledger_invite_withdraw(s->ledger, i.invite_id, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(ledger_invite_use(s->ledger, i.invite_id, bytes_of(7), &a, &s->diag), ERR_CONFLICT);
    assert_int_equal(ledger_invite_use(s->ledger, 99, bytes_of(7), &a, &s->diag), ERR_NOT_FOUND);
}

static void one_for_an_agent_gives_it_another_key(void **state)
{
    struct store *s = *state;
    struct store_stream agent = store_agent(s, "penza/rosstat", 40);
    struct ledger_invite i = invite_for(s, "penza/rosstat", agent.agent_id, 1),
                         wrong = {.agent_id = agent.agent_id};
    struct ledger_agent a;
    assert_int_equal(ledger_invite_use(s->ledger, i.invite_id, bytes_of(7), &a, &s->diag), ERR_OK);
    assert_int_equal(a.agent_id, agent.agent_id);
    assert_int_not_equal(a.key_id, agent.key_id);
    strcpy(wrong.resident, "penza/other");
    assert_int_equal(ledger_invite_add(s->ledger, bytes_of(2), &wrong, &s->diag), ERR_INVALID);
    assert_int_equal(ledger_key_add(s->ledger, agent.agent_id, bytes_of(7), &a, &s->diag),
                     ERR_OK); // it has it
    assert_int_equal(ledger_key_add(s->ledger, 99, bytes_of(8), &a, &s->diag), ERR_NOT_FOUND);
}

static void a_series_moves_within_its_resident_only(void **state)
{
    struct store *s = *state;
    struct store_stream one = store_agent(s, "penza/rosstat", 40), two = store_agent(s, "penza/rosstat", 41),
                        stranger = store_agent(s, "penza/other", 42);
    const struct ledger_series *series;
    int64_t from = 0;
    store_declare(s, &one, 0, "penza/rosstat/out_units", WIRE_MEASUREMENT, 10, 0);
    assert_int_equal(ledger_declared(s->ledger, one.stream_id, 0, &series), ERR_OK);
    assert_int_equal(ledger_series_move(s->ledger, series->name, two.agent_id, &from, &s->diag), ERR_OK);
    assert_int_equal(from, one.agent_id);
    ledger_series_reload(s->ledger, series->name);
    assert_int_equal(series->agent_id, two.agent_id); // the copy in memory too
    assert_int_equal(ledger_series_move(s->ledger, series->name, stranger.agent_id, &from, &s->diag),
                     ERR_INVALID);
    assert_int_equal(ledger_series_move(s->ledger, series->name, 99, &from, &s->diag), ERR_NOT_FOUND);
    assert_int_equal(ledger_series_move(s->ledger, "penza/rosstat/no", two.agent_id, &from, &s->diag),
                     ERR_NOT_FOUND);
    assert_int_equal(series->agent_id, two.agent_id);
}

static enum err count(void *ctx, const struct ledger_invite *i)
{
    (void)i;
    ++*(int *)ctx;
    return ERR_OK;
}

static void readers_see_them_and_a_rollback_takes_back_what_was_in_it(void **state)
{
    struct store *s = *state;
    struct ledger_invite i = invite_for(s, "penza/rosstat", 0, 1);
    struct reader *r;
    int seen = 0;
    assert_int_equal(reader_open(s->folder, &r, &s->diag), ERR_OK);
    assert_int_equal(reader_invites(r, count, &seen, &s->diag), ERR_OK);
    assert_int_equal(seen, 1);
    reader_close(r);
    store_begin(s);
    assert_int_equal(ledger_invite_withdraw(s->ledger, i.invite_id, &s->diag), ERR_OK);
    ledger_rollback(s->ledger);
    assert_int_equal(ledger_invite_withdraw(s->ledger, i.invite_id, &s->diag), ERR_OK); // it was open still
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_invitation_is_kept_by_its_hash_across_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(using_one_makes_an_agent_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_of_another_resident_or_a_revoked_one_spends_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_withdrawn_one_is_of_no_use, setup, teardown),
        cmocka_unit_test_setup_teardown(one_for_an_agent_gives_it_another_key, setup, teardown),
        cmocka_unit_test_setup_teardown(a_series_moves_within_its_resident_only, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_see_them_and_a_rollback_takes_back_what_was_in_it, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
