// A load of agents for a running collector: real CURVE sockets, real messages, every acknowledgement waited
// for and every acknowledged figure looked for in the ledger.
#include "tests/bench/load/account.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage_text[] =
    "usage: load --state FOLDER --endpoint ADDRESS [OPTIONS]\n"
    "Plays agents against a running collector on this machine, and looks for each acknowledged figure in its "
    "ledger.\n"
    "They are admitted as PARK/NAME-0, PARK/NAME-1 … and stay admitted: use a collector made for this.\n"
    "\n"
    "  --state FOLDER       the collector's state: its control socket, its key, its ledger\n"
    "  --endpoint ADDRESS   where agents connect, tcp://host:port\n"
    "  --agents N           (default 20)\n"
    "  --series N           of each agent (default 1000)\n"
    "  --samples N          in a batch (default 2500)\n"
    "  --step N             of the series, in seconds (default 10)\n"
    "  --rate N             samples a second of all agents together (default 0: as many as are taken)\n"
    "  --seconds N          of sending (default 10)\n"
    "  --patience N         seconds to wait for the last acknowledgement (default 60)\n"
    "  --days N             how long ago the first figure is of (default 400)\n"
    "  --threads N          that share the agents (default 1)\n"
    "  --park CODE          (default bench)\n"
    "  --name NAME          of the residents (default load); a second run needs another, for series stay "
    "their "
    "first agent's\n"
    "  --reason N           bytes of a note beside each sample, for a ledger that grows fast (default 0, at "
    "most 255)\n"
    "  --prime              first send one figure of each series and say `primed` on standard error. Then, "
    "for "
    "each line\n"
    "                       `go [SECONDS [RATE]]` on standard input, send so long, and say `acknowledged` "
    "when "
    "all is; until it ends\n"
    "  --no-ledger          do not look into the ledger afterwards\n"
    "  --help\n"
    "\n"
    "Prints one JSON object. Exit codes: 0 all acknowledged and found, 1 not, 2 wrong usage.\n"
    "example: load --state /tmp/esep --endpoint tcp://127.0.0.1:5670 --agents 50 --seconds 30\n";

static const struct option long_options[] = {
    {"help", no_argument, NULL, 'h'},           {"state", required_argument, NULL, 's'},
    {"endpoint", required_argument, NULL, 'e'}, {"agents", required_argument, NULL, 'a'},
    {"series", required_argument, NULL, 'n'},   {"samples", required_argument, NULL, 'b'},
    {"step", required_argument, NULL, 't'},     {"rate", required_argument, NULL, 'r'},
    {"seconds", required_argument, NULL, 'S'},  {"patience", required_argument, NULL, 'P'},
    {"days", required_argument, NULL, 'd'},     {"threads", required_argument, NULL, 'T'},
    {"park", required_argument, NULL, 'p'},     {"no-ledger", no_argument, NULL, 'L'},
    {"prime", no_argument, NULL, 'i'},          {"reason", required_argument, NULL, 'R'},
    {"name", required_argument, NULL, 'N'},     {NULL, 0, NULL, 0}};

struct options {
    struct crowd_options crowd;
    double days;
    bool no_ledger, help;
};

static bool number(const char *text, double least, double most, double *out)
{
    char *end = NULL;
    errno = 0;
    double v = strtod(text, &end);
    if (errno || end == text || *end || !(v >= least && v <= most)) {
        fprintf(stderr, "load: '%s' is not a number from %g to %g\n", text, least, most);
        return false;
    }
    *out = v;
    return true;
}

static bool whole(const char *text, uint32_t most, uint32_t *out)
{
    double v;
    if (!number(text, 1, most, &v))
        return false;
    *out = (uint32_t)v;
    return true;
}

static bool part(char **at, double least, double most, double *out)
{
    const char *text = strsep(at, " ");
    return !text || number(text, least, most, out);
}

static bool next_turn(uint32_t done, struct crowd_turn *turn)
{
    char line[64], *at = line;
    fputs(done ? "acknowledged\n" : "primed\n", stderr);
    if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(strsep(&at, " "), "go") == 0 && part(&at, 0.1, 86400, &turn->seconds) &&
        part(&at, 0, 1e9, &turn->rate) && !at)
        return true;
    fputs("load: a turn begins with a line `go [SECONDS [RATE]]`\n", stderr);
    return false;
}

