// Logging in and out, without scripts. What is refused looks the same and takes the same time whether the
// name or the password was wrong.

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "dashboards/audit.h"
#include "dashboards/identity.h"
#include "dashboards/limiter.h"
#include "dashboards/pages/page.h"
#include "dashboards/pages/pages.h"
#include "dashboards/users.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define HASHING_WAIT_S  2
#define HASHING_WAITERS 2

// Only a place of this site, as it stands in an address.
static const char *way_back(const char *next)
{
    if (!next || next[0] != '/' || next[1] == '/' || strlen(next) > 1500 || strncmp(next, "/login", 6) == 0 ||
        strncmp(next, "/logout", 7) == 0)
        return "/";
    for (const char *c = next; *c; c++)
        if (*c <= ' ' || *c > '~' || *c == '\\' || *c == '"' || *c == '<' || *c == '>')
            return "/";
    return next;
}

static void redirect(struct exchange *x, const char *to)
{
    snprintf(x->location, sizeof x->location, "%s", to);
    x->status = 303;
    x->content_type = "text/plain; charset=utf-8";
}

struct attempt { // what was refused, to be shown again
    int status;
    enum text why;
    int wait_s;
    const char *name, *next;
};

static void put_why(struct page *p, const struct attempt *a)
{
    char wait[16];
    if (a->status == 200)
        return;
    snprintf(wait, sizeof wait, "%d", a->wait_s);
    html_put(p->out, "<p class=\"notice\" role=\"alert\" id=\"why\">");
    page_fill(p, a->why, wait, NULL, NULL);
    buf_text(p->out, "</p>");
}

static void put_field(struct page *p, const struct attempt *a, const char *name, enum text label,
                      const char *type, const char *autocomplete, const char *value)
{
    html_put(p->out,
             "<label>%s<input name=\"%s\" type=\"%s\" autocomplete=\"%s\" value=\"%s\" maxlength=\"1024\" "
             "autocapitalize=\"none\" spellcheck=\"false\" required%s></label>",
             page_text(p, label), name, type, autocomplete, value,
             a->status == 200 ? "" : " aria-describedby=why");
}

static void put_login(struct site *s, struct exchange *x, const struct attempt *a)
{
    struct page p;
    char token[HEX_TEXT(HASH_BYTES)];
    if (page_begin_plain(s, x, &p))
        return;
    identity_form_token(s, x, token);
    page_head(&p, page_text(&p, T_LOGIN), &(struct crumb){NULL, page_text(&p, T_LOGIN)}, 1);
    html_put(p.out, "<section class=\"panel login\"><h1>%s</h1><p class=\"quiet\">%s</p>",
             page_text(&p, T_LOGIN), page_text(&p, T_LOGIN_LEAD));
    put_why(&p, a);
    html_put(p.out, "<form method=\"post\" action=\"/login%s%s\">", p.lang_asked ? "?lang=" : "",
             p.lang_asked ? lang_code(p.lang) : "");
    put_field(&p, a, "name", T_LOGIN_NAME, "text", "username", a->name);
    put_field(&p, a, "password", T_LOGIN_PASSWORD, "password", "current-password", "");
    html_put(p.out,
             "<input type=\"hidden\" name=\"next\" value=\"%s\"><input type=\"hidden\" name=\"form\" "
             "value=\"%s\"><button class=\"button\">%s</button></form></section>",
             a->next, token, page_text(&p, T_LOGIN));
    crypto_wipe(token, sizeof token);
    page_foot(&p);
    x->status = a->status;
    if (a->wait_s)
        x->retry_after_s = a->wait_s;
}

static bool has_users(struct site *s, struct exchange *x)
{
    if (!s->users)
        exchange_fail(x, 404, "there are no users here: nobody has to log in");
    return s->users != NULL;
}

void page_login(struct site *s, struct exchange *x)
{
    const struct attempt first = {.status = 200, .name = "", .next = way_back(exchange_param(x, "next"))};
    if (!has_users(s, x))
        return;
    if (x->viewer.kind == VIEWER_SESSION)
        redirect(x, first.next);
    else
        put_login(s, x, &first);
}

