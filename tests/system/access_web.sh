#!/usr/bin/env bash
# The dashboard's door over real HTTP: users and tokens from the command line, rivals that ask for each other's figures in
# every form, logging in and out, and what a browser is told.
# shellcheck source=tests/system/support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/lib.sh"

password='a long enough password'
plant_jobs=73105 office_jobs=49206 # figures that occur nowhere else

dashboard() { "$build/esep-dashboard" "$@" --config "$work/dashboard.yaml"; }
add_user() { # NAME OPTIONS...
    local name=$1
    shift
    echo "$password" | dashboard user add "$name" "$@" >>"$work/users.log" 2>&1
}
make_token() { # NAME SCOPE
    (umask 077 && dashboard token add "$1" --scope "$2" --expires 1h >"$work/$1.token" 2>>"$work/users.log")
}
as() { # TOKEN'S NAME, or nobody; ADDRESS; CURL'S OPTIONS...
    local header=() name=$1 address=$2
    shift 2
    [ "$name" = nobody ] || header=(-H "Authorization: Bearer $(<"$work/$name.token")")
    curl -sS --max-time 20 "${header[@]}" "$@" "$(dashboard_url "$address")"
}
code() { as "$@" -o "$work/body" -w '%{http_code}'; }
gives() { # CODE NAME ADDRESS OPTIONS...
    local wanted=$1 got
    shift
    got=$(code "$@") && [ "$got" = "$wanted" ] || fail "$*: $got, wanted $wanted: $(head -c 300 "$work/body")"
}

report() { # RESIDENT FIGURE
    printf 'month,staff\n%s,%s\n' "$(date -u +%Y-%m)" "$2" >"$work/$1.csv"
    make_agent "$1" <<END || return
  - name: monthly
    kind: csv
    path: $work/$1.csv
    every: 1s
    class: report
    time_column: month
    series:
      - {column: staff, kpi: jobs_total, unit: person, period: month}
END
    admit "$1" "testpark/$1" && start_agent "$1"
}
is_stored() { [ "$(stored_samples)" -ge 2 ]; }
is_seen() { as root 'api/v1/observations?series=testpark/office/jobs_total' 2>/dev/null | grep -q $office_jobs; }
is_drawn() { [ "$(code root "graph/testpark/$1/jobs_total.png")" = 200 ]; }

prepare() {
    make_park && echo "users: $work/users" >>"$work/dashboard.yaml" && start_collector || return
    report plant $plant_jobs && report office $office_jobs || return
    wait_for is_stored || fail "no figures arrived" || return
    add_user root --role admin && add_user plant --role resident --resident testpark/plant || return
    make_token root admin && make_token plant resident:testpark/plant && make_token office resident:testpark/office &&
        make_token elsewhere analyst:otherpark && make_token quiet resident:testpark/plant || return
    start_dashboard && wait_for is_seen && wait_for is_drawn plant && wait_for is_drawn office
}

