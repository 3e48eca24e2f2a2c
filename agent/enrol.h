// `esep-agent enrol`: an invitation becomes a key that the collector knows and a configuration that works.
#ifndef ESEP_AGENT_ENROL_H
#define ESEP_AGENT_ENROL_H

#include "base/err.h"
#include "wire/invite.h"
#include <stdio.h>

#define AGENT_STATE_DEFAULT "/var/lib/esep-agent"

struct enrol_options {
    const char
        *config; // written when it is not there; else it must be of the invitation's collector, and is kept
    const char *state; // NULL: the configuration's, or the default
    FILE *out;
};
// Idempotent: after any failure the same call goes on where it stopped. INVALID: the configuration that is
// there; EXISTS: an agent runs on the state folder; DENIED: the collector refuses, for good; TIMEOUT: nobody
// answered.
enum err enrol(const struct invite *i, const struct enrol_options *o, struct diag *d) MUST_USE;

// The invitation's text: word, or ("-" or NULL) a line of standard input, asked for without echo on a
// terminal. The word is overwritten, so that it is not seen in the list of processes any longer. Wipe *out.
enum err enrol_read(char *word, struct invite *out, struct diag *d) MUST_USE;

// enrol_files.c: a configuration that `check` accepts, and the empty file of figures that it reads. EXISTS is
// success for the second, an error for the first.
struct enrol_files {
    const char *config, *state, *endpoint, *resident;
    uint8_t collector_key[KEY_BYTES];
};
// INVALID: the folder's path can't be written into one. Asked before anything is enrolled.
enum err enrol_check_state(const char *state, struct diag *d) MUST_USE;
enum err enrol_write_files(const struct enrol_files *f, struct diag *d) MUST_USE;

#endif
