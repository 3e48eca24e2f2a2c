"""Class 5: the network is cut, works one way only, flaps each second, loses 30 % of its packets, delays by half a second, stalls,
resets connections, is away for long; real agents and recorders go on, catch up by themselves, and nothing is lost or doubled."""
import time

from network import COLLECTOR, Cable, Proxy
from world import World

NAME, ROUNDS, LIMIT_S = "network", 9, 240
LOSS = "numgen random mod 100 < 30"


def load(world, seconds, more=lambda i: None):
    """Figures flow all the time; `more` is called each half second."""
    for i in range(int(seconds * 2)):
        more(i)
        for peer in world.peers:
            peer.make(world.rng.randint(1, 8))
        for agent in world.agents:
            agent.grow(world.rng.randint(1, 40))
        world.pump(0.5)


def cut(world, cable, _):
    for _ in range(2):
        cable.drop("tcp dport 1-65535", "tcp sport 1-65535")
        load(world, world.rng.uniform(3, 9))
        cable.heal()
        load(world, 3)


def to_collector_only(world, cable, _):
    cable.drop(outgoing="tcp sport 1-65535")
    load(world, world.rng.uniform(8, 20))


def to_agents_only(world, cable, _):
    cable.drop(incoming="tcp dport 1-65535")
    load(world, world.rng.uniform(8, 20))


def flapping(world, cable, _):
    load(world, 16, lambda i: cable.up(i // 2 % 2 == 1))


def lossy(world, cable, _):
    cable.drop(LOSS, LOSS)
    load(world, 20)


def slow(world, _, proxy):
    proxy.delay_s = 0.5
    load(world, 15)


def stalls(world, _, proxy):
    def stall(i):
        proxy.stalled = i % 12 < 8

    load(world, 24, stall)
    proxy.stalled = False


def resets(world, _, proxy):
    proxy.delay_s = 0.02
    load(world, 12, lambda i: proxy.break_all())


def outage(world, cable, _):
    cable.up(False)
    for peer in world.peers:
        peer.make(1500)
    for agent in world.agents:
        agent.grow(15000)
    load(world, 20)


KINDS = [cut, to_collector_only, to_agents_only, flapping, lossy, slow, stalls, resets, outage]


def round_of(options, seed, found):
    kind = KINDS[seed % len(KINDS)]
    cable = Cable(seed)
    try:
        with World(options, f"network-{kind.__name__}", seed, found, host=COLLECTOR, namespace=cable.collector) as world:
            proxy = Proxy((COLLECTOR, world.collector.port))
            if kind in (slow, stalls, resets):
                world.endpoint = f"tcp://127.0.0.1:{proxy.port}"
            world.start()
            for _ in range(3):
                world.add_peer()
            for _ in range(2):
                world.add_agent().start()
            cable.heal()
            load(world, 2)
            kind(world, cable, proxy)
            cable.heal()
            healed = time.monotonic()
            world.drain(f"after {kind.__name__}", 90)
            for agent in world.agents:
                world.finish_agent(agent, f"after {kind.__name__}", 90)
            world.catch_up = time.monotonic() - healed
            world.verify(f"after {kind.__name__}")
            world.finish()
        return {"catch_up_s": round(world.catch_up)}
    finally:
        cable.close()
