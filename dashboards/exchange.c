// A request is decoded here once, strictly, before any handler sees it: an escape that is not two hex digits,
// a NUL, a control character or broken UTF-8 is refused with a 400, so that no handler has to think about
// them.

#include "dashboards/exchange.h"
#include "base/crypto.h"
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void exchange_init(struct exchange *x)
{
    memset(x, 0, sizeof *x);
    x->path = "";
    buf_init(&x->body, EXCHANGE_BODY_MAX);
}

void exchange_deinit(struct exchange *x)
{
    buf_deinit(&x->body);
    blob_release(x->blob);
    x->blob = NULL;
    if (x->form)
        crypto_wipe(x->form, EXCHANGE_FORM_MAX + 1);
    free(x->form);
    x->form = NULL;
    exchange_forget_json(x);
    crypto_wipe(x->secret, sizeof x->secret);
    crypto_wipe(x->cookie, sizeof x->cookie);
    crypto_wipe(x->authorization, sizeof x->authorization);
    crypto_wipe(x->set_cookie, sizeof x->set_cookie);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

// Length of the UTF-8 sequence at s, 0 when it is not one (overlong, surrogate, beyond U+10FFFF or cut
// short).
static size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    if (n == 0 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return n;
}

bool exchange_text_clean(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        size_t n = utf8_length(s);
        if (n == 0 || *s < 0x20 || *s == 0x7f)
            return false;
        s += n;
    }
    return true;
}

// Decodes [from, to) to *out and NUL-terminates it; false for a bad escape or an encoded NUL.
static bool decode(const char *from, const char *to, bool plus_is_space, char **out)
{
    char *w = *out;
    while (from < to) {
        int high, low;
        if (*from == '%') {
            if (to - from < 3 || (high = hex_digit(from[1])) < 0 || (low = hex_digit(from[2])) < 0 ||
                high + low == 0)
                return false;
            *w++ = (char)(high * 16 + low);
            from += 3;
        } else {
            *w++ = plus_is_space && *from == '+' ? ' ' : *from;
            from++;
        }
    }
    *w++ = '\0';
    *out = w;
    return true;
}

static enum err parse_param(struct exchange *x, const char *from, const char *to, char **room)
{
    if (x->param_count == EXCHANGE_PARAMS_MAX)
        return exchange_fail(x, 400, "more than %d parameters", EXCHANGE_PARAMS_MAX);
    const char *equals = memchr(from, '=', (size_t)(to - from));
    struct exchange_param *p = &x->params[x->param_count];
    p->name = *room;
    if (!decode(from, equals ? equals : to, true, room))
        return exchange_fail(x, 400, "a bad %% escape in a parameter's name");
    p->value = *room;
    if (equals && !decode(equals + 1, to, true, room))
        return exchange_fail(x, 400, "a bad %% escape in a parameter's value");
    if (!equals)
        *(*room)++ = '\0';
    if (!exchange_text_clean(p->name) || !exchange_text_clean(p->value))
        return exchange_fail(x, 400, "a parameter is not plain UTF-8 text");
    if (exchange_param(x, p->name))
        return exchange_fail_param(x, p->name, "is given twice");
    x->param_count++;
    return ERR_OK;
}

// An address has nothing else in it: the rest is escaped. What is text only after decoding is none before,
// and what it is told by later would be no text.
static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

enum err exchange_parse(struct exchange *x)
{
    char *room = x->decoded; // decoding never lengthens: '?', '&' and '=' make room for the NULs, and for the
                             // last one …
    const char *end = x->target + strnlen(x->target, EXCHANGE_TARGET_MAX - 1); // … one character is held back
    if (*end)
        return exchange_fail(x, 414, "the address is longer than %d characters", EXCHANGE_TARGET_MAX - 1);
    const char *query = memchr(x->target, '?', (size_t)(end - x->target));
    x->path = "/";
    x->param_count = 0;
    if (!is_ascii(x->target))
        return exchange_fail(x, 400, "the address has bytes in it that must be written as %%XX");
    x->path = room;
    if (x->target[0] != '/' || !decode(x->target, query ? query : end, false, &room) ||
        !exchange_text_clean(x->path)) {
        x->path = "/";
        return exchange_fail(x, 400, "the address is malformed");
    }
    enum err e = ERR_OK;
    while (query && !e) {
        const char *from = query + 1;
        query = memchr(from, '&', (size_t)(end - from));
        const char *to = query ? query : end;
        // "a" without "=" takes one byte more than it came with
        if ((size_t)(room - x->decoded) + (size_t)(to - from) + 2 > sizeof x->decoded)
            return exchange_fail(x, 414, "the address is too long");
        if (to > from)
            e = parse_param(x, from, to, &room);
    }
    return e;
}

const char *exchange_param(const struct exchange *x, const char *name)
{
    for (size_t i = 0; i < x->param_count; i++)
        if (strcmp(x->params[i].name, name) == 0)
            return x->params[i].value;
    return NULL;
}