static bool take_option(struct options *o, int option)
{
    struct crowd_options *c = &o->crowd;
    switch (option) {
    case 's':
        c->state = optarg;
        return true;
    case 'e':
        c->endpoint = optarg;
        return true;
    case 'p':
        c->park = optarg;
        return true;
    case 'N':
        c->name = optarg;
        return true;
    case 'a':
        return whole(optarg, 5000, &c->agents);
    case 'n':
        return whole(optarg, 10000, &c->figures.series);
    case 'b':
        return whole(optarg, WIRE_SAMPLES_MAX, &c->figures.samples);
    case 't':
        return whole(optarg, WIRE_STEP_MAX_S, &c->figures.step_s);
    case 'T':
        return whole(optarg, 16, &c->threads);
    case 'r':
        return number(optarg, 0, 1e9, &c->turn.rate);
    case 'S':
        return number(optarg, 0.1, 86400, &c->turn.seconds);
    case 'P':
        return number(optarg, 0.1, 86400, &c->patience_s);
    case 'd':
        return number(optarg, 0, 20000, &o->days);
    case 'L':
        return o->no_ledger = true;
    case 'i':
        o->crowd.next = next_turn;
        return true;
    case 'R':
        return whole(optarg, WIRE_REASON_MAX, &c->figures.reason);
    case 'h':
        return o->help = true;
    default:
        return false;
    }
}

static int fail(const struct diag *d)
{
    fprintf(stderr, "load: %s\n", d->text);
    return EXIT_FAILED;
}

static void print(const struct crowd_options *o, const struct crowd_result *r, const struct account *a)
{
    printf("{\"begin\": %" PRId64 ", \"agents\": %u, \"series\": %u, \"batches\": %" PRIu64
           ", \"samples\": %" PRIu64 ", \"bytes\": %" PRIu64
           ", \"seconds\": %.3f, \"drain_seconds\": %.3f, \"cpu_seconds\": %.3f, "
           "\"samples_s\": %.0f, \"batches_s\": %.0f, \"p50_us\": %" PRIu64 ", \"p99_us\": %" PRIu64
           ", \"most_us\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"unacknowledged\": %" PRIu64 "",
           o->figures.begin_s, (unsigned)o->agents, (unsigned)(o->agents * o->figures.series), r->batches,
           r->samples, r->bytes, r->seconds, r->drain_seconds, r->cpu_seconds,
           (double)r->samples / r->seconds, (double)r->batches / r->seconds, delays_us(&r->delays, 500),
           delays_us(&r->delays, 990), r->delays.most_us, r->refused, r->unacknowledged);
    if (a)
        printf(", \"rows\": %" PRIu64 ", \"stored\": %" PRIu64 ", \"lost\": %" PRIu64
               ", \"doubled\": %" PRIu64 ", \"differs\": %" PRIu64,
               a->rows, a->samples, a->lost, a->doubled, a->differs);
    printf("}\n");
}

static int run(const struct options *o)
{
    struct crowd *c = NULL;
    struct crowd_result r;
    struct account a = {0};
    struct diag d = {0};
    uint64_t position = 0;
    enum err e = o->no_ledger ? ERR_OK : account_position(o->crowd.state, &position, &d);
    if (e == ERR_OK)
        e = crowd_open(&o->crowd, &c, &d);
    if (e == ERR_OK)
        e = crowd_run(c, &r, &d);
    if (e == ERR_OK && !o->no_ledger)
        e = account_take(o->crowd.state, c, o->crowd.agents, position, &a, &d);
    crowd_close(c);
    if (e != ERR_OK)
        return fail(&d);
    print(&o->crowd, &r, o->no_ledger ? NULL : &a);
    if (r.trouble[0])
        fprintf(stderr, "load: %s\n", r.trouble);
    bool good = r.refused == 0 && r.unacknowledged == 0 && a.lost + a.doubled + a.differs == 0 &&
                (o->no_ledger || a.samples == r.samples + r.first_samples);
    return good ? EXIT_DONE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct options o = {.crowd = {.park = "bench",
                                  .name = "load",
                                  .agents = 20,
                                  .threads = 1,
                                  .figures = {.series = 1000, .samples = 2500, .step_s = 10},
                                  .turn = {.seconds = 10},
                                  .patience_s = 60},
                        .days = 400};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;)
        if (!take_option(&o, option))
            return EXIT_USAGE;
    if (o.help) {
        fputs(usage_text, stdout);
        return EXIT_DONE;
    }
    if (!o.crowd.state || !o.crowd.endpoint || optind < argc) {
        fputs("load: --state and --endpoint are needed, and nothing else without --; see load --help\n",
              stderr);
        return EXIT_USAGE;
    }
    if (crypto_init() != ERR_OK)
        return EXIT_FAILED;
    const int64_t step_s = o.crowd.figures.step_s;
    o.crowd.figures.begin_s = (int64_t)((double)time(NULL) - o.days * 86400) / step_s * step_s;
    return run(&o);
}
