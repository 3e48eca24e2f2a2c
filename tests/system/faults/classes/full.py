"""Class 4: the disk is full: under the ledger and all of the state, under the round-robin files; each on a small file system of
its own. The collector says so before it is full, acknowledges nothing it can't keep, and goes on by itself when there is room."""
import os

from disks import fill, grow, make_room, small_disk
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "full", 3, 240


def ledger(options, seed, found, min_free, expect):
    with World(options, NAME, f"{seed}-{expect}", found, extra=f"min_free: {min_free}\n") as world:
        peer, agent = world.add_peer(), world.add_agent()
        with small_disk(world.collector.state, "24m") as state:
            world.start()
            agent.start()
            peer.make(50)
            agent.grow(200)
            world.drain("before the disk is full")
            fill(state, 700_000 if expect == "no-space" else 0)
            peer.make(400, per_batch=800)
            agent.grow(2000)
            states = set()
            wait_for(lambda: world.pump(0.2) or states.add(world.status().get("state")) or expect in states, 20)
            found.check(expect in states or "no-space" in states, "unbalanced", f"full disk: states {states}, not {expect}")
            world.pump(1)
            found.check(world.collector.alive(), "unbalanced", "a full disk ended the collector")
            make_room(state)
            world.drain("when there was room again", 60)
            world.finish_agent(agent, "when there was room again")
            world.verify("when there was room again")
            world.finish()
            world.collector.program = None


def rrd(options, seed, found):
    with World(options, NAME, f"{seed}-rrd", found) as world:
        peer = world.add_peer(series=8)
        with small_disk(f"{world.collector.state}/rrd", "3m") as folder:
            world.start()
            peer.make(60, per_batch=24)
            world.drain("full disk under the round-robin files")
            world.pump(2)
            grow(folder, "64m")
            name = f"{peer.resident}/{peer.series[-1]}"
            file = world.collector.command("query", name, "--file").stdout.strip()
            found.check(wait_for(lambda: os.path.exists(file) and os.path.getsize(file) > 0, 60), "unbalanced",
                        "round-robin files were not made when there was room again")
            world.finish()


def round_of(options, seed, found):
    if seed % 3 == 0:
        ledger(options, seed, found, "8MiB", "low-space")
    elif seed % 3 == 1:
        ledger(options, seed, found, "4096", "no-space")
    else:
        rrd(options, seed, found)
    return {"disks": 1}
