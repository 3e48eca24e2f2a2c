// keygen, admit, revoke, move. A change goes through the running collector when there is one, else under its
// lock: never both, so the ledger has one writer at any time.
#include "base/buf.h"
#include "base/fs.h"
#include "collector/admin.h"
#include "collector/commands.h"
#include "collector/state.h"
#include "kpi/park.h"
#include "kpi/series.h"
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAMES_SHOWN 40
#define KEYS_MAX    64 // of an agent

enum { ANSWER_MS = 5000 };

void collector_author(char out[WIRE_AUTHOR_MAX + 1])
{
    const char *name = getenv("SUDO_USER");
    const struct passwd *p = getpwuid(getuid());
    if (!name || !name[0])
        name = p ? p->pw_name : "";
    snprintf(out, WIRE_AUTHOR_MAX + 1, "%.*s", WIRE_AUTHOR_MAX, name);
}

// The next key is made beside the present one; promoting needs a stopped collector, which would go on with
// the old one.
static int change_own_key(const struct command_line *line, const struct collector_config *c)
{
    uint8_t public_key[KEY_BYTES];
    char text[KEY_TEXT], detail[KEY_TEXT + 16];
    struct diag d = {0};
    int lock = -1;
    enum err e = collector_state_prepare(c->state, &d);
    if (e == ERR_OK && line->promote) {
        e = collector_state_lock(c->state, &lock, &d);
        if (e == ERR_OK)
            e = collector_state_promote(c->state, public_key, &d);
        if (lock >= 0)
            fs_unlock(lock);
    } else if (e == ERR_OK) {
        e = collector_state_next_keygen(c->state, public_key, &d);
    }
    if (e == ERR_OK) {
        crypto_key_text(public_key, text);
        snprintf(detail, sizeof detail, "%s %s", line->promote ? "promoted" : "next", text);
        e = collector_command_record(c, AUDIT_ROTATE_KEY, "collector", detail, &d);
    }
    if (e != ERR_OK)
        return collector_complain(e, &d);
    puts(text);
    return EXIT_DONE;
}

