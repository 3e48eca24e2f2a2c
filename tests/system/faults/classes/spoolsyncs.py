"""Class 3, the agent: EIO at each n-th sync of its spool, then the power goes; and killed between a write and its sync, started
again, delivered, and then the power goes: what was acknowledged must not need what was never synced."""
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from classes.spoolpoints import point
from powercut import cut
from recorder.ledger import Findings
from world import World, agents, wait_for

NAME, ROUNDS, LIMIT_S = "spoolsyncs", 3, 240
BESIDE = 6


def between(world, agent, at):
    found, what = Findings(), f"killed in sync {at}"
    journal = f"{agent.folder}/journal"
    env = world.shim(agent.state, journal)
    agent.grow(30)
    agent.start(dict(env, SHIM_STOP_AT=str(at)))
    time.sleep(1.5)
    agent.program.signal(signal.SIGKILL)
    agent.program.signal(signal.SIGCONT)
    agent.kill()
    agent.start(env)
    wait_for(lambda: not agent.alive() or agent.done(), 20, 0.02)
    agent.kill()
    cut(agent.state, journal, agent.rng)
    agent.start(env)
    agent.finish(found, what, 40)
    agents.account(agent, found, what)
    agents.compare(world.pb, agent, found)
    return True, found


def round_of(options, seed, found):
    """Six syncs of each kind: 1 … 6, 7 … 12 and so on, by the seed."""
    with World(options, NAME, seed, found) as world:
        world.start()
        syncs = range((seed - 1) % ROUNDS * BESIDE + 1, ((seed - 1) % ROUNDS + 1) * BESIDE + 1)
        eio = [(world.add_agent(), n) for n in syncs]
        stop = [(world.add_agent(), n) for n in syncs]
        with ThreadPoolExecutor(BESIDE) as pool:
            for _, one in pool.map(lambda j: point(world, j[0], f"EIO at sync {j[1]}", True, eio_sync_at=j[1]), eio):
                found.add(one)
            for _, one in pool.map(lambda j: between(world, *j), stop):
                found.add(one)
        world.finish()
    return {"cuts": len(eio) + len(stop)}
