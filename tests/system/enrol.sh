#!/usr/bin/env bash
# Who gets in and who is put out: invitations, the newcomer's two commands, revocation and rotation under load.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

counted() { collector status --json | json "counters.$1"; }
invite() { collector invite "$@" 2>"$work/invite.err"; }
enrol() { # NAME TOKEN ARGUMENTS...: its configuration and state in $work/NAME
    local name=$1 token=$2
    shift 2
    run "$build/esep-agent" enrol "$token" --config "$work/$name/agent.yaml" --state "$work/$name/state" "$@"
}
forge() { # TOKEN: with another secret and a checksum that fits
    python3 - "$1" <<'END'
import base64, hashlib, sys
text = sys.argv[1][6:]
whole = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))[:-4]
whole[40] ^= 1
check = hashlib.blake2b(len(whole).to_bytes(8, "little") + whole, digest_size=32).digest()[:4]
print("esep1-" + base64.urlsafe_b64encode(whole + check).decode().rstrip("="))
END
}

two_commands_lead_from_an_invitation_to_a_figure_on_the_page() {
    local token
    token=$(invite testpark/office) || fail "invite: $(<"$work/invite.err")" || return
    "$build/esep-agent" enrol --config "$work/office/agent.yaml" --state "$work/office/state" --run \
        < <(echo "$token") >"$work/office.log" 2>&1 &
    pid[office]=$!
    enrolled() { grep -q '^enrolled as testpark/office' "$work/office.log"; }
    wait_for enrolled || fail "it did not enrol" || return
    [ "$(stat -c %a "$work/office/state/agent.key")" = 600 ] || fail "the key's mode" || return
    echo "2026-01,57" >>"$work/office/state/figures.csv"
    is_on_the_page() { get "api/v1/observations?series=testpark/office/jobs_total&format=csv" 2>/dev/null | grep -q 57; }
    wait_for is_on_the_page || fail "the figure is not there" || return
    agent office check >/dev/null || fail "check does not accept what enrol wrote"
}

agents_lists_who_it_is_and_how_it_is() {
    local line
    line=$(collector agents | grep '^testpark/office#') || fail "not listed: $(collector agents)" || return
    [[ $line == *" connected 0.1.0 "* ]] || fail "listed as: $line" || return
    [ "$(collector agents --json | json 0.resident)" = testpark/office ] || fail "no JSON"
}

an_invitation_in_the_arguments_is_not_seen_among_the_processes() {
    local token
    token=$(invite testpark/plant) || return
    "$build/esep-agent" enrol "$token" --config "$work/seen/agent.yaml" --state "$work/seen/state" --run >"$work/seen.log" 2>&1 &
    pid[seen]=$!
    seen_enrolled() { grep -q '^enrolled as' "$work/seen.log"; }
    wait_for seen_enrolled || fail "it did not enrol" || return
    ! grep -qF "$token" "/proc/${pid[seen]}/cmdline" || fail "the invitation is in the list of processes" || return
    stop seen || fail "it ended with $?"
}

a_used_invitation_is_refused_to_another_and_repeated_to_the_same() {
    local token
    token=$(invite testpark/plant) || return
    enrol one "$token" && [ "$status" -eq 0 ] || fail "the first: $err" || return
    enrol one "$token" && [ "$status" -eq 0 ] || fail "the same again: $err" || return
    enrol two "$token"
    [ "$status" -eq 1 ] && [[ $err == *invite-used*"used by another key"* ]] || fail "exit $status: $err" || return
    [ ! -e "$work/two/agent.yaml" ] || fail "it left a configuration" || return
    [ "$(counted enrolments_refused_used)" -eq 1 ] || fail "counted $(counted enrolments_refused_used)"
}

expired_forged_withdrawn_and_mistyped_ones_are_told_apart() {
    local token id
    token=$(invite testpark/plant --expires 1s) || return
    is_expired() { collector invites | tail -n 1 | grep -q ' expired '; }
    wait_for is_expired || fail "it does not expire" || return
    enrol two "$token"
    [ "$status" -eq 1 ] && [[ $err == *invite-expired* ]] || fail "expired: exit $status: $err" || return
    token=$(invite testpark/plant) || return
    enrol two "$(forge "$token")"
    [ "$status" -eq 1 ] && [[ $err == *not-invited* ]] || fail "forged: exit $status: $err" || return
    enrol two "${token:0:30}x${token:31}"
    [ "$status" -eq 1 ] && [[ $err == *mistyped* ]] || fail "mistyped: exit $status: $err" || return
    id=$(collector invites --json | json "$(($(collector invites | wc -l) - 2)).invite_id")
    collector withdraw "$id" >/dev/null || fail "withdraw" || return
    enrol two "$token"
    [ "$status" -eq 1 ] && [[ $err == *not-invited*withdrawn* ]] || fail "withdrawn: exit $status: $err" || return
    [ "$(counted enrolments_refused_expired)" -eq 1 ] && [ "$(counted enrolments_refused_unknown)" -eq 2 ] ||
        fail "counted $(counted enrolments_refused_expired) and $(counted enrolments_refused_unknown)"
}

