// Where the collector is looked for while its key changes.
#include "agent/collectors.h"
#include "base/fs.h"
#include "tests/support/folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct test_folder folder;
static struct agent_config config;

static int setup(void **state)
{
    (void)state;
    config = (struct agent_config){.endpoint = "tcp://park.example:5670", .state = folder.path};
    memset(config.collector_key, 1, KEY_BYTES);
    int made = test_folder_make(&folder);
    config.state = folder.path;
    return made;
}

static int teardown(void **state)
{
    (void)state;
    return test_folder_remove(&folder);
}

static void without_an_announcement_there_is_what_the_configuration_says(void **state)
{
    struct collector_place places[COLLECTORS_MAX];
    (void)state;
    assert_int_equal(collectors_known(&config, places), 1);
    assert_string_equal(places[0].endpoint, "tcp://park.example:5670");
    assert_memory_equal(places[0].key, config.collector_key, KEY_BYTES);
}

static void an_announced_key_is_tried_at_its_port_then_at_the_usual_one(void **state)
{
    struct collector_place places[COLLECTORS_MAX];
    uint8_t next[KEY_BYTES];
    bool changed = false;
    struct diag d = {""};
    (void)state;
    memset(next, 2, sizeof next);
    assert_int_equal(collectors_note_next(&config, 5680, next, &changed, &d), ERR_OK);
    assert_true(changed);
    assert_int_equal(collectors_note_next(&config, 5680, next, &changed, &d), ERR_OK);
    assert_false(changed); // said with every Welcome
    assert_int_equal(collectors_known(&config, places), 3);
    assert_string_equal(places[0].endpoint, "tcp://park.example:5680");
    assert_memory_equal(places[0].key, next, KEY_BYTES);
    assert_string_equal(places[1].endpoint, "tcp://park.example:5670");
    assert_memory_equal(places[1].key, next, KEY_BYTES);
    assert_memory_equal(places[2].key, config.collector_key, KEY_BYTES);
    memset(config.collector_key, 2, KEY_BYTES); // the administrator has put the new key into agent.yaml
    assert_int_equal(collectors_known(&config, places), 2);
}

static void a_damaged_announcement_is_none(void **state)
{
    static const char *const texts[] = {"", "5680", "0 x", "5680 tooshort", "99999 x\n", "five 0000000000"};
    struct collector_place places[COLLECTORS_MAX];
    char path[TEST_PATH];
    struct diag d = {""};
    (void)state;
    test_folder_path(&folder, COLLECTORS_FILE, path);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(fs_replace_file(path, texts[i], strlen(texts[i]), 0640, &d), ERR_OK);
        assert_int_equal(collectors_known(&config, places), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(without_an_announcement_there_is_what_the_configuration_says, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_announced_key_is_tried_at_its_port_then_at_the_usual_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_damaged_announcement_is_none, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
