// The order in `run` matters: the graph server is forked first, while there is one thread; signals are
// blocked before any thread exists, so that only the waiting here sees them.

#include "dashboards/commands.h"
#include "base/crypto.h"
#include "base/log.h"
#include "dashboards/command_users.h"
#include "dashboards/config.h"
#include "dashboards/http.h"
#include "dashboards/render.h"
#include "dashboards/site.h"
#include "net/control.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define DEFAULT_CONFIG "/etc/esep/dashboard.yaml"

enum { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_INTERNAL = 70 };

static const char help[] =
    "usage: esep-dashboard COMMAND [--config FILE]\n"
    "\n"
    "Pages, graphs and an HTTP API of what a collector has stored.\n"
    "\n"
    "  run      serve until SIGINT or SIGTERM\n"
    "  check    read the configuration, the catalogue and the parks' profiles, say what is wrong, and end\n"
    "\n"
    "Who may see what; without users only this machine is answered, and reads everything:\n"
    "  user add NAME --role resident --resident PARK/RESIDENT    its own series and agents\n"
    "  user add NAME --role analyst|operator --park PARK         a park; an operator its agents too\n"
    "  user add NAME --role auditor|admin                        all\n"
    "  user passwd NAME | user remove NAME | user list           passwd and remove end the user's sessions\n"
    "  token add NAME --scope SCOPE --expires SPAN               for scripts; prints it once. SCOPE: "
    "auditor,\n"
    "           admin, analyst:PARK, operator:PARK, resident:PARK/RESIDENT; SPAN: 90d, up to 366d\n"
    "  token remove NAME | token list\n"
    "A password is asked for on the terminal, or read as a line from standard input.\n"
    "\n"
    "  --config FILE   default " DEFAULT_CONFIG "\n"
    "  --help          this text\n"
    "  --version       print the version\n"
    "\n"
    "Exit status: 0 done, 1 failed, 2 wrong usage or configuration (file:line:column), 70 internal.\n"
    "The configuration: see share/esep/examples/dashboard.example.yaml. The API: GET /api/v1/parks, "
    "/residents, /series, "
    "/agents, /targets,\n"
    "/query?series=…, /observations?series=…; /graph/PARK/RESIDENT/KPI[/DIMENSION].png; /healthz; "
    "/metrics.\n";

static int report(enum err e, const struct diag *d, int status)
{
    fprintf(stderr, "esep-dashboard: %s\n", *d->text ? d->text : err_text(e));
    return e == ERR_INTERNAL ? EXIT_INTERNAL : status;
}

// A faulty file is wrong configuration; anything else that stops a start is a failure.
static int status_of(enum err e)
{
    return e == ERR_INVALID || e == ERR_NOT_FOUND || e == ERR_EXISTS || e == ERR_TOO_BIG || e == ERR_DENIED
               ? EXIT_USAGE
               : EXIT_FAILED;
}

static int check(const struct dashboard_config *c)
{
    struct diag d = {""};
    struct site *s = NULL;
    enum err e = crypto_init() ? ERR_INTERNAL : ERR_OK;
    if (!e)
        e = site_open(c, clock_system(), NULL, control_call, &s, &d);
    if (e)
        return report(e, &d, status_of(e));
    size_t residents = 0, statements = 0;
    for (size_t i = 0; i < s->parks.count; i++) {
        residents += s->parks.parks[i]->resident_count;
        statements += s->parks.parks[i]->statement_count;
    }
    printf("ok: %zu parks, %zu residents, %zu published figures, %zu KPIs; listen %s, state %s, %s\n",
           s->parks.count, residents, statements, catalogue_count(s->catalogue), c->listen, c->state,
           c->users ? "users log in" : "no users: this machine reads everything");
    site_close(s);
    return EXIT_DONE;
}

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 2048) {
        limit.rlim_cur = limit.rlim_max < 2048 ? limit.rlim_max : 2048;
        if (setrlimit(RLIMIT_NOFILE, &limit))
            return; // fewer connections then
    }
}

// Until told to stop, or the graph server has gone: it cannot be forked again beside threads, so whoever
// started us starts us anew.
static enum err wait_for_signal(const sigset_t *set, struct render *render, struct diag *d)
{
    int number = 0;
    while (sigwait(set, &number) == EINTR || number == SIGCHLD)
        if (number == SIGCHLD && !render_alive(render))
            return diag_fail(d, ERR_CLOSED, "the graph server process has ended");
    log_info("stopping", F_INT("signal", number));
    return ERR_OK;
}