the_audit_log_has_a_line_of_each() {
    local what
    every_line_is_there() {
        collector audit >"$work/audit"
        for what in invite-expired not-invited invite-used; do
            grep -E 'refused +enrol' "$work/audit" | grep -q "$what" || return 1
        done
        grep -E 'done +enrol' "$work/audit" | grep -q testpark/office && grep -qE 'invite .*withdrawn' "$work/audit"
    }
    wait_for every_line_is_there || fail "$(cat "$work/audit")"
}

a_folder_that_no_configuration_can_name_uses_up_no_invitation() {
    local token
    token=$(invite testpark/plant) || return
    run "$build/esep-agent" enrol "$token" --config "$work/braces/agent.yaml" --state "$work/{release}/state"
    [ "$status" -ne 0 ] && [[ $err == *"can't stand in a configuration"* ]] || fail "$status: $err" || return
    enrol braces "$token"
    [ "$status" -eq 0 ] || fail "the invitation is gone: $err"
}

a_configuration_that_is_there_is_never_overwritten() {
    local token
    make_agent taken <"$work/sources" || return
    sed -i 's/key: "./key: "x/' "$work/taken/agent.yaml"
    cp "$work/taken/agent.yaml" "$work/before"
    token=$(invite testpark/plant) || return
    enrol taken "$token"
    [ "$status" -eq 1 ] && [[ $err == *"never overwritten"* ]] || fail "exit $status: $err" || return
    cmp -s "$work/taken/agent.yaml" "$work/before" || fail "it was changed"
}

a_collector_that_can_t_be_named_says_so_instead_of_inviting() {
    sed 's/127\.0\.0\.1/0.0.0.0/' "$work/collector.yaml" >"$work/wild.yaml"
    sed -i "s#^state:.*#state: $work/wild#" "$work/wild.yaml"
    "$build/esep-collector" keygen --config "$work/wild.yaml" >/dev/null || return
    run "$build/esep-collector" invite testpark/plant --config "$work/wild.yaml"
    [ "$status" -eq 1 ] && [[ $err == *"advertise: tcp://HOST:PORT"* ]] || fail "exit $status: $err" || return
    echo "advertise: tcp://park.example:5670" >>"$work/wild.yaml"
    run "$build/esep-collector" invite testpark/plant --config "$work/wild.yaml"
    [ "$status" -eq 0 ] && [[ $out == esep1-* ]] || fail "with an address: exit $status: $err" || return
    echo "enrol: off" >>"$work/wild.yaml"
    run "$build/esep-collector" invite testpark/plant --config "$work/wild.yaml"
    [ "$status" -eq 1 ] && [[ $err == *"enrolment is off"* ]] || fail "switched off: exit $status: $err"
}

an_invitation_of_a_stopped_collector_is_good_once_it_runs() {
    local token
    stop collector || fail "the collector ended with $?" || return
    token=$(invite testpark/plant) || fail "$(<"$work/invite.err")" || return
    start_collector || return
    enrol later "$token"
    [ "$status" -eq 0 ] || fail "exit $status: $err"
}

# busy NAME RESIDENT: an agent with a history to send, to which a thousand rows a tenth of a second are added until fed NAME
busy() {
    mkdir -p "$work/$1"
    python3 - "$work/$1" >"$work/$1/rows" <<'END' &
import os, sys, time
folder = sys.argv[1]
n = 0
with open(folder + "/log.csv", "w") as out:
    out.write("time,out\n")
    while not os.path.exists(folder + "/enough") and n < 2000000:
        for _ in range(50000 if n == 0 else 1000):
            out.write(f"{1700000000 + 10 * n},{n % 1000}\n")
            n += 1
        out.flush()
        time.sleep(0.1)
print(n)
END
    pid[feeder]=$!
    has_history() { [ "$(wc -l 2>/dev/null <"$work/$1/log.csv")" -gt 50000 ] 2>/dev/null; }
    wait_for has_history "$1" || fail "no history was written" || return
    make_agent "$1" <<END || return
  - name: log
    kind: csv
    path: $work/$1/log.csv
    every: 1s
    class: measurement
    time_column: time
    series:
      - {column: out, kpi: out_units, dimension: $1, unit: piece, step: 10s}
END
    admit "$1" "$2" && start_agent "$1"
}
fed() { # NAME: $rows were written in all
    : >"$work/$1/enough"
    wait "${pid[feeder]}"
    unset 'pid[feeder]'
    rows=$(<"$work/$1/rows")
}

