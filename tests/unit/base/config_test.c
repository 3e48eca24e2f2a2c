#include "base/buf.h"
#include "base/config.h"
#include "tests/support/folder.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum colour { RED, GREEN };

struct source {
    char *name;
    int32_t every;
    uint16_t port;
    double weight;
    bool live;
    enum colour colour;
    char *note;
};

struct sample {
    char *state;
    struct source *sources;
    uint32_t sources_count;
};

static const cyaml_strval_t colours[] = {{"red", RED}, {"green", GREEN}};

static const cyaml_schema_field_t source_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct source, name, 1, 10),
    CYAML_FIELD_INT("every", CYAML_FLAG_OPTIONAL, struct source, every),
    CYAML_FIELD_UINT("port", CYAML_FLAG_OPTIONAL, struct source, port),
    CYAML_FIELD_FLOAT("weight", CYAML_FLAG_OPTIONAL, struct source, weight),
    CYAML_FIELD_BOOL("live", CYAML_FLAG_OPTIONAL, struct source, live),
    CYAML_FIELD_ENUM("colour", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT, struct source, colour, colours, 2),
    CYAML_FIELD_STRING_PTR("note", CYAML_FLAG_POINTER_NULL_STR | CYAML_FLAG_OPTIONAL, struct source, note, 0,
                           100),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t source_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct source, source_fields),
};
static const cyaml_schema_field_t sample_fields[] = {
    CYAML_FIELD_STRING_PTR("state", CYAML_FLAG_POINTER, struct sample, state, 1, 100),
    CYAML_FIELD_SEQUENCE("sources", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct sample, sources,
                         &source_value, 1, 3),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, sample_fields),
};

static int make_folder(void **state)
{
    static struct test_folder folder;
    *state = &folder;
    return test_folder_make(&folder);
}

static int remove_folder(void **state)
{
    return test_folder_remove(*state);
}

static void put(void **state, const char *yaml, char path[TEST_PATH])
{
    test_folder_path(*state, "a.yaml", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(yaml, 1, strlen(yaml), file), strlen(yaml));
    assert_int_equal(fclose(file), 0);
}

// The text without the path of the test's folder.
static const char *beside(const char *text, const char *path)
{
    assert_int_equal(strncmp(text, path, strlen(path)), 0);
    return text + strlen(path);
}

static void config_fills_the_struct(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    void *out = NULL;
    put(state,
        "# comment\n"
        "state: /var/lib/esep\n"
        "sources:\n"
        "  - name: цех\n"
        "    every: -5\n"
        "    weight: 1.5\n"
        "  - {name: two, live: true, colour: green, port: 65535, note: ~}\n",
        path);
    assert_int_equal(config_load(path, &schema, &out, &d), ERR_OK);
    const struct sample *s = out;
    assert_string_equal(s->state, "/var/lib/esep");
    assert_int_equal(s->sources_count, 2);
    assert_string_equal(s->sources[0].name, "цех");
    assert_int_equal(s->sources[0].every, -5);
    assert_true(s->sources[0].weight == 1.5);
    assert_false(s->sources[0].live);
    assert_true(s->sources[1].live);
    assert_int_equal(s->sources[1].colour, GREEN);
    assert_int_equal(s->sources[1].port, 65535);
    assert_null(s->sources[1].note);
    config_free(&schema, out);
    config_free(&schema, NULL);
}

