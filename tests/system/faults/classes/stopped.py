"""Class 6: the collector is stopped (SIGSTOP) for a while with many agents, which go on and lose nothing."""
import signal

from world import World

NAME, ROUNDS, LIMIT_S = "stopped", 2, 180


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        for _ in range(24):
            world.add_peer(series=2)
        real = world.add_agent()
        world.start()
        real.start()
        for _ in range(2):
            for peer in world.peers:
                peer.make(20)
            real.grow(200)
            world.pump(0.5)
            world.collector.program.signal(signal.SIGSTOP)
            for peer in world.peers:
                peer.make(20)
            real.grow(200)
            world.pump(world.rng.uniform(2, 12))
            world.collector.program.signal(signal.SIGCONT)
        world.drain("after the stop", 90)
        world.finish_agent(real, "after the stop", 90)
        world.finish()
    return {"agents": len(world.peers) + 1}
