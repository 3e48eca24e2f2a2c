// The figure is judged as a double and printed as the shortest decimal that reads back to it, which is what
// the dashboard sent: no digit is lost or invented on the way.

#include "dashboards/check/verdict.h"
#include "base/crypto.h"
#include "base/figure.h"
#include "base/fs.h"
#include "kpi/money.h"
#include "kpi/tally.h"
#include "net/http.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ANSWER_MAX_BYTES (1u << 20)
#define TOKEN_MAX        200

static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

// What a plugin may not print in its line: the bar that begins the performance data, and line ends.
static void clean(char *text)
{
    for (; *text; text++)
        if (*text == '|' || *text == '\n' || *text == '\r')
            *text = ' ';
}

void check_unknown(struct check_verdict *out, const char *fmt, ...)
{
    char text[900];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    clean(text);
    out->status = CHECK_UNKNOWN;
    snprintf(out->line, sizeof out->line, "ESEP UNKNOWN - %s", text);
}

struct newest {
    struct figure value;
    char text[TALLY_TEXT];
    char unit[64];
    char when[64];
    bool report;
    int64_t end_s; // a measurement's time, or the end of a report's period
    int64_t step_s, period_s;
};

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? text : "";
}

// What lies beyond the years 1 to 9999 is no time that anybody sent, and is not calculated with.
static int64_t seconds_of(const json_t *o, const char *key)
{
    const int64_t lowest = INT64_C(-62135596800), highest = INT64_C(253402300799);
    int64_t s = json_integer_value(json_object_get(o, key));
    return s < lowest ? lowest : s > highest ? highest : s;
}

static int64_t period_seconds(const char *period)
{
    static const struct {
        const char *name;
        int64_t days;
    } periods[] = {{"day", 1}, {"month", 31}, {"quarter", 92}, {"year", 366}};
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++)
        if (strcmp(periods[i].name, period) == 0)
            return periods[i].days * 86400;
    return 0;
}

// A total that no figure holds: judged as the nearest, printed to the last digit.
static void print_huge(const json_t *latest, const char *currency, struct newest *n)
{
    const json_t *minor = json_object_get(latest, "minor");
    const struct currency *c = currency_find(currency);
    const json_t *whole = minor ? minor : json_object_get(latest, "value");
    const struct tally sum = {.count = 1, .whole = json_integer_value(whole)};
    if (json_is_integer(whole) && (!minor || c) && tally_huge(&sum).is)
        tally_text(&sum, minor ? c->decimals : 0, n->text);
}

static bool read_value(const json_t *latest, const char *currency, struct newest *n)
{
    const json_t *value = json_object_get(latest, "value");
    if (!json_is_number(value) || figure_from_real(json_number_value(value), &n->value))
        return false;
    figure_text(n->value, n->text); // the shortest decimal: what was sent reads back to the same figure
    print_huge(latest, currency, n);
    return true;
}

static bool read_newest(const json_t *series, struct newest *n)
{
    const json_t *latest = json_object_get(series, "latest");
    // Totals and computed KPIs have no class of their own: what is of a period is judged like a report.
    *n = (struct newest){.report = *text_of(latest, "period") != '\0',
                         .step_s = seconds_of(series, "step"),
                         .period_s = period_seconds(text_of(series, "period"))};
    const char *currency = text_of(series, "currency");
    if (!json_is_object(latest) || !read_value(latest, currency, n))
        return false;
    snprintf(n->unit, sizeof n->unit, "%s", *currency ? currency : text_of(series, "unit"));
    int64_t time = seconds_of(latest, "time");
    n->end_s = n->report ? seconds_of(latest, "period_end") : time;
    if (n->report)
        snprintf(n->when, sizeof n->when, "%s", text_of(latest, "period"));
    else
        wall_text((struct wall){time * US_PER_S}, n->when);
    clean(n->when);
    return true;
}

static int64_t allowed_age_s(const struct check_options *o, const struct newest *n)
{
    if (o->max_age_ms)
        return o->max_age_ms / 1000;
    if (n->report)
        return n->period_s + 31 * INT64_C(86400);
    return 5 * n->step_s > 60 ? 5 * n->step_s : 60;
}

static void age_text(int64_t s, char out[32])
{
    if (s < 120)
        snprintf(out, 32, "%" PRId64 " s", s);
    else if (s < 7200)
        snprintf(out, 32, "%" PRId64 " min", s / 60);
    else if (s < 172800)
        snprintf(out, 32, "%" PRId64 " h", s / 3600);
    else
        snprintf(out, 32, "%" PRId64 " d", s / 86400);
}

