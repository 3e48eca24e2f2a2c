// Any text as a formula. What parses is within its bounds, names only codes, and comes to a number or a
// reason whatever its parts are; what does not parse is refused at a place within the text.
#include "kpi/formula.h"
#include "tests/fuzz/fuzz.h"
#include <math.h>

// Small, huge, real, zero and missing, by the index and a byte of the input.
static struct fraction some(size_t i, uint8_t by)
{
    switch ((i + by) % 6) {
    case 0:
        return fraction_whole((int128)by - 3);
    case 1:
        return fraction_whole(((int128)1 << 126) / (by + 1));
    case 2:
        return fraction_real(0.1 * by);
    case 3:
        return fraction_ratio(by, 7);
    case 4:
        return fraction_real(1e300);
    default:
        return by % 5 ? fraction_whole(0) : fraction_missing();
    }
}

static void evaluate(const struct formula *f, uint8_t by)
{
    struct fraction parts[FORMULA_OPS_MAX];
    bool missing = false;
    for (size_t i = 0; i < formula_part_count(f); i++) {
        parts[i] = some(i, by);
        missing |= !parts[i].known;
    }
    struct formula_result r = formula_evaluate(f, parts);
    FUZZ_CHECK((r.why == FORMULA_KNOWN) == r.value.known && (r.why == FORMULA_MISSING) == missing);
    FUZZ_CHECK((r.part != NULL) == missing && (!r.value.known || r.value.exact || isfinite(r.value.real)));
    FUZZ_CHECK(!r.value.exact || r.value.bottom > 0);
    struct figure nearest = fraction_figure(r.value), whole = fraction_rounded(r.value);
    FUZZ_CHECK(r.value.known || (nearest.kind == FIGURE_MISSING && whole.kind == FIGURE_MISSING));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *text = fuzz_string(bytes, len);
    struct formula *f = NULL;
    struct diag d = {""};
    size_t at = 0;
    enum err e = formula_parse(text, &f, &at, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && *d.text && at <= strlen(text)));
    if (e == ERR_OK) {
        FUZZ_CHECK(formula_part_count(f) <= FORMULA_OPS_MAX);
        for (size_t i = 0; i < formula_part_count(f); i++)
            FUZZ_CHECK(formula_part_at(f, i)->at < strlen(text) && *formula_part_at(f, i)->kpi);
        for (uint8_t by = 0; by < 12; by++)
            evaluate(f, by);
    }
    formula_free(f);
    free(text);
    return 0;
}
