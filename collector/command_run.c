// run and check. Signals are blocked before any thread starts and taken by this one alone, so a stop is an
// ordinary step and not something that may happen in the middle of one.
#include "base/log.h"
#include "collector/commands.h"
#include "collector/service.h"
#include "collector/state.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { SAY_EVERY = 60 };

static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP); // a terminal that is closed
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

// A disk that is full when the collector starts is waited for, like one that fills up later.
static enum err start(const struct collector_config *c, const sigset_t *set, struct service **out,
                      struct diag *d)
{
    static const struct timespec interval = {.tv_sec = 1};
    for (unsigned tries = 0;; tries++) {
        enum err e = service_start(c, clock_system(), out, d);
        if (e != ERR_FULL)
            return e;
        if (tries % SAY_EVERY == 0)
            log_error(
                "not_started", F_TEXT("state", "no-space"), F_TEXT("reason", d->text),
                F_TEXT("way_out", "make room; it is tried again each second, agents keep their figures"));
        int signal_number = sigtimedwait(set, NULL, &interval);
        if (signal_number > 0) {
            log_info("stopping", F_INT("signal", signal_number));
            return ERR_CLOSED;
        }
    }
}

// What only a person can put right in a file: the catalogue, a park, an endpoint, a key that is not there.
static bool is_configuration(enum err e)
{
    return e == ERR_INVALID || e == ERR_NOT_FOUND || e == ERR_TOO_BIG;
}

static int wait_for_end(struct service *s, const sigset_t *set)
{
    static const struct timespec interval = {.tv_nsec = 250000000};
    while (service_healthy(s)) {
        int signal_number = sigtimedwait(set, NULL, &interval);
        if (signal_number > 0) {
            log_info("stopping", F_INT("signal", signal_number));
            return EXIT_DONE;
        }
    }
    return EXIT_FAILED;
}

int collector_command_run(const struct command_line *line, const struct collector_config *c)
{
    struct service *s;
    struct diag d = {0};
    sigset_t set;
    (void)line;
    block_signals(&set);
    enum err e = start(c, &set, &s, &d);
    if (e == ERR_CLOSED)
        return EXIT_DONE;
    if (e != ERR_OK) {
        int complained = collector_complain(e, &d);
        return is_configuration(e) ? EXIT_USAGE : complained;
    }
    int code = wait_for_end(s, &set);
    service_stop(s);
    return code;
}

// ---- check --------------------------------------------------------------------------------------
static void say_state(const char *state)
{
    struct stat st;
    uint8_t secret[KEY_BYTES];
    struct diag d = {0};
    if (stat(state, &st) != 0) {
        printf("state folder %s does not exist yet: keygen or run makes it\n", state);
        return;
    }
    if (collector_state_key(state, secret, &d) != ERR_OK)
        printf("note: %s\n", d.text);
    crypto_wipe(secret, sizeof secret);
}

int collector_command_check(const struct command_line *line, const struct collector_config *c)
{
    struct catalogue *catalogue = NULL;
    struct parks parks = {0};
    struct diag d = {0};
    size_t residents = 0;
    enum err e = catalogue_load(c->catalogue, &catalogue, &d);
    if (e == ERR_OK)
        e = parks_load(c->parks, catalogue, &parks, &d);
    if (e == ERR_OK) {
        for (size_t i = 0; i < parks.count; i++)
            residents += parks.parks[i]->resident_count;
        printf("%s is fine: %zu KPIs, %zu parks, %zu residents\n", line->config, catalogue_count(catalogue),
               parks.count, residents);
        say_state(c->state);
    }
    parks_free(&parks);
    catalogue_free(catalogue);
    if (e == ERR_OK)
        return EXIT_DONE;
    (void)collector_complain(e, &d);
    return EXIT_USAGE;
}
