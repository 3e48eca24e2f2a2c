// Who speaks is named by the key's id and the resident, never by anything in the message.
#include "collector/refusal.h"
#include <stdio.h>
#include <string.h>

enum audit_event refusal_event(enum wire_refuse_reason reason)
{
    switch (reason) {
    case WIRE_REFUSE_BAD_PROTOCOL:
    case WIRE_REFUSE_UNAVAILABLE:
        return AUDIT_HELLO;
    case WIRE_REFUSE_OTHER_CONNECTION:
        return AUDIT_CONNECTION;
    case WIRE_REFUSE_DECLARE_INVALID:
    case WIRE_REFUSE_DECLARE_CONFLICT:
    case WIRE_REFUSE_SERIES_OWNED:
        return AUDIT_DECLARE;
    case WIRE_REFUSE_OVER_QUOTA:
        return AUDIT_QUOTA;
    case WIRE_REFUSE_OTHER_BODY:
        return AUDIT_BATCH;
    default:
        return AUDIT_MESSAGE;
    }
}

void refusal_note(struct audit_tally *tally, enum audit_event event, const struct admitted *who,
                  const char *text)
{
    char key[32];
    snprintf(key, sizeof key, "key:%lld", (long long)who->key_id);
    audit_tally_note(tally, event, AUDIT_REFUSED, key, who->resident, 1, text);
}

void refusal_note_outcome(struct audit_tally *tally, const struct item_message *m)
{
    const struct outcome *o = &m->outcome;
    char text[80];
    if (o->kind == OUTCOME_REFUSE)
        refusal_note(tally, refusal_event(o->refuse), &m->who, o->text ? o->text : "");
    if (o->foreign == 0)
        return;
    snprintf(text, sizeof text, "%u figures of series that are not this agent's, in one batch",
             (unsigned)o->foreign);
    refusal_note(tally, AUDIT_BATCH, &m->who, text);
}

void refusal_note_stranger(struct audit_tally *tally, const char *address, const char *text)
{
    char who[80];
    snprintf(who, sizeof who, "address:%s", address);
    audit_tally_note(tally, AUDIT_MESSAGE, AUDIT_REFUSED, who, "", 1, text);
}

void refusal_bound(char out[WIRE_REASON_MAX + 1], const char *text)
{
    size_t n = strnlen(text, WIRE_REASON_MAX);
    while (n > 0 && text[n] && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    memcpy(out, text, n);
    out[n] = '\0';
}
