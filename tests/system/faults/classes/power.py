"""Class 11: power cuts. Writes to the ledger since its last sync are lost, torn by sector or kept, as the seed says."""
from classes.syncs import after_cut
from powercut import cut
from world import World

NAME, ROUNDS, LIMIT_S = "power", 40, 120


def round_of(options, seed, found):
    bytes_lost = 0
    with World(options, NAME, seed, found) as world:
        for _ in range(2):
            world.add_peer()
        journal = f"{world.folder}/journal"
        env = world.shim(world.collector.state, journal)
        for _ in range(3):
            if not world.start("after a power cut", env):
                return {}
            for peer in world.peers:
                peer.make(world.rng.randint(5, 80))
            world.pump(world.rng.uniform(0.05, 0.6))
            world.collector.kill()
            bytes_lost += cut(world.collector.state, journal, world.rng)
        after_cut(world, env, "power cut")
    return {"cuts": 3, "unsynced_bytes_lost": bytes_lost}
