"""Class 8: bytes flipped, files cut short, pages zeroed, in the ledger with its -wal and -shm. Afterwards either every
acknowledged row reads back equal to the recorder's copy, or the start or verify refuses and names the damage."""
import os
import shutil
import sqlite3

from damage import damage
from world import World

NAME, ROUNDS, LIMIT_S = "flips", 40, 180
EACH = 8


def agents_notice(world):
    """A chain that is valid but shorter, within the second that the head may lag: the agents' receipts tell."""
    for peer in world.peers:
        peer.lost_by_collector = 0
        peer.open()
    world.pump(10, lambda: all(p.welcomed for p in world.peers))
    return any(p.lost_by_collector > 0 for p in world.peers) and world.collector.said("ledger_behind")


def intact(world):
    """Every acknowledged row reads back equal."""
    try:
        one = world.compare()
    except sqlite3.Error:  # SQLite itself says that the file is damaged
        return False
    return one.lost == one.undetected == one.doubled == 0


def try_one(world, saved, files):
    shutil.rmtree(world.collector.state)
    shutil.copytree(saved, world.collector.state)
    name = world.rng.choice(files)
    how = damage(f"{world.collector.state}/{name}", world.rng)
    started = world.collector.start()
    verdict = world.collector.command("verify") if started else None
    refused = not started or verdict.returncode != 0 or agents_notice(world)
    world.collector.kill()
    if refused:
        return "noticed"
    if intact(world):
        return "harmless"
    world.found.blame("undetected", f"{how} in {name} went unnoticed")
    return "unnoticed"


def round_of(options, seed, found):
    count = {"noticed": 0, "harmless": 0}
    with World(options, NAME, seed, found) as world:
        world.add_peer()
        world.add_peer()
        world.start()
        for peer in world.peers:
            peer.make(40)
        world.drain("before the damage")
        if world.rng.random() < 0.7:
            world.collector.kill()
        else:
            world.collector.stop()
        saved = f"{world.folder}/saved"
        shutil.copytree(world.collector.state, saved, ignore=shutil.ignore_patterns("control", "rrd"))
        found.add(world.compare())
        files = [f for f in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm")
                 if os.path.exists(f"{saved}/{f}") and os.path.getsize(f"{saved}/{f}") > 0]
        for _ in range(EACH):
            how = try_one(world, saved, files)
            count[how] = count.get(how, 0) + 1
    return count
