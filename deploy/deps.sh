#!/usr/bin/env bash
# The one list of Debian packages Esep builds, runs and tests with. Says what is missing, installs only that, and asks for
# root or sudo only then.
#   deploy/deps.sh [build] [demo] [check] [faults] [fuzz] [browser] [bench] [package]     groups; default: build
set -euo pipefail

declare -A group=(
    [build]="build-essential pkg-config libzmq3-dev librrd-dev libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler
             libsqlite3-dev libsodium-dev libcyaml-dev libyaml-dev libjansson-dev libmicrohttpd-dev libexpat1-dev ca-certificates fonts-dejavu-core tzdata"
    [demo]="sqlite3 curl"
    [check]="libcmocka-dev sqlite3 curl openssl python3 python3-rrdtool python3-zmq python3-protobuf protobuf-compiler iproute2"
    [faults]="python3 python3-zmq python3-protobuf protobuf-compiler python3-rrdtool nftables iproute2 faketime"
    [clang]="clang libclang-rt-14-dev"
    [fuzz]="clang libclang-rt-14-dev"
    [lint]="clang-format clang-tidy shellcheck"
)

usage() {
    echo "usage: deploy/deps.sh [GROUP...]    groups: ${!group[*]} (default: build)"
}

wanted=()
[ $# -gt 0 ] || set -- build
for name in "$@"; do
    case $name in
    -h | --help) usage && exit 0 ;;
    esac
    [ -n "${group[$name]:-}" ] || { echo "deps: no group '$name'" >&2 && usage >&2 && exit 2; }
    read -r -d '' -a more <<<"${group[$name]}" || true
    wanted+=("${more[@]}")
done

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
