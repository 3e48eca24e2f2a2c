// collector.yaml: the example is accepted, and each mistake is told with its place.
#include "collector/config.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char good[] = "endpoint: tcp://127.0.0.1:5670\n"
                           "state: /var/lib/esep\n"
                           "catalogue: catalogue.yaml\n"
                           "parks: parks\n"
                           "log_level: warn\n"
                           "budget: 64MiB\n"
                           "min_free: 1GiB\n";

static void the_example_is_accepted(void **state)
{
    struct collector_config c;
    struct diag d = {0};
    (void)state;
    if (collector_config_load("collector/collector.example.yaml", &c, &d) != ERR_OK)
        fail_msg("%s (tests run from the repository's root)", d.text);
    assert_string_equal(c.state, "/var/lib/esep");
    assert_int_equal(c.budget_bytes, 128u << 20);
    assert_int_equal(c.min_free_bytes, 256u << 20);
    assert_int_equal(c.log_level, LOG_INFO);
    collector_config_deinit(&c);
}

static void what_is_optional_has_a_default(void **state)
{
    char folder[TEMP_YAML_PATH], path[TEMP_YAML_PATH];
    struct collector_config c;
    struct diag d = {0};
    (void)state;
    temp_folder_create(folder);
    temp_yaml_write(folder, "collector.yaml", good, "log_level: warn\nbudget: 64MiB\nmin_free: 1GiB\n", "",
                    path);
    assert_int_equal(collector_config_load(path, &c, &d), ERR_OK);
    assert_int_equal(c.budget_bytes, 128u << 20);
    assert_int_equal(c.min_free_bytes, 256u << 20);
    collector_config_deinit(&c);
    temp_folder_remove(folder);
}

static void values_are_taken_as_they_are(void **state)
{
    char folder[TEMP_YAML_PATH], path[TEMP_YAML_PATH];
    struct collector_config c;
    struct diag d = {0};
    (void)state;
    temp_folder_create(folder);
    temp_yaml_write(folder, "collector.yaml", good, NULL, NULL, path);
    assert_int_equal(collector_config_load(path, &c, &d), ERR_OK);
    assert_string_equal(c.endpoint, "tcp://127.0.0.1:5670");
    assert_string_equal(c.parks, "parks");
    assert_int_equal(c.log_level, LOG_WARN);
    assert_int_equal(c.budget_bytes, 64u << 20);
    assert_int_equal(c.min_free_bytes, 1u << 30);
    collector_config_deinit(&c);
    temp_folder_remove(folder);
}

static void mistakes_are_told_with_their_place(void **state)
{
    static const struct yaml_case cases[] = {
        {"tcp://127.0.0.1:5670", "udp://127.0.0.1:5670", "1:11: endpoint: ", "tcp://"},
        {"tcp://127.0.0.1:5670", "tcp://127.0.0.1", "1:11: endpoint: ", "tcp://address:port"},
        {"tcp://127.0.0.1:5670", "tcp://127.0.0.1:99999", "1:11: endpoint: ", "port"},
        {"tcp://127.0.0.1:5670", "tcp://127.0.0.1:56x", "1:11: endpoint: ", "port"},
        {"warn", "loud", "5:12: log_level: ", "debug, info, warn, error"},
        {"64MiB", "lots", "6:9: budget: ", "64MiB"},
        {"64MiB", "1KiB", "6:9: budget: ", "outside"},
        {"1GiB", "-5", "7:11: min_free: ", "size"},
        {"/var/lib/esep",
         "/a/path/that/is/so/long/that/the/address/of/a/socket/in/it/would/not/fit/into/what/the/kernel/"
         "takes/for/one",
         "2:8: state: ", "too long"},
        {"budget:", "budgets:", "6:", "budgets"},
    };
    char folder[TEMP_YAML_PATH], path[TEMP_YAML_PATH];
    (void)state;
    temp_folder_create(folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collector_config c;
        struct diag d = {0};
        temp_yaml_write(folder, "collector.yaml", good, cases[i].from, cases[i].to, path);
        expect_yaml_error(&cases[i], path, collector_config_load(path, &c, &d), &d);
    }
    temp_folder_remove(folder);
}

#define RATES                                                                                                \
    "budget: 64MiB\nrates:\n  hour: 6\n  since: 2026-01-01\n  banks:\n    - {bank: kz}\n    - {bank: ru, "   \
    "url: \"http://127.0.0.1:9/{dmy/}\"}\n"

