// The command line of esep-collector. Each command returns the process's exit code: 0 done, 1 failed, 2 wrong
// usage or configuration, 70 a bug.
#ifndef ESEP_COLLECTOR_COMMANDS_H
#define ESEP_COLLECTOR_COMMANDS_H

#include "base/clock.h"
#include "collector/config.h"
#include "store/audit.h"
#include <jansson.h>
#include <stdbool.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 70 };

struct command_line {
    const char *config; // path
    const char *from, *to, *format, *receipt, *agent, *event, *expires;
    const char *period, *reason, *kpi, *status, *published, *currency, *unit, *author, *request;
    bool json, file, released, next, promote, revise, confidential, confirm;
    char **words; // after the command's name
    int word_count;
};

int collector_main(int argc, char **argv);

// Prints "esep-collector: text" on stderr and returns the exit code that fits e.
int collector_complain(enum err e, const struct diag *d);

int collector_command_run(const struct command_line *line, const struct collector_config *c);
int collector_command_check(const struct command_line *line, const struct collector_config *c);
int collector_command_keygen(const struct command_line *line, const struct collector_config *c);
int collector_command_admit(const struct command_line *line, const struct collector_config *c);
int collector_command_agents(const struct command_line *line, const struct collector_config *c);
int collector_command_revoke(const struct command_line *line, const struct collector_config *c);
int collector_command_invite(const struct command_line *line, const struct collector_config *c);
int collector_command_invites(const struct command_line *line, const struct collector_config *c);
int collector_command_withdraw(const struct command_line *line, const struct collector_config *c);
int collector_command_move(const struct command_line *line, const struct collector_config *c);
int collector_command_status(const struct command_line *line, const struct collector_config *c);
int collector_command_query(const struct command_line *line, const struct collector_config *c);
int collector_command_rebuild(const struct command_line *line, const struct collector_config *c);
int collector_command_quarantine(const struct command_line *line, const struct collector_config *c);
int collector_command_verify(const struct command_line *line, const struct collector_config *c);

int collector_command_rates(const struct command_line *line, const struct collector_config *c);
int collector_command_report(const struct command_line *line, const struct collector_config *c);
int collector_command_close(const struct command_line *line, const struct collector_config *c);
int collector_command_reopen(const struct command_line *line, const struct collector_config *c);
int collector_command_closures(const struct command_line *line, const struct collector_config *c);
int collector_command_clock(const struct command_line *line, const struct collector_config *c);
int collector_command_audit(const struct command_line *line, const struct collector_config *c);

// For the commands: who runs this one ("uid:0 root"), as the audit log names them; an entry of its own, done,
// by the running collector or under its lock.
#define COMMAND_WHO 128
void collector_command_who(char out[COMMAND_WHO]);
enum err collector_command_record(const struct collector_config *c, enum audit_event event,
                                  const char *object, const char *detail, struct diag *d) MUST_USE;
// Who asks, as well as the system can tell: at most WIRE_AUTHOR_MAX bytes.
void collector_author(char out[64]);
// Warns on stderr when no park file names the resident.
struct series_name;
void collector_warn_unknown(const struct collector_config *c, const struct series_name *name);
// A change of the ledger by a command while no collector runs, under its lock.
struct ledger;
typedef enum err (*collector_change)(struct ledger *l, const char *who, void *ctx, struct diag *d);
enum err collector_change_offline(const struct collector_config *c, collector_change what, void *ctx,
                                  struct diag *d) MUST_USE;
// The agent that PARK/RESIDENT#n, #n or PARK/RESIDENT (where it has but one) means, as of `agents` in a
// status. NOT_FOUND, CONFLICT: several, the diag lists them.
enum err collector_find_agent(const json_t *agents, const char *text, int64_t *agent_id,
                              struct diag *d) MUST_USE;

// For the commands: the state of what runs, or of the stopped collector's files. *running says which.
enum err collector_fetch_status(const struct collector_config *c, json_t **out, bool *running,
                                struct diag *d) MUST_USE;
// How far a long command has come, on a terminal only (stderr).
struct command_progress {
    struct mono begun, shown_at;
    bool shown;
};
void collector_progress_init(struct command_progress *p);
void collector_progress_show(struct command_progress *p, const char *what, uint64_t done, uint64_t total);
void collector_progress_end(const struct command_progress *p);

// A request to the running collector; its JSON answer in *out. CLOSED: nothing runs. Other errors: what it
// answered.
enum err collector_ask(const struct collector_config *c, const json_t *request, int timeout_ms, json_t **out,
                       struct diag *d) MUST_USE;

#endif
