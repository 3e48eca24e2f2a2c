// A server whose certificate nobody vouches for is not spoken to. The server is Python's, the certificate is
// made here; curl -k shows that it would answer.
#include "net/http.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000

static const char script[] = "import http.server,ssl,sys\n"
                             "class H(http.server.BaseHTTPRequestHandler):\n"
                             "  def do_GET(self):\n"
                             "    self.send_response(200); self.send_header('Content-Length','6'); "
                             "self.end_headers(); self.wfile.write(b'secret')\n"
                             "s=http.server.ThreadingHTTPServer(('127.0.0.1',0),H)\n"
                             "c=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(sys.argv[1])\n"
                             "s.socket=c.wrap_socket(s.socket,server_side=True)\n"
                             "sys.stdout.write('%d\\n' % s.server_address[1]); sys.stdout.flush()\n"
                             "s.serve_forever()\n";

struct server {
    struct test_folder folder;
    char certificate[TEST_PATH];
    pid_t pid;
    int port;
};

static void run(const char *command)
{
    int status = -1;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execlp("bash", "bash", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void make_certificate(struct server *s)
{
    char command[6 * TEST_PATH];
    test_folder_path(&s->folder, "both.pem", s->certificate);
    snprintf(command, sizeof command,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
             "/CN=127.0.0.1 "
             "-addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s.crt >%s.log 2>&1 && cat %s.crt >>%s",
             s->certificate, s->certificate, s->certificate, s->certificate, s->certificate);
    run(command);
}

static void start(struct server *s)
{
    int out[2];
    char line[32] = "";
    assert_int_equal(pipe(out), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        dup2(out[1], STDOUT_FILENO);
        close(out[0]);
        if (freopen("/dev/null", "w", stderr))
            execlp("python3", "python3", "-c", script, s->certificate, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    assert_true(read(out[0], line, sizeof line - 1) > 0);
    close(out[0]);
    s->port = (int)strtol(line, NULL, 10);
    assert_true(s->port > 0);
}

static void get_from_a_server_nobody_vouches_for_is_denied(void **state)
{
    (void)state;
    struct server s = {.port = 0};
    struct http_reply r = {.status = 77};
    struct diag d = {""};
    char url[100], command[200];
    assert_int_equal(test_folder_make(&s.folder), 0);
    make_certificate(&s);
    start(&s);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/", s.port);
    snprintf(command, sizeof command, "test \"$(curl -sk --noproxy '*' %s)\" = secret", url);
    run(command);
    enum err e = http_get(url, 1000, WAIT_MS, &r, &d);
    kill(s.pid, SIGKILL);
    waitpid(s.pid, NULL, 0);
    assert_int_equal(test_folder_remove(&s.folder), 0);
    assert_int_equal(e, ERR_DENIED);
    assert_int_equal(r.status, 77);
    assert_non_null(strstr(d.text, url));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_from_a_server_nobody_vouches_for_is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
