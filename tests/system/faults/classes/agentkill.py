"""Class 1, with real agents: kill -9 of agents and of the collector at random moments, while a CSV grows, a program answers and
a counter rises. Every row of the CSV is in the ledger once; the program's figures too, each tick at most once."""
import time

from world import World, agents

NAME, ROUNDS, LIMIT_S = "agentkill", 6, 180
KILLS = 30


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        world.start()
        for _ in range(2):
            world.add_agent().start()
        for _ in range(KILLS):
            for agent in world.agents:
                agent.grow(world.rng.randint(1, 400))
            time.sleep(world.rng.uniform(0.05, 0.7))
            if world.rng.random() < 0.3:
                world.collector.kill()
                world.collector.start(wait=False)
            else:
                agent = world.rng.choice(world.agents)
                agent.kill()
                agents.account(agent, found, "after a kill")
                agent.start()
        world.collector.wait_listening()
        for agent in world.agents:
            world.finish_agent(agent, "after the last kill")
        world.verify("after the last kill")
        world.finish()
    return {"kills": KILLS}
