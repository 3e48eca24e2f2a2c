// What the agent keeps between its runs, read back damaged: a schedule, the value reported last, and the
// status texts. And any text as a source's error: status must be able to carry it.
#include "agent/harvest.h"
#include "agent/schedule.h"
#include "agent/sources/reported.h"
#include "agent/status.h"
#include "tests/fuzz/fuzz.h"

static void schedules(const uint8_t *bytes, size_t len)
{
    static const int64_t every[] = {1, 10, 60, 3600, 86400};
    for (size_t i = 0; i < sizeof every / sizeof *every; i++) {
        struct schedule s;
        uint8_t again[SCHEDULE_BYTES_MAX];
        int64_t tick;
        schedule_init(&s, every[i]);
        enum err e = schedule_decode(&s, bytes, len);
        FUZZ_CHECK(e == ERR_OK || e == ERR_INVALID);
        for (int64_t us = INT64_C(1772366400000000), n = 0; n < 4; n++, us += 7 * every[i] * US_PER_S) {
            struct wall now = {n == 2 ? us - 100 * every[i] * US_PER_S : us};
            if (schedule_take(&s, now, &tick))
                FUZZ_CHECK(tick % every[i] == 0 && tick <= now.us / US_PER_S);
            FUZZ_CHECK(!schedule_take(&s, now, &tick));
            FUZZ_CHECK(schedule_next(&s, now).us > now.us);
        }
        size_t n = schedule_encode(&s, again);
        FUZZ_CHECK(n <= sizeof again && schedule_decode(&s, again, n) == ERR_OK);
    }
}

static void reported(const uint8_t *bytes, size_t len)
{
    struct figure f, back;
    uint8_t out[REPORTED_BYTES_MAX];
    enum err e = reported_decode(bytes, len, &f);
    FUZZ_CHECK(e == ERR_OK || e == ERR_CORRUPT);
    if (e != ERR_OK)
        return;
    size_t n = reported_encode(f, out);
    FUZZ_CHECK(reported_decode(out, n, &back) == ERR_OK && figure_equal(f, back));
}

static void statuses(const uint8_t *bytes, size_t len)
{
    char out[STATUS_TEXT_MAX];
    struct source_status s, s_back;
    struct uplink_link l, l_back;
    if (status_decode_source(bytes, len, &s) == ERR_OK) {
        size_t n = status_encode_source(&s, out);
        FUZZ_CHECK(n == 0 || status_decode_source(out, n, &s_back) == ERR_OK);
    }
    if (status_decode_link(bytes, len, &l) == ERR_OK) {
        size_t n = status_encode_link(&l, out);
        FUZZ_CHECK(n == 0 || status_decode_link(out, n, &l_back) == ERR_OK);
    }
}

static void errors(const uint8_t *bytes, size_t len)
{
    char out[STATUS_TEXT_MAX];
    struct source_status s, back;
    struct harvest h;
    char *text = fuzz_string(bytes, len);
    memset(&s, 0, sizeof s);
    harvest_init(&h);
    harvest_error(&h, "source machines: %s", text);
    harvest_first_error(&h, s.last_error, sizeof s.last_error);
    size_t n = status_encode_source(&s, out);
    FUZZ_CHECK(n > 0 && status_decode_source(out, n, &back) == ERR_OK);
    FUZZ_CHECK(strcmp(back.last_error, s.last_error) == 0);
    harvest_deinit(&h);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    schedules(bytes, len);
    reported(bytes, len);
    statuses(bytes, len);
    errors(bytes, len);
    return 0;
}
