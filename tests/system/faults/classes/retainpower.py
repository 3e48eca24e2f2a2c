"""Class 11, retention: power cuts while two months are rolled up and dropped. Nothing is synced but what a program syncs."""
from classes import retain
from powercut import cut
from world import World

NAME, ROUNDS, LIMIT_S = "retainpower", 8, 180
CUTS = 5


def round_of(options, seed, found):
    bytes_lost = 0
    with World(options, NAME, seed, found) as world:
        peers = [world.add_peer(), world.add_peer()]
        end = retain.prepare(world, peers)
        journal = f"{world.folder}/journal"
        env = world.shim(world.collector.state, journal)
        for _ in range(CUTS):
            if not world.start("after a power cut", env):
                return {}
            for peer in peers:
                peer.make(world.rng.randint(1, 20))
            world.pump(world.rng.uniform(0.05, 0.6))
            world.collector.kill()
            bytes_lost += cut(world.collector.state, journal, world.rng)
        if world.start("after the last power cut", env):
            retain.wait_dropped(world, end, "after the last power cut")
            world.drain("after the last power cut")
            if any(p.lost_by_collector > 0 for p in peers):
                found.blame("lost", "the collector's watermark went below what it had acknowledged")
            retain.check_all(world, "after the last power cut")
        world.finish()
    return {"cuts": CUTS, "unsynced_bytes_lost": bytes_lost}
