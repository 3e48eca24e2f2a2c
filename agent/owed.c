// The message itself is what is kept: it is bounded, checked by the codec each time it is read, and a later
// version of this program finds in it what this one does not know.
#include "agent/owed.h"
#include "base/clock.h"
#include "base/fs.h"
#include "kpi/period.h"
#include "wire/codec.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum err owed_keep(const char *state, const void *bytes, size_t len, struct diag *d)
{
    char path[PATH_MAX];
    enum err e = fs_join(path, sizeof path, state, OWED_FILE);
    return e == ERR_OK ? fs_replace_file(path, bytes, len, 0640, d)
                       : diag_fail(d, e, "%s: the path is too long", state);
}

// ---- reading it back

struct told {
    struct wire_arena *arena; // the message's memory
    struct wire_obligations obligations;
    int64_t now_us;
    bool broken;
};

// False: nothing to show. The caller destroys the arena in either case.
static bool read_told(const char *state, int64_t now_us, struct told *t)
{
    char path[PATH_MAX], *bytes = NULL;
    size_t len = 0;
    struct wire_message m = {.type = 0};
    *t = (struct told){.now_us = now_us};
    if (fs_join(path, sizeof path, state, OWED_FILE) != ERR_OK ||
        fs_read_file(path, WIRE_MESSAGE_MAX_BYTES, &bytes, &len, NULL) != ERR_OK)
        return false;
    t->broken = wire_arena_create(&t->arena) != ERR_OK ||
                wire_decode(t->arena, bytes, len, &m, NULL) != ERR_OK || m.type != WIRE_OBLIGATIONS;
    free(bytes);
    if (!t->broken)
        t->obligations = m.obligations;
    return !t->broken;
}

static bool has_turned_late(const struct told *t, const struct wire_owed *o)
{
    return o->state == WIRE_OWED_OPEN && o->has_due && t->now_us >= o->late_s * US_PER_S;
}

static const char *state_of(const struct told *t, const struct wire_owed *o)
{
    if (o->state == WIRE_OWED_LATE || has_turned_late(t, o))
        return "late";
    return o->state == WIRE_OWED_OPEN ? "open" : "done";
}

static void period_of(const struct wire_owed *o, char out[PERIOD_TEXT])
{
    period_text((struct period){.kind = (enum period_kind)o->period, .start = o->start}, out);
}

static void due_of(const struct wire_owed *o, char out[PERIOD_TEXT])
{
    period_text((struct period){.kind = PERIOD_DAY, .start = o->due_day}, out);
}

static uint64_t turned_late(const struct told *t)
{
    uint64_t n = 0;
    for (size_t i = 0; i < t->obligations.count; i++)
        n += has_turned_late(t, &t->obligations.owed[i]);
    return n < t->obligations.open ? n : t->obligations.open;
}

// ---- for people

static void print_one(const struct told *t, const struct wire_owed *o, FILE *out)
{
    char period[PERIOD_TEXT], due[PERIOD_TEXT];
    period_of(o, period);
    due_of(o, due);
    fprintf(out, "  %-9s %s for %s, %s%s%s\n", state_of(t, o), o->series, period,
            o->has_due ? "due " : "no date is set", o->has_due ? due : "",
            o->answered ? "; reported as missing" : "");
}

void owed_print(const char *state, int64_t now_us, FILE *out)
{
    struct told t;
    char when[WALL_TEXT];
    if (read_told(state, now_us, &t)) {
        const struct wire_obligations *o = &t.obligations;
        const uint64_t turned = turned_late(&t);
        wall_text((struct wall){o->as_of_us}, when);
        if (o->late + o->open == 0)
            fprintf(out, "owes        nothing, the collector said at %s\n", when);
        else
            fprintf(out, "owes        %llu reports late, %llu open, the collector said at %s\n",
                    (unsigned long long)(o->late + turned), (unsigned long long)(o->open - turned), when);
        size_t listed = 0;
        for (size_t i = 0; i < o->count; i++) {
            print_one(&t, &o->owed[i], out);
            listed += o->owed[i].state != WIRE_OWED_DONE;
        }
        if (o->late + o->open > listed)
            fprintf(out, "  …         %llu more\n", (unsigned long long)(o->late + o->open - listed));
    } else if (t.broken) {
        fprintf(out,
                "owes        unknown: %s/%s cannot be read; the collector says it again at the next "
                "connection\n",
                state, OWED_FILE);
    }
    wire_arena_destroy(t.arena);
}

// ---- for programs

static json_t *one_json(const struct told *t, const struct wire_owed *o)
{
    char period[PERIOD_TEXT], due[PERIOD_TEXT];
    period_of(o, period);
    due_of(o, due);
    return json_pack("{ss ss ss so so sb}", "series", o->series, "period", period, "state", state_of(t, o),
                     "due", o->has_due ? json_string(due) : json_null(), "late_from_us",
                     o->has_due ? json_integer(o->late_s * US_PER_S) : json_null(), "answered", o->answered);
}

json_t *owed_json(const char *state, int64_t now_us)
{
    struct told t;
    json_t *o = NULL;
    if (read_told(state, now_us, &t)) {
        const uint64_t turned = turned_late(&t);
        json_t *list = json_array();
        for (size_t i = 0; i < t.obligations.count; i++)
            json_array_append_new(list, one_json(&t, &t.obligations.owed[i]));
        const uint64_t late = t.obligations.late + turned, open = t.obligations.open - turned;
        o = json_pack("{sI sI sI so}", "as_of_us", (json_int_t)t.obligations.as_of_us, "late",
                      (json_int_t)late, "open", (json_int_t)open, "owed", list);
    }
    wire_arena_destroy(t.arena);
    return o;
}
