#!/usr/bin/env bash
# Figures that people report over HTTP, with real users: the resident its own, the operator its park's, nobody else; each once;
# closed periods; the form with a browser's cookies; in page, API and graph within five seconds.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

password='a long enough password'
series=testpark/plant/jobs_total

dashboard() { "$build/esep-dashboard" "$@" --config "$work/dashboard.yaml"; }
make_token() { # NAME SCOPE
    (umask 077 && dashboard token add "$1" --scope "$2" --expires 1h >"$work/$1.token" 2>>"$work/users.log")
}
as() { # TOKEN'S NAME ADDRESS CURL'S OPTIONS...
    local name=$1 address=$2
    shift 2
    curl -sS --max-time 20 -H "Authorization: Bearer $(<"$work/$name.token")" "$@" "$(dashboard_url "$address")"
}
post() { # TOKEN'S NAME JSON: the status in $code, the answer in $out
    code=$(as "$1" api/v1/observations -H 'Content-Type: application/json' --data-binary "$2" -o "$work/body" -w '%{http_code}')
    out=$(<"$work/body")
}
gives() { # CODE TOKEN'S-NAME JSON [PART OF THE ANSWER]
    post "$2" "$3"
    [ "$code" = "$1" ] && [[ $out == *"${4:-}"* ]] || fail "as $2, $3: $code $out"
}
revisions() { # PERIOD
    as root "api/v1/observations?series=$series&period=$1&revisions=all" | python3 -c '
import json, sys
print(" ".join(str(o["value"]) for o in json.load(sys.stdin)["observations"]))' 2>/dev/null
}
are_revisions() { [ "$(revisions "$1")" = "$2" ]; }
figure_of() { python3 -c 'import json, sys
o = json.load(sys.stdin)["observations"][-1]
print(o["value"], o["author"], o["reason"], o["after_closure"], bool(o["closed_since"]))'; }
audited() { # EVENT OUTCOME PART: lines
    collector audit --event "$1" --json | python3 -c 'import json, sys
print(sum(e["outcome"] == sys.argv[1] and sys.argv[2] in json.dumps(e, ensure_ascii=False)
          for e in json.load(sys.stdin)["log"]))' "$2" "$3"
}
is_audited() { [ "$(audited "$1" "$2" "$3")" -ge 1 ]; }
picture() { as root "graph/$series.svg?bare=1&from=2025-01-01&to=2026-01-01" | md5sum; }
is_another_picture() { [ "$(picture)" != "$1" ]; }

prepare() {
    make_park && echo "users: $work/users" >>"$work/dashboard.yaml" && start_collector || return
    echo "$password" | dashboard user add aigul --role resident --resident testpark/plant >>"$work/users.log" 2>&1 || return
    make_token root admin && make_token plant resident:testpark/plant && make_token office resident:testpark/office &&
        make_token bek operator:testpark && make_token analyst analyst:testpark && make_token auditor auditor &&
        make_token elsewhere operator:otherpark && start_dashboard
}

a_resident_reports_its_own_figure_and_gets_its_revision() {
    gives 201 plant "{\"series\":\"$series\",\"period\":\"2025-10\",\"value\":\"1 100\"}" '"revision":1' || return
    [[ $out != *position* ]] || fail "the ledger's position is told to a resident: $out" || return
    [ "$(as root "api/v1/observations?series=$series" | figure_of)" = "1100 plant None False False" ] ||
        fail "$(as root "api/v1/observations?series=$series")" || return
    is_audited report "done" "2025-10: 1100, author plant" || fail "$(collector audit --event report)"
}

rivals_analysts_and_auditors_are_refused_and_audited() {
    local who
    for who in office analyst auditor elsewhere; do
        gives 403 $who "{\"series\":\"$series\",\"period\":\"2025-10\",\"value\":\"1\"}" 'may not report' || return
        gives 403 $who '{"series":"testpark/nosuch/jobs_total","period":"2025-10","value":"1"}' 'may not report' || return
    done
    code=$(curl -sS -o "$work/body" -w '%{http_code}' -H 'Content-Type: application/json' \
        --data '{}' "$(dashboard_url api/v1/observations)")
    [ "$code" = 401 ] || fail "nobody: $code" || return
    for who in office analyst auditor elsewhere; do
        get healthz >/dev/null # with each request one more line is told
        wait_for is_audited report refused "token:$who address" || fail "$who: $(collector audit --event report)" || return
    done
    are_revisions 2025-10 1100 || fail "$(revisions 2025-10)"
}

a_request_that_is_repeated_is_stored_once() {
    local body="{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"1200\",\"request\":\"once-1\"}"
    gives 201 plant "$body" '"repeated":false' || return
    for _ in 1 2 3; do gives 200 plant "$body" '"repeated":true' || return; done
    gives 409 plant "{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"1201\",\"request\":\"once-1\"}" 'another content' || return
    stop collector KILL
    start_collector || return
    gives 200 plant "$body" '"repeated":true' || return
    are_revisions 2025-11 1200 || fail "$(revisions 2025-11)"
}

what_cannot_be_understood_is_refused_with_the_member_at_fault() {
    gives 400 plant "{\"series\":\"$series\",\"period\":\"2025-09\",\"value\":\"12,345\"}" '"parameter":"value"' || return
    gives 400 plant "{\"series\":\"$series\",\"period\":\"2099-09\",\"value\":\"5\"}" '"parameter":"period"' || return
    gives 400 plant '{"series":"testpark/plant/inv","period":"2025-09","value":"1,234567"}' '"parameter":"value"' || return
    gives 409 plant "{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"5\"}" 'was reported already: 1200' || return
    gives 400 plant "{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"5\",\"revise\":true}" '"parameter":"reason"' || return
    gives 413 plant "{\"series\":\"$series\",\"reason\":\"$(printf 'x%.0s' {1..5000})\"}" || return
    code=$(as plant api/v1/observations --data-binary x -H 'Content-Type: text/plain' -o "$work/body" -w '%{http_code}')
    [ "$code" = 415 ] || fail "text: $code"
}

a_correction_is_on_page_and_graph_within_five_seconds() {
    local before
    wait_for is_another_picture "$(md5sum </dev/null)" || return
    before=$(picture)
    gives 201 plant "{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"1250\",\"revise\":true,\"reason\":\"counted again\"}" \
        '"revision":2' || return
    wait_s=5
    wait_for is_another_picture "$before" || { wait_s=30; fail "the same picture as before"; return; }
    wait_s=30
    [[ $(as plant "series/$series") == *"counted again"* ]] || fail "not on the page" || return
    is_audited revise "done" "2025-11: 1250, before 1200" || fail "$(collector audit --event revise)"
}

a_closed_period_is_the_operators_alone_and_needs_a_reason() {
    collector close testpark --period 2025 --reason "year's end" >/dev/null || return
    gives 403 plant "{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"1\",\"revise\":true,\"reason\":\"x\"}" 'closed since' || return
    gives 400 bek "{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"1300\",\"revise\":true}" '"parameter":"reason"' || return
    gives 201 bek "{\"series\":\"$series\",\"period\":\"2025-11\",\"value\":\"1300\",\"revise\":true,\"reason\":\"auditors\"}" \
        '"after_closure":true' || return
    [ "$(as root "api/v1/observations?series=$series&period=2025-11" | figure_of)" = "1300 bek auditors True True" ] ||
        fail "$(as root "api/v1/observations?series=$series&period=2025-11")" || return
    [ "$(as root "api/v1/observations?series=$series&period=2025-11&as_of=2025-12-01T00:00:00Z" | json observations)" = '[]' ] ||
        fail "known before it was received" || return
    out=$(as plant "series/$series?lang=ru")
    [[ $out == *"закрыт с 20"* && $out == *"после закрытия"* ]] || fail "not marked on the page" || return
    is_audited revise refused "closed since" || fail "$(collector audit --event revise)"
}

# ---- the form, as a browser does it
browse() { curl -sS --max-time 20 -b "$work/jar" -c "$work/jar" "$@"; }
field() { sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/\1/p" | head -n 1; }
form_of() { grep -o '<form class="entry".*' <<<"$1"; }

a_person_reports_with_the_form_and_sees_the_new_revision() {
    local page form request address
    address=$(dashboard_url "report/$series")
    form=$(browse "$(dashboard_url login)" | grep -o 'name="form" value="[^"]*"' | cut -d'"' -f4)
    code=$(browse -o "$work/body" -w '%{http_code}' --data-urlencode name=aigul --data-urlencode "password=$password" \
        --data-urlencode "form=$form" "$(dashboard_url login)")
    [ "$code" = 303 ] || fail "logging in: $code" || return
    page=$(form_of "$(browse "$address?lang=kk")")
    form=$(grep -o 'name="form" value="[^"]*"' <<<"$page" | head -n 1 | cut -d'"' -f4)
    request=$(grep -o 'name="request" value="[^"]*"' <<<"$page" | head -n 1 | cut -d'"' -f4)
    [ -n "$form" ] && [ -n "$request" ] || fail "no form: ${page:0:300}" || return
    local fields=(--data-urlencode "form=$form" --data-urlencode "request=$request" --data-urlencode period=2026-01
        --data-urlencode "value=1 400,5" --data-urlencode status=P)
    page=$(browse "${fields[@]}" -d step=check "$address")
    [[ $page == *"<strong>1,400.5"*"people</strong>"* ]] || fail "not understood: $(form_of "$page")" || return
    [ -z "$(revisions 2026-01)" ] || fail "stored before it was confirmed" || return
    code=$(browse -o "$work/body" -D "$work/head" -w '%{http_code}' "${fields[@]}" -d step=store -d seen=0 "$address")
    [ "$code" = 303 ] || fail "storing: $code $(<"$work/body")" || return
    page=$(browse "$(dashboard_url "$(sed -n 's#^[Ll]ocation: /\(.*\)\r$#\1#p' "$work/head")")")
    [[ $page == *'role="status">Stored: 1,400.5'*'2026-01, revision 1.'* ]] || fail "${page:0:3000}" || return
    code=$(browse -o "$work/body" -w '%{http_code}' "${fields[@]}" -d step=store -d seen=0 "$address")
    [ "$code" = 303 ] && are_revisions 2026-01 1400.5 || fail "sent twice: $code $(revisions 2026-01)" || return
    code=$(browse -o "$work/body" -w '%{http_code}' --data-urlencode "form=0${form:1}x" -d step=store "$address")
    [ "$code" = 403 ] || fail "a forged form: $code" || return
    code=$(browse -o "$work/body" -w '%{http_code}' -H 'Origin: http://elsewhere.example' "${fields[@]}" -d step=store "$address")
    [ "$code" = 403 ] || fail "from elsewhere: $code" || return
    is_audited report "done" "author aigul" || fail "$(collector audit --event report)"
}

everything_is_accounted_for() {
    run collector verify
    [ "$status" -eq 0 ] || fail "verify: $out $err" || return
    [ "$(get metrics 2>/dev/null | wc -l)" = 0 ] || fail "metrics without a token" || return
    out=$(as root metrics)
    [[ $out == *$'\n'"esep_collector_desk_reports_total 5"$'\n'* ]] || fail "$(grep desk <<<"$out")"
}

prepare || { echo "not ok prepare: no park"; tail -n 5 "$work"/*.log; exit 1; }
run_tests a_resident_reports_its_own_figure_and_gets_its_revision rivals_analysts_and_auditors_are_refused_and_audited \
    a_request_that_is_repeated_is_stored_once what_cannot_be_understood_is_refused_with_the_member_at_fault \
    a_correction_is_on_page_and_graph_within_five_seconds a_closed_period_is_the_operators_alone_and_needs_a_reason \
    a_person_reports_with_the_form_and_sees_the_new_revision everything_is_accounted_for