static enum err serve(const struct dashboard_config *c, struct render *render, const sigset_t *set,
                      struct diag *d)
{
    struct site *s = NULL;
    struct dashboard_http *h = NULL;
    enum err e = site_open(c, clock_system(), render, control_call, &s, d);
    if (!e)
        e = dashboard_http_start(s, &h, d);
    if (!e) {
        log_info("serving", F_TEXT("listen", c->listen), F_TEXT("state", c->state),
                 F_INT("parks", s->parks.count), F_INT("workers", c->workers),
                 F_TEXT("readers", c->users ? "users" : "this machine, everything"),
                 F_TEXT("version", ESEP_VERSION));
        e = wait_for_signal(set, render, d);
    }
    dashboard_http_stop(h);
    site_close(s);
    return e;
}

static int run(const struct dashboard_config *c)
{
    struct diag d = {""};
    struct render *render = NULL;
    sigset_t set;
    log_set_level(c->log_level);
    raise_file_limit();
    block_signals(&set);
    const struct render_options o = {.state = c->state, .scratch = c->cache, .workers = c->workers};
    enum err e = render_start(&o, &render, &d);
    if (!e)
        e = crypto_init() ? diag_fail(&d, ERR_INTERNAL, "the crypto library cannot be used") : ERR_OK;
    if (!e)
        e = serve(c, render, &set, &d);
    render_stop(render);
    if (!e)
        return EXIT_DONE;
    return report(e, &d, e == ERR_EXISTS ? EXIT_FAILED : status_of(e));
}

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "esep-dashboard: %s%s%s\nTry 'esep-dashboard --help'.\n", what, *word ? ": " : "", word);
    return EXIT_USAGE;
}

struct line { // the command line
    const char *command, *config;
    struct command_users users;
};

static const char **option_of(struct line *l, const char *name)
{
    const struct {
        const char *name, **value;
    } options[] = {{"--config", &l->config},     {"--role", &l->users.role},
                   {"--park", &l->users.park},   {"--resident", &l->users.resident},
                   {"--scope", &l->users.scope}, {"--expires", &l->users.expires}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (strcmp(options[i].name, name) == 0)
            return options[i].value;
    return NULL;
}

// 0, or the exit status that the usage error has.
static int parse(int argc, char **argv, struct line *l)
{
    const char **words[] = {&l->command, &l->users.action, &l->users.name};
    size_t given = 0;
    for (int i = 1; i < argc; i++) {
        const char **value = option_of(l, argv[i]);
        if (value && i + 1 == argc)
            return usage("a value is missing", argv[i]);
        if (value)
            *value = argv[++i];
        else if (argv[i][0] == '-')
            return usage("no such option", argv[i]);
        else if (given == sizeof words / sizeof *words)
            return usage("one word too many", argv[i]);
        else
            *words[given++] = argv[i];
    }
    return 0;
}

static bool is(const struct line *l, const char *command)
{
    return l->command && strcmp(l->command, command) == 0;
}

static bool has_user_options(const struct line *l)
{
    const struct command_users *u = &l->users;
    return u->action || u->role || u->park || u->resident || u->scope || u->expires;
}

static int change_users(const struct dashboard_config *c, const struct line *l)
{
    struct diag d = {""};
    enum err e = crypto_init() ? ERR_INTERNAL : ERR_OK;
    if (!e)
        e = is(l, "user") ? command_user(c, &l->users, &d) : command_token(c, &l->users, &d);
    if (!e)
        return EXIT_DONE;
    return report(e, &d, e == ERR_INVALID ? EXIT_USAGE : EXIT_FAILED);
}

static int act(const struct line *l)
{
    struct dashboard_config *c = NULL;
    struct diag d = {""};
    enum err e = dashboard_config_load(l->config, &c, &d);
    if (e)
        return report(e, &d, status_of(e));
    int status = is(l, "run") ? run(c) : is(l, "check") ? check(c) : change_users(c, l);
    dashboard_config_free(c);
    return status;
}

int dashboard_commands_main(int argc, char **argv)
{
    struct line l = {.config = DEFAULT_CONFIG};
    crypto_no_dumps(); // sessions, tokens and passwords pass through it; before the graph server is forked
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return EXIT_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            printf("esep-dashboard %s\n", ESEP_VERSION);
            return EXIT_DONE;
        }
    }
    int status = parse(argc, argv, &l);
    if (status)
        return status;
    bool of_users = is(&l, "user") || is(&l, "token");
    if (!of_users && !is(&l, "run") && !is(&l, "check"))
        return usage(l.command ? "no such command" : "a command is needed: run, check, user or token",
                     l.command ? l.command : "");
    if (!of_users && has_user_options(&l))
        return usage("takes nothing but --config", l.command);
    if (of_users && !l.users.action)
        return usage("what is to be done with it: add, remove, list, or passwd of a user", l.command);
    return act(&l);
}
