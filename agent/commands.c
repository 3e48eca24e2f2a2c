// One table of commands; each gets a loaded configuration and returns an error with its text, and the exit
// code follows from that error in one place.
#include "agent/commands.h"
#include "agent/config.h"
#include "agent/dry_run.h"
#include "agent/enrol.h"
#include "agent/report_command.h"
#include "agent/rotate.h"
#include "agent/run.h"
#include "agent/status.h"
#include "base/fs.h"
#include <getopt.h>
#include <limits.h>
#include <string.h>

#define EXIT_DONE     0
#define EXIT_FAILED   1
#define EXIT_USAGE    2
#define EXIT_INTERNAL 70

struct call {
    const struct agent_config *config;
    bool json;
    FILE *out;
};

static enum err do_run(const struct call *c, struct diag *d)
{
    log_set_level(c->config->log_level);
    return agent_run(c->config, d);
}

static enum err do_check(const struct call *c, struct diag *d)
{
    (void)d;
    fprintf(c->out, "%s: ok, %zu source%s, %zu series\n", c->config->file, c->config->source_count,
            c->config->source_count == 1 ? "" : "s", c->config->series_count);
    return ERR_OK;
}

static enum err load_public_key(const char *path, uint8_t public_key[KEY_BYTES], struct diag *d)
{
    uint8_t secret_key[KEY_BYTES];
    enum err e = crypto_key_file_load(path, secret_key, d);
    if (e == ERR_OK)
        crypto_public_key(secret_key, public_key);
    crypto_wipe(secret_key, sizeof secret_key);
    return e;
}

static enum err do_keygen(const struct call *c, struct diag *d)
{
    char path[PATH_MAX], text[KEY_TEXT];
    uint8_t public_key[KEY_BYTES];
    if (fs_join(path, sizeof path, c->config->state, AGENT_KEY_FILE) != ERR_OK)
        return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", c->config->state);
    enum err e = fs_make_dirs(c->config->state, 0750, d);
    if (e == ERR_OK)
        e = crypto_key_file_create(path, public_key, d);
    if (e == ERR_EXISTS)
        e = load_public_key(path, public_key, d);
    if (e != ERR_OK)
        return e;
    crypto_key_text(public_key, text);
    fprintf(c->out, "%s\n", text);
    return ERR_OK;
}

static enum err do_sources(const struct call *c, struct diag *d)
{
    uint64_t errors = 0;
    enum err e = dry_run_print(c->config, c->out, &errors, d);
    if (e == ERR_OK && errors > 0)
        e = diag_fail(d, ERR_INVALID, "%llu rows, lines or runs gave no sample", (unsigned long long)errors);
    return e;
}

static enum err do_status(const struct call *c, struct diag *d)
{
    enum err e = status_print(c->config, c->json, c->out, d);
    if (e == ERR_NOT_FOUND)
        return diag_fail(d, e, "%s: no spool there yet: the agent has not run", c->config->state);
    return e;
}

static enum err do_rotate(const struct call *c, struct diag *d)
{
    return rotate_key(c->config, c->out, d);
}

enum { TAKES_JSON = 1, ENROLS = 2 };

static const struct command {
    const char *name, *what;
    enum err (*run)(const struct call *c, struct diag *d); // NULL: enrol, which makes the configuration
    unsigned flags;
} commands[] = {
    {"run", "sample the sources and send to the collector, until SIGTERM or SIGINT", do_run, 0},
    {"check", "check the configuration, print what it holds", do_check, 0},
    {"enrol",
     "[TOKEN|-]: make the key, enrol with an invitation, write the configuration, send a first heartbeat\n"
     "             (without TOKEN it is asked for, or read from standard input); --run: then go on as "
     "`run`;\n"
     "             --state DIR: the state folder, when there is no configuration yet "
     "(default " AGENT_STATE_DEFAULT ")",
     NULL, ENROLS},
    {"rotate", "make another key and let it take this one's place; a running agent goes on with it",
     do_rotate, 0},
    {"keygen", "make this agent's key (an existing one is kept), print its public part", do_keygen, 0},
    {"sources", "ask each source once and print what would be sent; sends and stores nothing", do_sources, 0},
    {"status", "what was sampled, sent and refused; --json for programs", do_status, TAKES_JSON},
};

