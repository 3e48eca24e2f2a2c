// Enrol, Enrolled, Rotate, Rotated, both ways. They come from keys that are not known yet, or change who is,
// so what is odd in them is refused here, before anybody looks anything up.
#include "wire/codec_internal.h"
#include "wire/esep.pb-c.h"

// ---- bytes → messages
// ------------------------------------------------------------------------------------------------------------------

// As of Hello: another version of the protocol comes back with its number and nothing else.
enum err wire_take_enrol(const struct wire_decoder *d, const Esep__V1__Enrol *from, struct wire_enrol *out)
{
    *out = (struct wire_enrol){.protocol = from->protocol, .version = ""};
    if (from->protocol != WIRE_PROTOCOL)
        return ERR_OK;
    enum err e = wire_take_text(d, "enrol.version", from->version, &out->version);
    return e == ERR_OK ? wire_take_bytes(d, "enrol.secret", from->secret, out->secret, sizeof out->secret)
                       : e;
}

enum err wire_take_enrolled(const struct wire_decoder *d, const Esep__V1__Enrolled *from,
                            struct wire_enrolled *out)
{
    *out = (struct wire_enrolled){.clock_us = from->clock_us};
    enum err e = wire_take_text(d, "enrolled.resident", from->resident, &out->resident);
    return e == ERR_OK ? wire_take_text(d, "enrolled.endpoint", from->endpoint, &out->endpoint) : e;
}

enum err wire_take_rotate(const struct wire_decoder *d, const Esep__V1__Rotate *from, struct wire_rotate *out)
{
    return wire_take_bytes(d, "rotate.key", from->key, out->key, sizeof out->key);
}

enum err wire_take_rotated(const struct wire_decoder *d, const Esep__V1__Rotated *from,
                           struct wire_rotate *out)
{
    return wire_take_bytes(d, "rotated.key", from->key, out->key, sizeof out->key);
}

// ---- messages → bytes
// ------------------------------------------------------------------------------------------------------------------

// protobuf-c's structs are not const-correct; nothing is ever written through these.
static ProtobufCBinaryData bytes_of(const void *bytes, size_t len)
{
    return (ProtobufCBinaryData){.len = len, .data = (uint8_t *)(uintptr_t)bytes};
}

static char *text_of(const char *text)
{
    return (char *)(uintptr_t)(text ? text : "");
}

static enum err pack(enum wire_type type, void *body, struct buf *out)
{
    return wire_pack_body(type, body, WIRE_MESSAGE_MAX_BYTES, out);
}

enum err wire_encode_identity(const struct wire_message *m, struct buf *out)
{
    Esep__V1__Enrol enrol = ESEP__V1__ENROL__INIT;
    Esep__V1__Enrolled enrolled = ESEP__V1__ENROLLED__INIT;
    Esep__V1__Rotate rotate = ESEP__V1__ROTATE__INIT;
    Esep__V1__Rotated rotated = ESEP__V1__ROTATED__INIT;
    switch (m->type) {
    case WIRE_ENROL:
        enrol.protocol = m->enrol.protocol;
        enrol.version = text_of(m->enrol.version);
        enrol.secret = bytes_of(m->enrol.secret, sizeof m->enrol.secret);
        return pack(m->type, &enrol, out);
    case WIRE_ENROLLED:
        enrolled.resident = text_of(m->enrolled.resident);
        enrolled.endpoint = text_of(m->enrolled.endpoint);
        enrolled.clock_us = m->enrolled.clock_us;
        return pack(m->type, &enrolled, out);
    case WIRE_ROTATE:
        rotate.key = bytes_of(m->rotate.key, sizeof m->rotate.key);
        return pack(m->type, &rotate, out);
    case WIRE_ROTATED:
        rotated.key = bytes_of(m->rotate.key, sizeof m->rotate.key);
        return pack(m->type, &rotated, out);
    default:
        return ERR_INTERNAL;
    }
}
