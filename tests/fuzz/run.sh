#!/usr/bin/env bash
# Runs the fuzz targets that are built, two at a time, each for a bounded time; `make fuzz` calls it.
#   BUILD=build/fuzz FUZZ_SECONDS=20 tests/fuzz/run.sh [PART]      PART: only targets whose name contains it
# A target begins with tests/fuzz/corpus/<target>/ and what earlier runs found (BUILD/corpus/<target>/, not kept in the
# repository). A line a target, the path of the reproducer for each crash, and the sum as the last line.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

BUILD=${BUILD:-build/fuzz}
seconds=${FUZZ_SECONDS:-20}
only=${1:-}
parallel=2
ulimit -c 0

[[ $seconds =~ ^[1-9][0-9]{0,5}$ ]] || { echo "fuzz: FUZZ_SECONDS must be a number of seconds, not '$seconds'" >&2 && exit 2; }

# Longer than this an input says nothing new. The default is 4,096 bytes.
declare -A max_len=([wire_decode]=16400 [config_park]=16384 [rrd_file]=2048)

export ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1:allocator_may_return_null=1:malloc_context_size=8:quarantine_size_mb=16${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"

memory=/tmp # the targets write files for each input
[ ! -w /dev/shm ] || memory=/dev/shm
work=$(mktemp -d "$memory/esep-fuzz.XXXXXX") || exit 1
running=() # process ids, in the order they were started
cleanup() {
    [ ${#running[@]} -eq 0 ] || kill "${running[@]}" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() { # target
    local name=$1 options=()
    mkdir -p "$BUILD/corpus/$name" "$BUILD/crashes" "$work/$name"
    mkdir -p "tests/fuzz/corpus/$name"
    [ ! -f "tests/fuzz/$name.dict" ] || options+=("-dict=tests/fuzz/$name.dict")
    # A target that does not even come to its first input is ended from outside.
    TMPDIR=$work/$name timeout -k 5 $((seconds + 120)) "$BUILD/fuzz_$name" -max_total_time="$seconds" \
        -max_len="${max_len[$name]:-4096}" -timeout=10 -rss_limit_mb=3072 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="$BUILD/crashes/$name-" "${options[@]}" \
        "$BUILD/corpus/$name" "tests/fuzz/corpus/$name" >"$work/$name.log" 2>&1 </dev/null &
    running+=($!)
}

crashes=0
finish() { # target
    local name=$1 status=0 runs took reproducer why
    wait "${running[0]}" || status=$?
    running=("${running[@]:1}")
    runs=$(sed -nE 's/^stat::number_of_executed_units: *([0-9]+).*/\1/p' "$work/$name.log" | tail -1)
    took=$(sed -nE 's/^Done [0-9]+ runs in ([0-9]+) second.*/\1/p' "$work/$name.log" | tail -1)
    echo "fuzz $name runs=${runs:-0} seconds=${took:-?} crashes=$((status != 0))"
    if [ "$status" -ne 0 ]; then
        crashes=$((crashes + 1))
        case $status in
        72) why=", interrupted by a signal" ;;
        124 | 137) why=", hung and stopped from outside" ;;
        *) why= ;;
        esac
        echo "==== $name: exit status $status$why"
        tail -n 60 "$work/$name.log" | cut -c1-400
        reproducer=$(sed -nE 's/.*Test unit written to (.*)$/\1/p' "$work/$name.log" | tail -1)
        echo "==== reproduce: TMPDIR=$memory $BUILD/fuzz_$name ${reproducer:-(no input was kept)}"
    fi
    rm -rf "${work:?}/$name" "$work/$name.log"
}

targets=()
# From the sources, so that a target that was not built is not forgotten.
while IFS= read -r source; do
    name=$(basename "$source" _fuzz.c)
    if [ -x "$BUILD/fuzz_$name" ]; then
        targets+=("$name")
    else
        echo "fuzz $name: not built" && crashes=$((crashes + 1))
    fi
done < <(find tests/fuzz -name '*_fuzz.c' | grep -F -- "$only" | sort)
[ ${#targets[@]} -gt 0 ] || { echo "fuzz: no target${only:+ has $only in its name}" >&2 && exit 2; }

first=0
for name in "${targets[@]}"; do
    if [ ${#running[@]} -ge "$parallel" ]; then
        finish "${targets[$first]}"
        first=$((first + 1))
    fi
    start "$name"
done
while [ ${#running[@]} -gt 0 ]; do
    finish "${targets[$first]}"
    first=$((first + 1))
done
echo "fuzz: targets=${#targets[@]} crashes=$crashes"
[ "$crashes" -eq 0 ]
