#include "tests/support/totals_site.h"
#include "dashboards/router.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static enum err nobody(const char *state, const char *request, int timeout_ms, char **reply, struct diag *d)
{
    (void)state, (void)request, (void)timeout_ms, (void)reply;
    return diag_fail(d, ERR_CLOSED, "no collector");
}

void totals_site_open(struct totals_site *s, struct totals_rig *r)
{
    static char catalogue[] = "deploy/catalogue.yaml";
    struct diag d = {""};
    *s =
        (struct totals_site){.config = {.state = r->store.folder, .catalogue = catalogue, .parks = r->parks}};
    if (site_open(&s->config, &r->store.clock.clock, NULL, nobody, &s->site, &d) != ERR_OK)
        fail_msg("%s", d.text);
    exchange_init(&s->x);
}

void totals_site_close(struct totals_site *s)
{
    exchange_deinit(&s->x);
    site_close(s->site);
}

int totals_site_get(struct totals_site *s, const char *target)
{
    exchange_deinit(&s->x);
    exchange_init(&s->x);
    snprintf(s->x.method, sizeof s->x.method, "GET");
    snprintf(s->x.target, sizeof s->x.target, "%s", target);
    router_answer(s->site, &s->x);
    return s->x.status;
}
