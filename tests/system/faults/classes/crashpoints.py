"""Class 2, the collector: dies at every n-th write, sync, rename, truncate, link, unlink and new file of its state, for all n until
a fixed piece of work and a clean stop are through; a write is done by half; after every second n the power goes too. What was
acknowledged is there afterwards, once."""
import shutil

from powercut import cut
from recorder.peer import Peer
from world import World

NAME, ROUNDS, LIMIT_S = "crashpoints", 12, 240


def fresh(world, state, keys, resident):
    """The same beginning for each n."""
    shutil.rmtree(world.collector.state, ignore_errors=True)
    shutil.copytree(state, world.collector.state)
    for peer in world.peers:
        peer.close()
    peer = Peer(world.pb, world.context, world.collector.endpoint, world.collector.key, keys, world.rng, 4, "p0")
    peer.resident = resident
    world.peers = [peer]
    return peer


def point(world, peer, at, power):
    """Returns whether the collector lived through all of it."""
    collector = world.collector
    journal = f"{world.folder}/journal"
    collector.start(world.shim(collector.state, journal, crash_at=at), wait=False)
    for _ in range(2):
        peer.make(6, per_batch=8)
        world.pump(3, lambda: world.open() == 0 or not collector.alive())
    world.pump(0.3, lambda: not collector.alive())
    lived = collector.stop() == 0
    if power:
        cut(collector.state, journal, world.rng)
    else:
        shutil.rmtree(journal)
    if world.start(f"after dying at operation {at}"):
        world.drain(f"after dying at operation {at}", 20)
        world.verify(f"after dying at operation {at}")
    world.collector.kill()
    world.found.add(world.compare())
    return lived


def round_of(options, seed, found):
    """The n of one round are those with n % ROUNDS = seed % ROUNDS."""
    with World(options, NAME, seed, found) as world:
        first = world.add_peer()
        state = f"{world.folder}/state"
        shutil.copytree(world.collector.state, state)
        at, points, lived = seed % ROUNDS or ROUNDS, 0, False
        while not lived:
            lived = point(world, fresh(world, state, first.keys, first.resident), at, at // ROUNDS % 2 == 0)
            points += 1
            at += ROUNDS
    return {"points": points}
