#!/usr/bin/env bash
# Clients that take their time with a request: each connection ends, and meanwhile others are answered.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

wait_s=180

# A beginning, then some more each second, for ever; ends when the connection does.
trickle() { # BEGINNING MORE
    python3 - "$dashboard_port" "$@" <<'END'
import socket
import sys
import time
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
beginning, more = (t.encode().decode("unicode_escape").encode() for t in sys.argv[2:])
s.sendall(beginning)
s.settimeout(1)
while True:
    try:
        s.sendall(more)
        if not s.recv(100):
            break
    except TimeoutError:
        time.sleep(0)
    except OSError:
        break
END
}
ended() { get metrics | grep -q "^esep_dashboard_connections_ended_total $1$"; }
all_ended() { has_ended head && has_ended body && has_ended line; }

a_request_that_is_never_whole_ends_with_its_connection() {
    make_park && start_collector && start_dashboard || return
    start head trickle 'GET / HTTP/1.1\r\nHost: x\r\n' 'X-More: 1\r\n'
    start body trickle 'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n' a
    start line trickle 'GET /' a
    sleep 2
    is_running head && is_running body && is_running line || fail "a connection ended at once" || return
    get healthz >/dev/null || fail "nobody else is answered" || return
    wait_for all_ended || fail "a connection goes on" || return
    ended 3 || fail "not counted: $(get metrics | grep connections_ended)"
}

run_tests a_request_that_is_never_whole_ends_with_its_connection
