// What librrd alone can do with the product's archives: makes such files, then writes
// values by the hundred with the texts ready beforehand, or draws one graph again and again. Nothing is read
// from a ledger, checked or remembered: this is the bar that landing and drawing are held against.
#include "base/fs.h"
#include "store/rrd_header.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define VISIT_MAX  512
#define BEGIN_S    1700000400L // on every step there is
#define TIMES_MAX  10000
#define GRAPH_ARGS 32

static const char usage_text[] =
    "usage: bare_rrd --folder FOLDER [--series N] [--values N] [--visit N] [--step S] [--begin T] [--names "
    "FILE] "
    "[--create | --turns]\n"
    "       bare_rrd --graph FILE --from T --to T [--times N]\n"
    "Makes round-robin files with the product's archives and writes N values into each, so many a visit\n"
    "(--create: only makes them; --turns: says `made` on standard error and writes N more for each line of "
    "standard input;\n"
    "--names: their paths, one a line), or draws a graph of 600x200 N times.\n"
    "Prints one JSON object, with --turns one for each.\n";

struct options {
    const char *folder, *graph, *names;
    long series, values, visit, step, from, to, times, begin;
    bool create, turns;
};

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int complain(const char *what, const char *why)
{
    fprintf(stderr, "bare_rrd: %s: %s\n", what, why ? why : "?");
    return 1;
}

// ---- files
static char *path_of(const struct options *o, FILE *names, long number)
{
    char line[RRD_PATH_MAX], path[RRD_PATH_MAX];
    if (!names)
        return rrd_path(o->folder, number, path) == ERR_OK ? strdup(path) : NULL;
    if (!fgets(line, sizeof line, names))
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return snprintf(path, sizeof path, "%s/%s", o->folder, line) < (int)sizeof path ? strdup(path) : NULL;
}

static void free_paths(const struct options *o, char **paths)
{
    for (long i = 0; paths && i < o->series; i++)
        free(paths[i]);
    free(paths);
}

static char **make_paths(const struct options *o)
{
    char **paths = calloc((size_t)o->series, sizeof *paths);
    FILE *names = o->names ? fopen(o->names, "re") : NULL;
    bool good = paths && (names || !o->names);
    for (long i = 0; good && i < o->series; i++)
        good = (paths[i] = path_of(o, names, i + 1)) != NULL;
    if (names)
        fclose(names);
    if (good)
        return paths;
    free_paths(o, paths);
    return NULL;
}

static int make_folder(const char *path)
{
    char folder[RRD_PATH_MAX];
    struct diag d = {0};
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (access(folder, F_OK) == 0 || fs_make_dirs(folder, 0750, &d) == ERR_OK)
        return 0;
    return complain(folder, d.text);
}

static int make_files(const struct options *o, char **paths)
{
    const struct ledger_series s = {.class = WIRE_MEASUREMENT, .step_s = (uint32_t)o->step};
    char text[RRD_ARCHIVES_MAX + 1][64];
    const char *argv[RRD_ARCHIVES_MAX + 1] = {text[0]};
    struct rrd_layout l;
    struct diag d = {0};
    if (rrd_layout_of(&s, &l, &d) != ERR_OK)
        return complain("--step", d.text);
    snprintf(text[0], sizeof text[0], "DS:v:GAUGE:%u:U:U", l.step_s);
    for (size_t i = 0; i < l.count; i++) {
        const struct rrd_archive *a = &l.archives[i];
        snprintf(text[i + 1], sizeof text[0], "RRA:%s:0.5:%u:%u", a->cf, a->steps, a->rows);
        argv[i + 1] = text[i + 1];
    }
    for (long i = 0; i < o->series; i++)
        if (make_folder(paths[i]) ||
            rrd_create_r2(paths[i], l.step_s, o->begin, 0, NULL, NULL, (int)l.count + 1, argv) != 0)
            return complain(paths[i], rrd_get_error());
    return 0;
}

static int write_round(const struct options *o, char **paths, long first, long count)
{
    static char text[VISIT_MAX][48];
    static const char *argv[VISIT_MAX];
    for (long i = 0; i < count; i++) {
        snprintf(text[i], sizeof text[i], "%ld:%ld", o->begin + (first + i + 1) * o->step,
                 (first + i) * 7919 % 1000);
        argv[i] = text[i];
    }
    for (long i = 0; i < o->series; i++)
        if (rrd_updatex_r(paths[i], NULL, 0, (int)count, argv) != 0)
            return complain(paths[i], rrd_get_error());
    return 0;
}

static int write_turn(const struct options *o, char **paths, long begun, double made_s)
{
    const double at = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    const long values = o->create ? 0 : o->values;
    for (long done = 0; done < values; done += o->visit)
        if (write_round(o, paths, begun + done, values - done < o->visit ? values - done : o->visit))
            return 1;
    const double took_s = seconds(CLOCK_MONOTONIC) - at, all = (double)o->series * (double)values;
    printf(
        "{\"files\": %ld, \"create_s\": %.3f, \"values\": %.0f, \"update_s\": %.3f, \"update_cpu_s\": %.3f, "
        "\"values_s\": %.0f, \"all_values_s\": %.0f}\n",
        o->series, made_s, all, took_s, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, all / took_s,
        all / (made_s + took_s));
    return fflush(stdout) != 0;
}

