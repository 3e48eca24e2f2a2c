#!/usr/bin/env bash
# Forgets the demo's state: its keys, ledger, graphs and the simulated enterprises' files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
state=${DEMO_STATE:-build/demo}
[ -e "$state" ] || exit 0
[ -e "$state/demo.lock" ] || { echo "demo-clean: $state does not look like a demo's state; remove it by hand" >&2; exit 1; }
exec 9>"$state/demo.lock"
flock -n 9 || { echo "demo-clean: a demo is running with the state in $state; end it first" >&2; exit 1; }
rm -rf -- "$state"
