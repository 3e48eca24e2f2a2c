// Whether two decoded messages say the same, field by field: what a comparison of their bytes cannot show
// when one encoder made both.
#ifndef ESEP_TESTS_WIRE_EQUAL_H
#define ESEP_TESTS_WIRE_EQUAL_H

#include "wire/message.h"

bool wire_message_equal(const struct wire_message *a, const struct wire_message *b);

#endif
