#!/usr/bin/python3
"""Tries to break the promise that nothing acknowledged is lost or doubled. One line a class, one line in the end.

Every round has a seed that is printed; --seed repeats exactly that round. FAULT_ROUNDS multiplies the rounds."""
import argparse
import importlib
import os
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from recorder import wire  # noqa: E402
from recorder.ledger import Findings  # noqa: E402

CLASSES = ["kill", "agentkill", "agentpoints", "crashpoints", "syncs", "full", "stopped", "order", "flips", "power",
           "restored"]


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("classes", nargs="*", help=f"which of: {' '.join(CLASSES)} (default: all)")
    p.add_argument("--build", default=os.environ.get("BUILD", "build/gcc"))
    p.add_argument("--seed", type=int, help="one round with this seed")
    p.add_argument("--keep", action="store_true", help="keep the folders")
    options = p.parse_args()
    options.factor = float(os.environ.get("FAULT_ROUNDS", "1"))
    options.root = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
    options.build = os.path.abspath(options.build)
    options.folder = tempfile.mkdtemp(prefix="esep-faults-")
    options.shim = f"{options.build}/tests/faults/shim.so"
    options.pb = wire.load(f"{options.root}/lib/wire/esep.proto", f"{options.folder}/pb")
    os.chdir(options.root)
    return options


def run_class(options, name):
    module = importlib.import_module(f"classes.{name}")
    found, extra, rounds = Findings(), {}, 0
    started = time.monotonic()
    seeds = [options.seed] if options.seed is not None else range(1, max(1, int(module.ROUNDS * options.factor)) + 1)
    for seed in seeds:
        one = Findings()
        try:
            for key, value in (module.round_of(options, seed, one) or {}).items():
                extra[key] = extra.get(key, 0) + value
        except Exception:  # a round that breaks is a finding, with its seed
            one.unbalanced += 1
            one.note(traceback.format_exc(limit=3).replace("\n", " | "))
        rounds += 1
        if not one.clean():
            print(f"faults {name} seed={seed} FAILED: {'; '.join(one.details)}", flush=True)
        found.add(one)
    more = "".join(f" {k}={v}" for k, v in sorted(extra.items()))
    print(f"faults {name} rounds={rounds} acked={found.acked} stored={found.stored} lost={found.lost} doubled={found.doubled}"
          f" changed={found.changed} unbalanced={found.unbalanced}{more} seconds={time.monotonic() - started:.0f}", flush=True)
    return found


def main():
    options = parse()
    total, undetected = Findings(), 0
    names = options.classes or CLASSES
    for name in names:
        found = run_class(options, name)
        total.add(found)
        undetected += found.changed
    print(f"faults: classes={len(names)} lost={total.lost} doubled={total.doubled} undetected={undetected}"
          f" unbalanced={total.unbalanced}")
    return 0 if total.clean() else 1


if __name__ == "__main__":
    sys.exit(main())
