// A person's report: one figure of one period, given by hand to `esep-agent report`. The running agent is
// asked over a socket in its state folder; where none runs, the command does the same itself.
#ifndef ESEP_AGENT_REPORT_H
#define ESEP_AGENT_REPORT_H

#include "agent/config.h"
#include "agent/sampler.h"
#include <stdio.h>

#define REPORT_REQUEST_MAX 4096 // of its JSON text
#define REPORT_ANSWER_MAX  1024

struct report_request { // texts as they were written; "" where nothing was
    const char *series, *value, *period;
    const char *status, *reason, *author, *published;
    bool revise, confidential;
};

// JSON text, NUL-terminated, of at most REPORT_REQUEST_MAX bytes; the caller frees. TOO_BIG, NOMEM.
enum err report_encode(const struct report_request *r, char **out, struct diag *d) MUST_USE;
// The texts are owned by *holder until report_forget. INVALID.
enum err report_decode(const char *bytes, size_t len, struct report_request *out, void **holder,
                       struct diag *d) MUST_USE;
void report_forget(void *holder);

// Into the spool, on disk when it returns OK; said: what was reported, as a sentence. INVALID: something is
// wrong with it; CONFLICT: the period has a figure already; FULL, AGAIN, IO, CORRUPT as the spool.
enum err sampler_report(struct sampler *s, const struct report_request *r, char said[REPORT_ANSWER_MAX],
                        struct diag *d) MUST_USE;

// What the command does: asks the running agent, or opens the spool itself. Prints what was reported.
enum err report_run(const struct agent_config *config, const struct report_request *r, FILE *out,
                    struct diag *d) MUST_USE;

#endif