static void banks_are_asked_only_when_they_are_named(void **state)
{
    char folder[TEMP_YAML_PATH], path[TEMP_YAML_PATH];
    struct collector_config c;
    struct diag d = {0};
    (void)state;
    temp_folder_create(folder);
    temp_yaml_write(folder, "collector.yaml", good, NULL, NULL, path);
    assert_int_equal(collector_config_load(path, &c, &d), ERR_OK);
    for (int b = 0; b < BANKS; b++)
        assert_null(c.rates.url[b]);
    collector_config_deinit(&c);
    temp_yaml_write(folder, "collector.yaml", good, "budget: 64MiB\n", RATES, path);
    if (collector_config_load(path, &c, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(c.rates.hour, 6);
    assert_int_equal(c.rates.since, 20454);
    assert_string_equal(c.rates.url[BANK_KZ], bank_info(BANK_KZ)->url);
    assert_string_equal(c.rates.url[BANK_RU], "http://127.0.0.1:9/{dmy/}");
    assert_null(c.rates.url[BANK_UZ]);
    collector_config_deinit(&c);
    temp_folder_remove(folder);
}

static void mistakes_about_rates_are_told_with_their_place(void **state)
{
    static const struct yaml_case cases[] = {
        {"budget: 64MiB\n", "rates: {hour: 18, banks: [{bank: kz}]}\n", "6:15: rates.hour: ", "0 to 17"},
        {"budget: 64MiB\n", "rates: {hour: noon, banks: [{bank: kz}]}\n",
         "6:15: rates.hour: ", "hour of UTC"},
        {"budget: 64MiB\n", "rates: {since: 2026-01, banks: [{bank: kz}]}\n",
         "6:16: rates.since: ", "2026-03-14"},
        {"budget: 64MiB\n", "rates: {banks: [{bank: us}]}\n",
         "6:24: rates.banks[0].bank: ", "kz, uz, ru, kg"},
        {"budget: 64MiB\n", "rates: {banks: [{bank: kz}, {bank: kz}]}\n",
         "6:36: rates.banks[1].bank: ", "twice"},
        {"budget: 64MiB\n", "rates: {banks: [{bank: kz, url: \"file:///etc/passwd\"}]}\n",
         "6:33: rates.banks[0].url: ", "https://"},
        {"budget: 64MiB\n", "rates: {banks: [{bank: kz, url: \"http://a/{day}\"}]}\n",
         "6:33: rates.banks[0].url: ", "{ymd-}"},
        {"budget: 64MiB\n", "rates: {banks: []}\n", "6:", "banks"},
    };
    char folder[TEMP_YAML_PATH], path[TEMP_YAML_PATH];
    (void)state;
    temp_folder_create(folder);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct collector_config c;
        struct diag d = {0};
        temp_yaml_write(folder, "collector.yaml", good, cases[i].from, cases[i].to, path);
        expect_yaml_error(&cases[i], path, collector_config_load(path, &c, &d), &d);
    }
    temp_folder_remove(folder);
}

static void what_is_required_is_missed_by_name(void **state)
{
    static const char *const lines[] = {"endpoint: tcp://127.0.0.1:5670\n", "state: /var/lib/esep\n",
                                        "catalogue: catalogue.yaml\n", "parks: parks\n"};
    char folder[TEMP_YAML_PATH], path[TEMP_YAML_PATH];
    (void)state;
    temp_folder_create(folder);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct collector_config c;
        struct diag d = {0};
        char key[16];
        size_t n = strcspn(lines[i], ":");
        memcpy(key, lines[i], n);
        key[n] = '\0';
        temp_yaml_write(folder, "collector.yaml", good, lines[i], "", path);
        assert_int_equal(collector_config_load(path, &c, &d), ERR_INVALID);
        assert_non_null(strstr(d.text, key));
    }
    temp_folder_remove(folder);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct collector_config c;
    struct diag d = {0};
    (void)state;
    assert_int_equal(collector_config_load("/nowhere/collector.yaml", &c, &d), ERR_NOT_FOUND);
    assert_non_null(strstr(d.text, "/nowhere/collector.yaml: there is no such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_accepted),
        cmocka_unit_test(what_is_optional_has_a_default),
        cmocka_unit_test(values_are_taken_as_they_are),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(banks_are_asked_only_when_they_are_named),
        cmocka_unit_test(mistakes_about_rates_are_told_with_their_place),
        cmocka_unit_test(what_is_required_is_missed_by_name),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("collector config", tests, NULL, NULL);
}
