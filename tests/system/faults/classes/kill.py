"""Class 1: kill -9 of the collector at random moments under load. In the end librrd reads the same figures from the files."""
from recorder.rrd import not_as_sent, paths_of
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "kill", 8, 120
KILLS = 25


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        for _ in range(3):
            world.add_peer()
        for _ in range(KILLS):
            if not world.start("after a kill"):
                return {}
            for peer in world.peers:
                peer.make(world.rng.randint(5, 60))
            world.pump(world.rng.uniform(0.02, 0.35))
            world.collector.kill()
        if world.start("after the last kill") and world.drain("after the last kill"):
            world.verify("after the last kill")
            for peer in world.peers:
                paths = paths_of(world.collector, peer)
                shown = wait_for(lambda: not not_as_sent(peer, paths), 60, 0.1)
                found.check(shown, "undetected", f"{peer.name}: after the last kill files are not as sent")
        world.finish()
    return {"kills": KILLS}
