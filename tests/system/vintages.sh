#!/usr/bin/env bash
# A few made-up releases, with figures, rows and columns that vanish, through the real programs: see vintages/replay.py.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

replay() { BUILD=$build run "$root/tests/system/vintages/replay.py" "$1"; }

every_release_can_be_asked_for_again() {
    replay "$root/tests/system/vintages/sample"
    [ "$status" -eq 0 ] || fail "$out $err" || return
    [ "$(tail -n 1 <<<"$out")" = "vintages: releases=6 series=5 points=89 revisions=72 mismatches=0" ] || fail "$out"
}

a_folder_of_another_form_is_refused() {
    mkdir -p "$work/other"
    replay "$work/other"
    [ "$status" -eq 1 ] && [[ $err == *"has no release"* ]] || fail "status $status: $err" || return
    echo "month,value" >"$work/other/2024-01.csv"
    replay "$work/other"
    [ "$status" -eq 1 ] && [[ $err == *"2024-01.csv:1: the header"* ]] || fail "status $status: $err"
}

run_tests every_release_can_be_asked_for_again a_folder_of_another_form_is_refused
