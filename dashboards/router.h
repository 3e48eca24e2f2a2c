// The one table of addresses: what can be asked, how, and who answers. Whatever must hold for every address
// (headers, access, tests that walk all of them) works from this table.
#ifndef ESEP_DASHBOARDS_ROUTER_H
#define ESEP_DASHBOARDS_ROUTER_H

#include "dashboards/exchange.h"
#include "dashboards/site.h"

enum route_kind { ROUTE_PAGE, ROUTE_API, ROUTE_IMAGE, ROUTE_FILE, ROUTE_TEXT };

struct route {
    const char *method;  // "GET": HEAD is taken as well
    const char *pattern; // "/parks/{park}/{resident}": a {name} stands for one part that is not empty
    enum route_kind kind;
    enum access_class access;  // what it is about: asked for before the handler is called
    const char *const *params; // all it takes besides `lang`; NULL-terminated
    void (*handle)(struct site *s, struct exchange *x); // sets a status and a body, or fails the exchange
};

size_t router_count(void);
const struct route *router_at(size_t i);
// Fills x->parts. NULL: no such address; *other_method then tells whether one with another method exists.
const struct route *router_find(struct exchange *x, bool *other_method);
// Finds, handles, writes the error's body in the form of the route, counts. Afterwards the exchange can be
// sent.
void router_answer(struct site *s, struct exchange *x);
// Instead of an answer for which there is no room now: a 503 in the form of the route.
void router_put_off(struct site *s, struct exchange *x);

#endif
