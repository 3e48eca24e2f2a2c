#!/usr/bin/env bash
# esep-check, in the way of Nagios plugins: each of its four exit codes for the right reason.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

series=testpark/office/jobs_total

prepare() {
    make_park && start_collector && start_dashboard || return
    printf 'month,staff\n%s,140\n%s,150\n' "$(date -u -d "$(date -u +%Y-%m-01) -1 day" +%Y-%m)" \
        "$(date -u +%Y-%m)" >"$work/office.csv"
    make_agent office <<END || return
  - name: monthly
    kind: csv
    path: $work/office.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
    admit office testpark/office && start_agent office
    is_in() { get "api/v1/observations?series=$series&format=csv" 2>/dev/null | grep -q 150; }
    wait_for is_in
}

esep_check() { run "$build/esep-check" "$@" --url "http://127.0.0.1:$dashboard_port"; }

# answers CODE WORD ARGUMENTS...: one line that begins with the word, performance data after |
answers() {
    local code=$1 word=$2
    shift 2
    esep_check "$@"
    [ "$status" -eq "$code" ] && [[ $out == *$word* ]] && [ "$(wc -l <"$work/out")" -eq 1 ] ||
        fail "$*: exit $status, wanted $code $word: $out $err"
}

inside_both_ranges_is_ok() {
    answers 0 OK $series -w 100: -c 50: && [[ $out == *'|'*150* ]] || fail "no performance data: $out"
}
a_total_is_judged_by_its_period() { # the newest that is over; as a measurement it would be stale after a minute
    answers 0 OK testpark/all/jobs_total -w 100: -c 50: && [[ $out == *'= 140 person'* ]] || fail "$out" || return
    answers 2 CRITICAL testpark/all/jobs_total -c 145:
}
outside_the_warning_range_is_warning() { answers 1 WARNING $series -w 160: -c 50:; }
outside_the_critical_range_is_critical() { answers 2 CRITICAL $series -w 180: -c 160:; }
upper_ends_and_inverted_ranges_are_understood() {
    answers 2 CRITICAL $series -w 100 -c 149 && answers 0 OK $series -w 150 -c 151 && answers 1 WARNING $series -w @100:200 -c 500
}
an_unknown_series_is_unknown() { answers 3 UNKNOWN testpark/office/vacancies -w 1: -c 1:; }
no_ranges_or_nonsense_is_unknown() {
    esep_check $series -w banana -c 1:
    [ "$status" -eq 3 ] || fail "a banana: exit $status, $out $err" || return
    esep_check not-a-series -w 1: -c 1:
    [ "$status" -eq 3 ] || fail "not a series: exit $status, $out $err"
}
a_stale_figure_is_unknown() {
    printf 'month,hired\n2020-01,3\n' >"$work/old.csv"
    make_agent old <<END || return
  - name: monthly
    kind: csv
    path: $work/old.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: hired, kpi: jobs_created, unit: person, period: month}
END
    admit old testpark/plant && start_agent old
    is_old_in() { get "api/v1/observations?series=testpark/plant/jobs_created&format=csv" 2>/dev/null | grep -q 3; }
    wait_for is_old_in || fail "the old figure did not arrive" || return
    answers 3 UNKNOWN testpark/plant/jobs_created -w 1: -c 1:
}
no_dashboard_is_unknown() {
    stop dashboard || fail "the dashboard ended with $?" || return
    answers 3 UNKNOWN $series -w 100: -c 50:
}

prepare || { echo "not ok prepare: no figure arrived"; exit 1; }
run_tests inside_both_ranges_is_ok a_total_is_judged_by_its_period outside_the_warning_range_is_warning outside_the_critical_range_is_critical \
    upper_ends_and_inverted_ranges_are_understood an_unknown_series_is_unknown no_ranges_or_nonsense_is_unknown \
    a_stale_figure_is_unknown no_dashboard_is_unknown
