#include "base/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPTURE_BYTES (1 << 20)

// What was written to stderr since capture_begin, which this test's own failures must not go to.
static char captured[CAPTURE_BYTES];
static int kept_stderr = -1;
static FILE *file;

static void capture_begin(void)
{
    file = tmpfile();
    assert_non_null(file);
    kept_stderr = dup(STDERR_FILENO);
    assert_true(kept_stderr >= 0);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
}

static size_t capture_end(void)
{
    (void)dup2(kept_stderr, STDERR_FILENO);
    (void)close(kept_stderr);
    rewind(file);
    size_t len = fread(captured, 1, sizeof captured - 1, file);
    captured[len] = '\0';
    (void)fclose(file);
    return len;
}

// The line without its ts=2026-03-01T12:00:00.123Z, whose shape is checked here.
static const char *after_time(const char *line)
{
    static const char shape[] = "ts=dddd-dd-ddTdd:dd:dd.dddZ ";
    for (size_t i = 0; i < sizeof shape - 1; i++) {
        if (shape[i] == 'd')
            assert_in_range(line[i], '0', '9');
        else
            assert_int_equal(line[i], shape[i]);
    }
    return line + sizeof shape - 1;
}

static void log_line_has_time_level_event_and_fields(void **state)
{
    (void)state;
    capture_begin();
    log_warn("batch_refused", F_TEXT("agent", "almaty-iz/acme"), F_INT("seq", -12), F_REAL("lag_s", 0.5));
    (void)capture_end();
    assert_string_equal(after_time(captured),
                        "level=warn event=batch_refused agent=almaty-iz/acme seq=-12 lag_s=0.5\n");
}

static void log_level_hides_what_is_below_it(void **state)
{
    (void)state;
    capture_begin();
    log_debug("hidden", F_INT("n", 1));
    log_set_level(LOG_DEBUG);
    log_debug("shown", F_INT("n", 2));
    log_set_level(LOG_ERROR);
    log_warn("hidden", F_INT("n", 3));
    log_error("shown", F_INT("n", 4));
    log_set_level(LOG_INFO);
    (void)capture_end();
    assert_null(strstr(captured, "hidden"));
    assert_non_null(strstr(captured, "level=debug event=shown n=2\n"));
    assert_non_null(strstr(captured, "level=error event=shown n=4\n"));
}

static void log_value_is_quoted_and_escaped_as_needed(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *printed;
    } table[] = {
        {"plain_1./:@+,-", "plain_1./:@+,-"},
        {"", "\"\""},
        {NULL, "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"no\" \\", "\"say \\\"no\\\" \\\\\""},
        {"line\nbreak\r\ttab", "\"line\\nbreak\\r\\ttab\""},
        {"\x1b[31mred\x7f", "\"\\x1b[31mred\\x7f\""},
        {"есеп ә ғ қ ₸", "\"есеп ә ғ қ ₸\""},
        {"\xC2\x9B"
         "31m",
         "\"\\xc2\\x9b31m\""},                            // C1 control: CSI to some terminals
        {"\xE4\xE0", "\"\\xe4\\xe0\""},                   // windows-1251
        {"\xC0\xAF", "\"\\xc0\\xaf\""},                   // overlong
        {"\xE0\x80\xAF", "\"\\xe0\\x80\\xaf\""},          // overlong
        {"\xED\xA0\x80", "\"\\xed\\xa0\\x80\""},          // half of a surrogate pair
        {"\xF4\x90\x80\x80", "\"\\xf4\\x90\\x80\\x80\""}, // past U+10FFFF
        {"cut \xE2\x82", "\"cut \\xe2\\x82\""},           // ends inside a character
        {"\xF0\x9F\x8F\xAD", "\"\xF0\x9F\x8F\xAD\""},     // a factory
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char expected[200];
        (void)snprintf(expected, sizeof expected, "level=info event=e v=%s\n", table[i].printed);
        capture_begin();
        log_info("e", F_TEXT("v", table[i].value));
        (void)capture_end();
        assert_string_equal(after_time(captured), expected);
    }
}

