// One table says what there is, what it takes and what --help prints, so that they cannot differ.
#include "collector/commands.h"
#include "base/crypto.h"
#include "collector/state.h"
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What a command needs of the state folder. Only `run` and `keygen` make one: elsewhere a folder that is not
// there is a slip in `state:`, and a ledger made in its place would hide that.
enum needs { NEEDS_NOTHING, NEEDS_FOLDER, NEEDS_LEDGER };

static const struct command {
    const char *name, *words, *help;
    int least, most; // words
    enum needs needs;
    int (*run)(const struct command_line *line, const struct collector_config *c);
} commands[] = {
    {"run", "", "receive, store and project until SIGTERM or SIGINT", 0, 0, NEEDS_NOTHING,
     collector_command_run},
    {"check", "", "check the configuration and the files it names", 0, 0, NEEDS_NOTHING,
     collector_command_check},
    {"keygen", "[--next|--promote]",
     "make the collector's key if there is none; print the public key; --next: the one to come; --promote: "
     "it takes over",
     0, 0, NEEDS_NOTHING, collector_command_keygen},
    {"admit", "PARK/RESIDENT PUBLICKEY", "let an agent's key in as that resident's", 2, 2, NEEDS_FOLDER,
     collector_command_admit},
    {"invite", "PARK/RESIDENT [--expires 7d] [--agent AGENT]",
     "print an invitation, one line for esep-agent enrol; --agent: for another key of that agent", 1, 1,
     NEEDS_FOLDER, collector_command_invite},
    {"invites", "[--json]", "list invitations: open, used, expired, withdrawn", 0, 0, NEEDS_LEDGER,
     collector_command_invites},
    {"withdraw", "INVITE_ID", "take an open invitation back", 1, 1, NEEDS_LEDGER, collector_command_withdraw},
    {"agents", "[--json]", "list agents and their keys: connection, spool, clock, figures", 0, 0,
     NEEDS_LEDGER, collector_command_agents},
    {"revoke", "AGENT|KEY_ID", "shut an agent, or one of its keys, out within a second", 1, 1, NEEDS_LEDGER,
     collector_command_revoke},
    {"move", "SERIES AGENT", "give a series to another agent of its resident", 2, 2, NEEDS_LEDGER,
     collector_command_move},
    {"status", "[--json]", "state, cursors, agents and every counter", 0, 0, NEEDS_LEDGER,
     collector_command_status},
    {"query", "SERIES [--from T] [--to T] [--format text|json|csv] [--file]",
     "exact figures of a series, a total (park/all/kpi) or a computed KPI; --file: the path of its "
     "round-robin "
     "file",
     1, 1, NEEDS_LEDGER, collector_command_query},
    {"rebuild", "[SERIES]", "make round-robin files anew from the ledger (all of them, and the observations)",
     0, 1, NEEDS_LEDGER, collector_command_rebuild},
    {"verify", "[--receipt POSITION:HASH]",
     "walk the ledger's chains; name every damaged range; --receipt: only whether that row is there", 0, 0,
     NEEDS_LEDGER, collector_command_verify},
    {"audit", "[--from T] [--to T] [--event E] [--json]",
     "who changed what, who was refused what; recomputes the log's chain and names damaged entries", 0, 0,
     NEEDS_LEDGER, collector_command_audit},
    {"rates", "[list] [--from T] [--to T] [--json] | import FILE... | confirm BANK DAY",
     "central banks' rates by day; take in what a bank answered (its XML or JSON, or texts as the ledger "
     "keeps "
     "them); believe what is held back",
     0, 1000, NEEDS_FOLDER, collector_command_rates},
    {"quarantine", "[list] [--agent A] [--released] [--json] | release POSITION[:INDEX] [--reason TEXT]",
     "what was refused and why; let it in after all (of a closed period: with a reason)", 0, 2, NEEDS_LEDGER,
     collector_command_quarantine},
    {"report",
     "SERIES VALUE --period P [--revise --reason TEXT] [--currency C] [--unit U] [--status A|P|E|M] "
     "[--confidential] [--published T] [--author NAME] [--request ID] [--json]",
     "store a figure that a person reports ('-': missing), whoever sends the series else; a later one for "
     "the "
     "period needs --revise and a reason, so does any of a closed period; the same --request is stored once",
     2, 2, NEEDS_LEDGER, collector_command_report},
    {"close", "PARK --period P [--kpi K] --reason TEXT",
     "close a period: from now on only an operator corrects it, with a reason; agents' figures for it are "
     "refused into the quarantine",
     1, 1, NEEDS_LEDGER, collector_command_close},
    {"reopen", "PARK --period P [--kpi K] --reason TEXT", "open a closed period again", 1, 1, NEEDS_LEDGER,
     collector_command_reopen},
    {"closures", "[PARK] [--json]", "list what was closed and opened again: when, by whom, why", 0, 1,
     NEEDS_LEDGER, collector_command_closures},
    {"clock", "--confirm", "where the clock is behind the ledger's last row: the clock is right, go on", 0, 0,
     NEEDS_LEDGER, collector_command_clock},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *to)
{
    fputs("usage: esep-collector COMMAND [--config FILE]\n\n", to);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(to, commands[i].words[0] ? "  %-10s %s\n             %s\n" : "  %-10s %s%s\n",
                commands[i].name, commands[i].words, commands[i].help);
    fputs("\n  --config FILE   settings (default " COLLECTOR_CONFIG_DEFAULT
          "); share/esep/examples/collector.example.yaml explains them\n"
          "  T               2026-03-14, 2026-03, 2026-Q1, 2026, 2026-03-14T12:00:00Z, seconds since 1970, "
          "now, -7d\n"
          "  AGENT           PARK/RESIDENT#n, #n, or PARK/RESIDENT where it has but one; agents lists them\n"
          "  exit codes      0 done, 1 failed, 2 wrong usage or configuration, 70 a bug in the program\n",
          to);
}

