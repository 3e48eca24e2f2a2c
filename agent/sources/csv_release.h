// A folder of releases: one file each, named by its period ("2013-12.csv"). They are read one after the
// other, oldest first, each once; the newest one again when it changes.
#ifndef ESEP_AGENT_SOURCES_CSV_RELEASE_H
#define ESEP_AGENT_SOURCES_CSV_RELEASE_H

#include "agent/harvest.h"
#include "kpi/period.h"
#include <limits.h>

#define CSV_RELEASE_MARK  "{release}"
#define CSV_RELEASE_BYTES 64 // of a stored position

struct csv_release { // which one is read; all zero: none yet
    struct period period;
    uint32_t older; // releases in the folder up to this one, itself included
};

struct csv_release_choice {
    struct csv_release release;
    char path[PATH_MAX];
    bool next; // one that was not read yet; else the one read last, once more
    bool more; // there is one after it
};

// What to read after `done`. False: nothing is there (an error in h when the folder cannot be read). An older
// release than the one read last is an error too: its figures would be taken for newer ones.
bool csv_release_choose(const char *template, const struct csv_release *done, struct csv_release_choice *out,
                        struct harvest *h);
// Microseconds since 1970 of a release's first day, 00:00 UTC: what it was published at.
int64_t csv_release_published_us(const struct csv_release *r);

size_t csv_release_encode(const struct csv_release *r, char out[CSV_RELEASE_BYTES]);
enum err csv_release_decode(const void *bytes, size_t len, struct csv_release *out) MUST_USE; // CORRUPT

#endif