static void log_real_of_no_number_has_a_name(void **state)
{
    (void)state;
    capture_begin();
    log_info("e", F_REAL("a", (double)NAN), F_REAL("b", (double)INFINITY), F_REAL("c", -(double)INFINITY),
             F_REAL("d", -3.0), F_INT("e", INT64_MIN));
    (void)capture_end();
    assert_string_equal(after_time(captured),
                        "level=info event=e a=nan b=inf c=-inf d=-3 e=-9223372036854775808\n");
}

static void log_line_too_long_is_cut_and_says_so(void **state)
{
    (void)state;
    static const char *const fillers[] = {" ", "\"", "\n", "\x01", "ә", "₸"};
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        for (size_t start = 0; start < 8; start++) {
            char value[9000] = "        ";
            for (size_t at = start; at + 8 < sizeof value; at += strlen(fillers[i]))
                memcpy(value + at, fillers[i], strlen(fillers[i]) + 1);
            capture_begin();
            log_info("e", F_TEXT("v", value), F_INT("after", 1));
            size_t len = capture_end();
            assert_true(len <= 4096);
            assert_true(len > 4000);
            assert_string_equal(captured + len - 17, "\" truncated=true\n");
            assert_null(strstr(captured, "after"));
            assert_ptr_equal(strchr(captured, '\n'), captured + len - 1);
        }
    }
}

static void log_line_with_too_many_fields_is_cut_between_fields(void **state)
{
    (void)state;
    static struct log_field fields[500];
    for (size_t i = 0; i < 500; i++)
        fields[i] = F_INT("a_rather_long_key_for_a_number", i);
    capture_begin();
    log_fields(LOG_INFO, "many", fields, 500);
    size_t len = capture_end();
    assert_true(len <= 4096);
    assert_string_equal(captured + len - 16, " truncated=true\n");
}

static void log_leaves_errno_alone(void **state)
{
    (void)state;
    capture_begin();
    errno = ENOSPC;
    log_info("e", F_REAL("v", 0.1));
    int after = errno;
    (void)capture_end();
    assert_int_equal(after, ENOSPC);
}

enum { THREADS = 4, LINES = 200 };

static void *log_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_info("line", F_TEXT("text", arg), F_TEXT("again", arg));
    return NULL;
}

static void log_lines_of_threads_never_mix(void **state)
{
    (void)state;
    static char text[THREADS][301];
    pthread_t threads[THREADS];
    int started = 0;
    capture_begin();
    for (; started < THREADS; started++) {
        memset(text[started], 'a' + started, sizeof text[started] - 1);
        if (pthread_create(&threads[started], NULL, log_lines, text[started]))
            break;
    }
    for (int i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    (void)capture_end();
    assert_int_equal(started, THREADS);
    int count = 0;
    for (char *line = strtok(captured, "\n"); line; line = strtok(NULL, "\n"), count++) {
        const char *first = strstr(line, "text=") + 5;
        assert_int_equal(strspn(first, (char[]){*first, '\0'}), 300);
        assert_int_equal(strlen(first), 300 + strlen(" again=") + 300);
    }
    assert_int_equal(count, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_line_has_time_level_event_and_fields),
        cmocka_unit_test(log_level_hides_what_is_below_it),
        cmocka_unit_test(log_value_is_quoted_and_escaped_as_needed),
        cmocka_unit_test(log_real_of_no_number_has_a_name),
        cmocka_unit_test(log_line_too_long_is_cut_and_says_so),
        cmocka_unit_test(log_line_with_too_many_fields_is_cut_between_fields),
        cmocka_unit_test(log_leaves_errno_alone),
        cmocka_unit_test(log_lines_of_threads_never_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
