#!/usr/bin/env bash
# Targets over the real programs: gap, run-rate, forecast, planned path and lateness of a resident's target; a plan in dollars
# beside figures in tenge; a market share without its denominator; orders that are others'; and all of it as it was known before.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

check=$support/targets.py
export TARGETS_WORK=$work

add_plan() { # VALUE DUE FROM: a target of the plant's own, in the park's profile
    cp "$support/testpark.yaml" "$work/parks/testpark.yaml"
    cat >>"$work/parks/testpark.yaml" <<END
  - id: hires
    kind: target
    kpi: jobs_hq
    resident: plant
    names: {en: "Hires of the plant"}
    value: ">= $1"
    cumulative: true
    due: $2
    path: linear
    from: $3
    source: "made up for the tests"
END
}

by_hand() { # NAME PARK/RESIDENT SERIES-IN-YAML...
    local name=$1 resident=$2
    shift 2
    {
        printf '  - name: by-hand\n    kind: hand\n    class: report\n    series:\n'
        printf '      - {%s, period: month}\n' "$@"
    } | make_agent "$name" && admit "$name" "$resident"
}

report_all() { # NAME KPI: the figures that targets.py made up for it
    local month value
    while read -r month value; do
        agent "$1" report "$2" "$value" --period "$month" >/dev/null || return
    done < <("$check" figures "$2")
}

prepare() {
    make_park && cp deploy/parks/astana-hub.yaml deploy/parks/penza.yaml "$work/parks/" || return
    add_plan 1000 "$("$check" month 6)" "$("$check" month -12)"
    by_hand plant testpark/plant 'kpi: jobs_hq, unit: person' 'kpi: inv, unit: money, currency: KZT' \
        'kpi: taxes_paid, unit: money, currency: KZT' &&
        by_hand hub astana-hub/accelerator 'kpi: inv_raised, unit: money, currency: KZT' &&
        by_hand mill penza/lathe-plant 'kpi: order_intake, unit: money, currency: RUB' \
            'kpi: out_value, unit: money, currency: RUB' &&
        report_all plant jobs_hq && agent plant report taxes_paid 7 --period "$("$check" month -1)" >/dev/null && report_all hub inv_raised && report_all mill order_intake &&
        report_all mill out_value && start_collector && start_dashboard && start_agent plant && start_agent hub &&
        start_agent mill && wait_for has_acknowledged plant 13 && wait_for has_acknowledged hub 12 &&
        wait_for has_acknowledged mill 24 || fail "the figures did not arrive"
}

checked() { # WHAT ADDRESS: what the dashboard says of it is what targets.py says
    run get "$2"
    [ "$status" -eq 0 ] || fail "$2: $err" || return
    printf '%s' "$out" | "$check" "$1" >"$work/out" 2>&1 || fail "$1: $(tail -n 1 "$work/out")"
}

rates_are_in() { get 'api/v1/targets?park=astana-hub' | "$check" converted >"$work/out" 2>&1; }
has_changed() { get 'api/v1/targets?park=testpark' | "$check" changed >"$work/out" 2>&1; }

a_residents_target_has_its_gap_rate_forecast_and_plan() {
    prepare || return
    checked hires 'api/v1/targets?park=testpark' && checked hires-page 'parks/testpark?lang=en' &&
        checked hires-page 'parks/testpark/plant?lang=en'
}

its_planned_path_is_drawn() {
    run get 'graph/testpark/plant/jobs_hq.svg?bare=1'
    [[ $out == *stroke-dasharray:7* ]] || fail "no dashed line: ${out:0:200}" || return
    run get 'series/testpark/plant/jobs_hq?lang=en'
    [[ $out == *'Hires of the plant: the planned path'* ]] || fail "the page does not say what the line is"
}

without_rates_a_plan_in_dollars_is_not_comparable_with_tenge() {
    checked no-rates 'api/v1/targets?park=astana-hub' && checked no-rates-page 'parks/astana-hub?lang=en'
}

with_rates_each_month_is_converted_once_and_both_readings_are_shown() {
    before_rates=$("$check" now)
    "$check" rates || fail "no rates made" || return
    run collector rates import "$work"/rates/*.xml
    [ "$status" -eq 0 ] || fail "$out $err" || return
    wait_for rates_are_in || fail "$(tail -n 1 "$work/out")" || return
    checked converted-page 'parks/astana-hub?lang=en' &&
        checked no-rates "api/v1/targets?park=astana-hub&as_of=$before_rates"
}

orders_of_the_exchange_are_not_the_clusters_and_a_share_needs_its_denominator() {
    checked penza 'api/v1/parks/penza' && checked penza-page 'parks/penza?lang=en'
}

what_was_known_and_planned_before_a_change_can_be_asked_for() {
    local before
    before=$("$check" now)
    run agent plant report jobs_hq 500 --period "$("$check" month -1)" --revise --reason "counted anew"
    [ "$status" -eq 0 ] || fail "$err" || return
    run agent plant report inv 1000 --period "$("$check" month -1)" # a series that was not there before
    [ "$status" -eq 0 ] || fail "$err" || return
    stop dashboard && stop collector || fail "they did not end" || return
    add_plan 5000 "$("$check" month 6)" "$("$check" month -12)"
    start_collector && start_dashboard || return
    wait_for has_changed || fail "now: $(tail -n 1 "$work/out")" || return
    wait_for get 'api/v1/observations?series=testpark/plant/inv' >"$work/out" 2>&1 || fail "inv did not arrive" || return
    checked hires "api/v1/targets?park=testpark&as_of=$before" && checked hires-page "parks/testpark?lang=en&as_of=$before" &&
        checked hires-page "parks/testpark/plant?lang=en&as_of=$before" && checked changed-page 'parks/testpark?lang=en' ||
        return
    [[ $(get "parks/testpark/plant?lang=en&as_of=$before") != *'/series/testpark/plant/inv'* ]] ||
        fail "a series of today is on the page of then" || return
    [[ $(get 'parks/testpark/plant?lang=en') == *'/series/testpark/plant/inv'* ]] || fail "it is not on the page of now"
}

run_tests a_residents_target_has_its_gap_rate_forecast_and_plan its_planned_path_is_drawn \
    without_rates_a_plan_in_dollars_is_not_comparable_with_tenge \
    with_rates_each_month_is_converted_once_and_both_readings_are_shown \
    orders_of_the_exchange_are_not_the_clusters_and_a_share_needs_its_denominator \
    what_was_known_and_planned_before_a_change_can_be_asked_for