static const struct {
    const char *command, *option, *help; // command NULL: of every other one that has the option
} option_help[] = {
    {NULL, "SERIES", "park/resident/kpi or park/resident/kpi/dimension, e.g. almaty-iz/acme/out_units/doors"},
    {NULL, "VALUE", "e.g. 1250000.50, -3 (money in major units), or - for a figure that is missing"},
    {NULL, "AGENT", "PARK/RESIDENT#n, #n, or PARK/RESIDENT where it has but one; `agents` lists them"},
    {"keygen", "--next", "the key that is to take over: agents learn it while they are connected"},
    {"keygen", "--promote",
     "the next key takes over; the collector must be stopped, agents must have learnt it"},
    {NULL, "--expires", "how long the invitation is good: 30m, 12h, 7d (the default)"},
    {"invite", "--agent", "another key of that agent, not a new agent"},
    {NULL, "--agent", "of that agent only"},
    {NULL, "--period", "2026-03-14, 2026-03, 2026-Q1 or 2026"},
    {NULL, "--revise", "a figure that is there may be replaced; it stays as an earlier revision"},
    {"report", "--reason",
     "why it is corrected, first said of a closed period, or missing; everybody who sees the "
     "figure sees it"},
    {"quarantine", "--reason", "why it is let in; of a closed period it must be said"},
    {NULL, "--reason", "why; whoever looks at the period sees it"},
    {NULL, "--currency", "ISO 4217, of money; default: the series' own"},
    {NULL, "--unit", "of a series that is new, where the catalogue leaves it open"},
    {NULL, "--status", "A normal (default), P provisional, E estimated, M missing (default of -)"},
    {NULL, "--confidential", "not to be published"},
    {NULL, "--published", "when its source published it: 2026-04-10, 2026-04-10T09:00:00Z; default: now"},
    {NULL, "--author", "who says so; default: who runs this"},
    {NULL, "--request", "a name of your own, at most 64 bytes: the same sent again is stored once"},
    {NULL, "--kpi", "only this KPI's reports"},
    {NULL, "--from", "not before T"},
    {NULL, "--to", "before T, or through the end of a period"},
    {NULL, "--format", "text (default), json or csv"},
    {NULL, "--file", "print the path of its round-robin file and nothing else"},
    {NULL, "--receipt", "as an agent's `status` shows it: is that row still there?"},
    {NULL, "--event", "only these: report, revise, enrol, revoke …; one that there is not lists them all"},
    {NULL, "--released", "only what was let in"},
    {NULL, "--confirm", "the clock is right; without it nothing is changed"},
    {NULL, "--json", "for programs"},
    {NULL, "--from T",
     "2026-03-14, 2026-03, 2026-Q1, 2026, 2026-03-14T12:00:00Z, seconds since 1970, now, -7d"},
};

