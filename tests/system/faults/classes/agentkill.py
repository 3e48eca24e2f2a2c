"""Class 1, the agent's side: kill -9 of real agents and of the collector at random moments, while a CSV grows and a program
answers. Every row of the CSV is in the ledger once, exactly; the program's figures too, each tick at most once."""
from recorder import agents
from recorder.ledger import balance, open_ledger
from recorder.programs import wait_for
from world import World

NAME = "agentkill"
ROUNDS = 5
KILLS = 30


def round_of(options, seed, found):
    world = World(options, NAME, seed)
    agent = None
    try:
        agent = agents.Agent(world.collector, f"{world.folder}/agent", "penza/lathe-plant", world.rng)
        world.collector.start()
        agent.start()
        for _ in range(KILLS):
            agent.grow(world.rng.randint(1, 400))
            wait_for(lambda: False, world.rng.uniform(0.05, 1.2))
            if world.rng.random() < 0.3:
                world.collector.kill()
                world.collector.start(wait=False)
            else:
                agent.kill()
                agent.start()
        world.collector.wait_listening()
        if not wait_for(agent.done, 60, 0.2):
            found.unbalanced += 1
            found.note(f"not everything arrived: {agent.status()}")
        agent.stop()
        world.collector.stop()
        agents.compare(world.pb, agent, found)
        with open_ledger(world.collector.state) as db:
            balance(db, found)
    finally:
        if agent is not None and agent.program is not None and agent.program.alive():
            agent.kill()
        world.close(keep=not found.clean())
    return {"kills": KILLS}
