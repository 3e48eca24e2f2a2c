"""Class 1, retention: kill -9 of the collector at random moments while two months are rolled up and dropped and figures flow."""
from classes import retain
from world import World

NAME, ROUNDS, LIMIT_S = "retainkill", 3, 180


def round_of(options, seed, found):
    kills = 0
    with World(options, NAME, seed, found) as world:
        peers = [world.add_peer(), world.add_peer()]
        end = retain.prepare(world, peers, 40)
        while retain.until(world)[2] < end and kills < 60:
            if not world.start("after a kill"):
                return {}
            for peer in peers:
                peer.make(world.rng.randint(1, 20))
            world.pump(world.rng.uniform(0.02, 0.4))
            world.collector.kill()
            kills += 1
        if world.start("after the last kill") and retain.wait_dropped(world, end, "after the last kill"):
            world.drain("after the last kill")
            retain.check_all(world, "after the last kill")
        world.finish()
    return {"kills": kills}
