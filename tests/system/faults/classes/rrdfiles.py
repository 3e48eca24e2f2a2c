"""Class 10: round-robin files are deleted, cut short, zeroed, filled with garbage, written by half, exchanged, while the collector
runs, while it is down and while it is killed. It is noticed, and afterwards librrd reads the recorder's figures from them."""
import os
import shutil

from recorder.rrd import not_as_sent, paths_of
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "rrdfiles", 12, 240
EACH, WHEN = 4, ("running", "stopped", "running", "killed", "running", "running")


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


def round_of(options, seed, found):
    done = 0
    with World(options, NAME, seed, found) as world:
        peer = world.add_peer(series=6)
        world.start()
        peer.make(60)
        world.drain("before the damage")
        paths = paths_of(world.collector, peer)

        def all_shown():
            return not not_as_sent(peer, paths)

        found.check(wait_for(all_shown, 30, 0.1), "undetected", "files do not show what was sent, before any damage")
        for i in range(EACH):  # each kind by turns, in two rounds of three while the collector runs
            kind, when = KINDS[(seed * EACH + i) % len(KINDS)], WHEN[(seed + i) // 2 % len(WHEN)]
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
