"""Class 3: EIO at each n-th sync of the collector's state; and killed between a write and its sync, the batch sent again, then
a power cut. Nothing that was acknowledged may need what was never synced."""
import signal

from powercut import cut
from world import World

NAME, ROUNDS, LIMIT_S = "syncs", 16, 120


def eio(options, at, found):
    with World(options, NAME, f"eio{at}", found) as world:
        world.add_peer()
        journal = f"{world.folder}/journal"
        env = world.shim(world.collector.state, journal)
        world.collector.start(dict(env, SHIM_EIO_SYNC_AT=str(at)))
        for _ in range(3):
            world.peers[0].make(8)
            world.pump(0.5, lambda: not world.collector.alive())
        world.collector.kill()
        cut(world.collector.state, journal, world.rng)  # what the failed sync was to keep may be gone
        after_cut(world, env, f"EIO at sync {at}")


def between(options, at, found):
    """Stopped inside the n-th sync, killed there: the page cache has the rows, the disk has not. The restarted collector sees
    them, gets them again, acknowledges; then the power goes."""
    with World(options, NAME, f"between{at}", found) as world:
        world.add_peer()
        journal = f"{world.folder}/journal"
        env = world.shim(world.collector.state, journal)
        world.collector.start(dict(env, SHIM_STOP_AT=str(at)), wait=False)
        world.peers[0].make(10)
        world.pump(0.8)
        world.collector.program.signal(signal.SIGCONT)
        world.collector.program.kill()
        world.collector.start(env)
        world.pump(10, lambda: world.open() == 0)
        world.collector.kill()
        cut(world.collector.state, journal, world.rng)
        after_cut(world, env, f"killed in sync {at}")


def after_cut(world, env, what):
    if not world.start(what, env):
        return
    world.peers[0].make(3)
    world.drain(what)
    if any(p.lost_by_collector > 0 for p in world.peers):
        world.found.blame("lost", f"{what}: the collector's watermark went below what it had acknowledged")
    world.verify(what)
    world.finish()


def round_of(options, seed, found):
    eio(options, seed, found)
    between(options, seed, found)
    return {"cuts": 2}