static void config_refuses_a_bad_file_and_says_where(void **state)
{
    static const struct {
        const char *yaml;
        const char *text;
    } table[] = {
        {"", ":1:1: the file is empty"},
        {"# nothing but words\n", ":1:1: the file is empty"},
        {"- a\n", ":1:1: a mapping (key: value) is wanted here"},
        {"state: x\nsources:\n  - name: a\n    evry: 5\n",
         ":4:5: sources[0].evry: unknown key; known here: name, every, port, weight, live, colour, note"},
        {"stat: x\n", ":1:1: stat: unknown key; known here: state, sources"},
        {"sources: [{name: a}]\n", ":1:1: state: missing: it must be given"},
        {"state: x\nsources:\n  - every: 3\n", ":3:5: sources[0].name: missing: it must be given"},
        {"state: [1]\n", ":1:8: state: a single value is wanted here"},
        {"state: {a: 1}\n", ":1:8: state: a single value is wanted here"},
        {"state: x\nsources: y\n", ":2:10: sources: a list is wanted here"},
        {"state: x\nsources:\n", ":2:9: sources: a list is wanted here"},
        {"state: x\nsources: [y]\n", ":2:11: sources[0]: a mapping (key: value) is wanted here"},
        {"state: x\nsources: []\n", ":2:10: sources: 0 entries: at least 1 are wanted"},
        {"state: x\nsources: [{name: a}, {name: b}, {name: c}, {name: d}]\n",
         ":2:10: sources: 4 entries: at most 3 are wanted"},
        {"state: x\nsources:\n  - name: a\n    every: abc\n",
         ":4:12: sources[0].every: a whole number is wanted here"},
        {"state: x\nsources: [{name: a, every: 010}]\n",
         ":2:28: sources[0].every: a whole number is wanted here"},
        {"state: x\nsources: [{name: a, every: 0x10}]\n",
         ":2:28: sources[0].every: a whole number is wanted here"},
        {"state: x\nsources: [{name: a, every: 1.5}]\n",
         ":2:28: sources[0].every: a whole number is wanted here"},
        {"state: x\nsources: [{name: a, every: -}]\n",
         ":2:28: sources[0].every: a whole number is wanted here"},
        {"state: x\nsources: [{name: a, every: \"\"}]\n",
         ":2:28: sources[0].every: a whole number is wanted here"},
        {"state: x\nsources: [{name: a, every: 99999999999}]\n",
         ":2:28: sources[0].every: Invalid INT value: '99999999999'"},
        {"state: x\nsources: [{name: a}, {name: b, port: 65536}]\n",
         ":2:38: sources[1].port: Invalid UINT value: '65536'"},
        {"state: x\nsources: [{name: a, port: -1}]\n", ":2:27: sources[0].port: Invalid UINT value: '-1'"},
        {"state: x\nsources: [{name: a, weight: nan}]\n",
         ":2:29: sources[0].weight: a decimal number is wanted here"},
        {"state: x\nsources: [{name: a, weight: 1,5}]\n",
         ":2:31: sources[0].5: unknown key; known here: name, every, "
         "port, weight, live, colour, note"},
        {"state: x\nsources: [{name: a, live: nope}]\n",
         ":2:27: sources[0].live: true or false is wanted here"},
        {"state: x\nsources: [{name: a, colour: blue}]\n",
         ":2:29: sources[0].colour: must be one of red, green"},
        {"state: x\nsources: [{name: toolongtoolong}]\n",
         ":2:18: sources[0].name: STRING length > 10: toolongtoolong"},
        {"state: \"\"\n", ":1:8: state: STRING length < 1: "},
        {"state: x\nstate: y\n", ":2:1: state: this key is here twice"},
        {"state: x\nsources:\n  - name: a\n    every: 1\n    name: b\n",
         ":5:5: name: this key is here twice"},
        {"state: &a x\nsources: [{name: *a}]\n",
         ":2:18: an alias (*name) can't be used here: write the value out"},
        {"state: x\n---\nstate: y\n", ":2:1: a second document (---) begins here: keep one in a file"},
        {"? [a, b]\n: x\n", ":1:3: a key must be one word"},
        {"state: x\n bad: : y\n", ":2:5: not YAML: mapping values are not allowed in this context"},
        {"state: x\n\tsources: y\n", ":2:1: not YAML: found a tab character that violates indentation, while "
                                     "scanning a plain scalar"},
        {"state: \"a\\0b\"\n", ":1:8: a NUL character can't be used here"},
        {"state: x\nsources: \x01\n", ":2:10: not YAML: control characters are not allowed"},
        {"state: \xE4\xE0\n", ":1:9: not YAML: invalid trailing UTF-8 octet"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char path[TEST_PATH];
        struct diag d = {""};
        void *out = NULL;
        put(state, table[i].yaml, path);
        assert_int_equal(config_load(path, &schema, &out, &d), ERR_INVALID);
        assert_null(out);
        assert_string_equal(beside(d.text, path), table[i].text);
    }
}

static void config_of_nested_aliases_is_refused_at_once(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    struct buf yaml;
    void *out = NULL;
    buf_init(&yaml, 100000);
    (void)buf_text(&yaml, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++) {
        (void)buf_printf(&yaml, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            (void)buf_printf(&yaml, "%s*a%d", k ? ", " : "", i - 1);
        (void)buf_text(&yaml, "]\n");
    }
    put(state, buf_str(&yaml), path);
    buf_deinit(&yaml);
    assert_int_equal(config_load(path, &schema, &out, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, ":2:10: an alias"));
}

static void config_nested_too_deep_or_too_wide_is_refused(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    struct buf yaml;
    void *out = NULL;
    buf_init(&yaml, 4000000);
    (void)buf_text(&yaml, "state: ");
    for (int i = 0; i < 500; i++)
        (void)buf_text(&yaml, "[");
    put(state, buf_str(&yaml), path);
    assert_int_equal(config_load(path, &schema, &out, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "nested too deep"));
    buf_reset(&yaml);
    (void)buf_text(&yaml, "state: [");
    for (int i = 0; i < 300000; i++)
        (void)buf_text(&yaml, "x,");
    (void)buf_text(&yaml, "x]\n");
    put(state, buf_str(&yaml), path);
    assert_int_equal(config_load(path, &schema, &out, &d), ERR_INVALID);
    assert_non_null(strstr(d.text, "too many values"));
    buf_deinit(&yaml);
}

static void config_that_is_absent_or_too_big_is_refused_by_name(void **state)
{
    char path[TEST_PATH];
    struct diag d = {""};
    void *out = NULL;
    test_folder_path(*state, "absent.yaml", path);
    assert_int_equal(config_load(path, &schema, &out, &d), ERR_NOT_FOUND);
    assert_string_equal(beside(d.text, path), ": No such file or directory");
    size_t size = CONFIG_MAX_BYTES + 1;
    char *bytes = malloc(size + 1);
    assert_non_null(bytes);
    memset(bytes, '#', size);
    bytes[size] = '\0';
    put(state, bytes, path);
    test_folder_path(*state, "a.yaml", path);
    assert_int_equal(config_load(path, &schema, &out, &d), ERR_TOO_BIG);
    assert_non_null(strstr(d.text, path));
    free(bytes);
}

// Whatever bytes a file holds: an answer, no crash (the sanitizers look), and never half a struct.
static void config_survives_every_damage_of_a_good_file(void **state)
{
    static const char good[] =
        "state: \"/var\"\nsources:\n  - name: 'a'\n    every: 5\n  - {name: b, live: no}\n";
    static const char bytes[] = "\x01\n\t :-[]{}&*!|>'\"%@`#,?\x80\xFF~0x";
    char path[TEST_PATH], yaml[sizeof good];
    int loaded = 0, refused = 0;
    for (size_t at = 0; at < sizeof good - 1; at++) {
        for (size_t k = 0; k < sizeof bytes - 1; k++) {
            struct diag d = {""};
            void *out = NULL;
            memcpy(yaml, good, sizeof good);
            yaml[at] = bytes[k];
            put(state, yaml, path);
            enum err e = config_load(path, &schema, &out, &d);
            assert_true((e == ERR_OK) == (out != NULL));
            assert_true((e == ERR_OK) == (d.text[0] == '\0'));
            (void)(e ? ++refused : ++loaded);
            config_free(&schema, out);
        }
    }
    assert_true(loaded > 100);
    assert_true(refused > 1000);
}

static void config_error_finds_the_place_of_a_path(void **state)
{
    static const struct {
        const char *yaml_path;
        const char *text;
    } table[] = {
        {"state", ":1:8: state: must be 7"},
        {"sources[0].name", ":3:11: sources[0].name: must be 7"},
        {"sources[1].every", ":6:12: sources[1].every: must be 7"},
        {"sources[1].a.b", ":7:10: sources[1].a.b: must be 7"},
        {"sources[1].a", ":8:8: sources[1].a: must be 7"},
        {"sources", ":3:3: sources: must be 7"},
        // absent: the nearest parent
        {"sources[0].every", ":3:5: sources[0].every: must be 7"},
        {"sources[7].every", ":3:3: sources[7].every: must be 7"},
        {"log_level", ":1:1: log_level: must be 7"},
        {"sources[x", ":3:3: sources[x: must be 7"},
        {"sources[-1]", ":3:3: sources[-1]: must be 7"},
        {"", ":1:1: must be 7"},
    };
    char path[TEST_PATH];
    put(state,
        "state: x\nsources:\n  - name: a\n    kind: csv\n  - name: b\n    every: 5\n    a.b: 1\n    a: 2\n",
        path);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct diag d = {""};
        assert_int_equal(config_error(&d, path, table[i].yaml_path, "must be %d", 7), ERR_INVALID);
        assert_string_equal(beside(d.text, path), table[i].text);
    }
    struct diag d = {""};
    assert_int_equal(config_error(&d, "/nowhere/x.yaml", "state", "gone"), ERR_INVALID);
    assert_string_equal(d.text, "/nowhere/x.yaml:1:1: state: gone");
    assert_int_equal(config_error(NULL, path, "state", "nobody looks"), ERR_INVALID);
}

static void config_parses_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0s", 0},       {"250ms", 250},
                {"10s", 10000},  {"5m", 300000},
                {"1h", 3600000}, {"30d", INT64_C(2592000000)},
                {"007s", 7000},  {"9223372036854775807ms", INT64_MAX}};
    static const char *const bad[] = {"",
                                      "10",
                                      "s",
                                      "-1s",
                                      "+1s",
                                      "1.5s",
                                      "1 s",
                                      " 1s",
                                      "1s ",
                                      "1S",
                                      "1mo",
                                      "1w",
                                      "1us",
                                      "1hh",
                                      "0x1s",
                                      "1e3s",
                                      "9223372036854775808ms",
                                      "9223372036854776s",
                                      "99999999999999999999999d"};
    int64_t ms = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(config_parse_duration_ms(bad[i], &ms), ERR_INVALID);
    assert_int_equal(ms, 42);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(config_parse_duration_ms(good[i].text, &ms), ERR_OK);
        assert_int_equal(ms, good[i].ms);
    }
}

