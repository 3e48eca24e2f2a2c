"""Class 4, the agent: the disk under its spool is full. Rows of the CSV are read later, a program's answers are refused and
counted, and it goes on by itself when there is room."""
import os
import time

from disks import fill, make_room, small_disk
from world import World, agents, wait_for

NAME, ROUNDS, LIMIT_S = "fullspool", 3, 180


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        agent = world.add_agent()
        with small_disk(agent.state, "8m") as state:
            away = world.rng.random() < 0.5
            if not away:
                world.start()
            late = world.rng.random() < 0.5  # the file appears when the disk is full already
            if late:
                os.rename(agent.csv, f"{agent.csv}.later")
            agent.start()
            if late:
                wait_for(lambda: agents.look(state), 20)
            else:
                agent.grow(200)
                wait_for(agent.read, 20)
            fill(state, world.rng.choice((0, 20000, 60000)))
            if late:
                os.rename(f"{agent.csv}.later", agent.csv)
            agent.grow(60000)
            found.check(wait_for(lambda: agent.said("spool_not_writable"), 30), "unbalanced", "nothing said of a full disk")
            time.sleep(2)
            found.check(agent.alive(), "unbalanced", "a full disk ended the agent")
            if world.rng.random() < 0.3:
                agent.kill()
                agent.start()
                time.sleep(1)
            make_room(state)
            if away:
                world.start()
            if not agent.alive():  # it could not even open its spool: whoever runs it starts it again
                agent.start()
            found.check(wait_for(agent.read, 60), "unbalanced", "the file was not read when there was room again")
            agent.kill()  # a position that was not stored shows now
            agent.start()
            world.finish_agent(agent, "when there was room again", 90)
            refused = agents.look(agent.state).refused
            world.finish()
    return {"refused": refused}
