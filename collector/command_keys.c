// keygen, admit, agents, revoke. A change goes through the running collector when there is one, else under
// its lock: never both, so the ledger has one writer at any time.
#include "base/fs.h"
#include "collector/admin.h"
#include "collector/commands.h"
#include "collector/state.h"
#include "kpi/park.h"
#include "kpi/series.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_SHOWN 40

enum { ANSWER_MS = 5000 };

int collector_command_keygen(const struct command_line *line, const struct collector_config *c)
{
    uint8_t public_key[KEY_BYTES];
    char text[KEY_TEXT];
    struct diag d = {0};
    (void)line;
    bool known = true;
    enum err e = collector_state_prepare(c->state, &d);
    if (e == ERR_OK) {
        uint8_t secret[KEY_BYTES];
        known = collector_state_key(c->state, secret, NULL) != ERR_NOT_FOUND;
        crypto_wipe(secret, sizeof secret);
        e = collector_state_keygen(c->state, public_key, &d);
    }
    if (e == ERR_OK) {
        crypto_key_text(public_key, text);
        e = known ? ERR_OK : collector_command_record(c, AUDIT_KEYGEN, "", text, &d);
    }
    if (e != ERR_OK)
        return collector_complain(e, &d);
    puts(text);
    return EXIT_DONE;
}

// ---- offline changes ----------------------------------------------------------------------------
typedef enum err (*change)(struct ledger *l, const char *who, struct ledger_agent *agent, struct diag *d);

static enum err change_offline(const struct collector_config *c, change what, struct ledger_agent *agent,
                               struct diag *d)
{
    struct ledger *l = NULL;
    int lock = -1;
    char who[COMMAND_WHO];
    collector_command_who(who);
    enum err e = collector_state_prepare(c->state, d);
    if (e == ERR_OK)
        e = collector_state_lock(c->state, &lock, d);
    if (e == ERR_OK)
        e = ledger_open(c->state, clock_system(), &l, d);
    if (e == ERR_OK)
        e = what(l, who, agent, d);
    if (l && !ledger_head_missing(l)) // that alarm is for the next start
        e = e == ERR_OK ? ledger_store_head(l, d) : e;
    ledger_close(l);
    if (lock >= 0)
        fs_unlock(lock);
    return e;
}

static enum err revoke_offline(struct ledger *l, const char *who, struct ledger_agent *agent, struct diag *d)
{
    return admin_revoke(l, who, agent->key_id, d);
}

// ---- admit --------------------------------------------------------------------------------------
static void list_residents(const struct park *park, const struct series_name *name)
{
    fprintf(
        stderr,
        "esep-collector: warning: the park '%s' names no resident '%s': its figures are stored, but no page "
        "lists it until the park's profile does; the profile has:",
        name->park, name->resident);
    for (size_t i = 0; i < park->resident_count && i < NAMES_SHOWN; i++)
        fprintf(stderr, "%s %s", i ? "," : "", park->residents[i].code);
    fputs(park->resident_count > NAMES_SHOWN ? ", …\n" : "\n", stderr);
}

// Somebody may be admitted before a park file names them; a slip of the pen should still be seen at once.
static void warn_when_unknown(const struct collector_config *c, const struct series_name *name)
{
    struct catalogue *catalogue = NULL;
    struct parks parks = {0};
    enum err e = catalogue_load(c->catalogue, &catalogue, NULL);
    if (e == ERR_OK)
        e = parks_load(c->parks, catalogue, &parks, NULL);
    const struct park *park = e == ERR_OK ? parks_find(&parks, name->park) : NULL;
    if (e == ERR_OK && !park)
        fprintf(stderr, "esep-collector: warning: no file in %s describes the park '%s'\n", c->parks,
                name->park);
    else if (park && !park_resident(park, name->resident))
        list_residents(park, name);
    parks_free(&parks);
    catalogue_free(catalogue);
}

