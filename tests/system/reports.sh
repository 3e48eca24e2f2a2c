#!/usr/bin/env bash
# Reports by hand and corrections, with the real programs: stored when it says so, refused with a reason, in the graph's file
# within five seconds, and what was known before can be asked for.
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
  - name: by-hand
    kind: hand
    class: report
    series:
      - {kpi: inv, unit: money, currency: KZT, period: quarter}
END
}

current() { get "api/v1/observations?series=testpark/office/$1&period=$2" | json observations.0.value 2>/dev/null; }
is_current() { [ "$(current "$1" "$2")" = "$3" ]; }
in_file() { # SERIES DAY: the value of the civil day's end in the round-robin file
    local file
    file=$(collector query "testpark/office/$1" --file) && [ -f "$file" ] &&
        /usr/bin/python3 -c 'import rrdtool, sys
end = int(sys.argv[2]) * 86400
print(rrdtool.fetch(sys.argv[1], "AVERAGE", "-r", "86400", "-s", str(end), "-e", str(end))[2][0][0])' "$file" "$2"
}
file_shows() { [ "$(in_file "$1" "$2" 2>/dev/null)" = "$3" ]; }
day() { echo $(($(date -u -d "$1" +%s) / 86400)); }

a_report_without_an_agent_running_is_stored_and_sent_later() {
    run agent office report inv 1250.50 --period 2025-Q4 --status P --author Aigul
    [ "$status" -eq 0 ] && [ "$out" = "inv of 2025-Q4: 1250.50 KZT, in the spool" ] || fail "$status: $out $err" || return
    [ "$(agent_count office spooled)" = 1 ] || fail "spooled: $(agent_count office spooled)" || return
    start_collector && start_dashboard && start_agent office || return
    wait_for is_current inv 2025-Q4 1250.5 || fail "it never arrived" || return
    run get "api/v1/observations?series=testpark/office/inv"
    [ "$(json observations.0.status <<<"$out")/$(json observations.0.author <<<"$out")" = P/Aigul ] || fail "$out"
}

a_report_beside_a_running_agent_is_there_within_five_seconds() {
    wait_s=5
    run agent office report jobs_total 200 --period 2026-01
    [ "$status" -eq 0 ] && wait_for is_current jobs_total 2026-01 200 || fail "not in the API: $status $out $err" || return
    wait_for file_shows jobs_total "$(day 2026-01-31)" 200.0 || fail "not in the file: $(in_file jobs_total "$(day 2026-01-31)")"
    wait_s=30
}

a_second_value_is_refused_and_a_correction_needs_a_reason() {
    run agent office report jobs_total 201 --period 2026-01
    [ "$status" -eq 1 ] && [[ $err == *"not reported: jobs_total of 2026-01 was reported already: 200;"* ]] ||
        fail "$status: $err" || return
    run agent office report jobs_total 201 --period 2026-01 --revise
    [ "$status" -eq 1 ] && [[ $err == *"--revise needs --reason"* ]] || fail "$status: $err" || return
    is_current jobs_total 2026-01 200 || fail "it changed all the same"
}

a_correction_is_a_revision_and_in_the_file_within_five_seconds() {
    wait_s=5
    run agent office report jobs_total 198 --period 2026-01 --revise --reason "two had left" --published 2026-02-20
    [ "$status" -eq 0 ] && wait_for file_shows jobs_total "$(day 2026-01-15)" 198.0 || fail "$status $out $err" || return
    wait_s=30
    run get "api/v1/observations?series=testpark/office/jobs_total&revisions=all"
    [ "$(json observations.0.value <<<"$out") $(json observations.1.value <<<"$out")" = "200 198" ] &&
        [ "$(json observations.1.reason <<<"$out")" = "two had left" ] &&
        [ "$(json observations.1.published <<<"$out")" = 2026-02-20T00:00:00Z ] || fail "$out" || return
    [ "$(json observations.1.key_id <<<"$out")" -gt 0 ] || fail "no key: $out" || return
    run get series/testpark/office/jobs_total
    [[ $out == *"two had left"* ]] || fail "the page does not list it"
}

what_was_published_by_then_is_drawn() {
    local before now
    before=$(get "graph/testpark/office/jobs_total.svg?bare=1&from=2026-01-01&to=2026-02-01&by=published&as_of=2026-02-21" | md5sum)
    now=$(get "graph/testpark/office/jobs_total.svg?bare=1&from=2026-01-01&to=2026-02-01&by=published" | md5sum)
    [ -n "$before" ] && [ "$before" != "$now" ] || fail "the same picture as now"
}