// Each takes 64 MiB, and one of the few threads that answer everybody: of those beyond few wait. False: not
// in time.
static bool wait_for_hashing(struct site *s)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += HASHING_WAIT_S;
    int failed;
    while ((failed = sem_clockwait(&s->hashing, CLOCK_MONOTONIC, &until)) && errno == EINTR)
        ;
    return failed == 0;
}

static bool begin_hashing(struct site *s)
{
    if (sem_trywait(&s->hashing) == 0)
        return true;
    bool begun = atomic_fetch_add(&s->hashing_waiting, 1) < HASHING_WAITERS && wait_for_hashing(s);
    atomic_fetch_sub(&s->hashing_waiting, 1);
    return begun;
}

// hash: the one that it was compared with; wiped by the caller.
static bool password_fits(struct site *s, const char *name, const char *password,
                          char hash[PASSWORD_HASH_TEXT])
{
    size_t len = strlen(password);
    struct diag d = {""};
    enum err e = users_name_valid(name) ? users_password(s->users, name, hash, &d) : ERR_NOT_FOUND;
    bool known = e == ERR_OK;
    if (!known && e != ERR_NOT_FOUND)
        log_warn("login_not_possible", F_TEXT("reason", d.text));
    bool fits = len <= USERS_PASSWORD_MAX &&
                crypto_password_verify(known ? hash : s->unknown_password, password, len);
    return known && fits;
}

// Sets why not.
static bool let_in(struct site *s, struct exchange *x, struct attempt *a)
{
    uint8_t secret[USERS_SECRET_BYTES];
    char hash[PASSWORD_HASH_TEXT];
    const char *name = users_name_valid(a->name) ? a->name : "?";
    a->wait_s = limiter_try(s->limiter, x->address, a->name);
    if (a->wait_s) {
        metrics_add(s->metrics, METRIC_LOGINS_LIMITED, 1);
        audit_refused(s, x, AUDIT_OF_LOGIN, name, "", "too many tries");
        a->status = 429;
        a->why = T_LOGIN_WAIT;
        return false;
    }
    if (!begin_hashing(s)) {
        *a = (struct attempt){503, T_LOGIN_BUSY, 1, a->name, a->next};
        audit_refused(s, x, AUDIT_OF_LOGIN, name, "", "busy");
        return false;
    }
    bool fits = password_fits(s, a->name, exchange_field(x, "password"), hash);
    sem_post(&s->hashing);
    // none, where the password was changed while the old one was looked at
    fits = fits &&
           users_session_begin(s->users, a->name, hash, site_now_us(s) / US_PER_S, secret, NULL) == ERR_OK;
    crypto_wipe(hash, sizeof hash);
    metrics_add(s->metrics, fits ? METRIC_LOGINS_DONE : METRIC_LOGINS_REFUSED, 1);
    audit_note(s, x, AUDIT_OF_LOGIN, fits, name, "", "");
    if (fits) {
        limiter_succeeded(s->limiter, x->address, a->name);
        identity_set_cookie(s, x, secret);
    }
    crypto_wipe(secret, sizeof secret);
    return fits;
}

void page_login_send(struct site *s, struct exchange *x)
{
    struct attempt a = {.status = 403,
                        .why = T_LOGIN_WRONG,
                        .name = exchange_field(x, "name"),
                        .next = way_back(exchange_field(x, "next"))};
    if (!has_users(s, x))
        return;
    if (let_in(s, x, &a))
        redirect(x, a.next);
    else
        put_login(s, x, &a);
}

void page_logout(struct site *s, struct exchange *x)
{
    if (!has_users(s, x))
        return;
    if (x->viewer.kind == VIEWER_SESSION) {
        enum err e = users_session_end(s->users, x->secret);
        if (e && e != ERR_NOT_FOUND) {
            exchange_fail(x, 500, "the session could not be ended; close the browser and tell the operator");
            return;
        }
        audit_note(s, x, AUDIT_OF_LOGOUT, true, NULL, "", "");
    }
    identity_set_cookie(s, x, NULL);
    x->clear_site = true;
    redirect(x, "/");
}
