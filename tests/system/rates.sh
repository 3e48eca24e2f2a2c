#!/usr/bin/env bash
# Central banks' rates by the real programs: a collector asks a bank on this machine, files are imported while it runs and
# while it does not, what jumps is held, and a rebuild shows the same.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

feeds=$root/tests/fuzz/corpus

# A bank: /kz/DAY answers with that day's date and a rate of its own, /big with 50 MB, /away leads elsewhere, /bomb with
# the entity bomb.
start_bank() {
    bank_port=$(free_port)
    cat >"$work/bank.py" <<'END'
import http.server, sys
class Bank(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def answer(self, body, status=200, more=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in more: self.send_header(name, value)
        self.end_headers()
        try: self.wfile.write(body)
        except OSError: pass
    def do_GET(self):
        what = self.path.split("/")
        if what[1] == "kz":
            y, m, d = what[2].split("-")
            self.answer(f"<rates><date>{d}.{m}.{y}</date><item><title>USD</title><quant>1</quant><description>{500 + int(d) / 100:.2f}"
                        "</description></item></rates>".encode())
        elif what[1] == "big": self.answer(b"<" * 50_000_000)
        elif what[1] == "bomb": self.answer(open(sys.argv[2], "rb").read())
        else: self.answer(b"", 302, [("Location", "http://localhost:1/")])
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Bank).serve_forever()
END
    start bank python3 "$work/bank.py" "$bank_port" "$feeds/feed_xml/bomb.xml"
    wait_for port_taken "$bank_port"
}

configure() { # BANK URL-PATH [SINCE]
    sed -i '/^rates:/,$d' "$work/collector.yaml"
    printf 'rates:\n  hour: 0\n%s  banks:\n    - {bank: %s, url: "http://127.0.0.1:%s/%s"}\n' \
        "${3:+  since: $3$'\n'}" "$1" "$bank_port" "$2" >>"$work/collector.yaml"
}
answers() { collector rates --json | python3 -c 'import json,sys; print(len(json.load(sys.stdin)))'; }
has_answers() { [ "$(answers)" -ge "$1" ]; }
refused() { collector status --json | json counters.rates_refused; }
has_refused() { [ "$(refused)" -ge "$1" ] 2>/dev/null; }

the_collector_asks_for_each_day_up_to_today() {
    local since
    since=$(date -u -d '-9 days' +%F)
    configure kz 'kz/{ymd-}' "$since"
    start_collector || return
    wait_for has_answers 10 || fail "$(answers) answers of 10" || return
    stop collector || fail "it ended with $?" || return
    [ "$(collector rates --json | json 0.day)" = "$since" ] || fail "it begins with another day" || return
    [ "$(answers)" -eq 10 ] || fail "$(answers) answers" || return
    [ "$(collector rates --json | json 0.rates.0.rate)" = "500.$(date -u -d '-9 days' +%d)" ] ||
        fail "not the rate that the bank gave: $(collector rates --json | json 0.rates)"
}

what_is_stored_is_not_asked_for_again() {
    start_collector || return
    sleep 1.5 # its agent looks once a second: nothing to ask for is only seen by time passing
    [ "$(collector status --json | json counters.rates_asked)" = 0 ] || fail "it asked again" || return
    stop collector || fail "it ended with $?"
}

hostile_answers_are_refused_and_the_collector_goes_on() {
    local path before
    for path in big bomb away; do
        configure ru "$path"
        start_collector || return
        wait_for has_refused 1 || fail "$path was not refused" || return
        before=$(collector status | grep -c 'state  *running')
        [ "$before" -eq 1 ] || fail "$path: it does not run" || return
        stop collector || fail "$path: it ended with $?" || return
    done
    grep -q 'reason=.*larger than its limit' "$work/collector.log" || fail "50 MB were not refused for their size" || return
    grep -q 'reason=.*DOCTYPE' "$work/collector.log" || fail "the bomb was not refused for its entities" || return
    grep -q 'reason=.*not followed' "$work/collector.log" || fail "it was led elsewhere" || return
    [ "$(collector rates --json | json 0.bank)" = kz ] && [ "$(answers)" -eq 10 ] || fail "something of it was stored"
}

files_are_imported_whether_it_runs_or_not() {
    run collector rates import "$feeds/feed_xml/nbrk-day.xml" "$feeds/feed_xml/cbr-day.xml"
    [ "$status" -eq 0 ] && [[ $out == "stored 2, known before 0"* ]] || fail "not running: $out $err" || return
    start_collector || return
    run collector rates import "$feeds/feed_json/cbu-day.json" "$feeds/feed_xml/nbkr-day.xml" "$feeds/feed_xml/cbr-day.xml"
    [ "$status" -eq 0 ] && [[ $out == "stored 2, known before 1"* ]] || fail "running: $out $err" || return
    run collector rates import "$feeds/feed_xml/nbrk-info.xml"
    [ "$status" -eq 1 ] && [[ $err == *nbrk-info.xml*'не установлены'* ]] || fail "an info text: $err" || return
    run collector rates import "$work/nothing"
    [ "$status" -eq 1 ] || fail "a file that is not there: $status"
}

a_jump_is_held_shown_and_confirmed() {
    run collector rates import "$feeds/feed_xml/nbrk-jump.xml"
    [ "$status" -eq 0 ] && [[ $err == *'USD changed by more than a fifth'* ]] || fail "not held: $out $err" || return
    collector rates | grep -q '2026-03-14 kz held .*USD 598.15' || fail "not shown: $(collector rates)" || return
    collector status --json | python3 -c '
import json, sys
m = {x["name"]: x["value"] for x in json.load(sys.stdin)["metrics"]}
sys.exit(m["rates_held"] != 1)' || fail "no alarm" || return
    run collector rates confirm kz 2026-03-13
    [ "$status" -eq 1 ] || fail "what is not held was confirmed" || return
    run collector rates confirm kz 2026-03-14
    [ "$status" -eq 0 ] && [ "$out" = confirmed ] || fail "$out $err" || return
    collector rates | grep -q '2026-03-14 kz confirmed' || fail "still held" || return
    collector audit | grep -q 'control.*rates/kz.*confirmed' || fail "the audit log does not know: $(collector audit | tail -n 3)"
}

a_rebuild_and_verify_keep_them() {
    local before
    before=$(sqlite3 -readonly "$work/collector/observations.sqlite" 'select * from rates order by 1, 2, 3' | sha256sum)
    stop collector || fail "it ended with $?" || return
    rm -f "$work/collector/observations.sqlite"*
    collector rebuild >/dev/null || fail "rebuild: $?" || return
    [ "$before" = "$(sqlite3 -readonly "$work/collector/observations.sqlite" 'select * from rates order by 1, 2, 3' | sha256sum)" ] ||
        fail "other rates after the rebuild" || return
    [ "$(sqlite3 -readonly "$work/collector/observations.sqlite" 'select count(*) from rates')" -ge 15 ] || fail "too few" || return
    collector verify >/dev/null || fail "verify: $?"
}

make_park
start_bank
run_tests the_collector_asks_for_each_day_up_to_today what_is_stored_is_not_asked_for_again \
    hostile_answers_are_refused_and_the_collector_goes_on files_are_imported_whether_it_runs_or_not \
    a_jump_is_held_shown_and_confirmed a_rebuild_and_verify_keep_them
