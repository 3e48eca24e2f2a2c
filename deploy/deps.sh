#!/usr/bin/env bash
# The one list of Debian packages Esep builds, runs and tests with. Says what is missing, installs only that, and asks for
# root or sudo only then.
#   deploy/deps.sh [build] [demo] [check] [faults] [fuzz] [bench] …     groups; default: build
#   deploy/deps.sh --unpack FOLDER GROUP…     downloads them, and what they need that is not installed, and unpacks that
#                                             there: nothing is installed, started or configured (the peers of make bench-peers)
set -euo pipefail

declare -A group=(
    [build]="build-essential pkg-config libzmq3-dev librrd-dev libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler
             libsqlite3-dev libsodium-dev libcyaml-dev libyaml-dev libjansson-dev libmicrohttpd-dev libexpat1-dev ca-certificates fonts-dejavu-core tzdata"
    [demo]="sqlite3 curl"
    [check]="libcmocka-dev sqlite3 curl openssl python3 python3-rrdtool python3-zmq python3-protobuf protobuf-compiler iproute2"
    [faults]="python3 python3-zmq python3-protobuf protobuf-compiler python3-rrdtool nftables iproute2 faketime"
    [clang]="clang libclang-rt-14-dev"
    [fuzz]="clang libclang-rt-14-dev"
    [bench]="python3 python3-snappy python3-rrdtool python3-zmq python3-protobuf protobuf-compiler strace util-linux"
    [peers]="victoria-metrics rrdcached collectd-core graphite-carbon prometheus"
    [lint]="clang-format clang-tidy shellcheck"
)

usage() {
    echo "usage: deploy/deps.sh [--unpack FOLDER] [GROUP...]    groups: ${!group[*]} (default: build)"
}

wanted=()
unpack_to=
if [ "${1:-}" = --unpack ]; then
    unpack_to=${2:?folder} && shift 2
fi
[ $# -gt 0 ] || set -- build
for name in "$@"; do
    case $name in
    -h | --help) usage && exit 0 ;;
    esac
    [ -n "${group[$name]:-}" ] || { echo "deps: no group '$name'" >&2 && usage >&2 && exit 2; }
    read -r -d '' -a more <<<"${group[$name]}" || true
    wanted+=("${more[@]}")
done

# ---- only unpacked -----------------------------------------------------------------------------------------------------
unpack() { # FOLDER; done once for a list of packages
    local stamp="$1/.unpacked" list="${wanted[*]}" deb debs
    [ "$(cat "$stamp" 2>/dev/null)" != "$list" ] || return 0
    rm -rf "$1" && mkdir -p "$1/debs"
    echo "deps: unpacking into $1: $list"
    needed() { apt-get install -s -y --no-install-recommends "${wanted[@]}" | sed -n 's/^Inst \([^ ]*\).*/\1/p'; }
    fetch() { mapfile -t debs < <(needed) && (cd "$1/debs" && apt-get download -qq "${debs[@]}"); }
    if ! fetch "$1" >"$1/log" 2>&1; then
        if [ "$(id -u)" -eq 0 ]; then apt-get update >>"$1/log" 2>&1; fi
        fetch "$1" >>"$1/log" 2>&1 || { cat "$1/log" >&2; exit 1; }
    fi
    for deb in "$1"/debs/*.deb; do dpkg-deb -x "$deb" "$1"; done
    rm -rf "$1/debs"
    echo "$list" >"$stamp"
}
if [ -n "$unpack_to" ]; then
    unpack "$unpack_to"
    exit 0
fi

# ---- installed ---------------------------------------------------------------------------------------------------------
missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "deps: these packages are missing: ${missing[*]}" >&2
        echo "deps: install them as root: apt-get install ${missing[*]}" >&2
        exit 1
    }
    root=(sudo)
fi
echo "deps: installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() {
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1
}
# A list of packages that is old or absent makes the first try fail: refresh it once and try again.
if ! install; then
    "${root[@]}" apt-get update >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
    install || { cat "$log" >&2; exit 1; }
fi
