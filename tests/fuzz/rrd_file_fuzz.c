// A round-robin file as damage leaves it: header fields, bytes anywhere, the file cut. Nothing that passes
// the check may crash librrd, read outside the file or give more values than were asked for. librrd itself is
// not instrumented: what it does outside the map shows as a signal.
#include "store/rrd.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_store.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_BYTES 1400 // a little more than the longest header of ours

struct template
{
    const struct ledger_series *series;
    char path[FUZZ_PATH];
    size_t size;
    int64_t last;
};

static void make(struct template *t, size_t series, const char *name)
{
    struct rrd_value values[200];
    struct stat st;
    t->series = fuzz_store_series(series);
    int64_t step = t->series->class == WIRE_REPORT ? 86400 : (int64_t)t->series->step_s;
    int64_t start = FUZZ_EPOCH_S - FUZZ_EPOCH_S % step;
    fuzz_path(name, t->path);
    for (int i = 0; i < 200; i++)
        values[i] = (struct rrd_value){start + (i + 1 + i / 50) * step, 100 + i};
    FUZZ_CHECK(rrd_file_create(t->path, t->series, start, false, NULL) == ERR_OK);
    FUZZ_CHECK(rrd_file_update(t->path, t->series, values, 200, NULL) == ERR_OK);
    FUZZ_CHECK(stat(t->path, &st) == 0);
    t->size = (size_t)st.st_size;
    t->last = values[199].time;
}

// Patches until the input ends; a patch says where, how long and what.
static void damage(const char *path, size_t size, struct fuzz_input *in)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    for (int i = 0; i < 40 && in->left > 0; i++) {
        uint8_t how = fuzz_u8(in);
        size_t run = how % 8u + 1;
        if (how == 255) {
            FUZZ_CHECK(ftruncate(fd, (off_t)(fuzz_u32(in) % (2 * size))) == 0);
            continue;
        }
        off_t at = how & 0x80 ? (off_t)(fuzz_u32(in) % size) : (off_t)(fuzz_u16(in) % HEADER_BYTES);
        uint64_t number = how & 0x40 ? (uint64_t)fuzz_number(in, 100) : fuzz_u64(in);
        FUZZ_CHECK(pwrite(fd, &number, run, at) == (ssize_t)run);
    }
    FUZZ_CHECK(close(fd) == 0);
}

struct fetched {
    int64_t from, to, last;
    size_t count;
};

static enum err on_value(void *ctx, int64_t time, double value)
{
    struct fetched *f = ctx;
    (void)value;
    FUZZ_CHECK(time > f->from && time <= f->to && time > f->last);
    f->last = time;
    return ++f->count < 100000 ? ERR_OK : ERR_TOO_BIG;
}

static void fetch(const char *path, const struct template *t, struct fuzz_input *in)
{
    static const char *const functions[] = {"AVERAGE", "MIN", "MAX", "LAST"};
    struct diag d;
    uint32_t step = (uint32_t)fuzz_number(in, 60);
    struct fetched f = {.from = t->last - 86400 * (int64_t)(fuzz_u8(in) + 1), .last = INT64_MIN};
    f.to = t->last + fuzz_u8(in);
    (void)rrd_file_fetch(path, functions[fuzz_u8(in) % 4], f.from, f.to, &step, on_value, &f, &d);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct template templates[3];
    char path[FUZZ_PATH];
    struct fuzz_input in = {bytes, len};
    struct diag d;
    int64_t last = 0;
    if (!templates[0].path[0]) {
        make(&templates[0], 1, "hourly");
        make(&templates[1], 2, "reports");
        make(&templates[2], 5, "minutely");
    }
    uint8_t which = fuzz_u8(&in);
    const struct template *t = &templates[which % 3];
    fuzz_path("damaged.rrd", path);
    fuzz_copy(t->path, path);
    damage(path, t->size, &in);
    (void)rrd_file_check(path, &d);
    (void)rrd_file_last(path, t->series, &last, &d);
    fetch(path, t, &in);
    struct rrd_value values[3] = {{t->last + 10 * (int64_t)86400, 1}, {0, 2}, {0, 3}};
    values[0].time -= values[0].time % 86400;
    values[1].time = values[0].time + 86400;
    values[2].time = values[1].time + 86400;
    (void)rrd_file_update(path, t->series, values, 3, &d);
    fetch(path, t, &in);
    return 0;
}