# ---- users ------------------------------------------------------------------------------------------------------------
without_users_only_this_machine_is_answered() {
    local listen
    for listen in 0.0.0.0 '[::]' 192.0.2.1; do
        sed "s/^listen: .*/listen: '$listen:8080'/;/^users/d" "$work/dashboard.yaml" >"$work/open.yaml"
        for command in check run; do
            run timeout 10 "$build/esep-dashboard" $command --config "$work/open.yaml"
            [ "$status" -eq 2 ] && [[ $err == *"without users"*"user add NAME --role admin"* ]] ||
                fail "$command on $listen: $status $err" || return
        done
    done
    sed "s/^listen: .*/listen: 0.0.0.0:8080/" "$work/dashboard.yaml" >"$work/clear.yaml"
    run "$build/esep-dashboard" check --config "$work/clear.yaml"
    [ "$status" -eq 2 ] && [[ $err == *"in the clear"* ]] || fail "no TLS: $status $err" || return
    sed "s#^users: .*#users: $work/nobody#" "$work/dashboard.yaml" >"$work/nobody.yaml"
    run timeout 10 "$build/esep-dashboard" run --config "$work/nobody.yaml"
    [ "$status" -eq 2 ] && [[ $err == *"there are no users yet"* ]] || fail "users without a user: $status $err" || return
    [ ! -e "$work/nobody" ] || fail "run made the users' folder"
}
the_users_file_is_private_and_holds_no_secret() {
    [ "$(stat -c %a "$work/users/users.sqlite")" = 600 ] && [ "$(stat -c %a "$work/users")" = 700 ] || fail "modes" || return
    ! grep -qaF -e "$password" -e "$(cut -c6- <"$work/plant.token")" "$work/users/users.sqlite" || fail "a secret is in it" || return
    ! grep -qF -e "$password" -e "$(<"$work/plant.token")" "$work"/*.log || fail "a secret is in a log"
}
with_password() { # COMMAND...: as run does
    status=0
    dashboard "$@" <<<"$password" >"$work/out" 2>"$work/err" || status=$?
    out=$(<"$work/out") err=$(<"$work/err")
}
bad_users_are_refused() {
    local words
    while IFS= read -r words; do
        # shellcheck disable=SC2086  # words
        with_password $words
        [ "$status" -eq 2 ] && [ -n "$err" ] || fail "$words: exit $status: $out $err" || return
    done <<'END'
user
user add
user add x
user add x --role public
user add x --role resident
user add x --role resident --resident testpark
user add x --role resident --resident testpark/all
user add x --role analyst --park a/b
user add x --role admin --park testpark
user add -x --role admin
user add <x> --role admin
user destroy x
token add x --scope admin
token add x --scope admin --expires 2000d
token add x --scope everything --expires 1d
run --role admin
END
    with_password user add root --role admin
    [ "$status" -eq 1 ] && [[ $err == *already* ]] || fail "twice: $status $err" || return
    echo short | dashboard user add y --role admin >/dev/null 2>&1 && fail "a short password was taken"
    [ "$(dashboard user list | wc -l)" -eq 2 ] || fail "$(dashboard user list)"
}

an_account_of_a_place_that_nobody_knows_is_warned_of() {
    with_password user add lost --role resident --resident testpark/plnat
    [ "$status" -eq 0 ] && [[ $err == *"knows testpark/plnat"*plant* ]] || fail "$status: $out $err" || return
    with_password user add lost2 --role analyst --park tetspark
    [ "$status" -eq 0 ] && [[ $err == *"knows tetspark"*testpark* ]] || fail "$status: $out $err" || return
    with_password user add found --role resident --resident testpark/plant
    [ "$status" -eq 0 ] && [[ $err != *"knows testpark"* ]] || fail "$status: $out $err" || return
    with_password token add losttoken --scope operator:tetspark --expires 1d
    [ "$status" -eq 0 ] && [[ $err == *"knows tetspark"* ]] || fail "$status: $out $err" || return
    dashboard user remove lost && dashboard user remove lost2 && dashboard user remove found &&
        dashboard token remove losttoken || fail "the accounts cannot be removed"
}

# ---- rivals -----------------------------------------------------------------------------------------------------------
# What names the series of a resident, in every form there is; {} is the resident.
addresses() {
    local form=(parks/testpark/{} series/testpark/{}/jobs_total 'series/testpark/{}/jobs_total?range=all&lang=ru'
        graph/testpark/{}/jobs_total.png graph/testpark/{}/jobs_total.svg 'graph/testpark/{}/jobs_total.svg?bare=1&theme=dark'
        graph/testpark/{}/jobs_total.pdf graph/testpark/{}/out_units/pumps.png
        'api/v1/query?series=testpark/{}/jobs_total' 'api/v1/query?series=testpark/{}/jobs_total&format=csv'
        'api/v1/query?series=testpark/{}/jobs_total&step=year' 'api/v1/observations?series=testpark/{}/jobs_total'
        'api/v1/observations?series=testpark/{}/jobs_total&format=csv&revisions=all'
        'api/v1/series?resident={}' 'api/v1/series?park=testpark&resident={}' 'api/v1/series?series=testpark/{}/jobs_total'
        'api/v1/series?after=testpark/{}')
    printf '%s\n' "${form[@]}" | sed "s/{}/$1/g"
    printf '%s\n' '' parks/testpark api/v1/parks api/v1/parks/testpark api/v1/residents api/v1/agents api/v1/series \
        api/v1/targets metrics healthz login robots.txt nothing 'parks/testpark?x=1' static/live.js
}
walk() { # WHO RIVAL RIVAL'S NAME AND FIGURE AS A PATTERN
    local address
    while IFS= read -r address; do
        as "$1" "$address" -i >"$work/answer" || fail "$address: no answer" || return
        urls=$((urls + 1))
        # one's own question, which an error repeats, is not the rival's name; digits with or without separators
        if sed -E "s#/?testpark/$2##g;s#=$2##g" "$work/answer" | sed -E 's/([0-9])(,|\xc2\xa0)([0-9])/\1\3/g' | grep -aqiE "$3"; then
            leaks=$((leaks + 1))
            fail "$1 read of $2 at $address"
        fi
    done < <(addresses "$2")
}
rivals_get_nothing_of_each_other_in_any_form() {
    local urls=0 leaks=0
    walk plant office "$office_jobs|\boffice\b"
    walk office plant "$plant_jobs|\bplant\b"
    walk nobody office "$office_jobs|$plant_jobs|\b(office|plant)\b"
    walk nobody plant "$office_jobs|$plant_jobs|\b(office|plant)\b"
    walk elsewhere office "$office_jobs|$plant_jobs|\b(office|plant)\b"
    echo "access walk urls=$urls leaks=$leaks"
    [ $leaks -eq 0 ] || return
    walk root office "$office_jobs" # the walk finds what is there
    [ $leaks -ge 5 ] || fail "even an administrator reads nothing"
}
own_figures_and_graphs_are_there() {
    gives 200 plant graph/testpark/plant/jobs_total.png && head -c 4 "$work/body" | grep -qa PNG || fail "no image" || return
    gives 200 plant 'api/v1/query?series=testpark/plant/jobs_total&format=csv' && grep -q $plant_jobs "$work/body" ||
        fail "no figure" || return
    gives 200 plant api/v1/agents && grep -q testpark/plant "$work/body" || fail "not its own agent"
}
what_may_not_be_seen_looks_like_what_is_not_there() {
    local a b address
    for address in parks/testpark/OTHER series/testpark/OTHER/jobs_total graph/testpark/OTHER/jobs_total.png \
        'api/v1/query?series=testpark/OTHER/jobs_total' 'api/v1/series?resident=OTHER'; do
        for who in plant nobody; do
            a=$(as $who "${address/OTHER/office}" -i -H 'If-None-Match: *' | sed 's/office/X/g;/^Date/d;/^Content-Length/d')
            b=$(as $who "${address/OTHER/absent}" -i -H 'If-None-Match: *' | sed 's/absent/X/g;/^Date/d;/^Content-Length/d')
            [ "$a" = "$b" ] || fail "$who can tell at $address: $a / $b" || return
        done
    done
}

# ---- a browser --------------------------------------------------------------------------------------------------------
browser() { curl -sS --max-time 20 -b "$work/jar" -c "$work/jar" "$@"; }
form_of() { grep -o 'name="form" value="[0-9a-f]*"' | tail -1 | grep -oE '[0-9a-f]{64}'; }
log_in() { # PASSWORD [ORIGIN]
    local given=$1 origin=${2:-http://127.0.0.1:$dashboard_port} form
    form=$(browser "$(dashboard_url login)" | form_of) || return
    browser -o "$work/body" -w '%{http_code} %{redirect_url}' -H "Origin: $origin" \
        --data-urlencode name=plant --data-urlencode "password=$given" --data-urlencode next=/parks/testpark/plant \
        --data-urlencode "form=$form" "$(dashboard_url login)"
}
a_browser_logs_in_and_out() {
    local form
    rm -f "$work/jar"
    [[ $(log_in wrong) == 403* ]] || fail "a wrong password: $(head -c 300 "$work/body")" || return
    [[ $(log_in "$password" http://elsewhere.example) == 403* ]] || fail "a form from elsewhere was taken" || return
    [ "$(log_in "$password")" = "303 $(dashboard_url parks/testpark/plant)" ] || fail "not let in: $(<"$work/body")" || return
    grep -q '^#HttpOnly' "$work/jar" || fail "the cookie can be read by scripts" || return
    form=$(browser "$(dashboard_url parks/testpark/plant)" | form_of) || fail "no page of one's own" || return
    cp "$work/jar" "$work/stolen"
    [ "$(browser -o /dev/null -w '%{http_code}' -H "Origin: http://127.0.0.1:$dashboard_port" --data "form=$form" \
        "$(dashboard_url logout)")" = 303 ] || fail "not let out" || return
    cp "$work/stolen" "$work/jar"
    [ "$(browser -o /dev/null -w '%{http_code}' "$(dashboard_url parks/testpark/plant)")" = 303 ] || fail "a stolen cookie lives on"
}
a_removed_user_is_out_with_the_next_request() {
    rm -f "$work/jar"
    [[ $(log_in "$password") == 303* ]] || fail "not let in" || return
    [ "$(browser -o /dev/null -w '%{http_code}' "$(dashboard_url parks/testpark/plant)")" = 200 ] || fail "no page" || return
    dashboard user remove plant || return
    [ "$(browser -o /dev/null -w '%{http_code}' "$(dashboard_url parks/testpark/plant)")" = 303 ] || fail "still in" || return
    dashboard token remove office && gives 401 office api/v1/series
}
audit_log_shows() { collector audit >"$work/audit" && grep -qE "$1" "$work/audit"; }
the_address_of_a_client_is_the_one_that_the_web_server_added_last() {
    local port
    port=$(free_port)
    sed "s/^listen: .*/listen: 127.0.0.1:$port/" "$work/dashboard.yaml" >"$work/tls.yaml"
    printf "behind_tls: true\nhosts: [esep.park.example]\n" >>"$work/tls.yaml"
    start tls "$build/esep-dashboard" run --config "$work/tls.yaml"
    tls_answers() { curl -fsS --max-time 5 "http://127.0.0.1:$port/healthz" >/dev/null 2>&1; }
    wait_for tls_answers || fail "it does not answer" || return
    curl -sS --max-time 10 -o /dev/null -H 'X-Forwarded-For: 10.9.9.9' -H 'X-Forwarded-For: 10.8.8.8, 192.0.2.7' \
        "http://127.0.0.1:$port/parks/testpark/office"
    wait_for audit_log_shows 'refused *read .*address:192.0.2.7' || fail "$(tail -3 "$work/audit")" || return
    stop tls || fail "it ended with $?"
}
who_reads_of_a_rival_is_named_whoever_else_asks() { # by a token without refusals: the eighth object of one is "(several)"
    code nobody parks/testpark/office >/dev/null
    code quiet "series/testpark/office/jobs_total$(printf 'x%.0s' {1..53})$(printf '%%D3%%99%.0s' {1..8})" >/dev/null
    wait_for audit_log_shows 'refused *read .*token:quiet address:127.0.0.1 .*jobs_totalxxx' || fail "$(tail -3 "$work/audit")"
}
everything_is_in_the_audit_log() { # refusals are counted together before they are written
    local event
    for event in 'done *user .*root' 'done *token .*plant' 'done *login .*user:plant address:127.0.0.1' \
        'refused *login .*user:plant' 'done *logout .*user:plant' 'refused *read' 'done *export .*token:plant'; do
        wait_for audit_log_shows "$event" || fail "no $event in $(tail -20 "$work/audit")" || return
    done
}

