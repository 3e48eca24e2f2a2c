// The running agent writes, the command reads; neither waits for the other. Whether an agent runs at all is
// told by its lock, so what a dead one left behind ("connected") is not believed.
#include "agent/status.h"
#include "agent/owed.h"
#include "agent/run.h"
#include "base/crypto.h"
#include "base/fs.h"
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static size_t dump(json_t *object, char out[STATUS_TEXT_MAX])
{
    size_t len = object ? json_dumpb(object, out, STATUS_TEXT_MAX - 1, JSON_COMPACT) : 0;
    json_decref(object);
    if (len >= STATUS_TEXT_MAX)
        len = 0;
    out[len] = '\0';
    return len;
}

static int64_t number(const json_t *object, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static void text(const json_t *object, const char *key, char *out, size_t out_size)
{
    const char *value = json_string_value(json_object_get(object, key));
    snprintf(out, out_size, "%s", value ? value : "");
}

size_t status_encode_source(const struct source_status *s, char out[STATUS_TEXT_MAX])
{
    return dump(json_pack("{sI sI sI sI sI ss}", "last_run_us", (json_int_t)s->last_run_us, "last_error_us",
                          (json_int_t)s->last_error_us, "errors", (json_int_t)s->errors, "missed",
                          (json_int_t)s->missed, "skipped", (json_int_t)s->skipped, "last_error",
                          s->last_error),
                out);
}

enum err status_decode_source(const void *bytes, size_t len, struct source_status *out)
{
    json_t *o = json_loadb(bytes, len, 0, NULL);
    if (!json_is_object(o)) {
        json_decref(o);
        return ERR_INVALID;
    }
    *out = (struct source_status){.last_run_us = number(o, "last_run_us"),
                                  .last_error_us = number(o, "last_error_us"),
                                  .errors = (uint64_t)number(o, "errors"),
                                  .missed = (uint64_t)number(o, "missed"),
                                  .skipped = (uint64_t)number(o, "skipped")};
    text(o, "last_error", out->last_error, sizeof out->last_error);
    json_decref(o);
    return ERR_OK;
}

size_t status_encode_link(const struct uplink_link *l, char out[STATUS_TEXT_MAX])
{
    return dump(json_pack("{sb si ss sI sI sI si ss ss si}", "connected", l->connected, "contact",
                          (int)l->contact, "resident", l->resident, "skew_ms", (json_int_t)l->skew_ms,
                          "credit_bytes", (json_int_t)l->credit_bytes, "rejected", (json_int_t)l->rejected,
                          "refused", (int)l->refused, "refused_text", l->refused_text, "rejected_sample",
                          l->rejected_sample, "rejected_reason", (int)l->rejected_reason),
                out);
}

enum err status_decode_link(const void *bytes, size_t len, struct uplink_link *out)
{
    json_t *o = json_loadb(bytes, len, 0, NULL);
    if (!json_is_object(o)) {
        json_decref(o);
        return ERR_INVALID;
    }
    *out = (struct uplink_link){.connected = json_is_true(json_object_get(o, "connected")),
                                .contact = (enum uplink_contact)number(o, "contact"),
                                .skew_ms = number(o, "skew_ms"),
                                .credit_bytes = (uint64_t)number(o, "credit_bytes"),
                                .rejected = (uint64_t)number(o, "rejected"),
                                .refused = (enum wire_refuse_reason)number(o, "refused"),
                                .rejected_reason = (enum wire_reason)number(o, "rejected_reason")};
    text(o, "resident", out->resident, sizeof out->resident);
    text(o, "refused_text", out->refused_text, sizeof out->refused_text);
    text(o, "rejected_sample", out->rejected_sample, sizeof out->rejected_sample);
    json_decref(o);
    return ERR_OK;
}

// ---- printing

struct picture {
    const struct agent_config *config;
    bool running;
    struct spool_state spool;
    bool link_known;
    struct uplink_link link;
    char key[KEY_TEXT];            // the agent's public key
    struct source_status *sources; // of each in the config
};

static bool is_running(const char *state)
{
    char path[PATH_MAX];
    int fd = -1;
    if (fs_join(path, sizeof path, state, "lock") != ERR_OK)
        return false;
    enum err e = fs_lock(path, &fd, NULL);
    if (e == ERR_OK)
        fs_unlock(fd);
    return e == ERR_EXISTS;
}

// The state folder may be readable to more people than the key is.
static void read_key(struct picture *p)
{
    char path[PATH_MAX];
    uint8_t secret[KEY_BYTES], public_key[KEY_BYTES];
    snprintf(p->key, sizeof p->key, "KEY");
    if (fs_join(path, sizeof path, p->config->state, AGENT_KEY_FILE) == ERR_OK &&
        crypto_key_file_load(path, secret, NULL) == ERR_OK) {
        crypto_public_key(secret, public_key);
        crypto_key_text(public_key, p->key);
    }
    crypto_wipe(secret, sizeof secret);
}

// One word for programs, one sentence for people.
struct reason {
    const char *word, *sentence;
};
static struct reason reason_of(const struct picture *p)
{
    const struct uplink_link *l = &p->link;
    if (!p->running)
        return (struct reason){"not-running", "no agent runs on this state folder"};
    if (l->connected)
        return (struct reason){"connected", ""};
    if (l->contact == UPLINK_CONTACT_DENIED)
        return (struct reason){"key-not-known", "the collector does not know this key: admit it there with "
                                                "esep-collector admit PARK/RESIDENT "};
    if (l->refused != WIRE_REFUSE_NONE)
        return (struct reason){"refused", "the collector has refused, see below"};
    if (l->contact == UPLINK_CONTACT_UP)
        return (struct reason){"greeting", "reached, not welcomed yet"};
    return (struct reason){"no-answer",
                           "nobody answers: is the collector running and reachable, and is its key "
                           "in agent.yaml the one that esep-collector keygen prints?"};
}

static enum err take_picture(struct spool_reader *r, struct picture *p, struct diag *d)
{
    char bytes[STATUS_TEXT_MAX];
    size_t len = 0;
    enum err e = spool_reader_state(r, &p->spool, d);
    if (e != ERR_OK)
        return e;
    if (spool_reader_position(r, "", STATUS_LINK_KEY, bytes, sizeof bytes, &len) == ERR_OK)
        p->link_known = status_decode_link(bytes, len, &p->link) == ERR_OK;
    p->link.connected = p->link.connected && p->running;
    read_key(p);
    for (size_t i = 0; i < p->config->source_count; i++) {
        const char *name = p->config->sources[i].name;
        if (spool_reader_position(r, name, STATUS_KEY, bytes, sizeof bytes, &len) != ERR_OK ||
            status_decode_source(bytes, len, &p->sources[i]) != ERR_OK)
            p->sources[i] = (struct source_status){0};
    }
    return ERR_OK;
}

static json_t *sources_json(const struct picture *p)
{
    json_t *list = json_array();
    for (size_t i = 0; i < p->config->source_count; i++) {
        const struct source_status *s = &p->sources[i];
        json_array_append_new(list, json_pack("{ss ss sI ss sI sI sI sI}", "name", p->config->sources[i].name,
                                              "kind", agent_source_kind_name(p->config->sources[i].kind),
                                              "last_run_us", (json_int_t)s->last_run_us, "last_error",
                                              s->last_error, "last_error_us", (json_int_t)s->last_error_us,
                                              "errors", (json_int_t)s->errors, "missed",
                                              (json_int_t)s->missed, "skipped", (json_int_t)s->skipped));
    }
    return list;
}

// As `esep-collector verify --receipt` takes it; false when nothing was acknowledged yet.
#define RECEIPT_TEXT (21 + HEX_TEXT(WIRE_CHAIN_BYTES))
static bool receipt_text(const struct wire_receipt *r, char out[RECEIPT_TEXT])
{
    char hash[HEX_TEXT(WIRE_CHAIN_BYTES)];
    crypto_hex(r->chain, WIRE_CHAIN_BYTES, hash);
    snprintf(out, RECEIPT_TEXT, "%llu:%s", (unsigned long long)r->position, hash);
    return r->position != 0;
}

static json_t *picture_json(const struct picture *p)
{
    char incarnation[HEX_TEXT(WIRE_INCARNATION_BYTES)];
    const struct wire_counters *c = &p->spool.counters;
    const struct uplink_link *l = &p->link;
    crypto_hex(p->spool.incarnation.bytes, WIRE_INCARNATION_BYTES, incarnation);
    json_t *o = json_pack("{sb ss sb sI sI sI sI sI sI sI sI sI sI}", "running", p->running, "incarnation",
                          incarnation, "connected", l->connected, "sampled", (json_int_t)c->sampled,
                          "refused", (json_int_t)c->refused, "spooled", (json_int_t)c->spooled, "spool_bytes",
                          (json_int_t)c->spool_bytes, "source_errors", (json_int_t)c->source_errors,
                          "acknowledged", (json_int_t)c->acknowledged, "gaps", (json_int_t)c->gaps,
                          "last_written", (json_int_t)p->spool.last_written, "last_acknowledged",
                          (json_int_t)p->spool.last_acknowledged, "rejected", (json_int_t)l->rejected);
    char receipt[RECEIPT_TEXT];
    if (receipt_text(&p->spool.receipt, receipt))
        json_object_set_new(o, "receipt", json_string(receipt));
    if (l->resident[0]) {
        json_object_set_new(o, "resident", json_string(l->resident));
        json_object_set_new(o, "collector_clock_skew_ms", json_integer(l->skew_ms));
    }
    if (l->refused != WIRE_REFUSE_NONE) {
        json_object_set_new(o, "refused_by_collector", json_string(wire_refuse_reason_name(l->refused)));
        json_object_set_new(o, "refused_text", json_string(l->refused_text));
    }
    if (l->rejected_sample[0]) {
        json_object_set_new(o, "rejected_newest", json_string(l->rejected_sample));
        json_object_set_new(o, "rejected_reason", json_string(wire_reason_name(l->rejected_reason)));
    }
    json_object_set_new(o, "connection", json_string(reason_of(p).word));
    json_object_set_new(o, "sources", sources_json(p));
    json_t *owed = owed_json(p->config->state, clock_wall(clock_system()).us);
    if (owed)
        json_object_set_new(o, "obligations", owed);
    return o;
}

static enum err print_json(const struct picture *p, FILE *out, struct diag *d)
{
    json_t *o = picture_json(p);
    bool ok = o && json_dumpf(o, out, JSON_INDENT(2)) == 0 && fputc('\n', out) != EOF;
    json_decref(o);
    return ok ? ERR_OK : diag_fail(d, ERR_IO, "cannot print the status");
}

static void print_time(FILE *out, int64_t us)
{
    char when[WALL_TEXT];
    wall_text((struct wall){us}, when);
    fputs(us ? when : "never", out);
}

static void print_text(const struct picture *p, FILE *out)
{
    const struct wire_counters *c = &p->spool.counters;
    const struct uplink_link *l = &p->link;
    fprintf(out, "agent       %s\n", p->running ? "running" : "not running");
    const struct reason why = reason_of(p);
    fprintf(out, "collector   %s: %s%s%s%s\n", p->config->endpoint,
            l->connected ? "connected" : "not connected", why.sentence[0] ? "; " : "", why.sentence,
            strcmp(why.word, "key-not-known") == 0 ? p->key : "");
    if (l->resident[0])
        fprintf(out, "resident    %s (the collector's clock is %+lld ms from ours)\n", l->resident,
                (long long)l->skew_ms);
    if (l->refused != WIRE_REFUSE_NONE)
        fprintf(out, "refused     %s: %s; %s\n", wire_refuse_reason_name(l->refused), l->refused_text,
                uplink_refuse_advice(l->refused));
    fprintf(out,
            "samples     %llu taken, %llu acknowledged, %llu in the spool (%llu bytes), %llu given up, %llu "
            "refused here, "
            "%llu rejected there\n",
            (unsigned long long)c->sampled, (unsigned long long)c->acknowledged,
            (unsigned long long)c->spooled, (unsigned long long)c->spool_bytes, (unsigned long long)c->gaps,
            (unsigned long long)c->refused, (unsigned long long)l->rejected);
    if (l->rejected_sample[0])
        fprintf(out, "            newest rejected: %s (%s: %s)\n", l->rejected_sample,
                wire_reason_name(l->rejected_reason), wire_reason_text(l->rejected_reason));
    fprintf(out, "batches     %llu written, %llu acknowledged\n", (unsigned long long)p->spool.last_written,
            (unsigned long long)p->spool.last_acknowledged);
    char receipt[RECEIPT_TEXT];
    if (receipt_text(&p->spool.receipt, receipt))
        fprintf(out, "receipt     %s\n", receipt);
    owed_print(p->config->state, clock_wall(clock_system()).us, out);
    for (size_t i = 0; i < p->config->source_count; i++) {
        const struct source_status *s = &p->sources[i];
        fprintf(out, "source      %s (%s): last run ", p->config->sources[i].name,
                agent_source_kind_name(p->config->sources[i].kind));
        print_time(out, s->last_run_us);
        fprintf(out, ", %llu errors, %llu ticks missed, %llu rows passed over\n",
                (unsigned long long)s->errors, (unsigned long long)s->missed, (unsigned long long)s->skipped);
        if (s->last_error[0]) {
            fputs("            ", out);
            print_time(out, s->last_error_us);
            fprintf(out, " %s\n", s->last_error);
        }
    }
}

enum err status_print(const struct agent_config *config, bool json, FILE *out, struct diag *d)
{
    struct spool_reader *r = NULL;
    struct picture p = {.config = config, .running = is_running(config->state)};
    enum err e = spool_reader_open(config->state, &r, d);
    if (e != ERR_OK)
        return e;
    p.sources = calloc(config->source_count, sizeof *p.sources);
    e = p.sources ? take_picture(r, &p, d) : diag_fail(d, ERR_NOMEM, "out of memory");
    spool_reader_close(r);
    if (e == ERR_OK && json)
        e = print_json(&p, out, d);
    else if (e == ERR_OK)
        print_text(&p, out);
    free(p.sources);
    return e;
}
