// Neither figure is made from the other: a project at stage 5 may well have stage 3 unfinished, and one that
// reports no stage has none, whatever it says of its parts.
#include "kpi/project.h"

int project_stage_parse(const char *dimension)
{
    if (dimension[0] < '0' || dimension[0] >= '0' + PROJECT_STAGES || dimension[1] != '\0')
        return -1;
    return dimension[0] - '0';
}

int project_stage_of(const struct project *p)
{
    double stage = figure_to_real(p->stage);

    if (p->stage.kind == FIGURE_MISSING || stage < 0 || stage >= PROJECT_STAGES)
        return -1;
    return (int)stage;
}

void project_count(struct project_counts *to, const struct project *p)
{
    int stage = project_stage_of(p);

    if (stage >= 0) {
        to->at[stage]++;
        to->known++;
    } else {
        to->unknown++;
    }
    for (size_t i = 0; i < PROJECT_STAGES; i++) {
        double done = p->done[i].kind != FIGURE_MISSING ? figure_to_real(p->done[i]) : 0;
        to->in_work[i] += done > 0 && done < 100;
        to->done[i] += done >= 100;
    }
}
