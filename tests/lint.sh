#!/usr/bin/env bash
# What the compilers don't look at; `make lint` calls it. BUILD names the variant whose generated headers are used.
#   BUILD=build/gcc tests/lint.sh [PART]     PART: only tracked files whose path contains it
# Layout, folders' includes, one place for each foreign library, headers that stand alone, clang-tidy, shellcheck, length.
# Every step runs to its end, so one run shows everything. The last line is `lint: N files clean` or what is not.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

BUILD=${BUILD:-build/gcc}
only=${1:-}
parallel=2
problems=0

tracked() { # patterns
    git ls-files -- "$@" | grep -F -- "$only" | while IFS= read -r file; do [ ! -f "$file" ] || echo "$file"; done
}
mapfile -t c_files < <(tracked '*.c')
mapfile -t headers < <(tracked '*.h')
mapfile -t scripts < <(tracked '*.sh' .ci/run)
sources=("${c_files[@]}" "${headers[@]}")

bad() {
    echo "lint: $1" >&2
    problems=$((problems + 1))
}

check_layout() {
    local file
    [ ${#sources[@]} -eq 0 ] || clang-format --dry-run -Werror "${sources[@]}" >"$work/layout" 2>&1
    while IFS= read -r file; do
        bad "$file: layout: run make fmt"
    done < <(sed -nE 's/^([^:]+):[0-9]+:[0-9]+: error: .*/\1/p' "$work/layout" 2>/dev/null | sort -u)
}

# ---- folders ---------------------------------------------------------------------------------------------------------
# Files under the first column may include "…" headers that begin with one of the rest. The first row that fits counts.
# dashboards/check is a program of its own, linked with lib alone.
directions='
lib/base/           base/
lib/kpi/            kpi/ base/
lib/wire/           wire/ base/
lib/net/            net/ base/
lib/store/          store/ kpi/ wire/ net/ base/
agent/              agent/ store/ kpi/ wire/ net/ base/
collector/          collector/ store/ kpi/ wire/ net/ base/
dashboards/check/   dashboards/check/ store/ kpi/ wire/ net/ base/
dashboards/         dashboards/ store/ kpi/ wire/ net/ base/
deploy/demo/        deploy/demo/ store/ kpi/ wire/ net/ base/
tests/              tests/ agent/ collector/ dashboards/ store/ kpi/ wire/ net/ base/
'
allowed_for() { # file
    local folder rest
    while read -r folder rest; do
        [[ -z $folder || $1 != "$folder"* ]] || { echo "$rest" && return; }
    done <<<"$directions"
}
check_directions() {
    local file line header allowed prefix fits
    for file in "${sources[@]}"; do
        allowed=$(allowed_for "$file")
        [ -n "$allowed" ] || { bad "$file: no row for its folder in tests/lint.sh" && continue; }
        while IFS=: read -r line header; do
            fits=
            for prefix in $allowed; do [[ $header != "$prefix"* ]] || fits=1; done
            [[ $file == dashboards/check/* || $header != dashboards/check/* ]] || [[ $file == tests/* ]] || fits=
            [ -n "$fits" ] || bad "$file:$line: includes \"$header\": from here only $allowed"
        done < <(sed -nE '/^[[:space:]]*#[[:space:]]*include[[:space:]]+"/{=;s/.*"([^"]*)".*/\1/p}' "$file" | paste -d: - -)
    done
}

# ---- foreign libraries -------------------------------------------------------------------------------------------------
# A header (as a pattern) and the only files that may include it. Tests may include any: they look from outside.
homes='
zmq(_utils)?\.h             lib/net/(mq.*|zap)\.c
curl/.*                     lib/net/http\.c
sqlite3\.h                  lib/store/db\.c
rrd(_.*)?\.h                lib/store/rrd(_graph|_header)?\.[ch]
(cyaml/.*|yaml\.h)          lib/base/config(_document|_schema)?\.[ch]
sodium(\.h|/.*)             lib/base/crypto\.c
(wire/)?esep\.pb-c\.h       lib/wire/codec.*\.c
protobuf-c/.*               lib/wire/codec.*\.c
microhttpd\.h               dashboards/http\.c
expat\.h                    lib/kpi/feed_xml\.c
jansson\.h                  .*
'
check_homes() {
    local file mark header pattern home known
    for file in "${sources[@]}"; do
        [[ $file != tests/* ]] || continue
        while read -r mark header; do
            known=
            while read -r pattern home; do
                [[ -n $pattern && $header =~ ^$pattern$ ]] || continue
                known=1
                [[ $file =~ ^$home$ ]] || bad "$file: includes <$header>, which only $home may"
            done <<<"$homes"
            # "…" that is none of these is a header of the project
            [[ -n $known || $mark != '<' ]] || echo "$header $file" >>"$work/other-headers"
        done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]+([<"])([^>"]*)[>"].*/\1 \2/p' "$file")
    done
}
# What no row names must belong to the C library, the kernel or the compiler; anything else is a library without a home.
check_other_headers() {
    local header file path
    sort -u -k1,1 "$work/other-headers" 2>/dev/null | while read -r header file; do
        path=$(echo "#include <$header>" | gcc -E -x c - 2>/dev/null | sed -nE 's/^# 1 "(\/[^"]*)".*/\1/p' | grep -F "/$header" | head -1)
        echo "$header $file ${path:-/nowhere}"
    done >"$work/placed"
    awk '{ print $3 }' "$work/placed" | grep -v /nowhere | sort -u | xargs -r dpkg -S 2>/dev/null |
        awk '/^(libc6-dev|linux-libc-dev|libgcc-[0-9]+-dev)/ { print $2 }' >"$work/system-headers"
    while read -r header file path; do
        grep -qxF "$path" "$work/system-headers" || bad "$file: <$header> belongs to a library that tests/lint.sh gives no home"
    done <"$work/placed"
}

# ---- the compilers' view -----------------------------------------------------------------------------------------------
# The Makefile's own flags, one a line, so that the two never differ.
load_flags() {
    # shellcheck disable=SC2016  # make expands it, not the shell
    mapfile -t flags < <(make -s --no-print-directory --eval 'print-flags:; @printf "%s\n" $(ALL_CFLAGS)' print-flags)
    [ ${#flags[@]} -gt 0 ] || { bad "the Makefile gives no flags" && return; }
    flags+=(-isystem "$BUILD/gen")
    printf '%s\n' "${flags[@]}" >"$work/flags"
}
check_headers() {
    local file
    for file in "${headers[@]}"; do
        # The second line is for headers of macros alone: an empty translation unit is not C.
        printf '#include "%s"\nextern int alone;\n' "$file" | gcc "${flags[@]}" -fsyntax-only -x c - ||
            bad "$file: does not compile alone"
    done
}

# clang-tidy takes seconds a file: one that passed is not looked at again until it, a header it reads or the rules change.
tidy_one() { # work, tidy folder, file
    local work=$1 stamps=$2 file=$3 key
    local flags
    mapfile -t flags <"$work/flags"
    key=$({ clang -E -CC "${flags[@]}" "$file" && cat "${@:4}"; } 2>/dev/null | sha256sum | cut -c1-40)
    [ ! -f "$stamps/$key" ] || return 0
    if clang-tidy --quiet "$file" -- "${flags[@]}" >"$work/tidy.$$" 2>/dev/null; then
        : >"$stamps/$key"
    else
        cat "$work/tidy.$$"
        echo "$file" >>"$work/untidy"
    fi
}
check_tidy() {
    local stamps=$BUILD/lint file
    mkdir -p "$stamps"
    find "$stamps" -type f -mtime +7 -delete
    export -f tidy_one
    [ ${#c_files[@]} -eq 0 ] || printf '%s\n' "${c_files[@]}" |
        xargs -P "$parallel" -I{} bash -c 'tidy_one "$@"' _ "$work" "$stamps" {} .clang-tidy tests/.clang-tidy
    [ ! -f "$work/untidy" ] || while IFS= read -r file; do bad "$file: clang-tidy"; done <"$work/untidy"
}

# ---- length ------------------------------------------------------------------------------------------------------------
# file and its own limit, for the few that are one contract and read worse in pieces
long_files='
'
check_length() {
    local file limit lines own
    for file in "${sources[@]}"; do
        case $file in
        *.h) limit=150 ;;
        tests/*) limit=600 ;;
        *) limit=500 ;;
        esac
        own=$(awk -v f="$file" '$1 == f { print $2 }' <<<"$long_files")
        lines=$(wc -l <"$file")
        [ "$lines" -le "${own:-$limit}" ] || bad "$file: $lines lines, more than ${own:-$limit}: one idea a file"
    done
}

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

check_layout
check_directions
check_homes
check_other_headers
check_length
load_flags
check_headers
if [ ${#scripts[@]} -gt 0 ] && command -v shellcheck >/dev/null; then
    shellcheck -S warning "${scripts[@]}" || bad "shellcheck"
fi
check_tidy

if [ "$problems" -gt 0 ]; then
    echo "lint: $problems problems"
    exit 1
fi
echo "lint: $((${#sources[@]} + ${#scripts[@]})) files clean"
