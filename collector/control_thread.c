// The shell around control: one request at a time on ipc://<state>/control, which only those with rights to
// the state folder can reach.
#include "base/log.h"
#include "collector/control.h"
#include "collector/service.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 200 };

// libzmq states a local peer as the kernel does: "localhost:uid:gid:pid".
static void name_asker(const char *address, char who[128])
{
    const char *uid = strchr(address, ':');
    size_t len = uid ? strcspn(uid + 1, ":") : 0;
    snprintf(who, 128, "uid:%.*s", len ? (int)len : 1, len ? uid + 1 : "?");
}

static enum err serve(struct service *s, struct control *c)
{
    struct mq_poll_item item = {.socket = s->reply};
    struct mq_message m;
    enum err e = mq_poll(&item, 1, POLL_MS);
    if (e != ERR_OK || (e = mq_receive(s->reply, &m)) != ERR_OK)
        return e == ERR_AGAIN || e == ERR_INVALID ? ERR_OK : e;
    name_asker(m.address, c->who);
    char *reply = collector_control_handle(c, m.bytes, m.len);
    static const char no_memory[] = "{\"ok\":false,\"error\":\"out of memory\"}";
    const char *text = reply ? reply : no_memory;
    e = mq_send(s->reply, NULL, text, strlen(text));
    free(reply);
    return e == ERR_AGAIN || e == ERR_CLOSED ? ERR_OK : e;
}

void *control_thread(void *service)
{
    struct service *s = service;
    struct diag d = {0};
    struct control c = {.state = s->config->state,
                        .counters = &s->counters,
                        .admission = s->admission,
                        .to_door = s->to_door,
                        .to_ingest = s->to_ingest,
                        .to_committer = s->to_committer,
                        .to_observer = s->to_observer,
                        .to_rrd = s->to_rrd,
                        .inbox = s->to_control,
                        .committed = s->committed,
                        .rrd_landed = s->rrd_landed,
                        .rrd_asked = &s->rrd_asked,
                        .observed = s->observed,
                        .tally = s->tally};
    enum err e = reader_open(s->config->state, &c.reader, &d);
    while (e == ERR_OK && !atomic_load(&s->stop_control))
        e = serve(s, &c);
    if (e != ERR_OK)
        service_fail(s, "control", e, d.text[0] ? d.text : "the control socket can't be served");
    reader_close(c.reader);
    return NULL;
}
