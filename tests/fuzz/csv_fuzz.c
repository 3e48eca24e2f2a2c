// A CSV file that grows, is replaced and is anything but a table, and stored positions that are damaged. The
// input's first bytes choose the dialect; an 0xff in the rest ends what the file holds at one look (0xff 'r':
// and it is another file then; 0xff 'd' and three bytes: a stored position is damaged).
#include "agent/source.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_positions.h"
#include "tests/fuzz/fuzz_sources.h"
#include <fcntl.h>
#include <unistd.h>

#define LOOKS_MAX    6
#define PORTIONS_MAX 2000

struct look {
    const uint8_t *bytes;
    size_t len;
    bool replace;
    bool damage;
    uint16_t at;
    uint8_t byte;
};

static struct look next_look(struct fuzz_input *in)
{
    const uint8_t *end = in->left > 0 ? memchr(in->at, 0xff, in->left) : NULL;
    struct look l = {.len = end ? (size_t)(end - in->at) : in->left};
    size_t len = l.len;
    l.bytes = fuzz_bytes(in, &len);
    if (in->left == 0)
        return l;
    fuzz_u8(in);
    uint8_t what = in->left > 0 ? in->at[0] : 0;
    l.replace = what == 'r';
    l.damage = what == 'd';
    if (l.replace || l.damage)
        fuzz_u8(in);
    if (l.damage) {
        l.at = fuzz_u16(in);
        l.byte = fuzz_u8(in);
    }
    return l;
}

static void add_to_file(const char *path, const struct look *l, bool anew)
{
    if (anew)
        unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FUZZ_CHECK(fd >= 0 && write(fd, l->bytes, l->len) == (ssize_t)l->len && close(fd) == 0);
}

// One run: everything the file holds now. A spool that is full once must not lose or double anything, so each
// third portion is not taken.
static void run(struct source *s, const struct agent_source *config, struct fuzz_positions *positions,
                int tick)
{
    struct harvest h;
    bool more = true;
    s->ops->begin(s, tick * INT64_C(10));
    FUZZ_CHECK(s->ops->advance(s));
    harvest_init(&h);
    for (int i = 0; more; i++) {
        FUZZ_CHECK(i < PORTIONS_MAX);
        harvest_reset(&h);
        FUZZ_CHECK(s->ops->take(s, 3, &h) == ERR_OK);
        fuzz_source_check(config, &h);
        more = h.more;
        bool spooled = i % 3 != 2;
        if (spooled)
            fuzz_positions_apply(positions, &h);
        s->ops->settled(s, spooled);
        if (!spooled)
            break; // tried again with the next look
    }
    harvest_deinit(&h);
}

static void choose(struct agent_source *config, uint8_t how)
{
    static const char separators[] = {',', ';', '\t', ','};
    config->separator = separators[how >> 1 & 3];
    config->decimal = how & 8 ? ',' : '.';
    config->encoding = how & 16 ? "WINDOWS-1251" : NULL;
    config->time_column = how & 32 ? "" : "time";
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char path[FUZZ_PATH];
    struct fake_clock clock;
    struct agent_source config;
    struct source *s = NULL;
    struct fuzz_input in = {bytes, len};
    uint8_t how = fuzz_u8(&in);
    bool replace = true;
    fuzz_path("file.csv", path);
    fake_clock_init(&clock, INT64_C(1772366400000000));
    struct fuzz_positions *positions = fuzz_positions_create();
    struct source_env env = fuzz_positions_env(positions, &clock.clock);
    fuzz_source(&config, path, how & 1 ? WIRE_REPORT : WIRE_MEASUREMENT);
    choose(&config, how);
    FUZZ_CHECK(csv_source_ops.create(&config, &env, &s, NULL) == ERR_OK);
    for (int i = 0; i < LOOKS_MAX; i++) {
        struct look l = next_look(&in);
        add_to_file(path, &l, replace);
        run(s, &config, positions, i);
        replace = l.replace;
        fake_clock_advance_us(&clock, 10 * US_PER_S);
        if (l.damage) { // the agent was started again
            fuzz_positions_damage(positions, l.at, l.byte);
            s->ops->destroy(s);
            FUZZ_CHECK(csv_source_ops.create(&config, &env, &s, NULL) == ERR_OK);
        }
        if (in.left == 0)
            break;
    }
    s->ops->destroy(s);
    fuzz_positions_destroy(positions);
    return 0;
}
