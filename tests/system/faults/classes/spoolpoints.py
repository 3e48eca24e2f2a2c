"""Class 2, the agent: dies at every n-th write, sync, rename, truncate and unlink of its spool, for all n until a fixed piece of
work and a clean stop are through; after every second n the power goes too. Every row of the CSV arrives once all the same."""
from concurrent.futures import ThreadPoolExecutor

from powercut import cut
from recorder.ledger import Findings
from world import World, agents, wait_for

NAME, ROUNDS, LIMIT_S = "spoolpoints", 4, 300
BESIDE = 6  # points at a time: they spend their time waiting


def first_life(agent, env):
    """Returns whether the agent lived through all of it."""
    agent.grow(30)
    agent.start(env)
    wait_for(lambda: not agent.alive() or agent.done(), 8, 0.02)
    agent.grow(20)
    wait_for(lambda: not agent.alive() or agent.done(), 8, 0.02)
    return agent.stop() == 0


def point(world, agent, what, power, **shim):
    """Dies as the shim is told, lives again, delivers. Returns whether it lived through, and what was found."""
    found = Findings()
    journal = f"{agent.folder}/journal"
    lived = first_life(agent, world.shim(agent.state, journal, **shim))
    if power:
        cut(agent.state, journal, agent.rng)
    agent.start()
    agent.finish(found, what, 40)
    agents.account(agent, found, what)
    agents.compare(world.pb, agent, found)
    found.check(not agent.said("spool_damaged"), "undetected", f"{what}: the spool was set aside as damaged")
    return lived, found


def points(world, numbers, run):
    """Several at a time; stops after the first batch of numbers in which one lived through. Returns how many."""
    done, lived = 0, False
    with ThreadPoolExecutor(BESIDE) as pool:
        while not lived:
            batch = [(n, world.add_agent()) for n in (next(numbers) for _ in range(BESIDE))]
            for one, found in pool.map(lambda job: run(*job), batch):
                lived = lived or one
                done += 1
                world.found.add(found)
    return done


def round_of(options, seed, found):
    """The n of one round are those with n % ROUNDS = seed % ROUNDS."""
    with World(options, NAME, seed, found) as world:
        world.start()
        first = seed % ROUNDS or ROUNDS
        numbers = iter(range(first, 100000, ROUNDS))
        done = points(world, numbers, lambda n, agent: point(world, agent, f"died at operation {n}",
                                                             n // ROUNDS % 2 == 0, crash_at=n))
        world.finish()
    return {"points": done}
