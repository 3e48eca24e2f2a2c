"""Class 12, the agent: its spool is restored from an older copy. The collector knows sequences that this spool never wrote, so a
new incarnation is begun; every row of the CSV arrives. Rows delivered after the copy was made arrive again, as equal repeats."""
import shutil

from disks import copy_state
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "spoolrestored", 4, 180


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        agent = world.add_agent()
        world.start()
        agent.grow(world.rng.randint(20, 200))
        agent.start()
        wait_for(agent.done, 20)
        if world.rng.random() < 0.5:  # unsent figures in the copy
            world.collector.kill()
            agent.grow(50)
            wait_for(agent.read, 20)
        agent.stop()
        saved = f"{world.folder}/saved"
        copy_state(agent.state, saved)
        if not world.collector.alive():
            world.start()
        agent.start()
        agent.grow(world.rng.randint(1, 200))
        found.check(wait_for(agent.done, 30), "unbalanced", "not delivered before the restore")
        agent.kill()
        shutil.rmtree(agent.state)
        shutil.copytree(saved, agent.state)
        agent.start()
        agent.grow(30)
        repeats = world.finish_agent(agent, "after the restore", again=True)
        found.check(world.counter("agents_behind") > 0 or world.counter("bodies_contradicted") > 0, "undetected",
                    "the collector raised no alarm")
        world.finish()
    return {"repeats": repeats}