static void config_parses_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {{"0", 0},
                {"4096", 4096},
                {"16KiB", 16384},
                {"64MiB", UINT64_C(67108864)},
                {"1GiB", UINT64_C(1073741824)},
                {"2TiB", UINT64_C(2199023255552)},
                {"18446744073709551615", UINT64_MAX}};
    static const char *const bad[] = {"",
                                      "KiB",
                                      "1KB",
                                      "1kib",
                                      "1 KiB",
                                      "-1",
                                      "1.5MiB",
                                      "1B",
                                      "18446744073709551616",
                                      "18014398509481984KiB"};
    uint64_t bytes = 42;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(config_parse_bytes(bad[i], &bytes), ERR_INVALID);
    assert_int_equal(bytes, 42);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(config_parse_bytes(good[i].text, &bytes), ERR_OK);
        assert_true(bytes == good[i].bytes);
    }
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(config_fills_the_struct),
        in_folder(config_refuses_a_bad_file_and_says_where),
        in_folder(config_of_nested_aliases_is_refused_at_once),
        in_folder(config_nested_too_deep_or_too_wide_is_refused),
        in_folder(config_that_is_absent_or_too_big_is_refused_by_name),
        in_folder(config_survives_every_damage_of_a_good_file),
        in_folder(config_error_finds_the_place_of_a_path),
        cmocka_unit_test(config_parses_durations),
        cmocka_unit_test(config_parses_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
