// Kazakhstan, Russia, Kyrgyzstan: one walk through the document for all three, driven by a table of where
// each writes what. The parser stops at a document type declaration, before a single entity is declared:
// there is nothing to expand. Expat knows no windows-1251, so its upper half is here.
#include "kpi/feed_internal.h"
#include <expat.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX    8
#define ELEMENTS_MAX 5000
#define INFO_MAX     200

struct form {
    const char *root, *item;
    const char *date_attribute;       // of the root, or NULL
    const char *date;                 // element, or NULL
    const char *code_attribute;       // of the item, or NULL
    const char *code, *quant, *value; // elements of an item
    char sign;
};

static const struct form forms[BANKS] = {
    [BANK_KZ] = {"rates", "item", NULL, "date", NULL, "title", "quant", "description", '.'},
    [BANK_RU] = {"ValCurs", "Valute", "Date", NULL, NULL, "CharCode", "Nominal", "Value", ','},
    [BANK_KG] = {"CurrencyRates", "Currency", "Date", NULL, "ISOCode", NULL, "Nominal", "Value", ','},
};

enum field { FIELD_CODE, FIELD_QUANT, FIELD_VALUE, FIELD_DATE, FIELD_INFO, FIELDS };

struct walk {
    struct feed *feed;
    const struct form *form;
    XML_Parser parser;
    struct diag *d;
    enum err failed;
    int depth, elements;
    int item_depth;              // of the item we are in, 0: in none
    char text[FIELDS][INFO_MAX]; // of the current item, the date, the info
    size_t len[FIELDS];
    int reading; // a field, or -1
};

static void stop(struct walk *w, enum err e)
{
    w->failed = e;
    XML_StopParser(w->parser, XML_FALSE);
}

static bool is(const char *a, const char *b)
{
    return b && strcmp(a, b) == 0;
}

// ---- fields
// ------------------------------------------------------------------------------------------------------------

static void begin_field(struct walk *w, int field)
{
    w->reading = field;
    w->len[field] = 0;
    w->text[field][0] = '\0';
}