# ---- hygiene ----------------------------------------------------------------------------------------------------------
every_answer_carries_the_headers() {
    local header address
    for address in '' parks/testpark api/v1/parks metrics nothing static/style.css login; do
        as nobody "$address" -i | sed '/^\r$/q' >"$work/head"
        for header in 'X-Content-Type-Options: nosniff' 'X-Frame-Options: DENY' 'Referrer-Policy: same-origin' \
            'Cross-Origin-Opener-Policy: same-origin' 'Cross-Origin-Embedder-Policy: require-corp' \
            'Cross-Origin-Resource-Policy: same-origin' 'X-Permitted-Cross-Domain-Policies: none' 'Permissions-Policy: ' \
            "Content-Security-Policy: default-src 'none'" 'Cache-Control: no-'; do
            grep -qF "$header" "$work/head" || fail "/$address has no $header" || return
        done
        ! grep -qiE '^(Server|X-Powered-By|Strict-Transport)|unsafe-inline|unsafe-eval' "$work/head" || fail "$(<"$work/head")" || return
    done
    as plant graph/testpark/plant/jobs_total.png -o /dev/null -D - | grep -qF 'Cache-Control: no-store' || fail "kept by caches"
}
other_hosts_are_not_answered() {
    gives 400 nobody healthz -H 'Host: elsewhere.example' && gives 400 nobody healthz -H "Host: 127.0.0.1.elsewhere.example" &&
        gives 200 nobody healthz -H "Host: localhost:$dashboard_port"
}
errors_say_nothing_of_the_inside() {
    local address
    for address in '%00' '..%2f..%2fetc%2fpasswd' 'static/..%2fmain.c' 'api/v1/query?series=%27%20OR%201' "nothing?$(printf 'a%.0s' {1..3000})"; do
        code root "$address" >/dev/null
        ! grep -qiE "$work|sqlite|SELECT|/work/|\.c:" "$work/body" || fail "$address: $(<"$work/body")" || return
    done
    head -c 200000 /dev/zero | as nobody login -X POST --data-binary @- -o /dev/null >/dev/null 2>&1
    gives 200 nobody healthz
}

prepare || { echo "not ok prepare: $why"; tail -n 5 "$work"/*.log; exit 1; }
run_tests without_users_only_this_machine_is_answered the_users_file_is_private_and_holds_no_secret bad_users_are_refused an_account_of_a_place_that_nobody_knows_is_warned_of \
    rivals_get_nothing_of_each_other_in_any_form own_figures_and_graphs_are_there what_may_not_be_seen_looks_like_what_is_not_there \
    a_browser_logs_in_and_out every_answer_carries_the_headers other_hosts_are_not_answered errors_say_nothing_of_the_inside \
    a_removed_user_is_out_with_the_next_request the_address_of_a_client_is_the_one_that_the_web_server_added_last \
    who_reads_of_a_rival_is_named_whoever_else_asks everything_is_in_the_audit_log
