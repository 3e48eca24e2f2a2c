#!/usr/bin/env bash
# Five years of a few residents' figures, added up by the real programs and in decimals by Python: see calendar/check.py.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

days_months_quarters_and_years_agree_to_the_last_digit_and_after_rebuilds() {
    local seed=${CALENDAR_SEED:-$RANDOM}
    BUILD=$build run "$root/tests/system/calendar/check.py" short "$seed"
    [ "$status" -eq 0 ] || fail "seed $seed: $out $err" || return
    [[ $(tail -n 1 <<<"$out") == "calendar: residents=5 "*" mismatches=0" ]] || fail "seed $seed: $out"
}

run_tests days_months_quarters_and_years_agree_to_the_last_digit_and_after_rebuilds
