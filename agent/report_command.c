// Read by hand rather than with getopt: a VALUE may be negative, and "-" says that there is none.
#include "agent/report_command.h"
#include "agent/report.h"
#include <string.h>

enum { DONE = 0, FAILED = 1, USAGE = 2, INTERNAL = 70, GO_ON = -1 };

struct line {
    const char *config;
    const char *words[3]; // report SERIES VALUE
    int word_count;
    struct report_request request;
};

static const char help[] =
    "usage: esep-agent report SERIES VALUE --period P [options]\n\n"
    "Reports one figure of one period by hand. It goes the way of every figure: it is on this machine's disk "
    "when\n"
    "the command says so, and is sent when the collector can be reached. The agent may run or not.\n\n"
    "  SERIES           as the configuration names it: kpi or kpi/dimension, e.g. jobs_total; of any source "
    "of\n"
    "                   reports, or of one of kind: hand\n"
    "  VALUE            e.g. 1250.50 (money in major units), or - when there is none\n"
    "  --period P       2026-03-14, 2026-03, 2026-Q1 or 2026\n"
    "  --revise         the period has a figure already, and it was another one; needs --reason\n"
    "  --reason TEXT    why it is corrected, or missing\n"
    "  --status S       A normal (default), P provisional, E estimated, M missing (default of -)\n"
    "  --confidential   not to be published\n"
    "  --author NAME    who says so; without it the agent's key stands for it\n"
    "  --published WHEN 2026-04-10, 2026-04 or 2026-04-10T09:00:00Z; default: when the collector receives "
    "it\n"
    "  --config FILE    the configuration (default " AGENT_CONFIG_DEFAULT ")\n\n"
    "Exit codes: 0 it is stored, 1 it is not, 2 wrong usage or configuration, 70 internal error.\n";

bool report_command_is(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "-c") == 0)
            i++;
        else if (argv[i][0] != '-')
            return strcmp(argv[i], "report") == 0;
    }
    return false;
}

static int usage(FILE *err, const char *what, const char *word)
{
    fprintf(err, "esep-agent: %s%s%s\nTry `esep-agent report --help`.\n", what, word ? ": " : "",
            word ? word : "");
    return USAGE;
}

static bool *flag_of(struct line *l, const char *name)
{
    return strcmp(name, "--revise") == 0         ? &l->request.revise
           : strcmp(name, "--confidential") == 0 ? &l->request.confidential
                                                 : NULL;
}

static const char **text_of(struct line *l, const char *name)
{
    const struct {
        const char *name, **text;
    } options[] = {{"--config", &l->config},
                   {"-c", &l->config},
                   {"--period", &l->request.period},
                   {"--reason", &l->request.reason},
                   {"--status", &l->request.status},
                   {"--author", &l->request.author},
                   {"--published", &l->request.published}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return options[i].text;
    return NULL;
}

// "--period 2026-03" and "--period=2026-03". *i is moved over what was taken.
static int read_option(struct line *l, int argc, char **argv, int *i, FILE *err)
{
    char name[24];
    size_t len = strcspn(argv[*i], "=");
    const char *value = argv[*i][len] ? argv[*i] + len + 1 : NULL;
    snprintf(name, sizeof name, "%.*s", len < sizeof name ? (int)len : 0, argv[*i]);
    bool *flag = value ? NULL : flag_of(l, name);
    const char **text = text_of(l, name);
    if (flag) {
        *flag = true;
        return GO_ON;
    }
    if (!text)
        return usage(err, "no such option", argv[*i]);
    if (!value && *i + 1 == argc)
        return usage(err, "this option needs a value", argv[*i]);
    *text = value ? value : argv[++*i];
    return GO_ON;
}

static int read_line(struct line *l, int argc, char **argv, FILE *out, FILE *err)
{
    int code = GO_ON;
    for (int i = 1; code == GO_ON && i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            fputs(help, out);
            return DONE;
        }
        if (strcmp(word, "--") == 0)
            continue; // habit: what begins with a digit after its sign is a value anyway
        if (strncmp(word, "--", 2) == 0 || strcmp(word, "-c") == 0)
            code = read_option(l, argc, argv, &i, err);
        else if (l->word_count == 3)
            code = usage(err, "one word too many", word);
        else
            l->words[l->word_count++] = word;
    }
    if (code == GO_ON && l->word_count < 3)
        code = usage(err, l->word_count < 2 ? "SERIES and VALUE are missing" : "VALUE is missing", NULL);
    if (code == GO_ON && !*l->request.period)
        code = usage(err, "--period is missing", NULL);
    return code;
}

int report_command(int argc, char **argv, FILE *out, FILE *err)
{
    struct line l = {.config = AGENT_CONFIG_DEFAULT,
                     .request = {.period = "", .status = "", .reason = "", .author = "", .published = ""}};
    struct agent_config *config = NULL;
    struct diag d = {""};
    int code = read_line(&l, argc, argv, out, err);
    if (code != GO_ON)
        return code;
    if (crypto_init() != ERR_OK) {
        fprintf(err, "esep-agent: no source of randomness\n");
        return INTERNAL;
    }
    if (agent_config_load(l.config, &config, &d) != ERR_OK) {
        fprintf(err, "esep-agent: %s\n", d.text);
        return USAGE;
    }
    l.request.series = l.words[1];
    l.request.value = l.words[2];
    enum err e = report_run(config, &l.request, out, &d);
    if (e != ERR_OK)
        fprintf(err, "esep-agent: not reported: %s\n", d.text[0] ? d.text : err_text(e));
    agent_config_free(config);
    if (e == ERR_OK && fflush(out) != 0)
        e = ERR_IO;
    return e == ERR_OK ? DONE : e == ERR_INTERNAL ? INTERNAL : FAILED;
}
