// esep-demo-enterprise: stands in for the machines and ledgers of an enterprise. Its figures are invented;
// what carries them is not: they go through files and programs to a real agent.
#include "base/config.h"
#include "deploy/demo/emit.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_BUG = 70 };

struct options {
    const char *command, *subject; // subject: park/resident, or a series' full name
    const char *profile, *dir, *state, *endpoint, *key, *gate, *program;
    int64_t started, from, to, after;
    int machine_hours, report_months;
};

static const char usage_text[] =
    "usage: esep-demo-enterprise COMMAND [OPTIONS]\n"
    "Plays an enterprise whose figures are a function of seed, resident, series and time.\n"
    "\n"
    "  residents                          list park/resident, one a line\n"
    "  history PARK/RESIDENT              add to daily.csv, monthly.csv, machine.csv in --dir what is "
    "missing up to --to\n"
    "  live PARK/RESIDENT                 print the machine figures of the step that ends now: name value "
    "time\n"
    "  expect PARK/RESIDENT/KPI[/DIM]     print what the enterprise produced in --from <= time < --to: time "
    "value\n"
    "  agent-config PARK/RESIDENT         print an agent.yaml that reads these files and this program\n"
    "\n"
    "  --profile FILE         the enterprises (default deploy/demo/residents.yaml)\n"
    "  --dir FOLDER           of the enterprise's files\n"
    "  --started SECONDS      when history's length is counted back from, since 1970 (default now)\n"
    "  --from, --to SECONDS   since 1970; for reports of `expect`: days since 1970 (default 0, now)\n"
    "  --after SECONDS        history: machine figures up to then are known already (default 0)\n"
    "  --machine-hours N      of machine figures before --started (default 48)\n"
    "  --report-months N      of reports before the month of --started (default 24)\n"
    "  --gate FILE            live prints nothing until the file is there and its number, seconds since "
    "1970, has come\n"
    "  --state FOLDER  --endpoint ADDRESS  --key KEY  --program FILE      for agent-config\n"
    "  --help\n"
    "\n"
    "exit codes: 0 done, 1 failed, 2 wrong usage or profile\n"
    "example: esep-demo-enterprise history yashnabad/fridges --dir /tmp/fridges\n";

static const struct option long_options[] = {{"help", no_argument, NULL, 'h'},
                                             {"profile", required_argument, NULL, 'p'},
                                             {"dir", required_argument, NULL, 'd'},
                                             {"started", required_argument, NULL, 's'},
                                             {"from", required_argument, NULL, 'f'},
                                             {"to", required_argument, NULL, 't'},
                                             {"gate", required_argument, NULL, 'g'},
                                             {"machine-hours", required_argument, NULL, 'm'},
                                             {"state", required_argument, NULL, 'S'},
                                             {"report-months", required_argument, NULL, 'r'},
                                             {"key", required_argument, NULL, 'k'},
                                             {"endpoint", required_argument, NULL, 'e'},
                                             {"program", required_argument, NULL, 'P'},
                                             {"after", required_argument, NULL, 'a'},
                                             {NULL, 0, NULL, 0}};

static bool parse_number(const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < -INT64_C(100000000000) || n > INT64_C(100000000000)) {
        fprintf(stderr, "esep-demo-enterprise: '%s' is not a number of use here\n", text);
        return false;
    }
    *out = n;
    return true;
}

static bool set_number(struct options *o, int c, const char *text)
{
    int64_t n = 0;
    if (!parse_number(text, &n)) {
        return false;
    }
    if (c == 'm' || c == 'r') {
        if (n < 0 || n > 8784) {
            fprintf(stderr, "esep-demo-enterprise: %" PRId64 " is too long a history\n", n);
            return false;
        }
        *(c == 'm' ? &o->machine_hours : &o->report_months) = (int)n;
        return true;
    }
    *(c == 's' ? &o->started : c == 'f' ? &o->from : c == 'a' ? &o->after : &o->to) = n;
    return true;
}

static bool set_option(struct options *o, int c, const char *text)
{
    switch (c) {
    case 'p':
        o->profile = text;
        return true;
    case 'd':
        o->dir = text;
        return true;
    case 'g':
        o->gate = text;
        return true;
    case 'S':
        o->state = text;
        return true;
    case 'k':
        o->key = text;
        return true;
    case 'e':
        o->endpoint = text;
        return true;
    case 'P':
        o->program = text;
        return true;
    case '?':
        return false;
    default:
        return set_number(o, c, text);
    }
}