static enum err admit_online(const struct collector_config *c, const char *resident, const char *key,
                             int64_t *key_id, struct diag *d)
{
    json_t *reply = NULL;
    json_t *request = json_pack("{s:s, s:s, s:s}", "command", "admit", "resident", resident, "key", key);
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, d);
    json_decref(request);
    if (e == ERR_OK)
        *key_id = json_integer_value(json_object_get(reply, "key_id"));
    json_decref(reply);
    return e;
}

int collector_command_admit(const struct command_line *line, const struct collector_config *c)
{
    struct series_name name;
    struct ledger_agent agent = {0};
    struct diag d = {0};
    const char *resident = line->words[0], *key = line->words[1];
    if (series_parse_resident(resident, &name) != ERR_OK || strlen(resident) >= sizeof agent.resident) {
        fprintf(stderr, "esep-collector: '%s' is not PARK/RESIDENT (parts of a-z 0-9 _ . -)\n", resident);
        return EXIT_USAGE;
    }
    if (crypto_key_parse(key, agent.public_key) != ERR_OK) {
        fputs("esep-collector: the key is not 40 characters of Z85; esep-agent keygen prints it\n", stderr);
        return EXIT_USAGE;
    }
    warn_when_unknown(c, &name);
    memcpy(agent.resident, resident, strlen(resident) + 1);
    enum err e = admit_online(c, resident, key, &agent.key_id, &d);
    if (e == ERR_CLOSED)
        e = change_offline(c, admin_admit, &agent, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    printf("admitted %s as key id %lld\n", resident, (long long)agent.key_id);
    return EXIT_DONE;
}

// ---- revoke -------------------------------------------------------------------------------------
static enum err revoke_online(const struct collector_config *c, int64_t key_id, struct diag *d)
{
    json_t *reply = NULL;
    json_t *request = json_pack("{s:s, s:I}", "command", "revoke", "key_id", (json_int_t)key_id);
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, d);
    json_decref(request);
    json_decref(reply);
    return e;
}

int collector_command_revoke(const struct command_line *line, const struct collector_config *c)
{
    struct diag d = {0};
    struct ledger_agent agent = {0};
    char *end;
    errno = 0;
    agent.key_id = strtoll(line->words[0], &end, 10);
    if (errno || *end || end == line->words[0]) {
        fprintf(stderr, "esep-collector: '%s' is not a key id; esep-collector agents lists them\n",
                line->words[0]);
        return EXIT_USAGE;
    }
    enum err e = revoke_online(c, agent.key_id, &d);
    if (e == ERR_CLOSED)
        e = change_offline(c, revoke_offline, &agent, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    printf("revoked key id %lld\n", (long long)agent.key_id);
    return EXIT_DONE;
}

// ---- agents -------------------------------------------------------------------------------------
static void print_agent(const json_t *a)
{
    const char *connected = json_is_true(json_object_get(a, "connected")) ? "connected" : "-";
    bool revoked = json_integer_value(json_object_get(a, "revoked_us")) != 0;
    printf("%-40s %6lld %-9s %-40s %10lld %8lld\n", json_string_value(json_object_get(a, "resident")),
           (long long)json_integer_value(json_object_get(a, "key_id")), revoked ? "revoked" : connected,
           json_string_value(json_object_get(a, "key")),
           (long long)json_integer_value(json_object_get(a, "accepted")),
           (long long)json_integer_value(json_object_get(a, "quarantined")));
}

int collector_command_agents(const struct command_line *line, const struct collector_config *c)
{
    json_t *status = NULL, *a;
    struct diag d = {0};
    bool running;
    size_t i;
    enum err e = collector_fetch_status(c, &status, &running, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    const json_t *agents = json_object_get(status, "agents");
    if (line->json) {
        json_dumpf(agents, stdout, JSON_INDENT(2));
        putchar('\n');
    } else {
        printf("%-40s %6s %-9s %-40s %10s %8s\n", "resident", "key_id", "state", "key", "accepted",
               "refused");
        json_array_foreach(agents, i, a) print_agent(a);
    }
    json_decref(status);
    return EXIT_DONE;
}
