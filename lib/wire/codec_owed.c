// Obligations, both ways. A date is left out of the message as a whole where none is set: an agent must not
// be able to take the first of January 1970 for one.
#include "wire/codec_internal.h"
#include "wire/esep.pb-c.h"

enum err wire_take_obligations(const struct wire_decoder *d, const Esep__V1__Obligations *from,
                               struct wire_obligations *out)
{
    *out = (struct wire_obligations){.as_of_us = from->as_of_us, .open = from->open, .late = from->late};
    if (from->n_owed > WIRE_OWED_MAX)
        return diag_fail(d->diag, ERR_INVALID, "obligations: %zu are listed, not at most %d", from->n_owed,
                         WIRE_OWED_MAX);
    struct wire_owed *owed = wire_arena_alloc(d->arena, (from->n_owed + 1) * sizeof *owed);
    if (!owed)
        return diag_fail(d->diag, ERR_TOO_BIG, "obligations take more memory than any honest ones");
    for (size_t i = 0; i < from->n_owed; i++) {
        const Esep__V1__Owed *o = from->owed[i];
        owed[i] = (struct wire_owed){.period = (uint32_t)o->period,
                                     .start = o->start,
                                     .state = (enum wire_owed_state)o->state,
                                     .answered = o->answered,
                                     .has_due = o->late_s != 0,
                                     .due_day = o->late_s != 0 ? o->due_day : 0,
                                     .late_s = o->late_s};
        enum err e = wire_take_text(d, "owed.series", o->series, &owed[i].series);
        if (e != ERR_OK)
            return e;
    }
    out->count = from->n_owed;
    out->owed = owed;
    return ERR_OK;
}

enum err wire_encode_obligations(const struct wire_obligations *o, struct buf *out)
{
    Esep__V1__Obligations m = ESEP__V1__OBLIGATIONS__INIT;
    Esep__V1__Owed owed[WIRE_OWED_MAX], *pointers[WIRE_OWED_MAX];
    for (size_t i = 0; i < o->count; i++) {
        esep__v1__owed__init(&owed[i]);
        owed[i].series = (char *)(uintptr_t)o->owed[i].series; // protobuf-c writes nothing through it
        owed[i].period = (Esep__V1__Period)o->owed[i].period;
        owed[i].start = o->owed[i].start;
        owed[i].state = (Esep__V1__OwedState)o->owed[i].state;
        owed[i].answered = o->owed[i].answered;
        owed[i].due_day = o->owed[i].has_due ? o->owed[i].due_day : 0;
        owed[i].late_s = o->owed[i].has_due ? o->owed[i].late_s : 0;
        pointers[i] = &owed[i];
    }
    m.as_of_us = o->as_of_us;
    m.open = o->open;
    m.late = o->late;
    m.n_owed = o->count;
    m.owed = pointers;
    return wire_pack_body(WIRE_OBLIGATIONS, &m, WIRE_MESSAGE_MAX_BYTES, out);
}
