// What the ledger holds, read as any reader does, to compare with what the sources made.
#ifndef ESEP_TESTS_FLOW_STORED_H
#define ESEP_TESTS_FLOW_STORED_H

#include "store/reader.h"

struct stored_sample {
    int64_t time;
    struct figure value;
    uint64_t position;
};
struct stored { // the accepted samples of one series, in ledger order
    const char *series;
    struct stored_sample *samples; // owned
    size_t count, cap;
};

// Fails the test when the ledger cannot be read to its end.
void stored_read(const char *state, const char *series, struct stored *out);
void stored_free(struct stored *s);

#endif
