#!/usr/bin/env bash
# What a person gets wrong: usage, configuration, files that are not there, ports in use. Each is told in one line that names
# the place, with exit code 2 (1 for what is only so on this machine now).
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

programs=(esep-agent esep-collector esep-dashboard esep-check esep-demo-enterprise)

every_program_and_command_has_help() {
    local program command
    for program in "${programs[@]}"; do
        run "$build/$program" --help
        [ "$status" -eq 0 ] && [ ${#out} -gt 100 ] && [ -z "$err" ] || fail "$program --help: exit $status" || return
    done
    while read -r program command; do
        run "$build/$program" "$command" --help
        [ "$status" -eq 0 ] && [ ${#out} -gt 60 ] || fail "$program $command --help: exit $status" || return
    done <<END
esep-agent run
esep-agent check
esep-agent keygen
esep-agent sources
esep-agent status
esep-collector run
esep-collector check
esep-collector keygen
esep-collector admit
esep-collector agents
esep-collector revoke
esep-collector status
esep-collector query
esep-collector rebuild
esep-collector verify
esep-dashboard run
esep-dashboard check
END
}

# Of every command, what --help says, each option that its first line names has a line of its own.
every_option_of_a_collectors_command_is_explained() {
    local command option seen=0
    while read -r command; do
        run "$build/esep-collector" "$command" --help
        [ "$status" -eq 0 ] || fail "$command --help: exit $status" || return
        while read -r option; do
            grep -q "^  $option  *[^ ]" <<<"$out" || fail "$command --help does not explain $option: $out" || return
            seen=$((seen + 1))
        done < <(head -n 1 <<<"$out" | grep -o -- '--[a-z]*' | sort -u)
    done < <("$build/esep-collector" --help | sed -nE '3,/^$/s/^  ([a-z]+) .*/\1/p')
    [ "$seen" -gt 40 ] || fail "only $seen options were looked at"
}

# A slip in `state:` is told, and no ledger is made where it leads; a negative VALUE is a value, wherever it stands.
nothing_but_keygen_and_run_makes_a_state_folder() {
    local command line
    server_config endpoint tcp://127.0.0.1:5670 | sed "s|^state:.*|state: $work/slip/state|" >"$work/slip.yaml"
    while read -r command line; do
        # shellcheck disable=SC2086  # words on purpose
        run "$build/esep-collector" $command --config "$work/slip.yaml" $line
        [ "$status" -eq 1 ] && [[ $err == *"$work/slip/state does not exist"* ]] || fail "$command $line: $status, $err" || return
        [ ! -e "$work/slip" ] || fail "$command $line has made $work/slip" || return
    done <<END
rates import $root/tests/fuzz/corpus/feed_xml/nbrk-day.xml
rates confirm kz 2026-03-14
rates
report testpark/plant/inv -5 --period 2026-03
report --period 2026-03 testpark/plant/inv -- -5
close testpark --period 2025 --reason x
closures
quarantine
quarantine release 1
query testpark/plant/inv
verify
audit
rebuild
status
agents
invites
invite testpark/plant
withdraw 1
revoke 1
move testpark/plant/inv 1
keygen --promote
clock --confirm
END
    run "$build/esep-collector" report testpark/plant/inv --period 2026-03 -5 -6
    [ "$status" -eq 2 ] && [[ $err == *"too much: -6"* ]] || fail "$status, $err"
}

wrong_usage_is_2_and_says_so() {
    local line
    while read -r line; do
        # shellcheck disable=SC2086  # words on purpose
        run "$build"/$line
        [ "$status" -eq 2 ] && [ -n "$err" ] || fail "$line: exit $status, '$err'" || return
    done <<END
esep-agent
esep-agent fly
esep-agent run --colour
esep-collector
esep-collector fly
esep-collector admit one
esep-dashboard
esep-dashboard fly
esep-demo-enterprise
esep-demo-enterprise fly
END
}

# broken PROGRAM FILE LINE TEXT: `PROGRAM check` must refuse FILE, name FILE:LINE: and say TEXT
broken() {
    run "$build/$1" check --config "$2"
    [ "$status" -eq 2 ] && [[ $err =~ ${2##*/}:$3:[0-9]+:\  ]] && [[ $err == *"$4"* ]] ||
        fail "$1 check: exit $status, wanted $2:$3:column: …$4…, got: $err"
}

agent_config() {
    cat <<END
collector:
  endpoint: tcp://127.0.0.1:5670
  key: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
state: $work/agent-state
sources:
  - name: monthly
    kind: csv
    path: $work/monthly.csv
    every: 60s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
}

a_broken_agent_config_is_named_by_line() {
    local file=$work/agent.yaml
    agent_config >"$file"
    run "$build/esep-agent" check --config "$file"
    [ "$status" -eq 0 ] || fail "a good one: exit $status, $err" || return
    agent_config | sed 's/every: 60s/evry: 60s/' >"$file" && broken esep-agent "$file" 9 evry || return
    agent_config | sed 's/every: 60s/every: soon/' >"$file" && broken esep-agent "$file" 9 every || return
    agent_config | sed 's/kind: csv/kind: oracle/' >"$file" && broken esep-agent "$file" 7 oracle || return
    agent_config | sed 's/key: ".*/key: "short"/' >"$file" && broken esep-agent "$file" 3 key || return
    agent_config | sed 's/period: month/period: moon/' >"$file" && broken esep-agent "$file" 13 moon || return
    agent_config | sed 's/^sources:/sources: [/' >"$file" && broken esep-agent "$file" '[0-9]+' ''
}

two_sources() { # CLASS SECOND FIRST: two sources give one series, each with its terms
    agent_config | sed "s/class: report/class: $1/; s/period: month/$3/"
    cat <<END
  - name: again
    kind: csv
    path: $work/again.csv
    every: 60s
    class: $1
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, $2}
END
}

two_sources_may_measure_one_series_but_not_report_it() {
    local file=$work/agent.yaml
    two_sources measurement 'step: 10s' 'step: 10s' >"$file"
    run "$build/esep-agent" check --config "$file"
    [ "$status" -eq 0 ] || fail "measured twice: exit $status, $err" || return
    two_sources measurement 'step: 1m' 'step: 10s' >"$file" && broken esep-agent "$file" 21 jobs_total || return
    two_sources report 'period: month' 'period: month' >"$file" && broken esep-agent "$file" 21 jobs_total
}

server_config() {
    printf '%s: %s\nstate: %s\ncatalogue: %s\nparks: %s\n' "$1" "$2" "$work/state" "$root/deploy/catalogue.yaml" "$root/deploy/parks"
}

a_broken_collector_config_is_named_by_line() {
    local file=$work/collector.yaml
    server_config endpoint tcp://127.0.0.1:5670 >"$file"
    run "$build/esep-collector" check --config "$file"
    [ "$status" -eq 0 ] || fail "a good one: exit $status, $err" || return
    { cat "$file" && echo "budget: lots"; } >"$work/c2.yaml" && broken esep-collector "$work/c2.yaml" 5 budget || return
    { cat "$file" && echo "bugdet: 1MiB"; } >"$work/c2.yaml" && broken esep-collector "$work/c2.yaml" 5 bugdet || return
    server_config endpoint udp://nowhere >"$work/c2.yaml" && broken esep-collector "$work/c2.yaml" 1 endpoint
}

a_broken_dashboard_config_is_named_by_line() {
    local file=$work/dashboard.yaml
    server_config listen 127.0.0.1:8080 >"$file"
    run "$build/esep-dashboard" check --config "$file"
    [ "$status" -eq 0 ] || fail "a good one: exit $status, $err" || return
    server_config listen everywhere >"$work/d2.yaml" && broken esep-dashboard "$work/d2.yaml" 1 listen || return
    { cat "$file" && echo "workers: many"; } >"$work/d2.yaml" && broken esep-dashboard "$work/d2.yaml" 5 workers
}

a_broken_park_or_catalogue_is_named_by_line() {
    local line
    mkdir -p "$work/parks"
    sed 's/kpi: jobs_total/kpi: jobs_totl/' "$support/testpark.yaml" >"$work/parks/testpark.yaml"
    line=$(grep -n jobs_totl "$work/parks/testpark.yaml" | cut -d: -f1)
    server_config endpoint tcp://127.0.0.1:5670 | sed "s|^parks:.*|parks: $work/parks|" >"$work/collector.yaml"
    run "$build/esep-collector" check --config "$work/collector.yaml"
    [ "$status" -eq 2 ] && [[ $err == *testpark.yaml:$line:* ]] || fail "park: exit $status, $err" || return
    sed 's/kind: flow/kind: fllow/' "$root/deploy/catalogue.yaml" >"$work/catalogue.yaml"
    line=$(grep -n -m1 fllow "$work/catalogue.yaml" | cut -d: -f1)
    server_config endpoint tcp://127.0.0.1:5670 | sed "s|^catalogue:.*|catalogue: $work/catalogue.yaml|" >"$work/collector.yaml"
    run "$build/esep-collector" check --config "$work/collector.yaml"
    [ "$status" -eq 2 ] && [[ $err == *catalogue.yaml:$line:* ]] || fail "catalogue: exit $status, $err"
}

a_missing_file_is_named() {
    local program
    for program in esep-agent esep-collector esep-dashboard; do
        run "$build/$program" check --config "$work/nothing-here.yaml"
        [ "$status" -eq 2 ] && [[ $err == *nothing-here.yaml* ]] || fail "$program: exit $status, $err" || return
    done
    server_config endpoint tcp://127.0.0.1:5670 | sed "s|^parks:.*|parks: $work/no-parks|" >"$work/collector.yaml"
    run "$build/esep-collector" check --config "$work/collector.yaml"
    [ "$status" -eq 2 ] && [[ $err == *no-parks* ]] || fail "parks: exit $status, $err" || return
    run "$build/esep-demo-enterprise" residents --profile "$work/nothing-here.yaml"
    [ "$status" -eq 2 ] && [[ $err == *nothing-here.yaml* ]] || fail "demo: exit $status, $err"
}

every_example_is_accepted() {
    local file program seen=0
    for file in agent/*.example.yaml collector/*.example.yaml dashboards/*.example.yaml; do
        [ -f "$file" ] || continue
        program=esep-${file##*/} program=${program%%.*}
        sed -E "s#^(catalogue|parks): .*/#\1: $root/deploy/#" "$file" >"$work/example.yaml" # as if it were installed
        run "$build/$program" check --config "$work/example.yaml"
        [ "$status" -eq 0 ] || fail "$file: exit $status, $err" || return
        seen=$((seen + 1))
    done
    [ $seen -ge 3 ] || fail "only $seen examples"
}

a_port_in_use_is_told() {
    make_park && start_collector && start_dashboard || return
    sed -e "s|^state:.*|state: $work/other|" "$work/collector.yaml" >"$work/other.yaml"
    "$build/esep-collector" keygen --config "$work/other.yaml" >/dev/null
    run timeout 10 "$build/esep-collector" run --config "$work/other.yaml"
    [ "$status" -eq 1 ] && [[ $err == *"$collector_port"* ]] || fail "collector: exit $status, $err" || return
    run timeout 10 "$build/esep-dashboard" run --config "$work/dashboard.yaml"
    [ "$status" -eq 1 ] && [[ $err == *"$dashboard_port"* ]] || fail "dashboard: exit $status, $err"
}

a_second_collector_on_one_state_is_refused() {
    sed -e "s|^endpoint:.*|endpoint: tcp://127.0.0.1:$(free_port)|" "$work/collector.yaml" >"$work/same.yaml"
    run timeout 10 "$build/esep-collector" run --config "$work/same.yaml"
    [ "$status" -eq 1 ] && [[ $err == *"${pid[collector]}"* ]] || fail "exit $status, $err"
}

run_tests every_program_and_command_has_help every_option_of_a_collectors_command_is_explained \
    nothing_but_keygen_and_run_makes_a_state_folder wrong_usage_is_2_and_says_so a_broken_agent_config_is_named_by_line \
    two_sources_may_measure_one_series_but_not_report_it \
    a_broken_collector_config_is_named_by_line a_broken_dashboard_config_is_named_by_line \
    a_broken_park_or_catalogue_is_named_by_line a_missing_file_is_named every_example_is_accepted a_port_in_use_is_told \
    a_second_collector_on_one_state_is_refused
