// Parsed into postfix order by two stacks of fixed size: no recursion, no tree, nothing to allocate while
// evaluating. Signs and brackets are all there is, so that a formula can do no harm whoever wrote it.
#include "kpi/formula.h"
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 15
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz_0123456789"

enum op_kind { OP_NUMBER, OP_PART, OP_ADD, OP_SUBTRACT, OP_MULTIPLY, OP_DIVIDE };
struct op {
    enum op_kind kind;
    size_t part;            // of OP_PART
    struct fraction number; // of OP_NUMBER
};

struct formula {
    size_t op_count, part_count;
    struct op ops[FORMULA_OPS_MAX];
    struct formula_part parts[FORMULA_OPS_MAX];
};

struct parser {
    const char *text, *at;
    struct formula *f;
    char signs[FORMULA_OPS_MAX + FORMULA_DEEP_MAX]; // waiting for their right side; '(' among them
    const char *opened[FORMULA_DEEP_MAX];           // where
    size_t sign_count, deep;
    struct diag *d;
};

static enum err add_op(struct parser *p, struct op op)
{
    if (p->f->op_count == FORMULA_OPS_MAX)
        return diag_fail(p->d, ERR_INVALID, "is too long: at most %d numbers, KPIs and signs",
                         FORMULA_OPS_MAX);
    p->f->ops[p->f->op_count++] = op;
    return ERR_OK;
}

static void skip_blanks(struct parser *p)
{
    p->at += strspn(p->at, " ");
}

// ---- numbers and KPIs

static enum err parse_number(struct parser *p)
{
    int128 top = 0, bottom = 1;
    size_t whole = strspn(p->at, "0123456789"),
           part = p->at[whole] == '.' ? strspn(p->at + whole + 1, "0123456789") : 0;
    size_t len = whole + (p->at[whole] == '.') + part;
    if (whole == 0 || (p->at[whole] == '.' && part == 0) || whole + part > DIGITS_MAX)
        return diag_fail(p->d, ERR_INVALID, "a number is digits, like 100 or 0.5, at most %d", DIGITS_MAX);
    for (size_t i = 0; i < len; i++) {
        if (p->at[i] == '.')
            continue;
        top = top * 10 + (p->at[i] - '0');
        bottom *= i > whole ? 10 : 1;
    }
    p->at += len;
    return add_op(p, (struct op){.kind = OP_NUMBER, .number = fraction_ratio(top, bottom)});
}

static enum err parse_name(struct parser *p, char out[SERIES_PART_MAX + 1])
{
    size_t len = strspn(p->at, NAME_CHARS);
    if (len == 0)
        return diag_fail(p->d, ERR_INVALID, "a KPI's code belongs here");
    if (len > SERIES_PART_MAX)
        return diag_fail(p->d, ERR_INVALID, "is too long for a KPI's code");
    memcpy(out, p->at, len);
    out[len] = '\0';
    p->at += len;
    return ERR_OK;
}

static enum err add_part(struct parser *p, const struct formula_part *part)
{
    struct formula *f = p->f;
    size_t i = 0;
    while (i < f->part_count && (f->parts[i].call != part->call || strcmp(f->parts[i].kpi, part->kpi) != 0))
        i++;
    enum err e = add_op(p, (struct op){.kind = OP_PART, .part = i});
    if (e == ERR_OK && i == f->part_count)
        f->parts[f->part_count++] = *part;
    return e;
}

// name | annualised(name) | target(name)
static enum err parse_part(struct parser *p)
{
    const char *begin = p->at;
    struct formula_part part = {.call = FORMULA_KPI, .at = (size_t)(begin - p->text)};
    enum err e = parse_name(p, part.kpi);
    skip_blanks(p);
    if (e != ERR_OK || *p->at != '(')
        return e == ERR_OK ? add_part(p, &part) : e;
    if (strcmp(part.kpi, "annualised") == 0) {
        part.call = FORMULA_ANNUALISED;
    } else if (strcmp(part.kpi, "target") == 0) {
        part.call = FORMULA_TARGET;
    } else {
        p->at = begin;
        return diag_fail(p->d, ERR_INVALID, "\"%s\" is no function: annualised(kpi) and target(kpi) are",
                         part.kpi);
    }
    p->at++;
    skip_blanks(p);
    part.at = (size_t)(p->at - p->text);
    e = parse_name(p, part.kpi);
    skip_blanks(p);
    if (e == ERR_OK && *p->at != ')')
        e = diag_fail(p->d, ERR_INVALID, "\")\" belongs here: one KPI's code stands in the brackets");
    if (e != ERR_OK)
        return e;
    p->at++;
    return add_part(p, &part);
}

// ---- signs

static int weight(char sign)
{
    return sign == '*' || sign == '/' ? 2 : sign == '(' ? 0 : 1;
}

static enum err settle(struct parser *p, int at_least)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && p->sign_count > 0 && weight(p->signs[p->sign_count - 1]) >= at_least) {
        char sign = p->signs[--p->sign_count];
        enum op_kind kind = sign == '+'   ? OP_ADD
                            : sign == '-' ? OP_SUBTRACT
                            : sign == '*' ? OP_MULTIPLY
                                          : OP_DIVIDE;
        e = add_op(p, (struct op){.kind = kind});
    }
    return e;
}

