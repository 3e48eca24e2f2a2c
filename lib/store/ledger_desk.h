// What the built-in agent `desk` writes: figures that people report. It is an agent of each resident, without
// a key, with one stream, so that its rows are rows like any other; a series that an agent owns may be named
// in it all the same. And the requests that were stored, so that one that is repeated is stored once.
// Everything happens inside a transaction but for the question.
#ifndef ESEP_STORE_LEDGER_DESK_H
#define ESEP_STORE_LEDGER_DESK_H

#include "store/ledger.h"

#define LEDGER_DESK_STREAM "desk" // its incarnation

// The resident's desk, made at first use. INVALID: not park/resident.
enum err ledger_desk_open(struct ledger *l, const char *resident, struct ledger_stream *out,
                          struct diag *d) MUST_USE;
// The series by its full name, also outside a transaction. NOT_FOUND.
enum err ledger_desk_series(struct ledger *l, const char *name, struct ledger_series *out,
                            struct diag *d) MUST_USE;
// The number that the series has in the desk's stream; it is declared where it has none. A new series is the
// desk's until an agent sends it. Errors as ledger_declare.
enum err ledger_desk_number(struct ledger *l, const struct ledger_stream *desk,
                            const struct ledger_series *wanted, uint32_t *number, struct ledger_series *out,
                            struct diag *d) MUST_USE;

struct ledger_desk_request {
    uint8_t id[HASH_BYTES];      // of who asked and what they called it
    uint8_t content[HASH_BYTES]; // of what was asked
    uint64_t position;           // of the row it made
};
// id in, the rest out. NOT_FOUND.
enum err ledger_desk_find(struct ledger *l, struct ledger_desk_request *r, struct diag *d) MUST_USE;
enum err ledger_desk_note(struct ledger *l, const struct ledger_desk_request *r, struct diag *d) MUST_USE;

#endif
