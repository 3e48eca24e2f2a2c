// An attacker may ask thousands of times a second and must not make the collector busy with that: what is
// refused is counted (refusals) and told at most eight times a second; nor fill the log, which is for ever:
// what is taken out is counted too (exports). Texts are cut between characters: a half of one is no JSON, and
// what can't be told leaves no entry.

#include "dashboards/audit.h"
#include "base/clock.h"
#include "base/log.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_MS 1000
#define DETAIL  EXPORTS_DETAIL

static const char *const events[] = {[AUDIT_OF_LOGIN] = "login",
                                     [AUDIT_OF_LOGOUT] = "logout",
                                     [AUDIT_OF_READ] = "read",
                                     [AUDIT_OF_EXPORT] = "export",
                                     [AUDIT_OF_REPORT] = "report"};

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

static void cut(char *out, size_t size, const char *text)
{
    size_t n = strnlen(text, size - 1);
    while (text[n] && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(out, text, n);
    out[n] = '\0';
}

// "user:aigul address:10.0.0.7"
void audit_who(char out[REFUSALS_WHO], const struct exchange *x, const char *name)
{
    const char *kind = x->viewer.kind == VIEWER_TOKEN ? "token:" : "user:";
    const char *of = name ? name : x->viewer.name;
    char whole[200];
    snprintf(whole, sizeof whole, "%s%.35s%saddress:%s", *of ? kind : "", of, *of ? " " : "",
             *x->address ? x->address : "unknown");
    cut(out, REFUSALS_WHO, whole);
}

static bool tell(struct site *s, const char *event, bool done, const struct refusal *r, const char *detail)
{
    char *reply = NULL, *request = audit_request(event, done, r->who, r->object, detail, r->count);
    bool ok = request && flush_ask(s->flush, request, CALL_MS, &reply, NULL) == ERR_OK && audit_taken(reply);
    free(request);
    free(reply);
    return ok;
}

static void untold(struct site *s, const char *event, bool done, const struct refusal *r)
{
    metrics_add(s->metrics, METRIC_AUDIT_UNTOLD, 1);
    log_warn("audit_untold", F_TEXT("event", event), F_TEXT("outcome", done ? "done" : "refused"),
             F_TEXT("who", r->who), F_TEXT("object", r->object), F_INT("count", r->count));
}

void audit_note(struct site *s, const struct exchange *x, enum audit_what what, bool done, const char *who,
                const char *object, const char *detail)
{
    struct refusal r = {.count = 1};
    char bounded[DETAIL];
    if (!s->users)
        return;
    audit_who(r.who, x, who);
    cut(r.object, sizeof r.object, object);
    cut(bounded, sizeof bounded, detail);
    if (!tell(s, events[what], done, &r, bounded))
        untold(s, events[what], done, &r);
}

// ---- what is taken out
// -----------------------------------------------------------------------------------------------------
static bool take_export(struct site *s, bool end, struct export *out)
{
    pthread_mutex_lock(&s->refusals_lock);
    bool any = exports_take(&s->exports, clock_mono(s->clock).us, end, out);
    pthread_mutex_unlock(&s->refusals_lock);
    return any;
}

// heard: false: the collector is not asked.
static bool tell_export(struct site *s, const struct export *e, bool heard)
{
    struct refusal r = {.count = e->count};
    memcpy(r.who, e->who, sizeof r.who);
    memcpy(r.object, e->object, sizeof r.object);
    heard = heard && tell(s, events[AUDIT_OF_EXPORT], true, &r, e->detail);
    if (!heard)
        untold(s, events[AUDIT_OF_EXPORT], true, &r);
    return heard;
}

enum err audit_export(struct site *s, const struct exchange *x, const char *object, const char *detail)
{
    struct export e = {.count = 0};
    if (!s->users)
        return ERR_OK;
    snprintf(e.whose, sizeof e.whose, "%s%s",
             x->viewer.kind == VIEWER_TOKEN ? "token:" : "user:", x->viewer.name);
    audit_who(e.who, x, NULL);
    cut(e.object, sizeof e.object, object);
    cut(e.detail, sizeof e.detail, detail);
    if (!exchange_text_clean(e.who) || !exchange_text_clean(e.object) || !exchange_text_clean(e.detail))
        return ERR_INVALID;
    pthread_mutex_lock(&s->refusals_lock);
    bool counted = exports_count(&s->exports, &e, clock_mono(s->clock).us);
    pthread_mutex_unlock(&s->refusals_lock);
    audit_tell_waiting(s);
    return counted ? ERR_OK : ERR_AGAIN;
}

// ---- what is refused
// ------------------------------------------------------------------------------------------------------
static bool take(struct site *s, bool end, struct refusal *out)
{
    pthread_mutex_lock(&s->refusals_lock);
    bool any = refusals_take(&s->refusals, clock_mono(s->clock).us, end, out);
    pthread_mutex_unlock(&s->refusals_lock);
    return any;
}

void audit_refused(struct site *s, const struct exchange *x, enum audit_what what, const char *name,
                   const char *object, const char *detail)
{
    struct refusal r = {.kind = (int)what,
                        .known = x->viewer.kind == VIEWER_SESSION || x->viewer.kind == VIEWER_TOKEN};
    if (what == AUDIT_OF_READ)
        metrics_add(s->metrics, METRIC_READS_REFUSED, 1);
    if (what == AUDIT_OF_REPORT)
        metrics_add(s->metrics, METRIC_REPORTS_REFUSED, 1);
    audit_who(r.who, x, name);
    cut(r.whose, sizeof r.whose, r.known ? x->viewer.name : *x->address ? x->address : "unknown");
    cut(r.object, sizeof r.object, object);
    cut(r.detail, sizeof r.detail, detail);
    pthread_mutex_lock(&s->refusals_lock);
    refusals_count(&s->refusals, &r, clock_mono(s->clock).us);
    pthread_mutex_unlock(&s->refusals_lock);
    audit_tell_waiting(s);
}

void audit_tell_waiting(struct site *s)
{
    struct refusal r;
    struct export e;
    if (take_export(s, false, &e))
        (void)tell_export(s, &e, true);
    if (take(s, false, &r) && !tell(s, events[r.kind], false, &r, r.detail))
        untold(s, events[r.kind], false, &r);
}

void audit_end(struct site *s)
{
    struct refusal r;
    struct export e;
    bool heard = true; // a collector that does not answer is asked once
    while (take_export(s, true, &e))
        heard = tell_export(s, &e, heard);
    while (take(s, true, &r)) {
        heard = heard && tell(s, events[r.kind], false, &r, r.detail);
        if (!heard)
            untold(s, events[r.kind], false, &r);
    }
}