a_revoked_agent_is_out_within_a_second_under_load() {
    local id asked_us last_us
    office_is_back() { [ "$(agent_count office connection)" = connected ]; }
    wait_for office_is_back || fail "the other agent is $(agent_count office connection)" || return
    busy loaded testpark/plant || return
    is_flowing() { has_acknowledged loaded 20000; }
    wait_for is_flowing || fail "it does not flow" || return
    id=$(ledger "select max(agent_id) from key")
    collector revoke "testpark/plant#$id" >"$work/out" || fail "revoke: $(<"$work/out")" || return
    asked_us=$(date +%s%6N)
    is_closed() { [ "$(counted connections_closed)" -ge 1 ] 2>/dev/null; }
    wait_for is_closed || fail "its connection was not closed" || return
    knows_it() { [ "$(agent_count loaded connection)" = key-not-known ] || [ "$(agent_count loaded refused)" = revoked ]; }
    wait_for knows_it || fail "the agent says $(agent_count loaded connection)" || return
    last_us=$(ledger "select max(last_received_us) from stream where agent_id = $id")
    echo "    last accepted batch $(((last_us - asked_us) / 1000)) ms after the command's end"
    fed loaded
    [ $((last_us - asked_us)) -le 1000000 ] || fail "still accepted $((last_us - asked_us)) us later" || return
    [ "$(agent_count office connection)" = connected ] || fail "another agent was disturbed"
}

keys_follow_each_other_under_load_and_nothing_is_lost_or_doubled() {
    local id round
    busy turning testpark/plant || return
    id=$(ledger "select max(agent_id) from key")
    for round in 1 2 3; do
        is_ahead() { has_acknowledged turning $((round * 10000 + 40000)); }
        wait_for is_ahead || fail "round $round: it does not flow" || return
        run agent turning rotate
        [ "$status" -eq 0 ] || fail "round $round: exit $status: $err" || return
        only_one_is_valid() { [ "$(ledger "select count(*) from key where agent_id = $id and revoked_us = 0")" -eq 1 ]; }
        wait_for only_one_is_valid || fail "round $round: the older key is still valid" || return
    done
    fed turning
    all_is_there() { has_acknowledged turning "$rows"; }
    wait_for all_is_there || fail "acknowledged $(agent_count turning acknowledged)" || return
    [ "$(ledger "select count(*), sum(accepted), sum(quarantined), sum(gap) from stream where agent_id = $id")" = "1|$rows|0|0" ] ||
        fail "stored: $(ledger "select * from stream where agent_id = $id")" || return
    [ "$(ledger "select count(*) from key where agent_id = $id")" -eq 4 ] && [ "$(counted keys_rotated)" -eq 3 ] ||
        fail "keys: $(ledger "select * from key")" || return
    [ "$(collector query testpark/plant/out_units/turning --from 2023-11-01 --to 2024-03-01 --format csv | grep -c .)" -eq $((rows + 1)) ] ||
        fail "$(collector query testpark/plant/out_units/turning --from 2023-11-01 --to 2024-03-01 --format csv | grep -c .) points"
}

a_series_is_moved_from_one_agent_to_another() {
    local id token
    token=$(invite testpark/office) || return
    enrol second "$token" && [ "$status" -eq 0 ] || fail "second: $err" || return
    id=$(ledger "select max(agent_id) from key")
    echo "2026-02,58" >>"$work/second/state/figures.csv"
    start_agent second
    says_why() { [[ $(agent_count second refused_text) == *"esep-collector move testpark/office/jobs_total #$id"* ]]; }
    wait_for says_why || fail "the agent says: $(agent second status)" || return
    collector move testpark/office/jobs_total "testpark/office#$id" >/dev/null || fail "move" || return
    echo "2026-03,59" >>"$work/second/state/figures.csv"
    is_moved() { get "api/v1/observations?series=testpark/office/jobs_total&format=csv" 2>/dev/null | grep -q 59; }
    wait_for is_moved || fail "nothing came from the second agent" || return
    ! get "api/v1/observations?series=testpark/office/jobs_total&format=csv" | grep -q ',58' || fail "what was refused is there" || return
    stop second || fail "it ended with $?"
}

