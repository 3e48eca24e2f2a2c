// Any body as the XML of each bank. What is taken for rates is what the ledger's document can hold.
#include "kpi/feed.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_rates.h"

#define DAY 20527 // 2026-03-15

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const enum bank banks[] = {BANK_KZ, BANK_RU, BANK_KG};
    for (size_t i = 0; i < sizeof banks / sizeof *banks; i++)
        fuzz_rates_feed(banks[i], DAY, bytes, len);
    return 0;
}
