#!/usr/bin/python3
"""Our own figures: one line `bench NAME VALUE UNIT goal=G met|short` for each goal that needs nobody to compare with, `note …` lines
beside them. BENCH_ONLY=part,part runs what has one of them in its name; README.md says what each row is. Always ends 0 unless it could not measure."""
import os
import sys
import time
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
    only = os.environ.get("BENCH_ONLY", "").split(",")
    chosen = [name for name in PARTS if any(part in name for part in only)]
    if len(sys.argv) > 1 or not chosen:
        print(f"usage: [BUILD=build/gcc] [BENCH_ONLY=part] [BENCH_QUICK=1] bench.py    parts: {' '.join(PARTS)}", file=sys.stderr)
        return 2
    rig.begin()
    # What the goals themselves take, and what a part does once, is not for rounds.
    once_min = rig.setting("BENCH_MINUTES", 10.0, 0.5) + rig.setting("BENCH_AWAY", 300, 10) / 60 + 16
    rig.for_rounds_s = max(0.0, rig.setting("BENCH_BUDGET_MIN", 45.0) - once_min) * 60
    print(f"note machine {rig.machine()}", flush=True)
    begun, failed = time.monotonic(), 0
    for name in chosen:
        rig.say(f"{name} …")
        at = time.monotonic()
        try:
            PARTS[name]()
        except (OSError, RuntimeError, TimeoutError, ValueError, KeyError) as e:
            failed += 1
            traceback.print_exc()
            print(f"note {name} not measured: {type(e).__name__}: {e}", flush=True)
        print(f"note took {name} s={time.monotonic() - at:.0f} since_the_start={time.monotonic() - begun:.0f}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
