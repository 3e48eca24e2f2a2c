// Spaces are dropped and the sign made a point before the exact parsers see it, which know one way of
// writing only. "12,345" is refused rather than read: the two halves of the world read it differently, and a
// figure a thousand times off is worse than a question.
#include "kpi/entry.h"
#include <stdbool.h>
#include <string.h>

const char *entry_fault_text(enum entry_fault f)
{
    static const char *const texts[ENTRY_FAULTS] = {
        [ENTRY_FINE] = "",
        [ENTRY_EMPTY] = "a figure is missing",
        [ENTRY_NO_NUMBER] = "not a number; write it like 1250000,50 or 1 250 000.50",
        [ENTRY_TWO_SIGNS] = "more than one comma or point; part thousands with spaces: 1 250 000,50",
        [ENTRY_GROUPS] = "spaces part thousands: 1 250 000",
        [ENTRY_AMBIGUOUS] =
            "thousands or a fraction? write 12345 or 12 345 for the one, 12,3450 for the other",
        [ENTRY_DECIMALS] = "more digits after the decimal sign than the currency has",
        [ENTRY_TOO_BIG] = "too large to be kept exactly"};
    return (unsigned)f < ENTRY_FAULTS ? texts[f] : "";
}

// Bytes of the space that stands there, 0: none.
static size_t space_at(const char *c)
{
    static const char *const spaces[] = {" ", "\t", "\xc2\xa0", "\xe2\x80\xaf", "\xe2\x80\x89"};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        if (strncmp(c, spaces[i], strlen(spaces[i])) == 0)
            return strlen(spaces[i]);
    return 0;
}

struct number { // what was read, written plainly
    char text[ENTRY_TEXT_MAX + 2];
    size_t len, whole, fraction, group, groups;
    bool sign, bad_group;
};

static void end_group(struct number *n)
{
    if (n->groups > 0 && n->group != 3)
        n->bad_group = true;
}

static void take_space(struct number *n)
{
    if (n->sign || (n->groups == 0 ? n->group < 1 || n->group > 3 : n->group != 3))
        n->bad_group = true;
    n->groups++;
    n->group = 0;
}

static void take_digit(struct number *n, char digit)
{
    n->text[n->len++] = digit;
    if (n->sign) {
        n->fraction++;
    } else {
        n->whole++;
        n->group++;
    }
}

static const char *skip_spaces(const char *c)
{
    for (size_t len; (len = space_at(c)) > 0;)
        c += len;
    return c;
}

static const char *take_minus(struct number *n, const char *c)
{
    static const char minus[] = "\xe2\x88\x92"; // U+2212
    bool is_minus = strncmp(c, minus, 3) == 0;
    if (*c == '-' || is_minus)
        n->text[n->len++] = '-';
    if (*c == '-' || *c == '+' || is_minus)
        c += is_minus ? 3 : 1;
    return skip_spaces(c);
}

static enum entry_fault read_number(const char *text, struct number *n)
{
    const char *c = skip_spaces(text);
    if (!*c)
        return ENTRY_EMPTY;
    for (c = take_minus(n, c); *c;) {
        size_t space = space_at(c);
        if (space) {
            const char *next = skip_spaces(c);
            if (!*next)
                break;
            if (next != c + space)
                n->bad_group = true;
            take_space(n);
            c = next;
        } else if (*c == ',' || *c == '.') {
            if (n->sign)
                return ENTRY_TWO_SIGNS;
            end_group(n);
            n->sign = true;
            n->text[n->len++] = '.';
            c++;
        } else if (*c >= '0' && *c <= '9') {
            take_digit(n, *c++);
        } else {
            return ENTRY_NO_NUMBER;
        }
    }
    if (!n->sign)
        end_group(n);
    return n->whole == 0 || (n->sign && n->fraction == 0) ? ENTRY_NO_NUMBER : ENTRY_FINE;
}

// Of money it can be nothing else than too many digits.
static bool is_ambiguous(const struct number *n)
{
    const char *first = n->text + (n->text[0] == '-');
    return n->sign && n->fraction == 3 && n->groups == 0 && n->whole <= 3 && first[0] != '0';
}

enum entry_fault entry_parse(const char *text, const struct currency *money, struct figure *out)
{
    struct number n = {.len = 0};
    if (strlen(text) > ENTRY_TEXT_MAX)
        return ENTRY_TOO_BIG;
    enum entry_fault f = read_number(text, &n);
    if (f != ENTRY_FINE)
        return f;
    if (n.bad_group)
        return ENTRY_GROUPS;
    if (is_ambiguous(&n))
        return ENTRY_AMBIGUOUS;
    if (money && n.fraction > (size_t)money->decimals)
        return ENTRY_DECIMALS;
    enum err e = money ? money_parse(n.text, money, out) : figure_parse(n.text, out);
    if (e == ERR_OK)
        return ENTRY_FINE;
    return e == ERR_TOO_BIG ? ENTRY_TOO_BIG : ENTRY_NO_NUMBER;
}