static bool parse_options(int argc, char **argv, struct options *o, bool *help)
{
    int64_t now = (int64_t)time(NULL);
    *o = (struct options){.profile = "deploy/demo/residents.yaml",
                          .started = now,
                          .to = now,
                          .machine_hours = 48,
                          .report_months = 24};
    int c;
    while ((c = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (c == 'h') {
            *help = true;
            return true;
        }
        if (!set_option(o, c, optarg)) {
            return false;
        }
    }
    o->command = optind < argc ? argv[optind++] : NULL;
    o->subject = optind < argc ? argv[optind++] : NULL;
    return o->command && optind == argc;
}

static enum err command_residents(const struct profile *p)
{
    for (uint32_t i = 0; i < p->parks_count; i++) {
        for (uint32_t j = 0; j < p->parks[i].residents_count; j++) {
            printf("%s/%s\n", p->parks[i].code, p->parks[i].residents[j].code);
        }
    }
    return ERR_OK;
}

static enum err command_history(struct world *w, const struct options *o, struct diag *d)
{
    if (!o->dir) {
        return diag_fail(d, ERR_INVALID, "history needs --dir");
    }
    struct history h = {.dir = o->dir,
                        .started_s = o->started,
                        .to_s = o->to,
                        .after_s = o->after,
                        .machine_hours = o->machine_hours,
                        .report_months = o->report_months};
    uint64_t figures = 0;
    enum err e = emit_history(w, &h, &figures, d);
    if (e == ERR_OK) {
        printf("%" PRIu64 "\n", figures);
    }
    return e;
}

// The step that ends now, once the gate's moment has come.
static enum err command_live(struct world *w, const struct options *o)
{
    const int64_t step = 10;
    int64_t tick = o->to / step * step, begins = 0;
    if (o->gate) {
        FILE *f = fopen(o->gate, "re");
        if (!f) {
            return ERR_OK;
        }
        char line[32] = "";
        bool read = fgets(line, sizeof line, f) != NULL;
        fclose(f);
        line[strcspn(line, "\n")] = '\0';
        if (!read || !parse_number(line, &begins)) {
            return ERR_OK;
        }
    }
    if (tick >= begins) {
        emit_machine(w, tick - 1, tick, stdout);
    }
    return ERR_OK;
}

static enum err command_agent_config(struct world *w, const struct options *o, struct diag *d)
{
    if (!o->dir || !o->state || !o->endpoint || !o->key || !o->gate || !o->program) {
        return diag_fail(d, ERR_INVALID,
                         "agent-config needs --dir --state --endpoint --key --gate --program");
    }
    struct agent_setup a = {.name = o->subject,
                            .program = o->program,
                            .profile = o->profile,
                            .dir = o->dir,
                            .state = o->state,
                            .endpoint = o->endpoint,
                            .key = o->key,
                            .gate = o->gate};
    emit_agent_config(w, &a, stdout);
    return ERR_OK;
}

// "park/resident/kpi/dimension" → "park/resident" in name, the rest returned; NULL when there is no rest.
static const char *split_series(const char *series, char name[160])
{
    const char *first = strchr(series, '/');
    const char *second = first ? strchr(first + 1, '/') : NULL;
    if (!second || second - series >= 160) {
        return NULL;
    }
    memcpy(name, series, (size_t)(second - series));
    name[second - series] = '\0';
    return second + 1;
}

static enum err run_for_resident(const struct profile *p, const struct options *o, struct diag *d)
{
    struct world *w = NULL;
    char name[160];
    bool expect = strcmp(o->command, "expect") == 0;
    const char *series = expect ? split_series(o->subject, name) : NULL;
    if (expect && !series) {
        return diag_fail(d, ERR_INVALID, "expect needs PARK/RESIDENT/KPI[/DIMENSION]");
    }
    enum err e = world_create(p, expect ? name : o->subject, &w, d);
    if (e != ERR_OK) {
        return e;
    }
    if (strcmp(o->command, "history") == 0) {
        e = command_history(w, o, d);
    } else if (strcmp(o->command, "live") == 0) {
        e = command_live(w, o);
    } else if (expect) {
        e = emit_expected(w, series, o->from, o->to, stdout, d);
    } else if (strcmp(o->command, "agent-config") == 0) {
        e = command_agent_config(w, o, d);
    } else {
        e = diag_fail(d, ERR_INVALID, "no command '%s'; see --help", o->command);
    }
    world_destroy(w);
    return e;
}

static int exit_code(enum err e)
{
    switch (e) {
    case ERR_OK:
        return EXIT_DONE;
    case ERR_INVALID:
    case ERR_NOT_FOUND:
        return EXIT_USAGE;
    case ERR_INTERNAL:
        return EXIT_BUG;
    default:
        return EXIT_FAILED;
    }
}

int main(int argc, char **argv)
{
    struct options o;
    bool help = false;
    if (!parse_options(argc, argv, &o, &help)) {
        fputs(usage_text, stderr);
        return EXIT_USAGE;
    }
    if (help) {
        fputs(usage_text, stdout);
        return EXIT_DONE;
    }
    struct profile *p = NULL;
    struct diag d = {""};
    enum err e = profile_load(o.profile, &p, &d);
    if (e == ERR_OK && strcmp(o.command, "residents") == 0) {
        e = command_residents(p);
    } else if (e == ERR_OK && !o.subject) {
        e = diag_fail(&d, ERR_INVALID, "%s needs PARK/RESIDENT; see --help", o.command);
    } else if (e == ERR_OK) {
        e = run_for_resident(p, &o, &d);
    }
    profile_free(p);
    if (e == ERR_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        e = diag_fail(&d, ERR_IO, "cannot write to standard output");
    }
    if (e != ERR_OK) {
        fprintf(stderr, "esep-demo-enterprise: %s\n", d.text[0] ? d.text : err_text(e));
    }
    return exit_code(e);
}
