"""Class 12: a machine is cloned: two live agents with one key and one spool, each with figures of its own. The later connection
wins and it is an alarm; the second becomes an incarnation of its own; nothing of either is lost."""
import shutil

from disks import copy_state
from world import World, agents, wait_for

NAME, ROUNDS, LIMIT_S = "cloned", 2, 300


def clone_of(world, agent):
    """The machine's copy: spool, key and file as they are at this moment, in another place."""
    clone = world.add_agent(agent.resident)
    shutil.rmtree(clone.state)
    copy_state(agent.state, clone.state)
    shutil.copy(agent.csv, clone.csv)
    clone.truth, clone.began, clone.clock = dict(agent.truth), agent.began, agent.clock + 5 * 86400
    clone.script("program", "#!/bin/sh\n")
    clone.script("counter", "#!/bin/sh\n")
    return clone


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        agent = world.add_agent()
        world.start()
        agent.grow(100)
        agent.start()
        wait_for(agent.done, 20)
        agent.kill()
        clone = clone_of(world, agent)
        agent.start()
        agent.grow(50)
        wait_for(agent.done, 20)
        clone.start()
        clone.grow(50)
        both = wait_for(clone.done, 100)
        found.check(both, "unbalanced", "the clone delivered nothing beside the first")
        agent.grow(20)
        found.check(wait_for(agent.done, 100), "unbalanced", "the first delivered nothing beside its clone")
        status = world.status().get("counters", {})
        found.check(status.get("connections_superseded", 0) > 0, "undetected", "no alarm for two connections with one key")
        clone.finish(found, "the clone")
        agent.finish(found, "the first")
        for one in (agent, clone):
            agents.account(one, found, one.state)
        agent.truth.update(clone.truth)
        repeats = agents.compare(world.pb, agent, found, again=True)
        world.finish()
    return {"repeats": repeats}
