// Decimal text for a value that librrd is to store as exactly as it can.
#ifndef ESEP_STORE_RRD_NUMBER_H
#define ESEP_STORE_RRD_NUMBER_H

#include <stdint.h>

#define RRD_NUMBER_TEXT 32

// For a file of this step: digits and an exponent, no decimal point, whatever the locale. Finite values only.
// Whole numbers up to 2^53 ÷ (odd part of the step) are stored bit-equal; anything else within 1 ulp, but for
// about 1 in 100 values of 16 and 17 significant digits, which are 2 off.
void rrd_number_text(double value, uint32_t step_s, char out[RRD_NUMBER_TEXT]);

#endif
