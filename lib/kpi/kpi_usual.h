// A KPI's keys class, every and archives: part of the catalogue's inside.
#ifndef ESEP_KPI_KPI_USUAL_H
#define ESEP_KPI_KPI_USUAL_H

#include "kpi/place.h"

struct kpi_usual_text { // as in the file; NULL: left out
    const char *class, *every, *archives;
};
// Sets class, step_s, period and archives of k, whose kind is known. INVALID.
enum err kpi_usual_load(const struct place *p, const struct kpi_usual_text *t, struct kpi *k) MUST_USE;

#endif
