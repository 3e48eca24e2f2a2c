"""Class 3, the agent: EIO at each n-th sync of its spool, for all n until a fixed piece of work is through, then the power goes; and
killed between a write and its sync, started again, delivered, and then the power goes: what was acknowledged must not need what was
never synced."""
import signal
from concurrent.futures import ThreadPoolExecutor

from classes.spoolpoints import point
from powercut import cut
from recorder.ledger import Findings
from world import World, agents, wait_for

NAME, ROUNDS, LIMIT_S = "spoolsyncs", 3, 300
BESIDE = 6


def counts(world, agent):
    return world.counted(f"{agent.folder}/count")[1]


def failing(world, agent, at):
    """Returns whether there was an n-th sync at all, and what was found."""
    _, found = point(world, agent, f"EIO at sync {at}", True, eio_sync_at=at, count=f"{agent.folder}/count")
    return counts(world, agent) >= at, found


def between(world, agent, at):
    found, what = Findings(), f"killed in sync {at}"
    journal = f"{agent.folder}/journal"
    env = world.shim(agent.state, journal)
    agent.grow(30)
    agent.start(dict(env, SHIM_STOP_AT=str(at), SHIM_COUNT=f"{agent.folder}/count"))
    wait_for(lambda: agent.done() or stands(agent), 3, 0.05)
    agent.program.signal(signal.SIGKILL)
    agent.program.signal(signal.SIGCONT)
    agent.kill()
    stopped = counts(world, agent) >= at
    agent.start(env)
    wait_for(lambda: not agent.alive() or agent.done(), 20, 0.02)
    agent.kill()
    cut(agent.state, journal, agent.rng)
    agent.start(env)
    agent.finish(found, what, 40)
    agents.account(agent, found, what)
    agents.compare(world.pb, agent, found)
    return stopped, found


def stands(agent):
    """Whether the process was stopped by a signal."""
    with open(f"/proc/{agent.program.process.pid}/stat", encoding="ascii", errors="replace") as f:
        return f.read().rpartition(")")[2].split()[0] == "T"


def all_n(world, first, kind):
    """n = first, first + 1 … several side by side, the rounds taking turns, until there is no n-th sync."""
    done, more = 0, True
    with ThreadPoolExecutor(BESIDE) as pool:
        while more:
            jobs = [(world.add_agent(), n) for n in range(first, first + BESIDE)]
            results = list(pool.map(lambda j: kind(world, *j), jobs))
            for _, found in results:
                world.found.add(found)
            done += sum(happened for happened, _ in results)
            more = results[-1][0]
            first += BESIDE * ROUNDS
    return done


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        world.start()
        first = (seed - 1) % ROUNDS * BESIDE + 1
        done = all_n(world, first, failing) + all_n(world, first, between)
        world.finish()
    return {"syncs": done}