static int run_turns(const struct options *o, char **paths, double made_s)
{
    char line[16];
    int failed = 0;
    fputs("made\n", stderr);
    for (long begun = 0; !failed && fgets(line, sizeof line, stdin); begun += o->values)
        failed = write_turn(o, paths, begun, made_s);
    return failed;
}

static int run_files(const struct options *o)
{
    char **paths = make_paths(o);
    if (!paths)
        return complain(o->folder, "no names for the files");
    const double at = seconds(CLOCK_MONOTONIC);
    int failed = make_files(o, paths);
    const double made_s = seconds(CLOCK_MONOTONIC) - at;
    if (!failed)
        failed = o->turns ? run_turns(o, paths, made_s) : write_turn(o, paths, 0, made_s);
    free_paths(o, paths);
    return failed;
}

// ---- a graph
static int draw(const struct options *o, long shift, size_t *bytes)
{
    char from[32], to[32], def[RRD_PATH_MAX + 32];
    snprintf(from, sizeof from, "%ld", o->from + shift);
    snprintf(to, sizeof to, "%ld", o->to + shift);
    snprintf(def, sizeof def, "DEF:v=%s:v:AVERAGE", o->graph);
    const char *argv[GRAPH_ARGS] = {"graphv",
                                    "-",
                                    "--imgformat",
                                    "PNG",
                                    "--start",
                                    from,
                                    "--end",
                                    to,
                                    "--width",
                                    "600",
                                    "--height",
                                    "200",
                                    "--title",
                                    "A series",
                                    "--vertical-label",
                                    "piece",
                                    def,
                                    "AREA:v#2563EB2E",
                                    "LINE1:v#2563EB:A series"};
    int count = 0;
    while (argv[count])
        count++;
    rrd_clear_error();
    rrd_info_t *info = rrd_graph_v(count, (char **)(uintptr_t)argv);
    *bytes = 0;
    for (rrd_info_t *i = info; i; i = i->next)
        if (strcmp(i->key, "image") == 0)
            *bytes = i->value.u_blo.size;
    if (info)
        rrd_info_free(info);
    return *bytes ? 0 : complain(o->graph, rrd_get_error());
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static int run_graph(const struct options *o)
{
    static double took[TIMES_MAX];
    size_t bytes;
    if (draw(o, 0, &bytes)) // the first one loads fonts
        return 1;
    for (long i = 0; i < o->times; i++) {
        const double at = seconds(CLOCK_MONOTONIC);
        if (draw(o, i % 1000, &bytes))
            return 1;
        took[i] = seconds(CLOCK_MONOTONIC) - at;
    }
    qsort(took, (size_t)o->times, sizeof *took, compare);
    printf("{\"graphs\": %ld, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"bytes\": %zu}\n", o->times,
           took[o->times / 2] * 1e3, took[o->times * 99 / 100] * 1e3, bytes);
    return 0;
}

// ---- the command line
static bool number(long least, long most, long *out)
{
    char *end;
    *out = strtol(optarg, &end, 10);
    if (end != optarg && !*end && *out >= least && *out <= most)
        return true;
    fprintf(stderr, "bare_rrd: '%s' is not a number from %ld to %ld\n", optarg, least, most);
    return false;
}

static bool take(struct options *o, int option)
{
    switch (option) {
    case 'f':
        return (o->folder = optarg) != NULL;
    case 'g':
        return (o->graph = optarg) != NULL;
    case 'N':
        return (o->names = optarg) != NULL;
    case 'c':
        return o->create = true;
    case 'w':
        return o->turns = true;
    case 'n':
        return number(1, 1000000, &o->series);
    case 'v':
        return number(1, 1000000, &o->values);
    case 'V':
        return number(1, VISIT_MAX, &o->visit);
    case 's':
        return number(10, 3600, &o->step);
    case 'b':
        return number(BEGIN_S, INT32_MAX, &o->begin);
    case 'F':
        return number(0, INT32_MAX, &o->from);
    case 'T':
        return number(0, INT32_MAX, &o->to);
    case 't':
        return number(1, TIMES_MAX, &o->times);
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"folder", 1, NULL, 'f'}, {"graph", 1, NULL, 'g'},  {"names", 1, NULL, 'N'}, {"create", 0, NULL, 'c'},
        {"series", 1, NULL, 'n'}, {"values", 1, NULL, 'v'}, {"visit", 1, NULL, 'V'}, {"step", 1, NULL, 's'},
        {"from", 1, NULL, 'F'},   {"to", 1, NULL, 'T'},     {"times", 1, NULL, 't'}, {"help", 0, NULL, 'h'},
        {"turns", 0, NULL, 'w'},  {"begin", 1, NULL, 'b'},  {NULL, 0, NULL, 0}};
    struct options o = {
        .series = 1000, .values = 100, .visit = 100, .step = 10, .times = 200, .begin = BEGIN_S};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'h')
            return fputs(usage_text, stdout) < 0;
        if (!take(&o, option))
            return 2;
    }
    if (optind < argc || (!o.folder && !o.graph)) {
        fputs(usage_text, stderr);
        return 2;
    }
    return o.graph ? run_graph(&o) : run_files(&o);
}
