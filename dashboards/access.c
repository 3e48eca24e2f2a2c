// One table: a role's reach for each thing that can be asked about; what a park marks as public comes on
// top. All roles are compared by codes alone, never by looking whether the thing exists, so that what is not
// there and what may not be seen take the same way.

#include "dashboards/access.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum reach { REACH_NONE, REACH_OWN, REACH_PARK, REACH_ALL }; // nothing is the default

static const enum reach reaches[ROLE_COUNT][SIGHT_COUNT] = {
    [ROLE_RESIDENT] = {[SIGHT_PARK] = REACH_PARK,
                       [SIGHT_RESIDENT] = REACH_OWN,
                       [SIGHT_INSIDE] = REACH_OWN,
                       [SIGHT_AGENT] = REACH_OWN,
                       [SIGHT_OBLIGATIONS] = REACH_OWN},
    [ROLE_ANALYST] = {[SIGHT_PARK] = REACH_PARK,
                      [SIGHT_RESIDENT] = REACH_PARK,
                      [SIGHT_INSIDE] = REACH_PARK,
                      [SIGHT_SUMS] = REACH_PARK,
                      [SIGHT_OBLIGATIONS] = REACH_PARK},
    [ROLE_OPERATOR] = {[SIGHT_PARK] = REACH_PARK,
                       [SIGHT_RESIDENT] = REACH_PARK,
                       [SIGHT_INSIDE] = REACH_PARK,
                       [SIGHT_SUMS] = REACH_PARK,
                       [SIGHT_AGENT] = REACH_PARK,
                       [SIGHT_OBLIGATIONS] = REACH_PARK},
    [ROLE_AUDITOR] = {REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL},
    [ROLE_ADMIN] = {REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL, REACH_ALL},
};
_Static_assert(SIGHT_COUNT == 7, "auditor and admin see all that there is");

static const enum reach deeds[ROLE_COUNT][DEED_COUNT] = {
    [ROLE_RESIDENT] = {[DEED_REPORT] = REACH_OWN},
    [ROLE_OPERATOR] = {[DEED_REPORT] = REACH_PARK, [DEED_REPORT_CLOSED] = REACH_PARK},
    [ROLE_ADMIN] = {[DEED_REPORT] = REACH_ALL, [DEED_REPORT_CLOSED] = REACH_ALL},
};

static const char *const role_names[ROLE_COUNT] = {"public",   "resident", "analyst",
                                                   "operator", "auditor",  "admin"};

const char *role_name(enum role r)
{
    return (unsigned)r < ROLE_COUNT ? role_names[r] : "";
}

enum err role_parse(const char *text, enum role *out)
{
    for (int i = ROLE_PUBLIC + 1; i < ROLE_COUNT; i++)
        if (strcmp(role_names[i], text) == 0) {
            *out = (enum role)i;
            return ERR_OK;
        }
    return ERR_INVALID;
}

static enum err parse_place(const char *text, struct scope *s)
{
    struct series_name name = {0};
    if (s->role == ROLE_RESIDENT) {
        if (series_parse_resident(text, &name) || strcmp(name.resident, SERIES_RESIDENT_ALL) == 0)
            return ERR_INVALID;
        memcpy(s->resident, name.resident, sizeof s->resident);
    } else if (!series_part_valid(text)) {
        return ERR_INVALID;
    } else {
        snprintf(name.park, sizeof name.park, "%s", text);
    }
    memcpy(s->park, name.park, sizeof s->park);
    return ERR_OK;
}

enum err scope_parse(const char *text, struct scope *out)
{
    struct scope s = {0};
    char role[16];
    size_t len = strcspn(text, ":");
    if (len >= sizeof role)
        return ERR_INVALID;
    snprintf(role, sizeof role, "%.*s", (int)len, text);
    if (role_parse(role, &s.role))
        return ERR_INVALID;
    bool placed = s.role < ROLE_AUDITOR;
    if (placed != (text[len] == ':') || (placed && parse_place(text + len + 1, &s)))
        return ERR_INVALID;
    *out = s;
    return ERR_OK;
}

void scope_text(const struct scope *s, char out[SCOPE_TEXT])
{
    snprintf(out, SCOPE_TEXT, "%s%s%s%s%s", role_name(s->role), *s->park ? ":" : "", s->park,
             *s->resident ? "/" : "", s->resident);
}

static bool reaches_to(const struct scope *s, enum reach r, const char *park, const char *resident)
{
    bool same_park = *park && strcmp(s->park, park) == 0;
    switch (r) {
    case REACH_ALL:
        return true;
    case REACH_PARK:
        return same_park;
    case REACH_OWN:
        return same_park && *resident && strcmp(s->resident, resident) == 0;
    case REACH_NONE:
    default:
        return false;
    }
}

static bool is_public(const struct parks *parks, enum sight what, const char *park, const char *resident)
{
    const struct park *p = parks ? parks_find(parks, park) : NULL;
    if (!p || !p->is_public)
        return false;
    const struct resident *r = what == SIGHT_RESIDENT ? park_resident(p, resident) : NULL;
    return what == SIGHT_PARK || (r && r->is_public);
}

