// Any body as the JSON of the bank that answers so.
#include "kpi/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_rates.h"

#define DAY 20527 // 2026-03-15

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_rates_feed(BANK_UZ, DAY, bytes, len);
    return 0;
}
