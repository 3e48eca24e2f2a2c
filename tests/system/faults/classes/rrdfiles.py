"""Class 10: round-robin files are deleted, cut short, zeroed, filled with garbage, written by half, exchanged, while the collector
runs, while it is down and while it is killed. It is noticed, and afterwards librrd reads the recorder's figures from them."""
import json
import math
import os
import shutil
import subprocess
import sys

import recorder
from world import World, wait_for

FETCH = os.path.join(os.path.dirname(recorder.__file__), "fetch.py")
NAME, ROUNDS, LIMIT_S = "rrdfiles", 10, 240


def deleted(path, rng, _):
    os.unlink(path)


def folder_deleted(path, rng, _):
    shutil.rmtree(os.path.dirname(path))


def cut_short(path, rng, _):
    os.truncate(path, rng.randrange(os.path.getsize(path)))


def overwrite(path, data, at=0):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def zeroed(path, rng, _):
    overwrite(path, bytes(os.path.getsize(path)))


def garbage(path, rng, _):
    overwrite(path, rng.randbytes(os.path.getsize(path)))


def garbage_head(path, rng, _):
    overwrite(path, rng.randbytes(64), rng.randrange(2000))


def half_written(path, rng, _):
    size = os.path.getsize(path)
    at = rng.randrange(size // 4, size)
    overwrite(path, bytes(size - at), at)


def exchanged(path, rng, other):
    shutil.copyfile(other, path)


KINDS = [deleted, folder_deleted, cut_short, zeroed, garbage, garbage_head, half_written, exchanged]


def fetch(paths, wants):
    """Of each file {time: value} as librrd tells it; None where it cannot read it."""
    words = [w for path, want in zip(paths, wants) for w in (path, f"{min(want)}-{max(want)}")]
    done = subprocess.run([sys.executable, FETCH, *words], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        return [None] * len(paths)
    return [got and {int(t): v for t, v in got.items()} for got in json.loads(done.stdout)]


def same(want, got):
    if want is None or got is None:
        return want is got
    return got == want if isinstance(want, int) else abs(got - want) <= 2 * math.ulp(want)


def not_as_sent(peer, paths):
    """The numbers of series whose file does not show what was sent."""
    wants = [peer.points(n) for n in range(len(paths))]
    return [n for n, (want, got) in enumerate(zip(wants, fetch(paths, wants)))
            if got is None or not all(same(v, got.get(t)) for t, v in want.items())]


def round_of(options, seed, found):
    done = 0
    with World(options, NAME, seed, found) as world:
        peer = world.add_peer(series=6)
        world.start()
        peer.make(60)
        world.drain("before the damage")
        paths = [world.collector.command("query", f"{peer.resident}/{s}", "--file").stdout.strip() for s in peer.series]

        def all_shown():
            return not not_as_sent(peer, paths)

        found.check(wait_for(all_shown, 30, 0.1), "undetected", "files do not show what was sent, before any damage")
        for kind in world.rng.sample(KINDS, 4):
            when = world.rng.choice(("running", "running", "stopped", "killed"))
            if when == "stopped":
                world.collector.stop()
            elif when == "killed":
                world.collector.kill()
            number = world.rng.randrange(len(paths))
            kind(paths[number], world.rng, paths[(number + 1) % len(paths)])
            if when != "running":
                world.start(f"after {kind.__name__}")
            peer.make(world.rng.randint(0, 5))
            world.drain(f"after {kind.__name__}")
            if not wait_for(all_shown, 45, 0.1):
                wrong = [peer.series[n] for n in not_as_sent(peer, paths)]
                found.blame("undetected", f"{kind.__name__} while {when}: {wrong} not as sent after 45 s")
            done += 1
        world.finish()
    return {"damaged": done}
