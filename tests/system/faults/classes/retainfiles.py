"""Class 10, retention: all round-robin files and the observations are deleted after two months were dropped, and built again from
the ledger, by `rebuild` while the collector runs, and by a start. Exact points and what librrd reads are as before: the hours
and days of the dropped months from roll-ups, what is newer by the step."""
import json
import math
import os
import shutil
import subprocess
import sys
import time

from classes import retain
from classes.retainorder import rebuilt
from recorder.rrd import FETCH
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "retainfiles", 3, 180
SPANS = [(10, "AVERAGE")] + [(3600, f) for f in ("AVERAGE", "MIN", "MAX")] + [(86400, f) for f in ("AVERAGE", "MIN", "MAX")]


def shown(paths, begin, end):
    """What librrd reads of the files: {(path, step, function): {time: value}}; by the step the last two days."""
    asked = [(path, step, function) for path in paths for step, function in SPANS]
    words = [w for path, step, function in asked
             for w in (path, f"{begin if step > 10 else end - 86400}-{end + (86400 if step == 10 else 0)}-{step}-{function}")]
    done = subprocess.run([sys.executable, FETCH, *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        return None
    return dict(zip(asked, json.loads(done.stdout)))


def close(a, b):
    """librrd adds thousands of reals one by one, a roll-up without a loss."""
    return a is b is None or a is not None and b is not None and math.isclose(a, b, rel_tol=1e-12)


def compare(found, before, after, what):
    for key, was in before.items():
        now = (after or {}).get(key)
        if was is None or now is None or set(was) != set(now) or not all(close(was[t], now[t]) for t in was):
            wrong = [t for t in was or () if not now or not close(was[t], now.get(t))]
            found.blame("undetected", f"{what}: {os.path.basename(key[0])} by {key[1]} s {key[2]}: {len(wrong)} values differ:"
                                      f" {[(t, was[t], now and now.get(t)) for t in wrong[:3]]}")


def full_hours(world, peer, begin):
    """Hours and days that have enough figures for librrd to say something, of whole numbers, reals and unknowns."""
    clock = retain.Clock(f"{world.folder}/clock")
    clock.step(int(begin + 12 * retain.DAY - time.time()))
    world.collector.start(dict(world.shim("/nowhere"), SHIM_CLOCK=clock.path))
    at = begin + 10 * retain.DAY
    for _ in range(120):  # 20 hours: more than half a day
        peer.put([(n, at + 10 * i, peer.figure() if n % 2 else peer.rng.randint(0, 10**6)) for i in range(1, 61) for n in (0, 1)])
        at += 600
    world.drain("whole hours")
    world.collector.stop()


def delete_all(state):
    shutil.rmtree(f"{state}/rrd")
    for name in os.listdir(state):
        if name.startswith("observations.sqlite"):
            os.unlink(os.path.join(state, name))


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        peer = world.add_peer()
        begin, _, end = retain.two_months()
        full_hours(world, peer, begin)
        end = retain.prepare(world, [peer])
        world.start("before retention", dict(os.environ))
        paths = [world.collector.command("query", f"{peer.resident}/{s}", "--file").stdout.strip() for s in peer.series]
        retain.wait_dropped(world, end, "before the damage")
        found.check(wait_for(lambda: rebuilt(world), 30), "unbalanced", "late figures are not drawn")
        span = (begin, int(time.time()) // retain.DAY * retain.DAY - retain.DAY)
        before = shown(paths, *span)
        known = sum(v is not None for values in before.values() for v in values.values())
        found.check(known > 60, "unbalanced", f"only {known} hours and days to compare")
        delete_all(world.collector.state)
        done = world.collector.command("rebuild")
        found.check(done.returncode == 0, "unbalanced", f"rebuild: {done.stderr.strip()}")
        finish(world, peer, paths, before, span, "after rebuild")
        world.collector.stop()
        delete_all(world.collector.state)
        world.start("without files and observations")
        finish(world, peer, paths, before, span, "after a start")
        world.finish()
    return {"values": known}


def finish(world, peer, paths, before, span, what):
    good = wait_for(lambda: rebuilt(world) and all(map(os.path.exists, paths)), 60, 0.1)
    world.found.check(good, "unbalanced", f"{what}: not all files are back")
    compare(world.found, before, shown(paths, *span), what)
    retain.check_all(world, what)
