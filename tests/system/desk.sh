#!/usr/bin/env bash
# What an operator says to the desk, with the real programs: figures by hand beside an agent's, each once; closed periods; a
# clock that is behind.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

prepare() {
    make_park && echo "month,staff" >"$work/office.csv" && make_agent office <<END && admit office testpark/office
  - name: monthly
    kind: csv
    path: $work/office.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
}

staff=testpark/office/jobs_total
revisions() { get "api/v1/observations?series=$1&period=$2&revisions=all" | json observations | python3 -c '
import json, sys
print(" ".join(str(o["value"]) for o in json.load(sys.stdin)))' 2>/dev/null; }
are_revisions() { [ "$(revisions "$1" "$2")" = "$3" ]; }
in_file() { # SERIES DAY
    local file
    file=$(collector query "$1" --file 2>/dev/null) && [ -f "$file" ] &&
        /usr/bin/python3 -c 'import rrdtool, sys
end = int(sys.argv[2]) * 86400
print(rrdtool.fetch(sys.argv[1], "AVERAGE", "-r", "86400", "-s", str(end), "-e", str(end))[2][0][0])' "$file" "$2"
}
file_shows() { [ "$(in_file "$1" "$(($(date -u -d "$2" +%s) / 86400))" 2>/dev/null)" = "$3" ]; }
audit_lines() { # EVENT OUTCOME [PART]
    collector audit --event "$1" --json 2>/dev/null | python3 -c '
import json, sys
entries = json.load(sys.stdin)["log"]
print(sum(e["outcome"] == sys.argv[1] and sys.argv[2] in json.dumps(e, ensure_ascii=False) for e in entries))' "$2" "${3:-}"
}
is_held() { [[ $(collector quarantine) == *"period-closed"* ]]; }
is_spooled() { [ "$(agent_count office spooled)" -ge 1 ]; }
csv() { printf 'month,staff\n%b' "$1" >"$work/office.csv.new" && mv "$work/office.csv.new" "$work/office.csv"; }

a_figure_that_nobody_sends_is_reported_here_and_in_the_file_within_five_seconds() {
    start_collector && start_dashboard && start_agent office || return
    run collector report testpark/office/inv 1250000.50 --period 2025-Q4 --currency KZT
    [ "$status" -eq 0 ] && [[ $out == "testpark/office/inv of 2025-Q4: 1250000.50 KZT, revision 1, position "* ]] ||
        fail "$status: $out $err" || return
    wait_s=5
    wait_for file_shows testpark/office/inv 2025-12-31 125000050.0 ||
        fail "not in the file: $(in_file testpark/office/inv "$(($(date -u -d 2025-12-31 +%s) / 86400))")" || return
    wait_s=30
    are_revisions testpark/office/inv 2025-Q4 1250000.5 || fail "$(revisions testpark/office/inv 2025-Q4)"
}

a_figure_of_an_agents_series_is_corrected_here_and_the_agent_goes_on() {
    csv '2025-10,100\n'
    wait_for are_revisions $staff 2025-10 100 || fail "the agent's figure never came" || return
    run collector report $staff 104 --period 2025-10
    [ "$status" -eq 1 ] && [[ $err == *"was reported already: 100;"* ]] || fail "$status: $out $err" || return
    run collector report $staff 104 --period 2025-10 --revise
    [ "$status" -eq 2 ] && [[ $err == *"--revise needs --reason"* ]] || fail "$status: $out $err" || return
    run collector report $staff 104 --period 2025-10 --revise --reason "four were forgotten"
    [ "$status" -eq 0 ] && [[ $out == *"revision 2"* ]] || fail "$status: $out $err" || return
    csv '2025-10,100\n2025-11,110\n'
    wait_for are_revisions $staff 2025-11 110 || fail "the agent lost its series" || return
    are_revisions $staff 2025-10 "100 104" || fail "$(revisions $staff 2025-10)" || return
    [ "$(audit_lines revise "done" "reason: four were forgotten")" = 1 ] || fail "$(collector audit --event revise)" || return
    [ "$(collector quarantine | tail -n 1)" = "0 held" ] || fail "$(collector quarantine)"
}

# The later word counts, but that a source has overruled a person is said: log, counter, list of corrections.
a_source_that_overrules_a_person_does_not_do_so_in_silence() {
    local said='report_overtaken series=testpark/office/jobs_total period=2025-10'
    ! grep -q report_overtaken "$work/collector.log" || fail "said before: $(grep report_overtaken "$work/collector.log")" || return
    csv '2025-10,99\n2025-11,110\n'
    wait_for are_revisions $staff 2025-10 "100 104 99" || fail "$(revisions $staff 2025-10)" || return
    wait_for grep -q "$said" "$work/collector.log" || fail "not logged: $(tail -n 3 "$work/collector.log")" || return
    [ "$(collector status --json | python3 -c '
import json, sys
print({x["name"]: x["value"] for x in json.load(sys.stdin)["metrics"]}["reports_overtaken"])')" = 1 ] ||
        fail "not counted" || return
    get "series/$staff?from=2025-01-01&to=2026-01-01" >"$work/page.html"
    grep -q 'class="badge late">instead of what ' "$work/page.html" || fail "not in the list: $(grep -o 'data-live="corrections".*' "$work/page.html")"
}

a_request_that_is_repeated_is_stored_once_also_after_a_kill() {
    local before
    run collector report $staff 90 --period 2025-09 --request form-7
    [ "$status" -eq 0 ] || fail "$err" || return
    before=$(ledger 'select max(position) from batch')
    stop collector KILL
    start_collector || return
    run collector report $staff 90 --period 2025-09 --request form-7
    [ "$status" -eq 0 ] && [[ $out == *"revision 1, position $before, stored before"* ]] || fail "$status: $out $err" || return
    run collector report $staff 91 --period 2025-09 --request form-7
    [ "$status" -eq 1 ] && [[ $err == *"another content"* ]] || fail "$status: $out $err" || return
    [ "$(ledger "select count(*) from batch where position > $before and class = 2")" = 0 ] || fail "stored again"
}

what_makes_no_sense_is_refused_with_a_reason_and_audited() {
    local before n=0
    before=$(audit_lines report refused)
    while IFS='|' read -r words says; do
        n=$((n + 1))
        # shellcheck disable=SC2086
        run collector report $words
        [ "$status" -eq 1 ] && [[ $err == *"$says"* ]] || fail "$words: $status: $out $err" || return
    done <<END
testpark/office/no_such 5 --period 2025-09|no KPI
testpark/all/jobs_total 5 --period 2025-09|totals are computed here
$staff 5 --period 2099-09|period
$staff 9e99 --period 2025-08|too large to be kept exactly
$staff x --period 2025-08|'x' is not a number
$staff 5 --period 2025-Q3|is reported by month
END
    [ "$(audit_lines report refused)" -ge $((before + n - 1)) ] || fail "$(collector audit --event report)"
}

a_closed_period_needs_a_reason_and_says_so() {
    run collector close testpark --period 2025
    [ "$status" -eq 2 ] && [[ $err == *--reason* ]] || fail "$status: $out $err" || return
    run collector close nopark --period 2025 --reason "year's end"
    [ "$status" -eq 1 ] && [[ $err == *"describes the park"* ]] || fail "$status: $out $err" || return
    run collector close testpark --period 2025 --reason "year's end"
    [ "$status" -eq 0 ] && [[ $out == "closed 2025 of testpark, since 20"* ]] || fail "$status: $out $err" || return
    run collector close testpark --period 2025-11 --reason "again"
    [ "$status" -eq 1 ] && [[ $err == *"is closed since"* ]] || fail "$status: $out $err" || return
    run collector report $staff 105 --period 2025-10 --revise
    [ "$status" -eq 2 ] || fail "$status: $out $err" || return
    run collector report $staff 80 --period 2025-08
    [ "$status" -eq 1 ] && [[ $err == *"closed since"*"say why"* ]] || fail "$status: $out $err" || return
    run collector report $staff 80 --period 2025-08 --reason "found in the archive"
    [ "$status" -eq 0 ] && [[ $out == *"after the closure"* ]] || fail "$status: $out $err" || return
    run collector closures
    [[ $out == *"closed"*"2025"*"testpark"*"year's end"*"1 closings and openings" ]] || fail "$out" || return
    [ "$(audit_lines control "done" "2025 closed")" = 1 ] || fail "$(collector audit --event control)"
}

an_agents_figure_for_a_closed_period_waits_in_the_quarantine() {
    local place
    csv '2025-10,99\n2025-11,111\n'
    wait_for is_held || fail "$(collector quarantine)" || return
    are_revisions $staff 2025-11 110 || fail "taken: $(revisions $staff 2025-11)" || return
    place=$(collector quarantine | grep period-closed | awk '{print $1}')
    run collector quarantine release "$place"
    [ "$status" -eq 1 ] && [[ $err == *"--reason"* ]] || fail "$status: $out $err" || return
    run collector quarantine release "$place" --reason "the branch was late"
    [ "$status" -eq 0 ] || fail "$status: $out $err" || return
    wait_for are_revisions $staff 2025-11 "110 111" || fail "$(revisions $staff 2025-11)" || return
    run get "api/v1/observations?series=$staff&period=2025-11"
    [ "$(json observations.0.reason <<<"$out")" = "the branch was late" ] || fail "$out"
}

a_period_that_is_opened_again_takes_figures_again() {
    run collector reopen testpark --period 2025-12 --reason "not ready"
    [ "$status" -eq 0 ] || fail "$status: $out $err" || return
    csv '2025-10,99\n2025-11,111\n2025-12,120\n'
    wait_for are_revisions $staff 2025-12 120 || fail "$(revisions $staff 2025-12); $(collector quarantine)" || return
    run collector verify
    [ "$status" -eq 0 ] || fail "verify: $out $err"
}

# ---- the clock
step_clock() { # SECONDS
    python3 -c 'import struct, sys
with open(sys.argv[1], "r+b") as f: f.write(struct.pack("<q", int(sys.argv[2]) * 1000000))' "$work/clock" "$1"
}
is_state() { collector status 2>/dev/null | grep -q "^state *$1"; }
start_shifted_collector() {
    start collector env LD_PRELOAD="$build/tests/faults/shim.so" SHIM_CLOCK="$work/clock" \
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" \
        "$build/esep-collector" run --config "$work/collector.yaml"
    wait_for collector_answers || fail "the collector does not answer"
}

a_clock_that_is_behind_stops_credit_and_nothing_is_lost() {
    stop collector || fail "the collector ended with $?" || return
    head -c 16 /dev/zero >"$work/clock"
    start_shifted_collector || return
    run collector clock --confirm
    [ "$status" -eq 1 ] && [[ $err == *"not behind"* ]] || fail "$status: $out $err" || return
    csv '2025-10,99\n2025-11,111\n2025-12,120\n2026-01,130\n'
    wait_for are_revisions $staff 2026-01 130 || fail "before the step: $(revisions $staff 2026-01)" || return
    step_clock -3600
    wait_for is_state clock-behind || fail "$(collector status | head -n 3)" || return
    csv '2025-10,99\n2025-11,111\n2025-12,120\n2026-01,130\n2026-02,140\n'
    wait_for is_spooled || fail "the agent has not kept it" || return
    run collector report $staff 150 --period 2026-03
    [ "$status" -eq 1 ] && [[ $err == *"clock --confirm"* ]] || fail "$status: $out $err" || return
    grep -q 'event=clock_behind' "$work/collector.log" || fail "the log is silent" || return
    [[ $(get metrics) == *$'\n'"esep_collector_clock_behind_s 35"[0-9][0-9]* ]] ||
        fail "$(get metrics | grep clock)" || return
    [ -z "$(revisions $staff 2026-02)" ] || fail "taken by a wrong clock: $(revisions $staff 2026-02)" || return
    step_clock 0
    wait_for is_state running || fail "$(collector status | head -n 3)" || return
    wait_for are_revisions $staff 2026-02 140 || fail "lost: $(revisions $staff 2026-02)"
}

an_operator_confirms_the_clock_and_what_waited_is_taken() {
    local last
    last=$(ledger 'select max(received_us) from batch')
    step_clock -7200
    wait_for is_state clock-behind || fail "$(collector status | head -n 3)" || return
    csv '2025-10,99\n2025-11,111\n2025-12,120\n2026-01,130\n2026-02,140\n2026-03,150\n'
    wait_for is_spooled || fail "the agent has not kept it" || return
    run collector clock --confirm
    [ "$status" -eq 0 ] && [[ $out == confirmed* ]] || fail "$status: $out $err" || return
    wait_for are_revisions $staff 2026-03 150 || fail "lost: $(revisions $staff 2026-03)" || return
    [ "$(ledger "select count(*) from batch where position > 1 and received_us < (select max(received_us) from batch b where
        b.position < batch.position)")" = 0 ] || fail "received went back" || return
    [ "$(ledger 'select max(received_us) from batch')" -ge "$last" ] || fail "received went back" || return
    stop collector || fail "the collector ended with $?" || return
    ! grep "event=zap_handler_left" "$work/collector.log" || fail "the wrong clock ended a wait" || return
    start_shifted_collector && is_state running || fail "the confirmation was forgotten" || return
    [ "$(audit_lines control "done" "was ahead")" = 1 ] || fail "$(collector audit --event control)" || return
    run collector verify
    [ "$status" -eq 0 ] || fail "verify: $out $err"
}

prepare || { echo "not ok prepare: no park"; exit 1; }
run_tests a_figure_that_nobody_sends_is_reported_here_and_in_the_file_within_five_seconds \
    a_figure_of_an_agents_series_is_corrected_here_and_the_agent_goes_on \
    a_source_that_overrules_a_person_does_not_do_so_in_silence \
    a_request_that_is_repeated_is_stored_once_also_after_a_kill \
    what_makes_no_sense_is_refused_with_a_reason_and_audited a_closed_period_needs_a_reason_and_says_so \
    an_agents_figure_for_a_closed_period_waits_in_the_quarantine a_period_that_is_opened_again_takes_figures_again \
    a_clock_that_is_behind_stops_credit_and_nothing_is_lost an_operator_confirms_the_clock_and_what_waited_is_taken
