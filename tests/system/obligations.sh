#!/usr/bin/env bash
# What a resident owes, with the real programs: the agent is told and shows it, reporting makes it done, what came late counts
# as late, and who is told nothing owes nothing.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

# The periods that ended last, in the park's zone.
local_day() { TZ=Asia/Almaty date -d "$1" "$2"; }
month=$(local_day "$(local_day now +%Y-%m-01) -1 day" +%Y-%m)
year=$(($(local_day now +%Y) - 1))

rules() { # one that cannot be late yet, one that is late since the year ended
    cat <<END
obligations:
  - {kpi: jobs_total, residents: [office], period: month, due: {days: 3660}, from: $month}
  - {kpi: inv, residents: [office], period: year, due: {days: 0}, from: $year}
END
}

prepare() {
    make_park && rules >>"$work/parks/testpark.yaml" && collector check >/dev/null && make_agent office <<END && admit office testpark/office
  - name: by-hand
    kind: hand
    class: report
    series:
      - {kpi: jobs_total, unit: person, period: month}
      - {kpi: inv, unit: money, currency: KZT, period: year}
END
}

owed() { agent_count office "obligations.$1"; } # FIELD
is_owed() { [ "$(owed late)/$(owed open)" = "$1" ]; } # LATE/OPEN
status_says() { agent office status 2>/dev/null | grep -qE "$1"; }
obligation() { get "api/v1/obligations?park=testpark&resident=office&period=$1" | json "$2" 2>/dev/null; } # PERIOD FIELD

the_agent_is_told_what_it_owes_the_overdue_first() {
    start_collector && start_dashboard && start_agent office || return
    wait_for is_owed 1/1 || fail "owes late/open: $(owed late)/$(owed open)" || return
    [ "$(owed owed.0.series) $(owed owed.0.period) $(owed owed.0.state)" = "inv $year late" ] || fail "$(owed owed)" || return
    [ "$(owed owed.0.due)" = "$year-12-31" ] || fail "due: $(owed owed.0.due)" || return
    [ "$(owed owed.1.series) $(owed owed.1.period) $(owed owed.1.state)" = "jobs_total $month open" ] || fail "$(owed owed)" || return
    status_says "^owes +1 reports late, 1 open" && status_says "^ +late +inv for $year, due $year-12-31\$" ||
        fail "$(agent office status)"
}

a_report_that_arrives_makes_it_done_and_the_agent_is_told() {
    agent office report jobs_total 57 --period "$month" >/dev/null || return
    wait_for is_owed 1/0 || fail "owes late/open: $(owed late)/$(owed open)" || return
    [ "$(owed owed.1.series) $(owed owed.1.state)" = "jobs_total done" ] || fail "$(owed owed)" || return
    [ "$(obligation "$month" obligations.0.state)" = "done" ] || fail "$(obligation "$month" obligations)" || return
    [ "$(obligation "$month" summary.0.completeness)" = 100 ] || fail "$(obligation "$month" summary)"
}

one_that_comes_late_is_done_and_counts_as_late() {
    [ "$(obligation "$year" obligations.0.state)" = late ] || fail "$(obligation "$year" obligations)" || return
    before=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    sleep 1.1 # the moment asked for below lies before the report, to the second
    agent office report inv 12.50 --period "$year" >/dev/null || return
    wait_for is_owed 0/0 || fail "owes late/open: $(owed late)/$(owed open)" || return
    status_says "^owes +nothing" || fail "$(agent office status)" || return
    [ "$(obligation "$year" obligations.0.state)" = "done" ] || fail "$(obligation "$year" obligations)" || return
    [ "$(obligation "$year" obligations.0.late_by_s)" -gt 86400 ] || fail "$(obligation "$year" obligations)" || return
    [ "$(obligation "$year" summary.0.due) $(obligation "$year" summary.0.in_time)" = "1 0" ] || fail "$(obligation "$year" summary)" || return
    [ "$(obligation "$year" summary.0.punctuality)" = 0 ] || fail "$(obligation "$year" summary)"
}

what_was_owed_at_a_moment_can_be_asked_for() {
    [ "$(obligation "$year&as_of=$before" obligations.0.state)" = late ] || fail "$(obligation "$year&as_of=$before" obligations)"
}

the_pages_show_it() {
    get parks/testpark | grep -q 'id="obligations"' || fail "not on the park's page" || return
    get parks/testpark/office | grep -q 'badge owed-done' || fail "not on the resident's page"
}

a_missing_answer_is_no_report() {
    agent office report jobs_total - --period "$month" --revise --reason "counted twice" >/dev/null || return
    wait_for is_owed 0/1 || fail "owes late/open: $(owed late)/$(owed open)" || return
    status_says "^ +open +jobs_total for $month, .*; reported as missing\$" || fail "$(agent office status)"
}

other_rules_are_told_after_the_collectors_next_start() {
    stop collector || return
    cp "$support/testpark.yaml" "$work/parks/" # no rules
    start_collector || return
    wait_for is_owed 0/0 || fail "owes late/open: $(owed late)/$(owed open)" || return
    [ "$(owed owed)" = "[]" ] || fail "$(owed owed)" || return
    # what was owed before is still known
    wait_for dashboard_answers && [ "$(obligation "$year&as_of=$before" obligations.0.state)" = late ] ||
        fail "$(obligation "$year&as_of=$before" obligations)"
}

all_ends_well() {
    stop office && stop dashboard && stop collector
}

prepare || {
    echo "not ok prepare: $why"
    exit 1
}
run_tests the_agent_is_told_what_it_owes_the_overdue_first a_report_that_arrives_makes_it_done_and_the_agent_is_told \
    one_that_comes_late_is_done_and_counts_as_late what_was_owed_at_a_moment_can_be_asked_for the_pages_show_it \
    a_missing_answer_is_no_report other_rules_are_told_after_the_collectors_next_start all_ends_well
