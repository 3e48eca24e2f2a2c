"""Class 11: power cuts. Writes since the last sync are lost, torn by sector or kept, as the seed says."""
import os

from classes.syncs import after_cut
from powercut import cut
from world import World

NAME = "power"
ROUNDS = 40


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    bytes_lost = 0
    try:
        for _ in range(2):
            world.add_peer()
        journal = f"{world.folder}/journal"
        os.makedirs(journal)
        env = {"LD_PRELOAD": options.shim, "SHIM_WATCH": world.collector.state, "SHIM_JOURNAL": journal}
        for _ in range(3):
            world.collector.start(env)
            for peer in world.peers:
                peer.make(world.rng.randint(5, 80))
            world.pump(world.rng.uniform(0.05, 0.6))
            world.collector.kill()
            bytes_lost += cut(world.collector.state, journal, world.rng)
        found.add(after_cut(world, env, "power cut"))
    finally:
        world.close(keep=not found.clean())
    return {"unsynced_bytes_lost": bytes_lost}
