"""Class 4: the disk is full: under the ledger, all of the state (killed and started while it is), under the round-robin files; each
on a small file system of its own. The collector says so before it is full, acknowledges nothing it can't keep, and goes on by itself
when there is room."""
import os
import shutil

from disks import fill, grow, make_room, small_disk
from world import World, wait_for

NAME, ROUNDS, LIMIT_S = "full", 4, 240


def ledger(options, seed, found, min_free, expect):
    with World(options, NAME, f"{seed}-{expect}", found, extra=f"min_free: {min_free}\n") as world:
        peer, agent = world.add_peer(), world.add_agent()
        with small_disk(world.collector.state, "48m") as state:
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


def state(options, seed, found):
    """Killed while nothing can be written, not even a page of any file; a start on the full disk waits for room."""
    with World(options, NAME, f"{seed}-state", found, extra="min_free: 4096\n") as world:
        peer, agent = world.add_peer(), world.add_agent()
        with small_disk(world.collector.state, "48m") as folder:
            world.start()
            agent.start()
            for _ in range(3):
                peer.make(200, per_batch=800)
                agent.grow(2000)
                world.pump(world.rng.uniform(0.1, 0.6))
                fill(folder, world.rng.choice((0, 0, 30_000, 200_000)))
                world.pump(world.rng.uniform(0.5, 2))
                world.collector.kill()
                world.collector.start(wait=False)
                world.pump(2)
                found.check(world.collector.alive(), "unbalanced", "a start on a full disk ended the collector")
                make_room(folder)
                found.check(world.collector.wait_listening(), "unbalanced", "it did not start when there was room again")
                world.drain("when there was room again", 90)
                wait_for(lambda: wal_is_small(folder), 20)
            world.finish_agent(agent, "when there was room again", 90)
            world.verify("when there was room again")
            world.finish()
            world.collector.program = None


def wal_is_small(folder):
    """Room for the next time: the disk is a small one."""
    return shutil.disk_usage(folder).free > 6 << 20


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
    if seed % 4 == 0:
        ledger(options, seed, found, "8MiB", "low-space")
    elif seed % 4 == 1:
        ledger(options, seed, found, "4096", "no-space")
    elif seed % 4 == 2:
        state(options, seed, found)
    else:
        rrd(options, seed, found)
    return {"disks": 1}
