// A park's total of two spans, like for like: of those only that belonged to the park throughout both (a
// merged pair together; kpi/membership.h), beside that of everybody. Else a park grows by whoever moves in.
#ifndef ESEP_DASHBOARDS_ALIKE_H
#define ESEP_DASHBOARDS_ALIKE_H

#include "dashboards/computed.h"

struct alike_question {
    bool asked; // like_for_like=1
    struct span period, against;
};
// The parameters like_for_like, period, against. INVALID: the exchange holds the 400. row: of any series.
enum err alike_parse(struct exchange *x, const struct board_row *row, struct alike_question *out) MUST_USE;

struct alike_totals { // of one set of residents
    struct kpi_total period, against;
    struct tally
        change; // one figure or, of sums that none holds, all its digits; empty where either is missing
    struct figure change_per_cent; // of `against`; missing where that is not above 0
};
struct alike {
    struct alike_question question;
    struct alike_totals alike, everybody;
    const struct currency *currency; // NULL: not money
    bool converted;
    const struct park *park; // by whose members it was counted: as it was known by as_of
    struct park *owned;
    bool *in; // of park->residents
};
// currency: the one asked for, NULL: none. alike_free. Errors as computed_read.
enum err alike_read(struct site *s, const struct readers *store, const struct board_row *row,
                    const struct alike_question *q, const struct as_of *as_of,
                    const struct currency *currency, struct alike *out, struct diag *d) MUST_USE;
void alike_free(struct alike *a);

enum alike_why { ALIKE_IN, ALIKE_JOINED, ALIKE_LEFT, ALIKE_MERGED };
// Why a resident is left out; *day: when it joined or left, MEMBERSHIP_STILL of one that another merged into.
enum alike_why alike_why(const struct alike *a, size_t resident, int32_t *day);

#endif
