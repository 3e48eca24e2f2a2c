#!/usr/bin/env bash
# The load generator of `make bench`, pointed at a running collector: what it says was acknowledged is what the ledger holds.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

load() { # OPTIONS...: into $out, $err, $status
    run timeout 60 "$build/load" --state "$work/collector" --endpoint "tcp://127.0.0.1:$collector_port" --park testpark "$@"
}
said() { json "$1" <<<"$out"; } # FIELD

help_and_wrong_usage_are_answered() {
    run "$build/load" --help
    [ "$status" -eq 0 ] && [[ $out = *--endpoint* ]] || fail "--help: $status" || return
    run "$build/load" --agents 5
    [ "$status" -eq 2 ] && [[ $err = *--state* ]] || fail "without a state: $status $err" || return
    run "$build/load" --state "$work/collector" --endpoint tcp://127.0.0.1:1 --agents many
    [ "$status" -eq 2 ] && [[ $err = *many* ]] || fail "a wrong number: $status $err"
}

without_a_collector_it_says_so() {
    make_park && load --seconds 0.5
    [ "$status" -eq 1 ] && [[ $err = *collector* ]] || fail "$status $err"
}

everything_acknowledged_is_in_the_ledger() {
    start_collector && load --agents 3 --series 4 --samples 100 --rate 6000 --seconds 1
    [ "$status" -eq 0 ] || fail "$status $err $out" || return
    [ "$(said samples)" -gt 0 ] && [ "$(said unacknowledged)/$(said refused)/$(said lost)/$(said doubled)/$(said differs)" = 0/0/0/0/0 ] ||
        fail "$out" || return
    [ "$(stored_samples)" -eq "$(said samples)" ] && [ "$(said stored)" -eq "$(said samples)" ] || fail "$(stored_samples) stored: $out"
}

in_turns_it_waits_for_its_word() {
    local before stored
    before=$(stored_samples)
    printf 'go 0.5 2000\ngo 0.5 1000\n' | timeout 60 "$build/load" --state "$work/collector" --endpoint "tcp://127.0.0.1:$collector_port" \
        --park testpark --name turns --agents 2 --series 60 --samples 50 --reason 20 --prime >"$work/turns" 2>"$work/turns.err" ||
        fail "$? $(<"$work/turns.err") $(<"$work/turns")" || return
    [ "$(grep -c '^primed$' "$work/turns.err")/$(grep -c '^acknowledged$' "$work/turns.err")" = 1/2 ] || fail "$(<"$work/turns.err")" || return
    out=$(<"$work/turns") stored=$(($(stored_samples) - before))
    [ "$stored" -eq "$(said stored)" ] && [ "$stored" -eq $(($(said samples) + 200)) ] || fail "$stored stored: $out"
}

what_is_not_acknowledged_is_not_called_good() {
    start load timeout 60 "$build/load" --state "$work/collector" --endpoint "tcp://127.0.0.1:$collector_port" --park testpark --name alone --agents 1 --series 1 \
        --samples 10 --rate 500 --seconds 3 --patience 1 --no-ledger
    arriving() { [ "$(collector status --json 2>/dev/null | json position)" -gt "$position" ] 2>/dev/null; }
    local position
    position=$(collector status --json | json position)
    wait_for arriving || fail "nothing arrives" || return
    stop collector || fail "the collector ended with $?" || return
    wait_for has_ended load || fail "it does not end" || return
    wait "${pid[load]}" 2>/dev/null && fail "it says all is good: $(<"$work/load.log")" && return 1
    grep -q '"unacknowledged": [1-9]' "$work/load.log" || fail "$(<"$work/load.log")"
}

run_tests help_and_wrong_usage_are_answered without_a_collector_it_says_so everything_acknowledged_is_in_the_ledger \
    in_turns_it_waits_for_its_word what_is_not_acknowledged_is_not_called_good