static enum err push_sign(struct parser *p, char sign)
{
    if (p->sign_count == sizeof p->signs)
        return diag_fail(p->d, ERR_INVALID, "is too long");
    p->signs[p->sign_count++] = sign;
    p->at++;
    return ERR_OK;
}

static enum err open_bracket(struct parser *p)
{
    if (p->deep == FORMULA_DEEP_MAX)
        return diag_fail(p->d, ERR_INVALID, "has more than %d brackets within each other", FORMULA_DEEP_MAX);
    p->opened[p->deep++] = p->at;
    return push_sign(p, '(');
}

static enum err close_bracket(struct parser *p)
{
    if (p->deep == 0)
        return diag_fail(p->d, ERR_INVALID, "\")\" closes no bracket");
    enum err e = settle(p, 1);
    if (e != ERR_OK)
        return e;
    p->sign_count--; // its "("
    p->deep--;
    p->at++;
    return ERR_OK;
}

// What a value may begin with; *value: it was one, not a bracket.
static enum err parse_operand(struct parser *p, bool *value)
{
    *value = *p->at != '(';
    if (*p->at == '(')
        return open_bracket(p);
    if (*p->at >= '0' && *p->at <= '9')
        return parse_number(p);
    if (*p->at != '\0' && strchr(NAME_CHARS, *p->at))
        return parse_part(p);
    return diag_fail(p->d, ERR_INVALID, "a KPI, a number or \"(\" belongs here");
}

// What may follow a value; *value: it is still one.
static enum err parse_operator(struct parser *p, bool *value)
{
    char c = *p->at;
    *value = c == ')';
    if (c == ')')
        return close_bracket(p);
    if (!strchr("+-*/", c))
        return diag_fail(p->d, ERR_INVALID, "+ - * / or \")\" belongs here");
    enum err e = settle(p, weight(c));
    return e == ERR_OK ? push_sign(p, c) : e;
}

static enum err parse_all(struct parser *p)
{
    bool value = false; // a value has just been read
    enum err e = ERR_OK;
    for (skip_blanks(p); e == ERR_OK && (*p->at != '\0' || !value); skip_blanks(p))
        e = value ? parse_operator(p, &value) : parse_operand(p, &value);
    if (e != ERR_OK)
        return e;
    if (p->deep > 0) {
        p->at = p->opened[p->deep - 1];
        return diag_fail(p->d, ERR_INVALID, "this bracket is never closed");
    }
    return settle(p, 1);
}

enum err formula_parse(const char *text, struct formula **out, size_t *at, struct diag *d)
{
    *at = 0;
    if (strlen(text) > FORMULA_TEXT_MAX)
        return diag_fail(d, ERR_INVALID, "is longer than %d characters", FORMULA_TEXT_MAX);
    struct parser p = {.text = text, .at = text, .f = calloc(1, sizeof(struct formula)), .d = d};
    if (!p.f)
        return diag_fail(d, ERR_NOMEM, "out of memory");
    enum err e = parse_all(&p);
    if (e != ERR_OK) {
        *at = (size_t)(p.at - text);
        formula_free(p.f);
        return e;
    }
    *out = p.f;
    return ERR_OK;
}

void formula_free(struct formula *f)
{
    free(f);
}

size_t formula_part_count(const struct formula *f)
{
    return f->part_count;
}

const struct formula_part *formula_part_at(const struct formula *f, size_t i)
{
    return i < f->part_count ? &f->parts[i] : NULL;
}

// ---- evaluating

// *zero: this step divided by zero.
static struct fraction apply(enum op_kind kind, struct fraction a, struct fraction b, bool *zero)
{
    switch (kind) {
    case OP_ADD:
        return fraction_add(a, b);
    case OP_SUBTRACT:
        return fraction_subtract(a, b);
    case OP_MULTIPLY:
        return fraction_multiply(a, b);
    case OP_DIVIDE:
        *zero |= fraction_is_zero(b);
        return fraction_divide(a, b);
    case OP_NUMBER:
    case OP_PART:
    default:
        return fraction_missing();
    }
}

struct formula_result formula_evaluate(const struct formula *f, const struct fraction *parts)
{
    struct fraction stack[FORMULA_OPS_MAX];
    size_t height = 0;
    bool zero = false;
    for (size_t i = 0; i < f->part_count; i++)
        if (!parts[i].known)
            return (struct formula_result){FORMULA_MISSING, &f->parts[i], fraction_missing()};
    for (size_t i = 0; i < f->op_count; i++) {
        const struct op *op = &f->ops[i];
        if (op->kind == OP_NUMBER || op->kind == OP_PART) {
            stack[height++] = op->kind == OP_NUMBER ? op->number : parts[op->part];
        } else if (height >= 2) { // always: the parser sees to it
            stack[height - 2] = apply(op->kind, stack[height - 2], stack[height - 1], &zero);
            height--;
        }
    }
    if (zero)
        return (struct formula_result){FORMULA_ZERO, NULL, fraction_missing()};
    if (height != 1 || !stack[0].known)
        return (struct formula_result){FORMULA_RANGE, NULL, fraction_missing()};
    return (struct formula_result){FORMULA_KNOWN, NULL, stack[0]};
}
