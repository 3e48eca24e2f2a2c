// Parsed by hand: what a monitoring system gets wrong in its configuration must come back as one clear line.

#include "dashboards/check/options.h"
#include "base/config.h"
#include <stdio.h>
#include <string.h>

const char check_options_help[] =
    "usage: esep-check SERIES [-w RANGE] [-c RANGE] [--url URL] [--token-file FILE]\n"
    "                  [--max-age SPAN] [--timeout SECONDS]\n"
    "\n"
    "Asks a dashboard for the newest figure of a series and judges it, by the conventions of Nagios plugins: "
    "one line with\n"
    "performance data, exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN (stale, missing, unreachable, "
    "wrong arguments).\n"
    "\n"
    "  SERIES              park/resident/kpi or park/resident/kpi/dimension\n"
    "  -w, --warning       range outside of which the figure is a warning\n"
    "  -c, --critical      range outside of which it is critical\n"
    "  --url URL           of the dashboard, default http://127.0.0.1:8080\n"
    "  --token-file FILE   with the token of `esep-dashboard token add`, where the dashboard has users; mode "
    "0600\n"
    "  --max-age SPAN      oldest figure that is judged, such as 90s, 15m, 2h, 40d. A measurement's age "
    "counts from its time,\n"
    "                      a report's or total's from the end of its period. Default: five steps, at least "
    "60s; of "
    "these one period\n"
    "                      and 31 days\n"
    "  --timeout SECONDS   for the whole check, default 10\n"
    "  -h, --help          this text\n"
    "  -V, --version       print the version\n"
    "\n"
    "RANGE   10 alerts outside 0 to 10, 10: below 10, ~:10 above 10, 10:20 outside 10 to 20, @10:20 inside.\n"
    "Money is judged and printed in major units: 12.50, not 1250.\n"
    "\n"
    "  esep-check almaty-iz/acme/jobs_total -w 400: -c 350:\n";

static enum err take_range(const char *name, const char *text, struct check_range *out, bool *given,
                           struct diag *d)
{
    if (check_range_parse(text, out))
        return diag_fail(d, ERR_INVALID, "%s %s: not a range; write 10, 10:, ~:10, 10:20 or @10:20", name,
                         text);
    *given = true;
    return ERR_OK;
}

static enum err take_timeout(const char *text, int *out, struct diag *d)
{
    int64_t ms = 0;
    char seconds[32];
    snprintf(seconds, sizeof seconds, "%s%s", text, strspn(text, "0123456789") == strlen(text) ? "s" : "");
    if (strlen(text) > 20 || config_parse_duration_ms(seconds, &ms) || ms < 100 || ms > 600000)
        return diag_fail(d, ERR_INVALID, "--timeout %s: must be from 1 to 600 seconds", text);
    *out = (int)ms;
    return ERR_OK;
}

static enum err take_value(const char *name, const char *value, struct check_options *o, struct diag *d)
{
    if (strcmp(name, "-w") == 0 || strcmp(name, "--warning") == 0) {
        o->warn_text = value;
        return take_range(name, value, &o->warn, &o->has_warn, d);
    }
    if (strcmp(name, "-c") == 0 || strcmp(name, "--critical") == 0) {
        o->critical_text = value;
        return take_range(name, value, &o->critical, &o->has_critical, d);
    }
    if (strcmp(name, "--timeout") == 0 || strcmp(name, "-t") == 0)
        return take_timeout(value, &o->timeout_ms, d);
    if (strcmp(name, "--max-age") == 0) {
        if (config_parse_duration_ms(value, &o->max_age_ms) || o->max_age_ms <= 0)
            return diag_fail(d, ERR_INVALID, "--max-age %s: must be a span such as 90s, 15m, 2h or 40d",
                             value);
        return ERR_OK;
    }
    if (strcmp(name, "--token-file") == 0) {
        o->token_file = value;
        return ERR_OK;
    }
    if (strcmp(name, "--url") == 0) {
        if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
            return diag_fail(d, ERR_INVALID, "--url %s: must begin with http:// or https://", value);
        o->url = value;
        return ERR_OK;
    }
    return diag_fail(d, ERR_INVALID, "%s: no such option; see --help", name);
}

static enum err take_series(const char *text, struct check_options *o, struct diag *d)
{
    struct series_name name;
    if (*o->series)
        return diag_fail(d, ERR_INVALID, "%s: one series at a time", text);
    if (series_parse(text, &name))
        return diag_fail(d, ERR_INVALID,
                         "%s: not a series; write park/resident/kpi or park/resident/kpi/dimension", text);
    snprintf(o->series, sizeof o->series, "%s", text);
    return ERR_OK;
}

enum err check_options_parse(int argc, char **argv, struct check_options *out, struct diag *d)
{
    struct check_options o = {
        .warn_text = "", .critical_text = "", .url = "http://127.0.0.1:8080", .timeout_ms = 10000};
    enum err e = ERR_OK;
    for (int i = 1; i < argc && !e; i++) {
        if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            o.help = true;
        else if (strcmp(argv[i], "-V") == 0 || strcmp(argv[i], "--version") == 0)
            o.version = true;
        else if (argv[i][0] != '-')
            e = take_series(argv[i], &o, d);
        else if (i + 1 == argc)
            e = diag_fail(d, ERR_INVALID, "%s: needs a value; see --help", argv[i]);
        else {
            e = take_value(argv[i], argv[i + 1], &o, d);
            i++;
        }
    }
    if (!e && !*o.series && !o.help && !o.version)
        e = diag_fail(d, ERR_INVALID, "a series is needed; see --help");
    if (!e)
        *out = o;
    return e;
}
