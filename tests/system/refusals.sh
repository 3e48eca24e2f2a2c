#!/usr/bin/env bash
# Bad input: everything wrong is counted and named, nothing good is lost with it, nothing crashes.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

now=$(date +%s)

prepare() {
    make_park && start_collector && start_dashboard
}
metric() { get metrics | awk -v name="$1" '$1 == name || index($1, name "{") == 1 { n += $2 } END { print n + 0 }'; }
counted() { collector status | grep -oE "\"?$1\"?[ :=]+[0-9]+" | grep -oE '[0-9]+$' | head -1; }

an_unknown_key_gets_nothing_in() {
    echo "month,staff
2026-01,100" >"$work/unknown.csv"
    make_agent unknown <<END || return
  - name: monthly
    kind: csv
    path: $work/unknown.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
    start_agent unknown
    was_refused() { [ "$(collector status --json | json counters.handshakes_refused_key)" -gt 0 ] 2>/dev/null; }
    wait_for was_refused || fail "no refused handshake was counted" || return
    knows_why() { [ "$(agent_count unknown connection)" = key-not-known ]; }
    wait_for knows_why || fail "the agent says it is $(agent_count unknown connection)" || return
    grep -qF "esep-collector admit PARK/RESIDENT $(<"$work/unknown/key")" <<<"$(agent unknown status)" ||
        fail "status does not say what to do: $(agent unknown status)" || return
    [ "$(grep -c event=key_not_known "$work/unknown.log")" -eq 1 ] || fail "the log does not say it once" || return
    stop unknown || fail "the agent ended with $?" || return
    [ "$(stored_samples)" -eq 0 ] && [ "$(ledger 'select count(*) from series')" -eq 0 ] || fail "something was stored" || return
    [ "$(agent_count unknown sampled)" -eq 1 ] && [ "$(agent_count unknown acknowledged)" -eq 0 ] ||
        fail "sampled $(agent_count unknown sampled), acknowledged $(agent_count unknown acknowledged)"
}

bad_rows_of_a_file_are_counted_and_good_ones_go_through() {
    {
        echo "month,staff,invested"
        echo "2026-01,100,12.50"
        echo "2026-02,many,1.00"        # not a number
        echo "2026-13,101,1.00"         # no such month
        echo "2026-03,nan,0.001"        # not finite; beyond the minor unit
        echo "2026-04,,"                # nothing reported
        printf '2026-05,%s,1.00\n' "$(head -c 200000 /dev/zero | tr '\0' 9)" # oversized
        echo "2026-06,106,60.07"
        echo "2026-06,106,60.07"        # the same again
    } >"$work/plant.csv"
    make_agent plant <<END || return
  - name: monthly
    kind: csv
    path: $work/plant.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
      - {column: invested, kpi: inv, unit: money, currency: KZT, period: month}
END
    admit plant testpark/plant && start_agent plant
    good_ones_are_in() { get 'api/v1/observations?series=testpark/plant/inv&format=csv' 2>/dev/null | grep -q '60\.07'; }
    wait_for good_ones_are_in || fail "the good rows did not arrive" || return
    bad_ones_are_counted() { [ "$(agent_count plant source_errors)" -ge 5 ] 2>/dev/null; }
    wait_for bad_ones_are_counted || fail "source_errors=$(agent_count plant source_errors)" || return
    agent plant status | grep -q 'plant.csv' || fail "status does not name the file: $(agent plant status)"
}

samples_the_collector_refuses_are_stored_and_counted() {
    cat >"$work/printer" <<'END'
#!/bin/sh
tick=$(($(date +%s) / 10 * 10))
echo "pumps 3 $((tick - 20))"
echo "pumps 4 $((tick + 7200))"
echo "pumps -5 $((tick - 10))"
echo "pumps nan"
echo "pumps 7 $((tick - 3))"
echo "stranger 1"
echo "{\"name\": \"pumps\", \"value\": 8, \"time\": $((tick - 30))}"
echo "{broken"
END
    chmod +x "$work/printer"
    make_agent machine <<END || return
  - name: machine
    kind: exec
    command: ["$work/printer"]
    every: 10s
    timeout: 5s
    class: measurement
    series:
      - {name: pumps, kpi: out_units, dimension: pumps, unit: piece, step: 10s}
END
    admit machine testpark/plant && start_agent machine
    future_is_counted() { [ "$(collector status --json | json counters.samples_refused_future)" -ge 1 ] 2>/dev/null; }
    wait_for future_is_counted || fail "no future sample was refused" || return
    [ "$(collector status --json | json counters.samples_refused_out_of_range)" -ge 1 ] || fail "below its bound: not refused" || return
    [ "$(refused_samples)" -ge 2 ] || fail "the ledger has $(refused_samples) refused samples" || return
    [ "$(agent_count machine source_errors)" -ge 4 ] || fail "source_errors=$(agent_count machine source_errors)" || return
    run get "api/v1/query?series=testpark/plant/out_units/pumps&from=$((now - 120))&to=$((now + 60))&step=10&format=csv"
    [[ $out == *,3* && $out == *,8* ]] && [[ $out != *-5* ]] || fail "the API says: $out $err"
}

