#!/usr/bin/env bash
# Runs the tests that are built and counts them; `make check` calls it.
#   BUILD=build/gcc tests/run.sh [PART]      PART: only tests whose path contains it
# Unit and flow tests are cmocka programs, system tests are tests/system/*.sh; two at a time, each
# with BUILD and a TMPDIR of its own; they print `ok NAME`, `not ok NAME: why` or `skip NAME: why` a line.
# The output of what fails is shown in full. The last line is `N passed, M failed`, with `, K skipped` when there are.
# With CHECK_AGAIN=1 a system test that failed runs once more, by itself: a deadline missed on a crowded machine is told
# apart from a defect, and counted in the last line as `, K only at the second attempt`. What a sanitizer found stays found.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

BUILD=${BUILD:-build/gcc}
only=${1:-}
limit_s=${TEST_LIMIT_S:-600}
parallel=2
ulimit -c 0

export BUILD
export ASAN_OPTIONS="detect_leaks=1:abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1${UBSAN_OPTIONS:+:$UBSAN_OPTIONS}"
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp:halt_on_error=1:second_deadlock_stack=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}"
if [ -f tests/lsan.supp ]; then
    export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}"
fi

work=$(mktemp -d /tmp/esep-check.XXXXXX) || exit 1
chmod 711 "$work" # tests of file modes read as another user
declare -A running=() # process id → number of its test
cleanup() {
    [ ${#running[@]} -eq 0 ] || kill "${!running[@]}" 2>/dev/null # timeout passes it on to the test and its children
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

passed=0 failed=0 skipped=0 second=0
failing=() # NUMBER OF FAILURES, TEST: what may run again

progress() {
    [ ! -t 2 ] || printf '\r\033[K%s' "$1" >&2
}

sum_of() { # the numbers that a sed pattern captures, added up
    sed -nE "s/$1/\1/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}

count_lines() {
    grep -cE "$1" "$2" || true
}

# What cmocka says at its end, or, when a test never came to its end, what it had said until then.
count_cmocka() { # output, exit status → good bad skip
    good=$(sum_of '^\[  PASSED  \] ([0-9]+) test.*' "$1")
    bad=$(sum_of '^\[  FAILED  \].* ([0-9]+) test\(s\), listed below.*' "$1")
    skip=$(sum_of '^\[  SKIPPED \].* ([0-9]+) test\(s\), listed below.*' "$1")
    if ! grep -q '^\[  PASSED  \]' "$1"; then
        good=$(count_lines '^\[       OK \]' "$1")
        bad=$(($(count_lines '^\[  FAILED  \] [a-z]' "$1") + 1)) # and the one it ended in
    elif [ "$2" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    fi
}

count_system() { # output, exit status → good bad skip
    good=$(count_lines '^ok ' "$1")
    bad=$(count_lines '^not ok ' "$1")
    skip=$(count_lines '^skip ' "$1")
    if [ "$bad" -eq 0 ] && { [ "$2" -ne 0 ] || [ $((good + skip)) -eq 0 ]; }; then
        bad=1
    fi
}

start() { # number, test
    mkdir "$work/$1.tmp" || exit 1
    TMPDIR=$work/$1.tmp timeout -k 10 "$limit_s" "$2" >"$work/$1.out" 2>&1 </dev/null &
    running[$!]=$1
}

finish_one() { # how to count, tests...: whichever ends next
    local count=$1 status=0 pid number out name good bad skip
    shift
    wait -n -p pid "${!running[@]}" || status=$?
    number=${running[$pid]}
    unset "running[$pid]"
    out=$work/$number.out name=${*:number+1:1}
    "$count" "$out" "$status"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
    if [ "$bad" -gt 0 ]; then
        progress ""
        echo "==== $name: exit status $status$([ "$status" -ne 124 ] || echo ", stopped after $limit_s s")"
        cat "$out"
        echo "==== end of $name"
        [ "$count" != count_system ] || grep -qE 'Sanitizer|runtime error:' "$out" || failing+=("$bad $name")
    elif [ "$skip" -gt 0 ]; then
        progress ""
        grep -E '^skip |^\[  SKIPPED \] [a-z]' "$out"
    fi
    rm -rf "$work/$number.tmp" "$out"
}

run_all() { # how many at a time, how to count, tests...
    local at_once=$1 count=$2 i
    shift 2
    local tests=("$@")
    for i in "${!tests[@]}"; do
        [ ${#running[@]} -lt "$at_once" ] || finish_one "$count" "${tests[@]}"
        progress "[$((i + 1))/${#tests[@]}] ${tests[$i]}"
        start "$i" "${tests[$i]}"
    done
    while [ ${#running[@]} -gt 0 ]; do
        finish_one "$count" "${tests[@]}"
    done
}

run_again() {
    local entry bad test before is_better
    local entries=("${failing[@]}")
    for entry in "${entries[@]}"; do
        read -r bad test <<<"$entry"
        before=("$passed" "$failed" "$skipped")
        run_all 1 count_system "$test"
        is_better=$((failed == before[1]))
        passed=${before[0]} failed=${before[1]} skipped=${before[2]}
        [ "$is_better" -eq 1 ] || continue
        echo "==== $test: passes when it runs again by itself"
        failed=$((failed - bad)) second=$((second + bad))
    done
}

programs=() scripts=()
# From the sources, so that a leftover of an older build is not run and a test that was not built is not forgotten.
while IFS= read -r source; do
    test=$BUILD/${source%.c}
    if [ -x "$test" ]; then
        programs+=("$test")
    else
        echo "==== $test: not built" && failed=$((failed + 1))
    fi
done < <(find tests/unit tests/flow -name '*_test.c' 2>/dev/null | grep -F -- "$only" | sort)
while IFS= read -r test; do
    scripts+=("$test")
done < <(find tests/system -maxdepth 1 -name '*.sh' -type f -perm -u+x 2>/dev/null | grep -F -- "$only" | sort)

run_all "$parallel" count_cmocka "${programs[@]}"
run_all "$parallel" count_system "${scripts[@]}"
[ -z "${CHECK_AGAIN:-}" ] || run_again
progress ""

if [ $((passed + failed + skipped)) -eq 0 ]; then
    echo "no test was run${only:+: none has $only in its path}"
    failed=1
fi
[ "$skipped" -gt 0 ] && more=", $skipped skipped" || more=
[ "$second" -eq 0 ] || more+=", $second only at the second attempt"
echo "$passed passed, $failed failed$more"
[ "$failed" -eq 0 ]
