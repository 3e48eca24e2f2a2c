"""Class 6: the collector is stopped (SIGSTOP) for a while with many agents, at times for longer than connections live; they go on and
lose nothing. And when both ends were stopped with nothing left to send, nothing that was acknowledged is sent again."""
import signal

from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "stopped", 3, 240


def nothing_again(world, agent):
    """The collector ends and begins anew, the agent too, in either order."""
    repeats = world.counter("batches_repeated")
    world.collector.stop()
    if world.rng.random() < 0.5:
        agent.stop()
    world.start("anew")
    if not agent.alive():
        agent.start()
    agent.grow(50)
    world.found.check(wait_for(agent.done, 60), "unbalanced", "nothing was delivered after a clean stop of both ends")
    again = world.counter("batches_repeated") - repeats
    world.found.check(again == 0, "unbalanced", f"{again} batches were sent again that had been acknowledged")


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        for _ in range(24):
            world.add_peer(series=2)
        real = world.add_agent()
        world.start()
        real.start()
        for seconds in (world.rng.uniform(2, 8), 20):
            for peer in world.peers:
                peer.make(20)
            real.grow(200)
            world.pump(0.5)
            world.collector.program.signal(signal.SIGSTOP)
            for peer in world.peers:
                peer.make(20)
            real.grow(200)
            world.pump(seconds)
            world.collector.program.signal(signal.SIGCONT)
        world.drain("after the stop", 90)
        found.check(wait_for(real.done, 90), "unbalanced", "the agent delivered nothing after the stop")
        nothing_again(world, real)
        world.finish_agent(real, "after the stop", 90)
        world.finish()
    return {"agents": len(world.peers) + 1}
