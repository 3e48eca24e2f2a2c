// An attacker may ask thousands of times a second and must not make the collector busy with that: refused
// readings are counted here and told once a second.

#include "dashboards/audit.h"
#include "base/clock.h"
#include "base/log.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS 1000
#define WHO     96 // the collector takes no more

static const char *const events[] = {[AUDIT_OF_LOGIN] = "login",
                                     [AUDIT_OF_LOGOUT] = "logout",
                                     [AUDIT_OF_READ] = "read",
                                     [AUDIT_OF_EXPORT] = "export"};

char *audit_request(const char *event, bool done, const char *who, const char *object, const char *detail,
                    uint64_t count)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "command", "audit", "event", event,
                          "outcome", done ? "done" : "refused", "who", who, "object", object, "detail",
                          detail, "count", (json_int_t)count);
    char *request = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return request;
}

bool audit_taken(const char *reply)
{
    json_t *answer = json_loads(reply, 0, NULL);
    bool ok = json_is_true(json_object_get(answer, "ok"));
    json_decref(answer);
    return ok;
}

// "user:aigul address:10.0.0.7"
static void set_who(char out[WHO], const struct exchange *x, const char *name)
{
    const char *kind = x->viewer.kind == VIEWER_TOKEN ? "token:" : "user:";
    const char *of = name ? name : x->viewer.name;
    char whole[200];
    snprintf(whole, sizeof whole, "%s%.35s%saddress:%s", *of ? kind : "", of, *of ? " " : "",
             *x->address ? x->address : "unknown");
    snprintf(out, WHO, "%.*s", WHO - 1, whole);
}

static bool tell(struct site *s, const char *event, bool done, const char *who, const char *object,
                 uint64_t count)
{
    char *reply = NULL, *request = audit_request(event, done, who, object, "", count);
    bool ok = request && flush_ask(s->flush, request, CALL_MS, &reply, NULL) == ERR_OK && audit_taken(reply);
    free(request);
    free(reply);
    return ok;
}

static void note(struct site *s, const struct exchange *x, enum audit_what what, bool done, const char *name,
                 const char *object, uint64_t count)
{
    char who[WHO], cut[200];
    set_who(who, x, name);
    snprintf(cut, sizeof cut, "%.190s", object);
    if (tell(s, events[what], done, who, cut, count))
        return;
    metrics_add(s->metrics, METRIC_AUDIT_UNTOLD, 1);
    log_warn("audit_untold", F_TEXT("event", events[what]), F_TEXT("outcome", done ? "done" : "refused"),
             F_TEXT("who", who), F_TEXT("object", cut), F_INT("count", count));
}

void audit_note(struct site *s, const struct exchange *x, enum audit_what what, bool done, const char *who,
                const char *object)
{
    if (s->users)
        note(s, x, what, done, who, object, 1);
}

void audit_refused_read(struct site *s, const struct exchange *x)
{
    int64_t now_us = clock_mono(s->clock).us, last_us = atomic_load(&s->read_told_us);
    uint64_t count = atomic_fetch_add(&s->reads_refused, 1) + 1;
    metrics_add(s->metrics, METRIC_READS_REFUSED, 1);
    if ((last_us && now_us - last_us < US_PER_S) ||
        !atomic_compare_exchange_strong(&s->read_told_us, &last_us, now_us))
        return;
    atomic_fetch_sub(&s->reads_refused, count);
    note(s, x, AUDIT_OF_READ, false, NULL, x->path, count);
}
