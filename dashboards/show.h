// Figures, units and moments as people of a language read them. Exact forms lose no digit; short forms are
// for tiles and always stand beside an exact one. All results are plain text: escape before they become
// markup.
#ifndef ESEP_DASHBOARDS_SHOW_H
#define ESEP_DASHBOARDS_SHOW_H

#include "base/figure.h"
#include "kpi/catalogue.h"
#include "kpi/convert.h"
#include "kpi/money.h"
#include "kpi/period.h"
#include "kpi/zone.h"
#include <stdint.h>

#define SHOW_TEXT 400

struct measure {                     // what a figure is measured in
    const struct kpi_unit *unit;     // NULL: not in the catalogue
    const char *unit_code;           // as the series declares it
    const struct currency *currency; // NULL: not money, or a currency we don't know
    const char *currency_code;       // "" unless money
};
// Digits after the decimal point that minor units have; 0 unless money.
int measure_decimals(const struct measure *m);
// "persons", "KZT", "%"; "" for none.
void show_unit(char out[SHOW_TEXT], const struct measure *m, enum lang lang);

// Every digit, grouped: "1,234,567.50" in English, "1 234 567,50" elsewhere. The word for unknown when
// missing.
void show_number(char out[SHOW_TEXT], struct figure f, int decimals, enum lang lang);
// The same with its unit: "412 persons".
void show_exact(char out[SHOW_TEXT], struct figure f, const struct measure *m, enum lang lang);
// The same from the decimal text of a sum that no figure can hold ("" is missing): "12,345,678,901,234,567
// KZT".
void show_decimal(char out[SHOW_TEXT], const char *decimal, const struct measure *m, enum lang lang);
// For tiles, without the unit: "17 bn", "92.2"; whole money without ".00"; at most four significant digits
// from a million on.
void show_short(char out[SHOW_TEXT], struct figure f, const struct measure *m, enum lang lang);
// "17.5%" from 17.512…: rounded half to even to one digit after the point, from 1000 on to none; what is
// below 100 never shows as 100, what is not 0 never as 0.
void show_per_cent(char out[SHOW_TEXT], struct figure per_cent, enum lang lang);

// "1 USD = 12,650.5 UZS" in English, "1 USD = 12 650,5 UZS" elsewhere.
void show_rate(char out[SHOW_TEXT], const struct conversion *c, enum lang lang);

// "12 s ago"; a moment ahead of now, or less than 2 s back, is "just now".
void show_ago(char out[SHOW_TEXT], int64_t then_us, int64_t now_us, enum lang lang);
// "2026-03-14 09:30:10" in that zone.
void show_moment(char out[SHOW_TEXT], int64_t utc_s, const struct zone *z);
void show_day(char out[SHOW_TEXT], int32_t day);
// "Commissioning" of stage 5 of a project, 0 .. 8.
const char *show_project_stage(int stage, enum lang lang);
// How often a series speaks: "every 10 s", "monthly report".
void show_rhythm(char out[SHOW_TEXT], uint32_t step_s, enum period_kind period, enum lang lang);

#endif
