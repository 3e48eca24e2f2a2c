// A published figure is compared as it was published. Nothing here loosens "about", fills an unknown in or
// turns a figure of the whole country into the park's: where no honest per cent exists, the answer is missing
// and the page shows the words.
#include "kpi/target.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kpi/money.h"

static const char *const comparator_texts[] = {
    [COMPARE_EQ] = "=",  [COMPARE_GE] = ">=", [COMPARE_GT] = ">",
    [COMPARE_LE] = "<=", [COMPARE_LT] = "<",  [COMPARE_RANGE] = "range",
};

const char *comparator_text(enum comparator c)
{
    return (unsigned)c <= COMPARE_RANGE ? comparator_texts[c] : "";
}

enum err comparator_parse(const char *text, enum comparator *out)
{
    for (enum comparator c = COMPARE_EQ; c <= COMPARE_RANGE; c++) {
        if (strcmp(text, comparator_texts[c]) == 0) {
            *out = c;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

const char *statement_kind_name(enum statement_kind k)
{
    static const char *const names[] = {"fact", "target", "capacity", "event"};
    return (unsigned)k <= STATEMENT_EVENT ? names[k] : "";
}

bool statement_counts(const struct statement *s)
{
    return s->scope[0] == '\0' && s->part_of[0] == '\0';
}

// ---- the value's little grammar
// -------------------------------------------------------------------------------------

#define UNKNOWN    "unknown"
#define ABOUT      "about "
#define RANGE_DOTS " .. "

static enum err parse_decimal(const char *text, int decimals, struct figure *out)
{
    return decimals > 0 ? figure_parse_scaled(text, decimals, out) : figure_parse(text, out);
}

// "a .. b" with a < b.
static enum err parse_range(const char *text, const char *dots, int decimals, struct statement *s)
{
    char low[FIGURE_TEXT];
    size_t len = (size_t)(dots - text);

    if (len >= sizeof(low))
        return ERR_INVALID;
    memcpy(low, text, len);
    low[len] = '\0';
    s->comparator = COMPARE_RANGE;
    if (parse_decimal(low, decimals, &s->value) != ERR_OK ||
        parse_decimal(dots + strlen(RANGE_DOTS), decimals, &s->value_high) != ERR_OK)
        return ERR_INVALID;
    return figure_to_real(s->value) < figure_to_real(s->value_high) ? ERR_OK : ERR_INVALID;
}

// An optional comparator and its space; what follows is the number.
static const char *skip_comparator(const char *text, enum comparator *out)
{
    static const enum comparator longest_first[] = {COMPARE_GE, COMPARE_LE, COMPARE_GT, COMPARE_LT,
                                                    COMPARE_EQ};

    *out = COMPARE_EQ;
    for (size_t i = 0; i < sizeof(longest_first) / sizeof(longest_first[0]); i++) {
        const char *mark = comparator_texts[longest_first[i]];
        size_t len = strlen(mark);
        if (strncmp(text, mark, len) == 0 && text[len] == ' ') {
            *out = longest_first[i];
            return text + len + 1;
        }
    }
    return text;
}

enum err statement_parse_value(const char *text, int decimals, struct statement *out)
{
    struct statement s = {.value = figure_missing(), .value_high = figure_missing()};

    if (strcmp(text, UNKNOWN) != 0) {
        s.about = strncmp(text, ABOUT, strlen(ABOUT)) == 0;
        text += s.about ? strlen(ABOUT) : 0;
        const char *dots = strstr(text, RANGE_DOTS);
        enum err e = ERR_OK;
        if (dots != NULL)
            e = parse_range(text, dots, decimals, &s);
        else
            e = parse_decimal(skip_comparator(text, &s.comparator), decimals, &s.value);
        if (e != ERR_OK)
            return ERR_INVALID;
    }
    out->about = s.about;
    out->comparator = s.comparator;
    out->value = s.value;
    out->value_high = s.value_high;
    return ERR_OK;
}

void statement_value_text(const struct statement *s, char out[STATEMENT_VALUE_TEXT])
{
    const struct currency *c = currency_find(s->currency);
    int decimals = c != NULL ? c->decimals : 0;
    const char *about = s->about ? ABOUT : "";
    char low[FIGURE_TEXT];
    char high[FIGURE_TEXT];

    figure_text_scaled(s->value, decimals, low);
    figure_text_scaled(s->value_high, decimals, high);
    if (s->value.kind == FIGURE_MISSING)
        snprintf(out, STATEMENT_VALUE_TEXT, "%s", UNKNOWN);
    else if (s->comparator == COMPARE_RANGE)
        snprintf(out, STATEMENT_VALUE_TEXT, "%s%s%s%s", about, low, RANGE_DOTS, high);
    else if (s->comparator == COMPARE_EQ)
        snprintf(out, STATEMENT_VALUE_TEXT, "%s%s", about, low);
    else
        snprintf(out, STATEMENT_VALUE_TEXT, "%s%s %s", about, comparator_text(s->comparator), low);
}

// ---- attainment
// -----------------------------------------------------------------------------------------------------

// Every integer figure is a double exactly, so comparing doubles is comparing the figures.
static bool holds(const struct statement *t, double actual)
{
    double value = figure_to_real(t->value);

    switch (t->comparator) {
    case COMPARE_EQ:
        return t->kind == STATEMENT_TARGET ? actual >= value : actual == value;
    case COMPARE_GE:
        return actual >= value;
    case COMPARE_GT:
        return actual > value;
    case COMPARE_LE:
        return actual <= value;
    case COMPARE_LT:
        return actual < value;
    case COMPARE_RANGE:
        return actual >= value && actual <= figure_to_real(t->value_high);
    }
    return false;
}

static bool comparable(const struct statement *t, struct figure actual)
{
    return actual.kind != FIGURE_MISSING && t->value.kind != FIGURE_MISSING &&
           t->base.kind == FIGURE_MISSING && t->scope[0] == '\0';
}

static struct figure per_cent(double actual, double value)
{
    struct figure out = figure_missing();
    double scaled = actual * 100; // multiplied first: 7 of 100 is 7, not 7.000000000000001

    if (value <= 0)
        return out;
    double result = isfinite(scaled) ? scaled / value : actual / value * 100;
    if (figure_from_real(result, &out) != ERR_OK)
        return figure_missing();
    return out;
}

struct figure target_attainment(const struct statement *t, struct figure actual, bool *reached)
{
    bool can = comparable(t, actual);

    if (reached != NULL)
        *reached = can && holds(t, figure_to_real(actual));
    if (!can || t->comparator == COMPARE_LE || t->comparator == COMPARE_LT || t->comparator == COMPARE_RANGE)
        return figure_missing();
    return per_cent(figure_to_real(actual), figure_to_real(t->value));
}
