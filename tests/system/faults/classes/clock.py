"""Class 9: the wall clock is stepped back and forth while figures flow, on the collector's side, the agent's or both; with kills
in between. Nothing is lost or doubled, no tick is asked twice, and receive times never go back. A collector whose clock ends
behind its last row takes nothing in until the operator confirms that clock."""
import struct
import time

from recorder.ledger import open_ledger
from world import World, agents

NAME, ROUNDS, LIMIT_S = "clock", 9, 180
STEPS_S = [-19 * 86400, -86400, -3600, -61, -10, -1, 1, 10, 61, 3600, 86400, 19 * 86400]
BEHIND_S = 300


class Clock:
    def __init__(self, path):
        self.path = path
        self.step(0)

    def step(self, seconds):
        """Off by so much from now on."""
        with open(self.path, "r+b" if self.there() else "wb") as f:
            f.write(struct.pack("=q", seconds * 1000000))

    def there(self):
        try:
            with open(self.path, "rb"):
                return True
        except FileNotFoundError:
            return False


def received_never_goes_back(world):
    with open_ledger(world.collector.state) as db:
        times = [t for (t,) in db.execute("SELECT received_us FROM batch ORDER BY position")]
    world.found.check(times == sorted(times), "unbalanced", "receive times in the ledger go back")


def confirm_clock(world):
    """Where the clock is behind the newest row by more than the limit it can be confirmed. A moment may also have come from a
    message that left no row, so that it can be confirmed is no mistake."""
    with open_ledger(world.collector.state) as db:
        (newest_us,) = db.execute("SELECT max(received_us) FROM batch").fetchone()
    done = world.collector.command("clock", "--confirm")
    ahead_s = (newest_us or 0) / 1e6 - time.time()
    world.found.check(done.returncode == 0 or ahead_s < BEHIND_S, "undetected",
                      f"{ahead_s:.0f} s behind: clock --confirm: {done.returncode} {done.stdout.strip()} {done.stderr.strip()}")
    return int(done.returncode == 0)


def refused_for(world):
    """Reasons other than that the figure was ahead of the collector's clock."""
    return {k: v for k, v in world.status().get("counters", {}).items()
            if k.startswith("samples_refused_") and v and k != "samples_refused_future"}


def round_of(options, seed, found):
    side = ("collector", "agent", "both")[seed % 3]
    with World(options, f"clock-{side}", seed, found) as world:
        clock = Clock(f"{world.folder}/clock")
        off = dict(world.shim("/nowhere"), SHIM_CLOCK=clock.path)
        theirs = off if side != "agent" else {}
        ours = off if side != "collector" else {}
        peer, agent = world.add_peer(), world.add_agent(sources="file program counter now")
        world.start(env=theirs)
        agent.start(ours)
        for _ in range(10):
            clock.step(world.rng.choice(STEPS_S) if world.rng.random() < 0.75 else 0)
            agent.grow(world.rng.randint(1, 100))
            peer.make(world.rng.randint(1, 10))
            world.pump(world.rng.uniform(0.3, 2.5))
            if world.rng.random() < 0.3:
                agent.kill()
                agent.start(ours)
            if world.rng.random() < 0.2:
                world.collector.kill()
                world.start("after a step of the clock", theirs)
        clock.step(0)
        confirmed = confirm_clock(world)
        world.drain("after the steps")
        agent.finish(found, "after the steps")
        agents.account(agent, found, "after the steps")
        agents.compare(world.pb, agent, found)
        found.check(not refused_for(world), "unbalanced", f"refused: {refused_for(world)}")
        future = world.counter("samples_refused_future")
        time.sleep(0.1)
        world.verify("after the steps")
        world.finish()
        received_never_goes_back(world)
    return {"steps": 10, "quarantined": future, "confirmed": confirmed}
