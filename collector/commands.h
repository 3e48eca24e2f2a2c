// The command line of esep-collector. Each command returns the process's exit code: 0 done, 1 failed, 2 wrong
// usage or configuration, 70 a bug.
#ifndef ESEP_COLLECTOR_COMMANDS_H
#define ESEP_COLLECTOR_COMMANDS_H

#include "collector/config.h"
#include <jansson.h>
#include <stdbool.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERNAL = 70 };

struct command_line {
    const char *config; // path
    const char *from, *to, *format;
    bool json, file;
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
int collector_command_status(const struct command_line *line, const struct collector_config *c);
int collector_command_query(const struct command_line *line, const struct collector_config *c);
int collector_command_rebuild(const struct command_line *line, const struct collector_config *c);
int collector_command_verify(const struct command_line *line, const struct collector_config *c);

// For the commands: the state of what runs, or of the stopped collector's files. *running says which.
enum err collector_fetch_status(const struct collector_config *c, json_t **out, bool *running,
                                struct diag *d) MUST_USE;
// A request to the running collector; its JSON answer in *out. CLOSED: nothing runs. Other errors: what it
// answered.
enum err collector_ask(const struct collector_config *c, const json_t *request, int timeout_ms, json_t **out,
                       struct diag *d) MUST_USE;

#endif
