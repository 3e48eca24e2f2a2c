#!/usr/bin/env bash
# The demo, small: two residents and an hour of history. The whole one is run by .ci/run.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

port=$(free_port)
demo() { # SECONDS [NAME=VALUE...]
    local seconds=$1
    shift
    run env BUILD="$build" DEMO_STATE="$work/demo" DEMO_PORT="$port" DEMO_COLLECTOR_PORT="$(free_port)" DEMO_HOURS=1 \
        DEMO_SECONDS="$seconds" DEMO_RESIDENTS='^(penza/rosstat|yashnabad/fridge-plant)$' "$@" "$root/deploy/demo/run.sh"
}
left_over() { # processes that name this demo's state
    local file
    for file in /proc/[0-9]*/cmdline; do
        [[ $({ tr '\0' ' ' <"$file"; } 2>/dev/null) != *"$work/demo/"* ]] || return 0
    done
    return 1
}

it_ends_by_itself_with_every_sample_accounted_for() {
    demo 12
    [ "$status" -eq 0 ] || fail "exit $status: $out $err" || return
    [[ ${out##*$'\n'} =~ ^demo:\ parks=2\ residents=2\ series=([0-9]+)\ sent=([0-9]+)\ stored=([0-9]+)\ lost=0\ graphs=([0-9]+)$ ]] ||
        fail "last line: ${out##*$'\n'}" || return
    series=${BASH_REMATCH[1]} sent=${BASH_REMATCH[2]}
    [ "$sent" -eq "${BASH_REMATCH[3]}" ] && [ "$sent" -gt 3000 ] || fail "sent=$sent stored=${BASH_REMATCH[3]}" || return
    [ "$series" -eq 13 ] && [ "${BASH_REMATCH[4]}" -eq "$series" ] || fail "series=$series graphs=${BASH_REMATCH[4]}" || return
    ! left_over || fail "a process is left"
}

published_figures_are_stored_as_published() {
    local column name expected
    make_park
    sed -e "s|^state:.*|state: $work/demo/collector|" -e "s|^parks:.*|parks: $root/deploy/parks|" -i "$work/dashboard.yaml"
    start_dashboard || return
    while read -r column name; do
        expected=$(awk -F, -v c="$column" 'NR > 1 && $c != "" { print $1, $c + 0 }' "$root/deploy/demo/rosstat.csv")
        run get "api/v1/observations?series=penza/rosstat/kep/$name&format=csv"
        [ "$(awk -F, '$1 ~ /^[0-9]/ { print $1, $2 + 0 }' "$work/out" | head -400)" = "$expected" ] || fail "$name: $(head -3 "$work/out")" || return
    done <<END
2 indpro_yoy
3 investment_bln_rub
4 unempl_mln
5 wage_nominal_rub
END
    stop dashboard
}

a_second_run_goes_on_from_the_kept_state() {
    demo 20
    [ "$status" -eq 0 ] && [[ ${out##*$'\n'} =~ sent=([0-9]+)\ stored=([0-9]+)\ lost=0 ]] || fail "exit $status: $out $err" || return
    [ "${BASH_REMATCH[1]}" -gt "$sent" ] || fail "sent ${BASH_REMATCH[1]} after $sent"
}

an_interrupt_ends_it_cleanly() {
    start demo env BUILD="$build" DEMO_STATE="$work/demo" DEMO_PORT="$port" DEMO_COLLECTOR_PORT="$(free_port)" \
        DEMO_RESIDENTS='^penza/rosstat$' "$root/deploy/demo/run.sh"
    is_up() { curl -fsS -o /dev/null "http://127.0.0.1:$port/healthz" 2>/dev/null; }
    wait_for is_up || fail "the demo did not come up: $(<"$work/demo.log")" || return
    stop demo TERM || fail "exit $?: $(<"$work/demo.log")" || return
    ! left_over || fail "a process is left"
}

a_killed_demo_leaves_no_process() {
    start demo env BUILD="$build" DEMO_STATE="$work/demo" DEMO_PORT="$port" DEMO_COLLECTOR_PORT="$(free_port)" \
        DEMO_RESIDENTS='^penza/rosstat$' "$root/deploy/demo/run.sh"
    wait_for is_up || fail "the demo did not come up: $(<"$work/demo.log")" || return
    left_over || fail "its processes cannot be told from others" || return
    stop demo KILL
    gone() { ! left_over; }
    wait_for gone || fail "a process is left"
}

a_port_in_use_is_one_clear_line() {
    start server /usr/bin/python3 -m http.server --bind 127.0.0.1 "$port"
    taken() { port_taken "$port"; }
    wait_for taken
    demo 5
    [ "$status" -eq 2 ] && [[ $err == *"port $port"*DEMO_PORT* ]] && [ "$(wc -l <"$work/err")" -eq 1 ] || fail "exit $status: $err" || return
    stop server
    return 0
}

clean_forgets_the_state() {
    is_cleaned() { # a command of the killed demo may hold the lock a moment longer
        run env DEMO_STATE="$work/demo" "$root/deploy/demo/clean.sh"
        [ "$status" -eq 0 ]
    }
    wait_for is_cleaned || fail "exit $status: $err" || return
    [ ! -e "$work/demo" ] || fail "the state is still there" || return
    mkdir "$work/precious"
    run env DEMO_STATE="$work/precious" "$root/deploy/demo/clean.sh"
    [ "$status" -eq 1 ] && [ -d "$work/precious" ] || fail "it removed a folder that is not its own"
}

run_tests it_ends_by_itself_with_every_sample_accounted_for published_figures_are_stored_as_published \
    a_second_run_goes_on_from_the_kept_state an_interrupt_ends_it_cleanly a_killed_demo_leaves_no_process \
    a_port_in_use_is_one_clear_line clean_forgets_the_state
