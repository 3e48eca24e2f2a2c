// The KPI catalogue (deploy/catalogue.yaml): what each KPI is, in which unit, and how it rolls up.
// Immutable after loading; any thread may read.
#ifndef ESEP_KPI_CATALOGUE_H
#define ESEP_KPI_CATALOGUE_H

#include "base/err.h"
#include "base/figure.h"
#include "kpi/period.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum lang { LANG_EN, LANG_RU, LANG_KK, LANG_UZ, LANG_KY, LANG_COUNT };
const char *lang_code(enum lang l); // "en" …
enum err lang_parse(const char *text, enum lang *out) MUST_USE;

struct names { // never NULL; English where a translation is absent
    const char *text[LANG_COUNT];
};

enum kpi_kind { KPI_LEVEL, KPI_FLOW, KPI_COMPUTED };
enum kpi_topic { TOPIC_OUTPUT, TOPIC_JOBS, TOPIC_INVESTMENT, TOPIC_PARK };
enum kpi_rollup { // over time, and over residents
    ROLLUP_NONE,  // never rolled up
    ROLLUP_SUM,
    ROLLUP_LAST,     // over time: the last known value
    ROLLUP_WEIGHTED, // mean weighted by another KPI
    ROLLUP_RATIO,    // computed anew from its rolled-up parts, never averaged
    ROLLUP_HISTOGRAM // over residents: how many are at each value
};
enum kpi_class { // how its figures usually come
    KPI_CLASS_UNSAID,
    KPI_MEASUREMENT,
    KPI_REPORT,
    KPI_MADE // it is computed
};
enum kpi_archives { // what its round-robin files keep (store/README.md has the table)
    ARCHIVES_UNSAID,
    ARCHIVES_MACHINE,  // the step for 8 to 35 days, 5 minutes for 35, hours for 2 years, days for 20
    ARCHIVES_CALENDAR, // days for 40 years
    ARCHIVES_NONE      // it has no file
};
enum kpi_direction { DIRECTION_NONE, DIRECTION_UP, DIRECTION_DOWN }; // which way is better

struct formula;
struct kpi_unit {
    const char *code; // "piece" "person" "percent" "money" "second" …; "any": the series says
    struct names names;
    const char *okei;  // "796", "" when there is none
    const char *unece; // "H87"
};

struct kpi {
    const char *code;
    struct names names;
    enum kpi_topic topic;
    enum kpi_kind kind;
    const struct kpi_unit *unit;
    bool money;       // unit is money: integers in minor units, a currency is required
    bool per_product; // dimensions are unlike things: never summed over dimensions or residents
    enum kpi_rollup over_time;
    enum kpi_rollup over_residents;
    const char *weight;              // the weighting KPI's code for ROLLUP_WEIGHTED, else ""
    const char *formula;             // for computed KPIs, else ""
    const struct formula *computing; // the same, parsed; its parts are KPIs that are not computed; else NULL
    enum kpi_direction direction;
    enum kpi_class class;
    uint32_t step_s;         // of a measurement, as it usually is; 0: not said
    enum period_kind period; // of a report; PERIOD_NONE: not said
    enum kpi_archives archives;
    struct figure min, max; // bounds of a sample, both allowed values; missing: none. Money: minor units
};

// "level" …, "output" …, "sum" …, "up" …, as in the file.
const char *kpi_kind_name(enum kpi_kind k);
const char *kpi_topic_name(enum kpi_topic t);
const char *kpi_rollup_name(enum kpi_rollup r);
const char *kpi_direction_name(enum kpi_direction d);

struct catalogue;
// NOT_FOUND, INVALID with file:line:column.
enum err catalogue_load(const char *path, struct catalogue **out, struct diag *d) MUST_USE;
void catalogue_free(struct catalogue *c);
const struct kpi *catalogue_find(const struct catalogue *c, const char *code); // NULL: not there
const struct kpi_unit *catalogue_unit(const struct catalogue *c, const char *code);
size_t catalogue_unit_count(const struct catalogue *c);
const struct kpi_unit *catalogue_unit_at(const struct catalogue *c, size_t i);
size_t catalogue_count(const struct catalogue *c);
const struct kpi *catalogue_at(const struct catalogue *c, size_t i);

#endif
