// Any bytes as a request on the control socket, with nobody behind the queues: always one JSON object as the
// answer, and only a whole request parses. What parses as JSON is also printed as the status table: commands
// show whatever a socket gave them.
#include "collector/control.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store.h"

static struct control control;
static struct counters counters;

static void open_parts(void)
{
    char state[FUZZ_PATH];
    fuzz_store_make("state");
    fuzz_path("state", state);
    collector_counters_init(&counters);
    control.counters = &counters;
    FUZZ_CHECK(reader_open(state, &control.reader, NULL) == ERR_OK);
    FUZZ_CHECK(queue_create(4, &control.inbox) == ERR_OK);
    FUZZ_CHECK(cursor_create(5, &control.committed) == ERR_OK &&
               cursor_create(5, &control.rrd_landed) == ERR_OK &&
               cursor_create(5, &control.observed) == ERR_OK);
}

static void print(const uint8_t *bytes, size_t len)
{
    struct buf out;
    json_t *json = json_loadb((const char *)bytes, len, JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return;
    buf_init(&out, 1u << 20);
    collector_status_print(json, &out);
    FUZZ_CHECK(out.failed == ERR_OK);
    buf_deinit(&out);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct control_request r;
    struct diag d = {""};
    if (!control.inbox)
        open_parts();
    enum err e = collector_control_parse((const char *)bytes, len, &r, &d);
    FUZZ_CHECK(e == ERR_OK || (e == ERR_INVALID && d.text[0]));
    if (e == ERR_OK)
        FUZZ_CHECK(memchr(r.resident, 0, sizeof r.resident) && memchr(r.series, 0, sizeof r.series));
    char *reply = collector_control_handle(&control, (const char *)bytes, len);
    FUZZ_CHECK(reply);
    json_t *answer = json_loads(reply, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_CHECK(json_is_object(answer) && json_is_boolean(json_object_get(answer, "ok")));
    FUZZ_CHECK(json_is_true(json_object_get(answer, "ok")) ||
               json_is_string(json_object_get(answer, "error")));
    json_decref(answer);
    free(reply);
    print(bytes, len);
    return 0;
}