the_collector_s_key_changes_under_load_and_nothing_is_lost_or_doubled() {
    local id next
    busy moving testpark/plant || return
    id=$(ledger "select max(agent_id) from key")
    flows() { has_acknowledged moving 40000; }
    wait_for flows || fail "it does not flow" || return
    next=$(collector keygen --next) || fail "keygen --next" || return
    [ "$next" != "$collector_key" ] || fail "the next key is the present one" || return
    next_port=$(free_port)
    echo "next_endpoint: tcp://127.0.0.1:$next_port" >>"$work/collector.yaml"
    stop collector || fail "the collector ended with $?" || return
    start_collector || return
    turning_is_back() { [ "$(agent_count turning connection)" = connected ]; }
    all_have_moved() { [ "$(collector agents --json | grep -c '"next_key": true')" -eq 3 ]; } # office, turning and this one
    wait_for turning_is_back || fail "turning is $(agent_count turning connection)" || return
    wait_s=60 wait_for all_have_moved || fail "not all have moved: $(collector agents)" || return
    stop collector || fail "the collector ended with $?" || return
    [ "$(collector keygen --promote)" = "$next" ] || fail "keygen --promote" || return
    collector_key=$next
    sed -i '/^next_endpoint/d' "$work/collector.yaml"
    start_collector || return
    fed moving
    all_moved() { has_acknowledged moving "$rows"; }
    wait_s=60 wait_for all_moved || fail "acknowledged $(agent_count moving acknowledged) of $rows" || return
    [ "$(ledger "select count(*), sum(accepted), sum(quarantined), sum(gap) from stream where agent_id = $id")" = "1|$rows|0|0" ] ||
        fail "stored: $(ledger "select * from stream where agent_id = $id")" || return
    [ "$(grep -c event=next_key "$work/moving.log")" -eq 1 ] || fail "the agent does not say it once" || return
    stop moving || fail "it ended with $?"
}

a_resident_over_its_quota_is_slowed_and_nobody_else_notices() {
    stop collector || fail "the collector ended with $?" || return
    printf 'quotas:\n  - {resident: testpark/plant, series: 100, samples_per_s: 500}\n' >>"$work/collector.yaml"
    start_collector || return
    wait_for office_is_back || fail "the other agent is $(agent_count office connection)" || return
    busy eager testpark/plant || return
    is_slowed() { [ "$(counted quota_slowed)" -ge 1 ] 2>/dev/null; }
    wait_for is_slowed || fail "it is not slowed" || return
    echo "2026-04,60" >>"$work/second/state/figures.csv"
    start_agent second
    is_in() { get "api/v1/observations?series=testpark/office/jobs_total&format=csv" 2>/dev/null | grep -q ',60'; }
    wait_s=20 wait_for is_in || fail "another resident's figure is held up" || return
    fed eager
    [ "$(counted samples_refused_quota)" -eq 0 ] || fail "$(counted samples_refused_quota) samples of an agent that keeps to its credit were refused" || return
    [ "$(agent_count eager acknowledged)" -lt "$rows" ] || fail "it was not slowed at all" || return
    [ "$(agent_count eager gaps)" -eq 0 ] || fail "figures were given up" || return
    stop second || fail "second ended with $?" || return
    stop eager || fail "eager ended with $?" || return
    sed -i '/^quotas:/,+1d' "$work/collector.yaml"
    stop collector || fail "the collector ended with $?" || return
    start_collector || return
    wait_for office_is_back || fail "the other agent is $(agent_count office connection)"
}

everything_ends_when_asked() {
    local name
    for name in office loaded turning dashboard collector; do
        stop $name || fail "$name ended with $?" || return
    done
    run collector verify
    [ "$status" -eq 0 ] || fail "verify: $out $err"
}

cat >"$work/sources" <<END
  - name: monthly
    kind: csv
    path: $work/office.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
make_park && start_collector && start_dashboard || { echo "not ok prepare: no park"; exit 1; }
run_tests two_commands_lead_from_an_invitation_to_a_figure_on_the_page agents_lists_who_it_is_and_how_it_is \
    an_invitation_in_the_arguments_is_not_seen_among_the_processes \
    a_used_invitation_is_refused_to_another_and_repeated_to_the_same \
    expired_forged_withdrawn_and_mistyped_ones_are_told_apart the_audit_log_has_a_line_of_each \
    a_folder_that_no_configuration_can_name_uses_up_no_invitation a_configuration_that_is_there_is_never_overwritten \
    a_collector_that_can_t_be_named_says_so_instead_of_inviting an_invitation_of_a_stopped_collector_is_good_once_it_runs \
    a_revoked_agent_is_out_within_a_second_under_load keys_follow_each_other_under_load_and_nothing_is_lost_or_doubled \
    a_series_is_moved_from_one_agent_to_another \
    a_resident_over_its_quota_is_slowed_and_nobody_else_notices the_collector_s_key_changes_under_load_and_nothing_is_lost_or_doubled everything_ends_when_asked
