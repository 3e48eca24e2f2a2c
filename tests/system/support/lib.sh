# Sourced by the system tests: the real binaries, in a folder and on ports of their own. Every wait has a limit and polls a
# condition; only processes started here are ended, by their pid.
#   A test is a function whose name is a sentence; `run_tests NAME...` calls each and prints `ok NAME` or `not ok NAME: why`.
#   It fails by returning `fail "why"`.
# shellcheck shell=bash disable=SC2034  # the variables set here are for the tests
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
cd "$root" || exit 1
build=${BUILD:-build/gcc}
[[ $build = /* ]] || build=$root/$build
support=$root/tests/system/support
work=$(mktemp -d "${TMPDIR:-/tmp}/esep.XXXXXX") || exit 1
wait_s=${SYSTEM_WAIT_S:-30}
why=''
declare -A pid=()

cleanup() {
    [ ${#pid[@]} -eq 0 ] || kill -KILL "${pid[@]}" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

fail() {
    why="$*"
    return 1
}

run_tests() {
    local name
    for name in "$@"; do
        why='returned an error'
        if "$name"; then
            echo "ok $name"
        else
            echo "not ok $name: $why"
            tail -n 5 "$work"/*.log 2>/dev/null | sed 's/^/    /'
        fi
    done
}

# ---- waiting ----------------------------------------------------------------------------------------------------------
wait_for() { # COMMAND...: until it succeeds, at most $wait_s seconds
    local until=$((SECONDS + wait_s))
    until "$@"; do
        [ $SECONDS -lt $until ] || return 1
        sleep 0.05
    done
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() { # below the range that the kernel hands out to clients
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        port_taken $port || break
    done
    echo $port
}

# ---- processes --------------------------------------------------------------------------------------------------------
start() { # NAME COMMAND...: output goes to $work/NAME.log
    local name=$1
    shift
    "$@" </dev/null >>"$work/$name.log" 2>&1 &
    pid[$name]=$!
}
is_running() { [ -n "${pid[$1]:-}" ] && kill -0 "${pid[$1]}" 2>/dev/null; }
has_ended() { ! is_running "$1"; }
# stop NAME [SIGNAL]: its exit status; 99 when it had to be killed.
stop() {
    local it=${pid[$1]:-}
    [ -n "$it" ] || return 0
    kill "-${2:-TERM}" "$it" 2>/dev/null
    if ! wait_for has_ended "$1"; then
        kill -KILL "$it"
        wait "$it" 2>/dev/null
        unset "pid[$1]"
        return 99
    fi
    unset "pid[$1]"
    wait "$it" 2>/dev/null
}

# run COMMAND...: its exit status in $status, its output in $out and $err
run() {
    status=0
    "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    out=$(<"$work/out") err=$(<"$work/err")
}

# ---- a park on the spot -------------------------------------------------------------------------------------------------
make_park() { # testpark with the residents plant and office; $collector_key, $collector_port, $dashboard_port
    collector_port=$(free_port)
    dashboard_port=$(free_port)
    mkdir -p "$work/parks"
    cp "$support/testpark.yaml" "$work/parks/"
    cat >"$work/collector.yaml" <<END
endpoint: tcp://127.0.0.1:$collector_port
state: $work/collector
catalogue: $root/deploy/catalogue.yaml
parks: $work/parks
END
    cat >"$work/dashboard.yaml" <<END
listen: 127.0.0.1:$dashboard_port
state: $work/collector
catalogue: $root/deploy/catalogue.yaml
parks: $work/parks
END
    collector_key=$("$build/esep-collector" keygen --config "$work/collector.yaml")
}

collector() { # COMMAND ARGUMENTS...
    "$build/esep-collector" "$@" --config "$work/collector.yaml"
}
collector_answers() { collector status 2>/dev/null | grep -q '^state *running'; }
start_collector() {
    start collector "$build/esep-collector" run --config "$work/collector.yaml"
    wait_for collector_answers || fail "the collector does not answer"
}

dashboard_url() { echo "http://127.0.0.1:$dashboard_port/$1"; }
get() { curl -fsS --max-time 10 "$(dashboard_url "$1")"; }
dashboard_answers() { get healthz >/dev/null 2>&1; }
start_dashboard() {
    start dashboard "$build/esep-dashboard" run --config "$work/dashboard.yaml"
    wait_for dashboard_answers || fail "the dashboard does not answer"
}

make_agent() { # NAME: its sources in YAML on standard input; the key is made, not admitted
    mkdir -p "$work/$1"
    {
        printf 'collector:\n  endpoint: tcp://127.0.0.1:%s\n  key: "%s"\nstate: %s\nsources:\n' \
            "$collector_port" "$collector_key" "$work/$1/state"
        cat
    } >"$work/$1/agent.yaml"
    "$build/esep-agent" keygen --config "$work/$1/agent.yaml" >"$work/$1/key"
}
admit() { # NAME PARK/RESIDENT
    collector admit "$2" "$(<"$work/$1/key")" >/dev/null
}
agent() { # NAME COMMAND ARGUMENTS...
    local name=$1
    shift
    "$build/esep-agent" "$@" --config "$work/$name/agent.yaml"
}
start_agent() { start "$1" "$build/esep-agent" run --config "$work/$1/agent.yaml"; }

json() { # FIELD: of the JSON object on standard input, dots lead inside
    python3 -c 'import json,sys
v = json.load(sys.stdin)
for part in sys.argv[1].split("."):
    v = v[int(part)] if isinstance(v, list) else v.get(part, "")
print(json.dumps(v) if isinstance(v, (dict, list)) else v)' "$1" 2>/dev/null
}
agent_count() { agent "$1" status --json 2>/dev/null | json "$2"; } # NAME FIELD
has_acknowledged() { [ "$(agent_count "$1" acknowledged)" -ge "$2" ] 2>/dev/null; } # NAME SAMPLES

ledger() { sqlite3 -readonly -cmd '.timeout 5000' "$work/collector/ledger.sqlite" "$1"; }
stored_samples() { ledger 'select coalesce(sum(samples), 0) from batch where gap = 0'; }
refused_samples() { ledger 'select coalesce(sum(refused), 0) from batch where gap = 0'; }
