#include "agent/config.h"
#include "tests/support/temp_yaml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

static char folder[TEMP_YAML_PATH];

static const char good[] =
    "collector:\n"
    "  endpoint: tcp://127.0.0.1:5670\n"
    "  key: \"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n"
    "state: /var/lib/esep-agent\n"
    "log_level: warn\n"
    "spool: {max_bytes: 64MiB, max_age: 7d}\n"
    "sources:\n"
    "  - name: machines\n"
    "    kind: exec\n"
    "    command: [\"/usr/bin/prog\", \"--live\"]\n"
    "    every: 10s\n"
    "    timeout: 5s\n"
    "    class: measurement\n"
    "    series:\n"
    "      - {name: out, kpi: out_units, dimension: fridges, unit: piece, step: 10s}\n"
    "      - {name: busy, kpi: apt_s, unit: second, step: 1h}\n"
    "  - name: monthly\n"
    "    kind: csv\n"
    "    path: /srv/monthly.csv\n"
    "    every: 5s\n"
    "    class: report\n"
    "    separator: \";\"\n"
    "    decimal: \",\"\n"
    "    encoding: windows-1251\n"
    "    time_column: month\n"
    "    series:\n"
    "      - {column: staff, kpi: jobs_total, unit: person, period: month}\n"
    "      - {column: invested, kpi: inv, unit: money, currency: KZT, period: quarter}\n";

