#!/usr/bin/env bash
# The whole path with the real programs: what an enterprise produced is what is stored, drawn and answered.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

now=$(date +%s)
plant=$build/esep-demo-enterprise
profile=$support/enterprise.yaml
started=$((now - 3600)) # files hold everything up to here; the rest comes later
day_from=$(($(date -u -d "$(date -u -d "@$((started + 5 * 3600))" +%Y-%m-01) 24 months ago" +%s) / 86400)) day_to=$((now / 86400 + 1))

produced() { # SERIES FROM TO: into $work/expected
    "$plant" expect "testpark/plant/$1" --profile "$profile" --from "$2" --to "$3" >"$work/expected"
}
write_files() { # up to $1
    "$plant" history testpark/plant --profile "$profile" --dir "$work/files" --started "$started" --to "$1" --machine-hours 6
}

plant_sources() {
    "$plant" agent-config testpark/plant --profile "$profile" --dir "$work/files" --state x --endpoint x --key x \
        --gate "$work/gate" --program "$plant" | sed '1,/^sources:/d; s/every: 2s/every: 1s/'
}

prepare() {
    make_park && write_files "$started" >"$work/figures" && plant_sources | make_agent plant && admit plant testpark/plant
}

everything_arrived() { has_acknowledged plant "$(<"$work/figures")"; }

an_agent_started_before_its_collector_loses_nothing() {
    start_agent plant
    sampled_some() { [ "$(agent_count plant sampled)" -gt 0 ] 2>/dev/null; }
    wait_for sampled_some || fail "nothing was sampled without a collector" || return
    start_collector || return
    wait_for everything_arrived || fail "acknowledged $(agent_count plant acknowledged) of $(<"$work/figures")"
}

agents_and_ledger_count_the_same() {
    local sent stored
    sent=$(agent_count plant acknowledged) stored=$(stored_samples)
    [ "$sent" = "$stored" ] && [ "$sent" -eq "$(<"$work/figures")" ] && [ "$(refused_samples)" -eq 0 ] ||
        fail "sent=$sent stored=$stored made=$(<"$work/figures") refused=$(refused_samples)"
}

# same SERIES STEP DECIMALS: the API's points and the round-robin file against what was produced, in $from <= time < $to
same() {
    local file decimals=$3
    produced "$1" "$from" "$to"
    api_is_as_produced() { # on a crowded machine not at once
        run get "api/v1/query?series=testpark/plant/$1&from=$api_from&to=$api_to&format=csv"
        [ "$status" -eq 0 ] && cp "$work/out" "$work/answer" || return
        run /usr/bin/python3 "$support/compare.py" points "$work/expected" "$work/answer"
        [ "$status" -eq 0 ]
    }
    wait_for api_is_as_produced "$1" || fail "$1 in the API: $err" || return
    file=$(collector query "testpark/plant/$1" --file) || fail "$1: no file" || return
    file_is_as_produced() { # the API does not wait for it, nor ask for it
        run /usr/bin/python3 "$support/compare.py" rrd "$work/expected" "$file" "$1" "$2"
        [ "$status" -eq 0 ]
    }
    wait_for file_is_as_produced "$2" "$decimals" || fail "$1 in $file: $err"
}

machine_figures_are_exact_in_api_and_file() {
    from=$((started - 5 * 3600)) to=$((started - started % 10)) api_from=$((from - 1)) api_to=$((to - 1))
    start_dashboard && same out_units/pumps 10 0 && same energy_kwh 10 0
}

reports_are_exact_in_api_and_file() {
    from=$day_from to=$(((started + 5 * 3600) / 86400)) api_from=$((day_from * 86400)) api_to=$((day_to * 86400))
    same jobs_total 86400 0 && same out_value 86400 2
}