// "name=value" in its own place: decoding never lengthens, and '=' and '&' make room for the NULs.
static enum err parse_field(struct exchange *x, char *from, char *to)
{
    char *equals = memchr(from, '=', (size_t)(to - from)), *room = from;
    if (!equals || x->field_count == EXCHANGE_FIELDS_MAX)
        return exchange_fail(x, 400, "the form is malformed");
    struct exchange_param *p = &x->fields[x->field_count];
    p->name = room;
    bool ok = decode(from, equals, true, &room);
    room = equals + 1;
    p->value = room;
    ok = ok && decode(equals + 1, to, true, &room);
    if (!ok || !exchange_text_clean(p->name) || !exchange_text_clean(p->value) || *exchange_field(x, p->name))
        return exchange_fail(x, 400, "the form is malformed");
    x->field_count++;
    return ERR_OK;
}

static enum err parse_form(struct exchange *x)
{
    enum err e = ERR_OK;
    char *end = x->form ? x->form + x->form_len : NULL;
    for (char *at = x->form; at && at < end && !e;) {
        char *to = memchr(at, '&', (size_t)(end - at));
        to = to ? to : end;
        if (to > at)
            e = parse_field(x, at, to);
        at = to + 1;
    }
    return e;
}

enum err exchange_parse_body(struct exchange *x)
{
    if (x->body_cut)
        return exchange_fail(x, 413, "the body is longer than %d bytes", EXCHANGE_FORM_MAX);
    return x->body_kind == EXCHANGE_JSON ? exchange_parse_json(x) : parse_form(x);
}

const char *exchange_field(const struct exchange *x, const char *name)
{
    for (size_t i = 0; i < x->field_count; i++)
        if (strcmp(x->fields[i].name, name) == 0)
            return x->fields[i].value;
    return "";
}

static bool listed(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return strcmp(name, "lang") == 0;
}

enum err exchange_allow(struct exchange *x, const char *const *names)
{
    for (size_t i = 0; i < x->param_count; i++) {
        if (listed(names, x->params[i].name))
            continue;
        char known[400] = "";
        for (const char *const *n = names; *n; n++) {
            size_t used = strlen(known);
            snprintf(known + used, sizeof known - used, "%s%s", n == names ? "" : ", ", *n);
        }
        return exchange_fail_param(x, x->params[i].name,
                                   "is not a parameter of this address; it takes: %s%slang", known,
                                   *names ? ", " : "");
    }
    return ERR_OK;
}

// What a reason quotes may have been cut inside a character, or never was text: a method can be any bytes.
static void make_utf8(char *text)
{
    for (size_t n; *text; text += n)
        if ((n = utf8_length((const unsigned char *)text)) == 0) {
            *text = '?';
            n = 1;
        }
}

static void fail_text(struct exchange *x, int status, const char *fmt, va_list args)
    __attribute__((format(printf, 3, 0)));
static void fail_text(struct exchange *x, int status, const char *fmt, va_list args)
{
    x->status = status;
    buf_reset(&x->body);
    x->etag[0] = '\0';
    x->filename[0] = '\0';
    x->cache_control = NULL;
    x->content_type = NULL;
    x->drawing = false;
    vsnprintf(x->problem, sizeof x->problem, fmt, args);
    make_utf8(x->problem);
}

enum err exchange_fail(struct exchange *x, int status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_text(x, status, fmt, args);
    va_end(args);
    return ERR_INVALID;
}

enum err exchange_fail_param(struct exchange *x, const char *param, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_text(x, 400, fmt, args);
    va_end(args);
    snprintf(x->problem_param, sizeof x->problem_param, "%s", param);
    make_utf8(x->problem_param);
    return ERR_INVALID;
}

enum err exchange_fail_err(struct exchange *x, enum err e, const char *text)
{
    int status = 500;
    if (e == ERR_NOT_FOUND)
        status = 404;
    else if (e == ERR_INVALID || e == ERR_TOO_BIG)
        status = 400;
    else if (e == ERR_AGAIN || e == ERR_TIMEOUT || e == ERR_CLOSED)
        status = 503;
    if (status == 503)
        x->retry_after_s = 1;
    if (status >= 500)
        log_warn("request_failed", F_TEXT("path", x->path), F_TEXT("reason", text));
    return exchange_fail(x, status, "%s", status == 500 ? "this could not be answered" : err_text(e));
}

bool exchange_fresh(struct exchange *x, const void *key, size_t len)
{
    uint8_t hash[HASH_BYTES];
    char hex[HEX_TEXT(16)];
    crypto_digest(&(struct hash_part){.bytes = key, .len = len}, 1, hash);
    crypto_hex(hash, 16, hex);
    snprintf(x->etag, sizeof x->etag, "\"%s\"", hex);
    bool same = strcmp(x->if_none_match, "*") == 0 || strstr(x->if_none_match, x->etag);
    if (same)
        x->status = 304;
    return same;
}
