// Who asks: a session by cookie, a token, nobody, or, where there are no users, this machine. And whether a
// form that was sent came from a page of ours.
#ifndef ESEP_DASHBOARDS_IDENTITY_H
#define ESEP_DASHBOARDS_IDENTITY_H

#include "dashboards/exchange.h"
#include "dashboards/site.h"

// Sets x->viewer. INVALID, the exchange failed: the Host header is none of ours (400: a page elsewhere may
// have been led here), a proxy stands in front though there are no users (403), or a token is not valid
// (401).
enum err identity_find(struct site *s, struct exchange *x) MUST_USE;
// INVALID, failed with 403: a POST by cookie whose Origin is another's, or without its page's token.
enum err identity_check_form(struct site *s, struct exchange *x) MUST_USE;
// The token that a form must send along; made of the cookie's secret, which is made when there is none.
void identity_form_token(struct site *s, struct exchange *x, char out[HEX_TEXT(HASH_BYTES)]);

// A token as people handle it: "esep_" and hex digits.
#define IDENTITY_TOKEN_TEXT (5 + HEX_TEXT(32))
void identity_token_text(const uint8_t secret[32], char out[IDENTITY_TOKEN_TEXT]);

// Sets the cookie to this secret; NULL: takes it away.
void identity_set_cookie(struct site *s, struct exchange *x, const uint8_t *secret);

#endif