int collector_command_keygen(const struct command_line *line, const struct collector_config *c)
{
    uint8_t public_key[KEY_BYTES];
    char text[KEY_TEXT];
    struct diag d = {0};
    if (line->next || line->promote)
        return change_own_key(line, c);
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
enum err collector_change_offline(const struct collector_config *c, collector_change what, void *ctx,
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
        e = what(l, who, ctx, d);
    if (l && !ledger_head_missing(l)) // that alarm is for the next start
        e = e == ERR_OK ? ledger_store_head(l, d) : e;
    ledger_close(l);
    if (lock >= 0)
        fs_unlock(lock);
    return e;
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
void collector_warn_unknown(const struct collector_config *c, const struct series_name *name)
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

static enum err admit_offline(struct ledger *l, const char *who, void *agent, struct diag *d)
{
    return admin_admit(l, who, agent, d);
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
    collector_warn_unknown(c, &name);
    memcpy(agent.resident, resident, strlen(resident) + 1);
    enum err e = admit_online(c, resident, key, &agent.key_id, &d);
    if (e == ERR_CLOSED)
        e = collector_change_offline(c, admit_offline, &agent, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    printf("admitted %s as key id %lld\n", resident, (long long)agent.key_id);
    return EXIT_DONE;
}

// ---- which agent --------------------------------------------------------------------------------
static int64_t int_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static void list_agents(const json_t *agents, const char *resident, struct buf *out)
{
    int64_t listed = 0;
    size_t i;
    json_t *a;
    json_array_foreach(agents, i, a)
    {
        const char *of = json_string_value(json_object_get(a, "resident"));
        if (strcmp(of, resident) != 0 || int_of(a, "revoked_us") || int_of(a, "agent_id") == listed)
            continue;
        listed = int_of(a, "agent_id");
        buf_printf(out, "%s%s#%lld", out->len ? ", " : "", of, (long long)listed);
    }
}

// A resident without a number: its only agent with a valid key.
static enum err find_only(const json_t *agents, const char *resident, int64_t *agent_id, struct diag *d)
{
    struct buf names;
    size_t i, found = 0;
    json_t *a;
    int64_t id = 0;
    json_array_foreach(agents, i, a)
    {
        if (strcmp(json_string_value(json_object_get(a, "resident")), resident) == 0 &&
            !int_of(a, "revoked_us") && int_of(a, "agent_id") != id) {
            id = int_of(a, "agent_id");
            found++;
        }
    }
    if (found == 1)
        *agent_id = id;
    if (found == 1)
        return ERR_OK;
    if (found == 0)
        return diag_fail(d, ERR_NOT_FOUND,
                         "%s has no agent with a valid key; esep-collector agents lists them", resident);
    buf_init(&names, 400);
    list_agents(agents, resident, &names);
    (void)diag_fail(d, ERR_CONFLICT, "%s has %zu agents, say which: %s", resident, found, buf_str(&names));
    buf_deinit(&names);
    return ERR_CONFLICT;
}

enum err collector_find_agent(const json_t *agents, const char *text, int64_t *agent_id, struct diag *d)
{
    const char *hash = strchr(text, '#');
    char *end = NULL;
    size_t i;
    json_t *a;
    if (!hash)
        return find_only(agents, text, agent_id, d);
    errno = 0;
    int64_t id = strtoll(hash + 1, &end, 10);
    bool whole = !errno && end != hash + 1 && !*end;
    json_array_foreach(agents, i, a)
    {
        const char *of = json_string_value(json_object_get(a, "resident"));
        size_t len = (size_t)(hash - text);
        if (!whole || int_of(a, "agent_id") != id ||
            (len > 0 && (strlen(of) != len || memcmp(of, text, len) != 0)))
            continue;
        *agent_id = id;
        return ERR_OK;
    }
    return diag_fail(d, ERR_NOT_FOUND, "there is no agent %s; esep-collector agents lists them", text);
}

static enum err fetch_agents(const struct collector_config *c, json_t **status, struct diag *d)
{
    bool running;
    return collector_fetch_status(c, status, &running, d);
}

// ---- revoke -------------------------------------------------------------------------------------
static enum err revoke_offline(struct ledger *l, const char *who, void *key_id, struct diag *d)
{
    return admin_revoke(l, who, *(int64_t *)key_id, d);
}

static enum err revoke_key(const struct collector_config *c, int64_t key_id, struct diag *d)
{
    json_t *reply = NULL;
    json_t *request = json_pack("{s:s, s:I}", "command", "revoke", "key_id", (json_int_t)key_id);
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, d);
    json_decref(request);
    json_decref(reply);
    if (e == ERR_CLOSED)
        e = collector_change_offline(c, revoke_offline, &key_id, d);
    if (e == ERR_OK)
        printf("revoked key id %lld\n", (long long)key_id);
    return e;
}

// *agent_id 0: text says which; found out the first time.
static enum err revoke_keys(const struct collector_config *c, const char *text, int64_t *agent_id,
                            size_t *revoked, struct diag *d)
{
    json_t *status = NULL, *a;
    size_t i;
    enum err e = fetch_agents(c, &status, d);
    const json_t *agents = json_object_get(status, "agents");
    if (e == ERR_OK && *agent_id == 0)
        e = collector_find_agent(agents, text, agent_id, d);
    *revoked = 0;
    json_array_foreach(agents, i, a)
    {
        if (e != ERR_OK || int_of(a, "agent_id") != *agent_id || int_of(a, "revoked_us"))
            continue;
        e = revoke_key(c, int_of(a, "key_id"), d);
        *revoked += e == ERR_OK;
    }
    json_decref(status);
    return e;
}

// Until none is left: an agent that rotates meanwhile has another key when the first ones are gone.
static enum err revoke_agent(const struct collector_config *c, const char *text, struct diag *d)
{
    int64_t agent_id = 0;
    size_t more = 1, done = 0;
    enum err e = ERR_OK;
    while (e == ERR_OK && more > 0) {
        e = revoke_keys(c, text, &agent_id, &more, d);
        done += more;
    }
    return e == ERR_OK && done == 0
               ? diag_fail(d, ERR_NOT_FOUND, "%s has no valid key: it is shut out already", text)
               : e;
}

int collector_command_revoke(const struct command_line *line, const struct collector_config *c)
{
    struct diag d = {0};
    const char *text = line->words[0];
    char *end;
    errno = 0;
    int64_t key_id = strtoll(text, &end, 10);
    bool number = !errno && !*end && end != text;
    if (!number && !strchr(text, '#') && !strchr(text, '/')) {
        fprintf(stderr,
                "esep-collector: '%s' is neither a key id nor an agent (PARK/RESIDENT#n, #n); esep-collector "
                "agents "
                "lists them\n",
                text);
        return EXIT_USAGE;
    }
    enum err e = number ? revoke_key(c, key_id, &d) : revoke_agent(c, text, &d);
    return e == ERR_OK ? EXIT_DONE : collector_complain(e, &d);
}

// ---- move ---------------------------------------------------------------------------------------
struct moving {
    const char *series;
    int64_t to, from;
};

static enum err move_offline(struct ledger *l, const char *who, void *ctx, struct diag *d)
{
    struct moving *m = ctx;
    return admin_move(l, who, m->series, m->to, &m->from, d);
}

static enum err move_online(const struct collector_config *c, struct moving *m, struct diag *d)
{
    json_t *reply = NULL;
    json_t *request =
        json_pack("{s:s, s:s, s:I}", "command", "move", "series", m->series, "agent_id", (json_int_t)m->to);
    enum err e = collector_ask(c, request, ANSWER_MS, &reply, d);
    json_decref(request);
    if (e == ERR_OK)
        m->from = int_of(reply, "from");
    json_decref(reply);
    return e;
}

int collector_command_move(const struct command_line *line, const struct collector_config *c)
{
    struct moving m = {.series = line->words[0]};
    struct diag d = {0};
    json_t *status = NULL;
    enum err e = fetch_agents(c, &status, &d);
    if (e == ERR_OK)
        e = collector_find_agent(json_object_get(status, "agents"), line->words[1], &m.to, &d);
    json_decref(status);
    if (e == ERR_OK && (e = move_online(c, &m, &d)) == ERR_CLOSED)
        e = collector_change_offline(c, move_offline, &m, &d);
    if (e != ERR_OK)
        return collector_complain(e, &d);
    printf("%s belongs to agent #%lld now (before: #%lld)\n", m.series, (long long)m.to, (long long)m.from);
    return EXIT_DONE;
}
