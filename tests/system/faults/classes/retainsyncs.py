"""Class 3, retention: EIO at each n-th sync of the ledger while a month is rolled up and dropped; and killed between a write
and its sync, then a power cut."""
import shutil
import signal

from classes import retain
from powercut import cut
from world import World

NAME, ROUNDS, LIMIT_S = "retainsyncs", 6, 240
SYNCS = 24  # more than a month takes


def broken(world, peer, end, at, how):
    collector = world.collector
    journal = f"{world.folder}/journal"
    what = f"{how} at sync {at} of retention"
    env = world.shim(f"{collector.state}/ledger", journal)
    collector.start(dict(env, **{how: str(at)}), wait=False)
    peer.make(2, per_batch=8)
    stopped = how == "SHIM_STOP_AT"
    retain.wait_dropped_or_dead(world, end, 2.5 if stopped else 15)
    lived = collector.alive() and retain.until(world)[2] >= end
    collector.program.signal(signal.SIGKILL)
    collector.kill()
    cut(collector.state, journal, world.rng)
    if world.start(what):
        retain.wait_dropped(world, end, what)
        world.drain(what)
        world.verify(what)
    if peer.lost_by_collector > 0:
        world.found.blame("lost", f"{what}: the collector's watermark went below what it had acknowledged")
    collector.kill()
    world.found.add(world.compare())
    return lived


def round_of(options, seed, found):
    cuts = 0
    with World(options, NAME, seed, found) as world:
        first = world.add_peer()
        end = retain.prepare(world, [first], months=1)
        state = f"{world.folder}/state"
        shutil.copytree(world.collector.state, state, ignore=shutil.ignore_patterns("control"))
        for at in range(seed % ROUNDS or ROUNDS, SYNCS, ROUNDS):
            for how in ("SHIM_EIO_SYNC_AT", "SHIM_STOP_AT"):
                if found.clean():
                    broken(world, retain.again(world, first, state), end, at, how)
                    cuts += 1
    return {"cuts": cuts}
