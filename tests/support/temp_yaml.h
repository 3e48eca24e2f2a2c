// A YAML file for a test, with one place of a good text changed, and what loading it must say.
#ifndef ESEP_TESTS_SUPPORT_TEMP_YAML_H
#define ESEP_TESTS_SUPPORT_TEMP_YAML_H

#include "base/err.h"

#define TEMP_YAML_PATH 512

// One change and the error it must bring.
struct yaml_case {
    const char *from; // must be in the text exactly once
    const char *to;
    const char *place; // "13:11: kpis[0].unit: "
    const char *says;  // somewhere after it
};

// A folder of its own under TMPDIR; remove it with its files.
void temp_folder_create(char path[TEMP_YAML_PATH]);
void temp_folder_remove(const char *path);
// Writes folder/name with the text, `from` changed into `to` (NULL: as it is); the path is put out.
void temp_yaml_write(const char *folder, const char *name, const char *text, const char *from, const char *to,
                     char path[TEMP_YAML_PATH]);
// Fails the test unless e is INVALID and d is "<path>:<place><…says…>".
void expect_yaml_error(const struct yaml_case *c, const char *path, enum err e, const struct diag *d);

#endif