static void print_help(FILE *out)
{
    fprintf(out,
            "usage: esep-agent COMMAND [--config FILE] [--json]\n\n"
            "Takes figures from the enterprise's own systems and sends them to the park's collector.\n\n");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].what);
    fprintf(out, "  %-10s %s\n", "report", REPORT_COMMAND_HELP);
    fprintf(out,
            "\n  --config FILE  the configuration (default %s)\n"
            "  --help         this text\n"
            "  --version      the program's version\n\n"
            "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 70 internal error.\n"
            "A commented example of the configuration: share/esep/examples/agent.example.yaml.\n",
            AGENT_CONFIG_DEFAULT);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int exit_code(enum err e)
{
    return e == ERR_OK ? EXIT_DONE : e == ERR_INTERNAL ? EXIT_INTERNAL : EXIT_FAILED;
}

struct line { // the command line
    const char *config, *state;
    bool json, run;
    char *word; // after the command
};

static int complain(FILE *err, enum err e, const struct diag *d)
{
    fprintf(err, "esep-agent: %s\n", d->text[0] ? d->text : err_text(e));
    return exit_code(e);
}

static int enrol_here(const struct line *line, FILE *out, FILE *err)
{
    const struct enrol_options o = {.config = line->config, .state = line->state, .out = out};
    struct invite invite;
    struct diag d = {""};
    enum err e = enrol_read(line->word, &invite, &d);
    if (e == ERR_OK)
        e = enrol(&invite, &o, &d);
    crypto_wipe(&invite, sizeof invite);
    if (e != ERR_OK)
        return complain(err, e, &d);
    return fflush(out) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run_command(const struct command *command, const struct line *line, FILE *out, FILE *err)
{
    struct agent_config *config = NULL;
    struct diag d = {""};
    if (crypto_init() != ERR_OK) {
        fprintf(err, "esep-agent: no source of randomness\n");
        return EXIT_INTERNAL;
    }
    if (command->flags & ENROLS) {
        int code = enrol_here(line, out, err);
        if (code != EXIT_DONE || !line->run)
            return code;
        command = find_command("run");
    }
    if (agent_config_load(line->config, &config, &d) != ERR_OK) {
        fprintf(err, "esep-agent: %s\n", d.text);
        return EXIT_USAGE;
    }
    const struct call call = {.config = config, .json = line->json, .out = out};
    enum err e = command->run(&call, &d);
    if (e != ERR_OK)
        (void)complain(err, e, &d);
    agent_config_free(config);
    if (e == ERR_OK && fflush(out) != 0)
        e = ERR_IO;
    return exit_code(e);
}

static int usage(FILE *err, const char *what, const char *word)
{
    fprintf(err, "esep-agent: %s%s%s\nTry `esep-agent --help`.\n", what, word ? ": " : "", word ? word : "");
    return EXIT_USAGE;
}

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"state", required_argument, NULL, 's'},
    {"run", no_argument, NULL, 'r'},
    {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

enum { GO_ON = -1 };

// GO_ON, or the exit code when everything has been said.
static int parse_options(int argc, char **argv, struct line *line, FILE *out, FILE *err)
{
    optind = 0; // tests call this more than once
    for (int c; (c = getopt_long(argc, argv, ":c:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            line->config = optarg;
            break;
        case 's':
            line->state = optarg;
            break;
        case 'r':
            line->run = true;
            break;
        case 'j':
            line->json = true;
            break;
        case 'h':
            print_help(out);
            return EXIT_DONE;
        case 'V':
            fprintf(out, "esep-agent %s\n", ESEP_VERSION);
            return EXIT_DONE;
        default:
            return usage(err, c == ':' ? "this option needs a value" : "no such option", argv[optind - 1]);
        }
    }
    return GO_ON;
}

int agent_commands_run(int argc, char **argv, FILE *out, FILE *err)
{
    struct line line = {.config = AGENT_CONFIG_DEFAULT};
    if (report_command_is(argc, argv))
        return report_command(argc, argv, out, err);
    int code = parse_options(argc, argv, &line, out, err);
    if (code != GO_ON)
        return code;
    if (optind >= argc)
        return usage(err, "a command is missing", NULL);
    const struct command *command = find_command(argv[optind]);
    bool enrols = command && (command->flags & ENROLS);
    int words = enrols ? 2 : 1;
    if (optind + words < argc)
        return usage(err, "one word too many", argv[optind + words]);
    if (!command)
        return usage(err, "no such command", argv[optind]);
    if (line.json && !(command->flags & TAKES_JSON))
        return usage(err, "--json does not belong to this command", command->name);
    if ((line.state || line.run) && !enrols)
        return usage(err, "--state and --run belong to enrol only, not to", command->name);
    line.word = optind + 1 < argc ? argv[optind + 1] : NULL;
    return run_command(command, &line, out, err);
}
