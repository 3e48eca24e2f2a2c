// One request and its reply, with no HTTP library in sight: handlers and tests work on this, http.c carries
// it. Threads: one exchange belongs to one thread.
#ifndef ESEP_DASHBOARDS_EXCHANGE_H
#define ESEP_DASHBOARDS_EXCHANGE_H

#include "base/buf.h"
#include "dashboards/access.h"
#include "dashboards/cache.h"
#include <stdbool.h>
#include <stdint.h>

#define EXCHANGE_TARGET_MAX 2048 // path and query as they came
#define EXCHANGE_PARAMS_MAX 16
#define EXCHANGE_PARTS_MAX  4
#define EXCHANGE_PART_MAX   80
#define EXCHANGE_BODY_MAX   (24u << 20)
#define EXCHANGE_ETAG       36 // quotes and NUL included
#define EXCHANGE_FORM_MAX   4096
#define EXCHANGE_FIELDS_MAX 16
#define EXCHANGE_SECRET     32

struct exchange_param {
    const char *name, *value; // decoded, valid UTF-8 without control characters
};

enum exchange_body { EXCHANGE_NO_BODY, EXCHANGE_FORM, EXCHANGE_JSON };

struct exchange {
    // the request; texts are owned by the exchange
    char method[16];
    char target[EXCHANGE_TARGET_MAX + 1];
    const char *path;
    struct exchange_param params[EXCHANGE_PARAMS_MAX];
    size_t param_count;
    char accept_language[256];
    char if_none_match[256];
    char host[256], origin[256], fetch_site[16], cookie[2048], authorization[256];
    char address[64]; // the client's
    bool forwarded;   // it came through a proxy
    char *form;       // a POST's body, at most EXCHANGE_FORM_MAX bytes; owned, wiped; NULL: none
    size_t form_len;
    enum exchange_body body_kind;                      // by its Content-Type; of any other nothing is kept
    bool body_cut;                                     // it was longer, and what is here is no whole one
    void *json;                                        // what `fields` borrow from where it was JSON; owned
    struct exchange_param fields[EXCHANGE_FIELDS_MAX]; // of the form
    size_t field_count;
    struct viewer viewer;            // who asks: set by the router before any handler is called
    uint8_t secret[EXCHANGE_SECRET]; // of the cookie, which need not be anybody's session; wiped
    bool has_secret;
    char parts[EXCHANGE_PARTS_MAX][EXCHANGE_PART_MAX]; // what the route's {names} stood for
    size_t part_count;
    // the reply
    int status; // 0: nobody answered
    const char *content_type;
    const char *cache_control; // NULL: no-store
    bool vary_language;
    bool drawing;             // an SVG that styles itself: its own content policy
    char etag[EXCHANGE_ETAG]; // "" for none
    char filename[160];       // offered as an attachment; "" for none
    char location[EXCHANGE_TARGET_MAX];
    char set_cookie[256];  // "" for none; wiped
    bool clear_site;       // the browser is to forget what it kept
    bool vary_viewer;      // another viewer would get another answer
    const char *allow;     // of a 405; NULL: GET, HEAD
    const char *challenge; // WWW-Authenticate of a 401
    int retry_after_s;
    bool behind; // the answer was made without figures that the ledger has
    struct buf body;
    struct blob *blob;      // owned reference, sent instead of body; NULL: none
    char problem[700];      // why the status is an error, for a person
    char problem_param[32]; // the parameter at fault, "" for none
    // working storage
    char decoded[EXCHANGE_TARGET_MAX + 1];
};

void exchange_init(struct exchange *x);
void exchange_deinit(struct exchange *x);

// Splits and decodes x->target. INVALID (problem and status 400 set): a byte that an address can't have, a
// bad escape, a control character, text that is not UTF-8, too many parameters, one given twice.
enum err exchange_parse(struct exchange *x) MUST_USE;
// The same for the body: a form, or one flat JSON object of texts, whole numbers, true, false and null (which
// is left out). INVALID (400, 413 when it was cut).
enum err exchange_parse_body(struct exchange *x) MUST_USE;
enum err exchange_parse_json(struct exchange *x) MUST_USE; // exchange_json.c
void exchange_forget_json(struct exchange *x);
bool exchange_text_clean(const char *text);                             // UTF-8 without control characters
const char *exchange_field(const struct exchange *x, const char *name); // "" when absent
// NULL when absent.
const char *exchange_param(const struct exchange *x, const char *name);
// INVALID (400 set, naming it) when a parameter is not one of the NULL-terminated list; `lang` is always
// allowed.
enum err exchange_allow(struct exchange *x, const char *const *names) MUST_USE;

// Refuses: the status and the reason; the router writes the body in the form of the route. Returns
// ERR_INVALID.
enum err exchange_fail(struct exchange *x, int status, const char *fmt, ...) PRINTF(3, 4);
enum err exchange_fail_param(struct exchange *x, const char *param, const char *fmt, ...) PRINTF(3, 4);
// The status and text for a library's failure: NOT_FOUND 404, INVALID 400, TOO_BIG 400, AGAIN and TIMEOUT and
// CLOSED 503, else 500. The library's own text may name files or statements: it goes to the log, not out.
enum err exchange_fail_err(struct exchange *x, enum err e, const char *text);

// Sets ETag; true when the client has it already: the status is then 304 and nothing more is to be done.
bool exchange_fresh(struct exchange *x, const void *key, size_t len);

#endif
