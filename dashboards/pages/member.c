// Enterprises are rivals: into whom one merged is named to those only who may know that one.

#include "dashboards/pages/member.h"
#include "base/clock.h"

static int32_t today(const struct page *p, const struct park *park)
{
    return zone_day(site_zone(p->site, park), p->now_us / US_PER_S);
}

static void put_day(struct page *p, enum text t, int32_t day, const char *other)
{
    char text[SHOW_TEXT];
    show_day(text, day);
    page_fill(p, t, text, other, NULL);
    buf_text(p->out, ". ");
}

static const char *name_of(const struct page *p, const struct park *park, const char *code)
{
    const struct resident *other = park_resident(park, code);
    bool may = other && access_may(&p->x->viewer, SIGHT_RESIDENT, park->code, code);
    return may ? other->names.text[p->lang] : page_text(p, T_MEMBER_OTHER);
}

void member_put(struct page *p, const struct park *park, const struct resident *r)
{
    const struct membership *m = &r->member;
    int32_t now = today(p, park);
    if (m->joined == MEMBERSHIP_ALWAYS && m->left == MEMBERSHIP_STILL)
        return;
    buf_text(p->out, "<p class=\"notice quietly\" id=\"membership\">");
    if (m->joined != MEMBERSHIP_ALWAYS)
        put_day(p, m->joined <= now ? T_MEMBER_SINCE : T_MEMBER_FROM, m->joined, NULL);
    if (*m->merged_into)
        put_day(p, T_MEMBER_MERGED, m->left, name_of(p, park, m->merged_into));
    else if (m->left != MEMBERSHIP_STILL)
        put_day(p, m->left <= now ? T_MEMBER_LEFT : T_MEMBER_LEAVES, m->left, NULL);
    html_put(p->out, "%s</p>", page_text(p, T_MEMBER_NOT_COUNTED));
}

void member_put_badge(struct page *p, const struct park *park, const struct resident *r)
{
    if (!membership_on(&r->member, today(p, park)))
        html_put(p->out, " <span class=\"badge\">%s</span>", page_text(p, T_NOT_A_MEMBER));
}