static bool is_told(const struct command *c, size_t i)
{
    const char *of = option_help[i].command, *at = strstr(c->words, option_help[i].option);
    if (!at || (of && strcmp(of, c->name) != 0))
        return false;
    char after = at[strlen(option_help[i].option)];
    if (after && strchr("abcdefghijklmnopqrstuvwxyz-", after)) // --to is not in --too
        return false;
    for (size_t k = 0; k < i; k++) // said of this command already
        if (strcmp(option_help[k].option, option_help[i].option) == 0 && is_told(c, k))
            return false;
    return true;
}

static void print_command_help(const struct command *c)
{
    printf("usage: esep-collector %s %s%s[--config FILE]\n\n%s\n\n", c->name, c->words,
           c->words[0] ? " " : "", c->help);
    for (size_t i = 0; i < sizeof option_help / sizeof *option_help; i++)
        if (is_told(c, i))
            printf("  %-15s %s\n",
                   strcmp(option_help[i].option, "--from T") == 0 ? "T" : option_help[i].option,
                   option_help[i].help);
    puts("  --config        settings (default " COLLECTOR_CONFIG_DEFAULT ")");
}

int collector_complain(enum err e, const struct diag *d)
{
    fprintf(stderr, "esep-collector: %s\n", d && d->text[0] ? d->text : err_text(e));
    return e == ERR_INTERNAL ? EXIT_INTERNAL : EXIT_FAILED;
}

static int usage_error(const char *what, const char *which)
{
    fprintf(stderr, "esep-collector: %s%s%s; see esep-collector --help\n", what, which[0] ? ": " : "", which);
    return EXIT_USAGE;
}

static const struct command *find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},   {"from", required_argument, NULL, 'f'},
    {"to", required_argument, NULL, 't'},       {"format", required_argument, NULL, 'm'},
    {"json", no_argument, NULL, 'j'},           {"file", no_argument, NULL, 'p'},
    {"receipt", required_argument, NULL, 'r'},  {"agent", required_argument, NULL, 'a'},
    {"event", required_argument, NULL, 'e'},    {"released", no_argument, NULL, 'l'},
    {"expires", required_argument, NULL, 'x'},  {"next", no_argument, NULL, 'n'},
    {"promote", no_argument, NULL, 'o'},        {"period", required_argument, NULL, 'P'},
    {"reason", required_argument, NULL, 'R'},   {"kpi", required_argument, NULL, 'K'},
    {"status", required_argument, NULL, 'S'},   {"published", required_argument, NULL, 'U'},
    {"currency", required_argument, NULL, 'C'}, {"unit", required_argument, NULL, 'N'},
    {"author", required_argument, NULL, 'A'},   {"request", required_argument, NULL, 'Q'},
    {"revise", no_argument, NULL, 'V'},         {"confidential", no_argument, NULL, 'D'},
    {"confirm", no_argument, NULL, 'F'},        {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},        {NULL, 0, NULL, 0},
};

enum { GO_ON = -1 };

static int print_about(const struct command *c, bool help)
{
    if (help)
        print_command_help(c);
    else
        puts("esep-collector " ESEP_VERSION);
    return EXIT_DONE;
}