the_backlog_of_each_projection_is_in_the_metrics() {
    local all wanted
    all=$(get metrics)
    for wanted in 'projection_lag_seconds{projection="rrd"} [0-9.]*' 'projection_lag_seconds{projection="observations"} [0-9.]*' \
        'projection_lag_rows{projection="rrd"} [0-9]*' 'projection_lag_rows{projection="observations"} [0-9]*' 'in_flight_bytes [0-9]*'; do
        grep -q "^esep_$wanted\$" <<<"$all" || fail "/metrics has no line esep_$wanted" || return
    done
}
what_was_refused_is_in_the_metrics() {
    local refused
    refused=$(metric esep_collector_samples_quarantined_total)
    [ "$refused" -ge 2 ] || fail "esep_collector_samples_quarantined_total is $refused: $(get metrics | grep -i quarantin)"
}

the_accounts_balance() {
    local name sampled acknowledged spooled refused
    stop machine || fail "the agent ended with $?" || return
    for name in plant machine; do
        sampled=$(agent_count $name sampled) acknowledged=$(agent_count $name acknowledged)
        spooled=$(agent_count $name spooled) refused=$(agent_count $name refused)
        [ "$sampled" -eq $((acknowledged + spooled + refused)) ] ||
            fail "$name: sampled=$sampled acknowledged=$acknowledged spooled=$spooled refused=$refused" || return
    done
}

a_missing_file_and_a_missing_program_are_named() {
    make_agent missing <<END || return
  - name: files
    kind: csv
    path: $work/nothing-here.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_created, unit: person, period: month}
  - name: programs
    kind: exec
    command: ["$work/no-such-program"]
    every: 10s
    timeout: 5s
    class: measurement
    series:
      - {name: kwh, kpi: energy_kwh, unit: kwh, step: 10s}
END
    run agent missing sources
    [[ "$out$err" == *nothing-here.csv* && "$out$err" == *no-such-program* ]] || fail "sources says: $out $err" || return
    start_agent missing
    both_are_named() {
        run agent missing status
        [[ $out == *nothing-here.csv* && $out == *no-such-program* ]]
    }
    wait_for both_are_named || fail "status says: $out $err" || return
    [ "$(agent_count missing source_errors)" -ge 2 ] || fail "source_errors=$(agent_count missing source_errors)" || return
    stop missing || fail "the agent ended with $?"
}

a_collector_that_is_not_there_is_told() {
    make_agent alone <<END || return
  - name: files
    kind: csv
    path: $work/plant.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
    sed -i "s/127.0.0.1:$collector_port/127.0.0.1:$(free_port)/" "$work/alone/agent.yaml"
    start_agent alone
    is_told() { grep -q event=no_answer "$work/alone.log"; }
    wait_for is_told || fail "no word of it in the log" || return
    [ "$(agent_count alone connection)" = no-answer ] || fail "status says $(agent_count alone connection)" || return
    stop alone || fail "the agent ended with $?" || return
    [ "$(agent_count alone connection)" = not-running ] && [ "$(agent_count alone spooled)" -ge 2 ] ||
        fail "afterwards it is $(agent_count alone connection), with $(agent_count alone spooled) samples kept"
}

a_revoked_key_is_shut_out() {
    local id before
    id=$(ledger "select key_id from key join agent using(agent_id) where resident = 'testpark/plant' order by key_id limit 1")
    run collector revoke "$id"
    [ "$status" -eq 0 ] || fail "revoke: $err" || return
    before=$(stored_samples)
    echo "2026-07,107,1.00" >>"$work/plant.csv"
    is_waiting() { [ "$(agent_count plant spooled)" -ge 2 ] 2>/dev/null; }
    wait_for is_waiting || fail "spooled=$(agent_count plant spooled)" || return
    [ "$(stored_samples)" -eq "$before" ] || fail "a revoked key stored something"
}

everything_still_runs() {
    is_running collector && is_running dashboard && is_running plant || fail "something ended by itself"
}

prepare || { echo "not ok prepare: no park"; exit 1; }
run_tests an_unknown_key_gets_nothing_in bad_rows_of_a_file_are_counted_and_good_ones_go_through \
    samples_the_collector_refuses_are_stored_and_counted what_was_refused_is_in_the_metrics \
    the_backlog_of_each_projection_is_in_the_metrics the_accounts_balance \
    a_missing_file_and_a_missing_program_are_named a_collector_that_is_not_there_is_told a_revoked_key_is_shut_out everything_still_runs
