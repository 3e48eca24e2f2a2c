"""Class 3: EIO at each n-th sync of the collector's state; and killed between a write and its sync, the batch sent again, then
a power cut. Nothing that was acknowledged may need what was never synced."""
import os
import signal

from powercut import cut
from recorder.programs import wait_for
from world import World

NAME = "syncs"
ROUNDS = 12


def eio(options, seed, at, found):
    world = World(options, NAME, f"{seed}-eio{at}")
    try:
        world.add_peer()
        journal = f"{world.folder}/journal"
        os.makedirs(journal)
        env = {"LD_PRELOAD": options.shim, "SHIM_WATCH": world.collector.state, "SHIM_JOURNAL": journal}
        world.collector.start(dict(env, SHIM_EIO_SYNC_AT=str(at)))
        world.peers[0].make(20)
        world.pump(0.5)
        world.collector.kill()
        cut(world.collector.state, journal, world.rng)  # what the failed sync was to keep may be gone
        again(world, env, found, f"EIO at sync {at}")
    finally:
        world.close(keep=not found.clean())


def between(options, seed, at, found):
    """Stopped inside the n-th sync, killed there: the page cache has the rows, the disk has not. The restarted collector sees
    them, gets them again, acknowledges; then the power goes."""
    world = World(options, NAME, f"{seed}-between{at}")
    try:
        world.add_peer()
        journal = f"{world.folder}/journal"
        os.makedirs(journal)
        env = {"LD_PRELOAD": options.shim, "SHIM_WATCH": world.collector.state, "SHIM_JOURNAL": journal}
        world.collector.start(dict(env, SHIM_STOP_AT=str(at)), wait=False)
        world.peers[0].make(10)
        world.pump(0.8)
        world.collector.program.signal(signal.SIGCONT)
        world.collector.program.kill()
        world.collector.start(env)
        wait_for(lambda: world.pump(0.05) or world.peers[0].unacknowledged() == 0, 10)
        world.collector.kill()
        cut(world.collector.state, journal, world.rng)
        again(world, env, found, f"killed in sync {at}")
    finally:
        world.close(keep=not found.clean())


def again(world, env, found, what):
    found.add(after_cut(world, env, what))


def after_cut(world, env, what):
    from recorder.ledger import Findings

    found = Findings()
    if not world.collector.start(env):
        found.unbalanced += 1
        found.note(f"{what}: did not start again")
        return found
    lost = [p.name for p in world.peers if p.lost_by_collector > 0]
    world.peers[0].make(3)
    if not world.drain(20):
        found.unbalanced += 1
        found.note(f"{what}: not all acknowledged afterwards")
    if lost or any(p.lost_by_collector > 0 for p in world.peers):
        found.lost += 1
        found.note(f"{what}: the collector's watermark went below what it had acknowledged")
    world.collector.stop()
    found.add(world.compare())
    return found


def round_of(options, seed, found):
    eio(options, seed, seed, found)
    between(options, seed, seed, found)
    return {"cuts": 2}