// Where the option's text goes; NULL: it has none.
static const char **text_of(struct command_line *line, int option)
{
    switch (option) {
    case 'c':
        return &line->config;
    case 'f':
        return &line->from;
    case 't':
        return &line->to;
    case 'm':
        return &line->format;
    case 'r':
        return &line->receipt;
    case 'a':
        return &line->agent;
    case 'e':
        return &line->event;
    case 'x':
        return &line->expires;
    case 'P':
        return &line->period;
    case 'R':
        return &line->reason;
    case 'K':
        return &line->kpi;
    case 'S':
        return &line->status;
    case 'U':
        return &line->published;
    case 'C':
        return &line->currency;
    case 'N':
        return &line->unit;
    case 'A':
        return &line->author;
    case 'Q':
        return &line->request;
    default:
        return NULL;
    }
}

static bool *flag_of(struct command_line *line, int option)
{
    switch (option) {
    case 'j':
        return &line->json;
    case 'p':
        return &line->file;
    case 'l':
        return &line->released;
    case 'n':
        return &line->next;
    case 'o':
        return &line->promote;
    case 'V':
        return &line->revise;
    case 'D':
        return &line->confidential;
    case 'F':
        return &line->confirm;
    default:
        return NULL;
    }
}

// Words in order; "-5", which would be an option 5, is one: a VALUE. They move to the front of argv, over
// what has been read.
static const char shorts[] = "-c:h0::1::2::3::4::5::6::7::8::9::.::,::";

static bool is_word(int option)
{
    return option == 1 || (option != 0 && strchr("0123456789.,", option));
}

static void take_rest(struct command_line *line, int argc, char **argv)
{
    for (int i = optind; i < argc; i++) // after "--"
        line->words[line->word_count++] = argv[i];
}

// GO_ON, or the exit code when everything has been said.
static int parse(const struct command *c, int argc, char **argv, struct command_line *line)
{
    int o;
    optind = 0; // begin anew, with this string of short options
    opterr = 0;
    line->words = argv + 1;
    while ((o = getopt_long(argc, argv, shorts, options, NULL)) != -1) {
        if (is_word(o)) {
            line->words[line->word_count++] = argv[optind - 1];
            continue;
        }
        const char **text = text_of(line, o);
        bool *flag = flag_of(line, o);
        if (text)
            *text = optarg;
        else if (flag)
            *flag = true;
        else if (o == 'h' || o == 'v')
            return print_about(c, o == 'h');
        else
            return usage_error("unknown option, or its value is missing", argv[optind - 1]);
    }
    take_rest(line, argc, argv);
    if (line->word_count < c->least)
        return usage_error("something is missing", c->words);
    if (line->word_count > c->most)
        return usage_error("too much", line->words[c->most]);
    return GO_ON;
}

static int run(const struct command *c, const struct command_line *line)
{
    struct collector_config config;
    struct diag d = {0};
    enum err e = collector_config_load(line->config, &config, &d);
    if (e != ERR_OK) {
        (void)collector_complain(e, &d);
        return EXIT_USAGE;
    }
    log_set_level(config.log_level);
    enum needs needs = line->next || line->promote ? NEEDS_FOLDER : c->needs;
    if (needs != NEEDS_NOTHING)
        e = collector_state_there(config.state, needs == NEEDS_LEDGER, &d);
    int code = e == ERR_OK ? c->run(line, &config) : collector_complain(e, &d);
    collector_config_deinit(&config);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_FAILED;
    return code;
}

int collector_main(int argc, char **argv)
{
    struct command_line line = {.config = COLLECTOR_CONFIG_DEFAULT};
    setlocale(LC_ALL, "C");
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("esep-collector " ESEP_VERSION);
        return EXIT_DONE;
    }
    const struct command *c = find(argv[1]);
    if (!c)
        return usage_error("unknown command", argv[1]);
    int code = parse(c, argc - 1, argv + 1, &line);
    if (code != GO_ON)
        return code;
    if (crypto_init() != ERR_OK)
        return collector_complain(ERR_INTERNAL, &(struct diag){"libsodium can't be initialised"});
    return run(c, &line);
}
