// Any text as ledger.head, beside an honest ledger. What loads must store back to the same text, and only the
// head that belongs to the ledger lets it open.
#include "base/fs.h"
#include "store/ledger_head.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store.h"

static void store_back(const struct ledger_head *h, const uint8_t *bytes, size_t len)
{
    char other[FUZZ_PATH], path[FUZZ_PATH];
    char *text = NULL;
    size_t text_len = 0;
    struct ledger_head again;
    fuzz_path("other", other);
    fuzz_path("other/" LEDGER_HEAD, path);
    FUZZ_CHECK(ledger_head_store(other, h, NULL) == ERR_OK);
    FUZZ_CHECK(ledger_head_load(other, &again, NULL) == ERR_OK);
    FUZZ_CHECK(fs_read_file(path, 1u << 16, &text, &text_len, NULL) == ERR_OK);
    FUZZ_CHECK(text_len == len && memcmp(text, bytes, len) == 0);
    free(text);
}

// Whether the ledger opens beside this head; it is closed unchanged.
static bool opens(const char *state)
{
    struct fake_clock clock;
    struct ledger *l;
    struct diag d;
    fake_clock_init(&clock, FUZZ_EPOCH_US + 3600 * US_PER_S);
    if (ledger_open(state, &clock.clock, &l, &d) != ERR_OK) {
        FUZZ_CHECK(d.text[0]);
        return false;
    }
    ledger_close(l);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static char state[FUZZ_PATH], path[FUZZ_PATH], other[FUZZ_PATH];
    static struct ledger_head honest;
    struct ledger_head h;
    struct diag d = {""};
    if (!state[0]) {
        fuzz_path("other", other);
        FUZZ_CHECK(fs_make_dirs(other, 0700, &d) == ERR_OK);
        fuzz_store_make("state");
        fuzz_path("state", state);
        fuzz_path("state/" LEDGER_HEAD, path);
        FUZZ_CHECK(ledger_head_load(state, &honest, &d) == ERR_OK);
    }
    fuzz_write(path, bytes, len);
    enum err e = ledger_head_load(state, &h, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_CORRUPT && d.text[0]));
    if (e == ERR_OK)
        store_back(&h, bytes, len);
    // A ledger is slow to open: each time only for what is a head.
    if (e == ERR_OK || len < 4)
        FUZZ_CHECK(!opens(state) || h.position <= honest.position);
    return 0;
}