static void append(struct walk *w, const char *bytes, size_t len)
{
    int field = w->reading;
    size_t max = field == FIELD_INFO ? INFO_MAX : FEED_FIELD_MAX;
    if (w->len[field] + len >= max) {
        if (field == FIELD_INFO) // only for a person: its beginning is enough
            len = max - 1 - w->len[field];
        else
            stop(w, diag_fail(w->d, ERR_INVALID, "a text of more than %d bytes", FEED_FIELD_MAX));
    }
    if (w->failed != ERR_OK)
        return;
    memcpy(w->text[field] + w->len[field], bytes, len);
    w->len[field] += len;
    w->text[field][w->len[field]] = '\0';
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static char *trimmed(struct walk *w, int field)
{
    char *text = w->text[field];
    size_t len = w->len[field];
    while (len > 0 && blank(text[len - 1]))
        text[--len] = '\0';
    while (blank(*text))
        text++;
    return text;
}

static int field_of(const struct walk *w, const char *name)
{
    const struct form *f = w->form;
    if (w->item_depth > 0 && w->depth == w->item_depth + 1) {
        if (is(name, f->code))
            return FIELD_CODE;
        if (is(name, f->quant))
            return FIELD_QUANT;
        return is(name, f->value) ? FIELD_VALUE : -1;
    }
    if (w->depth != 2)
        return -1;
    if (is(name, f->date))
        return FIELD_DATE;
    return is(name, "info") ? FIELD_INFO : -1;
}

// ---- elements
// ----------------------------------------------------------------------------------------------------------

static const char *attribute(const char **attributes, const char *name)
{
    for (; name && *attributes; attributes += 2)
        if (strcmp(attributes[0], name) == 0)
            return attributes[1];
    return NULL;
}

static void begin_root(struct walk *w, const char *name, const char **attributes)
{
    const char *date = attribute(attributes, w->form->date_attribute);
    if (!is(name, w->form->root))
        stop(w, diag_fail(w->d, ERR_INVALID, "begins with <%.40s>, not with <%s>", name, w->form->root));
    else if (w->form->date_attribute && !date)
        stop(w, diag_fail(w->d, ERR_INVALID, "<%s> has no %s", name, w->form->date_attribute));
    else if (date && feed_take_date(w->feed, date, w->d) != ERR_OK)
        stop(w, ERR_INVALID);
}

static void begin_item(struct walk *w, const char **attributes)
{
    const char *code = attribute(attributes, w->form->code_attribute);
    w->item_depth = w->depth;
    for (int f = FIELD_CODE; f <= FIELD_VALUE; f++)
        begin_field(w, f);
    w->reading = FIELD_CODE;
    if (code)
        append(w, code, strlen(code));
    w->reading = -1;
}

static void XMLCALL on_start(void *ctx, const char *name, const char **attributes)
{
    struct walk *w = ctx;
    w->depth++;
    if (w->failed != ERR_OK)
        return;
    if (w->depth > DEPTH_MAX || ++w->elements > ELEMENTS_MAX) {
        stop(w, diag_fail(w->d, ERR_INVALID, "more than %d elements, or nested deeper than %d", ELEMENTS_MAX,
                          DEPTH_MAX));
    } else if (w->reading >= 0) {
        stop(w, diag_fail(w->d, ERR_INVALID, "<%.40s> where a text should be", name));
    } else if (w->depth == 1) {
        begin_root(w, name, attributes);
    } else if (w->depth == 2 && is(name, w->form->item)) {
        begin_item(w, attributes);
    } else {
        int field = field_of(w, name);
        if (field >= 0 && w->len[field] > 0)
            stop(w, diag_fail(w->d, ERR_INVALID, "<%.40s> twice", name));
        else if (field >= 0)
            begin_field(w, field);
    }
}

static void end_item(struct walk *w)
{
    const char *code = trimmed(w, FIELD_CODE), *quant = trimmed(w, FIELD_QUANT),
               *value = trimmed(w, FIELD_VALUE);
    w->item_depth = 0;
    if (!*code)
        stop(w, diag_fail(w->d, ERR_INVALID, "a <%s> without its currency's code", w->form->item));
    else if (feed_take(w->feed, code, quant, value, w->form->sign, w->d) != ERR_OK)
        stop(w, ERR_INVALID);
}

static void XMLCALL on_end(void *ctx, const char *name)
{
    struct walk *w = ctx;
    (void)name;
    if (w->failed == ERR_OK && w->reading == FIELD_DATE &&
        feed_take_date(w->feed, trimmed(w, FIELD_DATE), w->d) != ERR_OK)
        stop(w, ERR_INVALID);
    if (w->failed == ERR_OK && w->item_depth > 0 && w->depth == w->item_depth)
        end_item(w);
    w->reading = -1;
    w->depth--;
}

static void XMLCALL on_text(void *ctx, const char *bytes, int len)
{
    struct walk *w = ctx;
    if (w->failed == ERR_OK && w->reading >= 0)
        append(w, bytes, (size_t)len);
}

static void XMLCALL on_doctype(void *ctx, const char *name, const char *system, const char *public,
                               int internal)
{
    (void)name, (void)system, (void)public, (void)internal;
    struct walk *w = ctx;
    stop(w, diag_fail(w->d, ERR_INVALID,
                      "it has a document type declaration (<!DOCTYPE), which is refused: no "
                      "bank needs one, and entities can be made to grow without end"));
}

// ---- windows-1251
// ------------------------------------------------------------------------------------------------------

static const short upper_half[64] = { // 0x80 … 0xBF; from 0xC0 on it is А … я in order
    0x0402, 0x0403, 0x201A, 0x0453, 0x201E, 0x2026, 0x2020, 0x2021, 0x20AC, 0x2030, 0x0409, 0x2039, 0x040A,
    0x040C, 0x040B, 0x040F, 0x0452, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, -1,     0x2122,
    0x0459, 0x203A, 0x045A, 0x045C, 0x045B, 0x045F, 0x00A0, 0x040E, 0x045E, 0x0408, 0x00A4, 0x0490, 0x00A6,
    0x00A7, 0x0401, 0x00A9, 0x0404, 0x00AB, 0x00AC, 0x00AD, 0x00AE, 0x0407, 0x00B0, 0x00B1, 0x0406, 0x0456,
    0x0491, 0x00B5, 0x00B6, 0x00B7, 0x0451, 0x2116, 0x0454, 0x00BB, 0x0458, 0x0405, 0x0455, 0x0457};

static int XMLCALL on_encoding(void *ctx, const char *name, XML_Encoding *out)
{
    (void)ctx;
    if (strcasecmp(name, "windows-1251") != 0 && strcasecmp(name, "cp1251") != 0)
        return XML_STATUS_ERROR;
    for (int i = 0; i < 256; i++)
        out->map[i] = i < 0x80 ? i : i < 0xC0 ? upper_half[i - 0x80] : 0x0410 + (i - 0xC0);
    out->data = NULL;
    out->convert = NULL;
    out->release = NULL;
    return XML_STATUS_OK;
}

// ---- the whole
// ---------------------------------------------------------------------------------------------------------

static enum err parse(struct walk *w, const void *body, size_t len)
{
    if (XML_Parse(w->parser, body, (int)len, 1) == XML_STATUS_OK)
        return w->failed;
    if (w->failed != ERR_OK)
        return w->failed;
    enum XML_Error code = XML_GetErrorCode(w->parser);
    if (code == XML_ERROR_NO_MEMORY)
        return ERR_NOMEM;
    return diag_fail(w->d, ERR_INVALID, "not XML: line %lu: %s",
                     (unsigned long)XML_GetCurrentLineNumber(w->parser), XML_ErrorString(code));
}

enum err feed_xml(struct feed *f, const void *body, size_t len, struct diag *d)
{
    struct walk w = {.feed = f, .form = &forms[f->rates.bank], .d = d, .reading = -1};
    if (!(w.parser = XML_ParserCreate(NULL)))
        return ERR_NOMEM;
    XML_SetUserData(w.parser, &w);
    XML_SetElementHandler(w.parser, on_start, on_end);
    XML_SetCharacterDataHandler(w.parser, on_text);
    XML_SetStartDoctypeDeclHandler(w.parser, on_doctype);
    XML_SetUnknownEncodingHandler(w.parser, on_encoding, NULL);
    enum err e = parse(&w, body, len);
    XML_ParserFree(w.parser);
    if (e == ERR_OK && w.len[FIELD_INFO] > 0 && f->rates.count == 0)
        e = diag_fail(d, ERR_NOT_FOUND, "it has none for that day and says: %s", trimmed(&w, FIELD_INFO));
    return e;
}
