// Any text as a figure that somebody writes, as the ledger's document of a closing, of a confirmed clock:
// what is read is written back as the same.
#include "collector/clock_guard.h"
#include "kpi/closure.h"
#include "kpi/entry.h"
#include "tests/fuzz/fuzz.h"

static void as_entry(const char *text, const struct currency *money)
{
    struct figure f, again;
    char written[FIGURE_TEXT];
    enum entry_fault fault = entry_parse(text, money, &f);
    FUZZ_CHECK((unsigned)fault < ENTRY_FAULTS);
    if (fault != ENTRY_FINE) {
        FUZZ_CHECK(*entry_fault_text(fault));
        return;
    }
    FUZZ_CHECK(f.kind != FIGURE_MISSING && (!money || f.kind == FIGURE_INTEGER));
    figure_text_scaled(f, money ? money->decimals : 0, written);
    FUZZ_CHECK((money ? money_parse(written, money, &again) : figure_parse(written, &again)) == ERR_OK);
    FUZZ_CHECK(figure_equal(f, again));
}

static void as_closure(const char *text, size_t len)
{
    struct closure c, again;
    struct diag d = {""};
    struct buf out;
    if (closure_read(text, len, &c, &d) != ERR_OK) {
        FUZZ_CHECK(d.text[0]);
        return;
    }
    FUZZ_CHECK(period_valid(c.period));
    buf_init(&out, CLOSURE_DOCUMENT_MAX);
    if (closure_write(&c, &out) == ERR_OK) { // a reason with control characters is read and never written
        FUZZ_CHECK(closure_read(out.data, out.len, &again, &d) == ERR_OK);
        FUZZ_CHECK(c.period.kind == again.period.kind && c.period.start == again.period.start);
        FUZZ_CHECK(c.reopens == again.reopens && strcmp(c.kpi, again.kpi) == 0 &&
                   strcmp(c.reason, again.reason) == 0);
    }
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    int64_t last_us, at_us;
    char *text = fuzz_string(bytes, len);
    as_entry(text, NULL);
    as_entry(text, currency_find("KZT"));
    as_closure((const char *)bytes, len);
    if (clock_document_read(bytes, len, &last_us, &at_us) == ERR_OK)
        FUZZ_CHECK(last_us > 0 && at_us > 0);
    free(text);
    return 0;
}
