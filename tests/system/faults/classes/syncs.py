"""Class 3: EIO at each n-th sync of the collector's state, for all n until a fixed piece of work is through; and killed between a
write and its sync, the batch sent again, then a power cut. Nothing that was acknowledged may need what was never synced."""
import signal

from powercut import cut
from world import World

NAME, ROUNDS, LIMIT_S = "syncs", 16, 240


def eio(options, at, found):
    """Returns whether there was an n-th sync at all."""
    with World(options, NAME, f"eio{at}", found) as world:
        world.add_peer()
        journal, count = f"{world.folder}/journal", f"{world.folder}/count"
        env = world.shim(world.collector.state, journal)
        world.collector.start(dict(env, SHIM_EIO_SYNC_AT=str(at), SHIM_COUNT=count), wait=False)
        for _ in range(3):
            world.peers[0].make(8)
            world.pump(0.5, lambda: not world.collector.alive())
        world.collector.kill()
        if world.rng.random() < 0.5:  # a start that trusts what it reads, and dies before all of it is on disk
            world.collector.start(dict(env, SHIM_CRASH_AT=str(world.rng.randint(2, 40))), wait=False)
            world.pump(1.5, lambda: not world.collector.alive())
            world.collector.kill()
        cut(world.collector.state, journal, world.rng)  # what the failed sync was to keep is gone
        after_cut(world, env, f"EIO at sync {at}")
        return world.counted(count)[1] >= at


def between(options, at, found):
    """Stopped inside the n-th sync, killed there: the page cache has the rows, the disk has not. The restarted collector sees
    them, gets them again, acknowledges; then the power goes. Returns whether there was an n-th sync at all."""
    with World(options, NAME, f"between{at}", found) as world:
        world.add_peer()
        journal, count = f"{world.folder}/journal", f"{world.folder}/count"
        env = world.shim(world.collector.state, journal)
        world.collector.start(dict(env, SHIM_STOP_AT=str(at), SHIM_COUNT=count), wait=False)
        world.peers[0].make(10)
        world.pump(0.8)
        world.peers[0].make(4)
        world.pump(0.4)
        world.collector.program.signal(signal.SIGKILL)
        world.collector.program.signal(signal.SIGCONT)
        world.collector.kill()
        stopped = world.counted(count)[1] >= at
        world.collector.start(env)
        world.pump(10, lambda: world.open() == 0)
        world.collector.kill()
        cut(world.collector.state, journal, world.rng)
        after_cut(world, env, f"killed in sync {at}")
        return stopped


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
    """The n of one round are those with n % ROUNDS = seed % ROUNDS."""
    cuts = 0
    for kind in (eio, between):
        at = seed % ROUNDS or ROUNDS
        while kind(options, at, found):
            at += ROUNDS
            cuts += 1
    return {"syncs": cuts}
