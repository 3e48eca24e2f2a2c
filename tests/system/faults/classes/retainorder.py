"""Class 7, retention: a figure for a month that is gone is refused as too old, counted, listed, and not let in by the operator;
another refused figure is let in, once; late figures race with the roll-up of their month. The accounts add up all the time."""
import json

from classes import retain
from recorder import kept
from recorder.ledger import open_ledger
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "retainorder", 4, 180


def held(world):
    done = world.collector.command("quarantine", "list", "--json")
    return {(q["position"], q["index"]): q["reason"] for q in json.loads(done.stdout)}


def let_in(world, position, index, code, said):
    done = world.collector.command("quarantine", "release", f"{position}:{index}")
    world.found.check(done.returncode == code and said in done.stdout + done.stderr, "undetected",
                      f"release of {position}:{index}: {done.returncode} {done.stdout.strip()} {done.stderr.strip()}")


def race(world, peer, begin, end):
    """Late figures all the time while their months are closed, rolled up and dropped: in or refused, never in between."""
    def more():
        at = world.rng.randrange(begin, end) // 10 * 10
        peer.put([(0, at, world.rng.randint(0, 1000)), (1, at, world.rng.random())])
        world.pump(0.02)
        if world.rng.random() < 0.3:  # not disturbed by rows that go, whenever it comes
            world.verify("while months are dropped")
        return retain.until(world)[2] >= end
    world.found.check(wait_for(more, 60, 0), "unbalanced", "late figures hold up the retention")
    world.drain("late figures")
    with open_ledger(world.collector.state) as db:
        kept.learn_refused(db, peer, world.found)


def too_old(world, peer, begin, end):
    """One batch: too old, beyond the bounds, good. The bounds may be overruled; what is gone may not."""
    peer.put([(0, begin + 10, 3), (0, peer.clock + 10, -7), (0, peer.clock + 20, 8)])
    peer.clock += 20
    world.drain("a figure of a month that is gone")
    key = (peer.incarnation, peer.written)
    world.found.check([r for _, r in peer.rejected.get(key, [])] == [world.pb.TOO_OLD, world.pb.OUT_OF_RANGE], "undetected",
                      f"answered {peer.rejected.get(key)}, not too old and out of range")
    position = peer.receipts[key][0]
    listed = held(world)
    world.found.check(listed.get((position, 0)) == "too-old" and listed.get((position, 1)) == "out-of-range", "undetected",
                      f"quarantine lists {[v for k, v in listed.items() if k[0] == position]}")
    let_in(world, position, 0, 1, "rolled up")
    let_in(world, position, 1, 0, "released 1,")
    let_in(world, position, 1, 0, "released 0, released before 1,")
    world.balance()
    peer.let_in[key] = {1}
    return (position, 0)


def round_of(options, seed, found):
    with World(options, NAME, seed, found) as world:
        peer = world.add_peer()
        end = retain.prepare(world, [peer])
        begin = retain.two_months()[0]
        world.start("with retention")
        race(world, peer, begin, end)
        still = too_old(world, peer, begin, end)
        refused = world.counter("samples_refused_too_old")
        retain.check_all(world, "afterwards")
        world.collector.kill()
        world.start("after a kill")
        found.check(still in held(world), "undetected", "what was refused is no longer listed after a restart")
        found.check(world.counter("samples_refused_too_old") == refused > 0, "unbalanced", "refused as too old is not counted")
        let_in(world, *still, 1, "rolled up")
        done = world.collector.command("rebuild")
        found.check(done.returncode == 0, "unbalanced", f"rebuild: {done.stderr.strip()}")
        found.check(wait_for(lambda: rebuilt(world), 30), "unbalanced", "a rebuild does not end")
        retain.check_all(world, "after a rebuild")
        world.finish()
    return {"too_old": refused}


def rebuilt(world):
    status = world.status()
    with open_ledger(world.collector.state) as db:
        last = db.execute("SELECT max(position) FROM batch").fetchone()[0]
    return status.get("rrd_dirty") == 0 and status["cursors"]["observations"]["position"] >= last
