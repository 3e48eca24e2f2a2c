// Any text as the ledger's document of rates: what reads is written as the same rates again.
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_rates.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct rates r;
    struct diag d = {""};
    char *text = fuzz_string(bytes, len);
    if (rates_read(text, len, &r, &d) == ERR_OK)
        fuzz_rates_check(&r);
    else
        FUZZ_CHECK(d.text[0] != '\0');
    free(text);
    return 0;
}
