// Shared by config*.c only: the shape of `rates` in collector.yaml.
#ifndef ESEP_COLLECTOR_CONFIG_RATES_FILE_H
#define ESEP_COLLECTOR_CONFIG_RATES_FILE_H

#include "base/config.h"

struct collector_rates_bank_file {
    char *bank, *url;
};
struct collector_rates_file {
    char *hour, *since;
    struct collector_rates_bank_file *banks;
    unsigned banks_count;
};
extern const cyaml_schema_field_t collector_rates_fields[];

#endif