bool access_may(const struct viewer *v, enum sight what, const char *park, const char *resident)
{
    if (!v || (unsigned)v->scope.role >= ROLE_COUNT || (unsigned)what >= SIGHT_COUNT)
        return false;
    return reaches_to(&v->scope, reaches[v->scope.role][what], park, resident) ||
           is_public(v->parks, what, park, resident);
}

// Without users there is nobody to name as the author.
bool access_may_do(const struct viewer *v, enum deed what, const char *park, const char *resident)
{
    if (!v || (unsigned)v->scope.role >= ROLE_COUNT || (unsigned)what >= DEED_COUNT ||
        (v->kind != VIEWER_SESSION && v->kind != VIEWER_TOKEN) || !*resident ||
        strcmp(resident, SERIES_RESIDENT_ALL) == 0)
        return false;
    return reaches_to(&v->scope, deeds[v->scope.role][what], park, resident);
}

bool access_may_series(const struct viewer *v, const char *park, const char *resident)
{
    bool total = strcmp(resident, SERIES_RESIDENT_ALL) == 0;
    return access_may(v, total ? SIGHT_SUMS : SIGHT_RESIDENT, park, resident);
}

bool access_may_statement(const struct viewer *v, const struct park *p, const struct statement *st)
{
    return access_may(v, SIGHT_PARK, p->code, "") &&
           (p->is_public || !*st->resident || access_may(v, SIGHT_RESIDENT, p->code, st->resident));
}

bool access_may_dimension(const struct viewer *v, const struct park *p, const char *code)
{
    if (access_may(v, SIGHT_SUMS, p->code, ""))
        return true;
    for (size_t i = 0; i < p->statement_count; i++)
        if (strcmp(p->statements[i].dimension, code) == 0 && access_may_statement(v, p, &p->statements[i]))
            return true;
    return false;
}

const struct park *access_park(const struct viewer *v, const char *code)
{
    const struct park *p = v && v->parks ? parks_find(v->parks, code) : NULL;
    return p && access_may(v, SIGHT_PARK, p->code, "") ? p : NULL;
}

bool access_route(const struct viewer *v, enum access_class class, const char *park, const char *resident)
{
    switch (class) {
    case ACCESS_OPEN:
    case ACCESS_ROWS:
        return true;
    case ACCESS_MEMBERS:
        return v->scope.role > ROLE_PUBLIC && v->scope.role < ROLE_COUNT;
    case ACCESS_PARK:
        return access_may(v, SIGHT_PARK, park, "");
    case ACCESS_RESIDENT:
    case ACCESS_SERIES:
        return access_may_series(v, park, resident);
    case ACCESS_REPORT:
        return access_may_do(v, DEED_REPORT, park, resident);
    default:
        return false;
    }
}

// ---- where to look for series
// -------------------------------------------------------------------------------------------
static bool is_marked(const struct park *p, size_t resident)
{
    return p->is_public && p->residents[resident].is_public;
}

static size_t public_residents(const struct parks *parks)
{
    size_t n = 0;
    for (size_t i = 0; parks && i < parks->count; i++)
        for (size_t k = 0; k < parks->parks[i]->resident_count; k++)
            n += is_marked(parks->parks[i], k);
    return n;
}

static void add_prefix(struct access_prefixes *p, const char *park, const char *resident)
{
    snprintf(p->at[p->count++], sizeof *p->at, "%s%s%s%s", park, *park ? "/" : "", resident,
             *resident ? "/" : "");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void drop_contained(struct access_prefixes *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++)
        if (kept == 0 || strncmp(p->at[i], p->at[kept - 1], strlen(p->at[kept - 1])) != 0) {
            if (i != kept)
                memcpy(p->at[kept], p->at[i], sizeof *p->at);
            kept++;
        }
    p->count = kept;
}

enum err access_prefixes(const struct viewer *v, struct access_prefixes *out)
{
    struct access_prefixes p = {0};
    const struct parks *parks = v ? v->parks : NULL;
    p.at = calloc(public_residents(parks) + 1, sizeof *p.at);
    if (!p.at)
        return ERR_NOMEM;
    enum reach r =
        v && (unsigned)v->scope.role < ROLE_COUNT ? reaches[v->scope.role][SIGHT_RESIDENT] : REACH_NONE;
    if (r == REACH_ALL)
        add_prefix(&p, "", "");
    else if (r != REACH_NONE && *v->scope.park && (r == REACH_PARK || *v->scope.resident))
        add_prefix(&p, v->scope.park, r == REACH_OWN ? v->scope.resident : "");
    for (size_t i = 0; parks && r != REACH_ALL && i < parks->count; i++)
        for (size_t k = 0; k < parks->parks[i]->resident_count; k++)
            if (is_marked(parks->parks[i], k))
                add_prefix(&p, parks->parks[i]->code, parks->parks[i]->residents[k].code);
    qsort(p.at, p.count, sizeof *p.at, by_name);
    drop_contained(&p);
    *out = p;
    return ERR_OK;
}

void access_prefixes_free(struct access_prefixes *p)
{
    free(p->at);
    *p = (struct access_prefixes){0};
}
