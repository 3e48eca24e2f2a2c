#!/usr/bin/python3
"""Our own figures: one line `bench NAME VALUE UNIT goal=G met|short` for each goal that needs nobody to compare with, `note …` lines
beside them. BENCH_ONLY=part runs what has that in its name; README.md says what each row is. Always ends 0 unless it could not measure."""
import os
import signal
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rig  # noqa: E402
import rows_agent  # noqa: E402
import rows_files  # noqa: E402
import rows_ingest  # noqa: E402
import rows_profile  # noqa: E402
import rows_read  # noqa: E402

PARTS = {**rows_ingest.PARTS, **rows_files.PARTS, **rows_agent.PARTS, **rows_read.PARTS, **rows_profile.PARTS}


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended and removed
    only = os.environ.get("BENCH_ONLY", "")
    chosen = [name for name in PARTS if only in name]
    if len(sys.argv) > 1 or not chosen:
        print(f"usage: [BUILD=build/gcc] [BENCH_ONLY=part] [BENCH_QUICK=1] bench.py    parts: {' '.join(PARTS)}", file=sys.stderr)
        return 2
    print(f"note machine {rig.machine()}", flush=True)
    failed = 0
    for name in chosen:
        rig.say(f"{name} …")
        try:
            PARTS[name]()
        except (OSError, RuntimeError, TimeoutError, ValueError, KeyError) as e:
            failed += 1
            traceback.print_exc()
            print(f"note {name} not measured: {type(e).__name__}: {e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
