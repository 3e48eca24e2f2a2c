// What was refused and is not yet in the audit log. A burst is told as one entry with its number, but of each
// who and kind its own: nobody hides behind another's refusals. Bounded: strangers, who can come from as many
// addresses as they like, have no place among those who are known; beyond its places each kind has one for
// several. No lock, clock or thread inside.
#ifndef ESEP_DASHBOARDS_REFUSALS_H
#define ESEP_DASHBOARDS_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REFUSALS_EACH   32 // strangers, and as many who are known
#define REFUSALS_KINDS  5  // of enum audit_what
#define REFUSALS_PER_S  8  // told at most, whoever it is
#define REFUSALS_WHO    96 // the collector takes no more
#define REFUSALS_OBJECT 200

struct refusal {
    int kind;
    bool known;     // by a session or a token
    char whose[64]; // the user or token, of a stranger the address: told apart by it
    char who[REFUSALS_WHO], object[REFUSALS_OBJECT], detail[64];
    uint64_t count; // since it was told
    int64_t told_us, seen_us;
};

struct refusals {
    struct refusal at[2 * REFUSALS_EACH];
    struct refusal several[REFUSALS_KINDS];
    uint64_t waiting; // counted and not told
    int64_t second_us;
    unsigned told; // since then
};

// r: kind, known, whose, who, object, detail.
void refusals_count(struct refusals *all, const struct refusal *r, int64_t now_us);
// The one to be told now, which is then taken as told: of each at most one a second, or whatever is left
// (the end). False: none.
bool refusals_take(struct refusals *all, int64_t now_us, bool end, struct refusal *out);

#endif
