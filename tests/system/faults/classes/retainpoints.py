"""Class 2, retention: the collector dies at every n-th write, sync, rename, truncate and unlink of its ledger while a month is rolled
up and dropped, for all n; a write is done by half. The next start brings it to its end: every hour is there, once."""
import shutil

from classes import retain
from world import World

NAME, ROUNDS, LIMIT_S = "retainpoints", 8, 300


def point(world, peer, end, at):
    """Returns whether the collector lived through all of it."""
    collector = world.collector
    what = f"after dying at operation {at} of retention"
    collector.start(world.shim(f"{collector.state}/ledger", crash_at=at), wait=False)
    retain.wait_dropped_or_dead(world, end)
    peer.make(2, per_batch=8)
    world.pump(3, lambda: world.open() == 0 or not collector.alive())
    lived = collector.stop() == 0
    if world.start(what):
        retain.wait_dropped(world, end, what)
        world.drain(what, 20)
        world.verify(what)
    collector.kill()
    world.found.add(world.compare())
    return lived


def round_of(options, seed, found):
    """The n of one round are those with n % ROUNDS = seed % ROUNDS."""
    with World(options, NAME, seed, found) as world:
        first = world.add_peer()
        end = retain.prepare(world, [first], months=1)
        state = f"{world.folder}/state"
        shutil.copytree(world.collector.state, state, ignore=shutil.ignore_patterns("control"))
        at, points, lived = seed % ROUNDS or ROUNDS, 0, False
        while not lived and found.clean():
            peer = retain.again(world, first, state)
            lived = point(world, peer, end, at)
            points += 1
            at += ROUNDS
        if lived and world.start("at last"):
            retain.check_all(world, "at last")
    return {"points": points}
