"""Class 1: kill -9 of the collector at random moments under load, at least 300 times."""
from world import World

NAME = "kill"
ROUNDS = 10
KILLS = 30


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    for _ in range(3):
        world.add_peer()
    kills = 0
    try:
        for _ in range(KILLS):
            if not world.collector.start():
                raise RuntimeError("the collector did not start again: see collector.log")
            for peer in world.peers:
                peer.make(world.rng.randint(5, 60))
            world.pump(world.rng.uniform(0.02, 0.35))
            world.collector.kill()
            kills += 1
        world.collector.start()
        if not world.drain():
            found.note("not everything was acknowledged in time")
            found.unbalanced += 1
        world.collector.stop()
        found.add(world.compare())
    finally:
        world.close(keep=not found.clean())
    return {"kills": kills}
