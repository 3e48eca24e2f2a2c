// The rules of form in one place, on the plain structs: the decoder applies them to what came in and the
// encoder to what goes out, so that neither side can send what the other must refuse. Texts are checked for
// everything a terminal, a log line or a page might act on; what they mean is the receiver's business.
#include "wire/codec_internal.h"
#include <inttypes.h>
#include <string.h>

// Years 1 to 9999.
#define DAY_LOWEST     INT64_C(-719162)
#define DAY_HIGHEST    INT64_C(2932896)
#define SECOND_LOWEST  (DAY_LOWEST * 86400)
#define SECOND_HIGHEST (DAY_HIGHEST * 86400 + 86399)
#define MICROSECOND    INT64_C(1000000)

#define CONTROL_KIND_MAX 127
#define PERIOD_HIGHEST   4 // YEAR

void wire_time_bounds(enum wire_class c, int64_t *lowest, int64_t *highest)
{
    bool days = c == WIRE_REPORT;
    *lowest = days ? DAY_LOWEST : SECOND_LOWEST;
    *highest = days ? DAY_HIGHEST : SECOND_HIGHEST;
}

// ---- texts

// The code point at *at, which is moved past it; UINT32_MAX for what is not UTF-8 (RFC 3629).
static uint32_t take_code_point(const unsigned char **at)
{
    const unsigned char *p = *at;
    size_t more = p[0] < 0x80   ? 0
                  : p[0] < 0xc2 ? SIZE_MAX
                  : p[0] < 0xe0 ? 1
                  : p[0] < 0xf0 ? 2
                  : p[0] < 0xf5 ? 3
                                : SIZE_MAX;
    if (more == SIZE_MAX)
        return UINT32_MAX;
    uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);
    for (size_t i = 1; i <= more; i++) { // the final NUL is no continuation byte: never read past it
        if ((p[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        c = c << 6 | (p[i] & 0x3fu);
    }
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    if (c < smallest[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return UINT32_MAX;
    *at = p + more + 1;
    return c;
}

// Neither control characters nor those that reorder or break the line they are shown in.
static bool printable(uint32_t c)
{
    return c >= 0x20 && !(c >= 0x7f && c <= 0x9f) && !(c >= 0x2028 && c <= 0x202e) &&
           !(c >= 0x2066 && c <= 0x2069) && c != 0xfeff && c != UINT32_MAX;
}

static enum err check_text(struct diag *d, const char *field, const char *text, size_t min_bytes,
                           size_t max_bytes)
{
    const char *value = text ? text : "";
    size_t len = strnlen(value, max_bytes + 1);
    if (len < min_bytes)
        return diag_fail(d, ERR_INVALID, "%s is empty", field);
    if (len > max_bytes)
        return diag_fail(d, ERR_INVALID, "%s is longer than %zu bytes", field, max_bytes);
    const unsigned char *at = (const unsigned char *)value;
    while (*at) {
        size_t offset = (size_t)(at - (const unsigned char *)value);
        if (!printable(take_code_point(&at)))
            return diag_fail(d, ERR_INVALID, "%s is not printable UTF-8 at byte %zu", field, offset);
    }
    return ERR_OK;
}

static enum err check_ascii(struct diag *d, const char *field, const char *text, size_t min_bytes,
                            size_t max_bytes)
{
    enum err e = check_text(d, field, text, min_bytes, max_bytes);
    for (const char *c = text; e == ERR_OK && c && *c; c++)
        if ((unsigned char)*c > 0x7e)
            return diag_fail(d, ERR_INVALID, "%s is not ASCII", field);
    return e;
}

static enum err check_currency(struct diag *d, const char *field, const char *code)
{
    if (!code || !*code)
        return ERR_OK;
    if (strnlen(code, WIRE_CURRENCY_LEN + 1) != WIRE_CURRENCY_LEN ||
        strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != WIRE_CURRENCY_LEN)
        return diag_fail(d, ERR_INVALID, "%s is not an ISO 4217 code of three letters", field);
    return ERR_OK;
}

// ---- numbers

static enum err check_range(struct diag *d, const char *field, uint64_t value, uint64_t lowest,
                            uint64_t highest)
{
    if (value >= lowest && value <= highest)
        return ERR_OK;
    return diag_fail(d, ERR_INVALID, "%s is %" PRIu64 ", not %" PRIu64 " to %" PRIu64, field, value, lowest,
                     highest);
}

static enum err check_day(struct diag *d, const char *field, int32_t day)
{
    if (day >= DAY_LOWEST && day <= DAY_HIGHEST)
        return ERR_OK;
    return diag_fail(d, ERR_INVALID, "%s is outside the years 1 to 9999", field);
}

static enum err check_seconds(struct diag *d, const char *field, int64_t s)
{
    if (s >= SECOND_LOWEST && s <= SECOND_HIGHEST)
        return ERR_OK;
    return diag_fail(d, ERR_INVALID, "%s is outside the years 1 to 9999", field);
}

static enum err check_microseconds(struct diag *d, const char *field, int64_t us)
{
    return check_seconds(d, field, us / MICROSECOND);
}

static enum err check_class(struct diag *d, const char *field, enum wire_class c)
{
    return check_range(d, field, (uint64_t)c, WIRE_MEASUREMENT, WIRE_REPORT);
}

// Runs the checks in order until one fails.
#define CHECK(call)                                                                                          \
    do {                                                                                                     \
        enum err check_result = (call);                                                                      \
        if (check_result != ERR_OK)                                                                          \
            return check_result;                                                                             \
    } while (0)

// ---- messages

enum err wire_check_author(const char *field, const char *author, struct diag *d)
{
    return check_text(d, field, author, 0, WIRE_AUTHOR_MAX);
}

enum err wire_check_reason(const char *field, const char *reason, struct diag *d)
{
    return check_text(d, field, reason, 0, WIRE_REASON_MAX);
}

enum err wire_check_note(const struct wire_note *n, struct diag *d)
{
    CHECK(check_range(d, "note.status", (uint64_t)n->status, WIRE_NORMAL, WIRE_MISSING));
    CHECK(check_text(d, "note.reason", n->reason, 0, WIRE_REASON_MAX));
    CHECK(check_text(d, "note.author", n->author, 0, WIRE_AUTHOR_MAX));
    CHECK(check_currency(d, "note.currency", n->currency));
    return check_microseconds(d, "note.published_us", n->published_us);
}

static enum err check_batch(const struct wire_batch *b, struct diag *d)
{
    CHECK(check_range(d, "batch.sequence", b->sequence, 1, UINT64_MAX));
    CHECK(check_class(d, "batch.class", b->class));
    CHECK(check_range(d, "batch.declares", b->declares, 0, WIRE_SERIES_NUMBERS));
    CHECK(check_range(d, "batch's samples", b->count, 0, WIRE_SAMPLES_MAX));
    CHECK(check_range(d, "batch's notes", b->note_count, 0, WIRE_NOTES_MAX));
    for (size_t i = 0; i < b->note_count; i++) {
        const struct wire_note *n = &b->notes[i];
        if (n->index >= b->count || (i > 0 && n->index <= b->notes[i - 1].index))
            return diag_fail(d, ERR_INVALID, "note %zu: index %" PRIu32 " does not rise or is not below %zu",
                             i, n->index, b->count);
        CHECK(wire_check_note(n, d));
    }
    return ERR_OK;
}

static enum err check_gap(const struct wire_gap *g, struct diag *d)
{
    CHECK(check_range(d, "gap.first", g->first, 1, UINT64_MAX));
    CHECK(check_range(d, "gap.last", g->last, g->first, UINT64_MAX));
    CHECK(check_seconds(d, "gap.from_s", g->from_s));
    CHECK(check_seconds(d, "gap.to_s", g->to_s));
    if (g->from_s > g->to_s)
        return diag_fail(d, ERR_INVALID, "gap.from_s is later than gap.to_s");
    return check_range(d, "gap.reason", (uint64_t)g->reason, WIRE_GAP_QUOTA_BYTES,
                       WIRE_GAP_LOST_BY_COLLECTOR);
}

static enum err check_reject(const struct wire_reject *r, struct diag *d)
{
    CHECK(check_range(d, "reject.sequence", r->sequence, 1, UINT64_MAX));
    if (r->whole)
        return check_range(d, "reject.reason", (uint64_t)r->whole_reason, WIRE_REASON_NONE + 1,
                           WIRE_REASON_COUNT - 1);
    CHECK(check_range(d, "reject's samples", r->count, 1, WIRE_SAMPLES_MAX));
    for (size_t i = 0; i < r->count; i++) {
        const struct wire_refusal *f = &r->refusals[i];
        uint64_t lowest = i > 0 ? (uint64_t)r->refusals[i - 1].index + 1 : 0;
        CHECK(check_range(d, "reject.index", f->index, lowest, WIRE_SAMPLES_MAX - 1));
        CHECK(check_range(d, "reject.reason", (uint64_t)f->reason, WIRE_REASON_NONE + 1,
                          WIRE_REASON_COUNT - 1));
    }
    return ERR_OK;
}

// Another version of the protocol may differ in all but this: the receiver must be able to answer
// BAD_PROTOCOL.
static enum err check_hello(const struct wire_hello *h, struct diag *d)
{
    if (h->protocol != WIRE_PROTOCOL)
        return ERR_OK;
    CHECK(check_ascii(d, "hello.version", h->version, 0, WIRE_VERSION_MAX));
    CHECK(check_microseconds(d, "hello.clock_us", h->clock_us));
    return check_range(d, "hello.declares", h->declares, 0, WIRE_SERIES_NUMBERS);
}

static enum err check_welcome(const struct wire_welcome *w, struct diag *d)
{
    CHECK(check_ascii(d, "welcome.resident", w->resident, 1, WIRE_RESIDENT_MAX));
    CHECK(check_range(d, "welcome.declares_known", w->declares_known, 0, WIRE_SERIES_NUMBERS));
    CHECK(check_range(d, "welcome.next_port", w->next_port, 0, UINT16_MAX));
    return check_microseconds(d, "welcome.clock_us", w->clock_us);
}

static enum err check_declare(const struct wire_declare *c, struct diag *d)
{
    CHECK(check_range(d, "declare.number", c->number, 0, WIRE_SERIES_NUMBERS - 1));
    CHECK(check_ascii(d, "declare.series", c->series, 1, WIRE_SERIES_MAX));
    CHECK(check_text(d, "declare.unit", c->unit, 0, WIRE_UNIT_MAX));
    CHECK(check_currency(d, "declare.currency", c->currency));
    CHECK(check_class(d, "declare.class", c->class));
    if (c->class == WIRE_REPORT) {
        CHECK(check_range(d, "declare.step_s of reports", c->step_s, 0, 0));
        return check_range(d, "declare.period of reports", c->period, 1, PERIOD_HIGHEST);
    }
    CHECK(check_range(d, "declare.period of measurements", c->period, 0, 0));
    CHECK(check_range(d, "declare.step_s", c->step_s, WIRE_STEP_MIN_S, WIRE_STEP_MAX_S));
    if (WIRE_STEP_MAX_S % c->step_s != 0)
        return diag_fail(d, ERR_INVALID, "declare.step_s %" PRIu32 " is not a divisor of %d", c->step_s,
                         WIRE_STEP_MAX_S);
    return ERR_OK;
}

static enum err check_refuse(const struct wire_refuse *r, struct diag *d)
{
    CHECK(check_range(d, "refuse.reason", (uint64_t)r->reason, WIRE_REFUSE_NONE + 1, WIRE_REFUSE_COUNT - 1));
    return check_text(d, "refuse.text", r->text, 0, WIRE_REASON_MAX);
}

static enum err check_control(const struct wire_control *c, struct diag *d)
{
    CHECK(check_text(d, "control.kind", c->kind, 1, CONTROL_KIND_MAX));
    CHECK(check_text(d, "control.author", c->author, 0, WIRE_AUTHOR_MAX));
    CHECK(check_range(d, "control.parts", c->parts, 1, UINT32_MAX));
    return check_range(d, "control.part", c->part, 0, c->parts - 1);
}

static enum err check_enrol(const struct wire_enrol *n, struct diag *d)
{
    return n->protocol == WIRE_PROTOCOL ? check_ascii(d, "enrol.version", n->version, 0, WIRE_VERSION_MAX)
                                        : ERR_OK;
}

static enum err check_enrolled(const struct wire_enrolled *n, struct diag *d)
{
    CHECK(check_ascii(d, "enrolled.resident", n->resident, 1, WIRE_RESIDENT_MAX));
    CHECK(check_ascii(d, "enrolled.endpoint", n->endpoint, 1, WIRE_ENDPOINT_MAX));
    return check_microseconds(d, "enrolled.clock_us", n->clock_us);
}

static enum err check_owed(const struct wire_owed *o, struct diag *d)
{
    CHECK(check_ascii(d, "owed.series", o->series, 1, WIRE_SERIES_MAX));
    CHECK(check_range(d, "owed.period", o->period, 1, PERIOD_HIGHEST));
    CHECK(check_range(d, "owed.state", (uint64_t)o->state, WIRE_OWED_OPEN, WIRE_OWED_DONE));
    if (!o->has_due)
        return o->state == WIRE_OWED_LATE ? diag_fail(d, ERR_INVALID, "owed.state is late without a date")
                                          : check_day(d, "owed.start", o->start);
    CHECK(check_day(d, "owed.due_day", o->due_day));
    CHECK(check_seconds(d, "owed.late_s", o->late_s));
    if (o->late_s == 0)
        return diag_fail(d, ERR_INVALID, "owed.late_s is 0, which says that there is no date");
    return check_day(d, "owed.start", o->start);
}

static enum err check_obligations(const struct wire_obligations *o, struct diag *d)
{
    CHECK(check_microseconds(d, "obligations.as_of_us", o->as_of_us));
    CHECK(check_range(d, "obligations' list", o->count, 0, WIRE_OWED_MAX));
    for (size_t i = 0; i < o->count; i++)
        CHECK(check_owed(&o->owed[i], d));
    return ERR_OK;
}

enum err wire_check(const struct wire_message *m, struct diag *d)
{
    switch (m->type) {
    case WIRE_BATCH:
        return check_batch(&m->batch, d);
    case WIRE_GAP:
        return check_gap(&m->gap, d);
    case WIRE_ACK:
        return ERR_OK;
    case WIRE_REJECT:
        return check_reject(&m->reject, d);
    case WIRE_HELLO:
        return check_hello(&m->hello, d);
    case WIRE_WELCOME:
        return check_welcome(&m->welcome, d);
    case WIRE_DECLARE:
        return check_declare(&m->declare, d);
    case WIRE_NEED_DECLARE:
        return check_range(d, "need_declare.from", m->need_declare_from, 0, WIRE_SERIES_NUMBERS);
    case WIRE_HEARTBEAT:
        return check_microseconds(d, "heartbeat.clock_us", m->heartbeat.clock_us);
    case WIRE_REFUSE:
        return check_refuse(&m->refuse, d);
    case WIRE_CONTROL_MESSAGE:
        return check_control(&m->control, d);
    case WIRE_ROLLUP:
    case WIRE_SEAL:
    case WIRE_RELEASE:
        return wire_check_kept(m, d);
    case WIRE_ENROL:
        return check_enrol(&m->enrol, d);
    case WIRE_ENROLLED:
        return check_enrolled(&m->enrolled, d);
    case WIRE_OBLIGATIONS:
        return check_obligations(&m->obligations, d);
    case WIRE_ROTATE:
    case WIRE_ROTATED:
        return ERR_OK; // 32 bytes, any of which may be a key
    }
    return diag_fail(d, ERR_INVALID, "message of unknown type %d", (int)m->type);
}
