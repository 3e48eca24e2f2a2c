// esep-check: ranges, its command line, and a dashboard's answer that may be anything. The input's first two
// lines are the ranges, the third the series, the rest is the answer. One line comes out, whatever came in.
#include "dashboards/check/verdict.h"
#include "tests/fuzz/fuzz.h"

static char *line(struct fuzz_input *in)
{
    const uint8_t *end = in->left > 0 ? memchr(in->at, '\n', in->left) : NULL;
    size_t len = end ? (size_t)(end - in->at) : in->left;
    char *text = fuzz_string(fuzz_bytes(in, &len), len);
    size_t one = 1;
    fuzz_bytes(in, &one);
    return text;
}

static void range(const char *text)
{
    struct check_range r;
    if (check_range_parse(text, &r) != ERR_OK)
        return;
    FUZZ_CHECK(r.low <= r.high);
    FUZZ_CHECK(check_range_alerts(&r, r.high + 1) != check_range_alerts(&r, r.low) || r.high + 1 == r.high ||
               r.low == r.low - 1);
}

static void judge(const struct check_options *o, const char *answer)
{
    struct check_verdict v;
    memset(&v, 0, sizeof v);
    check_judge(o, answer, (struct wall){INT64_C(1772366400000000)}, &v);
    FUZZ_CHECK(v.status <= CHECK_UNKNOWN && strncmp(v.line, "ESEP ", 5) == 0);
    FUZZ_CHECK(strnlen(v.line, sizeof v.line) < sizeof v.line && !strpbrk(v.line, "\r\n"));
    const char *bar = strchr(v.line, '|');
    FUZZ_CHECK(!bar || (v.status != CHECK_UNKNOWN && !strchr(bar + 1, '|')));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct fuzz_input in = {bytes, len};
    struct check_options o;
    struct diag d = {""};
    char program[] = "esep-check", w[] = "-w", c[] = "-c";
    char *warn = line(&in), *critical = line(&in), *series = line(&in);
    char *argv[] = {program, w, warn, c, critical, series, NULL};
    char *other[] = {program, series, warn, critical, NULL};
    range(warn);
    range(critical);
    (void)check_options_parse(4, other, &o, &d);
    enum err e = check_options_parse(6, argv, &o, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && d.text[0]));
    if (e == ERR_OK && !o.help && !o.version) {
        char *answer = fuzz_string(in.at, in.left);
        judge(&o, answer);
        free(answer);
    }
    free(warn);
    free(critical);
    free(series);
    return 0;
}
