// The stages of a project, as every park counts them: KPI prj_stage is the stage it is at, prj_stage_done
// with a stage's number as dimension ("5") says how much of that one is done, in per cent. Stages may
// overlap.
#ifndef ESEP_KPI_PROJECT_H
#define ESEP_KPI_PROJECT_H

#include "base/figure.h"
#include <stdbool.h>
#include <stddef.h>

#define PROJECT_KPI      "prj_stage"
#define PROJECT_KPI_DONE "prj_stage_done"

enum project_stage {
    PROJECT_IDEA,
    PROJECT_AGREEMENT,
    PROJECT_DESIGN,
    PROJECT_UTILITIES,
    PROJECT_CONSTRUCTION,
    PROJECT_COMMISSIONING,
    PROJECT_FINISHING,
    PROJECT_LAUNCHED,
    PROJECT_FULL_CAPACITY,
    PROJECT_STAGES
};

struct project { // missing: not reported; {0}: nothing is
    struct figure stage;
    struct figure done[PROJECT_STAGES];
};
// -1: the dimension is no stage's.
int project_stage_parse(const char *dimension);
// The stage as a number 0 .. 8; -1: not reported, or none of them.
int project_stage_of(const struct project *p);

struct project_counts {               // over residents, for a histogram
    unsigned at[PROJECT_STAGES];      // whose stage it is
    unsigned in_work[PROJECT_STAGES]; // more than 0 % and less than 100 % of it are done
    unsigned done[PROJECT_STAGES];    // 100 %
    unsigned known, unknown;          // residents with and without a stage
};
void project_count(struct project_counts *to, const struct project *p);

#endif
