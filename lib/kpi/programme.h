// What a park runs besides its plants: funnels that people or companies pass, projects' stages, registers of
// what is there. Each step may be bound to figures. Part of struct park.
#ifndef ESEP_KPI_PROGRAMME_H
#define ESEP_KPI_PROGRAMME_H

#include "base/figure.h"
#include "kpi/catalogue.h"

enum programme_kind {
    PROGRAMME_FUNNEL,  // people or companies pass the stages, fewer at each
    PROGRAMME_STAGES,  // a project goes through the stages
    PROGRAMME_REGISTER // the entries stand beside each other: facilities, directions
};
const char *programme_kind_name(enum programme_kind k);

struct programme_step { // the figures of a stage
    const char *kpi;    // "": none is collected
    const char *dimension;
    const char *resident; // "": the sum over the park's members
    int project_stage;    // of enum project_stage (project.h): residents that have completed it; -1: not so
};

struct programme {
    const char *id;
    enum programme_kind kind;
    struct names names;
    size_t stage_count;
    struct names *stages;
    struct programme_step *steps; // as many as stages; NULL: no figures are bound to it
    bool overlap;                 // stages may run at the same time
    const char *assumed;          // what we assumed beyond the source, "" when nothing
    const char *note;
    const char *source;
};

// A funnel's arithmetic: each share anew from its two counts, so that shares of a year are none of its
// months'.
struct funnel_step {
    struct figure count; // missing: not reported, which is not nobody
    struct figure share; // per cent of the step before; missing: first, either count is missing, or it was 0
    bool odd;            // more than at the step before: shown as reported, and marked
};
void funnel_fill(const struct figure counts[], size_t count, struct funnel_step out[]);

#endif
