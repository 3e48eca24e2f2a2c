"""Class 11, round-robin files: power cuts. They are written by mmap and brought to disk by syncfs only: afterwards each page is that
of the last syncfs or a newer one, and files made since are whole, cut short or gone. The collector may die in the syncfs itself, and may
have been stopped before. It knows from the boot id; in the end librrd reads the recorder's figures from every file."""
import os
import signal
import uuid

from powercut import cut
from recorder.rrd import not_as_sent, paths_of
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "rrdpower", 8, 180
CUTS = 3


def boot(world):
    """The kernel's boot id of the machine's next life."""
    with open(f"{world.folder}/boot", "w", encoding="ascii") as f:
        f.write(f"{uuid.UUID(int=world.rng.getrandbits(128))}\n")


def starts(world, env, how):
    """False also where it died in its first syncfs as it should: a start that makes files again has one."""
    if how != "in syncfs":
        return world.start("after a power cut", env)
    started = world.collector.start(dict(env, SHIM_CRASH_AT_SYNCFS="1"))
    dead = world.collector.program.process.poll() == -signal.SIGKILL
    world.found.check(started or dead, "unbalanced", f"after a power cut: the collector did not start; see {world.collector.log}")
    return started


def life(world, env):
    """Ends by a kill, by a stop, or within the syncfs of a start or a stop."""
    how = world.rng.choice(("killed", "stopped", "in syncfs"))
    if not starts(world, env, how):
        return
    for peer in world.peers:
        peer.make(world.rng.randint(5, 40))
    world.pump(world.rng.uniform(0.1, 1.5))
    if world.rng.random() < 0.5:  # figures that are late make files be rebuilt
        for peer in world.peers:
            peer.clock -= world.rng.randint(1, 300) * 10
            peer.make(2)
    world.pump(world.rng.uniform(0.1, 1.5))
    if how == "killed":
        world.collector.kill()
    else:
        world.collector.stop()


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        for _ in range(2):
            world.add_peer(series=5)
        state, journal, rrd = world.collector.state, f"{world.folder}/journal", f"{world.collector.state}/rrd"
        env = world.shim(state, journal, save=rrd, boot=f"{world.folder}/boot")
        for _ in range(CUTS):
            boot(world)
            life(world, env)
            cut(state, journal, world.rng, saved=rrd)
        boot(world)
        if not world.start("after the last power cut", env):
            return {}
        world.drain("after the last power cut")
        for peer in world.peers:
            paths = paths_of(world.collector, peer)
            if not wait_for(lambda: all(map(os.path.exists, paths)) and not not_as_sent(peer, paths), 60, 0.1):
                wrong = [peer.series[n] for n in not_as_sent(peer, paths)]
                found.blame("undetected", f"after power cuts the files of {wrong} are not as sent, 60 s after the start")
        world.verify("after power cuts")
        world.finish()
    return {"cuts": CUTS}
