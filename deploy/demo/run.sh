#!/usr/bin/env bash
# The demo: five parks on one machine with the real programs. Starts the collector, the dashboard and one agent a resident,
# hands the agents their enterprises' history and then live figures, and accounts for every sample at the end.
#   DEMO_SECONDS=n        end by itself after n seconds, once history is in (default: until Ctrl-C)
#   DEMO_PORT=p           of the dashboard (default 8080)
#   DEMO_COLLECTOR_PORT=p of the collector (default 5670, or a free one)
#   DEMO_STATE=folder     kept between runs (default build/demo)
#   DEMO_HOURS=n          of machine history at the first start (default 168)
#   DEMO_RESIDENTS=regex  only the residents that match (default: all)
#   BUILD=folder          of the programs (default build/gcc)
# shellcheck disable=SC2317  # functions are also called through wait_until
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1
build=${BUILD:-build/gcc}
[[ $build = /* ]] || build=$root/$build
state=${DEMO_STATE:-build/demo}
port=${DEMO_PORT:-8080}
hours=${DEMO_HOURS:-168}
profile=$root/deploy/demo/residents.yaml
begun=$SECONDS
began_s=$(date +%s)
status=0      # the exit code to be
stopping=     # set by a signal or by DEMO_SECONDS
declare -A agent_pid=()
collector_pid='' dashboard_pid='' graphs_pid='' graphs_cut=''
residents=()

say() { echo "demo: $*"; }
progress() { [ ! -t 1 ] || printf '\r\033[Kdemo: %s' "$*"; }
progress_end() { [ ! -t 1 ] || printf '\r\033[K'; }
# A step that failed because the demo is being ended is none.
failed() {
    [ -n "$stopping" ] || fail "$@"
    return 1
}
fail() {
    progress_end
    echo "demo: $*" >&2
    status=1
    stopping=1
}

# ---- waiting, in a way a signal can cut short -----------------------------------------------------------------------
pause() {
    sleep "$1" &
    local sleeper=$!
    wait "$sleeper" 2>/dev/null || kill "$sleeper" 2>/dev/null
}
alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }
# wait_until SECONDS COMMAND...: polls; 1 when the time is up or the demo is stopping
wait_until() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ -z "$stopping" ] && [ $SECONDS -lt $until ] || return 1
        pause 0.2
    done
}

# ---- what must be right before anything starts ----------------------------------------------------------------------
is_port() { [[ $1 =~ ^[0-9]{1,5}$ ]] && [ "$1" -ge 1 ] && [ "$1" -le 65535 ]; }
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
usage_error() {
    echo "demo: $*" >&2
    exit 2
}

check_settings() {
    is_port "$port" || usage_error "DEMO_PORT=$port is not a port; use 1 to 65535"
    [[ ${DEMO_SECONDS:-0} =~ ^[0-9]{1,7}$ ]] || usage_error "DEMO_SECONDS=$DEMO_SECONDS is not a number of seconds"
    [[ $hours =~ ^[0-9]{1,4}$ ]] || usage_error "DEMO_HOURS=$hours is not a number of hours"
    for program in esep-agent esep-collector esep-dashboard esep-demo-enterprise; do
        [ -x "$build/$program" ] || usage_error "$build/$program is not built; run: make"
    done
    ! port_taken "$port" || usage_error "port $port is in use; choose another with DEMO_PORT, e.g. make demo DEMO_PORT=8081"
    if [ -n "${DEMO_COLLECTOR_PORT:-}" ]; then
        collector_port=$DEMO_COLLECTOR_PORT
        is_port "$collector_port" || usage_error "DEMO_COLLECTOR_PORT=$collector_port is not a port; use 1 to 65535"
        ! port_taken "$collector_port" || usage_error "port $collector_port is in use; choose another with DEMO_COLLECTOR_PORT"
    else
        collector_port=5670
        while port_taken "$collector_port"; do collector_port=$((20000 + RANDOM % 12000)); done
    fi
}

lock_state() {
    mkdir -p "$state/log" "$state/agents" || exit 1
    exec 9>"$state/demo.lock"
    flock -n 9 || usage_error "another demo is running with the state in $state; choose another with DEMO_STATE"
}

# ---- children: each in a session of its own, so that Ctrl-C reaches this script alone; they end with it ---------------
launch() { # launch LOG COMMAND...; its pid is in $launched
    local log=$state/log/$1.log
    shift
    setpriv --pdeathsig TERM setsid "$@" 9>&- </dev/null >>"$log" 2>&1 &
    launched=$!
}

# stop SECONDS PID...: TERM to all, then KILL to those left when the time is up
stop() {
    local until=$((SECONDS + $1)) pid left
    shift
    for pid in "$@"; do kill -TERM "$pid" 2>/dev/null; done
    while :; do
        left=()
        for pid in "$@"; do ! alive "$pid" || left+=("$pid"); done
        [ ${#left[@]} -gt 0 ] || break
        if [ $SECONDS -ge $until ]; then
            fail "process ${left[*]} did not end when asked; killed"
            kill -KILL "${left[@]}" 2>/dev/null
            break
        fi
        sleep 0.1
    done
    for pid in "$@"; do wait "$pid" 2>/dev/null; done
}

# ---- configuration, written anew at each start ----------------------------------------------------------------------
agent_dir() { echo "$state/agents/${1/\//.}"; }

write_server_configs() {
    cat >"$state/collector.yaml" <<END
endpoint: tcp://127.0.0.1:$collector_port
state: "$state/collector"
catalogue: "$root/deploy/catalogue.yaml"
parks: "$root/deploy/parks"
END
    cat >"$state/dashboard.yaml" <<END
listen: 127.0.0.1:$port
state: "$state/collector"
catalogue: "$root/deploy/catalogue.yaml"
parks: "$root/deploy/parks"
END
}

write_agent_config() { # NAME KEY
    local dir
    dir=$(agent_dir "$1")
    mkdir -p "$dir/state" &&
        "$build/esep-demo-enterprise" agent-config "$1" --profile "$profile" --dir "$dir" --state "$dir/state" \
            --endpoint "tcp://127.0.0.1:$collector_port" --key "$2" --gate "$state/live" \
            --program "$build/esep-demo-enterprise" >"$dir/agent.yaml.new" &&
        mv "$dir/agent.yaml.new" "$dir/agent.yaml"
}

# Adds to the enterprises' files what they lack up to $1 (seconds since 1970).
write_history() {
    local name figures
    for name in "${residents[@]}"; do
        [ -z "$stopping" ] || return 1
        progress "history of $name"
        figures=$("$build/esep-demo-enterprise" history "$name" --profile "$profile" --dir "$(agent_dir "$name")" \
            --started "$started" --to "$1" --after "$known" --machine-hours "$hours") || { failed "no history for $name"; return 1; }
        written=$((written + figures))
    done
}

prepare() {
    local name key agent_key
    mapfile -t residents < <("$build/esep-demo-enterprise" residents --profile "$profile" | grep -E "${DEMO_RESIDENTS:-.}")
    [ ${#residents[@]} -gt 0 ] || { failed "no residents in $profile"; return 1; }
    known=0
    [ ! -s "$state/live_until" ] || known=$(<"$state/live_until")
    [ "$known" -eq 0 ] || [ "$known" -ge $((began_s - hours * 3600)) ] || known=$((began_s - hours * 3600))
    [ -s "$state/started" ] || echo "$began_s" >"$state/started"
    started=$(<"$state/started")
    rm -f "$state/live"
    write_server_configs
    key=$("$build/esep-collector" keygen --config "$state/collector.yaml") || { failed "no collector key"; return 1; }
    for name in "${residents[@]}"; do
        [ -z "$stopping" ] || return 1
        write_agent_config "$name" "$key" || { failed "no configuration for $name"; return 1; }
        if ! agent_key=$("$build/esep-agent" keygen --config "$(agent_dir "$name")/agent.yaml") ||
            ! "$build/esep-collector" admit "$name" "$agent_key" --config "$state/collector.yaml" >>"$state/log/admit.log"; then
            failed "no key for $name"
            return 1
        fi
    done
}

# ---- running --------------------------------------------------------------------------------------------------------
collector_answers() { "$build/esep-collector" status --config "$state/collector.yaml" 2>/dev/null | grep -q "^state  *running" || ! alive "$collector_pid"; }
dashboard_answers() { curl -fsS --max-time 2 -o /dev/null "http://127.0.0.1:$port/healthz" 2>/dev/null || ! alive "$dashboard_pid"; }
last_log() { tail -n 3 "$state/log/$1.log" 2>/dev/null; }

start_all() {
    local name
    launch collector "$build/esep-collector" run --config "$state/collector.yaml"
    collector_pid=$launched
    wait_until 20 collector_answers
    alive "$collector_pid" || { failed "the collector did not start: $(last_log collector)"; return 1; }
    launch dashboard "$build/esep-dashboard" run --config "$state/dashboard.yaml"
    dashboard_pid=$launched
    wait_until 20 dashboard_answers
    alive "$dashboard_pid" || { failed "the dashboard did not start: $(last_log dashboard)"; return 1; }
    for name in "${residents[@]}"; do
        launch "agent.${name/\//.}" "$build/esep-agent" run --config "$(agent_dir "$name")/agent.yaml"
        agent_pid[$name]=$launched
    done
}

# A child that ended by itself is a failure of the demo.
check_children() {
    local name
    for name in "${!agent_pid[@]}"; do
        alive "${agent_pid[$name]}" || {
            fail "the agent of $name ended by itself: $(last_log "agent.${name/\//.}")"
            unset "agent_pid[$name]"
        }
    done
    if [ -n "$collector_pid" ] && ! alive "$collector_pid"; then
        fail "the collector ended by itself: $(last_log collector)"
        collector_pid=''
    fi
    if [ -n "$dashboard_pid" ] && ! alive "$dashboard_pid"; then
        fail "the dashboard ended by itself: $(last_log dashboard)"
        dashboard_pid=''
    fi
    [ -z "$stopping" ]
}

number_of() { [[ $1 =~ \"$2\":\ *([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0; }

# Sums over all agents that the state knows into sampled, acknowledged, spooled, refused; the spools that counted them
# into incarnations, as SQL.
count_agents() {
    local config text
    sampled=0 acknowledged=0 spooled=0 refused=0 incarnations="''"
    for config in "$state"/agents/*/agent.yaml; do
        [ -e "$config" ] || break
        text=$("$build/esep-agent" status --json --config "$config" 2>/dev/null) || text=''
        sampled=$((sampled + $(number_of "$text" sampled)))
        acknowledged=$((acknowledged + $(number_of "$text" acknowledged)))
        spooled=$((spooled + $(number_of "$text" spooled)))
        refused=$((refused + $(number_of "$text" refused)))
        [[ ! $text =~ \"incarnation\":\ *\"([0-9a-f]+)\" ]] || incarnations+=", '${BASH_REMATCH[1]}'"
    done
}

time_is_up() { [ -n "${DEMO_SECONDS:-}" ] && [ "${DEMO_SECONDS}" -gt 0 ] && [ $((SECONDS - begun)) -ge "$DEMO_SECONDS" ]; }

# How many figures the agents will have sampled when history is in; a run that was cut short leaves its number to the next.
expect_history() {
    local figures=0
    [ ! -s "$state/expected" ] || figures=$(<"$state/expected")
    [ "$figures" -gt "$sampled_before" ] || figures=$sampled_before
    echo $((figures + written)) >"$state/expected"
}

# History has been delivered when every figure written for the agents, now and in earlier runs, was sampled and nothing waits.
wait_for_history() { # FIGURES
    local before='' quiet=0
    while check_children; do
        count_agents
        progress "history: $acknowledged of $1 figures acknowledged, $spooled waiting"
        [ "$sampled" -lt "$1" ] || [ "$spooled" -gt 0 ] || break
        if [ "$sampled $acknowledged" = "$before" ]; then quiet=$((quiet + 1)); else quiet=0; fi
        before="$sampled $acknowledged"
        [ $quiet -lt 120 ] || fail "stuck: $sampled of $1 figures read, $acknowledged acknowledged; see $state/log"
        pause 0.5
    done
    progress_end
    [ -z "$stopping" ]
}

# Opens the gate: files up to this step, live figures from the next one on.
go_live() {
    local now
    now=$(date +%s)
    pause $((10 - now % 10))
    [ -z "$stopping" ] || return 1
    now=$(($(date +%s) / 10 * 10))
    write_history "$now"
    echo $((now + 10)) >"$state/live"
    progress_end
}

# ---- the graphs: every series as PNG and SVG, and its figures from the API ------------------------------------------
ledger() { sqlite3 -readonly "$state/collector/ledger.sqlite" "$1"; }

fetch() { printf 'url = "http://127.0.0.1:%s/%s"\noutput = "%s"\n' "$port" "$1" "$2"; }

start_graph_check() {
    local now folder=$state/graphs name class from to n=0
    now=$(date +%s)
    rm -rf "$folder" && mkdir -p "$folder"
    while IFS='|' read -r name class; do
        from=$((now - 86400)) to=$now
        [ "$class" = 1 ] || from=$((now - 730 * 86400))
        [[ $name != */kep/* ]] || { from=915148800 to=1388534400; }
        n=$((n + 1))
        echo "$name" >"$folder/$n.name"
        fetch "graph/$name.png?from=$from&to=$to" "$folder/$n.png"
        fetch "graph/$name.svg?from=$from&to=$to" "$folder/$n.svg"
        fetch "api/v1/query?series=$name&from=$from&to=$to&format=csv" "$folder/$n.csv"
    done < <(ledger "select name, class from series order by name") >"$folder/urls"
    rm -f "$state/log/graphs.log"
    launch graphs curl -sS --fail --max-time 30 -w '%{filename_effective} %{http_code} %{content_type}\n' \
        --stderr "$folder/errors" -K "$folder/urls"
    graphs_pid=$launched
}

# Both images came as what they say they are, and there are figures to draw.
is_good() { # NUMBER
    local f=$state/graphs/$1 png svg
    [ "${answer[$f.png]:-}" = "200 image/png" ] && [[ ${answer[$f.svg]:-} = "200 image/svg+xml"* ]] || return 1
    read -r -n 4 png <"$f.png" && read -r -n 1000 -d '' svg <"$f.svg"
    [[ $png = *PNG && $svg = *'<svg'* ]] && grep -qE '^[^,]+,"?-?[0-9]' "$f.csv"
} 2>/dev/null

count_graphs() {
    local file n name rest unseen=0
    local -A answer=()
    [ ! -e "$state/log/graphs.log" ] || while read -r name rest; do answer[$name]=$rest; done <"$state/log/graphs.log"
    graphs=0
    for file in "$state"/graphs/*.name; do
        [ -e "$file" ] || break
        n=${file##*/}
        if is_good "${n%.name}"; then
            graphs=$((graphs + 1))
        elif [ -n "$graphs_cut" ] && [ -z "${answer[${file%.name}.csv]:-}" ]; then # the last of what is fetched for it
            unseen=$((unseen + 1))
        else
            echo "demo: no graph or no figures for $(<"$file")" >&2
        fi
    done
    [ "$unseen" -eq 0 ] || say "ended before $unseen of the graphs had been looked at"
}

# ---- the end --------------------------------------------------------------------------------------------------------
nothing_waits() { count_agents && [ "$spooled" -eq 0 ] && [ "$sampled" -eq $((acknowledged + refused)) ]; }

finish() {
    progress "ending"
    trap '' INT TERM
    stopping=''
    check_children
    stopping=''
    if [ -e "$state/live" ]; then
        rm -f "$state/live"
        echo $((($(date +%s) - 2) / 10 * 10)) >"$state/live_until"
        wait_until 15 nothing_waits
    fi
    [ ${#agent_pid[@]} -eq 0 ] || stop 15 "${agent_pid[@]}"
    ! alive "$graphs_pid" || { graphs_cut=1 && stop 2 "$graphs_pid"; }
    [ -z "$dashboard_pid" ] || stop 10 "$dashboard_pid"
    [ -z "$collector_pid" ] || stop 20 "$collector_pid"
    progress_end
}

# What the agents count as acknowledged against what plain SQLite finds in the ledger of the same spools. A spool that was
# begun anew has forgotten what the one before it counted.
account() {
    local stored earlier series
    count_agents
    stored=$(stored_samples "lower(hex(incarnation)) in ($incarnations)") || { fail "the ledger cannot be read"; stored=0; }
    earlier=$(stored_samples "lower(hex(incarnation)) not in ($incarnations)")
    series=$(ledger "select count(*) from series")
    count_graphs
    [ "${earlier:-0}" -eq 0 ] || say "$earlier figures more are stored from spools before the present ones"
    [ "$acknowledged" -eq "$stored" ] || status=1
    echo "demo: parks=$(parks_in_ledger) residents=${#residents[@]} series=$series sent=$acknowledged stored=$stored lost=$((acknowledged - stored)) graphs=$graphs"
}
stored_samples() { ledger "select coalesce(sum(samples), 0) from batch join stream using (stream_id) where batch.gap = 0 and $1"; }
parks_in_ledger() { ledger "select count(distinct substr(name, 1, instr(name, '/') - 1)) from series"; }

run() {
    written=0
    prepare || return
    count_agents
    sampled_before=$sampled
    write_history "$began_s" || return
    progress_end
    start_all || return
    echo "demo: http://127.0.0.1:$port (no users: this machine alone is answered, and reads everything)"
    expect_history
    wait_for_history "$(<"$state/expected")" || return
    rm -f "$state/expected"
    say "history is in: $acknowledged figures acknowledged after $((SECONDS - begun)) s; live figures every 10 s, until ${DEMO_SECONDS:+$DEMO_SECONDS s are over or }Ctrl-C"
    start_graph_check
    go_live || return
    known=99999999999 # machine figures come live from here on; days and months are added as they end
    local reports_at=$((SECONDS + 300))
    while check_children; do
        pause 1
        ! time_is_up || alive "$graphs_pid" || break
        [ $SECONDS -ge $reports_at ] || continue
        write_history "$(date +%s)" || return
        reports_at=$((SECONDS + 300))
    done
}

main() {
    check_settings
    lock_state
    trap 'stopping=1' INT TERM HUP
    run
    finish
    account
    exit "$status"
}
main # read to its end before it begins: the file may change while the demo runs
