#!/usr/bin/env bash
# A collector whose disk is full: it waits with its reason in the log, and goes on by itself when there is room.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

unmount() { # the collector first: it is on that disk
    stop collector >/dev/null
    umount "$work/collector" 2>/dev/null
}
trap 'unmount; cleanup' EXIT

small_disk() { # in front of the state folder; keeps the keys
    mkdir -p "$work/kept" && cp -p "$work/collector/"* "$work/kept/" || return
    mount -t tmpfs -o size=4m,mode=2750 none "$work/collector" 2>/dev/null || return
    cp -p "$work/kept/"* "$work/collector/"
}
fill() { dd if=/dev/zero of="$work/collector/ballast" bs=4k status=none 2>/dev/null || true; }
says_no_space() { grep -q 'state=no-space' "$work/collector.log"; }

a_start_on_a_full_disk_waits_and_goes_on_when_there_is_room() {
    fill
    start collector "$build/esep-collector" run --config "$work/collector.yaml"
    wait_for says_no_space || fail "no word of it" || return
    is_running collector || fail "it has ended: $(tail -n 1 "$work/collector.log")" || return
    [ "$(grep -c 'state=no-space' "$work/collector.log")" -le 2 ] || fail "it floods its log" || return
    rm "$work/collector/ballast"
    wait_for collector_answers_somehow || fail "it does not go on" || return
}
collector_answers_somehow() { collector status 2>/dev/null | grep -qE '^state *(running|low-space)'; }

a_stop_while_it_waits_is_obeyed() {
    stop collector || fail "it ended with $?" || return
    fill
    : >"$work/collector.log"
    start collector "$build/esep-collector" run --config "$work/collector.yaml"
    wait_for says_no_space || fail "no word of it" || return
    stop collector || fail "it ended with $?" || return
    grep -q 'event=stopping' "$work/collector.log" || fail "it was not a stop: $(tail -n 1 "$work/collector.log")"
}

make_park
if small_disk; then
    run_tests a_start_on_a_full_disk_waits_and_goes_on_when_there_is_room a_stop_while_it_waits_is_obeyed
else
    echo "skip a_start_on_a_full_disk_waits_and_goes_on_when_there_is_room: no right to mount a small disk"
fi
