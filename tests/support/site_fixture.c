#include "tests/support/site_fixture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// No collector runs in these tests.
static enum err nobody(const char *state, const char *request, int timeout_ms, char **reply, struct diag *d)
{
    (void)state;
    (void)request;
    (void)timeout_ms;
    (void)reply;
    return diag_fail(d, ERR_CLOSED, "no collector");
}

void site_fixture_open(struct site_fixture *f, bool filled, const char *catalogue, const char *parks,
                       struct render *render)
{
    static char delivered_catalogue[] = "deploy/catalogue.yaml", delivered_parks[] = "deploy/parks";
    memset(f, 0, sizeof *f);
    store_create(&f->store);
    if (filled)
        park_fixture_fill(&f->store, 26);
    f->config.state = f->store.folder;
    f->config.catalogue = delivered_catalogue;
    f->config.parks = delivered_parks;
    if (!filled) { // as before any collector ran
        ledger_close(f->store.ledger);
        f->store.ledger = NULL;
        store_remove_folder(f->store.folder);
    }
    struct dashboard_config *c = &f->config;
    if (catalogue)
        c->catalogue = (char *)(uintptr_t)catalogue;
    if (parks)
        c->parks = (char *)(uintptr_t)parks;
    struct diag d = {""};
    enum err e = site_open(c, &f->store.clock.clock, render, nobody, &f->site, &d);
    if (e)
        fail_msg("site_open: %s", d.text);
    exchange_init(&f->x);
}

void site_fixture_close(struct site_fixture *f)
{
    exchange_deinit(&f->x);
    site_close(f->site);
    if (f->store.ledger) {
        store_destroy(&f->store);
        return;
    }
    wire_builder_destroy(f->store.builder);
    buf_deinit(&f->store.body);
}

int site_fixture_ask(struct site_fixture *f, const char *method, const char *target, const char *etag)
{
    exchange_deinit(&f->x);
    exchange_init(&f->x);
    snprintf(f->x.method, sizeof f->x.method, "%s", method);
    snprintf(f->x.target, sizeof f->x.target, "%s", target);
    snprintf(f->x.if_none_match, sizeof f->x.if_none_match, "%s", etag);
    router_answer(f->site, &f->x);
    return f->x.status;
}

int site_fixture_get(struct site_fixture *f, const char *target)
{
    return site_fixture_ask(f, "GET", target, "");
}

const char *site_fixture_body(struct site_fixture *f)
{
    return buf_str(&f->x.body);
}

bool site_fixture_has(struct site_fixture *f, const char *text)
{
    return strstr(site_fixture_body(f), text) != NULL;
}
