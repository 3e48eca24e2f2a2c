// In the order that loses nothing: the key first (it is what the invitation is spent on), then the question,
// then the configuration, then the first word to the collector itself. Whatever fails, the same command goes
// on from there: the key is kept, and the collector gives the same key the same answer again.
#include "agent/enrol.h"
#include "agent/ask.h"
#include "agent/config.h"
#include "agent/run.h"
#include "agent/spool.h"
#include "base/fs.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { DOOR_MS = 30000, WELCOME_MS = 30000 };

struct enrolling {
    const struct invite *invite;
    const struct enrol_options *o;
    struct agent_config *config; // NULL until there is one
    char state[PATH_MAX], key_file[PATH_MAX];
    char resident[WIRE_RESIDENT_MAX + 1], endpoint[WIRE_ENDPOINT_MAX + 1];
    int lock;
    bool written; // the configuration, by us
};

// ---- the invitation -----------------------------------------------------------------------------
// One line of standard input; on a terminal it is asked for and not shown.
static enum err read_line(char *line, size_t size, struct diag *d)
{
    struct termios before, quiet;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        fputs("Invitation (it is not shown): ", stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    size_t n = 0;
    ssize_t got = 0;
    while (n < size - 1 && (got = read(STDIN_FILENO, line + n, 1)) == 1 && line[n] != '\n')
        n++;
    line[n] = '\0';
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (got < 0)
        return diag_errno(d, errno, "standard input");
    return n > 0 ? ERR_OK : diag_fail(d, ERR_INVALID, "no invitation on standard input");
}

enum err enrol_read(char *word, struct invite *out, struct diag *d)
{
    char line[1024] = "";
    bool from_input = !word || strcmp(word, "-") == 0;
    enum err e = from_input ? read_line(line, sizeof line, d) : ERR_OK;
    if (e == ERR_OK)
        e = invite_decode(from_input ? line : word, out, d);
    crypto_wipe(line, sizeof line);
    if (!from_input)
        memset(word, 'x', strlen(word));
    return e;
}

// ---- what is here already -----------------------------------------------------------------------
static enum err look_at_config(struct enrolling *x, struct diag *d)
{
    const char *path = x->o->config;
    if (access(path, F_OK) != 0)
        return ERR_OK;
    enum err e = agent_config_load(path, &x->config, d);
    if (e != ERR_OK)
        return e;
    if (memcmp(x->config->collector_key, x->invite->collector_key, KEY_BYTES) != 0)
        return diag_fail(
            d, ERR_INVALID,
            "%s exists and is of another collector (key): it is never overwritten; move it away, or name "
            "another with --config FILE",
            path);
    if (x->o->state && strcmp(x->o->state, x->config->state) != 0)
        return diag_fail(d, ERR_INVALID, "%s exists and says state: %s, not %s", path, x->config->state,
                         x->o->state);
    return ERR_OK;
}

static enum err prepare_state(struct enrolling *x, struct diag *d)
{
    char lock[PATH_MAX];
    uint8_t public_key[KEY_BYTES];
    const char *state = x->config ? x->config->state : x->o->state ? x->o->state : AGENT_STATE_DEFAULT;
    if (strlen(state) >= sizeof x->state || fs_join(x->key_file, PATH_MAX, state, AGENT_KEY_FILE) != ERR_OK ||
        fs_join(lock, sizeof lock, state, AGENT_LOCK_FILE) != ERR_OK)
        return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", state);
    memcpy(x->state, state, strlen(state) + 1);
    enum err e = fs_make_dirs(state, 0750, d);
    if (e == ERR_OK && !x->config)
        e = enrol_check_state(state, d);
    if (e == ERR_OK && (e = fs_lock(lock, &x->lock, d)) == ERR_EXISTS)
        e = diag_fail(d, e, "an esep-agent runs on %s: stop it first", state);
    if (e == ERR_OK) {
        e = crypto_key_file_create(x->key_file, public_key, d);
        e = e == ERR_EXISTS ? ERR_OK : e; // the one that an earlier try has made, or keygen
    }
    return e;
}

// ---- the door -----------------------------------------------------------------------------------
static enum err ask_door(struct enrolling *x, struct diag *d)
{
    char door[INVITE_DOOR_MAX + 8];
    struct ask *a = NULL;
    struct wire_message answer,
        m = {.type = WIRE_ENROL, .enrol = {.protocol = WIRE_PROTOCOL, .version = ESEP_VERSION}};
    snprintf(door, sizeof door, "tcp://%s", x->invite->door);
    struct ask_options o = {.endpoint = door, .key_file = x->key_file};
    memcpy(o.server_key, x->invite->collector_key, KEY_BYTES);
    memcpy(m.enrol.secret, x->invite->secret, sizeof m.enrol.secret);
    enum err e = ask_open(&o, &a, d);
    if (e == ERR_OK)
        e = ask_for(a, &m, WIRE_ENROLLED, DOOR_MS, &answer, d);
    if (e == ERR_OK) {
        snprintf(x->resident, sizeof x->resident, "%s", answer.enrolled.resident);
        snprintf(x->endpoint, sizeof x->endpoint, "%s", answer.enrolled.endpoint);
    }
    crypto_wipe(&m, sizeof m);
    ask_close(a);
    return e;
}

static enum err write_config(struct enrolling *x, struct diag *d)
{
    struct enrol_files f = {
        .config = x->o->config, .state = x->state, .endpoint = x->endpoint, .resident = x->resident};
    memcpy(f.collector_key, x->invite->collector_key, KEY_BYTES);
    if (x->config)
        return ERR_OK;
    enum err e = enrol_write_files(&f, d);
    if (e == ERR_OK)
        e = agent_config_load(x->o->config, &x->config, d);
    x->written = e == ERR_OK;
    return e;
}

// ---- the first word -----------------------------------------------------------------------------
static struct wire_message hello_of(const struct spool_state *s)
{
    return (struct wire_message){.type = WIRE_HELLO,
                                 .hello = {.protocol = WIRE_PROTOCOL,
                                           .version = ESEP_VERSION,
                                           .clock_us = clock_wall(clock_system()).us,
                                           .incarnation = s->incarnation,
                                           .declares = s->declares,
                                           .first_kept = s->first_kept,
                                           .last_written = s->last_written,
                                           .last_acknowledged = s->last_acknowledged,
                                           .last_receipt = s->receipt,
                                           .counters = s->counters}};
}

// Hello, Heartbeat, Hello: the second Welcome says that what was sent before it has arrived.
static enum err greet(struct enrolling *x, const struct spool_state *s, struct diag *d)
{
    struct ask *a = NULL;
    struct wire_message answer, hello = hello_of(s);
    const struct wire_message beat = {
        .type = WIRE_HEARTBEAT, .heartbeat = {.clock_us = hello.hello.clock_us, .counters = s->counters}};
    struct ask_options o = {.endpoint = x->config->endpoint, .key_file = x->key_file};
    memcpy(o.server_key, x->config->collector_key, KEY_BYTES);
    enum err e = ask_open(&o, &a, d);
    if (e == ERR_OK)
        e = ask_for(a, &hello, WIRE_WELCOME, WELCOME_MS, &answer, d);
    if (e == ERR_OK)
        e = ask_tell(a, &beat, d);
    if (e == ERR_OK)
        e = ask_for(a, &hello, WIRE_WELCOME, WELCOME_MS, &answer, d);
    if (e == ERR_OK)
        snprintf(x->resident, sizeof x->resident, "%s", answer.welcome.resident);
    ask_close(a);
    return e;
}

static enum err first_heartbeat(struct enrolling *x, struct diag *d)
{
    const struct agent_config *c = x->config;
    const struct spool_options o = {.max_bytes = c->spool_max_bytes,
                                    .max_age_us = c->spool_max_age_us,
                                    .tail_bytes = SPOOL_TAIL_BYTES,
                                    .tail_age_us = SPOOL_TAIL_US};
    struct spool_opened opened;
    struct spool *spool = NULL;
    struct diag why = {""};
    enum err e = spool_open(c->state, &o, clock_system(), &spool, &opened, d);
    if (e != ERR_OK)
        return e;
    const struct spool_state state = *spool_peek(spool);
    spool_close(spool);
    e = greet(x, &state, &why);
    if (e == ERR_OK)
        return e;
    return diag_fail(d, e,
                     "enrolled as %s, but no first heartbeat got through: %s. esep-agent run goes on trying",
                     x->resident, why.text);
}

enum err enrol(const struct invite *i, const struct enrol_options *o, struct diag *d)
{
    struct enrolling x = {.invite = i, .o = o, .lock = -1};
    enum err e = look_at_config(&x, d);
    if (e == ERR_OK)
        e = prepare_state(&x, d);
    if (e == ERR_OK)
        e = ask_door(&x, d);
    if (e == ERR_OK)
        e = write_config(&x, d);
    if (e == ERR_OK)
        e = first_heartbeat(&x, d);
    if (e == ERR_OK)
        fprintf(o->out,
                "enrolled as %s; the collector at %s has had the first heartbeat\n%s %s; figures go into the "
                "sources it "
                "names\n",
                x.resident, x.config->endpoint, x.written ? "wrote" : "kept", o->config);
    agent_config_free(x.config);
    if (x.lock >= 0)
        fs_unlock(x.lock);
    return e;
}
