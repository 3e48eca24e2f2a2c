#!/usr/bin/python3
"""Tries to break the promise that what is acknowledged is neither lost nor doubled. One line a class, one line at the end.

A class has parts, a part has rounds, a round has a seed; rounds run side by side, each in a process of its own.
FAULT_ROUNDS multiplies the rounds, FAULT_SEED moves the seeds, FAULT_JOBS is how many run at once (default: two a core)."""
import argparse
import importlib
import os
import signal
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from jobs import Jobs  # noqa: E402
from recorder import wire  # noqa: E402
from recorder.ledger import Findings  # noqa: E402

CLASSES = [
    (1, "kill", ["kill", "agentkill", "retainkill"]),
    (2, "crashpoints", ["crashpoints", "spoolpoints", "retainpoints"]),
    (3, "syncs", ["syncs", "spoolsyncs", "retainsyncs"]),
    (4, "full", ["full", "fullspool", "quota", "retainfull"]),
    (5, "network", ["network"]),
    (6, "stopped", ["stopped"]),
    (7, "order", ["order", "retainorder"]),
    (8, "damage", ["flips", "spoolflips", "retainflips"]),
    (9, "clock", ["clock"]),
    (10, "rrd", ["rrdfiles", "retainfiles"]),
    (11, "power", ["power", "spoolpower", "rrdpower", "retainpower"]),
    (12, "restored", ["restored", "spoolrestored", "cloned", "retainrestored"]),
]


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("classes", nargs="*", help=f"which of: {' '.join(n for _, n, _ in CLASSES)}, or a part as class/part")
    p.add_argument("--build", default=os.environ.get("BUILD", "build/gcc"))
    p.add_argument("--seed", type=int, help="one round of each part, with this seed")
    p.add_argument("--keep", action="store_true", help="keep the folders of all rounds")
    options = p.parse_args()
    options.factor = float(os.environ.get("FAULT_ROUNDS", "1"))
    options.base = int(os.environ.get("FAULT_SEED", "1"))
    options.jobs = int(os.environ.get("FAULT_JOBS", str(2 * os.cpu_count())))
    options.root = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
    options.build = os.path.abspath(options.build)
    options.folder = tempfile.mkdtemp(prefix="esep-faults-")
    options.shim = f"{options.build}/tests/faults/shim.so"
    options.pb = wire.load(f"{options.root}/lib/wire/esep.proto", f"{options.folder}/pb")
    os.chdir(options.root)
    return options


def wanted(options):
    """[(number, class, [part])] of what was asked for."""
    out = []
    for number, name, parts in CLASSES:
        chosen = [p for p in parts if not options.classes or name in options.classes or f"{name}/{p}" in options.classes]
        if chosen:
            out.append((number, name, chosen))
    known = {c for _, n, parts in CLASSES for c in [n, *(f"{n}/{p}" for p in parts)]}
    for name in options.classes:
        if name not in known:
            sys.exit(f"faults: no class '{name}'; there are {' '.join(n for _, n, _ in CLASSES)}")
    return out


def seeds_of(options, module):
    if options.seed is not None:
        return [options.seed]
    return list(range(options.base, options.base + max(1, round(module.ROUNDS * options.factor))))


class Tally:
    """What the rounds of one class have found so far."""

    def __init__(self, number, name):
        self.number, self.name = number, name
        self.found, self.extra, self.rounds, self.left = Findings(), {}, 0, 0
        self.seeds, self.busy = set(), 0.0

    def add(self, part, seed, found, extra, seconds):
        self.found.add(found)
        self.rounds += 1
        self.left -= 1
        self.seeds.add(seed)
        self.busy += seconds
        for key, value in extra.items():
            self.extra[key] = self.extra.get(key, 0) + value
        if not found.clean():
            print(f"faults {self.number}-{self.name} seed={seed} FAILED: {'; '.join(found.details)};"
                  f" again: make check-faults FAULT_ONLY='{self.name}/{part} --seed {seed}'", flush=True)

    def line(self):
        f = self.found
        if f.acked == 0 or f.stored == 0:  # a class in which nothing was delivered has shown nothing
            f.blame("unbalanced", "nothing was acknowledged")
            print(f"faults {self.number}-{self.name} FAILED: nothing was acknowledged in any round", flush=True)
        more = "".join(f" {k}={v}" for k, v in sorted(self.extra.items()))
        low, high = min(self.seeds), max(self.seeds)
        seeds = f"{low}" if low == high else f"{low}..{high}"
        return (f"faults {self.number}-{self.name} rounds={self.rounds} acked={f.acked} stored={f.stored} lost={f.lost}"
                f" doubled={f.doubled} undetected={f.undetected} unbalanced={f.unbalanced}{more} seeds={seeds}"
                f" seconds={self.busy:.0f}")


def run(options):
    jobs, tallies, queue = Jobs(options), [], []
    for number, name, parts in wanted(options):
        tally = Tally(number, name)
        tallies.append(tally)
        for part in parts:
            module = importlib.import_module(f"classes.{part}")
            queue += [(tally, part, module, seed) for seed in seeds_of(options, module)]
            tally.left += len(seeds_of(options, module))
    unsaid = list(tallies)
    try:
        for (tally, part, _, seed), found, extra, seconds in jobs.all(queue):
            tally.add(part, seed, found, extra, seconds)
            while unsaid and unsaid[0].left == 0:
                print(unsaid.pop(0).line(), flush=True)
    except BaseException:
        jobs.clean()
        shutil.rmtree(options.folder, ignore_errors=True)
        raise
    jobs.clean()
    return tallies


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    tallies = run(options)
    total = Findings()
    for tally in tallies:
        total.add(tally.found)
    kept = "" if total.clean() and not options.keep else f", folders in {options.folder}"
    print(f"faults: {sum(t.rounds for t in tallies)} rounds in {time.monotonic() - started:.0f} s{kept}")
    print(f"faults: classes={len(tallies)} lost={total.lost} doubled={total.doubled} undetected={total.undetected}"
          f" unbalanced={total.unbalanced}")
    if not kept:
        shutil.rmtree(options.folder, ignore_errors=True)
    return 0 if total.clean() else 1


if __name__ == "__main__":
    sys.exit(main())
