// cmocka.h needs these first and does not say so.
#ifndef ESEP_TESTS_CMOCKA_H
#define ESEP_TESTS_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
