// Mergers are checked when all residents are known: into one that is there, is another one and belongs to the
// park on that day. Then no ring is possible either (each would have to be gone before the next), but a ring
// gets words of its own, because that is what somebody who wrote one has to see.
#include "kpi/membership_yaml.h"
#include <string.h>

#include "kpi/park.h"
#include "kpi/series.h"

const cyaml_schema_field_t membership_yaml_merger_fields[] = {
    CYAML_FIELD_STRING_PTR("resident", CYAML_FLAG_DEFAULT, struct yaml_merger, resident, 0, SERIES_PART_MAX),
    CYAML_FIELD_STRING_PTR("day", CYAML_FLAG_DEFAULT, struct yaml_merger, day, 0, MEMBERSHIP_YAML_DAY),
    CYAML_FIELD_END,
};

static enum err take_day(const struct place *p, const char *key, const char *text, int32_t *out)
{
    struct period day;

    if (text == NULL)
        return ERR_OK;
    if (period_parse(text, &day) != ERR_OK || day.kind != PERIOD_DAY)
        return place_error(p, key, "\"%.40s\" is not a day like 2026-03-14", text);
    *out = day.start;
    return ERR_OK;
}

enum err membership_yaml_take(const struct place *p, const struct yaml_membership *raw,
                              struct membership *out)
{
    struct membership m = MEMBERSHIP_DEFAULT;
    const char *end = raw->merged_into != NULL ? "merged_into.day" : "left";
    enum err e = take_day(p, "joined", raw->joined, &m.joined);

    if (e == ERR_OK && raw->left != NULL && raw->merged_into != NULL)
        return place_error(p, "left", "the day of merged_into says already when it left: leave this key out");
    if (e == ERR_OK)
        e = take_day(p, end, raw->merged_into != NULL ? raw->merged_into->day : raw->left, &m.left);
    if (e == ERR_OK && m.left <= m.joined)
        return place_error(p, end, "must be after joined: the first day on which it is no member any more");
    if (e != ERR_OK)
        return e;
    if (raw->merged_into != NULL)
        m.merged_into = raw->merged_into->resident;
    *out = m;
    return ERR_OK;
}

static bool is_ring(const struct park *park, const struct resident *first)
{
    const struct resident *r = first;

    for (size_t i = 0; i < park->resident_count && r != NULL && r->member.merged_into[0] != '\0'; i++) {
        r = park_resident(park, r->member.merged_into);
        if (r == first)
            return true;
    }
    return false;
}

static enum err check_merger(const struct park *park, const struct resident *r, const struct place *p)
{
    const char *into = r->member.merged_into;
    const struct resident *other = park_resident(park, into);

    if (other == NULL)
        return place_error(p, "merged_into.resident", "the park has no resident \"%.60s\"", into);
    if (other == r)
        return place_error(p, "merged_into.resident", "it cannot merge into itself");
    if (is_ring(park, r))
        return place_error(p, "merged_into.resident",
                           "the mergers go in a ring: following them from \"%.60s\" leads back to it",
                           r->code);
    if (!membership_on(&other->member, r->member.left))
        return place_error(p, "merged_into.day", "\"%.60s\" is no member of the park on that day", into);
    return ERR_OK;
}

enum err membership_yaml_check(const struct park *park, const char *file, struct diag *d)
{
    for (size_t i = 0; i < park->resident_count; i++) {
        struct place p = place_entry(d, file, "residents", i);
        enum err e = park->residents[i].member.merged_into[0] != '\0'
                         ? check_merger(park, &park->residents[i], &p)
                         : ERR_OK;
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}
