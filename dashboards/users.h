// Users, their sessions, and tokens for scripts: all that the dashboard writes, in a file of its own
// (users.sqlite, 0600, in a folder that only it can enter). Passwords are kept as Argon2id, sessions and
// tokens as hashes of random secrets: who reads the file can be nobody by it. Commands and a running
// dashboard share it: what a command changes holds from the next request on. Threads: any.
#ifndef ESEP_DASHBOARDS_USERS_H
#define ESEP_DASHBOARDS_USERS_H

#include "base/crypto.h"
#include "dashboards/access.h"

#define USERS_SECRET_BYTES   32
#define USERS_PASSWORD_MIN   12
#define USERS_PASSWORD_MAX   1024
#define USERS_SESSIONS_MAX   20                   // of a user; the oldest goes
#define USERS_IDLE_S         (2 * INT64_C(3600))  // a session without requests ends after
#define USERS_SESSION_S      (12 * INT64_C(3600)) // and any session after
#define USERS_TOKEN_DAYS_MAX 366

struct users;
// NOT_FOUND: no file, and it is not to be made; DENIED: others can read it (diag: the chmod to run).
enum err users_open(const char *folder, bool create, struct users **out, struct diag *d) MUST_USE;
void users_close(struct users *u); // NULL is allowed

// Letters, digits, '_', '.', '-', '@'; at most ACCESS_NAME_MAX.
bool users_name_valid(const char *name);
enum err users_count(struct users *u, int64_t *out, struct diag *d) MUST_USE; // of users, not of tokens
// EXISTS.
enum err users_add(struct users *u, const char *name, const struct scope *s, const char *hash, int64_t now_s,
                   struct diag *d) MUST_USE;
// Ends the user's sessions. NOT_FOUND.
enum err users_set_password(struct users *u, const char *name, const char *hash, struct diag *d) MUST_USE;
enum err users_remove(struct users *u, const char *name, struct diag *d) MUST_USE; // and sessions. NOT_FOUND
// The kept password. NOT_FOUND.
enum err users_password(struct users *u, const char *name, char out[PASSWORD_HASH_TEXT],
                        struct diag *d) MUST_USE;

// A new session of the user, with the secret of its cookie. password: as users_password gave it. NOT_FOUND:
// no such user, or another password by now.
enum err users_session_begin(struct users *u, const char *name, const char *password, int64_t now_s,
                             uint8_t secret[USERS_SECRET_BYTES], struct diag *d) MUST_USE;
// Sets kind, scope and name. NOT_FOUND: none, or it has expired; CLOSED: the file was removed or replaced.
enum err users_session_find(struct users *u, const uint8_t secret[USERS_SECRET_BYTES], int64_t now_s,
                            struct viewer *out) MUST_USE;
enum err users_session_end(struct users *u, const uint8_t secret[USERS_SECRET_BYTES]) MUST_USE;

// EXISTS.
enum err users_token_add(struct users *u, const char *name, const struct scope *s, int64_t now_s,
                         int64_t expires_s, uint8_t secret[USERS_SECRET_BYTES], struct diag *d) MUST_USE;
enum err users_token_remove(struct users *u, const char *name, struct diag *d) MUST_USE; // NOT_FOUND
enum err users_token_find(struct users *u, const uint8_t secret[USERS_SECRET_BYTES], int64_t now_s,
                          struct viewer *out) MUST_USE; // NOT_FOUND, CLOSED

struct users_row { // borrowed during the visit
    const char *name;
    const char *scope; // as scope_text writes it
    int64_t created_s;
    int64_t ends_s;   // of a token
    int64_t sessions; // of a user
};
typedef void (*users_visit)(void *ctx, const struct users_row *r);
enum err users_list(struct users *u, users_visit visit, void *ctx, struct diag *d) MUST_USE;
enum err users_token_list(struct users *u, users_visit visit, void *ctx, struct diag *d) MUST_USE;

#endif
