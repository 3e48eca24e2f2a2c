"""Class 4: the spool's own limit is reached while the collector is away. What gives way is the oldest, as one Gap that names it
exactly: its samples, from when, until when; and it is in the collector's account."""
from world import World, agents, wait_for

NAME, ROUNDS, LIMIT_S = "quota", 2, 180
EACH = 10000  # figures a second
PROGRAM = """#!/bin/sh
echo $ESEP_TICK >> {folder}/ticks
awk -v n={each} -v t=$(( (ESEP_TICK - {began}) * {each} * 10 + {base} )) 'BEGIN {{
    for (i = 0; i < n; i++) {{ at = t + i * 10; printf "gauge %d %d\\n", at * 40503 % 1000003, at }} }}'
"""


def expected_times(agent):
    with open(f"{agent.folder}/ticks", encoding="utf-8") as f:
        ticks = sorted({int(line) for line in f})
    return [(tick - agent.began) * EACH * 10 + agent.clock + i * 10 for tick in ticks for i in range(EACH)]


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        agent = world.add_agent(sources="program", extra="spool: {max_bytes: 1MiB}")
        agent.clock -= 800 * 86400
        agent.script("program", PROGRAM.format(folder=agent.folder, each=EACH, began=agent.began, base=agent.clock))
        if world.rng.random() < 0.5:  # some delivered before
            world.start()
        agent.start()
        wait_for(lambda: (s := agents.look(agent.state)) and s.last_written > 3, 20)
        if world.collector.alive():
            world.collector.kill()
        dropped = wait_for(lambda: (s := agents.look(agent.state)) and s.gaps > 2 * EACH, 90, 0.2)
        found.check(dropped, "unbalanced", "the quota was not reached in time")
        agent.program.stop()
        agent.script("program", "#!/bin/sh\n")
        world.start()
        agent.start()
        agent.finish(found, "after the outage")
        spool = agents.look(agent.state)
        agents.account(agent, found, "after the outage", spool)
        have = agents.stored(world.pb, world.collector.state, agent.resident)
        gaps = agents.gaps(world.pb, world.collector.state, agent.resident)
        want = expected_times(agent)
        missing = [t for t in want if ("out_units/gauge", t) not in have]
        found.acked += spool.sampled
        found.stored += len(have) + sum(g.samples for g in gaps)
        doubled = sum(len(v) - 1 for v in have.values())
        found.check(doubled == 0, "doubled", f"{doubled} figures twice")
        found.check(len(gaps) == 1, "unbalanced", f"{len(gaps)} gaps, not one")
        for gap in gaps[:1]:
            exact = (len(missing), min(missing), max(missing))
            found.check((gap.samples, gap.from_s, gap.to_s) == exact, "unbalanced",
                        f"the gap says {(gap.samples, gap.from_s, gap.to_s)}, missing are {exact}")
            found.check(gap.reason == world.pb.QUOTA_BYTES, "unbalanced", f"the gap's reason is {gap.reason}")
        found.check(world.counter("samples_gap") == spool.gaps, "unbalanced", "the collector does not show what was given up")
        world.finish()
    return {"gaps": len(gaps), "given_up": spool.gaps}
