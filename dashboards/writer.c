// See writer.h for why this is not a tree of a library's making.

#include "dashboards/writer.h"
#include "base/clock.h"
#include <stdio.h>
#include <string.h>

static void raw(struct writer *j, const char *text)
{
    buf_text(j->out, text); // its failure sticks: the reply is checked once, when it is complete
}

static void quoted(struct writer *j, const char *text)
{
    raw(j, "\"");
    for (const char *s = text; *s;) {
        size_t plain = 0;
        while ((unsigned char)s[plain] >= 0x20 && s[plain] != '"' && s[plain] != '\\' && s[plain] != 0x7f)
            plain++;
        buf_append(j->out, s, plain);
        s += plain;
        if (!*s)
            break;
        char escape[8];
        if (*s == '"' || *s == '\\')
            snprintf(escape, sizeof escape, "\\%c", *s);
        else
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(unsigned char)*s);
        raw(j, escape);
        s++;
    }
    raw(j, "\"");
}

// Letters, digits, '_' and the like, as all our names are: in one piece with what stands around it.
static bool put_plain_name(struct writer *j, const char *name)
{
    char text[32];
    size_t n = 0;
    if (j->used[j->depth])
        text[n++] = ',';
    text[n++] = '"';
    for (; *name; name++) {
        if (n + 3 > sizeof text || *name < '.' || *name > 'z' || *name == '\\')
            return false;
        text[n++] = *name;
    }
    text[n++] = '"';
    text[n++] = ':';
    buf_append(j->out, text, n);
    return true;
}

static void begin(struct writer *j, const char *name)
{
    bool put = name && put_plain_name(j, name);
    if (!put && j->used[j->depth])
        raw(j, ",");
    j->used[j->depth] = true;
    if (name && !put) {
        quoted(j, name);
        raw(j, ":");
    }
}

void writer_init(struct writer *j, struct buf *out)
{
    memset(j, 0, sizeof *j);
    j->out = out;
}

static void open_at(struct writer *j, const char *name, const char *bracket)
{
    begin(j, name);
    raw(j, bracket);
    if (j->depth < 16)
        j->depth++;
    j->used[j->depth] = false;
}

static void close_at(struct writer *j, const char *bracket)
{
    if (j->depth > 0)
        j->depth--;
    raw(j, bracket);
}

void writer_object(struct writer *j, const char *name)
{
    open_at(j, name, "{");
}

void writer_array(struct writer *j, const char *name)
{
    open_at(j, name, "[");
}

void writer_end_object(struct writer *j)
{
    close_at(j, "}");
}

void writer_end_array(struct writer *j)
{
    close_at(j, "]");
}

void writer_text(struct writer *j, const char *name, const char *text)
{
    begin(j, name);
    if (text)
        quoted(j, text);
    else
        raw(j, "null");
}

void writer_text_or_null(struct writer *j, const char *name, const char *text)
{
    writer_text(j, name, text && *text ? text : NULL);
}

void writer_integer(struct writer *j, const char *name, int64_t v)
{
    char text[24], *at = text + sizeof text;
    uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (v < 0)
        *--at = '-';
    begin(j, name);
    buf_append(j->out, at, (size_t)(text + sizeof text - at));
}

void writer_bool(struct writer *j, const char *name, bool v)
{
    begin(j, name);
    raw(j, v ? "true" : "false");
}

void writer_null(struct writer *j, const char *name)
{
    begin(j, name);
    raw(j, "null");
}

void writer_figure(struct writer *j, const char *name, struct figure f)
{
    char text[FIGURE_TEXT];
    figure_text(f, text);
    begin(j, name);
    raw(j, *text ? text : "null");
}

void writer_decimal(struct writer *j, const char *name, const char *text)
{
    begin(j, name);
    raw(j, *text ? text : "null");
}

void writer_figure_scaled(struct writer *j, const char *name, struct figure f, int decimals)
{
    char text[FIGURE_TEXT];
    figure_text_scaled(f, decimals, text);
    begin(j, name);
    raw(j, *text ? text : "null");
}

void writer_time(struct writer *j, const char *name, int64_t us)
{
    if (us == 0) {
        writer_null(j, name);
        return;
    }
    char text[WALL_TEXT], all[WALL_TEXT + 8];
    wall_text((struct wall){us}, text);
    int rest = (int)(us % US_PER_S);
    size_t n = strlen(text);
    if (rest > 0 && n > 0 && text[n - 1] == 'Z')
        snprintf(all, sizeof all, "%.*s.%06dZ", (int)(n - 1), text, rest);
    else
        snprintf(all, sizeof all, "%s", text);
    writer_text(j, name, all);
}

void csv_text(struct buf *out, const char *text)
{
    bool formula = *text && strchr("=+-@\t", *text);
    if (!formula && !strpbrk(text, ",\"\r\n")) {
        buf_text(out, text);
        return;
    }
    buf_text(out, formula ? "\"'" : "\"");
    for (const char *s = text; *s; s++)
        buf_append(out, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    buf_text(out, "\"");
}
