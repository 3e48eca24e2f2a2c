// Texts of people's files and programs → figures and times. Shared by the kinds of sources.
#ifndef ESEP_AGENT_SOURCES_FIGURES_H
#define ESEP_AGENT_SOURCES_FIGURES_H

#include "agent/config.h"
#include "base/clock.h"
#include "base/figure.h"
#include <stdbool.h>

// UTF-8 text of a cell or word → figure: in the currency's minor units for money, exactly. decimal is '.' or
// ','; with ',' blanks (space, no-break space, thin space) may group thousands. *nothing is set when the text
// says that there is no figure:
// "", "-", "н/д", "n/a", "..." and the like. INVALID with a diag that quotes the text.
enum err figures_value(const char *text, char decimal, const struct agent_series *s, struct figure *out,
                       bool *nothing, struct diag *d) MUST_USE;

// A measurement's time: whole seconds since 1970, or "2026-03-01T12:00:00Z". INVALID.
enum err figures_measurement_time(const char *text, int64_t *out, struct diag *d) MUST_USE;
// A report's time: the period's own text, or a date inside it → its first day. INVALID.
enum err figures_report_time(const char *text, enum period_kind kind, int64_t *out, struct diag *d) MUST_USE;
// When something was published: a moment in UTC as above, or a day or period, of which its first instant
// (UTC) is meant → microseconds since 1970. INVALID.
enum err figures_published(const char *text, int64_t *us, struct diag *d) MUST_USE;
// Whichever the series is of.
enum err figures_time(const char *text, const struct agent_series *s, int64_t *out, struct diag *d) MUST_USE;
// Of a measurement's time: by this clock it can't have been yet, and a collector of the same time refuses it.
bool figures_is_ahead(const struct clock *clock, int64_t time_s);

#endif