static void judge(const struct check_options *o, const struct newest *n, struct check_verdict *out)
{
    double value = figure_to_real(n->value);
    out->status = CHECK_OK;
    if (o->has_warn && check_range_alerts(&o->warn, value))
        out->status = CHECK_WARNING;
    if (o->has_critical && check_range_alerts(&o->critical, value))
        out->status = CHECK_CRITICAL;
    const char *label = strchr(strchr(o->series, '/') + 1, '/') + 1;
    char about[300];
    snprintf(about, sizeof about, "%s%s%s", n->text, *n->unit ? " " : "", n->unit);
    clean(about);
    snprintf(out->line, sizeof out->line, "ESEP %s - %s = %s (%s) | %s=%s;%s;%s", names[out->status],
             o->series, about, n->when, label, n->text, o->warn_text, o->critical_text);
}

static void judge_series(const struct check_options *o, const json_t *series, struct wall now,
                         struct check_verdict *out)
{
    struct newest n;
    char age[32], allowed[32];
    if (!read_newest(series, &n)) {
        check_unknown(out, "%s has no known figure", o->series);
        return;
    }
    int64_t age_s = now.us / US_PER_S - n.end_s, allowed_s = allowed_age_s(o, &n);
    age_text(age_s, age);
    age_text(allowed_s, allowed);
    if (age_s > allowed_s)
        check_unknown(out, "%s is stale: its newest figure, %s %s (%s), is %s old and %s are allowed",
                      o->series, n.text, n.unit, n.when, age, allowed);
    else
        judge(o, &n, out);
}

void check_judge(const struct check_options *o, const char *answer, struct wall now,
                 struct check_verdict *out)
{
    json_error_t error;
    json_t *root = json_loads(answer, JSON_REJECT_DUPLICATES, &error);
    const json_t *list = json_object_get(root, "series");
    if (!root && json_error_code(&error) == json_error_numeric_overflow)
        check_unknown(out, "%s has a figure of more digits than can be judged", o->series);
    else if (!json_is_array(list))
        check_unknown(out, "%s did not answer as a dashboard does", o->url);
    else if (json_array_size(list) == 0)
        check_unknown(out,
                      o->token_file ? "there is no series %s, or not for whom the token is of"
                                    : "there is no series %s for who asks without a token; where the "
                                      "dashboard has users, --token-file FILE is needed",
                      o->series);
    else
        judge_series(o, json_array_get(list, 0), now, out);
    json_decref(root);
}

// The dashboard's own words for an error, "" when it has none.
static void error_text(const char *body, char *out, size_t size)
{
    json_t *root = json_loads(body, 0, NULL);
    snprintf(out, size, "%s", text_of(json_object_get(root, "error"), "message"));
    json_decref(root);
}

// One line in a file that only its owner reads.
static enum err read_token(const char *path, char out[TOKEN_MAX], struct diag *d)
{
    struct stat st;
    char *text = NULL;
    size_t len = 0;
    if (stat(path, &st))
        return diag_errno(d, errno, "--token-file %s", path);
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return diag_fail(d, ERR_DENIED, "--token-file %s: others can read it (mode %04o): chmod 600 %s", path,
                         (unsigned)st.st_mode & 07777u, path);
    enum err e = fs_read_file(path, TOKEN_MAX - 1, &text, &len, d);
    if (e)
        return e;
    size_t n = strcspn(text, " \t\r\n");
    if (n == 0 || strspn(text + n, " \t\r\n") != len - n)
        e = diag_fail(d, ERR_INVALID, "--token-file %s: one line with a token is wanted", path);
    else
        snprintf(out, TOKEN_MAX, "%.*s", (int)n, text);
    crypto_wipe(text, len);
    free(text);
    return e;
}

void check_run(const struct check_options *o, struct wall now, struct check_verdict *out)
{
    char url[1024], why[400];
    struct http_reply reply = {0};
    struct diag d = {""};
    size_t len = strlen(o->url);
    while (len > 0 && o->url[len - 1] == '/')
        len--;
    int n = snprintf(url, sizeof url, "%.*s/api/v1/series?series=%s", (int)len, o->url, o->series);
    if (n < 0 || (size_t)n >= sizeof url) {
        check_unknown(out, "the --url is too long");
        return;
    }
    char token[TOKEN_MAX] = "";
    enum err e = o->token_file ? read_token(o->token_file, token, &d) : ERR_OK;
    if (e) {
        check_unknown(out, "%s", d.text);
        return;
    }
    e = http_get_as(url, *token ? token : NULL, ANSWER_MAX_BYTES, o->timeout_ms, &reply, &d);
    crypto_wipe(token, sizeof token);
    if (e) {
        check_unknown(out, "%s cannot be asked: %s", o->url, *d.text ? d.text : err_text(e));
        return;
    }
    if (reply.status == 200) {
        check_judge(o, reply.body, now, out);
    } else {
        error_text(reply.body, why, sizeof why);
        check_unknown(out, "%s answered %ld%s%s%s", o->url, reply.status, *why ? ": " : "", why,
                      reply.status == 401 && !o->token_file ? " (give one with --token-file FILE)" : "");
    }
    http_reply_deinit(&reply);
}