monthly_reports_come_back_to_the_minor_unit() {
    local series
    for series in inv occupancy; do
        produced $series "$day_from" $(((started + 5 * 3600) / 86400 - 31))
        run get "api/v1/observations?series=testpark/plant/$series&format=csv"
        [ "$status" -eq 0 ] || fail "$series: the API answered: $err" || return
        cp "$work/out" "$work/answer"
        run /usr/bin/python3 "$support/compare.py" points "$work/expected" "$work/answer"
        [ "$status" -eq 0 ] || fail "$series: $err" || return
    done
}

appended_rows_and_live_figures_follow_without_a_seam() {
    local more try
    for try in 1 2 3 4 5; do # the gate must be open before the next step ends
        [ $(($(date +%s) % 10)) -lt 7 ] || sleep 3
        now=$(date +%s)
        more=$(write_files "$now")
        echo $((now / 10 * 10 + 10)) >"$work/gate"
        echo $(($(<"$work/figures") + more)) >"$work/figures"
        [ "$(date +%s)" -ge $((now / 10 * 10 + 9)) ] || break
    done
    [ "$try" -lt 5 ] || fail "this machine takes more than some seconds to write two files" || return
    arrived_live() { has_acknowledged plant $(($(<"$work/figures") + 2)); }
    wait_for arrived_live || fail "acknowledged $(agent_count plant acknowledged) of $(<"$work/figures") and live ones" || return
    from=$((started - 600)) to=$((now / 10 * 10 + 20)) api_from=$((from - 1)) api_to=$((to - 1))
    same out_units/pumps 10 0 || return # two live figures may be of a try before: the gate stays open for this one
    rm "$work/gate"
}

a_new_row_is_on_the_page_within_two_seconds() {
    local file=$work/office.csv
    echo "month,staff" >"$file"
    make_agent office <<END || return
  - name: monthly
    kind: csv
    path: $file
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
    admit office testpark/office && start_agent office
    echo "2026-01,201" >>"$file"
    is_visible() { get "api/v1/observations?series=testpark/office/jobs_total&format=csv" 2>/dev/null | grep -q "$last"; }
    last=201 && wait_for is_visible || fail "the first row never came" || return
    # The source looks once a second; the path has the rest of the two.
    last=202 wait_s=2
    echo "2026-02,202" >>"$file"
    wait_for is_visible || fail "202 was not in the API after 2 s" || return
    wait_s=30
    run curl -fsS -o "$work/graph.png" -w '%{content_type}' "$(dashboard_url graph/testpark/office/jobs_total.png)"
    [ "$out" = image/png ] && [ "$(head -c 4 "$work/graph.png" | tail -c 3)" = PNG ] || fail "no graph: $out $err"
}

a_restarted_collector_has_everything_and_goes_on() {
    local before
    before=$(stored_samples)
    stop collector || fail "the collector ended with $?" || return
    echo "2026-03,203" >>"$work/office.csv"
    start_collector || return
    last=203 && wait_for is_visible || fail "what came after the restart is not there" || return
    [ "$(stored_samples)" -gt "$before" ] || fail "$(stored_samples) samples after $before" || return
    from=$((started - 5 * 3600)) to=$((started - started % 10)) api_from=$((from - 1)) api_to=$((to - 1))
    same out_units/pumps 10 0
}

everything_ends_when_asked() {
    local name
    for name in plant office dashboard collector; do
        stop $name || fail "$name ended with $?" || return
    done
    run collector verify
    [ "$status" -eq 0 ] || fail "verify: $out $err"
}

prepare || { echo "not ok prepare: no park"; exit 1; }
run_tests an_agent_started_before_its_collector_loses_nothing agents_and_ledger_count_the_same \
    machine_figures_are_exact_in_api_and_file reports_are_exact_in_api_and_file \
    monthly_reports_come_back_to_the_minor_unit appended_rows_and_live_figures_follow_without_a_seam \
    a_new_row_is_on_the_page_within_two_seconds a_restarted_collector_has_everything_and_goes_on everything_ends_when_asked