a_file_that_changes_and_one_that_loses_a_value_are_revisions_within_five_seconds() {
    wait_s=5
    printf 'month,staff\n2025-10,100\n2025-11,110\n2025-12,120\n' >"$work/office.csv"
    wait_for file_shows jobs_total "$(day 2025-11-30)" 110.0 || fail "the file was not read" || return
    printf 'month,staff\n2025-10,100\n2025-11,111\n2025-12,\n' >"$work/office.csv"
    wait_for file_shows jobs_total "$(day 2025-11-30)" 111.0 || fail "the correction is not in the file" || return
    wait_for file_shows jobs_total "$(day 2025-12-31)" None || fail "what vanished is still in the file" || return
    wait_s=30
    run get "api/v1/observations?series=testpark/office/jobs_total&period=2025-12"
    [ "$(json observations.0.status <<<"$out")" = M ] || fail "$out"
}

an_agent_killed_right_after_it_said_so_has_lost_nothing() {
    stop collector || fail "the collector ended with $?" || return
    run agent office report inv 7.07 --period 2025-Q3
    stop office KILL
    [ "$status" -eq 0 ] || fail "$err" || return
    start_collector && start_agent office || return
    wait_for is_current inv 2025-Q3 7.07 || fail "it is gone" || return
    run agent office report inv 7.07 --period 2025-Q3
    [ "$status" -eq 1 ] || fail "taken twice: $out"
}

in_total() { [ "$(get "api/v1/observations?series=testpark/all/jobs_total&period=2026-01" | json observations.0.value)" = "$1" ]; }

a_correction_is_in_the_total_at_once() {
    in_total 198 || fail "the total is another one" || return
    run agent office report jobs_total 197 --period 2026-01 --revise --reason "a third had left"
    wait_s=5
    [ "$status" -eq 0 ] && wait_for in_total 197 || fail "$status $out $err" || return
    wait_s=30
    run collector query testpark/all/jobs_total --from 2026-01-01 --to 2026-01-31 --format csv
    [[ $out == *"2026-01,197,person,1,0,0,"* ]] || fail "the command says $out $err" || return
    get graph/testpark/all/jobs_total.png >"$work/total.png" && [ "$(head -c 4 "$work/total.png" | tail -c 3)" = PNG ] ||
        fail "it is not drawn" || return
    run collector query testpark/all/oee
    [ "$status" -eq 1 ] && [[ $err == *"no series is named 'testpark/all/oee'"* ]] || fail "$status $err"
}

planned() { get "api/v1/targets?park=testpark&$1" | json targets.0.value; }

a_plan_that_changed_can_be_asked_for_as_it_was() {
    local before
    before=$(date -u +%FT%TZ)
    [ "$(planned "as_of=$before")" = 200 ] || fail "planned was $(planned "as_of=$before")" || return
    sleep 1 # moments are named by the second
    stop collector || fail "the collector ended with $?" || return
    sed -i 's/value: ">= 200"/value: ">= 250"/' "$work/parks/testpark.yaml"
    start_collector || return
    [ "$(planned as_of=now)" = 250 ] || fail "planned is $(planned as_of=now)" || return
    [ "$(planned "as_of=$before")" = 200 ] || fail "planned was $(planned "as_of=$before")" || return
    [ "$(ledger "select count(*) from batch where class = 3")" -eq 3 ] || fail "not one row a change" || return
    run collector verify
    [ "$status" -eq 0 ] || fail "verify: $out $err"
}

prepare || { echo "not ok prepare: no park"; exit 1; }
run_tests a_report_without_an_agent_running_is_stored_and_sent_later a_report_beside_a_running_agent_is_there_within_five_seconds \
    a_second_value_is_refused_and_a_correction_needs_a_reason a_correction_is_a_revision_and_in_the_file_within_five_seconds \
    what_was_published_by_then_is_drawn a_file_that_changes_and_one_that_loses_a_value_are_revisions_within_five_seconds \
    an_agent_killed_right_after_it_said_so_has_lost_nothing \
    a_correction_is_in_the_total_at_once a_plan_that_changed_can_be_asked_for_as_it_was
