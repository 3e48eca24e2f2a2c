// What happens on the way to the collector, in the administrator's words, each with the way out.
#include "agent/uplink_log.h"
#include "base/log.h"

static void log_refused(const struct uplink_event *e)
{
    enum log_level level = e->refuse == WIRE_REFUSE_UNAVAILABLE ? LOG_WARN : LOG_ERROR;
    log_event(level, "refused_by_collector", F_TEXT("reason", wire_refuse_reason_name(e->refuse)),
              F_TEXT("text", e->text), F_TEXT("way_out", uplink_refuse_advice(e->refuse)));
}

void uplink_log(const char *endpoint, const char *key, const struct uplink_event *e)
{
    switch (e->type) {
    case UPLINK_CONNECTED:
        log_info("connected", F_TEXT("collector", endpoint), F_TEXT("resident", e->text),
                 F_INT("last_sequence", e->sequence));
        break;
    case UPLINK_NO_ANSWER:
        log_warn("no_answer", F_TEXT("collector", endpoint),
                 F_TEXT("way_out",
                        "is the collector running and reachable, and is its key in agent.yaml the one "
                        "that esep-collector keygen prints? figures are kept here meanwhile"));
        break;
    case UPLINK_KEY_UNKNOWN:
        log_error("key_not_known", F_TEXT("collector", endpoint), F_TEXT("key", key),
                  F_TEXT("way_out",
                         "the collector does not know this key: admit it there with esep-collector "
                         "admit PARK/RESIDENT KEY; figures are kept here meanwhile"));
        break;
    case UPLINK_LOST:
        log_warn("connection_lost", F_TEXT("collector", endpoint), F_INT("again_in_ms", e->number));
        break;
    case UPLINK_SILENT:
        log_warn("no_acknowledgement", F_TEXT("collector", endpoint), F_INT("waiting_for", e->sequence));
        break;
    case UPLINK_COLLECTOR_BEHIND:
        log_error("collector_lost_data", F_INT("acknowledged", e->sequence), F_INT("it_has", e->number),
                  F_TEXT("way_out",
                         "nothing to do here: what is still kept is sent again, the rest is told as a gap"));
        break;
    case UPLINK_COLLECTOR_AHEAD:
        log_error("spool_is_an_old_copy", F_INT("written", e->sequence), F_INT("collector_has", e->number),
                  F_TEXT("way_out",
                         "a new incarnation is begun; if this machine is a clone, give it a key of its own"));
        break;
    case UPLINK_OTHER_BODY:
        log_error("sequences_used_by_another", F_INT("sequence", e->sequence),
                  F_TEXT("way_out",
                         "a new incarnation is begun; if this machine is a clone, give it a key of its own"));
        break;
    case UPLINK_REFUSED:
        log_refused(e);
        break;
    case UPLINK_REJECTED:
        log_warn("samples_rejected", F_TEXT("reason", wire_reason_name(e->reason)),
                 F_TEXT("meaning", wire_reason_text(e->reason)), F_INT("sequence", e->sequence),
                 F_INT("samples", e->number), F_TEXT("which", e->text));
        break;
    case UPLINK_BAD_MESSAGE:
        log_warn("bad_message", F_TEXT("collector", endpoint), F_TEXT("reason", e->text));
        break;
    case UPLINK_SPOOL_UNREADABLE:
        log_error("spool_unreadable", F_TEXT("error", err_name(e->error)), F_TEXT("reason", e->text));
        break;
    }
}
