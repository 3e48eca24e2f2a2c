// A CSV source's own settings. What a report's file says beyond its figures (when they were published, that
// it is whole) has no default that would suit everybody, so it is said here or not at all.
#include "agent/config_internal.h"
#include "agent/sources/csv_release.h"
#include <iconv.h>
#include <string.h>

static enum err read_encoding(const struct place *p, const char *text, const char **out)
{
    *out = NULL;
    if (!text || strcmp(text, "utf-8") == 0)
        return ERR_OK;
    if (strcmp(text, "windows-1251") != 0)
        return agent_config_bad(p, "encoding", "'%s' must be utf-8 or windows-1251", text);
    iconv_t probe = iconv_open("UTF-8", "WINDOWS-1251");
    if (probe == (iconv_t)-1)
        return agent_config_bad(p, "encoding",
                                "this system's iconv has no windows-1251: install locales or libc-bin");
    iconv_close(probe);
    *out = "WINDOWS-1251";
    return ERR_OK;
}

static enum err read_separator(const struct place *p, const char *text, char *out)
{
    if (!text || strcmp(text, ",") == 0)
        *out = ',';
    else if (strcmp(text, ";") == 0)
        *out = ';';
    else if (strcmp(text, "tab") == 0)
        *out = '\t';
    else
        return agent_config_bad(p, "separator", "'%s' must be \",\", \";\" or tab", text);
    return ERR_OK;
}

static enum err read_path(const struct place *p, const char *path, struct agent_source *s)
{
    const char *mark = strstr(path, CSV_RELEASE_MARK), *slash = strrchr(path, '/');
    s->path = path;
    s->releases = mark != NULL;
    if (!mark)
        return ERR_OK;
    if ((slash && mark < slash) || strstr(mark + 1, CSV_RELEASE_MARK))
        return agent_config_bad(p, "path", "'%s': " CSV_RELEASE_MARK " stands once, in the file's name",
                                path);
    if (s->class != WIRE_REPORT)
        return agent_config_bad(p, "path",
                                "only reports have releases: " CSV_RELEASE_MARK
                                " stands for 2026-03, 2026-Q1, 2026 or 2026-03-14");
    return ERR_OK;
}

static enum err read_publishing(const struct place *p, const struct agent_yaml_source *y,
                                struct agent_source *s)
{
    bool report = s->class == WIRE_REPORT;
    s->published_column = y->published_column;
    if (y->published_column && !report)
        return agent_config_bad(p, "published_column", "only reports are published");
    if (y->published_column && s->releases)
        return agent_config_bad(p, "published_column",
                                "a folder of releases says by its files' names when they were published");
    if (y->whole && strcmp(y->whole, "true") != 0 && strcmp(y->whole, "false") != 0)
        return agent_config_bad(p, "whole", "'%s' must be true or false", y->whole);
    s->whole = y->whole && strcmp(y->whole, "true") == 0;
    if (s->whole && !report)
        return agent_config_bad(p, "whole", "only a table of reports can be: a file of measurements grows");
    return ERR_OK;
}

enum err agent_config_read_csv(const struct place *p, const struct agent_yaml_source *y,
                               struct agent_source *s)
{
    enum err e = agent_config_need(p, "path", y->path, "the file to read");
    if (e == ERR_OK)
        e = agent_config_refuse(p, "command", y->command, "only an exec source has it");
    if (e == ERR_OK)
        e = agent_config_refuse(p, "timeout", y->timeout, "only an exec source has it");
    if (e == ERR_OK && !y->time_column)
        e = agent_config_bad(p, "time_column",
                             "is missing: the header of the column with the time or period");
    if (e == ERR_OK)
        e = read_separator(p, y->separator, &s->separator);
    if (e == ERR_OK && y->decimal && strcmp(y->decimal, ".") != 0 && strcmp(y->decimal, ",") != 0)
        e = agent_config_bad(p, "decimal", "'%s' must be \".\" or \",\"", y->decimal);
    if (e == ERR_OK)
        e = read_encoding(p, y->encoding, &s->encoding);
    if (e == ERR_OK)
        e = read_path(p, y->path, s);
    if (e == ERR_OK)
        e = read_publishing(p, y, s);
    if (e != ERR_OK)
        return e;
    s->decimal = y->decimal ? y->decimal[0] : '.';
    s->time_column = y->time_column;
    return ERR_OK;
}
