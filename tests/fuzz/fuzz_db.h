// A database as a hostile hand or a dying disk leaves it: values of any type in any column, rows gone, bytes
// of the file changed.
#ifndef ESEP_TESTS_FUZZ_DB_H
#define ESEP_TESTS_FUZZ_DB_H

#include "tests/fuzz/fuzz.h"

// Takes the types' checks (STRICT, CHECK) out of the file's tables, so that a column may hold anything, and
// folds the -wal into the file. Once for a template.
void fuzz_db_loosen(const char *path);
// Changes what the input says, up to its end. False when the input changed nothing.
bool fuzz_db_damage(const char *path, struct fuzz_input *in);

#endif
