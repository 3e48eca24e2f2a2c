"""Class 11, the agent: power cuts. Writes to the spool since its last sync are lost, torn by sector or kept, as the seed says."""
import time
from concurrent.futures import ThreadPoolExecutor

from powercut import cut
from recorder.ledger import Findings
from world import World, agents

NAME, ROUNDS, LIMIT_S = "spoolpower", 6, 180
BESIDE, CUTS = 4, 3


def life(world, agent):
    found, lost = Findings(), 0
    journal = f"{agent.folder}/journal"
    for _ in range(CUTS):
        agent.grow(agent.rng.randint(5, 300))
        agent.start(world.shim(agent.state, journal))
        time.sleep(agent.rng.uniform(0.05, 2.2))
        agent.kill()
        lost += cut(agent.state, journal, agent.rng)
    agent.start()
    agent.finish(found, "after power cuts", 40)
    agents.account(agent, found, "after power cuts")
    agents.compare(world.pb, agent, found)
    found.check(not agent.said("spool_damaged"), "undetected", "after power cuts the spool was set aside as damaged")
    return found, lost


def round_of(options, seed, found):
    lost = 0
    with World(options, NAME, seed, found) as world:
        world.start()
        agents_here = [world.add_agent() for _ in range(BESIDE)]
        with ThreadPoolExecutor(BESIDE) as pool:
            for one, more in pool.map(lambda a: life(world, a), agents_here):
                found.add(one)
                lost += more
        world.finish()
    return {"cuts": BESIDE * CUTS, "unsynced_bytes_lost": lost}
