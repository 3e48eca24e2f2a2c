// Read with read(), because stdio would keep a copy that nobody wipes. Interrupted typing (Ctrl-C) must not
// leave the terminal without its echo: signals wait until it is back.

#include "dashboards/password.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

enum err password_check(const char *user, const char *password, struct diag *d)
{
    size_t len = strlen(password);
    if (len < USERS_PASSWORD_MIN)
        return diag_fail(d, ERR_INVALID, "the password has less than %d characters: take a longer one",
                         USERS_PASSWORD_MIN);
    if (strcasecmp(user, password) == 0)
        return diag_fail(d, ERR_INVALID, "the password is the user's name: take another");
    if (strspn(password, (char[]){password[0], '\0'}) == len)
        return diag_fail(d, ERR_INVALID, "the password is one character over and over: take another");
    return ERR_OK;
}

static enum err read_line(char out[USERS_PASSWORD_MAX + 1], struct diag *d)
{
    size_t len = 0;
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return diag_errno(d, errno, "standard input");
        if (n == 0 || c == '\n')
            break;
        if (len == USERS_PASSWORD_MAX || c == '\0')
            return diag_fail(d, ERR_INVALID, "the password has more than %d bytes, or is no text",
                             USERS_PASSWORD_MAX);
        out[len++] = c;
    }
    if (len > 0 && out[len - 1] == '\r')
        len--;
    out[len] = '\0';
    return len > 0 ? ERR_OK : diag_fail(d, ERR_CLOSED, "no password came on standard input");
}

static enum err ask(const char *prompt, char out[USERS_PASSWORD_MAX + 1], struct diag *d)
{
    fprintf(stderr, "%s", prompt);
    enum err e = read_line(out, d);
    fputc('\n', stderr);
    return e;
}

static enum err ask_twice(char out[USERS_PASSWORD_MAX + 1], struct diag *d)
{
    char again[USERS_PASSWORD_MAX + 1] = "";
    enum err e = ask("Password: ", out, d);
    if (!e)
        e = ask("The same again: ", again, d);
    if (!e && strcmp(out, again) != 0)
        e = diag_fail(d, ERR_INVALID, "the two are not the same");
    crypto_wipe(again, sizeof again);
    return e;
}

static enum err ask_without_echo(char out[USERS_PASSWORD_MAX + 1], struct diag *d)
{
    struct termios before, quiet;
    sigset_t all, old;
    if (tcgetattr(STDIN_FILENO, &before))
        return diag_errno(d, errno, "the terminal");
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    enum err e =
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) ? diag_errno(d, errno, "the terminal") : ask_twice(out, d);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    sigprocmask(SIG_SETMASK, &old, NULL);
    return e;
}

enum err password_read(const char *user, char out[USERS_PASSWORD_MAX + 1], struct diag *d)
{
    char text[USERS_PASSWORD_MAX + 1] = "";
    enum err e = isatty(STDIN_FILENO) ? ask_without_echo(text, d) : read_line(text, d);
    if (!e)
        e = password_check(user, text, d);
    if (!e)
        memcpy(out, text, sizeof text);
    crypto_wipe(text, sizeof text);
    return e;
}
