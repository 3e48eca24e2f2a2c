"""Class 8, the agent: bytes flipped, files cut short, pages zeroed, in the spool with its -wal and -shm and spool.head, half of it not yet
delivered. Afterwards the agent runs; either it is as if nothing had happened, or a new incarnation goes on (with what can still be read, or
the file set aside), the collector is told by a gap, and every row of the CSV arrives. Of a spool that is lost nobody knows what was delivered,
so rows may arrive again: the same series, time and value, which the collector's projections count as repeats."""
import os
from concurrent.futures import ThreadPoolExecutor

from damage import damage
from recorder import wire
from recorder.ledger import Findings, open_ledger
from world import World, agents, wait_for

NAME, ROUNDS, LIMIT_S = "spoolflips", 10, 240
BESIDE = 6
SPOOL_DAMAGED = 3
FILE_SERIES = 2  # of the numbers, those of the CSV


def told(world, agent, incarnation):
    """The collector has a gap that says so, for the new incarnation."""
    with open_ledger(world.collector.state) as db:
        bodies = [b for (b,) in db.execute("SELECT b.body FROM batch b JOIN stream s USING (stream_id)"
                                           " WHERE b.gap=1 AND s.incarnation=?", (incarnation,))]
    return any(world.pb.Envelope.FromString(b).gap.reason == SPOOL_DAMAGED for b in bodies)


def in_spool(world, spool):
    """The program's figures in the spool: it can't be asked for them again."""
    out = set()
    for *_, body in spool.rows:
        if body is None:
            continue
        message = world.pb.Envelope.FromString(body)
        out |= {(number, at) for number, at, _ in wire.samples_of(message.batch) if number >= FILE_SERIES}
    return out


def after(world, agent, before, what):
    """The agent lives on with what was done to its spool."""
    found = Findings()
    agent.start()
    agent.finish(found, what, 60)
    spool = agents.look(agent.state)
    if spool is None:
        found.blame("unbalanced", f"{what}: no spool afterwards")
        return found, "unnoticed", 0
    agents.account(agent, found, what, spool)
    agents.account(agent, found, f"{what}, what had been acknowledged before", before)
    renewed = spool.incarnation != before.incarnation
    repeats = agents.compare(world.pb, agent, found, again=renewed)
    aside = agent.said("spool_damaged")
    found.check(not aside or any(".damaged-" in n for n in os.listdir(agent.state)), "undetected", f"{what}: nothing set aside")
    found.check(not renewed or told(world, agent, spool.incarnation), "undetected", f"{what}: the collector was not told")
    found.check(not renewed or aside or agent.said("spool_older"), "undetected", f"{what}: a new incarnation without a word")
    have = agents.stored(world.pb, world.collector.state, agent.resident)
    names = {2: "out_units/gauge", 3: "energy_kwh/real", 4: agents.COUNTED}
    gone = sum((names[number], at) not in have for number, at in in_spool(world, before))
    found.check(gone == 0 or told(world, agent, spool.incarnation), "undetected",
                f"{what}: {gone} unsent figures of the program are gone in silence")
    return found, "set_aside" if aside else "restarted" if renewed else "harmless", repeats


def hurt(agent):
    names = [n for n in ("spool.sqlite", "spool.sqlite-wal", "spool.sqlite-shm", "spool.head")
             if os.path.exists(f"{agent.state}/{n}") and os.path.getsize(f"{agent.state}/{n}") > 0]
    name = agent.rng.choice(names)
    return f"{damage(f'{agent.state}/{name}', agent.rng)} in {name}"


def round_of(options, seed, found):
    count = {"set_aside": 0, "restarted": 0, "harmless": 0, "repeats": 0}
    with World(options, NAME, seed, found) as world:
        world.start()
        for _ in range(BESIDE):
            agent = world.add_agent()
            agent.grow(300)
            agent.start()
        found.check(wait_for(lambda: all(a.done() for a in world.agents), 40, 0.1), "unbalanced", "not delivered at first")
        world.collector.kill()
        for agent in world.agents:
            agent.grow(200)
        found.check(wait_for(lambda: all(a.read() for a in world.agents), 40, 0.1), "unbalanced", "not read")
        jobs = []
        for agent in world.agents:
            if agent.rng.random() < 0.6:
                agent.kill()
            else:
                agent.stop()
            before = agents.look(agent.state)
            jobs.append((agent, before, hurt(agent)))
        world.start()
        with ThreadPoolExecutor(BESIDE) as pool:
            for one, kind, repeats in pool.map(lambda j: after(world, *j), jobs):
                found.add(one)
                count[kind] = count.get(kind, 0) + 1
                count["repeats"] += repeats
        world.finish()
    return count


