"""Class 6: the collector is stopped (SIGSTOP) for a while with many agents, which go on and lose nothing."""
import signal

from world import World

NAME = "stopped"
ROUNDS = 2


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    try:
        for _ in range(24):
            world.add_peer(series=2)
        world.collector.start()
        for _ in range(2):
            for peer in world.peers:
                peer.make(20)
            world.pump(0.5)
            world.collector.program.signal(signal.SIGSTOP)
            for peer in world.peers:
                peer.make(20)
            world.pump(world.rng.uniform(2, 8))
            world.collector.program.signal(signal.SIGCONT)
        if not world.drain(60):
            found.unbalanced += 1
            found.note("not all acknowledged after the stop")
        world.collector.stop()
        found.add(world.compare())
    finally:
        world.close(keep=not found.clean())
    return {"agents": len(world.peers)}
