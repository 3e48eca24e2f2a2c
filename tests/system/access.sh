#!/usr/bin/env bash
# Who is speaking: strangers at the door, rivals inside. access/README.md says how.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
exec /usr/bin/python3 tests/system/access/run.py --build "${BUILD:-build/gcc}"
