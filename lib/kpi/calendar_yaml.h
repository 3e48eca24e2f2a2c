// The key `calendar` of a park's file → struct calendar. Used by park.c alone.
#ifndef ESEP_KPI_CALENDAR_YAML_H
#define ESEP_KPI_CALENDAR_YAML_H

#include "kpi/calendar.h"
#include "kpi/place.h"

struct yaml_calendar {
    char **weekend, **holidays, **working, *assumed;
    int32_t fiscal_year_from;
    uint32_t weekend_count, holidays_count, working_count;
};
extern const cyaml_schema_field_t calendar_yaml_fields[];

// raw NULL: the file says nothing, calendar_default. *out owns its days; the note borrows from raw.
enum err calendar_yaml_take(const char *file, struct diag *d, const struct yaml_calendar *raw,
                            struct calendar *out) MUST_USE;
void calendar_yaml_free(struct calendar *c);

#endif
