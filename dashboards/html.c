// The format string is the trusted part, the arguments never are. The compiler checks the arguments as
// printf's.

#include "dashboards/html.h"
#include <stdio.h>
#include <string.h>

static const char *reference(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

// buf's errors are sticky: a reply is checked once, when it is complete.
static void raw(struct buf *b, const char *bytes, size_t len)
{
    if (len)
        buf_append(b, bytes, len);
}

void html_text(struct buf *b, const char *text)
{
    for (const char *s = text ? text : ""; *s;) {
        size_t plain = strcspn(s, "&<>\"'");
        raw(b, s, plain);
        s += plain;
        if (*s) {
            const char *r = reference(*s++);
            raw(b, r, strlen(r));
        }
    }
}

static const char *conversion(struct buf *b, const char *s, va_list *args)
{
    char text[32];
    if (*s == 's') {
        html_text(b, va_arg(*args, const char *));
        return s + 1;
    }
    if (*s == '%') {
        raw(b, s, 1);
        return s + 1;
    }
    if (s[0] == 'l' && s[1] == 'd')
        snprintf(text, sizeof text, "%ld", va_arg(*args, long));
    else if (s[0] == 'l' && s[1] == 'u')
        snprintf(text, sizeof text, "%lu", va_arg(*args, unsigned long));
    else if (s[0] == 'z' && s[1] == 'u')
        snprintf(text, sizeof text, "%zu", va_arg(*args, size_t));
    else if (*s == 'd')
        snprintf(text, sizeof text, "%d", va_arg(*args, int));
    else
        snprintf(text, sizeof text, "%u", va_arg(*args, unsigned));
    raw(b, text, strlen(text));
    return s + (*s == 'l' || *s == 'z' ? 2 : 1);
}

void html_vput(struct buf *b, const char *markup, va_list args)
{
    va_list rest;
    va_copy(rest, args);
    for (const char *s = markup; *s;) {
        size_t plain = strcspn(s, "%");
        raw(b, s, plain);
        s += plain;
        if (*s)
            s = conversion(b, s + 1, &rest);
    }
    va_end(rest);
}

void html_put(struct buf *b, const char *markup, ...)
{
    va_list args;
    va_start(args, markup);
    html_vput(b, markup, args);
    va_end(args);
}

void html_url(struct buf *b, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    for (const char *s = text; *s; s++) {
        char escape[4];
        if (strchr(plain, *s)) {
            raw(b, s, 1);
        } else {
            snprintf(escape, sizeof escape, "%%%02X", (unsigned)(unsigned char)*s);
            raw(b, escape, 3);
        }
    }
}
