"""Classes 2, 3 and 11, the agent's side: dies at every n-th write, sync, rename and unlink of its spool, or a sync answers EIO,
or the power goes. Every row of the CSV arrives once all the same."""
import os

from powercut import cut
from recorder import agents
from recorder.ledger import balance, open_ledger
from recorder.programs import wait_for
from world import World

NAME = "agentpoints"
ROUNDS = 1
STEP = 3


def finish(world, agent, found, what):
    if not wait_for(agent.done, 40, 0.1):
        found.unbalanced += 1
        found.note(f"{what}: not everything arrived: {agent.status()}")
    agent.stop()
    agents.compare(world.pb, agent, found)
    with open_ledger(world.collector.state) as db:
        balance(db, found)


def one(options, world, number, shim, found, what, power=False):
    """Returns whether the agent lived through the work."""
    agent = agents.Agent(world.collector, f"{world.folder}/agent{number}", "penza/milling-plant", world.rng)
    journal = f"{agent.folder}/journal"
    os.makedirs(journal)
    env = {"LD_PRELOAD": options.shim, "SHIM_WATCH": agent.state, "SHIM_JOURNAL": journal}
    try:
        agent.grow(30)
        agent.start(dict(env, **shim))
        wait_for(lambda: not agent.program.alive() or agent.done(), 3, 0.2)
        agent.grow(20)
        wait_for(lambda: not agent.program.alive() or agent.done(), 2.5, 0.05)
        lived = agent.program.alive()
        agent.kill()
        if power:
            cut(agent.state, journal, world.rng)
        agent.start(env)
        finish(world, agent, found, what)
    finally:
        if agent.program.alive():
            agent.kill()
    return lived


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    points, cuts = 0, 0
    try:
        world.collector.start()
        at, step = 1 + seed % STEP, max(1, int(STEP / max(options.factor, 0.01)))
        lived = False
        while not lived:
            lived = one(options, world, f"-at{at}", {"SHIM_CRASH_AT": str(at)}, found, f"died at operation {at}", at % 2 == 0)
            points += 1
            at += step
        for sync in range(1, 13):
            one(options, world, f"-eio{sync}", {"SHIM_EIO_SYNC_AT": str(sync)}, found, f"EIO at sync {sync}", True)
            cuts += 1
        world.collector.stop()
    finally:
        world.close(keep=not found.clean())
    return {"points": points, "eio": cuts}
