// What enrolment leaves for the administrator: a configuration that works as it stands, with one source to
// start from. What is put into it was checked character by character, because the endpoint comes from the
// other side.
#include "agent/enrol.h"
#include "base/buf.h"
#include "base/fs.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES "figures.csv"

static const char TEMPLATE[] =
    "# esep-agent's configuration, written by `esep-agent enrol` for %s.\n"
    "#   esep-agent check      is it well-formed?\n"
    "#   esep-agent sources    what would be sent?\n"
    "#   esep-agent run        send\n"
    "# share/esep/examples/agent.example.yaml shows every kind of source (programs, logs, tables, "
    "counters).\n"
    "\n"
    "collector:\n"
    "  endpoint: \"%s\"\n"
    "  key: \"%s\"   # the collector's public key\n"
    "\n"
    "state: \"%s\"   # spool.sqlite (what is not yet sent) and agent.key (never leaves this machine)\n"
    "\n"
    "sources:\n"
    "  # A table to begin with: a line for each month, e.g. 2026-11,57. What is written into it is sent "
    "within seconds.\n"
    "  - name: figures\n"
    "    kind: csv\n"
    "    path: \"%s\"\n"
    "    every: 1s\n"
    "    class: report\n"
    "    time_column: month\n"
    "    series:\n"
    "      - {column: staff, kpi: jobs_total, unit: person, period: month}\n";

static bool is_plain(const char *text, const char *also)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool alnum = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!alnum && !strchr(also, *c))
            return false;
    }
    return true;
}

// Braces are a path's own marks in a source ({release}).
static bool is_quotable(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (*c < 0x20 || *c == 0x7f || strchr("\"\\{}", *c))
            return false;
    }
    return true;
}

enum err enrol_check_state(const char *state, struct diag *d)
{
    char figures[PATH_MAX];
    char *whole = realpath(state, NULL);
    bool fits = is_quotable(whole ? whole : state) &&
                fs_join(figures, sizeof figures, whole ? whole : state, FIGURES) == ERR_OK;
    free(whole);
    return fits ? ERR_OK
                : diag_fail(d, ERR_INVALID,
                            "%s: this path can't stand in a configuration: choose another with --state",
                            state);
}

static enum err make_folder_of(const char *path, struct diag *d)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return ERR_OK;
    if ((size_t)(slash - path) >= sizeof folder)
        return diag_fail(d, ERR_TOO_BIG, "%s: the path is too long", path);
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    return fs_make_dirs(folder, 0755, d);
}

static enum err write_config(const struct enrol_files *f, const char *figures, struct diag *d)
{
    char key[KEY_TEXT];
    struct buf text;
    buf_init(&text, 64 * 1024);
    crypto_key_text(f->collector_key, key);
    enum err e = buf_printf(&text, TEMPLATE, f->resident, f->endpoint, key, f->state, figures);
    if (e != ERR_OK)
        e = diag_fail(d, e, "%s can't be written: %s", f->config, err_text(e));
    if (e == ERR_OK)
        e = make_folder_of(f->config, d);
    if (e == ERR_OK)
        e = fs_create_file(f->config, text.data, text.len, 0644, d);
    buf_deinit(&text);
    return e;
}

enum err enrol_write_files(const struct enrol_files *f, struct diag *d)
{
    static const char header[] = "month,staff\n";
    char figures[PATH_MAX];
    char *state = realpath(f->state, NULL);
    const struct enrol_files whole = {.config = f->config,
                                      .state = state ? state : f->state,
                                      .endpoint = f->endpoint,
                                      .resident = f->resident};
    struct enrol_files files = whole;
    memcpy(files.collector_key, f->collector_key, KEY_BYTES);
    enum err e = ERR_OK;
    if (strncmp(f->endpoint, "tcp://", 6) != 0 || !is_plain(f->endpoint, ":/.-_[]%") ||
        !is_plain(f->resident, "/._-"))
        e = diag_fail(d, ERR_INVALID, "the collector's answer is not an address and a resident");
    else
        e = enrol_check_state(files.state, d);
    if (e == ERR_OK)
        e = fs_join(figures, sizeof figures, files.state, FIGURES);
    if (e == ERR_OK) {
        e = fs_create_file(figures, header, sizeof header - 1, 0644, d);
        e = e == ERR_EXISTS ? ERR_OK : e;
    }
    if (e == ERR_OK)
        e = write_config(&files, figures, d);
    free(state);
    return e;
}
