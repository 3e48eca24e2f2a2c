"""Class 8: bytes flipped, files cut short, pages zeroed, in the ledger with its -wal and -shm and in ledger.head. Afterwards the
start or verify refuses and names the damage, or every acknowledged row reads back equal to the recorder's copy: at once, or when the
collector, told by the agents' receipts that rows are missing (the head may lag by a second), has raised the alarm and they have sent
them again. A chain that is valid and shorter, and nobody says so, is undetected."""
import os
import shutil
import sqlite3

from damage import damage
from world import World

NAME, ROUNDS, LIMIT_S = "flips", 40, 180
EACH = 8
FILES = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.head")


def agents_notice(world, what):
    """Whether they are told that rows are missing; then they send them again and the collector says so."""
    for peer in world.peers:
        peer.lost_by_collector = 0
        peer.open()
    world.pump(20, lambda: all(p.welcomed for p in world.peers))
    if not any(p.lost_by_collector > 0 for p in world.peers):
        return False
    world.pump(30, lambda: all(p.confirmed == p.written for p in world.peers))
    world.found.check(world.collector.said("ledger_behind"), "undetected", f"{what}: rows are missing, and no alarm")
    return True


def intact(world):
    """Every acknowledged row reads back equal."""
    try:
        one = world.compare()
    except sqlite3.Error:  # SQLite itself says that the file is damaged
        return False
    return one.clean()


def verdict_on(world, what):
    """What becomes of it."""
    begun = os.path.getsize(world.collector.log)
    if not world.collector.start():
        said = world.collector.said_from(begun)
        world.found.check("ledger." in said, "undetected", f"{what}: refused to start without naming it: {said}")
        return "refused"
    verdict = world.collector.command("verify")
    if verdict.returncode != 0:
        told = "damaged: " in verdict.stdout or "ledger." in verdict.stderr
        world.found.check(told, "undetected", f"{what}: verify does not name it: {verdict.stdout} {verdict.stderr}")
        return "verify"
    return "restored" if agents_notice(world, what) else "harmless"


def try_one(world, saved, files):
    shutil.rmtree(world.collector.state)
    shutil.copytree(saved, world.collector.state)
    name = world.rng.choice(files)
    what = f"{damage(f'{world.collector.state}/{name}', world.rng)} in {name}"
    how = verdict_on(world, what)
    world.collector.kill()
    if how in ("restored", "harmless"):
        world.found.check(intact(world), "undetected", f"{what} went unnoticed")
    return how


def round_of(options, seed, found):
    count = dict.fromkeys(("refused", "verify", "restored", "harmless"), 0)
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
        files = [f for f in FILES if os.path.exists(f"{saved}/{f}") and os.path.getsize(f"{saved}/{f}") > 0]
        for _ in range(EACH):
            count[try_one(world, saved, files)] += 1
    return count