static int setup(void **state)
{
    (void)state;
    temp_folder_create(folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_folder_remove(folder);
    return 0;
}

static enum err load(const char *from, const char *to, char path[TEMP_YAML_PATH], struct agent_config **out,
                     struct diag *d)
{
    temp_yaml_write(folder, "agent.yaml", good, from, to, path);
    return agent_config_load(path, out, d);
}

static void a_good_file_is_read_to_the_last_key(void **state)
{
    (void)state;
    char path[TEMP_YAML_PATH];
    struct agent_config *c = NULL;
    struct diag d = {""};
    if (load(NULL, NULL, path, &c, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_string_equal(c->endpoint, "tcp://127.0.0.1:5670");
    assert_string_equal(c->state, "/var/lib/esep-agent");
    assert_int_equal(c->log_level, LOG_WARN);
    assert_int_equal(c->spool_max_bytes, 64u << 20);
    assert_int_equal(c->spool_max_age_us, INT64_C(7) * 86400 * 1000000);
    assert_int_equal(c->source_count, 2);
    assert_int_equal(c->series_count, 4);
    const struct agent_source *m = &c->sources[0], *r = &c->sources[1];
    assert_int_equal(m->kind, AGENT_SOURCE_EXEC);
    assert_int_equal(m->class, WIRE_MEASUREMENT);
    assert_int_equal(m->every_s, 10);
    assert_int_equal(m->timeout_ms, 5000);
    assert_string_equal(m->argv[0], "/usr/bin/prog");
    assert_string_equal(m->argv[1], "--live");
    assert_null(m->argv[2]);
    assert_string_equal(m->series[0].name, "out");
    assert_string_equal(m->series[0].declared, "out_units/fridges");
    assert_int_equal(m->series[0].step_s, 10);
    assert_null(m->series[0].money);
    assert_int_equal(m->series[1].step_s, 3600);
    assert_string_equal(m->series[1].declared, "apt_s");
    assert_int_equal(r->kind, AGENT_SOURCE_CSV);
    assert_int_equal(r->separator, ';');
    assert_int_equal(r->decimal, ',');
    assert_string_equal(r->encoding, "WINDOWS-1251");
    assert_string_equal(r->time_column, "month");
    assert_int_equal(r->series[1].period, PERIOD_QUARTER);
    assert_string_equal(r->series[1].currency, "KZT");
    assert_int_equal(r->series[1].money->decimals, 2);
    agent_config_free(c);
}

static void what_is_left_out_has_its_default(void **state)
{
    (void)state;
    char path[TEMP_YAML_PATH];
    struct agent_config *c = NULL;
    struct diag d = {""};
    assert_int_equal(load("log_level: warn\nspool: {max_bytes: 64MiB, max_age: 7d}\n", "", path, &c, &d),
                     ERR_OK);
    assert_int_equal(c->log_level, LOG_INFO);
    assert_int_equal(c->spool_max_bytes, 256u << 20);
    assert_int_equal(c->spool_max_age_us, INT64_C(30) * 86400 * 1000000);
    agent_config_free(c);
    assert_int_equal(load("    timeout: 5s\n", "", path, &c, &d), ERR_OK);
    assert_int_equal(c->sources[0].timeout_ms, 5000);
    agent_config_free(c);
    assert_int_equal(
        load("    separator: \";\"\n    decimal: \",\"\n    encoding: windows-1251\n", "", path, &c, &d),
        ERR_OK);
    assert_int_equal(c->sources[1].separator, ',');
    assert_int_equal(c->sources[1].decimal, '.');
    assert_null(c->sources[1].encoding);
    assert_null(c->sources[1].published_column);
    assert_false(c->sources[1].whole);
    assert_false(c->sources[1].releases);
    agent_config_free(c);
    assert_int_equal(load("time_column: month",
                          "time_column: month\n    published_column: out\n    whole: true", path, &c, &d),
                     ERR_OK);
    assert_string_equal(c->sources[1].published_column, "out");
    assert_true(c->sources[1].whole);
    agent_config_free(c);
    assert_int_equal(load("/srv/monthly.csv", "/srv/kep-{release}.csv", path, &c, &d), ERR_OK);
    assert_true(c->sources[1].releases);
    agent_config_free(c);
    assert_int_equal(load("step: 1h}", "step: 1h, counter: true, wrap: 65536}", path, &c, &d), ERR_OK);
    assert_false(c->sources[0].series[0].counter);
    assert_true(c->sources[0].series[1].counter);
    assert_int_equal(c->sources[0].series[1].wrap, 65536);
    agent_config_free(c);
    assert_int_equal(load("time_column: month", "time_column: \"\"", path, &c, &d), ERR_OK);
    assert_string_equal(c->sources[1].time_column, "");
    agent_config_free(c);
}

static void mistakes_are_named_with_their_place_and_the_way_out(void **state)
{
    (void)state;
    static const struct yaml_case cases[] = {
        {"step: 1h}", "step: 1h, counter: yes}",
         "16:67: sources[0].series[1].counter: ", "must be true or false"},
        {"step: 1h}", "step: 1h, wrap: 65536}",
         "16:64: sources[0].series[1].wrap: ", "only a counter has it"},
        {"step: 1h}", "step: 1h, counter: true, wrap: 1}",
         "16:79: sources[0].series[1].wrap: ", "4294967296"},
        {"period: month}\n      -", "period: month, counter: true}\n      -",
         "27:80: sources[1].series[0].counter: ", "only a measurement"},
        {"tcp://127.0.0.1:5670", "http://x", "2:13: collector.endpoint: ", "must be tcp://HOST:PORT"},
        {"tcp://127.0.0.1:5670", "tcp://x", "2:13: collector.endpoint: ", "must be tcp://HOST:PORT"},
        {"H8]yf7", "H8]yf", "3:8: collector.key: ", "40 characters"},
        {"log_level: warn", "log_level: loud",
         "5:12: log_level: ", "'loud' must be debug, info, warn or error"},
        {"max_bytes: 64MiB", "max_bytes: 10KiB", "6:20: spool.max_bytes: ", "at least 1MiB"},
        {"max_bytes: 64MiB", "max_bytes: lots", "6:20: spool.max_bytes: ", "'lots' must be a size"},
        {"max_age: 7d", "max_age: 7", "6:36: spool.max_age: ", "'7' must be a time"},
        {"name: machines", "name: Machines", "8:11: sources[0].name: ", "lower-case letters"},
        {"name: monthly", "name: machines", "17:11: sources[1].name: ", "already the name of sources[0]"},
        {"kind: exec", "kind: sql", "9:11: sources[0].kind: ", "'sql' must be csv, exec or hand"},
        {"    every: 10s\n", "", "8:5: sources[0].every: ", "is missing: how often to look"},
        {"    kind: csv\n", "    kind: hand\n", "20:12: sources[1].every: ", "a person is not asked"},
        {"    kind: csv\n    path: /srv/monthly.csv\n    every: 5s\n", "    kind: hand\n",
         "20:16: sources[1].separator: ", "only a csv source has it"},
        {"every: 10s", "every: 500ms", "11:12: sources[0].every: ", "whole seconds from 1s to 1d"},
        {"every: 10s", "every: 1500ms", "11:12: sources[0].every: ", "whole seconds from 1s to 1d"},
        {"every: 10s", "every: 2d", "11:12: sources[0].every: ", "whole seconds from 1s to 1d"},
        {"timeout: 5s", "timeout: 11s", "12:14: sources[0].timeout: ", "the length of `every`"},
        {"class: measurement", "class: control",
         "13:12: sources[0].class: ", "must be measurement or report"},
        {"step: 10s}", "step: 7s}", "15:76: sources[0].series[0].step: ", "a divisor of 1h"},
        {"step: 10s}", "step: 11s}", "15:76: sources[0].series[0].step: ", "a divisor of 1h"},
        {"step: 10s}", "period: day}", "15:78: sources[0].series[0].period: ", "a measurement has a step"},
        {", step: 10s}", "}", "15:9: sources[0].series[0].step: ", "is missing: a measurement has one"},
        {"kpi: out_units", "kpi: Out", "15:26: sources[0].series[0].kpi: ", "'Out' must be lower-case"},
        {"dimension: fridges", "dimension: a/b", "15:48: sources[0].series[0].dimension: ", "'a/b' must be"},
        {"{name: busy, kpi: apt_s", "{name: busy, kpi: out_units, dimension: fridges",
         "16:27: sources[0].series[1].kpi: ", "out_units/fridges is already given by another entry"},
        {"name: busy", "name: out", "16:16: sources[0].series[1].name: ", "'out' is already used"},
        {"name: busy", "name: a b", "16:16: sources[0].series[1].name: ", "must not contain blanks"},
        {"name: busy", "column: busy", "16:18: sources[0].series[1].column: ", "the name the program prints"},
        {"{name: busy, ", "{",
         "16:9: sources[0].series[1].name: ", "is missing: the name the program prints"},
        {"    command: [\"/usr/bin/prog\", \"--live\"]\n", "", "8:5: sources[0].command: ", "is missing"},
        {"    class: measurement\n", "    class: measurement\n    path: /x\n",
         "14:11: sources[0].path: ", "only a csv source has it"},
        {"    path: /srv/monthly.csv\n", "", "17:5: sources[1].path: ", "is missing: the file to read"},
        {"    time_column: month\n", "", "17:5: sources[1].time_column: ", "is missing"},
        {"separator: \";\"", "separator: \"|\"",
         "22:16: sources[1].separator: ", "must be \",\", \";\" or tab"},
        {"decimal: \",\"", "decimal: \";\"", "23:14: sources[1].decimal: ", "must be \".\" or \",\""},
        {"windows-1251", "koi8-r", "24:15: sources[1].encoding: ", "must be utf-8 or windows-1251"},
        {"time_column: month", "time_column: month\n    whole: yes",
         "26:12: sources[1].whole: ", "must be true or false"},
        {"/srv/monthly.csv", "/srv/{release}/x.csv",
         "19:11: sources[1].path: ", "stands once, in the file's name"},
        {"/srv/monthly.csv", "/srv/{release}-{release}.csv", "19:11: sources[1].path: ", "stands once"},
        {"/srv/monthly.csv", "/srv/{release}.csv\n    published_column: out",
         "20:23: sources[1].published_column: ", "says by its files' names"},
        {"timeout: 5s", "published_column: x",
         "12:23: sources[0].published_column: ", "only a csv source has it"},
        {"timeout: 5s", "whole: true", "12:12: sources[0].whole: ", "only a csv source has it"},
        {"period: month", "period: week",
         "27:64: sources[1].series[0].period: ", "must be day, month, quarter or year"},
        {"period: month", "step: 10s", "27:62: sources[1].series[0].step: ", "a report has a period"},
        {"unit: person", "unit: money",
         "27:9: sources[1].series[0].currency: ", "is missing: money needs its"},
        {"unit: person", "unit: person, currency: KZT",
         "27:66: sources[1].series[0].currency: ", "only a series with unit: money has one"},
        {"currency: KZT", "currency: TNG",
         "28:61: sources[1].series[1].currency: ", "'TNG' is not known: KZT"},
        {"unit: person", "unit: persons-of-a-very-long-unit-name",
         "27:48: sources[1].series[0].unit: ", "longer than 31 bytes"},
        {"log_level: warn", "log_levle: warn", "5:1: log_levle: ", ""},
        {"every: 5s", "evry: 5s", "20:5: sources[1].evry: ", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[TEMP_YAML_PATH];
        struct agent_config *c = NULL;
        struct diag d = {""};
        enum err e = load(cases[i].from, cases[i].to, path, &c, &d);
        expect_yaml_error(&cases[i], path, e, &d);
        assert_null(c);
    }
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    struct agent_config *c = NULL;
    struct diag d = {""};
    assert_int_equal(agent_config_load("/nonexistent/agent.yaml", &c, &d), ERR_NOT_FOUND);
    assert_string_equal(
        d.text,
        "/nonexistent/agent.yaml: there is no such file; write it, or name another with --config FILE");
}

static void what_people_report_by_hand_needs_no_more_than_its_names(void **state)
{
    (void)state;
    char path[TEMP_YAML_PATH];
    struct agent_config *c = NULL;
    struct diag d = {""};
    if (load("  - name: monthly\n",
             "  - name: by-hand\n    kind: hand\n    class: report\n    series:\n"
             "      - {kpi: inv, dimension: site, unit: money, currency: KZT, period: year}\n  - name: "
             "monthly\n",
             path, &c, &d) != ERR_OK)
        fail_msg("%s", d.text);
    assert_int_equal(c->sources[1].kind, AGENT_SOURCE_HAND);
    assert_string_equal(agent_source_kind_name(AGENT_SOURCE_HAND), "hand");
    assert_string_equal(c->sources[1].series[0].declared, "inv/site");
    assert_string_equal(c->sources[1].series[0].name, "inv/site");
    agent_config_free(c);
    assert_int_equal(load("  - name: monthly\n",
                          "  - name: by-hand\n    kind: hand\n    class: report\n    series:\n"
                          "      - {column: x, kpi: inv, unit: piece, period: year}\n  - name: monthly\n",
                          path, &c, &d),
                     ERR_INVALID);
    assert_non_null(strstr(d.text, "what is reported by hand is called by kpi and dimension"));
    assert_int_equal(load("  - name: monthly\n",
                          "  - name: by-hand\n    kind: hand\n    class: measurement\n    series:\n"
                          "      - {kpi: inv, unit: piece, step: 10s}\n  - name: monthly\n",
                          path, &c, &d),
                     ERR_INVALID);
    assert_non_null(strstr(d.text, "what people report by hand are reports"));
}

static void the_example_is_good(void **state)
{
    (void)state;
    struct agent_config *c = NULL;
    struct diag d = {""};
    if (agent_config_load("agent/agent.example.yaml", &c, &d) != ERR_OK)
        fail_msg("%s", d.text);
    agent_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_file_is_read_to_the_last_key, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_out_has_its_default, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_are_named_with_their_place_and_the_way_out, setup, teardown),
        cmocka_unit_test_setup_teardown(what_people_report_by_hand_needs_no_more_than_its_names, setup,
                                        teardown),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(the_example_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
