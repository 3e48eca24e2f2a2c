"""Class 2, collector: dies at every n-th write, sync, rename, truncate and unlink of the commit path, for all n up to where a
fixed piece of work ends; what was acknowledged is there afterwards, once."""
from recorder.programs import wait_for
from world import World

NAME = "crashpoints"
ROUNDS = 1
STEP = 1


def work(world):
    for peer in world.peers:
        peer.make(6, per_batch=8)
    world.pump(0.6)


def round_of(options, seed, found):
    points, at, step = 0, 1, max(1, int(STEP / max(options.factor, 0.01)))
    while True:
        world = World(options, NAME, f"{seed}-{at}")
        try:
            world.add_peer()
            counter = f"{world.folder}/count"
            env = {"LD_PRELOAD": options.shim, "SHIM_WATCH": world.collector.state, "SHIM_CRASH_AT": str(at),
                   "SHIM_COUNT": counter}
            world.collector.start(env)
            work(world)
            died = not world.collector.program.alive()
            if not died:
                wait_for(lambda: not world.collector.program.alive(), 0.2)
                died = not world.collector.program.alive()
            world.collector.kill()
            if not world.collector.start():
                found.unbalanced += 1
                found.note(f"did not start again after dying at operation {at}")
            elif not world.drain(20):
                found.unbalanced += 1
                found.note(f"not all acknowledged after dying at operation {at}")
            world.collector.stop()
            found.add(world.compare())
        finally:
            world.close(keep=not found.clean())
        points += 1
        if not died:
            return {"points": points}
        at += step
